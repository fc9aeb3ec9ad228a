/// What a source kind reports about a listing. Each field holds a few words for help and documentation.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Capabilities {
    /// Price changes that the source itself reports, in addition to those that polls detect.
    pub price_changes: &'static str,
    /// Statuses that the source reports.
    pub status: &'static str,
    /// How the poller learns that a listing is gone.
    pub gone: &'static str,
    /// Default limits, if the search sets none.
    pub limits: &'static str,
}
