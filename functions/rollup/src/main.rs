//! Wires the roll-up function: see the library's documentation for what it does.

use lambda_runtime::{Error, LambdaEvent, run, service_fn};
use serde_json::value::RawValue;
use stoop_aws::{Meter, required};
use stoop_pipeline::Clock;
use stoop_rollup::App;
use stoop_runtime::{LogFormat, SystemClock, init_telemetry};

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Error> {
    init_telemetry(LogFormat::Json);
    let tables = required("STOOP_MARKETS_TABLES")?.split(',').map(str::to_owned).collect();
    let app = App { tables, bucket: required("STOOP_BUCKET")?, meter: Meter::from_env("rollup")? };
    run(service_fn(async |_: LambdaEvent<Box<RawValue>>| {
        let answer = app.handle();
        app.meter.flush(SystemClock.now());
        Ok::<_, Error>(answer)
    }))
    .await
}
