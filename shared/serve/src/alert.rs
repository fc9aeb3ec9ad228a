use serde::Serialize;
use stoop_domain::{Alert, AlertListing, Verdict};

use super::web_address;

/// An alert as people and programs get it: in `alerts.jsonl`, at a webhook, from `stoop alerts --json`. Prices are in
/// major units of the currency, times are RFC 3339.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct AlertView {
    /// Identifies the alert for ever: the same drop never has two IDs.
    pub id: String,
    /// The rule that raised it.
    pub rule: String,
    /// When the drop was first seen.
    pub at: String,
    /// The home.
    pub home: String,
    /// The market of the home, `us/wa/king/seattle/98178:sale:USD`.
    pub market: String,
    /// The currency of the prices.
    pub currency: String,
    /// The reference price: the highest price within 90 days, or that of the previous alert.
    pub from: f64,
    /// The price.
    pub to: f64,
    /// How far the price is below the reference, as a share of it: 0.15 is 15 %.
    pub drop: f64,
    /// Title of the listing.
    pub title: Option<String>,
    /// Street, number, unit.
    pub line: Option<String>,
    /// The listing's page.
    pub url: Option<String>,
    /// Why it was held back; `null` for an alert that is sent.
    pub why_suspect: Option<String>,
    /// When rows that arrived later disproved it; `null` if it stands.
    pub withdrawn_at: Option<String>,
    /// The other listings of the home on the market. Empty where each listing counts as a home, where a source does not let them be
    /// shown, and in `alerts.jsonl`.
    pub other_listings: Vec<AlertListingView>,
}

/// Another listing of an alert's home.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct AlertListingView {
    /// Its ID.
    pub listing: String,
    /// What it asks now, in the alert's currency.
    pub list_price: Option<f64>,
    /// Its page.
    pub url: Option<String>,
}

impl AlertView {
    /// The view of an alert.
    #[must_use]
    pub fn of(alert: &Alert) -> Self {
        let currency = alert.market.currency;
        let listing = |other: &AlertListing| AlertListingView {
            listing: other.listing.to_string(),
            list_price: other.list_price.map(|price| price.major_f64(currency)),
            url: other.url.as_deref().and_then(web_address),
        };
        Self {
            id: alert.id.to_string(),
            rule: alert.rule.clone(),
            at: alert.at.to_string(),
            home: alert.home.to_string(),
            market: alert.market.to_string(),
            currency: currency.to_string(),
            from: alert.from.major_f64(currency),
            to: alert.to.major_f64(currency),
            drop: f64::from(alert.drop_bp) / 10_000.0,
            title: alert.title.clone(),
            line: alert.line.clone(),
            url: alert.url.as_deref().and_then(web_address),
            why_suspect: match &alert.verdict {
                Verdict::Alert => None,
                Verdict::Suspect(why) => Some(why.clone()),
            },
            withdrawn_at: alert.withdrawn.map(|at| at.to_string()),
            other_listings: alert.other_listings.iter().map(listing).collect(),
        }
    }
}
