/// What a kind of source reports of a listing, each in a few words.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Capabilities {
    /// Price changes that it reports itself, besides those that polls see.
    pub price_changes: &'static str,
    /// Statuses.
    pub status: &'static str,
    /// How the poller learns that a listing is gone.
    pub gone: &'static str,
    /// The limits when the search names none.
    pub limits: &'static str,
}
