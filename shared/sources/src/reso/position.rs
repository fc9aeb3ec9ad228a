use serde::{Deserialize, Serialize};
use stoop_domain::Time;

use crate::port::{Cursor, ReadError};

/// A cursor's position: a URL and the scan's memory. The memory is the URL's fragment, which is never sent. A URL
/// without a fragment belongs to a scan that needs no memory.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct ResoPosition {
    pub(super) url: String,
    pub(super) memory: ScanMemory,
}

/// State that a scan in the server's own order keeps between pages.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub(super) struct ScanMemory {
    /// When the first page arrived, in milliseconds, by the server's clock or ours, whichever is earlier.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) began_ms: Option<i64>,
    /// Latest modification time on any page.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) latest_ms: Option<i64>,
    /// Number of rows on earlier pages.
    pub(super) rows: u64,
    /// Total number of rows, from the first page that contains it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) total: Option<u64>,
    /// Identifies the previous page if the next one has the same URL.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub(super) page: String,
}

const MARK: &str = "#stoop:";

impl ResoPosition {
    pub(super) fn of(cursor: &Cursor) -> Self {
        let position = &cursor.position;
        let memory = |text: &str| serde_json::from_str(text).ok();
        match position.rsplit_once(MARK).and_then(|(url, text)| Some((url, memory(text)?))) {
            Some((url, memory)) => Self { url: url.to_owned(), memory },
            None => Self { url: position.clone(), memory: ScanMemory::default() },
        }
    }

    pub(super) fn position(self) -> String {
        if self.memory == ScanMemory::default() {
            return self.url;
        }
        match serde_json::to_string(&self.memory) {
            Ok(memory) => format!("{}{MARK}{memory}", self.url),
            Err(_) => self.url,
        }
    }
}

impl ScanMemory {
    /// Returns the memory after a page that arrived at `now`.
    pub(super) fn after(self, rows: usize, total: Option<u64>, latest: Option<Time>, now: Time) -> Self {
        Self {
            began_ms: self.began_ms.or(Some(now.ms())),
            latest_ms: self.latest_ms.max(latest.map(Time::ms)),
            rows: self.rows.saturating_add(rows as u64),
            total: self.total.or(total),
            page: self.page,
        }
    }

    /// Checks that a finished scan saw every row. If the server keeps the position, a page lost in transit cannot be
    /// requested again. A few missing rows are rows that left during the scan.
    pub(super) fn whole(&self, page_rows: u32) -> Result<(), ReadError> {
        let Some(total) = self.total else { return Ok(()) };
        if self.rows.saturating_add(u64::from(page_rows)) > total {
            return Ok(());
        }
        Err(ReadError::Unreadable(format!(
            "the replication ended after {} of {total} rows: pages were lost",
            self.rows
        )))
    }

    /// The time up to which everything was read: rows that were read early may have changed since the scan began.
    pub(super) fn read_until(&self) -> Option<Time> {
        Some(Time::from_ms(self.latest_ms?.min(self.began_ms?)))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_address_comes_back_letter_by_letter() {
        for url in ["https://e.example/o/Property?$filter=City+eq+'A#1'&$skip=10", "", "#stoop:", "x#stoop:{"] {
            for memory in [
                ScanMemory::default(),
                ScanMemory { rows: 7, total: Some(9), page: "ab".into(), ..ScanMemory::default() },
            ] {
                let position = ResoPosition { url: url.to_owned(), memory };
                let cursor = Cursor { position: position.clone().position(), ..Cursor::default() };
                assert_eq!(ResoPosition::of(&cursor), position);
            }
        }
    }
}
