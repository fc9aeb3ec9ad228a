//! A state that is recomputed next to the live one, swapped with it and back, while observations keep coming:
//! `docs/OPERATIONS.md`, "Rebuild on AWS".

use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Arc, Weak};
use std::thread::JoinHandle;
use std::time::Duration;

use aws_sdk_kinesis::primitives::Blob;
use aws_sdk_kinesis::types::PutRecordsRequestEntry;
use serde_json::json;
use stoop_aws::Clients;
use stoop_domain::{Home, HomeId};
use stoop_pipeline::ports::{Store, Versioned};
use stoop_pipeline::{Clock, Measurer};
use stoop_runtime::SystemClock;
use stoop_tests::made::observation_in;
use stoop_tests::stack::Stack;
use stoop_waits::joined;
use tokio::sync::{Mutex, MutexGuard};

use crate::alerts_sent::Subscriber;
use crate::state::Tables;
use crate::stream::record;
use crate::world::{World, eventually, say};

/// The pause between two homes of the feed.
const PAUSE: Duration = Duration::from_millis(500);

/// The follower is idle if it logged nothing for this long: longer than it takes for a batch of the feed.
const IDLE: Duration = Duration::from_secs(5);

/// A continuous feed of observations, from its own thread: home after home is listed, and then cut by a fifth.
struct Feed {
    /// The number of homes, and whether to end. Holding the lock pauses the feed.
    homes: Arc<Mutex<(usize, bool)>>,
    thread: JoinHandle<()>,
}

/// The home of the feed with this number.
fn home_id(number: usize) -> HomeId {
    HomeId(format!("avito/beside-{number}").into())
}

impl Feed {
    fn start(world: &World) -> Self {
        let names = ["AWS_ENDPOINT_URL", "AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "AWS_REGION"];
        let variables: BTreeMap<_, _> = names.into_iter().map(|name| (name, world.variable(name))).collect();
        let stream = world.output("StreamName").to_owned();
        let homes = Arc::new(Mutex::new((0, false)));
        let held = Arc::downgrade(&homes);
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        let thread = std::thread::spawn(move || {
            let clients = Clients::from_variables(|name| variables.get(name).cloned().flatten()).unwrap();
            runtime.block_on(feed(&clients.kinesis(), &stream, &held));
        });
        Self { homes, thread }
    }

    /// Pauses the feed while the guard is held; it has the number of homes.
    async fn still(&self) -> MutexGuard<'_, (usize, bool)> {
        self.homes.lock().await
    }

    /// Waits until this many more homes came.
    async fn advance(&self, more: usize) {
        let before = self.still().await.0;
        eventually("the feed continues", || async {
            let now = self.still().await.0;
            (now >= before + more).then_some(()).ok_or_else(|| format!("{now} homes"))
        })
        .await;
    }

    async fn end(self) -> usize {
        let homes = {
            let mut state = self.still().await;
            state.1 = true;
            state.0
        };
        joined("the end of the feed", self.thread);
        homes
    }
}

/// Feeds until [`Feed::end`], or until the [`Feed`] is gone: a scenario that failed feeds no longer.
async fn feed(kinesis: &aws_sdk_kinesis::Client, stream: &str, homes: &Weak<Mutex<(usize, bool)>>) {
    while let Some(homes) = homes.upgrade() {
        {
            let mut state = homes.lock().await;
            if state.1 {
                return;
            }
            let seen = |minutes, dirhams| observation_in("Tafraoute", &format!("beside-{}", state.0), minutes, dirhams);
            for observation in [seen(0, 1_000_000), seen(60, 800_000)] {
                let entry = PutRecordsRequestEntry::builder().partition_key("beside");
                let entry = entry.data(Blob::new(record(&[&observation]))).build().unwrap();
                let answer = kinesis.put_records().stream_name(stream).records(entry).send().await.unwrap();
                assert_eq!(answer.failed_record_count(), Some(0));
            }
            state.0 += 1;
        }
        drop(homes);
        tokio::time::sleep(PAUSE).await;
    }
}

/// The tables of a generation, `A` or `B`.
fn tables(world: &World, stack: &Stack, generation: &str) -> Tables {
    let name = |kind: &str| stack.output(&format!("{kind}Table{generation}Name")).unwrap().to_owned();
    Tables { homes: name("Homes"), markets: name("Markets"), alerts: world.state.tables.alerts.clone() }
}

/// The parameters of a follower into these tables.
fn following<'p>(stack: &'p Stack, tables: &'p Tables, quiet: &'p str) -> [(&'p str, &'p str); 7] {
    [
        ("StreamArn", stack.output("StreamArn").unwrap()),
        ("DeliveryStreamName", stack.output("DeliveryStreamName").unwrap()),
        ("BucketName", stack.output("BucketName").unwrap()),
        ("HomesTableName", &tables.homes),
        ("MarketsTableName", &tables.markets),
        ("LogRetentionDays", "1"),
        ("Quiet", quiet),
    ]
}

/// Loads the whole lake into a generation, without alerts.
async fn load(world: &World, tables: &Tables) {
    let store = world.state.store(tables).quiet();
    let mut measurer = Measurer::new(&store);
    let (lake, ..) = world.state.lake().await;
    for some in lake.chunks(1_000) {
        measurer.measure(some).await.unwrap();
    }
    say(&format!("{} observations of the lake loaded", lake.len()));
}

/// Waits until homes, markets and archives of a generation equal those computed from the lake alone, and the lake has
/// these many homes of the feed, each seen twice.
async fn is_the_lake(world: &World, what: &str, tables: &Tables, homes: usize) {
    // Reading the whole lake takes time.
    const TRIES_MAX: usize = 60;
    for tries in 1..=TRIES_MAX {
        let (lake, ..) = world.state.lake().await;
        let of_feed = lake.iter().filter(|seen| seen.native_id.starts_with("beside-"));
        let of_feed: BTreeSet<_> = of_feed.map(|seen| (&*seen.native_id, seen.at)).collect();
        let checked = match of_feed.len() {
            seen if seen == 2 * homes => world.state.check(tables, &lake).await,
            seen => Err(format!("the lake has {seen} observations of {homes} homes")),
        };
        match checked {
            Ok(()) => return,
            Err(why) => assert!(tries < TRIES_MAX, "{what} differs from the lake: {why}"),
        }
        tokio::time::sleep(Duration::from_secs(1)).await;
    }
}

/// Removes the follower while the feed is paused and it has nothing left to do, as `docs/OPERATIONS.md` says.
/// `LocalStack` deletes the function without waiting for its mapping, which would retry a batch in flight for ever.
async fn remove(world: &World, follower: &Stack) {
    let function = follower.output("FunctionName").unwrap();
    eventually("the follower is idle", || async {
        let since = SystemClock.now().ms() - IDLE.as_millis() as i64;
        let lines = world.raw.log(function, since).await.map_err(|error| format!("{error:#}"))?;
        lines.last().map_or(Ok(()), |line| Err(format!("{} lines, the last: {line}", lines.len())))
    })
    .await;
    world.delete(follower).await;
}

/// A home of the feed as stored in a generation.
async fn stored(world: &World, tables: &Tables, number: usize) -> Option<Versioned<Home>> {
    world.state.store(tables).homes(&[home_id(number)]).await.unwrap().remove(0)
}

/// A subscriber of the feed's alerts, with the number of alerts per home.
struct Received {
    subscriber: Subscriber,
    homes: Mutex<BTreeMap<String, usize>>,
}

impl Received {
    /// Waits until each of the first `homes` had an alert, and checks that no other had one and none had two.
    async fn once_each(&self, homes: usize) {
        let expected: BTreeMap<String, usize> = (0..homes).map(|number| (home_id(number).to_string(), 1)).collect();
        eventually("each cut has its alert", || async {
            let mut message = self.homes.lock().await;
            for heard in self.subscriber.take().await {
                let home = heard.body["home"].as_str().unwrap().to_owned();
                if home.contains("beside-") {
                    *message.entry(home).or_default() += 1;
                }
            }
            let missing = expected.keys().find(|home| !message.contains_key(*home));
            missing.map_or(Ok(()), |home| Err(format!("{home} is not, of {} homes; {} are", homes, message.len())))
        })
        .await;
        let message = self.homes.lock().await;
        let wrong: Vec<_> = message.iter().filter(|(home, times)| expected.get(*home) != Some(times)).collect();
        assert!(wrong.is_empty(), "sent more than once, or without a cut: {wrong:?}");
    }
}

/// The whole way: beside, loaded, compared, loud, swapped; and back. Nothing is lost, and each cut is sent once.
#[expect(clippy::too_many_lines, reason = "one scenario, read from top to bottom")]
pub(crate) async fn rebuilt_beside(world: &World) {
    let name = format!("{}-beside", world.stack.name());
    let filter = json!({"source": ["avito"]});
    let subscriber = Subscriber::subscribe(&world.clients, world.output("TopicArn"), &name, &filter, true).await;
    let message = Received { subscriber, homes: Mutex::default() };
    let built = world.build_beside("follower");
    let feed = Feed::start(world);
    feed.advance(3).await;

    // Next to the live one, followed and loaded, quietly.
    let stack = world.deploy_again(&[("Generations", "a-b")]);
    let (a, b) = (tables(world, &stack, "A"), tables(world, &stack, "B"));
    assert_eq!(stack.output("HomesTableName").unwrap(), a.homes, "a is in use");
    let follower = world.deploy_beside(&built, "follower", &following(&stack, &b, "true"));
    load(world, &b).await;
    feed.advance(3).await;
    {
        let still = feed.still().await;
        is_the_lake(world, "generation a", &a, still.0).await;
        is_the_lake(world, "generation b", &b, still.0).await;
        message.once_each(still.0).await;
    }

    // No longer quiet for longer than the metrics function lags; then they are swapped.
    world.deploy_beside(&built, "follower", &following(&stack, &b, "false"));
    {
        let still = feed.still().await;
        is_the_lake(world, "generation a", &a, still.0).await;
        message.once_each(still.0).await;
    }
    feed.advance(3).await;
    let stack = world.deploy_again(&[("Generations", "b-a")]);
    assert_eq!(stack.output("HomesTableName").unwrap(), b.homes, "b is in use");
    feed.advance(3).await;
    {
        let still = feed.still().await;
        is_the_lake(world, "generation b", &b, still.0).await;
        message.once_each(still.0).await;
        remove(world, &follower).await;
    }
    feed.advance(3).await;
    let last = {
        let still = feed.still().await;
        is_the_lake(world, "generation b, without the follower", &b, still.0).await;
        message.once_each(still.0).await;
        still.0 - 1
    };
    assert!(stored(world, &b, last).await.is_some());
    assert!(stored(world, &a, last).await.is_none(), "generation a is not written any more");
    assert_eq!(shown(world, last).await, 800_000.0);

    // And back, in the same way: the stream still has what generation a lacks.
    let follower = world.deploy_beside(&built, "follower", &following(&stack, &a, "true"));
    feed.advance(3).await;
    {
        let still = feed.still().await;
        is_the_lake(world, "generation a", &a, still.0).await;
        is_the_lake(world, "generation b", &b, still.0).await;
        message.once_each(still.0).await;
    }
    world.deploy_beside(&built, "follower", &following(&stack, &a, "false"));
    feed.advance(3).await;
    {
        let still = feed.still().await;
        is_the_lake(world, "generation b", &b, still.0).await;
        message.once_each(still.0).await;
    }
    let stack = world.deploy_again(&[("Generations", "a-b")]);
    assert_eq!(stack.output("HomesTableName").unwrap(), a.homes, "a is in use again");
    {
        let still = feed.still().await;
        is_the_lake(world, "generation a", &a, still.0).await;
        remove(world, &follower).await;
    }
    feed.advance(3).await;

    // One generation is left; the other is gone with its tables.
    let stack = world.deploy_again(&[("Generations", "a")]);
    assert!(stack.output("HomesTableBName").is_err());
    let gone = world.state.dynamo.describe_table().table_name(&b.homes).send().await;
    assert!(gone.is_err(), "{} is still there", b.homes);
    let homes = feed.end().await;
    is_the_lake(world, "generation a", &a, homes).await;
    message.once_each(homes).await;
    assert_eq!(shown(world, homes - 1).await, 800_000.0);
    say(&format!("{homes} cuts, each sent once"));
}

/// The price that the API shows of a home.
async fn shown(world: &World, number: usize) -> f64 {
    let secret = world.clients.secrets().get_secret_value().secret_id(world.output("ApiTokenSecretArn"));
    let token = secret.send().await.unwrap().secret_string.unwrap();
    let path = format!("/api/v1/homes/{}", home_id(number));
    let answer = world.raw.get(&world.function_url(), &path, Some(&token)).await.unwrap();
    assert_eq!(answer.status, 200, "{path}: {}", answer.body);
    answer.body["price"].as_f64().unwrap()
}
