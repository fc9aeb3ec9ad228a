//! The ledger of plans and the controls of searches, in memory.

use std::collections::BTreeMap;
use std::sync::Mutex;

use async_trait::async_trait;
use stoop_pipeline::ports::{PlanLedger, PortError, SearchControls};
use stoop_pipeline::{LastPoll, NextPoll, SearchControl};

/// When each search was last sent, the outcome of its last poll, and what people ask of it.
#[derive(Default)]
pub(crate) struct Book {
    pub(crate) sent: Mutex<BTreeMap<String, NextPoll>>,
    pub(crate) controls: Mutex<Vec<SearchControl>>,
    pub(crate) last_polls: Mutex<BTreeMap<String, LastPoll>>,
    pub(crate) is_shut: Mutex<bool>,
}

impl Book {
    fn open(&self) -> Result<(), PortError> {
        if *self.is_shut.lock().unwrap() {
            Err(PortError::unavailable("open the book", "a made-up fault"))
        } else {
            Ok(())
        }
    }
}

#[async_trait]
impl PlanLedger for Book {
    async fn last_sent(&self, searches: &[String]) -> Result<Vec<Option<NextPoll>>, PortError> {
        self.open()?;
        let sent = self.sent.lock().unwrap();
        Ok(searches.iter().map(|search| sent.get(search).cloned()).collect())
    }

    async fn sent(&self, searches: &[NextPoll]) -> Result<(), PortError> {
        self.open()?;
        self.sent.lock().unwrap().extend(searches.iter().map(|next| (next.search.clone(), next.clone())));
        Ok(())
    }

    async fn last_poll(&self, search: &str) -> Result<Option<LastPoll>, PortError> {
        Ok(self.last_polls(&[search.to_owned()]).await?.into_iter().next().flatten())
    }

    async fn last_polls(&self, searches: &[String]) -> Result<Vec<Option<LastPoll>>, PortError> {
        self.open()?;
        let last_polls = self.last_polls.lock().unwrap();
        Ok(searches.iter().map(|search| last_polls.get(search).copied()).collect())
    }

    async fn keep_last_poll(&self, search: &str, last: &LastPoll) -> Result<(), PortError> {
        self.open()?;
        self.last_polls.lock().unwrap().insert(search.to_owned(), *last);
        Ok(())
    }
}

#[async_trait]
impl SearchControls for Book {
    async fn controls(&self) -> Result<Vec<SearchControl>, PortError> {
        self.open()?;
        Ok(self.controls.lock().unwrap().clone())
    }

    async fn keep(&self, control: &SearchControl) -> Result<(), PortError> {
        self.controls.lock().unwrap().push(control.clone());
        Ok(())
    }
}
