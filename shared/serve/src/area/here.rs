//! The known markets, searchable by area.

use stoop_domain::Market;

use super::LEVELS;

/// Markets by the order of their areas.
pub(super) struct Here<'a> {
    markets: Vec<&'a Market>,
}

impl<'a> Here<'a> {
    pub(super) fn of(markets: impl Iterator<Item = &'a Market>) -> Self {
        let mut markets: Vec<&Market> = markets.collect();
        // They usually come in order, so check once.
        markets.sort_unstable_by(|a, b| a.area.cmp(&b.area));
        Self { markets }
    }

    /// The markets of the area with this path.
    pub(super) fn within(&self, path: &str) -> &[&'a Market] {
        // `us/wa/king-x/…` sorts before `us/wa/king/…`: the slash belongs to the search key.
        let first = if path.split('/').count() < LEVELS { format!("{path}/") } else { path.to_owned() };
        let from = self.markets.partition_point(|market| market.area.as_str() < first.as_str());
        let rest = &self.markets[from..];
        &rest[..rest.partition_point(|market| market.area.lies_in(path))]
    }

    /// The path of each market's area, in order.
    pub(super) fn areas(&self) -> impl Iterator<Item = &'a str> {
        self.markets.iter().map(|market| market.area.as_str())
    }
}

/// The first levels of a path.
pub(super) fn beginning(path: &str, levels: usize) -> &str {
    path.match_indices('/').nth(levels - 1).map_or(path, |(end, _)| &path[..end])
}

/// The areas around one, narrow to wide, without those of unknown name.
pub(crate) fn wider(path: &str) -> impl Iterator<Item = &str> {
    path.rmatch_indices('/').map(|(end, _)| &path[..end]).filter(|path| !path.ends_with("/-") && *path != "-")
}
