use std::collections::HashMap;
use std::sync::Arc;

use stoop_pipeline::ports::IndexOutline;

/// The indexes that polls of other searches have read, each as of its version.
#[derive(Debug, Default)]
pub(crate) struct Outlines {
    by_search: HashMap<String, (i64, Arc<IndexOutline>)>,
    listings: usize,
}

impl Outlines {
    /// More listings are not kept: each takes some 150 bytes.
    const LISTINGS_MAX: usize = 500_000;

    pub(crate) fn get(&self, search: &str, version: i64) -> Option<Arc<IndexOutline>> {
        let (known, outline) = self.by_search.get(search)?;
        (*known == version).then(|| Arc::clone(outline))
    }

    pub(crate) fn keep(&mut self, search: &str, version: i64, outline: Arc<IndexOutline>) {
        let before = self.by_search.remove(search).map_or(0, |(_, before)| before.len());
        self.listings -= before;
        if self.listings + outline.len() <= Self::LISTINGS_MAX {
            self.listings += outline.len();
            self.by_search.insert(search.to_owned(), (version, outline));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_index_is_kept_as_of_its_version_and_within_the_bound() {
        let mut outlines = Outlines::default();
        outlines.keep("graz", 3, Arc::default());
        assert!(outlines.get("graz", 3).is_some());
        assert!(outlines.get("graz", 4).is_none() && outlines.get("wien", 3).is_none());
        outlines.keep("graz", 4, Arc::default());
        assert!(outlines.get("graz", 4).is_some());
        assert_eq!((outlines.listings, outlines.by_search.len()), (0, 1));
    }
}
