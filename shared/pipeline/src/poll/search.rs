use stoop_domain::Time;
use stoop_sources::Limit;

use super::origin::Origin;

/// One source with one set of parameters and a poll interval.
pub struct Search {
    /// The search's name in configuration, ledger and index.
    pub name: String,
    /// The origin of its listings, and how to read them.
    pub source: Origin,
    /// What to do when the source drifts.
    pub on_drift: OnDrift,
    /// Interval of full scans in an incremental search, to find what is gone.
    pub full_scan_every_ms: i64,
    /// Maximum share of refused rows in percent. A poll or file above it is given up, and so is one without a single
    /// valid row, whatever this limit.
    pub max_rejects: Option<f64>,
    /// Limits of this account's plan, which replace the source's own ([`stoop_sources::CrawlPolicy::limits`]).
    pub limits: Option<Vec<Limit>>,
}

/// What to do when a source drifts.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum OnDrift {
    /// Accept it as the new normal.
    Evolve,
    /// Continue, and report it with each run until the source recovers or the drift is accepted with
    /// [`OnDrift::Evolve`].
    #[default]
    Warn,
    /// Stop before anything of the page is sent, and put a row of it into quarantine.
    Freeze,
}

impl Search {
    /// A search that runs a full scan once a day, with the source's own limits.
    pub fn new(name: impl Into<String>, source: impl Into<Origin>) -> Self {
        let full_scan_every_ms = Time::DAY_MS;
        Self {
            name: name.into(),
            source: source.into(),
            on_drift: OnDrift::default(),
            full_scan_every_ms,
            max_rejects: None,
            limits: None,
        }
    }

    /// The limits of its account: its own, otherwise those of its source.
    #[must_use]
    pub fn limits(&self) -> Vec<Limit> {
        self.limits.clone().unwrap_or_else(|| self.source.crawl_policy().limits)
    }
}
