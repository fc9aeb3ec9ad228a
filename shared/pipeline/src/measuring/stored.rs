//! The state as one store keeps it, copied to another unchanged: nothing is recomputed, so that an alteration in the
//! first can be found in the second.

use stoop_market::Cells;

/// A home.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct StoredHome {
    /// Its ID.
    pub id: String,
    /// How often it was written; at least 1.
    pub version: u64,
    /// Its bytes ([`stoop_wire::home_to_bytes`]), or whatever is stored instead.
    pub body: Vec<u8>,
    /// The market in which it is counted, from the attribute next to the bytes, like the following ones; `None` if
    /// there is no such attribute.
    pub market: Option<String>,
    /// Its newest status.
    pub status: Option<String>,
    /// Its asking price, in the minor unit of its market's currency.
    pub list_price: Option<i64>,
    /// When it was last seen, in milliseconds since the Unix epoch.
    pub last_seen: Option<i64>,
}

/// A market and its archive.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct StoredMarket {
    /// Its name.
    pub id: String,
    /// The version of the base, which is at least 1, and the whole state of that version; `None` if it is not
    /// available.
    pub base: Option<(u64, Cells)>,
    /// The version of the state, and the additions since the base; `None` if there are none.
    pub tail: Option<(u64, Cells)>,
    /// The cells that the state no longer holds.
    pub archive: Cells,
}

/// An alert of the ledger.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct StoredAlert {
    /// Its ID, from the attribute next to the body, like the next two.
    pub id: String,
    /// The time of the change, in milliseconds since the Unix epoch.
    pub at: i64,
    /// Its verdict, by name.
    pub verdict: String,
    /// The alert as JSON.
    pub body: String,
    /// The name of the rules that it was judged by; `None` if unknown.
    pub rules: Option<String>,
}
