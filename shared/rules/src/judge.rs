use std::collections::{BTreeMap, BTreeSet};

use serde::{Deserialize, Serialize};
use stoop_domain::{
    Alert, AlertId, AreaPath, Currency, Home, HomeId, Market, Minor, Phase, PriceChange, SLIP_BP, Step, Verdict,
};

use crate::offer::{Fall, Offer};

/// All rules in force.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Rules {
    /// The price-drop rules. Of a home those count that name the narrowest area it lies in; a drop that several of them fit
    /// raises one alert, by the first.
    pub drops: Vec<DropRule>,
    /// A price that is less than this share below its reference is noise: no rule sees it. Hundredths of a percent.
    pub noise_bp: u32,
    /// A price that falls by this share or more in one step is suspect: its alert is held back. Hundredths of a percent. What
    /// is *doubtful* ([`stoop_domain::Doubt`]) stays out of figures, by a bound that is fixed.
    pub suspect_bp: u32,
}

/// A price that is worth telling: far enough below its reference by share or by amount.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct DropRule {
    /// The rule's name: part of every alert's id.
    pub name: String,
    /// The beginning of the path of the area that it is for, like `us/tx/travis`; `None`: everywhere.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub area: Option<String>,
    /// At least this share of the reference, in hundredths of a percent.
    pub share_bp_min: Option<u32>,
    /// Or at least this amount, by currency.
    pub amount_min: BTreeMap<Currency, Minor>,
}

impl DropRule {
    fn is_for(&self, area: &AreaPath) -> bool {
        self.area.as_ref().is_none_or(|beginning| area.lies_in(beginning))
    }

    /// How many levels its area has.
    fn depth(&self) -> usize {
        self.area.as_ref().map_or(0, |beginning| beginning.split('/').count())
    }
}

impl Default for Rules {
    /// A drop of at least 15 %; less than 0.5 % is noise, three quarters or more is suspect.
    fn default() -> Self {
        let drop =
            DropRule { name: "price-drop".into(), area: None, share_bp_min: Some(1_500), amount_min: BTreeMap::new() };
        Self { drops: vec![drop], noise_bp: 50, suspect_bp: SLIP_BP }
    }
}

/// Whether a home may have alerts, whatever the rules are: every alert is of a price that is lower than another one of its
/// history, so a home that never named two prices has none.
#[must_use]
pub fn may_raise(home: &Home) -> bool {
    let mut prices = home.history.facts().iter().filter_map(|facts| facts.list_price);
    prices.next().is_some_and(|first| prices.any(|price| price != first))
}

impl Rules {
    /// The alerts of a home as it is now that it did not have as it was before, in order of time.
    #[must_use]
    pub fn judge(&self, id: &HomeId, old: Option<&Home>, new: &Home) -> Vec<Alert> {
        let mut alerts = if may_raise(new) { self.standing(id, new) } else { Vec::new() };
        if !alerts.is_empty()
            && let Some(old) = old
        {
            let known: BTreeSet<AlertId> = self.standing(id, old).into_iter().map(|alert| alert.id).collect();
            alerts.retain(|alert| !known.contains(&alert.id));
        }
        alerts
    }

    /// Every alert that a home's history holds, in order of time.
    ///
    /// An alert's identity is the rule, the home, the price, whether it is held back, and how many such alerts the
    /// home has had: neither its time nor its reference, both of which a late observation may move.
    #[must_use]
    pub fn standing(&self, id: &HomeId, home: &Home) -> Vec<Alert> {
        let mut offer = Offer::default();
        let mut times: BTreeMap<(Minor, bool), u32> = BTreeMap::new();
        let mut alerts = Vec::new();
        for Step { interval, spell, .. } in home.history.steps() {
            let market = &interval.facts.market;
            let Market { purpose, currency, .. } = *market;
            offer.enter(spell, purpose, currency);
            let price = match interval.facts.status.phase() {
                Phase::Active | Phase::Pending => interval.facts.list_price,
                Phase::Before | Phase::Off | Phase::Closed => {
                    offer.pause(interval.first);
                    None
                }
            };
            // A price that is not named any more stands until another is.
            let Some(price) = price else { continue };
            let mut rule = None;
            let tells = |change| {
                rule = self.fits(change, market);
                rule.is_some()
            };
            let fall = offer.ask(price, interval.first, self.suspect_bp, tells);
            let (Some(Fall { change, suspicion }), Some(rule)) = (fall, rule) else { continue };
            let times = times.entry((price, suspicion.is_some())).or_default();
            *times += 1;
            alerts.push(Alert {
                id: alert_id(&rule.name, id, price, suspicion.is_some(), *times),
                rule: rule.name.clone(),
                home: id.clone(),
                market: interval.facts.market.clone(),
                at: interval.first,
                from: change.from,
                to: change.to,
                drop_bp: change.drop_bp(),
                title: home.title().map(str::to_owned),
                line: home.line().map(str::to_owned),
                url: home.url().map(str::to_owned),
                verdict: suspicion.map_or(Verdict::Alert, |why| Verdict::Suspect(why.why())),
            });
        }
        alerts
    }

    fn fits(&self, change: PriceChange, market: &Market) -> Option<&DropRule> {
        let bp = change.drop_bp();
        if bp < self.noise_bp {
            return None;
        }
        let amount = change.from.0.saturating_sub(change.to.0);
        let enough = |rule: &&DropRule| {
            rule.share_bp_min.is_some_and(|min| bp >= min)
                || rule.amount_min.get(&market.currency).is_some_and(|min| amount >= min.0)
        };
        let here = || self.drops.iter().filter(|rule| rule.is_for(&market.area));
        let narrowest = here().map(DropRule::depth).max()?;
        here().filter(|rule| rule.depth() == narrowest).find(enough)
    }
}

/// Hashes rule, home and what happened. Lengths are part of what is hashed, so that no two lists run together.
fn alert_id(rule: &str, home: &HomeId, price: Minor, is_held_back: bool, times: u32) -> AlertId {
    let mut hasher = blake3::Hasher::new();
    for part in [rule, home.as_str()] {
        hasher.update(&(part.len() as u64).to_le_bytes());
        hasher.update(part.as_bytes());
    }
    hasher.update(&price.0.to_le_bytes());
    hasher.update(&[u8::from(is_held_back)]);
    hasher.update(&times.to_le_bytes());
    AlertId(hasher.finalize().to_hex()[..32].to_owned())
}

#[cfg(test)]
mod tests;
