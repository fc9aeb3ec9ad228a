use crate::polling::poll::polled::Polled;
use crate::polling::poll::search::Search;
use crate::ports::RunOutcome;

/// At most this many files of each kind are named in a run's message.
const NAMES_MAX: usize = 3;

/// What a run reports of its files.
#[derive(Default)]
pub(super) struct Report {
    pub(super) lost: Vec<String>,
    pub(super) unreadable: Vec<String>,
    pub(super) wrong: Vec<String>,
    pub(super) notes: Vec<String>,
}

impl Report {
    /// How the run ended, and its message.
    pub(super) fn outcome(
        &self,
        search: &Search,
        stopped: bool,
        polled: &Polled,
    ) -> (Option<RunOutcome>, Option<String>) {
        let nothing_read = polled.listings == 0 && polled.files == 0;
        let failed = !self.wrong.is_empty() && (search.max_rejects.is_some() || polled.listings == 0)
            || !self.unreadable.is_empty() && nothing_read;
        let partial = stopped || [&self.lost, &self.unreadable, &self.wrong].iter().any(|files| !files.is_empty());
        let outcome = match (failed, partial) {
            (true, _) => RunOutcome::Failed,
            (false, true) => RunOutcome::Partial,
            (false, false) => RunOutcome::Complete,
        };
        (Some(outcome), self.message(stopped))
    }

    fn message(&self, stopped: bool) -> Option<String> {
        let mut parts = Vec::new();
        if stopped {
            parts.push("stopped; the next run goes on from here".to_owned());
        }
        for list in [&self.wrong, &self.unreadable, &self.lost, &self.notes] {
            parts.extend(list.iter().take(NAMES_MAX).cloned());
            if list.len() > NAMES_MAX {
                parts.push(format!("and {} more", list.len() - NAMES_MAX));
            }
        }
        (!parts.is_empty()).then(|| parts.join("; "))
    }
}
