use std::fmt;

use serde::{Deserialize, Serialize};

use crate::home::Home;
use crate::market::Market;
use crate::money::{Currency, Minor};
use crate::observation::HomeId;
use crate::time::Time;

/// Identifies an alert: a hash of rule, home and price. The same drop always has the same ID.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct AlertId(pub String);

/// Whether an alert is sent.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "verdict", content = "why", rename_all = "snake_case")]
pub enum Verdict {
    /// Send it.
    Alert,
    /// The drop is so large that it is likely a mistake of the source. Record it, do not send it. Contains the reason.
    Suspect(String),
}

/// A price drop that a rule selects, sent or suspect.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Alert {
    pub id: AlertId,
    /// The name of the rule.
    pub rule: String,
    pub home: HomeId,
    pub market: Market,
    /// When the price was first seen.
    pub at: Time,
    /// The price that `to` is compared with: the highest price asked in the spell within 90 days, or the price of the
    /// last alert that was sent.
    pub from: Minor,
    /// The new price.
    pub to: Minor,
    /// The drop from `from` to `to` in basis points (hundredths of a percent) of `from`, rounded down.
    pub drop_bp: u32,
    /// Headline of the listing.
    pub title: Option<String>,
    /// Street, number and unit.
    pub line: Option<String>,
    /// URL of the listing's page.
    pub url: Option<String>,
    #[serde(flatten)]
    pub verdict: Verdict,
    /// When the home's history was found not to give the alert any more: rows that arrived later, of an earlier time,
    /// disprove it. The ledger sets it, and removes it if the history gives the alert again.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub withdrawn: Option<Time>,
    /// The other listings of the home on the market. Not recorded: whoever reads the alert adds those that are known by then, and
    /// only where each home counts once.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub other_listings: Vec<AlertListing>,
}

/// Another listing of an alert's home.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct AlertListing {
    /// Its ID.
    pub listing: HomeId,
    /// What it asks now, in the currency of the alert.
    pub list_price: Option<Minor>,
    /// URL of its page.
    pub url: Option<String>,
}

/// A cut that another listing shows within this time is the same one.
const SAME_CUT_MS: i64 = 14 * Time::DAY_MS;

impl Alert {
    /// Whether an alert of another listing of its home says as much as this one: it is no suspect, not withdrawn, and has as low a
    /// price within two weeks.
    #[must_use]
    pub fn is_said_by(&self, other: &Self) -> bool {
        let apart_ms = (self.at.ms() - other.at.ms()).abs();
        let is_as_low = other.to <= self.to && other.market.currency == self.market.currency;
        let is_sent = other.verdict == Verdict::Alert && other.withdrawn.is_none();
        is_sent && is_as_low && apart_ms <= SAME_CUT_MS
    }
}

impl AlertListing {
    /// A listing of the home of an alert in this currency; `None` if it is not on offer or under contract in it, or if its source
    /// does not let it be shown beside others ([`Home::others_may_be_shown`]).
    #[must_use]
    pub fn of(listing: &HomeId, home: &Home, currency: Currency) -> Option<Self> {
        let facts = home.history.current()?;
        let is_named = facts.status.is_open() && facts.market.currency == currency;
        let is_named = is_named && home.may_be_shown() && home.others_may_be_shown();
        let named =
            || Self { listing: listing.clone(), list_price: facts.list_price, url: home.url().map(str::to_owned) };
        is_named.then(named)
    }
}

impl fmt::Display for AlertId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}
