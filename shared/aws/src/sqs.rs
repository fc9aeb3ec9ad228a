use async_trait::async_trait;
use aws_sdk_sqs::Client;
use aws_sdk_sqs::types::SendMessageBatchRequestEntry;
use stoop_pipeline::ports::{FailureKind, PollTask, PortError, TaskQueue};

use crate::error::{Reason, failed, reason};

const BATCH_MAX: usize = 10;
const GROUP_BYTES_MAX: usize = 128;

/// Sends poll tasks to an SQS FIFO queue. The message groups are the searches: one search is never polled twice at
/// once, and different searches are polled in parallel.
#[derive(Clone, Debug)]
pub struct PollQueue {
    client: Client,
    url: String,
}

impl PollQueue {
    /// The queue at this URL.
    #[must_use]
    pub fn new(client: Client, url: &str) -> Self {
        Self { client, url: url.to_owned() }
    }

    /// Makes a received message visible again after this many seconds, 0 to 43,200, instead of the queue's visibility
    /// timeout.
    ///
    /// # Errors
    ///
    /// The queue refuses, for example because the receipt has expired.
    pub async fn retry_in(&self, receipt_handle: &str, seconds: u32) -> Result<(), PortError> {
        let what = || format!("ChangeMessageVisibility in {}", self.url);
        let request = self.client.change_message_visibility().queue_url(&self.url).receipt_handle(receipt_handle);
        request.visibility_timeout(seconds.cast_signed()).send().await.map_err(failed(what))?;
        Ok(())
    }

    fn error(&self, kind: FailureKind, why: impl Into<Box<dyn std::error::Error + Send + Sync>>) -> PortError {
        PortError::new(kind, format!("SendMessageBatch to {}", self.url), why)
    }

    /// Sends at most a batch of tasks beginning at index `first`, and collects the indexes of those that were refused.
    async fn send_batch(&self, first: usize, tasks: &[PollTask], refused: &mut Vec<usize>) -> Result<(), PortError> {
        let mut entries = Vec::with_capacity(tasks.len());
        for (position, task) in tasks.iter().enumerate() {
            let entry = SendMessageBatchRequestEntry::builder()
                .id(position.to_string())
                .message_body(body(task)?)
                .message_group_id(group(&task.search))
                .message_deduplication_id(hash(&[task.search.as_bytes(), &task.due_at.ms().to_le_bytes()]));
            entries.push(entry.build().map_err(|error| self.error(FailureKind::Refused, error))?);
        }
        let request = self.client.send_message_batch().queue_url(&self.url).set_entries(Some(entries));
        let answer = match request.send().await {
            Ok(answer) => answer,
            Err(error) => {
                let reason = reason(&error);
                if reason.code.as_deref().is_some_and(is_throttling) {
                    refused.extend(first..first + tasks.len());
                    return Ok(());
                }
                return Err(self.error(reason.kind, reason));
            }
        };
        let mut taken = vec![false; tasks.len()];
        for entry in answer.successful() {
            if let Some(taken) = entry.id().parse().ok().and_then(|position: usize| taken.get_mut(position)) {
                *taken = true;
            }
        }
        if let Some(entry) = answer.failed().iter().find(|entry| entry.sender_fault()) {
            let search = entry
                .id()
                .parse()
                .ok()
                .and_then(|position: usize| tasks.get(position))
                .map_or("?", |task| &task.search);
            let reason = Reason::of_entry(entry.code(), entry.message(), FailureKind::Refused);
            let why = format!("the task of {search} was refused for good: {reason}");
            return Err(self.error(reason.kind, why));
        }
        // Tasks that the response does not mention are sent again: the queue delivers each once.
        refused.extend((first..).zip(taken).filter(|(_, taken)| !taken).map(|(position, _)| position));
        Ok(())
    }
}

/// Whether a whole call was throttled, after the SDK's own attempts.
fn is_throttling(code: &str) -> bool {
    matches!(code, "RequestThrottled" | "ThrottlingException" | "KmsThrottled")
}

fn body(task: &PollTask) -> Result<String, PortError> {
    serde_json::to_string(task).map_err(|error| PortError::refused(format!("write the task of {}", task.search), error))
}

/// The search as a message group: letters, digits and punctuation, at most 128 characters. Other or longer names are
/// hashed.
fn group(search: &str) -> String {
    let plain = (1..=GROUP_BYTES_MAX).contains(&search.len()) && search.bytes().all(|byte| byte.is_ascii_graphic());
    if plain { search.to_owned() } else { hash(&[search.as_bytes()]) }
}

fn hash(parts: &[&[u8]]) -> String {
    let mut hasher = blake3::Hasher::new();
    for part in parts {
        hasher.update(&(part.len() as u64).to_le_bytes());
        hasher.update(part);
    }
    hasher.finalize().to_hex().to_string()
}

#[async_trait]
impl TaskQueue for PollQueue {
    async fn send(&self, tasks: &[PollTask]) -> Result<Vec<usize>, PortError> {
        let mut refused = Vec::new();
        for (batch, tasks) in tasks.chunks(BATCH_MAX).enumerate() {
            self.send_batch(batch * BATCH_MAX, tasks, &mut refused).await?;
        }
        Ok(refused)
    }

    /// The queue delivers it after the current message is done, because both have the same group.
    async fn continue_later(&self, next: &PollTask, message_id: &str) -> Result<(), PortError> {
        let what = || format!("SendMessage of a continuation of {} to {}", next.search, self.url);
        let request = self.client.send_message().queue_url(&self.url).message_body(body(next)?);
        let request = request.message_group_id(group(&next.search));
        let request = request.message_deduplication_id(hash(&[b"continues", message_id.as_bytes()]));
        request.send().await.map_err(failed(what))?;
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn any_search_makes_a_group_of_its_own() {
        assert_eq!(group("seattle/98178"), "seattle/98178");
        let odd = ["", "two words", "Méknes", &"x".repeat(129)].map(group);
        assert!(odd.iter().all(|group| group.len() == 64));
        assert_eq!(odd.iter().collect::<std::collections::HashSet<_>>().len(), 4);
    }
}
