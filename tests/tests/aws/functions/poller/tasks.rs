//! Tasks that are late, duplicate, too frequent or endless: which are polled, and what is stored for the planner.

use std::sync::atomic::Ordering;

use serde_json::json;
use stoop_domain::Time;
use stoop_pipeline::Clock;
use stoop_pipeline::ports::{Continuation, PollTask};

use super::super::bench::{Uploads, count_of};
use super::super::events::{SEARCH, message};
use super::{Stage, nothing};

/// A task of the samples' search, due this many minutes after the start of the stage's clock.
fn due(minutes: i64) -> PollTask {
    let due_at = Time::parse("2026-01-05T00:00:00Z").unwrap().plus_ms(minutes * 60_000);
    PollTask { search: SEARCH.into(), due_at, continuation: None }
}

impl Stage {
    /// Handles the tasks, one message each, in order.
    async fn take_tasks(&self, tasks: impl IntoIterator<Item = PollTask>) {
        for (number, task) in tasks.into_iter().enumerate() {
            let body = serde_json::to_string(&task).unwrap();
            let event = json!({ "Records": [message(&format!("m{}-{number}", task.due_at), SEARCH, &body)] });
            assert_eq!(self.handle(event).await, nothing());
        }
    }

    /// The continuations sent since the last call.
    fn sent_on(&self) -> Vec<PollTask> {
        let sent = self.aws.asked("SendMessage");
        sent.iter().map(|sent| serde_json::from_str(sent["MessageBody"].as_str().unwrap()).unwrap()).collect()
    }
}

#[tokio::test]
async fn six_hours_of_waiting_tasks_are_one_poll() {
    let stage = Stage::new().await;
    stage.take_tasks([due(0)]).await;
    let requests = stage.portal.served().requests;
    stage.clock.pass(6 * 3_600_000);
    stage.take_tasks((1..=360).map(due)).await;
    let counts = stage.counted();
    assert_eq!((counts["PollsComplete"], counts["PollsStale"]), (2, 359));
    assert!(stage.portal.served().requests - requests < 30, "a paid API is not asked again");
    stage.clock.pass(60_000);
    stage.take_tasks([due(361)]).await;
    assert_eq!(stage.counted()["PollsComplete"], 1, "the next tick is polled as ever");
}

#[tokio::test]
async fn while_a_scan_continues_ticks_begin_no_other_and_it_continues_once() {
    let stage = Stage::new().await;
    stage.page_ms.store(200_000, Ordering::SeqCst);
    stage.take_tasks([due(0)]).await;
    let (mut chain, mut minutes, mut hops) = (stage.sent_on(), 1, 1);
    while let [next] = &chain[..] {
        // Later tasks of the planner are before the continuation in the queue.
        stage.take_tasks([due(minutes), due(minutes + 1), next.clone()]).await;
        chain = stage.sent_on();
        (minutes, hops) = (minutes + 2, hops + 1);
        assert!(hops < 100, "each hop sees some pages");
    }
    let counts = stage.counted();
    assert!(hops > 2 && chain.is_empty(), "{hops}");
    assert_eq!((counts["PollsPartial"], counts["PollsComplete"]), (hops - 1, 1), "one chain, not one for each tick");
    assert_eq!(counts["PollsStale"], 2 * (hops - 1));
    let twice = PollTask { continuation: Some(Continuation { number: 1, began_at: due(0).due_at }), ..due(0) };
    stage.take_tasks([twice]).await;
    assert_eq!(stage.counted()["PollsStale"], 1, "a continuation of an ended scan");
}

#[tokio::test]
async fn a_scan_with_too_many_continuations_ends_with_a_log_and_resumes_when_due() {
    let stage = Stage::new().await;
    stage.page_ms.store(200_000, Ordering::SeqCst);
    let began_at = stage.clock.now();
    let continuation = Some(Continuation { number: 500, began_at });
    stage.take_tasks([due(0)]).await;
    let first = stage.sent_on();
    assert_eq!(first[0].continuation.map(|continuation| continuation.number), Some(1));
    stage.take_tasks([PollTask { continuation, ..due(0) }]).await;
    assert_eq!((stage.sent_on(), stage.counted()["ChainsEnded"]), (Vec::new(), 1));
    assert_eq!(stage.last_poll().await.goes_on, None);
    let seen = stage.streamed().len();
    stage.clock.pass(60 * 60_000);
    stage.take_tasks([due(60)]).await;
    assert!(seen > 0 && !stage.streamed().is_empty(), "from the checkpoint on");
}

#[tokio::test]
async fn a_poll_that_was_cut_short_is_not_stale_on_redelivery() {
    let stage = Stage::new().await;
    stage.page_ms.store(200_000, Ordering::SeqCst);
    stage.aws.down("SendMessage", true);
    let body = serde_json::to_string(&due(0)).unwrap();
    assert_eq!(stage.take_one(&body).await, ["one"], "it could not be sent on");
    stage.aws.down("SendMessage", false);
    assert_eq!(stage.take_one(&body).await, nothing());
    let counts = stage.counted();
    assert_eq!((counts["PollsPartial"], count_of(&counts, "PollsStale")), (2, 0));
    assert_eq!(stage.last_poll().await.goes_on, Some(due(0).due_at));
}

#[tokio::test]
async fn the_outcome_of_a_poll_is_stored_for_the_planner() {
    let mut stage = Stage::new().await;
    let good = stage.search(SEARCH, "");
    let port = std::net::TcpListener::bind(("127.0.0.1", 0)).unwrap().local_addr().unwrap();
    let dead = good.replace(&stage.portal.address().to_string(), &port.to_string());
    let hour = |n: i64| Some(due(60 * n).due_at);
    stage.take_tasks([due(0)]).await;
    let first = stage.last_poll().await;
    assert_eq!((first.polled_at, first.succeeded_at, first.failed), (hour(0), hour(0), false));
    stage.clock.pass(3_600_000);
    stage.uploads = Uploads::accepted(&dead);
    stage.take_tasks([due(60)]).await;
    let failed = stage.last_poll().await;
    assert_eq!((failed.succeeded_at, failed.failed, failed.pace), (hour(0), true, first.pace));
    assert!(failed.polled_at >= hour(1));
    // Until the breaker skips it, which is not a success.
    for _ in 0..6 {
        stage.clock.pass(60_000);
        stage.take_tasks([PollTask { due_at: stage.clock.now(), ..due(0) }]).await;
    }
    assert!(stage.counted()["PollsSkipped"] > 0);
    assert_eq!((stage.last_poll().await.succeeded_at, stage.last_poll().await.failed), (hour(0), true));

    stage.clock.pass(3 * 24 * 3_600_000);
    stage.uploads = Uploads::accepted(&good);
    let now = stage.clock.now();
    stage.take_tasks([PollTask { due_at: now, ..due(0) }]).await;
    assert_eq!((stage.last_poll().await.succeeded_at, stage.last_poll().await.failed), (Some(now), false));

    // A failure of ours: it is redelivered, and not done.
    stage.clock.pass(3_600_000);
    stage.uploads.take_away(true);
    let task = PollTask { due_at: stage.clock.now(), ..due(0) };
    assert_eq!(stage.take_one(&serde_json::to_string(&task).unwrap()).await, ["one"]);
    let last = stage.last_poll().await;
    assert_eq!((last.polled_at, last.failed), (Some(now), true));
    stage.uploads.take_away(false);
    stage.take_tasks([task]).await;
    assert!(!stage.last_poll().await.failed);
}
