//! Wires the metrics function: see the library's documentation for what it does.

use std::sync::Arc;

use lambda_runtime::{Error, LambdaEvent, run, service_fn};
use serde_json::value::RawValue;
use stoop_aws::{Clients, DynamoStore, Lake, LakeDelivery, NoLake, S3Quarantine, required};
use stoop_domain::Time;
use stoop_emf::Meter;
use stoop_metrics::{Duty, MetricsHandler};
use stoop_pipeline::Clock;
use stoop_runtime::{LogFormat, SystemClock, init_telemetry};

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Error> {
    init_telemetry(LogFormat::Json);
    let clients = Clients::from_env()?;
    let clock: Arc<dyn Clock> = Arc::new(SystemClock);
    let quarantine = S3Quarantine::new(clients.s3(), &required("STOOP_BUCKET")?);
    let duty = Duty::from_variables(|name| std::env::var(name).ok())?;
    let lake: Arc<dyn Lake> = match &duty {
        Duty::Full { delivery_stream } => {
            Arc::new(LakeDelivery::new(clients.firehose(), delivery_stream, clock.clone()))
        }
        Duty::Quiet => Arc::new(NoLake),
    };
    let (homes, markets) = (required("STOOP_HOMES_TABLE")?, required("STOOP_MARKETS_TABLE")?);
    let store = DynamoStore::new(clients.dynamodb(), &homes, &markets, lake, clock.clone());
    let store = if duty == Duty::Quiet { store.quiet() } else { store };
    let meter = Meter::from_env("metrics")?;
    let app = MetricsHandler::new(&store, &quarantine, &*clock, &meter);
    run(service_fn(async |event: LambdaEvent<Box<RawValue>>| {
        let deadline = Time::from_ms(event.context.deadline.cast_signed());
        let response = app.handle(&event.payload, deadline).await;
        meter.flush(clock.now());
        response
    }))
    .await
}
