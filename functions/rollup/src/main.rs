//! Wires the roll-up function: see the library's documentation for what it does.

use lambda_runtime::{Error, LambdaEvent, run, service_fn};
use serde_json::value::RawValue;
use stoop_aws::{Clients, StackAreas, required};
use stoop_domain::Time;
use stoop_emf::Meter;
use stoop_pipeline::Clock;
use stoop_pipeline::ports::RollUps;
use stoop_rollup::RollUpHandler;
use stoop_runtime::{LogFormat, SystemClock, init_telemetry};

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Error> {
    init_telemetry(LogFormat::Json);
    let clients = Clients::from_env()?;
    let bucket = required("STOOP_BUCKET")?;
    let tables = required("STOOP_MARKETS_TABLES")?;
    let areas = |table: &str| {
        let areas = StackAreas::new(clients.dynamodb(), clients.s3(), table, &bucket);
        (table.to_owned(), areas)
    };
    let areas: Vec<(String, StackAreas)> = tables.split(',').map(areas).collect();
    let app = RollUpHandler {
        tables: areas.iter().map(|(table, areas)| (table.clone(), areas as &dyn RollUps)).collect(),
        clock: &SystemClock,
        meter: &Meter::from_env("rollup")?,
        checked_on: <_>::default(),
    };
    run(service_fn(async |event: LambdaEvent<Box<RawValue>>| {
        let answer = app.handle(Time::from_ms(event.context.deadline.cast_signed())).await;
        app.meter.flush(SystemClock.now());
        answer
    }))
    .await
}
