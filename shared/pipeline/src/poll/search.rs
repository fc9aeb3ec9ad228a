use stoop_domain::Time;
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
    /// Limits of this account that replace those of the source ([`stoop_sources::CrawlPolicy::limits`]).
    pub limits: Option<Vec<Limit>>,
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
            limits: None,
        }
    }

    /// The limits of its account: its own, or those of its source.
    #[must_use]
    pub fn limits(&self) -> Vec<Limit> {
        self.limits.clone().unwrap_or_else(|| self.source.crawl_policy().limits)
    }
}
