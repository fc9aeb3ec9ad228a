//! `[alerts]`: what is told, and to whom.

use std::collections::BTreeMap;

use stoop_domain::{Currency, Minor};
use stoop_rules::{DropRule, Rules};
use stoop_sources::settings::{Mistakes, Section};

use super::params::take_one;
use super::surroundings::Surroundings;
use super::values::{number_text, percent_bp};
use crate::webhook::Address;

/// What to alert on and whom to tell.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct AlertSettings {
    /// The rules.
    pub rules: Rules,
    /// Where to POST alerts. On AWS nobody does: alerts go to the topic, and the planner refuses the key.
    pub webhook: Option<Address>,
    /// A webhook that is new gets what was told before, too.
    pub webhook_past: bool,
}

/// The drop that is told where nothing else is said, in hundredths of a percent.
pub(super) const DROP_BP: u32 = 1_500;

impl AlertSettings {
    /// The rules where there is no `[alerts]`: drops of at least `drop_bp` hundredths of a percent are told.
    #[must_use]
    pub fn of_drop(drop_bp: u32) -> Self {
        let rule = DropRule { name: RULE.into(), share_bp_min: Some(drop_bp), amount_min: BTreeMap::new() };
        Self { rules: Rules { drops: vec![rule], ..Rules::default() }, ..Self::default() }
    }
}

const RULE: &str = "price-drop";

/// Reads `[alerts]`. `drop_bp` counts where it names no `drop_percent`. Without surroundings to ask, a webhook that is to be
/// taken from elsewhere is none.
pub(super) fn alert_settings(
    section: &Section<'_>,
    drop_bp: u32,
    surroundings: Option<&dyn Surroundings>,
    mistakes: &mut Mistakes<'_>,
) -> AlertSettings {
    let keys = ["drop_percent", "drop_amount", "noise_percent", "suspect_percent", "webhook", "webhook_past"];
    section.only(&keys, mistakes);
    let mut rules = Rules::default();
    let mut rule = DropRule { name: RULE.into(), share_bp_min: Some(drop_bp), amount_min: BTreeMap::new() };
    if let Some(bp) = percent_bp(section, "drop_percent", mistakes) {
        rule.share_bp_min = Some(bp);
    }
    if let Some(bp) = percent_bp(section, "noise_percent", mistakes) {
        rules.noise_bp = bp;
    }
    if let Some(bp) = percent_bp(section, "suspect_percent", mistakes) {
        rules.suspect_bp = bp;
    }
    if let Some(amounts) = section.table("drop_amount", mistakes) {
        for (code, line) in amounts.keys(mistakes) {
            let accepted = "an amount per currency, like { USD = 25000 }";
            match (Currency::parse(code), number_text(&amounts, code, mistakes)) {
                (Ok(currency), Some(text)) => match Minor::parse_major(&text, currency) {
                    Ok(amount) if amount.0 > 0 => {
                        rule.amount_min.insert(currency, amount);
                    }
                    _ => mistakes.add(line, amounts.key(code), format!("{text} is no amount; accepted: {accepted}")),
                },
                _ => mistakes.add(line, amounts.key(code), format!("accepted: {accepted}")),
            }
        }
    }
    rules.drops = vec![rule];
    let webhook_past = section.boolean("webhook_past", mistakes).unwrap_or_default();
    AlertSettings { rules, webhook: webhook(section, surroundings, mistakes), webhook_past }
}

/// An address as it is written, or taken from where the configuration says; then it is not shown.
fn webhook(
    section: &Section<'_>,
    surroundings: Option<&dyn Surroundings>,
    mistakes: &mut Mistakes<'_>,
) -> Option<Address> {
    let written = section.value("webhook", mistakes)?;
    let line = written.line;
    let (text, shown) = match written.value.as_str() {
        Some(text) => (text.to_owned(), format!("{text:?}")),
        None => {
            let taken = section.table("webhook", mistakes)?;
            (take_one(&taken, line, surroundings?, mistakes)?, "what is there (not shown)".to_owned())
        }
    };
    let address = Address::parse(&text);
    if address.is_none() {
        mistakes.add(line, section.key("webhook"), format!("{shown} is no address; accepted: https://..."));
    }
    address
}
