//! Why an alert was raised: the rule, where its reference comes from, and what was asked in between.

use serde::Serialize;
use stoop_domain::{Alert, AlertId, Currency, Home, Time};
use stoop_market::{Cells, Figures, Segment};
use stoop_rules::DropRule;

use super::home::{IntervalView, intervals};
use super::{AlertView, as_text_or_null};
use crate::ports::{JudgedAlert, PortError, Store, Views};

/// No ID of an alert is longer.
const ID_BYTES_MAX: usize = 128;

/// An alert and why it was raised. Prices are in major units of its currency, shares 0 to 1.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Explanation {
    /// The alert.
    #[serde(flatten)]
    pub alert: AlertView,
    /// Whether the home's history still gives this alert. Not if what a source said later, of an earlier time, changed it.
    pub stands: bool,
    /// The rule as it was; `null` if it was not stored.
    pub selected_by: Option<RuleView>,
    /// Whether the reference is the price of an earlier alert of this home; otherwise it is the highest price within 90 days.
    pub reference_is_alert: bool,
    /// When the reference was asked last; `null` if the history shown does not have it.
    #[serde(serialize_with = "as_text_or_null")]
    pub reference_at: Option<Time>,
    /// What was asked from the reference to the alert, oldest first; empty if the home's history may not be shown.
    pub prices: Vec<AskedView>,
    /// The price now; `null` if the home is not on offer.
    pub price_now: Option<f64>,
    /// The drop beside those of other homes of its market, at the moment shown.
    pub beside: BesideView,
}

/// A rule for price drops.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct RuleView {
    /// The path of the areas for which it is; `null`: everywhere.
    pub area: Option<String>,
    /// The least drop as a share of the reference.
    pub share_min: Option<f64>,
    /// The least drop as an amount in the alert's currency. Either is enough.
    pub amount_min: Option<f64>,
}

/// A price of a home.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct AskedView {
    /// When it was first seen.
    #[serde(serialize_with = "super::as_text")]
    pub at: Time,
    /// The price.
    pub price: f64,
    /// Against the price before, as a share of it.
    pub change: Option<f64>,
}

/// How usual a drop is in a market.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize)]
pub struct BesideView {
    /// The number of homes that ask less than at first.
    pub cut: i64,
    /// The median of how much less they ask.
    pub median_cut: Option<f64>,
    /// The alert's drop, in multiples of that median; `null` if fewer than [`stoop_market::THIN_SAMPLE`] homes were cut.
    pub times_usual: Option<f64>,
    /// The number of price cuts within seven days.
    pub cuts_7_days: i64,
}

/// Explains the alert with this ID at `now`; `None` if there is none.
///
/// # Errors
/// If a port fails.
pub async fn explain(
    id: &AlertId,
    views: &dyn Views,
    store: &dyn Store,
    now: Time,
) -> Result<Option<Explanation>, PortError> {
    if id.0.len() > ID_BYTES_MAX {
        return Ok(None);
    }
    let Some(judged) = views.alert(id).await? else { return Ok(None) };
    let home = store.homes(std::slice::from_ref(&judged.alert.home)).await?.pop().flatten();
    let market = store.markets(std::slice::from_ref(&judged.alert.market)).await?.pop().flatten();
    let (home, market) = (home.map(|home| home.value), market.map(|market| market.value));
    Ok(Some(Explanation::of(&judged, home.as_ref(), market.as_ref(), now)))
}

impl Explanation {
    /// Explains an alert at `now`. `home` and `market` are as they are now; `None` if they are not there.
    #[must_use]
    pub fn of(judged: &JudgedAlert, home: Option<&Home>, market: Option<&Cells>, now: Time) -> Self {
        let JudgedAlert { alert, rules } = judged;
        let rule = rules.as_ref().and_then(|rules| rules.drops.iter().find(|rule| rule.name == alert.rule));
        let standing = rules.as_ref().zip(home).map(|(rules, home)| rules.standing(&alert.home, home));
        let standing = standing.unwrap_or_default();
        let history: Vec<IntervalView> = home.map(intervals).unwrap_or_default();
        let reference = reference(&history, alert);
        let may_show = home.is_some_and(Home::history_may_be_shown);
        let asks = history.last().filter(|last| is_on_offer(last.status));
        Self {
            alert: AlertView::of(alert),
            stands: standing.iter().any(|other| other.id == alert.id),
            selected_by: rule.map(|rule| RuleView::of(rule, alert.market.currency)),
            reference_is_alert: is_of_earlier_alert(&standing, alert),
            reference_at: reference.filter(|_| may_show).map(|(_, at)| at),
            prices: reference.filter(|_| may_show).map(|(from, _)| prices(&history[from..], alert)).unwrap_or_default(),
            price_now: asks.and_then(|last| last.price).filter(|_| home.is_some_and(|home| home.may_be_shown_at(now))),
            beside: market.map(|market| BesideView::of(market, alert, now)).unwrap_or_default(),
        }
    }
}

impl RuleView {
    fn of(rule: &DropRule, currency: Currency) -> Self {
        Self {
            area: rule.area.clone(),
            share_min: rule.share_bp_min.map(|bp| f64::from(bp) / 10_000.0),
            amount_min: rule.amount_min.get(&currency).map(|amount| amount.major_f64(currency)),
        }
    }
}

impl BesideView {
    fn of(market: &Cells, alert: &Alert, now: Time) -> Self {
        let zone = &alert.market.area.country().zone;
        let figures = Figures::of(market, Segment::All, now, zone);
        let usual = figures.median_cut.filter(|usual| *usual > 0.0 && figures.cut >= stoop_market::THIN_SAMPLE);
        Self {
            cut: figures.cut,
            median_cut: figures.median_cut.map(|cut| (cut * 10_000.0).round() / 10_000.0),
            times_usual: usual.map(|usual| (f64::from(alert.drop_bp) / 10_000.0 / usual * 100.0).round() / 100.0),
            cuts_7_days: figures.last_7_days.price_cuts,
        }
    }
}

/// The interval in which the reference was asked last before the alert, and when that interval was last seen.
fn reference(history: &[IntervalView], alert: &Alert) -> Option<(usize, Time)> {
    let mut before = history.iter().enumerate().filter(|(_, interval)| interval.first_seen < alert.at);
    let asked = before.rfind(|(_, interval)| interval.asked == Some(alert.from));
    asked.map(|(at, interval)| (at, interval.last_seen))
}

/// Whether an alert of the home before this one has the reference as its price.
fn is_of_earlier_alert(standing: &[Alert], alert: &Alert) -> bool {
    let mut before =
        standing.iter().filter(|other| other.at < alert.at && other.verdict == stoop_domain::Verdict::Alert);
    before.next_back().is_some_and(|other| other.to == alert.from)
}

/// The prices up to the alert, each once for as long as it is asked.
fn prices(history: &[IntervalView], alert: &Alert) -> Vec<AskedView> {
    let mut prices: Vec<AskedView> = Vec::new();
    for interval in history.iter().take_while(|interval| interval.first_seen <= alert.at) {
        let Some(price) = interval.price.filter(|_| interval.currency == alert.market.currency) else { continue };
        let before = prices.last().map(|before| before.price);
        if before != Some(price) {
            let change = before.map(|before| ((price / before - 1.0) * 10_000.0).round() / 10_000.0);
            prices.push(AskedView { at: interval.first_seen, price, change });
        }
    }
    prices
}

fn is_on_offer(status: &str) -> bool {
    matches!(status, "Active" | "ActiveUnderContract" | "Pending" | "ComingSoon")
}

#[cfg(test)]
mod tests;
