//! Sending alerts to a webhook: its pace, its refusals, its order, on a clock that advances only for waiters.

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicI64, Ordering};
use std::sync::{Arc, Mutex};

use async_trait::async_trait;
use stoop_domain::{Alert, Time, Verdict};
use stoop_embedded::Database;
use stoop_pipeline::ports::{DeliveryError, Ledger, PortError, Subscriber};
use stoop_pipeline::{Clock, Delivery, ResendError, Trouble, begin_delivery, deliver, resend};
use stoop_rules::Rules;
use stoop_tests::made;
use tempfile::TempDir;

/// A ledger, a clock, and a subscriber controlled by the test.
struct Bench {
    database: Arc<Database>,
    now: AtomicI64,
    stops_at: AtomicI64,
    heard: Mutex<Vec<String>>,
    answers: Mutex<Answers>,
    troubles: Mutex<Vec<Trouble>>,
    _folder: TempDir,
}

/// The answer to an alert with this ID at this time.
type Answers = Box<dyn FnMut(&str, i64) -> Answer + Send>;

/// A webhook's answer, with its `Retry-After`.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Answer {
    Taken,
    Refused,
    Later(Option<u64>),
}

#[async_trait]
impl Clock for Bench {
    fn now(&self) -> Time {
        Time::from_ms(self.now.load(Ordering::SeqCst))
    }

    async fn sleep(&self, ms: u64) {
        self.now.fetch_add(ms.cast_signed(), Ordering::SeqCst);
    }
}

#[async_trait]
impl Subscriber for Bench {
    async fn notify(&self, alert: &Alert) -> Result<(), DeliveryError> {
        let answer = (self.answers.lock().unwrap())(&alert.id.0, self.now.load(Ordering::SeqCst));
        let error = PortError::unavailable("post", "a made-up fault");
        match answer {
            Answer::Taken => {
                self.heard.lock().unwrap().push(alert.id.0.clone());
                Ok(())
            }
            Answer::Refused => Err(DeliveryError::Refused(error)),
            Answer::Later(after_ms) => Err(DeliveryError::Later { error, after_ms }),
        }
    }
}

impl Bench {
    async fn new(alerts: i64, answers: impl FnMut(&str, i64) -> Answer + Send + 'static) -> Self {
        let folder = TempDir::new().unwrap();
        let database = Database::open(&folder.path().join("stoop.db"), &folder.path().join("data")).unwrap();
        let bench = Self {
            database,
            now: AtomicI64::new(0),
            stops_at: AtomicI64::new(1),
            heard: Mutex::default(),
            answers: Mutex::new(Box::new(answers)),
            troubles: Mutex::default(),
            _folder: folder,
        };
        bench.record(0..alerts).await;
        bench
    }

    async fn record(&self, minutes: std::ops::Range<i64>) {
        let alerts: Vec<Alert> = minutes.map(|i| made::alert(&format!("a{i:04}"), i, Verdict::Alert)).collect();
        Ledger::record(&*self.database, &alerts, &Rules::default()).await.unwrap();
    }

    /// Sends until this much time has passed and nothing more is accepted.
    async fn deliver_for(&self, ms: i64) {
        self.stops_at.store(self.now.load(Ordering::SeqCst) + ms, Ordering::SeqCst);
        let delivery = Delivery {
            followers: &*self.database,
            follower: "webhook",
            subscriber: self,
            clock: self,
            stop: &|| self.now.load(Ordering::SeqCst) >= self.stops_at.load(Ordering::SeqCst),
            report: &|trouble| self.troubles.lock().unwrap().push(trouble.clone()),
        };
        deliver(delivery).await;
    }

    fn heard(&self) -> Vec<String> {
        self.heard.lock().unwrap().clone()
    }

    /// The duration of each wait.
    fn waits(&self) -> Vec<u64> {
        let ms = |trouble: &Trouble| if let Trouble::Waits { ms, .. } = trouble { Some(*ms) } else { None };
        self.troubles.lock().unwrap().iter().filter_map(ms).collect()
    }
}

fn ids(range: std::ops::Range<i64>) -> Vec<String> {
    range.map(|i| format!("a{i:04}")).collect()
}

#[tokio::test]
async fn one_failure_in_twenty_causes_only_short_delays() {
    let mut asked = 0;
    let bench = Bench::new(1_500, move |_, _| {
        asked += 1;
        if asked % 20 == 0 { Answer::Later(None) } else { Answer::Taken }
    });
    let bench = bench.await;
    bench.deliver_for(30_000).await;
    assert_eq!(bench.heard(), ids(0..1_500), "all of them within thirty seconds, in order, each once");
    assert_eq!(bench.waits(), vec![250; 78], "every success ends the waiting");
}

#[tokio::test]
async fn a_webhook_that_is_down_gets_growing_pauses_and_then_everything() {
    let hour = 3_600_000;
    let bench = Bench::new(30, move |_, now| if now < hour { Answer::Later(None) } else { Answer::Taken }).await;
    bench.deliver_for(2 * hour).await;
    assert_eq!(bench.heard(), ids(0..30));
    let waits = bench.waits();
    assert_eq!(waits[..4], [250, 500, 1_000, 2_000]);
    assert_eq!((waits.len(), *waits.last().unwrap()), (22, 300_000));
}

#[tokio::test]
async fn a_webhooks_retry_after_is_obeyed_up_to_five_minutes() {
    let mut says = vec![Answer::Later(Some(0)), Answer::Later(Some(99_999_999_000)), Answer::Later(Some(7_000))];
    let bench = Bench::new(1, move |_, _| says.pop().unwrap_or(Answer::Taken)).await;
    bench.deliver_for(600_000).await;
    assert_eq!((bench.waits(), bench.heard()), (vec![7_000, 300_000, 250], ids(0..1)));
}

#[tokio::test]
async fn a_refused_alert_is_a_dead_letter_and_blocks_no_other() {
    let bench = Bench::new(40, |id, _| if id.ends_with('7') { Answer::Refused } else { Answer::Taken }).await;
    bench.deliver_for(1).await;
    let expected: Vec<String> = ids(0..40).into_iter().filter(|id| !id.ends_with('7')).collect();
    assert_eq!(bench.heard(), expected);
    assert_eq!(bench.waits(), Vec::<u64>::new(), "no waits");
    let letters = bench.database.dead_letters("webhook", 0, 9).unwrap();
    assert_eq!(
        letters.iter().map(|letter| &*letter.alert.id.0).collect::<Vec<_>>(),
        ["a0007", "a0017", "a0027", "a0037"]
    );
    assert!(letters.iter().all(|letter| letter.why == "post: a made-up fault"));
    bench.deliver_for(10_000).await;
    assert_eq!(bench.heard().len(), 36, "it is not tried again by itself");
}

#[tokio::test]
async fn suspects_are_skipped_and_later_alerts_are_sent() {
    let bench = Bench::new(2, |_, _| Answer::Taken).await;
    let suspect = made::alert("s", 2, Verdict::Suspect("a tenth".into()));
    Ledger::record(&*bench.database, &[suspect], &Rules::default()).await.unwrap();
    bench.deliver_for(1).await;
    assert_eq!(bench.database.waiting_count("webhook").unwrap(), 0);
    bench.record(3..5).await;
    assert_eq!(bench.database.waiting_count("webhook").unwrap(), 2);
    bench.deliver_for(1).await;
    assert_eq!(bench.heard(), ["a0000", "a0001", "a0003", "a0004"]);
}

#[tokio::test]
async fn a_damaged_alert_is_reported_once_and_delays_no_other() {
    let bench = Bench::new(3, |_, _| Answer::Taken).await;
    let file = rusqlite::Connection::open(bench.database.path()).unwrap();
    file.execute("UPDATE alerts SET body = '{}' WHERE seq = 2", []).unwrap();
    bench.deliver_for(10_000).await;
    assert_eq!(bench.heard(), ["a0000", "a0002"]);
    assert_eq!(bench.database.waiting_count("webhook").unwrap(), 0);
    let [Trouble::Damaged { why }] = &bench.troubles.lock().unwrap()[..] else { panic!("one report") };
    assert!(why.starts_with("read the alert at position 2, which is damaged: "), "{why}");
}

#[tokio::test]
async fn a_kill_resends_at_most_one_alert() {
    let bench = Bench::new(50, |_, _| Answer::Taken).await;
    for stop_after in [1, 7, 20] {
        // The program ends midway: alerts that were accepted and not recorded are sent again.
        let before = bench.heard().len();
        let (position, _) = bench.database.place_of("webhook").unwrap().unwrap_or_default();
        let (_, alert) = bench.database.alerts_after(position, 1).unwrap().remove(0);
        bench.notify(&alert.unwrap()).await.unwrap();
        assert_eq!(bench.heard().len(), before + 1);
        bench.stops_at.store(0, Ordering::SeqCst);
        let last = format!("a{stop_after:04}");
        *bench.answers.lock().unwrap() =
            Box::new(move |id, _| if id > &*last { Answer::Later(None) } else { Answer::Taken });
        bench.deliver_for(1).await;
        *bench.answers.lock().unwrap() = Box::new(|_, _| Answer::Taken);
    }
    bench.deliver_for(1).await;
    let mut times: BTreeMap<String, usize> = BTreeMap::new();
    bench.heard().into_iter().for_each(|id| *times.entry(id).or_default() += 1);
    assert_eq!((times.len(), times.values().filter(|times| **times > 1).count()), (50, 3));
}

#[tokio::test]
async fn a_new_follower_begins_now_or_with_the_past_and_a_known_one_goes_on() {
    for (past, expected) in [(false, vec!["a0003"]), (true, vec!["a0000", "a0001", "a0002", "a0003"])] {
        let bench = Bench::new(3, |_, _| Answer::Taken).await;
        begin_delivery(&*bench.database, "webhook", past).await.unwrap();
        bench.record(3..4).await;
        begin_delivery(&*bench.database, "webhook", false).await.unwrap();
        bench.deliver_for(1).await;
        assert_eq!(bench.heard(), expected, "past: {past}");
    }
}

#[tokio::test]
async fn dead_letters_are_sent_once_more_and_stay_if_refused_again() {
    let bench = Bench::new(250, |_, _| Answer::Refused).await;
    bench.deliver_for(1).await;
    let again = async || resend(&*bench.database, "webhook", &bench, &bench).await;
    let answer = |answer: fn(&str) -> Answer| *bench.answers.lock().unwrap() = Box::new(move |id, _| answer(id));
    answer(|id| if id < "a0150" { Answer::Taken } else { Answer::Refused });
    assert_eq!(again().await.unwrap(), 150);
    assert_eq!(bench.database.dead_letter_count("webhook").unwrap(), 100);
    answer(|id| if id < "a0160" { Answer::Taken } else { Answer::Later(None) });
    let stopped = again().await.unwrap_err();
    assert!(matches!(stopped, ResendError::Later { sent: 10, .. }), "{stopped:?}");
    answer(|_| Answer::Taken);
    assert_eq!((again().await.unwrap(), again().await.unwrap()), (90, 0));
    assert_eq!(bench.heard(), ids(0..250), "each once");
}
