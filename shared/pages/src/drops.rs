//! What pages say of an alert.

use stoop_domain::{Alert, Verdict};

/// How far the price is below the reference, as a share of it.
pub(crate) fn depth(alert: &Alert) -> f64 {
    f64::from(alert.drop_bp) / 10_000.0
}

/// What a home is called: its street, else its headline, else its ID.
pub(crate) fn words(alert: &Alert) -> &str {
    alert.line.as_deref().or(alert.title.as_deref()).unwrap_or(alert.home.as_str())
}

/// The price before and after.
pub(crate) fn prices(alert: &Alert) -> String {
    let currency = alert.market.currency;
    format!("{} → {}", stoop_show::money(alert.from, currency), stoop_show::money(alert.to, currency))
}

/// Why an alert was held back.
pub(crate) fn held_back(alert: &Alert) -> Option<&str> {
    match &alert.verdict {
        Verdict::Alert => None,
        Verdict::Suspect(why) => Some(why),
    }
}
