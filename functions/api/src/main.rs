//! Wires the api function: see the library's documentation for what it does.

use std::sync::Arc;

use lambda_runtime::{Error, LambdaEvent, run, service_fn};
use serde_json::value::RawValue;
use stoop_api::{ApiHandler, ReadToken, Recency};
use stoop_aws::{
    Clients, DynamoBrowse, DynamoControls, DynamoStore, DynamoViews, NoLake, Secrets, StackAreas, required,
};
use stoop_domain::Time;
use stoop_pages::Web;
use stoop_pipeline::Clock;
use stoop_runtime::{LogFormat, SystemClock, init_telemetry};

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Error> {
    init_telemetry(LogFormat::Json);
    let clients = Clients::from_env()?;
    let clock: Arc<dyn Clock> = Arc::new(SystemClock);
    let (homes, markets) = (required("STOOP_HOMES_TABLE")?, required("STOOP_MARKETS_TABLE")?);
    let (alerts, runs) = (required("STOOP_ALERTS_TABLE")?, required("STOOP_RUNS_TABLE")?);
    let secret = required("STOOP_API_TOKEN_SECRET")?;
    let dynamodb = clients.dynamodb();
    let store = DynamoStore::new(dynamodb.clone(), &homes, &markets, Arc::new(NoLake), clock.clone());
    let views = DynamoViews::new(dynamodb.clone(), &markets, alerts, clock.clone());
    let browse = DynamoBrowse::new(dynamodb.clone(), &homes, &markets, &runs, clock.clone());
    let controls = DynamoControls::new(dynamodb.clone(), runs);
    let areas = StackAreas::new(dynamodb, clients.s3(), &markets, &required("STOOP_BUCKET")?);
    let secrets = Secrets::new(clients.secrets(), clock.clone());
    let (secrets, secret) = (&secrets, &*secret);
    let read_token: ReadToken<'_> = Box::new(move |recency| {
        Box::pin(async move {
            let read = match recency {
                Recency::Remembered => secrets.get(secret).await,
                Recency::Afresh => secrets.refresh(secret).await,
            };
            read.map(|secret| secret.reveal().to_owned())
        })
    });
    let app = ApiHandler::new(Web::new(&store, &views, &areas, &browse).with_controls(&controls), read_token);
    run(service_fn(async |event: LambdaEvent<Box<RawValue>>| {
        let deadline = Time::from_ms(event.context.deadline.cast_signed());
        Ok::<_, Error>(app.handle(&event.payload, clock.now(), deadline).await)
    }))
    .await
}
