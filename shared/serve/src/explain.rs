//! Why an alert was raised: the rule, where its reference comes from, and what was asked in between.

use serde::Serialize;
use stoop_domain::{Alert, AlertId, Currency, Home, Minor, Phase, Step, Time, Verdict};
use stoop_market::{Cells, Figures, Segment};
use stoop_rules::DropRule;

use super::home::share_of;
use super::{AlertView, MergedId, as_text_or_null};
use stoop_pipeline::ports::{JudgedAlert, PortError, Store, Views};

/// No ID of an alert is longer.
const ID_BYTES_MAX: usize = 128;

/// An alert and why it was raised. Prices are in major units of its currency, shares 0 to 1.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Explanation {
    /// The alert.
    #[serde(flatten)]
    pub alert: AlertView,
    /// Whether the home's history still gives this alert: not if what a source said later, of an earlier time, changed it.
    /// `None` if the rules or the home are not known.
    pub stands: Option<bool>,
    /// The rule as it was; `null` if it was not stored.
    pub selected_by: Option<RuleView>,
    /// Where the reference comes from.
    pub reference_is: ReferencePrice,
    /// When the reference was last seen; `null` if the history shown does not have it.
    #[serde(serialize_with = "as_text_or_null")]
    pub reference_at: Option<Time>,
    /// What was asked from the reference to the alert, oldest first; empty if the home's history may not be shown.
    pub prices: Vec<AskedView>,
    /// The price now; `null` if the home is not on offer.
    pub price_now: Option<f64>,
    /// The drop beside those of other homes of its market, at the moment shown.
    pub beside: BesideView,
}

/// Where the price comes from that an alert is compared with.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum ReferencePrice {
    /// It is the highest price within 90 days in the same spell.
    HighestPrice,
    /// It is the price of the last alert of the spell.
    EarlierAlert,
    /// It looked like a mistake, and was held for 14 days.
    HeldPrice,
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
    if id.0.is_empty() || id.0.len() > ID_BYTES_MAX {
        return Ok(None);
    }
    let Some(judged) = views.alert(id).await? else { return Ok(None) };
    let home = store.homes(std::slice::from_ref(&judged.alert.home)).await?.pop().flatten();
    let market = store.markets(std::slice::from_ref(&judged.alert.market)).await?.pop().flatten();
    let (home, market) = (home.map(|home| home.value), market.map(|market| market.value));
    Ok(Some(Explanation::of(&judged, home.as_ref(), market.as_ref(), now)))
}

impl Explanation {
    /// Explains an alert at `now`. `home` and `market` are as they are now; `None` if they are not there. What may not be shown
    /// of the home is left out.
    #[must_use]
    pub fn of(judged: &JudgedAlert, home: Option<&Home>, market: Option<&Cells>, now: Time) -> Self {
        let JudgedAlert { alert, rules } = judged;
        let rule = rules.as_ref().and_then(|rules| rules.drops.iter().find(|rule| rule.name == alert.rule));
        let standing = rules.as_ref().zip(home).map(|(rules, home)| rules.standing(&alert.home, home));
        let asked = home.map(|home| asked(home, alert)).unwrap_or_default();
        let reference = first_of_reference(&asked, alert);
        let shown = home.filter(|home| home.may_be_shown_at(now));
        let with_history = shown.is_some_and(Home::history_may_be_shown);
        let beside = market.map(|market| BesideView::of(market, alert, now)).unwrap_or_default();
        let compares = home.is_none_or(Home::estimate_may_be_shown);
        let words = |of: fn(&Home) -> Option<&str>| home.is_none() || shown.and_then(of).is_some();
        let view = AlertView::of(alert);
        Self {
            stands: rules.as_ref().zip(home).map(|(rules, home)| rules.stands(alert, home)),
            selected_by: rule.map(|rule| RuleView::of(rule, alert.market.currency)),
            reference_is: reference_is(standing.as_deref().unwrap_or_default(), home, alert),
            reference_at: reference.filter(|_| with_history).map(|(_, last_seen)| last_seen),
            prices: reference.filter(|_| with_history).map(|(at, _)| prices(&asked[at..], alert)).unwrap_or_default(),
            price_now: shown.and_then(|home| price_now(home, alert, now)),
            beside: BesideView { times_usual: beside.times_usual.filter(|_| compares), ..beside },
            alert: AlertView {
                title: view.title.filter(|_| words(Home::title)),
                line: view.line.filter(|_| words(Home::line)),
                url: view.url.filter(|_| words(Home::url)),
                ..view
            },
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

/// A price while the home was on offer, in the spell and on the terms of the alert.
#[derive(Clone, Copy)]
struct OfferedPrice {
    price: Minor,
    first: Time,
    last: Time,
}

/// What was asked before the alert and at it, oldest first.
fn asked(home: &Home, alert: &Alert) -> Vec<OfferedPrice> {
    let own = spell(home, alert.at);
    let asked = home.history.steps().into_iter().filter_map(|step| {
        let interval = &step.interval;
        let is_on_offer = matches!(interval.facts.status.phase(), Phase::Active | Phase::Pending);
        let counts = is_on_offer && interval.first <= alert.at && Some(spell_of(&step)) == own;
        let price = interval.facts.list_price.filter(|_| counts)?;
        Some(OfferedPrice { price, first: interval.first, last: interval.last })
    });
    asked.collect()
}

/// What begins anew with each spell and each purpose and currency.
fn spell_of(step: &Step<'_>) -> (Time, MergedId) {
    (step.spell.opened_at, MergedId::of(&step.interval.facts.market))
}

/// The spell in which something began.
fn spell(home: &Home, at: Time) -> Option<(Time, MergedId)> {
    home.history.steps().iter().find(|step| step.interval.first == at).map(spell_of)
}

/// Where the last time begins at which the reference was asked before the alert, and when that was last seen.
fn first_of_reference(asked: &[OfferedPrice], alert: &Alert) -> Option<(usize, Time)> {
    let before = &asked[..asked.iter().take_while(|asked| asked.first < alert.at).count()];
    let last = before.iter().rposition(|asked| asked.price == alert.from)?;
    let same = before[..last].iter().rev().take_while(|asked| asked.price == alert.from).count();
    Some((last - same, before[last].last))
}

/// The prices, each once for as long as it is asked.
fn prices(asked: &[OfferedPrice], alert: &Alert) -> Vec<AskedView> {
    let currency = alert.market.currency;
    let mut prices: Vec<AskedView> = Vec::new();
    let mut before: Option<Minor> = None;
    for OfferedPrice { price, first, .. } in asked {
        if before != Some(*price) {
            let change = before.map(|before| share_of(before, *price));
            prices.push(AskedView { at: *first, price: price.major_f64(currency), change });
        }
        before = Some(*price);
    }
    prices
}

/// The price on the terms of the alert, if the home is still on offer.
fn price_now(home: &Home, alert: &Alert, now: Time) -> Option<f64> {
    let facts = home.history.current()?;
    let phase = home.history.status_at(now)?.phase();
    let is_on_offer = matches!(phase, Phase::Active | Phase::Pending);
    let has_terms = MergedId::of(&facts.market) == MergedId::of(&alert.market);
    let price = facts.list_price.filter(|_| is_on_offer && has_terms)?;
    Some(price.major_f64(alert.market.currency))
}

/// Where the reference comes from.
fn reference_is(standing: &[Alert], home: Option<&Home>, alert: &Alert) -> ReferencePrice {
    let spell = |at: Time| home.and_then(|home| spell(home, at));
    let own = spell(alert.at);
    let of_spell = |other: &&Alert| other.at < alert.at && other.to == alert.from && spell(other.at) == own;
    match standing.iter().rfind(of_spell).map(|other| &other.verdict) {
        Some(Verdict::Alert) => ReferencePrice::EarlierAlert,
        Some(Verdict::Suspect(_)) => ReferencePrice::HeldPrice,
        None => ReferencePrice::HighestPrice,
    }
}

#[cfg(test)]
mod tests;
