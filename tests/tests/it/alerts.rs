//! From observations to alerts: each is sent once, whatever fails in between.

use std::collections::BTreeSet;
use std::sync::{Arc, Mutex};

use async_trait::async_trait;
use stoop_domain::{Alert, AlertId, Minor, Observation, Verdict};
use stoop_embedded::{AlertFilter, Database};
use stoop_pipeline::ports::{Change, Ledger, PortError, Publisher};
use stoop_pipeline::{AlertError, Alerted, Measurer, alert};
use stoop_rules::Rules;
use stoop_tests::made::observation;

/// A database with a judged change feed, and a subscriber that may fail.
struct Bench {
    database: Arc<Database>,
    subscriber: Subscriber,
    _folder: tempfile::TempDir,
}

/// Accepts alerts up to a limit.
#[derive(Default)]
struct Subscriber {
    heard: Mutex<Vec<Alert>>,
    deaf_after: Mutex<Option<usize>>,
}

#[async_trait]
impl Publisher for Subscriber {
    async fn publish(&self, alerts: &[Alert]) -> Vec<Result<(), PortError>> {
        let mut heard = self.heard.lock().unwrap();
        let hear = |alert: &Alert| {
            if self.deaf_after.lock().unwrap().is_some_and(|n| heard.len() >= n) {
                return Err(PortError::new("send an alert", "a made-up fault"));
            }
            heard.push(alert.clone());
            Ok(())
        };
        alerts.iter().map(hear).collect()
    }
}

/// A ledger that drops records, like one killed between sending and recording.
struct Killed<'a>(&'a Database);

#[async_trait]
impl Ledger for Killed<'_> {
    async fn known(&self, ids: &[AlertId]) -> Result<Vec<bool>, PortError> {
        self.0.known(ids).await
    }

    async fn record(&self, _: &[Alert], _: &Rules) -> Result<(), PortError> {
        Err(PortError::new("record alerts", "a made-up fault"))
    }
}

impl Bench {
    fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let database = Database::open(&folder.path().join("stoop.db"), &folder.path().join("data")).unwrap();
        Self { database, subscriber: Subscriber::default(), _folder: folder }
    }

    /// The changes of a batch of observations.
    async fn changes(&self, observations: &[Observation]) -> Vec<Change> {
        let before = self.database.changes(0, usize::MAX).unwrap().last().map_or(0, |(seq, _)| *seq);
        Measurer::new(&*self.database).measure(observations).await.unwrap();
        self.database.changes(before, usize::MAX).unwrap().into_iter().map(|(_, change)| change).collect()
    }

    async fn alert(&self, changes: &[Change]) -> Result<Alerted, AlertError> {
        alert(changes, &Rules::default(), &*self.database, &self.subscriber).await
    }

    fn heard(&self) -> Vec<AlertId> {
        self.subscriber.heard.lock().unwrap().iter().map(|alert| alert.id.clone()).collect()
    }

    fn recorded(&self, filter: AlertFilter) -> BTreeSet<String> {
        self.database.alerts(filter, usize::MAX).unwrap().into_iter().map(|alert| alert.id.0).collect()
    }
}

/// `n` homes that fall from a million by a fifth.
fn drops(n: i64) -> Vec<Observation> {
    let drop = |i| {
        let id = format!("h{i}");
        [observation(&id, i, 1_000_000 + i), observation(&id, 60 + i, 800_000)]
    };
    (0..n).flat_map(drop).collect()
}

#[tokio::test]
async fn a_change_that_is_fed_twice_is_sent_once() {
    let bench = Bench::new();
    let changes = bench.changes(&drops(3)).await;
    let first = bench.alert(&changes).await.unwrap();
    assert_eq!((first.sent.len(), first.suspects.len(), first.known), (3, 0, 0));
    let second = bench.alert(&changes).await.unwrap();
    assert_eq!((second.sent.len(), second.suspects.len(), second.known), (0, 0, 3));
    let thrice = [changes.clone(), changes.clone(), changes].concat();
    assert_eq!(bench.alert(&thrice).await.unwrap().sent, []);
    assert_eq!(bench.heard().len(), 3);

    let bench = Bench::new();
    let changes = bench.changes(&drops(3)).await;
    let twice = [changes.clone(), changes].concat();
    assert_eq!(bench.alert(&twice).await.unwrap().sent.len(), 3, "twice in one batch is once as well");
}

#[tokio::test]
async fn after_a_publisher_fails_midway_the_rest_is_sent_later_and_nothing_twice() {
    let bench = Bench::new();
    let changes = bench.changes(&drops(7)).await;
    for can_bear in [0, 2, 2, 5] {
        *bench.subscriber.deaf_after.lock().unwrap() = Some(can_bear);
        let failed = bench.alert(&changes).await.unwrap_err();
        assert_eq!(bench.heard().len(), can_bear);
        assert_eq!(failed.change, can_bear, "the first change that is to be judged again");
        let heard: BTreeSet<String> = bench.heard().into_iter().map(|id| id.0).collect();
        assert_eq!(bench.recorded(AlertFilter::Sent), heard, "sent alerts are recorded");
    }
    *bench.subscriber.deaf_after.lock().unwrap() = None;
    let rest = bench.alert(&changes).await.unwrap();
    assert_eq!((rest.sent.len(), rest.known), (2, 5));
    assert_eq!(bench.heard().iter().collect::<BTreeSet<_>>().len(), 7);
    assert_eq!(bench.heard().len(), 7);
}

#[tokio::test]
async fn a_kill_between_sending_and_recording_sends_again_with_the_same_ids() {
    let bench = Bench::new();
    let changes = bench.changes(&drops(2)).await;
    let killed = alert(&changes, &Rules::default(), &Killed(&bench.database), &bench.subscriber).await;
    assert!(killed.is_err());
    bench.alert(&changes).await.unwrap();
    let heard = bench.heard();
    assert_eq!(heard.len(), 4);
    assert_eq!(heard[..2], heard[2..], "subscribers can recognise them");
    bench.alert(&changes).await.unwrap();
    assert_eq!(bench.heard().len(), 4);
}

#[tokio::test]
async fn a_suspect_is_recorded_and_never_sent() {
    let bench = Bench::new();
    let slip = [observation("slip", 0, 2_699_000), observation("slip", 1, 269_900)];
    let changes = bench.changes(&[&slip[..], &drops(1)].concat()).await;
    let alerted = bench.alert(&changes).await.unwrap();
    assert_eq!((alerted.sent.len(), alerted.suspects.len()), (1, 1));
    assert!(matches!(&alerted.suspects[0].verdict, Verdict::Suspect(why) if why.contains("a tenth")));
    assert_eq!(alerted.suspects[0].to, Minor(26_990_000));
    assert_eq!(bench.recorded(AlertFilter::Suspect).len(), 1);
    for _ in 0..2 {
        assert_eq!(bench.alert(&changes).await.unwrap().known, 2);
    }
    assert_eq!(bench.heard(), [alerted.sent[0].id.clone()]);

    // The slip is corrected, and then the price really falls.
    let after = bench.changes(&[observation("slip", 60, 2_699_000), observation("slip", 120, 2_000_000)]).await;
    let alerted = bench.alert(&after).await.unwrap();
    assert_eq!((alerted.sent.len(), alerted.suspects.len(), alerted.known), (1, 0, 0));
    assert_eq!((alerted.sent[0].from, alerted.sent[0].to), (Minor(269_900_000), Minor(200_000_000)));
}

#[tokio::test]
async fn a_suspect_behind_a_failed_publisher_is_not_lost() {
    let bench = Bench::new();
    let slip = [observation("slip", 0, 2_699_000), observation("slip", 1, 269_900)];
    let changes = bench.changes(&[&drops(1), &slip[..]].concat()).await;
    *bench.subscriber.deaf_after.lock().unwrap() = Some(0);
    bench.alert(&changes).await.unwrap_err();
    *bench.subscriber.deaf_after.lock().unwrap() = None;
    bench.alert(&changes).await.unwrap();
    assert_eq!((bench.heard().len(), bench.recorded(AlertFilter::Suspect).len()), (1, 1));
}

/// Cuts, rises, a fluctuating price and the same cut again two weeks later, of two homes.
fn a_story() -> Vec<Observation> {
    let prices = [1_000_000, 800_000, 1_000_000, 800_000, 1_000_000, 800_000, 640_000, 700_000, 500_000];
    let minutes = |i: i64| if i < 5 { i * 30 } else { 15 * 24 * 60 + i * 30 };
    let of = |id: &'static str| (0_i64..).zip(prices).map(move |(i, price)| observation(id, minutes(i), price));
    of("a").chain(of("b")).collect()
}

#[tokio::test]
async fn the_cut_into_batches_does_not_change_the_alerts() {
    let whole = Bench::new();
    let changes = whole.changes(&a_story()).await;
    whole.alert(&changes).await.unwrap();
    let want = whole.recorded(AlertFilter::All);
    assert_eq!(want.len(), 8, "four drops of each home, the same one twice");

    for batch_len in [1, 2, 3, 5] {
        let bench = Bench::new();
        for batch in a_story().chunks(batch_len) {
            let changes = bench.changes(batch).await;
            bench.alert(&changes).await.unwrap();
        }
        assert_eq!(bench.recorded(AlertFilter::All), want, "batches of {batch_len}");
        assert_eq!(bench.heard().len(), 8, "each once");
    }

    // The measurer takes one at a time; the alerts take all of them together, and again.
    let bench = Bench::new();
    let mut changes = Vec::new();
    for one in a_story().chunks(1) {
        changes.extend(bench.changes(one).await);
    }
    bench.alert(&changes).await.unwrap();
    bench.alert(&changes[3..9]).await.unwrap();
    assert_eq!(bench.recorded(AlertFilter::All), want);
    assert_eq!(bench.heard().len(), 8);
}
