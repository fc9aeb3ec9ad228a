//! What people ask of searches: to pause them, and to poll them now.

use super::*;

fn control(search: &str, action: ControlAction, at: Time) -> SearchControl {
    SearchControl::of(search).after(action, "ann", at)
}

#[tokio::test]
async fn a_paused_search_is_not_sent_until_it_is_resumed() {
    let bench = Bench::new();
    let searches = [search("austin", 15), search("graz", 15)];
    let paused = [control("graz", ControlAction::Pause, minute(0))];
    for tick in 0..60 {
        let planned = bench.tick_controlled(&searches, &paused, minute(tick)).await.unwrap();
        assert_eq!(planned.paused, 1);
        assert!(planned.overdue.iter().all(|(search, _)| search == "austin"), "a paused search is not overdue");
        bench.clock.now_ms.store(minute(tick + 1).ms(), Ordering::SeqCst);
    }
    assert!(bench.delivered().iter().all(|task| task.search == "austin"));
    let resumed = [paused[0].clone().after(ControlAction::Resume, "bob", minute(60))];
    let planned = bench.tick_controlled(&searches, &resumed, minute(60)).await.unwrap();
    assert!(names(&planned.sent).contains(&"graz"), "it is due at once: its slots have passed");
}

#[tokio::test]
async fn a_poll_that_somebody_asks_for_is_sent_once_and_moves_the_slots() {
    let bench = Bench::new();
    let searches = [search("austin", 60)];
    bench.tick(&searches, minute(0)).await.unwrap();
    let asked = [control("austin", ControlAction::Poll, minute(3).plus_ms(20_000))];
    bench.clock.now_ms.store(minute(4).ms(), Ordering::SeqCst);
    let planned = bench.tick_controlled(&searches, &asked, minute(4)).await.unwrap();
    assert_eq!((names(&planned.sent), planned.sent[0].due_at), (vec!["austin"], minute(3).plus_ms(20_000)));
    for tick in 5..63 {
        bench.clock.now_ms.store(minute(tick).ms(), Ordering::SeqCst);
        let planned = bench.tick_controlled(&searches, &asked, minute(tick)).await.unwrap();
        assert!(planned.sent.is_empty(), "minute {tick}: once, and then not before its interval has passed");
    }
    let again = [asked[0].clone().after(ControlAction::Poll, "bob", minute(63))];
    bench.clock.now_ms.store(minute(63).ms(), Ordering::SeqCst);
    assert_eq!(bench.tick_controlled(&searches, &again, minute(63)).await.unwrap().sent.len(), 1, "asked again");
}

#[tokio::test]
async fn a_paused_search_is_polled_when_somebody_asks() {
    let bench = Bench::new();
    let searches = [search("graz", 15)];
    let both = [control("graz", ControlAction::Pause, minute(0)).after(ControlAction::Poll, "ann", minute(1))];
    bench.clock.now_ms.store(minute(2).ms(), Ordering::SeqCst);
    assert_eq!(bench.tick_controlled(&searches, &both, minute(2)).await.unwrap().sent.len(), 1);
    bench.clock.now_ms.store(minute(40).ms(), Ordering::SeqCst);
    let planned = bench.tick_controlled(&searches, &both, minute(40)).await.unwrap();
    assert_eq!((planned.sent.len(), planned.paused), (0, 1), "it stays paused");
}

#[tokio::test]
async fn a_task_sent_after_the_question_answers_it() {
    let bench = Bench::new();
    let searches = [search("graz", 15)];
    let asked = [control("graz", ControlAction::Poll, minute(1))];
    // The planner did not see the question when it sent the search for a slot that began after it.
    bench.sent("graz", minute(2));
    bench.clock.now_ms.store(minute(3).ms(), Ordering::SeqCst);
    assert!(bench.tick_controlled(&searches, &asked, minute(3)).await.unwrap().sent.is_empty());
}

#[tokio::test]
async fn a_question_from_a_clock_that_is_ahead_is_answered_now() {
    let bench = Bench::new();
    let searches = [search("graz", 15)];
    bench.tick(&searches, minute(0)).await.unwrap();
    let asked = [control("graz", ControlAction::Poll, minute(90))];
    bench.clock.now_ms.store(minute(1).ms(), Ordering::SeqCst);
    let planned = bench.tick_controlled(&searches, &asked, minute(1)).await.unwrap();
    assert_eq!(planned.sent.iter().map(|task| task.due_at).collect::<Vec<_>>(), [minute(1)]);
    bench.clock.now_ms.store(minute(2).ms(), Ordering::SeqCst);
    assert!(bench.tick_controlled(&searches, &asked, minute(2)).await.unwrap().sent.is_empty(), "once");
}

#[tokio::test]
async fn a_control_of_no_search_is_ignored() {
    let bench = Bench::new();
    let asked = [control("removed", ControlAction::Poll, minute(0))];
    let planned = bench.tick_controlled(&[search("graz", 15)], &asked, minute(0)).await.unwrap();
    assert_eq!(names(&planned.sent), ["graz"]);
}
