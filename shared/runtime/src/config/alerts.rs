//! `[alerts]`: what is told, and to whom.

use std::collections::BTreeMap;

use stoop_domain::{Currency, Minor};
use stoop_rules::{DropRule, Rules};
use stoop_sources::settings::{Mistakes, Section};

use super::values::{number_text, percent_bp};

/// What to alert on and whom to tell.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct AlertSettings {
    /// The rules.
    pub rules: Rules,
    /// Where to POST alerts. On AWS nobody does: alerts go to the topic, and the planner refuses the key.
    pub webhook: Option<String>,
}

/// The drop that is told where nothing else is said, in hundredths of a percent.
pub(super) const DROP_BP: u32 = 1_500;

impl AlertSettings {
    /// The rules where there is no `[alerts]`: drops of at least `drop_bp` hundredths of a percent are told.
    #[must_use]
    pub fn of_drop(drop_bp: u32) -> Self {
        let rule = DropRule { name: RULE.into(), share_bp_min: Some(drop_bp), amount_min: BTreeMap::new() };
        Self { rules: Rules { drops: vec![rule], ..Rules::default() }, webhook: None }
    }
}

const RULE: &str = "price-drop";

/// Reads `[alerts]`. `drop_bp` counts where it names no `drop_percent`.
pub(super) fn alert_settings(section: &Section<'_>, drop_bp: u32, mistakes: &mut Mistakes<'_>) -> AlertSettings {
    section.only(&["drop_percent", "drop_amount", "noise_percent", "suspect_percent", "webhook"], mistakes);
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
    let webhook = section.text("webhook", mistakes).and_then(|(url, line)| {
        let known = url.starts_with("https://") || url.starts_with("http://");
        if !known {
            mistakes.add(line, section.key("webhook"), format!("{url:?} is no address; accepted: https://..."));
        }
        known.then(|| url.to_owned())
    });
    AlertSettings { rules, webhook }
}
