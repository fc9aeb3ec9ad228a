//! `[alerts]`: the alert rules and the webhook.

use std::collections::BTreeMap;

use stoop_domain::{Currency, Minor};
use stoop_rules::{DropRule, Rules};
use stoop_sources::settings::{Mistakes, Section};

use super::environment::Environment;
use super::params::take_one;
use super::values::{number_text, percent_bp};
use crate::webhook::Address;

/// The alert rules, and where alerts are sent.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct AlertSettings {
    /// The alert rules.
    pub rules: Rules,
    /// The URL to POST alerts to. Not on AWS: alerts go to the topic, and the planner refuses the key.
    pub webhook: Option<Address>,
    /// Whether a new webhook also gets the alerts recorded before it.
    pub webhook_past: bool,
}

/// The default drop that is an alert, in basis points.
pub(super) const DROP_BP: u32 = 1_500;

impl AlertSettings {
    /// The default rules: drops of at least `drop_bp` basis points are alerts.
    #[must_use]
    pub fn of_drop(drop_bp: u32) -> Self {
        Self { rules: Rules { drops: vec![rule_of(drop_bp)], ..Rules::default() }, ..Self::default() }
    }
}

/// One name, so that a changed threshold does not give an alert another ID.
const RULE: &str = "price-drop";

fn rule_of(drop_bp: u32) -> DropRule {
    DropRule { name: RULE.into(), area: None, share_bp_min: Some(drop_bp), amount_min: BTreeMap::new() }
}

/// Reads `[alerts]`. `drop_bp` is the default of `drop_percent`. Without an environment, a webhook that is taken from
/// elsewhere is omitted. `find` gives the path of an area, or the reason why there is none.
pub(super) fn alert_settings(
    section: &Section<'_>,
    drop_bp: u32,
    environment: Option<&dyn Environment>,
    find: &dyn Fn(&str) -> Result<String, String>,
    mistakes: &mut Mistakes<'_>,
) -> AlertSettings {
    let keys = ["drop_percent", "drop_amount", "noise_percent", "suspect_percent", "areas", "webhook", "webhook_past"];
    section.only(&keys, mistakes);
    let mut rules = Rules::default();
    let mut rule = rule_of(drop_bp);
    if let Some(bp) = percent_bp(section, "drop_percent", mistakes) {
        rule.share_bp_min = Some(bp);
    }
    if let Some(bp) = percent_bp(section, "noise_percent", mistakes) {
        rules.noise_bp = bp;
    }
    if let Some(bp) = percent_bp(section, "suspect_percent", mistakes) {
        rules.suspect_bp = bp;
    }
    rule.amount_min = amounts(section, mistakes);
    rules.drops = vec![rule];
    for area in section.tables("areas", mistakes) {
        let Some(rule) = rule_of_area(&area, find, mistakes) else { continue };
        if rules.drops.iter().any(|known| known.area == rule.area) {
            let path = rule.area.unwrap_or_default();
            mistakes.add(
                area.line(),
                area.key("area"),
                format!("{path} has its thresholds above; accepted: each area once"),
            );
            continue;
        }
        rules.drops.push(rule);
    }
    let webhook_past = section.boolean("webhook_past", mistakes).unwrap_or_default();
    AlertSettings { rules, webhook: webhook(section, environment, mistakes), webhook_past }
}

/// The amounts of `drop_amount`, by currency.
fn amounts(section: &Section<'_>, mistakes: &mut Mistakes<'_>) -> BTreeMap<Currency, Minor> {
    let mut found = BTreeMap::new();
    if let Some(amounts) = section.table("drop_amount", mistakes) {
        for (code, line) in amounts.keys(mistakes) {
            let accepted = "an amount per currency, like { USD = 25000 }";
            match (Currency::parse(code), number_text(&amounts, code, mistakes)) {
                (Ok(currency), Some(text)) => match Minor::parse_major(&text, currency) {
                    Ok(amount) if amount.0 > 0 => {
                        found.insert(currency, amount);
                    }
                    _ => {
                        mistakes.add(line, amounts.key(code), format!("{text} is not an amount; accepted: {accepted}"))
                    }
                },
                _ => mistakes.add(line, amounts.key(code), format!("accepted: {accepted}")),
            }
        }
    }
    found
}

/// The thresholds of one area, instead of those of `[alerts]`.
fn rule_of_area(
    section: &Section<'_>,
    find: &dyn Fn(&str) -> Result<String, String>,
    mistakes: &mut Mistakes<'_>,
) -> Option<DropRule> {
    section.only(&["area", "drop_percent", "drop_amount"], mistakes);
    let share_bp_min = percent_bp(section, "drop_percent", mistakes);
    let amount_min = amounts(section, mistakes);
    if !section.has("drop_percent") && !section.has("drop_amount") {
        mistakes.add(section.line(), section.path(), "names no threshold; accepted: drop_percent, drop_amount or both");
    }
    let Some((text, line)) = section.text("area", mistakes) else {
        if !section.has("area") {
            let problem = "is missing; accepted: a place like \"austin tx\" or a path like us/tx/travis/austin";
            mistakes.add(section.line(), section.key("area"), problem);
        }
        return None;
    };
    match find(text) {
        Ok(path) => Some(DropRule { name: RULE.into(), area: Some(path), share_bp_min, amount_min }),
        Err(problem) => {
            mistakes.add(line, section.key("area"), problem);
            None
        }
    }
}

/// A URL as written, or taken from where the configuration says; the latter is not shown in messages.
fn webhook(
    section: &Section<'_>,
    environment: Option<&dyn Environment>,
    mistakes: &mut Mistakes<'_>,
) -> Option<Address> {
    let written = section.value("webhook", mistakes)?;
    let line = written.line;
    let (text, shown) = match written.value.as_str() {
        Some(text) => (text.to_owned(), format!("{text:?}")),
        None => {
            let taken = section.table("webhook", mistakes)?;
            (take_one(&taken, line, environment?, mistakes)?, "the value (not shown)".to_owned())
        }
    };
    let address = Address::parse(&text);
    if address.is_none() {
        mistakes.add(line, section.key("webhook"), format!("{shown} is not a URL; accepted: https://..."));
    }
    address
}
