#![allow(clippy::unwrap_used, reason = "a test that cannot continue fails")]

use super::*;
use crate::Pace;

fn end() -> Time {
    Time::from_ms(1_768_392_000_000)
}

fn polled(outcome: RunOutcome) -> Polled {
    Polled { outcome: Some(outcome), pages: 1, ..Polled::default() }
}

fn held_until(outcome: RunOutcome, after_end_ms: i64) -> Polled {
    Polled { held_until: Some(end().plus_ms(after_end_ms)), ..polled(outcome) }
}

#[test]
fn a_poll_that_time_ended_is_continued() {
    for (outcome, expected) in [
        (RunOutcome::Partial, true),
        (RunOutcome::Complete, false),
        (RunOutcome::Failed, false),
        (RunOutcome::Skipped, false),
    ] {
        assert_eq!(continues(&polled(outcome), end(), end()), expected, "{outcome:?}");
        assert!(
            !continues(&polled(outcome), end().plus_ms(-1), end()),
            "{outcome:?}: it was stopped by something else"
        );
    }
}

#[test]
fn a_short_wait_beyond_the_end_is_continued_and_others_are_not() {
    let now = end().plus_ms(-10_000);
    for outcome in [RunOutcome::Partial, RunOutcome::Failed] {
        for (after_end_ms, expected) in [(0, false), (1, true), (110_000, true), (110_001, false)] {
            let held = held_until(outcome, after_end_ms);
            assert_eq!(continues(&held, now, end()), expected, "{outcome:?}, {after_end_ms} ms after the end");
        }
    }
    assert!(!continues(&held_until(RunOutcome::Complete, 1), now, end()));
}

#[test]
fn an_ended_poll_is_good_bad_or_neither() {
    for (outcome, well) in [
        (RunOutcome::Complete, Some(true)),
        (RunOutcome::Partial, Some(true)),
        (RunOutcome::Failed, Some(false)),
        (RunOutcome::Skipped, None),
    ] {
        assert_eq!(polled(outcome).end(), PollEnd { well, pace: None }, "{outcome:?}");
    }
    let held = Polled { pages: 0, ..polled(RunOutcome::Partial) };
    assert_eq!(held.end().well, None, "the limits allowed no request");
    assert_eq!(Polled { files: 1, ..held }.end().well, Some(true));
}

#[test]
fn the_outcome_after_a_poll_says_when_it_succeeded_and_what_continues() {
    let task =
        |minute: i64| PollTask { search: "austin".into(), due_at: end().plus_ms(minute * 60_000), continuation: None };
    let mut pace = Pace::default();
    pace.learn(end(), true, &polled(RunOutcome::Complete));
    let first = LastPoll { first_sent_at: Some(end()), failed: true, ..LastPoll::default() };
    let good = first.after(end(), PollEnd { well: Some(true), pace: Some(pace) }, None);
    let expected = LastPoll {
        first_sent_at: Some(end()),
        polled_at: Some(end()),
        succeeded_at: Some(end()),
        failed: false,
        goes_on: None,
        pace: Some(pace),
    };
    assert_eq!(good, expected);
    let later = end().plus_ms(60_000);
    let bad = good.after(later, PollEnd::FAILED, Some(&task(1)));
    assert_eq!(
        bad,
        LastPoll { polled_at: Some(later), failed: true, goes_on: Some(later), ..good },
        "the pace is kept"
    );
    let unknown = bad.after(end().plus_ms(120_000), PollEnd::default(), None);
    assert_eq!((unknown.failed, unknown.succeeded_at, unknown.goes_on), (true, Some(end()), None), "neither");
}

#[test]
fn a_failed_task_comes_again_later_each_time_up_to_five_minutes() {
    assert_eq!([0, 1, 2, 10, 11, u32::MAX].map(retry_after_seconds), [30, 30, 60, 300, 300, 300]);
}

#[test]
fn a_search_that_is_not_there_has_no_outcome_and_one_with_mistakes_failed() {
    assert_eq!(not_polled(&NotPolled::NoSuchSearch), None);
    assert_eq!(not_polled(&NotPolled::NoConfiguration), None);
    let mistakes = NotPolled::Mistakes(stoop_sources::settings::MapErrors(Vec::new()));
    assert_eq!(not_polled(&mistakes).map(|ended| (ended.end.well, ended.continues)), Some((Some(false), false)));
}

#[test]
fn the_clock_of_a_task_ends_a_minute_before_the_deadline_or_halfway() {
    let clock = Standing(end());
    let minutes = |deadline_minutes: i64| {
        DeadlineClock::new(&clock, end().plus_ms(deadline_minutes * 60_000)).end().ms() - end().ms()
    };
    assert_eq!([15, 2, 1].map(minutes), [14 * 60_000, 60_000, 30_000]);
    assert!(!DeadlineClock::new(&clock, end().plus_ms(2)).is_over());
    assert!(DeadlineClock::new(&clock, end()).is_over());
}

/// A clock that stands.
struct Standing(Time);

#[async_trait::async_trait]
impl crate::Clock for Standing {
    fn now(&self) -> Time {
        self.0
    }

    async fn sleep(&self, _ms: u64) {}
}
