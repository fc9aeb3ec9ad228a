//! Removes what a run made behind an endpoint that somebody else started, even if a scenario failed midway.

use stoop_aws::Clients;

use crate::state::State;

/// Everything whose name begins with the stack's except the stack itself: queues, streams, secrets, and all buckets but
/// the stack's, which are deleted with it while they are empty.
pub(crate) async fn remove_others(clients: &Clients, stack: &str) {
    let (sqs, kinesis, secrets) = (clients.sqs(), clients.kinesis(), clients.secrets());
    let queues = sqs.list_queues().queue_name_prefix(stack).send().await.unwrap();
    // CloudFormation deletes the stack's own.
    let own = ["-poll.fifo", "-poll-dead.fifo", "-planner-dead"];
    for url in queues.queue_urls().iter().filter(|url| !own.iter().any(|name| url.ends_with(&format!("{stack}{name}"))))
    {
        sqs.delete_queue().queue_url(url).send().await.unwrap();
    }
    let streams = kinesis.list_streams().send().await.unwrap();
    for name in streams.stream_names().iter().filter(|name| name.starts_with(&aside(stack))) {
        kinesis.delete_stream().stream_name(name).send().await.unwrap();
    }
    let kept = secrets.list_secrets().send().await.unwrap();
    let names = kept.secret_list().iter().filter_map(|secret| secret.name());
    for name in names.filter(|name| name.starts_with(&format!("stoop/{stack}/"))) {
        secrets.delete_secret().secret_id(name).force_delete_without_recovery(true).send().await.unwrap();
    }
}

/// The buckets of a stack, and those that scenarios made.
pub(crate) async fn remove_buckets(clients: &Clients, state: &State, stack: &str) {
    let buckets = clients.s3().list_buckets().send().await.unwrap();
    let names = buckets.buckets().iter().filter_map(|bucket| bucket.name());
    for name in names.filter(|name| name.starts_with(stack)) {
        state.empty(name).await;
        clients.s3().delete_bucket().bucket(name).send().await.unwrap();
    }
}

/// The prefix of everything that scenarios make next to the stack.
pub(crate) fn aside(stack: &str) -> String {
    format!("{stack}-aside")
}
