//! Wires the poller function: see the library's documentation for what it does.

use std::sync::Arc;

use aws_lambda_events::sqs::SqsEvent;
use lambda_runtime::{Error, LambdaEvent, run, service_fn};
use stoop_aws::{
    Clients, DynamoBudgets, DynamoRuns, KinesisStream, PollQueue, S3Configuration, S3Files, S3Index, S3Pages,
    S3Quarantine, Secrets, required,
};
use stoop_domain::Time;
use stoop_emf::Meter;
use stoop_pipeline::{Clock, PollPorts, Tokens};
use stoop_poller::PollerHandler;
use stoop_runtime::{HttpClient, LogFormat, SystemClock, init_telemetry};

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Error> {
    init_telemetry(LogFormat::Json);
    let clients = Clients::from_env()?;
    let bucket = required("STOOP_BUCKET")?;
    let app = PollerHandler {
        configuration: &S3Configuration::new(clients.s3(), &bucket),
        secrets: &Secrets::new(clients.secrets(), Arc::new(SystemClock)),
        secrets_prefix: &format!("stoop/{}/", required("STOOP_STACK")?),
        queue: &PollQueue::new(clients.sqs(), &required("STOOP_QUEUE_URL")?),
        poll: PollPorts {
            http: &HttpClient::new(),
            files: &S3Files::new(clients.s3(), &bucket),
            stream: &KinesisStream::new(clients.kinesis(), &required("STOOP_STREAM")?),
            index: &S3Index::new(clients.s3(), &bucket),
            pages: &S3Pages::new(clients.s3(), &bucket),
            quarantine: &S3Quarantine::new(clients.s3(), &bucket),
            runs: &DynamoRuns::new(clients.dynamodb(), required("STOOP_RUNS_TABLE")?),
            budgets: &DynamoBudgets::new(clients.dynamodb(), required("STOOP_RUNS_TABLE")?),
            tokens: &Tokens::default(),
            clock: &SystemClock,
            deadline: None,
            stop: &|| false,
        },
        plans: &DynamoRuns::new(clients.dynamodb(), required("STOOP_RUNS_TABLE")?),
        meter: &Meter::from_env("poller")?,
    };
    run(service_fn(async |event: LambdaEvent<SqsEvent>| {
        let deadline = Time::from_ms(event.context.deadline.cast_signed());
        // Boxed, because a poll nests futures too deeply for the compiler to lay out in one piece.
        let response = Box::pin(app.handle(event.payload, deadline)).await;
        app.meter.flush(SystemClock.now());
        Ok::<_, Error>(response)
    }))
    .await
}
