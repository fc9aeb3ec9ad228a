use stoop_domain::{Listing, Time};
use stoop_sources::Limit;

use super::origin::Origin;

/// One source with one set of parameters, on its own cadence.
pub struct Search {
    /// The search's name in configuration, ledger and index.
    pub name: String,
    /// Where its listings come from, and how to read them.
    pub source: Origin,
    /// What to do when the source drifts.
    pub on_drift: OnDrift,
    /// After this time an incremental search asks for everything again, to find what is gone.
    pub full_scan_every_ms: i64,
    /// The greatest share of rows, in percent, that may be refused. A poll or file with more fails, and so does one in
    /// which every row is refused, whatever this says.
    pub max_rejects: Option<f64>,
    /// What of its listings may be shown.
    pub display: DisplayTerms,
    /// Limits of this account that replace those of the source ([`stoop_sources::CrawlPolicy::limits`]).
    pub limits: Option<Vec<Limit>>,
}

/// What a provider lets be shown of a search's listings, for all of them. What a listing itself forbids stays forbidden.
/// `None` leaves it to the listings.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct DisplayTerms {
    /// The address.
    pub address: Option<bool>,
    /// Estimates of the value.
    pub estimate: Option<bool>,
    /// A listing that is no longer on offer.
    pub expired: Option<bool>,
    /// Earlier prices and events.
    pub history: Option<bool>,
}

impl DisplayTerms {
    /// Says in a listing what may be shown.
    pub(super) fn mark(self, listing: &mut Listing) {
        let Self { address, estimate, expired, history } = self;
        for (term, said) in [
            (address, &mut listing.display_address),
            (estimate, &mut listing.display_estimate),
            (expired, &mut listing.display_expired),
            (history, &mut listing.display_history),
        ] {
            *said = term.map_or(*said, |allowed| Some(allowed && *said != Some(false)));
        }
    }
}

/// What to do when a source drifts.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum OnDrift {
    /// Take it as the new normal.
    Evolve,
    /// Go on, and report it with each run until the field is back or the drift is accepted with [`OnDrift::Evolve`].
    #[default]
    Warn,
    /// Stop before anything of the page is sent, and quarantine a row of it.
    Freeze,
}

impl Search {
    /// A search that asks for everything once a day, with the source's own limits.
    pub fn new(name: impl Into<String>, source: impl Into<Origin>) -> Self {
        let full_scan_every_ms = Time::DAY_MS;
        Self {
            name: name.into(),
            source: source.into(),
            on_drift: OnDrift::default(),
            full_scan_every_ms,
            max_rejects: None,
            display: DisplayTerms::default(),
            limits: None,
        }
    }

    /// The limits of its account: its own, or those of its source.
    #[must_use]
    pub fn limits(&self) -> Vec<Limit> {
        self.limits.clone().unwrap_or_else(|| self.source.crawl_policy().limits)
    }
}

#[cfg(test)]
mod tests {
    use super::super::made::listing;
    use super::*;

    #[test]
    fn a_term_never_allows_what_a_listing_forbids() {
        let said = |term: Option<bool>, said: Option<bool>| {
            let mut listing = Listing { display_address: said, ..listing(1) };
            DisplayTerms { address: term, ..DisplayTerms::default() }.mark(&mut listing);
            assert_eq!(
                (listing.display_estimate, listing.display_history, listing.display_expired),
                (None, None, None)
            );
            listing.display_address
        };
        for listing in [None, Some(true), Some(false)] {
            assert_eq!(said(None, listing), listing);
            assert_eq!(said(Some(false), listing), Some(false));
            assert_eq!(said(Some(true), listing), Some(listing != Some(false)));
        }
    }
}
