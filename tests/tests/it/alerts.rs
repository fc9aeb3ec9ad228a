//! From observations to alerts: each is sent once, whatever fails in between.

use std::collections::BTreeSet;
use std::sync::{Arc, Mutex};

use async_trait::async_trait;
use stoop_dice::Dice;
use stoop_domain::{Alert, AlertId, HomeId, Minor, Observation, Time, Verdict};
use stoop_embedded::{AlertFilter, Database};
use stoop_pipeline::ports::{Change, Ledger, OtherListings, PortError, Publisher};
use stoop_pipeline::{AlertError, Alerted, Measurer, alert};
use stoop_rules::Rules;
use stoop_tests::made::{minute, observation};
use stoop_tests::{NoOthers, OneHome};

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
                return Err(PortError::unavailable("send an alert", "a made-up fault"));
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
        Err(PortError::unavailable("record alerts", "a made-up fault"))
    }

    async fn mark(&self, marks: &[(AlertId, Option<Time>)]) -> Result<u64, PortError> {
        self.0.mark(marks).await
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
        self.alert_of(changes, &NoOthers).await
    }

    async fn alert_of(&self, changes: &[Change], listings: &dyn OtherListings) -> Result<Alerted, AlertError> {
        alert(changes, &Rules::default(), &*self.database, listings, &self.subscriber, minute(1_000)).await
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
    let killed =
        alert(&changes, &Rules::default(), &Killed(&bench.database), &NoOthers, &bench.subscriber, minute(1_000)).await;
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

/// A day in minutes.
const DAY: i64 = 24 * 60;

impl Bench {
    /// The alerts that were sent, each with the time at which it was withdrawn, in order of price.
    fn sent(&self) -> Vec<(i64, Option<Time>)> {
        let sent = self.database.alerts(AlertFilter::Sent, usize::MAX).unwrap();
        let mut sent: Vec<_> = sent.into_iter().map(|alert| (alert.to.0 / 100, alert.withdrawn)).collect();
        sent.sort_unstable();
        sent
    }

    async fn take(&self, observations: &[Observation]) -> Alerted {
        self.alert(&self.changes(observations).await).await.unwrap()
    }

    /// The IDs of the alerts that stand.
    fn standing(&self) -> BTreeSet<String> {
        let alerts = self.database.alerts(AlertFilter::All, usize::MAX).unwrap().into_iter();
        alerts.filter(|alert| alert.withdrawn.is_none()).map(|alert| alert.id.0).collect()
    }
}

#[tokio::test]
async fn an_alert_that_a_late_row_disproves_is_withdrawn_and_one_that_a_row_gives_again_is_not_sent_twice() {
    let bench = Bench::new();
    let at = |day: i64, price| observation("a", day * DAY, price);
    bench.take(&[at(0, 1_000_000), at(60, 800_000)]).await;
    assert_eq!(bench.sent(), [(800_000, None)]);
    // It had fallen to 850,000 before: the second fall is less than a rule requires.
    let alerted = bench.take(&[at(30, 850_000)]).await;
    assert_eq!((alerted.sent.len(), alerted.withdrawn), (1, 1));
    let marked_at = Some(minute(1_000));
    assert_eq!(bench.sent(), [(800_000, marked_at), (850_000, None)]);
    assert_eq!(bench.take(&[at(61, 800_000)]).await.withdrawn, 0, "it is withdrawn already");
    assert_eq!(bench.sent(), [(800_000, marked_at), (850_000, None)], "the mark keeps its time");
    // It had risen again in between, for weeks.
    let alerted = bench.take(&[at(31, 1_000_000), at(59, 1_000_000)]).await;
    assert_eq!((alerted.sent.len(), alerted.known, alerted.withdrawn), (0, 1, 0));
    assert_eq!(bench.sent(), [(800_000, None), (850_000, None)], "both falls are alerts");
    assert_eq!(bench.heard().len(), 2, "each was sent once");
}

#[tokio::test]
async fn an_alert_that_the_same_batch_disproves_is_neither_sent_nor_recorded() {
    let bench = Bench::new();
    let at = |day: i64, price| observation("a", day * DAY, price);
    let mut changes = bench.changes(&[at(0, 1_000_000), at(60, 800_000)]).await;
    changes.extend(bench.changes(&[at(30, 850_000)]).await);
    let alerted = bench.alert(&changes).await.unwrap();
    assert_eq!((alerted.sent.len(), alerted.withdrawn), (1, 0));
    assert_eq!(bench.sent(), [(850_000, None)]);
    // Fed again after a crash, it changes nothing.
    bench.alert(&changes).await.unwrap();
    assert_eq!((bench.sent(), bench.heard().len()), (vec![(850_000, None)], 1));
}

/// Two homes, each seen ten times within seven months, at one of a few prices.
fn random_story(dice: &mut Dice) -> Vec<Observation> {
    let mut seen = |id| {
        let price = dice.pick(&[1_000_000, 930_000, 850_000, 790_000, 720_000, 660_000, 600_000, 500_000]);
        observation(id, dice.below(200_i64) * DAY + dice.below(DAY), price)
    };
    let mut story: Vec<_> = (0..20).map(|i| seen(["a", "b"][i % 2])).collect();
    story.sort_by_key(|observation| observation.at);
    story
}

#[tokio::test]
async fn the_alerts_that_stand_depend_neither_on_the_order_of_arrival_nor_on_the_cut_into_batches() {
    let (mut stood, mut withdrawn) = (0, 0);
    for seed in 1..=30 {
        let mut dice = Dice::new(seed);
        let mut story = random_story(&mut dice);
        let whole = Bench::new();
        whole.take(&story).await;
        let want = whole.standing();
        for i in (1..story.len()).rev() {
            story.swap(i, dice.below(i + 1));
        }
        let bench = Bench::new();
        for batch in story.chunks(1 + dice.below(3_usize)) {
            bench.take(batch).await;
        }
        assert_eq!(bench.standing(), want, "seed {seed}");
        let heard = bench.heard();
        assert_eq!(heard.iter().collect::<BTreeSet<_>>().len(), heard.len(), "seed {seed}: each was sent once");
        stood += want.len();
        withdrawn += bench.recorded(AlertFilter::All).len() - want.len();
    }
    assert!(stood > 100 && withdrawn > 10, "{stood} stood and {withdrawn} were withdrawn: that proves little");
}

#[tokio::test]
async fn a_cut_on_two_portals_is_sent_once_and_names_both() {
    let bench = Bench::new();
    let on = |source: &str, minute, price| {
        let seen = observation("1", minute, price);
        Observation::new(source, "1", seen.at, seen.listing)
    };
    let first = bench.changes(&[on("avito", 0, 900_000), on("mubawab", 0, 900_000), on("avito", 60, 700_000)]).await;
    let second = bench.changes(&[on("mubawab", 120, 700_000)]).await;
    let lower = bench.changes(&[on("mubawab", 180, 500_000)]).await;
    let ids: Vec<HomeId> = ["avito/1", "mubawab/1"].map(|id| HomeId(id.into())).into();
    let listings = OneHome { store: &*bench.database, listings: ids.clone() };

    let sent = bench.alert_of(&first, &listings).await.unwrap();
    assert_eq!((sent.sent.len(), sent.repeated.len()), (1, 0));
    assert!(sent.sent[0].other_listings.is_empty(), "the ledger has what follows from the listing");
    let named = bench.subscriber.heard.lock().unwrap()[0].other_listings.clone();
    assert_eq!(named.iter().map(|other| &other.listing).collect::<Vec<_>>(), [&ids[1]]);

    // Judged by other rules meanwhile, or delivered again: it stays so.
    for again in 0..2 {
        let repeated = bench.alert_of(&second, &listings).await.unwrap();
        assert_eq!((repeated.sent.len(), repeated.repeated.len()), (0, 1 - again));
    }
    assert_eq!(bench.database.alerts(AlertFilter::All, 9).unwrap().len(), 2, "both are recorded");
    assert_eq!(bench.alert_of(&lower, &listings).await.unwrap().sent.len(), 1, "a lower price is news");

    // In one batch, the first one is sent; where each listing counts, all are.
    for (listings, sent) in [(&listings as &dyn OtherListings, 2), (&NoOthers, 3)] {
        let other = Bench::new();
        let all = [&first[..], &second[..], &lower[..]].concat();
        let alerted = other.alert_of(&all, listings).await.unwrap();
        assert_eq!((alerted.sent.len(), alerted.sent.len() + alerted.repeated.len()), (sent, 3));
    }
}

#[tokio::test]
async fn a_cut_that_could_not_be_sent_leaves_the_other_portals_to_be_sent() {
    let bench = Bench::new();
    let on = |source: &str, minute, price| {
        let seen = observation("1", minute, price);
        Observation::new(source, "1", seen.at, seen.listing)
    };
    let both =
        [on("avito", 0, 900_000), on("mubawab", 0, 900_000), on("avito", 60, 700_000), on("mubawab", 61, 700_000)];
    let changes = bench.changes(&both).await;
    let ids: Vec<HomeId> = ["avito/1", "mubawab/1"].map(|id| HomeId(id.into())).into();
    let listings = OneHome { store: &*bench.database, listings: ids };
    *bench.subscriber.deaf_after.lock().unwrap() = Some(0);
    assert!(bench.alert_of(&changes, &listings).await.is_err());
    *bench.subscriber.deaf_after.lock().unwrap() = None;
    let again = bench.alert_of(&changes, &listings).await.unwrap();
    assert_eq!((again.sent.len(), bench.heard().len()), (1, 1), "one of the two");
}
