use std::collections::{BTreeMap, BTreeSet};

use serde::{Deserialize, Serialize};
use stoop_domain::{
    Alert, AlertId, AreaPath, Currency, Home, HomeId, Market, Minor, Phase, PriceChange, SLIP_BP, Step, Verdict,
};

use crate::offer::{Fall, Offer};

/// The rules that select alerts.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Rules {
    /// The price-drop rules. Only the rules with the narrowest area that contains the home apply to it. If several of
    /// them select a drop, the first one raises the alert.
    pub drops: Vec<DropRule>,
    /// Prices less than this share below their reference are ignored by all rules. In basis points (hundredths of a
    /// percent).
    pub noise_bp: u32,
    /// A price that falls by this share or more in one step is suspect: its alert is not sent. In basis points.
    /// *Doubtful* prices ([`stoop_domain::Doubt`]) have a fixed bound instead and are in no figure.
    pub suspect_bp: u32,
}

/// A rule for price drops: the minimum distance of a price below its reference, as a share or an amount.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct DropRule {
    /// The name, which is part of the ID of every alert.
    pub name: String,
    /// A prefix of the area paths to which the rule applies, such as `us/tx/travis`. `None`: everywhere.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub area: Option<String>,
    /// The minimum share of the reference, in basis points.
    pub share_bp_min: Option<u32>,
    /// The minimum amount, by currency. Either minimum is enough.
    pub amount_min: BTreeMap<Currency, Minor>,
}

impl DropRule {
    fn is_for(&self, area: &AreaPath) -> bool {
        self.area.as_ref().is_none_or(|beginning| area.lies_in(beginning))
    }

    /// The number of levels of its area.
    fn depth(&self) -> usize {
        self.area.as_ref().map_or(0, |beginning| beginning.split('/').count())
    }
}

/// What a new version of a home means for its alerts.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Judgement {
    /// The alerts that the old version did not have, in order of time.
    pub raised: Vec<Alert>,
    /// The alerts of the old version that the new one does not have, because it knows more of an earlier time.
    pub disproved: Vec<AlertId>,
}

impl Default for Rules {
    /// A drop of at least 15 %. Less than 0.5 % is ignored; three quarters or more is suspect.
    fn default() -> Self {
        let drop =
            DropRule { name: "price-drop".into(), area: None, share_bp_min: Some(1_500), amount_min: BTreeMap::new() };
        Self { drops: vec![drop], noise_bp: 50, suspect_bp: SLIP_BP }
    }
}

/// Whether any rules can select an alert for a home. An alert needs a price lower than another one in the history, so a
/// home with a single price has none.
#[must_use]
pub fn may_raise(home: &Home) -> bool {
    let mut prices = home.history.facts().iter().filter_map(|facts| facts.list_price);
    prices.next().is_some_and(|first| prices.any(|price| price != first))
}

impl Rules {
    /// The difference between the standing alerts of two versions of a home.
    #[must_use]
    pub fn judge(&self, id: &HomeId, old: Option<&Home>, new: &Home) -> Judgement {
        let standing = |home: &Home| if may_raise(home) { self.standing(id, home) } else { Vec::new() };
        let mut raised = standing(new);
        let before = old.map(standing).unwrap_or_default();
        let ids = |alerts: &[Alert]| -> BTreeSet<AlertId> { alerts.iter().map(|alert| alert.id.clone()).collect() };
        let (known, stands) = (ids(&before), ids(&raised));
        raised.retain(|alert| !known.contains(&alert.id));
        let disproved = before.into_iter().map(|alert| alert.id).filter(|id| !stands.contains(id)).collect();
        Judgement { raised, disproved }
    }

    /// Whether the home, which is that of the alert, has it in its history: it stands.
    #[must_use]
    pub fn stands(&self, alert: &Alert, home: &Home) -> bool {
        may_raise(home) && self.standing(&alert.home, home).iter().any(|other| other.id == alert.id)
    }

    /// All alerts of a home's history, in order of time.
    ///
    /// The ID of an alert depends on the rule, the home, the price, whether it is suspect, and the number of such
    /// alerts of the home before. It depends neither on the time nor on the reference, because a late observation may
    /// change both.
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
            // The last price holds until another one appears.
            let Some(price) = price else { continue };
            let mut rule = None;
            let is_selected = |change| {
                rule = self.fits(change, market);
                rule.is_some()
            };
            let fall = offer.change_price(price, interval.first, self.suspect_bp, is_selected);
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
                withdrawn: None,
                other_listings: Vec::new(),
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

/// Hashes the parts of an alert's identity. The lengths are hashed as well, so that different parts never give the same
/// bytes.
fn alert_id(rule: &str, home: &HomeId, price: Minor, is_suspect: bool, times: u32) -> AlertId {
    let mut hasher = blake3::Hasher::new();
    for part in [rule, home.as_str()] {
        hasher.update(&(part.len() as u64).to_le_bytes());
        hasher.update(part.as_bytes());
    }
    hasher.update(&price.0.to_le_bytes());
    hasher.update(&[u8::from(is_suspect)]);
    hasher.update(&times.to_le_bytes());
    AlertId(hasher.finalize().to_hex()[..32].to_owned())
}

#[cfg(test)]
mod tests;
