//! Wires the lake function: see the library's documentation for what it does.

use lambda_runtime::{Error, LambdaEvent, run, service_fn};
use serde_json::value::RawValue;
use stoop_domain::Time;
use stoop_emf::Meter;
use stoop_lake_function::LakeHandler;
use stoop_lake_tables::Lake;
use stoop_runtime::{LogFormat, SystemClock, init_telemetry};

// More than one thread: Delta's library blocks the one that reads a log, and connections must go on meanwhile.
#[tokio::main(flavor = "multi_thread", worker_threads = 2)]
async fn main() -> Result<(), Error> {
    init_telemetry(LogFormat::Json);
    let bucket = std::env::var("STOOP_BUCKET").map_err(|_| "the variable STOOP_BUCKET is missing: a bucket's name")?;
    let app = LakeHandler {
        lake: Lake::s3(&format!("s3://{bucket}"))?,
        clock: &SystemClock,
        meter: &Meter::from_env("lake")?,
    };
    run(service_fn(async |event: LambdaEvent<Box<RawValue>>| {
        app.handle(Time::from_ms(event.context.deadline.cast_signed())).await
    }))
    .await
}
