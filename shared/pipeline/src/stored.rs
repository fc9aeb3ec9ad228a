//! The state as one store keeps it, carried to another as it is: nothing is computed anew, so that what was altered in the
//! first can be found in the second.

use stoop_market::Cells;

/// A home.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct StoredHome {
    /// Which.
    pub id: String,
    /// How often it was written; at least 1.
    pub version: u64,
    /// Its bytes ([`stoop_wire::home_to_bytes`]), or what stands in their place.
    pub body: Vec<u8>,
    /// Where it is counted, as it stands beside the bytes, like what follows; `None` where nothing stands there.
    pub market: Option<String>,
    /// Its newest status.
    pub status: Option<String>,
    /// What it asks, in the minor unit of its market's currency.
    pub list_price: Option<i64>,
    /// When it was seen last, in milliseconds since the Unix epoch.
    pub last_seen: Option<i64>,
}

/// A market and its archive.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct StoredMarket {
    /// Its name.
    pub id: String,
    /// The version of the base, which is at least 1, and the whole state as it was then; `None` where it cannot be had.
    pub base: Option<(u64, Cells)>,
    /// The version of the state, and what was added to it since the base; `None` where nothing was.
    pub tail: Option<(u64, Cells)>,
    /// What the state tells of no more.
    pub archive: Cells,
}

/// An alert of the ledger.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct StoredAlert {
    /// Which, as it stands beside the body, like the next two.
    pub id: String,
    /// The time of the change, in milliseconds since the Unix epoch.
    pub at: i64,
    /// What became of it, by name.
    pub verdict: String,
    /// The alert as JSON.
    pub body: String,
    /// The name of the rules that it was judged by; `None` where it is not known.
    pub rules: Option<String>,
}
