//! The alerts function on the change feed: with any faults, the sent and recorded alerts are those of a clean run.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Mutex;

use async_trait::async_trait;
use aws_lambda_events::encodings::Base64Data;
use serde_json::value::to_raw_value;
use serde_json::{Value, json};
use stoop_alerts::{AlertsHandler, RulesInForce};
use stoop_dice::Dice;
use stoop_domain::{Alert, AlertId, Home, Time};
use stoop_embedded::AlertFilter;
use stoop_pipeline::ports::{Change, ConfigFiles, Configuration, Ledger, PortError, Publisher};
use stoop_pipeline::{Measurer, alert};
use stoop_rules::Rules;
use stoop_tests::NoOthers;
use stoop_tests::mapping::{Batch, Mapping, MappingConfig, Mishaps, Outcome, Stream, pause};

use super::{drawn, reshard};
use crate::world::{Environments, Fed, World, seeds};

/// Subscribers, and how often each alert reached them.
#[derive(Default)]
struct Heard(Mutex<BTreeMap<AlertId, u64>>);

impl Heard {
    fn notify(&self, alert: &Alert) {
        *self.0.lock().unwrap().entry(alert.id.clone()).or_default() += 1;
    }

    fn ids(&self) -> BTreeSet<AlertId> {
        self.0.lock().unwrap().keys().cloned().collect()
    }
}

/// A topic on an unreliable network.
struct Topic<'w> {
    world: &'w World,
    heard: &'w Heard,
}

#[async_trait]
impl Publisher for Topic<'_> {
    async fn publish(&self, alerts: &[Alert]) -> Vec<Result<(), PortError>> {
        let mut outcomes = Vec::new();
        for alert in alerts {
            pause().await;
            let is_refused = self.world.fault() > 0;
            if !is_refused {
                self.heard.notify(alert);
            }
            outcomes.push(if is_refused { Err(PortError::unavailable("publish", "a made-up fault")) } else { Ok(()) });
        }
        pause().await;
        outcomes
    }
}

#[async_trait]
impl Ledger for World {
    async fn known(&self, ids: &[AlertId]) -> Result<Vec<bool>, PortError> {
        pause().await;
        if self.fault() > 0 {
            return Err(PortError::unavailable("look up alerts", "a made-up fault"));
        }
        self.database.known(ids).await
    }

    async fn record(&self, alerts: &[Alert], rules: &Rules) -> Result<(), PortError> {
        pause().await;
        let lost = PortError::unavailable("record alerts", "a made-up fault");
        if self.fault() > 0 {
            return Err(lost);
        }
        Ledger::record(&*self.database, alerts, rules).await?;
        pause().await;
        if self.fault() > 0 { Err(lost) } else { Ok(()) }
    }

    async fn mark(&self, marks: &[(AlertId, Option<Time>)]) -> Result<u64, PortError> {
        pause().await;
        if self.fault() > 0 {
            return Err(PortError::unavailable("mark alerts", "a made-up fault"));
        }
        self.database.mark(marks).await
    }
}

/// A stack without a configuration: the rules are those of its parameters. It is not always available.
#[async_trait]
impl Configuration for World {
    async fn fingerprint(&self) -> Result<Option<String>, PortError> {
        Ok(None)
    }

    async fn uploaded(&self) -> Result<ConfigFiles, PortError> {
        Ok(ConfigFiles::default())
    }

    async fn accepted(&self) -> Result<Option<ConfigFiles>, PortError> {
        pause().await;
        if self.fault() > 0 {
            Err(PortError::unavailable("read the configuration", "a made-up fault"))
        } else {
            Ok(None)
        }
    }

    async fn accept(&self, _: &ConfigFiles) -> Result<(), PortError> {
        Ok(())
    }
}

/// The attributes of a home's item that the function reads.
fn image(change: &Change, home: &Home) -> Value {
    let mut body = Base64Data::default();
    body.0 = stoop_wire::home_to_bytes(home);
    json!({ "id": { "S": change.home.as_str() }, "body": { "B": body }, "notable": { "BOOL": true } })
}

/// Puts the changes of a market on a stream, like DynamoDB: those of a home in order.
fn put(fed: &mut Fed, stream: &mut Stream, change: &Change) {
    let mut data = json!({ "Keys": { "id": { "S": change.home.as_str() } }, "NewImage": image(change, &change.new) });
    if let Some(old) = &change.old {
        data["OldImage"] = image(change, old);
    }
    stream.put(fed.clock(), change.home.as_str(), data.to_string());
}

#[tokio::test]
async fn a_change_feed_with_all_faults_sends_the_alerts_of_a_clean_run() {
    let (mut message, mut killed, mut refused, mut twice) = (0, 0, 0, 0);
    for seed in seeds(8) {
        let mut dice = Dice::new(seed.0);
        let mut fed = Fed::market(&mut dice, 400);
        let source = World::new(0, 0, fed.end);
        for observations in fed.observations.chunks(5) {
            Measurer::new(&source).measure(observations).await.unwrap();
        }
        let feed = source.database.changes(0, usize::MAX).unwrap();
        let changes: Vec<Change> = feed.into_iter().map(|(_, change)| change).collect();

        let (clean, quiet) = (World::new(0, 0, fed.end), Heard::default());
        let subscriber = Topic { world: &clean, heard: &quiet };
        alert(&changes, &Rules::default(), &clean, &NoOthers, &subscriber, Time::default()).await.unwrap();

        let (world, heard) = (World::new(seed.0, 60, fed.end), Heard::default());
        let topic = Topic { world: &world, heard: &heard };
        let environments = Environments::new(|| AlertsHandler {
            rules: RulesInForce::new(&world, "15").unwrap(),
            ledger: &world,
            listings: &NoOthers,
            publisher: &topic,
            quarantine: &world,
            clock: &world.clock,
            meter: &world.meter,
        });
        let function = async |app: &mut AlertsHandler<'_>, batch: &Batch| {
            let event = to_raw_value(&batch.dynamodb_event().unwrap()).unwrap();
            match tokio::task::unconstrained(app.handle(&event)).await {
                Ok(response) => Outcome::Returned(serde_json::to_vec(&response).unwrap()),
                Err(_) => Outcome::Failed,
            }
        };
        let mut stream = Stream::new(2);
        // Smaller batches and more kills than elsewhere: there is less to do, and most kills come after the last pause.
        let config = MappingConfig { batch_size: 1 + dice.below(6), ..drawn(&mut dice) };
        let mishaps = Mishaps { killed_permille: 800, ..config.mishaps };
        let mut mapping = Mapping::new(MappingConfig { mishaps, ..config }, seed.0);
        for some in changes.chunks(40) {
            some.iter().for_each(|change| put(&mut fed, &mut stream, change));
            let most = dice.below(20) as u64;
            mapping.run_some(&stream, most, |batch| environments.invoke(batch, &function)).await;
            reshard(&mut dice, &mut stream);
        }
        mapping.run(&stream, |batch| environments.invoke(batch, &function)).await;

        let counters = mapping.counters();
        assert_eq!((counters.records_processed, counters.records_discarded), (stream.len(), 0), "{counters:?}");
        assert_eq!(heard.ids(), quiet.ids(), "sent alerts");
        for filter in [AlertFilter::Sent, AlertFilter::Suspect] {
            let standing = |world: &World| -> BTreeSet<AlertId> {
                let alerts = world.database.alerts(filter, usize::MAX).unwrap().into_iter();
                alerts.filter(|alert| alert.withdrawn.is_none()).map(|alert| alert.id).collect()
            };
            assert_eq!(standing(&world), standing(&clean), "recorded as {filter:?}, and not withdrawn");
        }
        message += heard.ids().len();
        killed += environments.killed();
        refused += counters.partial;
        twice += heard.0.lock().unwrap().values().filter(|times| **times > 1).count();
    }
    if std::env::var_os("STOOP_SEED").is_none() {
        let enough = message > 50 && killed > 10 && refused > 10 && twice > 0;
        assert!(
            enough,
            "{message} sent, {twice} of them twice, {killed} killed, {refused} refused: that proves little"
        );
    }
}
