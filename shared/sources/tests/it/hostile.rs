//! What tests of hostile answers share: how a good answer is spoilt, and what holds of every page.

use proptest::prelude::*;
use proptest::sample::Index;
use stoop_domain::Reject;
use stoop_sources::{Cursor, Next, Page, Row, Source};

/// Changes to the bytes of an answer: where, with which byte, and whether it replaces, is added or is left out.
pub(crate) fn edits() -> impl Strategy<Value = Vec<(Index, u8, u8)>> {
    prop::collection::vec((any::<Index>(), any::<u8>(), 0..3_u8), 1..8)
}

/// An answer with these changes.
pub(crate) fn spoilt(body: &[u8], edits: &[(Index, u8, u8)]) -> Vec<u8> {
    let mut body = body.to_vec();
    for (at, byte, edit) in edits {
        let at = at.index(body.len());
        match edit {
            0 => body[at] = *byte,
            1 => body.insert(at, *byte),
            _ => {
                body.remove(at);
            }
        }
    }
    body
}

/// An answer of JSON with another value after one of its keys.
pub(crate) fn with_value(body: &str, at: Index, value: &str) -> String {
    let starts: Vec<usize> = body.match_indices(": ").map(|(at, _)| at + 2).collect();
    let start = starts[at.index(starts.len())];
    let end = start + body[start..].find([',', '}', ']']).unwrap();
    format!("{}{value}{}", &body[..start], &body[end..])
}

/// Every row has an ID, or is refused with a reason and an excerpt.
pub(crate) fn check_rows(page: &Page) {
    for row in &page.rows {
        match row {
            Row::Found(found) => assert!(!found.native_id.is_empty()),
            Row::Refused { raw, detail, .. } => {
                assert!(raw.len() <= Reject::RAW_MAX && !detail.is_empty() && detail.len() < 1_000);
            }
        }
    }
}

/// The rows are as they should be, and a next page is another one of the same scan that can be asked for.
pub(crate) fn check(source: &dyn Source, cursor: &Cursor, page: &Page) {
    check_rows(page);
    if let Next::Page(next) = &page.next {
        assert_ne!(next.position, cursor.position);
        assert_eq!(next.since, cursor.since);
        source.request(next);
    }
}
