//! Wires the alerts function: see the library's documentation for what it does.

use std::sync::Arc;

use lambda_runtime::{Error, LambdaEvent, run, service_fn};
use serde_json::value::RawValue;
use stoop_alerts::{AlertsHandler, RulesInForce};
use stoop_aws::{Clients, DynamoLedger, DynamoStore, NoLake, S3Configuration, S3Quarantine, TopicPublisher, required};
use stoop_emf::Meter;
use stoop_pipeline::Clock;
use stoop_runtime::{LogFormat, SystemClock, init_telemetry};

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Error> {
    init_telemetry(LogFormat::Json);
    let clients = Clients::from_env()?;
    let bucket = required("STOOP_BUCKET")?;
    let configuration = S3Configuration::new(clients.s3(), &bucket);
    let rules = RulesInForce::new(&configuration, &required("STOOP_DROP_PERCENT")?)?;
    let (homes, markets) = (required("STOOP_HOMES_TABLE")?, required("STOOP_MARKETS_TABLE")?);
    let app = AlertsHandler {
        rules,
        listings: &DynamoStore::new(clients.dynamodb(), homes, markets, Arc::new(NoLake), Arc::new(SystemClock)),
        ledger: &DynamoLedger::new(clients.dynamodb(), required("STOOP_ALERTS_TABLE")?),
        publisher: &TopicPublisher::new(clients.sns(), &required("STOOP_TOPIC_ARN")?),
        quarantine: &S3Quarantine::new(clients.s3(), &bucket),
        clock: &SystemClock,
        meter: &Meter::from_env("alerts")?,
    };
    run(service_fn(async |event: LambdaEvent<Box<RawValue>>| {
        let response = app.handle(&event.payload).await;
        app.meter.flush(SystemClock.now());
        response
    }))
    .await
}
