//! Wires the roll-up function: see the library's documentation for what it does.

use std::sync::Arc;

use lambda_runtime::{Error, LambdaEvent, run, service_fn};
use serde_json::value::RawValue;
use stoop_aws::{Clients, DynamoStore, NoLake, StackAreas, required};
use stoop_domain::Time;
use stoop_emf::Meter;
use stoop_identity::MODEL_VERSION;
use stoop_pipeline::Clock;
use stoop_pipeline::ports::MergingTerms;
use stoop_rollup::{Generation, RollUpHandler};
use stoop_runtime::{LogFormat, SystemClock, init_telemetry};

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Error> {
    init_telemetry(LogFormat::Json);
    let clients = Clients::from_env()?;
    let bucket = required("STOOP_BUCKET")?;
    let (homes, markets) = (required("STOOP_HOMES_TABLES")?, required("STOOP_MARKETS_TABLES")?);
    let generation = |(homes, markets): (&str, &str)| {
        let areas = StackAreas::new(clients.dynamodb(), clients.s3(), markets, &bucket);
        // It writes merged homes only, about which no alert is raised.
        let store =
            DynamoStore::new(clients.dynamodb(), homes, markets, Arc::new(NoLake), Arc::new(SystemClock)).quiet();
        (markets.to_owned(), areas, store)
    };
    let generations: Vec<_> = homes.split(',').zip(markets.split(',')).map(generation).collect();
    let app = RollUpHandler {
        tables: generations
            .iter()
            .map(|(table, areas, merged)| Generation { table: table.clone(), areas, merged })
            .collect(),
        terms: terms(&required("STOOP_MERGE_LISTINGS")?),
        clock: &SystemClock,
        meter: &Meter::from_env("rollup")?,
        checked_on: <_>::default(),
        marked_on: <_>::default(),
    };
    run(service_fn(async |event: LambdaEvent<Box<RawValue>>| {
        let answer = app.handle(Time::from_ms(event.context.deadline.cast_signed())).await;
        app.meter.flush(SystemClock.now());
        answer
    }))
    .await
}

/// How listings are merged: `off`, `on`, or the sources whose listings are not, as in `on except one,two`.
fn terms(setting: &str) -> Option<MergingTerms> {
    let except = setting.strip_prefix("on")?.trim_start();
    let sources = except.strip_prefix("except").unwrap_or_default().split(',').map(str::trim);
    let except = sources.filter(|source| !source.is_empty()).map(str::to_owned).collect();
    Some(MergingTerms { except, model: MODEL_VERSION })
}
