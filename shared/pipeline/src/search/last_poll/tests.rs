#![allow(clippy::unwrap_used, reason = "a test that cannot continue fails")]

use super::*;

fn at(minutes: i64) -> Time {
    Time::from_ms(1_768_392_000_000 + minutes * MINUTE_MS)
}

fn due(minutes: i64) -> PollTask {
    PollTask { search: "austin".into(), due_at: at(minutes), continuation: None }
}

const HOUR: u64 = Time::HOUR_MS.cast_unsigned();

#[test]
fn one_of_the_tasks_of_an_outage_is_polled() {
    let mut last = LastPoll { polled_at: Some(at(-1)), ..LastPoll::default() };
    let now = at(360);
    let mut polled = 0;
    for minute in 0..360 {
        if last.stale(&due(minute), now).is_none() {
            polled += 1;
            last.polled_at = Some(now);
        }
    }
    assert_eq!(polled, 1);
    assert_eq!(last.stale(&due(359), now), Some(Stale::PolledSince(now)));
    assert_eq!(last.stale(&due(361), at(361)), None, "and the next tick's");
}

#[test]
fn a_task_never_polled_or_redelivered_is_not_stale() {
    assert_eq!(LastPoll::default().stale(&due(0), at(5)), None);
    let failed = LastPoll { failed: true, polled_at: Some(at(-15)), ..LastPoll::default() };
    assert_eq!(failed.stale(&due(0), at(5)), None, "its first try failed on our side");
}

#[test]
fn while_a_scan_continues_no_tick_begins_another() {
    let mut last = LastPoll { polled_at: Some(at(0)), goes_on: Some(at(0)), ..LastPoll::default() };
    let next = due(0).next(at(4)).unwrap();
    for minute in 1..5 {
        assert_eq!(last.stale(&due(minute), at(5)), Some(Stale::GoesOnElsewhere));
    }
    assert_eq!(last.stale(&next, at(5)), None);
    assert_eq!(last.stale(&due(0), at(5)), None, "the first task comes again, as it could not send the next");
    last.polled_at = Some(at(5));
    last.goes_on = None;
    assert_eq!(last.stale(&next, at(9)), Some(Stale::Ended), "a second delivery of what is done");
    assert_eq!(last.stale(&due(4), at(9)), Some(Stale::PolledSince(at(5))));
    assert_eq!(last.stale(&due(6), at(9)), None);
}

#[test]
fn a_scan_whose_next_task_was_lost_continues_with_a_tick() {
    let mut last = LastPoll { polled_at: Some(at(0)), goes_on: Some(at(0)), ..LastPoll::default() };
    assert_eq!(last.stale(&due(59), at(59)), Some(Stale::GoesOnElsewhere));
    assert_eq!(last.stale(&due(60), at(60)), None);
    last.polled_at = Some(at(60));
    last.goes_on = Some(at(60));
    let lost = due(0).next(at(4)).unwrap();
    assert_eq!(last.stale(&lost, at(64)), Some(Stale::Ended), "there is one scan, not two");
}

#[test]
fn a_scan_whose_task_was_given_up_continues_with_the_next_tick() {
    let last = LastPoll { polled_at: Some(at(0)), goes_on: Some(at(0)), failed: true, ..LastPoll::default() };
    assert_eq!(last.stale(&due(0).next(at(4)).unwrap(), at(6)), None, "while it is retried");
    assert_eq!(last.stale(&due(5), at(6)), None, "and once it is a dead letter");
}

#[test]
fn the_continuations_of_a_scan_are_bounded() {
    let mut task = due(0);
    let mut times = 0;
    while let Some(next) = task.next(at(times)) {
        (task, times) = (next, times + 1);
        assert_eq!((&*task.search, task.due_at), ("austin", at(0)));
    }
    assert_eq!(times, 500);

    let mut task = due(0);
    let mut minutes = 0;
    while let Some(next) = task.next(at(minutes)) {
        (task, minutes) = (next, minutes + 5);
    }
    assert_eq!(minutes, 24 * 60, "a day from its first task");
}

#[test]
fn a_search_is_overdue_when_its_polls_fail_or_do_not_succeed_in_time() {
    let fine = LastPoll {
        first_sent_at: Some(at(-9_000)),
        polled_at: Some(at(0)),
        succeeded_at: Some(at(0)),
        ..LastPoll::default()
    };
    assert_eq!(fine.overdue(Some(at(0)), HOUR, at(120)), None);
    assert_eq!(fine.overdue(Some(at(0)), HOUR, at(121)), Some(Overdue::NoSuccess(121 * MINUTE_MS)));
    assert_eq!(fine.overdue(Some(at(0)), 60_000, at(15)), None, "a short interval gets 15 minutes");
    assert_eq!(fine.overdue(Some(at(0)), 60_000, at(16)), Some(Overdue::NoSuccess(16 * MINUTE_MS)));
    let fails = LastPoll { failed: true, ..fine };
    assert_eq!(fails.overdue(Some(at(0)), 24 * HOUR, at(1)), Some(Overdue::Fails), "at once, however rare its polls");
}

#[test]
fn a_search_sent_and_not_polled_is_overdue_at_any_interval() {
    let daily = LastPoll { polled_at: Some(at(0)), succeeded_at: Some(at(0)), ..LastPoll::default() };
    let sent_at = Some(at(24 * 60));
    assert_eq!(daily.overdue(sent_at, 24 * HOUR, at(24 * 60 + 30)), None);
    assert_eq!(
        daily.overdue(sent_at, 24 * HOUR, at(24 * 60 + 31)),
        Some(Overdue::Unanswered(31 * MINUTE_MS)),
        "within the hour, not after two days"
    );
    // Sent repeatedly, and never polled.
    let never = LastPoll { first_sent_at: Some(at(0)), ..LastPoll::default() };
    assert_eq!(never.overdue(Some(at(16)), 60_000, at(16)), Some(Overdue::NoSuccess(16 * MINUTE_MS)));
    assert_eq!(LastPoll::default().overdue(None, 60_000, at(16)), None, "it was not even sent");
}

#[test]
fn a_clock_that_went_back_makes_nothing_overdue() {
    let last = LastPoll { polled_at: Some(at(0)), succeeded_at: Some(at(0)), ..LastPoll::default() };
    assert_eq!(last.overdue(Some(at(5)), 60_000, at(-9_999)), None);
    assert_eq!(last.overdue(Some(Time::from_ms(i64::MAX)), u64::MAX, Time::from_ms(i64::MIN)), None);
}

#[test]
fn times_from_a_clock_hours_ahead_delay_no_poll_and_hide_nothing() {
    let ahead = LastPoll {
        first_sent_at: Some(at(-600)),
        polled_at: Some(at(300)),
        succeeded_at: Some(at(300)),
        ..LastPoll::default()
    };
    assert_eq!(ahead.stale(&due(0), at(1)), None, "not until its time has come");
    let goes_on = LastPoll { goes_on: Some(at(300)), ..ahead };
    assert_eq!(goes_on.stale(&due(0), at(1)), None);
    assert_eq!(ahead.overdue(Some(at(0)), 60_000, at(1)), Some(Overdue::NoSuccess(601 * MINUTE_MS)));
    let little = LastPoll { polled_at: Some(at(1)), ..ahead };
    assert_eq!(little.stale(&due(0), at(0)), Some(Stale::PolledSince(at(1))), "a minute is nothing");
}

#[test]
fn it_is_read_back_and_fields_may_be_missing() {
    let last = LastPoll { polled_at: Some(at(0)), goes_on: Some(at(1)), failed: true, ..LastPoll::default() };
    let text = serde_json::to_string(&last).unwrap();
    assert_eq!(serde_json::from_str::<LastPoll>(&text).unwrap(), last);
    assert_eq!(serde_json::from_str::<LastPoll>("{}").unwrap(), LastPoll::default());
}
