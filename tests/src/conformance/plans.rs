use std::sync::Arc;

use stoop_domain::Time;
use stoop_pipeline::ports::{Continuation, PlanLedger, PollTask, SearchControls, TaskQueue};
use stoop_pipeline::{ControlAction, LastPoll, NextPoll, Pace, Polled, SearchControl};

use crate::made::minute;

/// The contract of [`PlanLedger`].
pub async fn plan_ledger_conformance<L: PlanLedger + ?Sized>(ledger: Arc<L>) {
    let names = |names: &[&str]| names.iter().map(|name| (*name).to_owned()).collect::<Vec<_>>();
    let next = |names: &[String], at| names.iter().map(|name| next_poll(name, at)).collect::<Vec<_>>();
    let known = |sent: &[Option<Time>], names: &[String]| {
        let with_names = sent.iter().zip(names);
        with_names.map(|(at, name)| at.map(|at| next_poll(name, at))).collect::<Vec<_>>()
    };
    assert_eq!(ledger.last_sent(&[]).await.unwrap(), []);
    ledger.sent(&[]).await.unwrap();
    assert_eq!(ledger.last_sent(&names(&["austin", "graz"])).await.unwrap(), [None, None], "never sent");

    let precise = minute(0).plus_ms(37_123);
    ledger.sent(&next(&names(&["graz"]), precise)).await.unwrap();
    ledger.sent(&next(&names(&["Lincoln-Park_2.b", "agadir"]), minute(2))).await.unwrap();
    let asked = names(&["agadir", "austin", "graz", "Lincoln-Park_2.b"]);
    let message = ledger.last_sent(&asked).await.unwrap();
    let expected = [Some(minute(2)), None, Some(precise), Some(minute(2))];
    assert_eq!(message, known(&expected, &asked), "in the order of the questions, to the millisecond");
    assert_eq!(ledger.last_sent(&names(&["lincoln-park_2.b", "gra"])).await.unwrap(), [None, None], "names do not mix");

    ledger.sent(&next(&names(&["graz"]), minute(15))).await.unwrap();
    ledger.sent(&next(&names(&["agadir"]), minute(1))).await.unwrap();
    let message = ledger.last_sent(&asked).await.unwrap();
    let expected = [Some(minute(1)), None, Some(minute(15)), Some(minute(2))];
    assert_eq!(message, known(&expected, &asked), "the last record wins, even if it is earlier");

    // More than one request of a cloud store can hold.
    let many: Vec<String> = (0..230).map(|i| format!("zip-{i}")).collect();
    ledger.sent(&next(&many[10..], minute(3))).await.unwrap();
    let message = ledger.last_sent(&many).await.unwrap();
    assert_eq!(message[..10], known(&[None; 10], &many));
    assert_eq!(message[10..], known(&[Some(minute(3)); 220], &many[10..]));
    let first = next(&many, Time::from_ms(0));
    ledger.sent(&first).await.unwrap();
    assert_eq!(ledger.last_sent(&many).await.unwrap(), known(&[Some(Time::from_ms(0)); 230], &many));
    assert_eq!(ledger.last_sent(&asked).await.unwrap(), known(&expected, &asked), "and nothing else has changed");

    last_polls_conformance(&*ledger, &many).await;
    let message = ledger.last_sent(&asked).await.unwrap();
    assert_eq!(message, known(&expected, &asked), "a poll changes nothing of when a search was sent");
    assert_eq!(ledger.last_sent(&many).await.unwrap(), known(&[Some(Time::from_ms(0)); 230], &many));
}

/// The part of the contract about last polls; `many` were sent before.
async fn last_polls_conformance<L: PlanLedger + ?Sized>(ledger: &L, many: &[String]) {
    assert_eq!(ledger.last_polls(&[]).await.unwrap(), []);
    assert_eq!(ledger.last_polls(many).await.unwrap(), [None; 230], "sending is not polling");
    for (name, i) in many.iter().zip(0..).skip(10) {
        ledger.keep_last_poll(name, &last_poll(i)).await.unwrap();
    }
    ledger.keep_last_poll(&many[20], &last_poll(7)).await.unwrap();
    let message = ledger.last_polls(many).await.unwrap();
    for (index, message) in message.into_iter().enumerate() {
        let expected = if index == 20 { 7 } else { index as i64 };
        assert_eq!(message, (index >= 10).then(|| last_poll(expected)), "the last record, in the order of the request");
    }
    ledger.sent(&[next_poll(&many[20], minute(9))]).await.unwrap();
    assert_eq!(ledger.last_polls(&many[20..21]).await.unwrap(), [Some(last_poll(7))], "nor does sending change it");
    ledger.sent(&[next_poll(&many[20], Time::from_ms(0))]).await.unwrap();
    assert_eq!(ledger.last_polls(&["never".to_owned()]).await.unwrap(), [None], "never recorded");
    assert_eq!(ledger.last_poll(&many[20]).await.unwrap(), Some(last_poll(7)));
    assert_eq!(ledger.last_poll("never").await.unwrap(), None);
    ledger.keep_last_poll(&many[20], &LastPoll::default()).await.unwrap();
    assert_eq!(ledger.last_polls(&many[20..21]).await.unwrap(), [Some(LastPoll::default())], "all of it is replaced");
}

/// What is recorded of a search that was sent then, with every optional field that may be set.
fn next_poll(search: &str, at: Time) -> NextPoll {
    let is_even = at.ms() % 2 == 0;
    NextPoll {
        search: search.to_owned(),
        sent_at: at,
        next_at: at.plus_ms(900_001),
        every_ms: 900_001,
        slowed_by: is_even.then(|| "100 requests a day".to_owned()),
        answered: is_even.then(|| at.plus_ms(-1)),
    }
}

/// The contract of [`SearchControls`], over a store without controls.
pub async fn search_controls_conformance<C: SearchControls + ?Sized>(controls: &C) {
    assert_eq!(controls.controls().await.unwrap(), []);
    let control = |search: &str, action| SearchControl::of(search).after(action, "ann", minute(1).plus_ms(7));
    // More than one request of a cloud store can hold.
    let names: Vec<String> = (0..230).map(|i| format!("zip-{i:03}")).collect();
    for name in names.iter().rev() {
        controls.keep(&control(name, ControlAction::Pause)).await.unwrap();
    }
    let mut expected: Vec<SearchControl> = names.iter().map(|name| control(name, ControlAction::Pause)).collect();
    assert_eq!(controls.controls().await.unwrap(), expected, "by the search's name");
    expected[7] = control("zip-007", ControlAction::Poll);
    controls.keep(&expected[7]).await.unwrap();
    assert_eq!(controls.controls().await.unwrap(), expected, "replaced as a whole");
    let other = control("Lincoln-Park_2.b", ControlAction::Resume);
    controls.keep(&other).await.unwrap();
    assert_eq!(controls.controls().await.unwrap()[0], other);
}

/// An outcome of a last poll with every optional field that may be set.
fn last_poll(i: i64) -> LastPoll {
    let mut pace = Pace::default();
    for at in 0..2 {
        pace.learn(minute(at * 15), true, &Polled { pages: 1, requests: i.unsigned_abs() + 1, ..Polled::default() });
    }
    LastPoll {
        first_sent_at: Some(minute(0)),
        polled_at: Some(minute(i).plus_ms(37_123)),
        succeeded_at: (i % 2 == 0).then(|| minute(i)),
        failed: i % 2 == 1,
        goes_on: (i % 3 == 0).then(|| minute(i)),
        pace: Some(pace),
    }
}

/// The contract of [`TaskQueue`]. `receive` empties the queue like a successful poller, in the order of delivery.
pub async fn task_queue_conformance<Q: TaskQueue + ?Sized>(queue: Arc<Q>, receive: impl AsyncFn() -> Vec<PollTask>) {
    let task =
        |search: &str, minutes: i64| PollTask { search: search.into(), due_at: minute(minutes), continuation: None };
    assert_eq!(queue.send(&[]).await.unwrap(), Vec::<usize>::new(), "nothing can always be sent");
    assert_eq!(receive().await, []);

    // Three batches of SQS, the last not full.
    let many: Vec<PollTask> = (0..25).map(|i| task(&format!("zip-{i}"), 0)).collect();
    send_all(&*queue, many.clone()).await;
    let mut delivered = receive().await;
    delivered.sort();
    delivered.dedup();
    let mut expected = many.clone();
    expected.sort();
    assert_eq!(delivered, expected, "everything that was accepted is delivered, as it was sent");

    let turns: Vec<PollTask> =
        (1..=12).flat_map(|turn| ["even", "odd"].map(|search| task(search, turn * 15))).collect();
    send_all(&*queue, turns.clone()).await;
    let delivered = receive().await;
    for search in ["even", "odd"] {
        let of = |tasks: &[PollTask]| -> Vec<PollTask> {
            let mut seen: Vec<PollTask> = Vec::new();
            // At least once: a repetition is fine, a wrong order is not.
            for task in tasks.iter().filter(|task| task.search == search) {
                if !seen.contains(task) {
                    seen.push(task.clone());
                }
            }
            seen
        };
        assert_eq!(of(&delivered), of(&turns), "the tasks of one search come in their order");
    }

    let longest = PollTask { search: "x".repeat(100), due_at: minute(0).plus_ms(37_123), continuation: None };
    send_all(&*queue, vec![longest.clone()]).await;
    assert!(receive().await.contains(&longest), "the longest name and a time to the millisecond");

    let before = task("again", 0);
    send_all(&*queue, vec![before.clone()]).await;
    assert_eq!(receive().await, std::slice::from_ref(&before));
    let next = task("again", 15);
    send_all(&*queue, vec![before, next.clone()]).await;
    assert_eq!(receive().await, [next], "a task that is sent again is accepted, and not delivered again");

    let part =
        |number| PollTask { continuation: Some(Continuation { number, began_at: minute(1) }), ..task("long", 0) };
    for (number, delivery) in [(1, "m1"), (1, "m1"), (2, "m2")] {
        queue.continue_later(&part(number), delivery).await.unwrap();
    }
    assert_eq!(receive().await, [part(1), part(2)], "a delivery is continued once");
}

/// Sends refused tasks again, like the planner.
async fn send_all<Q: TaskQueue + ?Sized>(queue: &Q, mut tasks: Vec<PollTask>) {
    for _ in 0..10 {
        let refused = queue.send(&tasks).await.unwrap();
        tasks = refused.into_iter().map(|index| tasks[index].clone()).collect();
        if tasks.is_empty() {
            return;
        }
    }
    panic!("{} tasks are still refused after ten attempts", tasks.len());
}
