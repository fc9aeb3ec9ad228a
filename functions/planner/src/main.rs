//! Wires the planner function: see the library's documentation for what it does.

use lambda_runtime::{Error, LambdaEvent, run, service_fn};
use serde_json::value::RawValue;
use stoop_aws::{Clients, DynamoControls, DynamoRuns, PollQueue, S3Configuration, required};
use stoop_emf::Meter;
use stoop_pipeline::Clock;
use stoop_planner::PlannerHandler;
use stoop_runtime::{LogFormat, SystemClock, init_telemetry};

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Error> {
    init_telemetry(LogFormat::Json);
    let clients = Clients::from_env()?;
    let runs = required("STOOP_RUNS_TABLE")?;
    let app = PlannerHandler {
        configuration: &S3Configuration::new(clients.s3(), &required("STOOP_BUCKET")?),
        ledger: &DynamoRuns::new(clients.dynamodb(), &runs),
        controls: &DynamoControls::new(clients.dynamodb(), &runs),
        queue: &PollQueue::new(clients.sqs(), &required("STOOP_QUEUE_URL")?),
        clock: &SystemClock,
        meter: &Meter::from_env("planner")?,
        takeover: <_>::default(),
        reported: <_>::default(),
        reported_overdue: <_>::default(),
    };
    run(service_fn(async |event: LambdaEvent<Box<RawValue>>| {
        let answer = app.handle(&event.payload).await;
        app.meter.flush(SystemClock.now());
        answer
    }))
    .await
}
