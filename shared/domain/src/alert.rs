use std::fmt;

use serde::{Deserialize, Serialize};

use crate::address::Market;
use crate::money::Minor;
use crate::observation::HomeId;
use crate::time::Time;

/// Names an alert for ever: a hash of rule, home and price. The same drop never has two ids.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct AlertId(pub String);

/// Whether a change is to be told.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "verdict", content = "why", rename_all = "snake_case")]
pub enum Verdict {
    /// Tell it.
    Alert,
    /// It looks like a slip of the source: keep it, do not tell it. Says why.
    Suspect(String),
}

/// A price drop worth telling, or held back as suspect.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Alert {
    /// Its id.
    pub id: AlertId,
    /// The rule that raised it.
    pub rule: String,
    /// The home.
    pub home: HomeId,
    /// The market the home is counted in.
    pub market: Market,
    /// When the price was first seen.
    pub at: Time,
    /// What the price is compared with: the highest asked in the spell within 90 days, or the price told before.
    pub from: Minor,
    /// The price.
    pub to: Minor,
    /// How far the price is below that, in hundredths of a percent of it, rounded down.
    pub drop_bp: u32,
    /// Headline of the listing.
    pub title: Option<String>,
    /// Street, number, unit.
    pub line: Option<String>,
    /// The listing's page.
    pub url: Option<String>,
    /// Told or held back.
    #[serde(flatten)]
    pub verdict: Verdict,
}

impl fmt::Display for AlertId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}
