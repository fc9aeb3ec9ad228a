use std::collections::HashMap;
use std::sync::Arc;

use stoop_pipeline::serve::api::ApiResponse;

/// The most bytes of remembered answers.
const BYTES_MAX: usize = 64 << 20;
/// What an entry takes beside its texts, at most.
const ENTRY_BYTES: usize = 512;

/// Whole answers for one version of the database, at most [`BYTES_MAX`] bytes of memory.
#[derive(Default)]
pub(super) struct Remembered {
    version: u64,
    bytes: usize,
    answers: HashMap<String, Arc<ApiResponse>>,
}

impl Remembered {
    pub(super) fn get(&self, version: u64, key: &str) -> Option<Arc<ApiResponse>> {
        self.answers.get(key).filter(|_| self.version == version).cloned()
    }

    /// Keeps an answer. Forgets all others if they are of another version, or take too much.
    pub(super) fn keep(&mut self, version: u64, key: String, answer: &Arc<ApiResponse>) {
        if version < self.version {
            // Read before the change that somebody else has seen already.
            return;
        }
        let bytes = bytes_of(&key, answer);
        if self.version != version || self.bytes + bytes > BYTES_MAX {
            *self = Self { version, ..Self::default() };
        }
        if bytes > BYTES_MAX {
            return;
        }
        if let Some((key, before)) = self.answers.remove_entry(&key) {
            self.bytes -= bytes_of(&key, &before);
        }
        self.bytes += bytes;
        self.answers.insert(key, Arc::clone(answer));
    }
}

/// What an entry takes.
fn bytes_of(key: &str, answer: &ApiResponse) -> usize {
    let headers: usize = answer.headers.iter().map(|(_, value)| value.capacity()).sum();
    key.len() + answer.body.capacity() + headers + ENTRY_BYTES
}

#[cfg(test)]
mod tests {
    use super::*;

    fn answer(body: usize) -> Arc<ApiResponse> {
        Arc::new(ApiResponse { status: 200, headers: Vec::new(), body: Vec::with_capacity(body) })
    }

    #[test]
    fn what_is_kept_is_counted_by_what_it_takes() {
        let mut remembered = Remembered::default();
        for at in 0..1_000_000 {
            remembered.keep(1, at.to_string(), &answer(0));
            assert!(remembered.answers.len() * ENTRY_BYTES <= BYTES_MAX);
        }
        let mut remembered = Remembered::default();
        for at in 0..100 {
            remembered.keep(1, at.to_string(), &answer(BYTES_MAX / 10));
            assert!(remembered.answers.len() <= 10);
        }
        remembered.keep(1, "too large".into(), &answer(BYTES_MAX + 1));
        assert!(remembered.get(1, "too large").is_none() && remembered.answers.is_empty());
    }

    #[test]
    fn another_version_forgets_all() {
        let mut remembered = Remembered::default();
        remembered.keep(1, "a".into(), &answer(10));
        assert!(remembered.get(1, "a").is_some() && remembered.get(2, "a").is_none());
        remembered.keep(2, "b".into(), &answer(10));
        remembered.keep(1, "c".into(), &answer(10));
        assert!(remembered.get(2, "a").is_none() && remembered.get(2, "b").is_some());
        assert_eq!(remembered.answers.len(), 1);
    }
}
