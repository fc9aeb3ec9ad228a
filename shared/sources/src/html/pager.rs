use super::{CardPage, CardRules};
use crate::port::{Cursor, Next};

/// The page number of a scan, and a hash of the ads on the previous page.
///
/// A request beyond the last page returns the last or the first page again. A source sees only one page at a time, so
/// the cursor carries a hash of the previous page's IDs.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct PagerPosition {
    /// Page number, from 1.
    pub(crate) page: u64,
    ids_before: Option<String>,
}

impl PagerPosition {
    pub(crate) fn of(cursor: &Cursor) -> Self {
        let (page, ids) = match cursor.position.split_once(':') {
            Some((page, ids)) => (page, Some(ids.to_owned())),
            None => (cursor.position.as_str(), None),
        };
        Self { page: page.parse().unwrap_or(1).max(1), ids_before: ids }
    }

    /// Whether the previous page contained exactly these IDs.
    pub(crate) fn repeats(&self, ids: &[&str]) -> bool {
        self.ids_before.as_deref() == Some(&hash(ids))
    }

    /// Returns the next step: the end if the page has no ads, repeats those of the previous page, or links to pages but
    /// to none after it; also if it links to no page at all and is not full.
    pub(crate) fn after(&self, cursor: &Cursor, page: &CardPage, rules: &CardRules) -> Next {
        let ids: Vec<&str> = page.cards.iter().filter_map(|card| card.id.as_deref()).collect();
        let more = match page.last_page_linked {
            Some(last) => last > self.page,
            None => rules.is_full(page),
        };
        // A page with promotions only has no IDs to compare.
        if ids.is_empty() || !more || self.repeats(&ids) { Next::End } else { self.next(cursor, &ids) }
    }

    /// The cursor of the next page, after one with `ids`.
    fn next(&self, cursor: &Cursor, ids: &[&str]) -> Next {
        self.follow(cursor, format!("{}:{}", self.page.saturating_add(1), hash(ids)))
    }

    /// The cursor of the next page, for sites whose pages contain their number.
    pub(crate) fn next_by_number(&self, cursor: &Cursor) -> Next {
        self.follow(cursor, self.page.saturating_add(1).to_string())
    }

    fn follow(&self, cursor: &Cursor, position: String) -> Next {
        Next::Page(Cursor {
            position,
            since: cursor.since.clone(),
            pages_before: cursor.pages_before.saturating_add(1),
        })
    }
}

/// Hashes IDs independent of their order: a repeated page may be sorted differently.
fn hash(ids: &[&str]) -> String {
    let mut sorted = ids.to_vec();
    sorted.sort_unstable();
    let mut hasher = blake3::Hasher::new();
    for id in sorted {
        hasher.update(id.as_bytes()).update(b"\n");
    }
    hasher.finalize().to_hex()[..16].to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_page_knows_whether_it_is_the_one_before() {
        let cursor = Cursor { position: "1".into(), since: Some("x".into()), pages_before: 0 };
        let first = PagerPosition::of(&cursor);
        assert!(!first.repeats(&["1", "2"]));
        let Next::Page(cursor) = first.next(&cursor, &["1", "2"]) else { panic!() };
        let second = PagerPosition::of(&cursor);
        assert_eq!((second.page, cursor.pages_before, cursor.since.as_deref()), (2, 1, Some("x")));
        assert!(second.repeats(&["2", "1"]) && !second.repeats(&["2"]) && !second.repeats(&[]));
        assert!(matches!(second.next_by_number(&cursor), Next::Page(cursor) if cursor.position == "3"));
    }

    #[test]
    fn a_position_that_is_none_is_the_first_page() {
        for position in ["", "x", "0", "-1", "99999999999999999999", ":"] {
            let cursor = Cursor { position: position.into(), ..Cursor::default() };
            assert_eq!(PagerPosition::of(&cursor).page, 1, "{position}");
        }
    }
}
