use serde::Serialize;
use stoop_domain::{Alert, Verdict};

/// An alert as people and programs are told it: in `alerts.jsonl`, to a webhook, by `stoop alerts --json`.
/// Prices are in major units of the currency, times are RFC 3339.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct AlertView {
    /// Names the alert for ever: the same drop never has two ids.
    pub id: String,
    /// The rule that raised it.
    pub rule: String,
    /// When the drop was first seen.
    pub at: String,
    /// The home.
    pub home: String,
    /// The market the home is counted in, `us/wa/king/seattle/98178:sale:USD`.
    pub market: String,
    /// The currency of the prices.
    pub currency: String,
    /// The highest price asked within 90 days, or the price told before: what the price is compared with.
    pub from: f64,
    /// The price.
    pub to: f64,
    /// How far the price is below that, as a share of it: 0.15 is 15 %.
    pub drop: f64,
    /// Headline of the listing.
    pub title: Option<String>,
    /// Street, number, unit.
    pub line: Option<String>,
    /// The listing's page.
    pub url: Option<String>,
    /// Why it was held back; `null` for an alert that is told.
    pub why_suspect: Option<String>,
}

impl AlertView {
    /// The view of an alert.
    #[must_use]
    pub fn of(alert: &Alert) -> Self {
        let currency = alert.market.currency;
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
            url: alert.url.clone(),
            why_suspect: match &alert.verdict {
                Verdict::Alert => None,
                Verdict::Suspect(why) => Some(why.clone()),
            },
        }
    }
}
