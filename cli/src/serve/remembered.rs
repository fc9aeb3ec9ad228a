use std::collections::HashMap;
use std::sync::Arc;
use std::time::{Duration, Instant};

use stoop_serve::api::ApiResponse;

/// How long an answer is given again although the database has changed. Beside a pipeline that writes all the time, what
/// many ask for is read once a second.
pub(super) const AGE_MAX: Duration = Duration::from_secs(1);
/// The most bytes of remembered answers.
const BYTES_MAX: usize = 32 << 20;
/// What an entry takes beside its texts, at most.
const ENTRY_BYTES: usize = 512;

/// What is known of the database.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Look {
    /// A number that grows with each change.
    pub(super) version: u64,
    /// When it was looked.
    pub(super) at: Instant,
    /// The position of the newest alert in the ledger.
    pub(super) newest_alert: i64,
}

/// Whole answers, at most [`BYTES_MAX`] bytes of memory. Each is given again while the database is known to be the same,
/// and within [`AGE_MAX`] of the moment at which its reading began; never after a write of this server.
#[derive(Default)]
pub(super) struct Remembered {
    bytes: usize,
    answers: HashMap<String, RememberedAnswer>,
    /// Nothing that was read before counts.
    since: Option<Instant>,
}

struct RememberedAnswer {
    answer: Arc<ApiResponse>,
    /// The look before it was read.
    look: Look,
    read_at: Instant,
}

impl RememberedAnswer {
    fn may_be_given(&self, since: Option<Instant>, look: Look, now: Instant) -> bool {
        let is_young = |at: Instant| now.saturating_duration_since(at) <= AGE_MAX;
        let is_current = self.look.version == look.version && is_young(look.at);
        since.is_none_or(|since| self.read_at >= since) && (is_current || is_young(self.read_at))
    }
}

impl Remembered {
    pub(super) fn get(&self, key: &str, look: Look, now: Instant) -> Option<Arc<ApiResponse>> {
        let kept = self.answers.get(key)?;
        kept.may_be_given(self.since, look, now).then(|| Arc::clone(&kept.answer))
    }

    /// Keeps an answer whose reading began at `read_at`, after this look. If all take too much, forgets those that may not be
    /// given any more, and if that is not half of it, all.
    pub(super) fn keep(&mut self, key: String, answer: &Arc<ApiResponse>, look: Look, read_at: Instant) {
        let bytes = bytes_of(&key, answer);
        if self.bytes + bytes > BYTES_MAX {
            let since = self.since;
            self.answers.retain(|_, kept| kept.may_be_given(since, look, read_at));
            self.bytes = self.answers.iter().map(|(key, kept)| bytes_of(key, &kept.answer)).sum();
            if self.bytes > BYTES_MAX / 2 {
                (self.answers, self.bytes) = (HashMap::new(), 0);
            }
        }
        if self.bytes + bytes > BYTES_MAX {
            return;
        }
        if let Some((key, before)) = self.answers.remove_entry(&key) {
            self.bytes -= bytes_of(&key, &before.answer);
        }
        self.bytes += bytes;
        self.answers.insert(key, RememberedAnswer { answer: Arc::clone(answer), look, read_at });
    }

    /// Forgets what was read before: somebody has written through this server, and expects to see it.
    pub(super) fn forget(&mut self, now: Instant) {
        *self = Self { since: Some(now), ..Self::default() };
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
        let now = Instant::now();
        let look = Look { version: 1, at: now, newest_alert: 0 };
        let mut remembered = Remembered::default();
        for at in 0..1_000_000 {
            remembered.keep(at.to_string(), &answer(0), look, now);
            assert!(remembered.answers.len() * ENTRY_BYTES <= BYTES_MAX);
        }
        let mut remembered = Remembered::default();
        for at in 0..100 {
            remembered.keep(at.to_string(), &answer(BYTES_MAX / 10), look, now);
            assert!(remembered.answers.len() <= 10);
        }
        remembered.keep("too large".into(), &answer(BYTES_MAX + 1), look, now);
        assert!(remembered.get("too large", look, now).is_none());
    }

    #[test]
    fn an_answer_is_given_again_while_it_is_true_or_young() {
        let begin = Instant::now();
        let after = |ms| begin + Duration::from_millis(ms);
        let look = |version, ms| Look { version, at: after(ms), newest_alert: 0 };
        let mut remembered = Remembered::default();
        remembered.keep("a".into(), &answer(10), look(1, 0), after(100));
        let is_given = |look, ms| remembered.get("a", look, after(ms)).is_some();
        assert!(is_given(look(1, 60_000), 60_100), "nothing has changed");
        assert!(is_given(look(2, 1_000), 1_100), "it is a second old");
        assert!(!is_given(look(2, 1_000), 1_101));
        assert!(!is_given(look(1, 1_000), 2_001), "it is not known whether something has changed");
    }

    #[test]
    fn nothing_that_was_read_before_a_write_is_given_after_it() {
        let begin = Instant::now();
        let after = |ms| begin + Duration::from_millis(ms);
        let look = Look { version: 1, at: begin, newest_alert: 0 };
        let mut remembered = Remembered::default();
        remembered.keep("a".into(), &answer(10), look, begin);
        remembered.forget(after(10));
        // Its reading began before the write.
        remembered.keep("b".into(), &answer(10), look, after(9));
        remembered.keep("c".into(), &answer(10), look, after(10));
        let is_given = |key| remembered.get(key, look, after(20)).is_some();
        assert!(!is_given("a") && !is_given("b") && is_given("c"));
    }

    #[test]
    fn those_that_may_not_be_given_make_room_first() {
        let begin = Instant::now();
        let later = begin + AGE_MAX * 2;
        let [old, new] =
            [Look { version: 1, at: begin, newest_alert: 0 }, Look { version: 2, at: later, newest_alert: 0 }];
        let mut remembered = Remembered::default();
        (0..9).for_each(|at| remembered.keep(at.to_string(), &answer(BYTES_MAX / 10), old, begin));
        remembered.keep("new".into(), &answer(BYTES_MAX / 20), new, later);
        remembered.keep("newer".into(), &answer(BYTES_MAX / 10), new, later);
        assert!(remembered.get("new", new, later).is_some() && remembered.get("newer", new, later).is_some());
        assert_eq!(remembered.answers.len(), 2);
    }
}
