//! Compiles TOML to a [`Plan`] and collects every mistake.

use jiff::tz::TimeZone;

use super::columns::{Columns, condition};
use super::json_path;
use super::parse_field::recipe;
use super::parse_http;
use super::parse_read::{hints, note};
use super::plan::{Condition, KnownValue, Order, Plan, Recipe};
use super::target::{Target, TargetKind};
use super::trie::{self, Trie};
use super::values;
use crate::settings::{MapErrors, Mistakes, Section, accepted};

pub(super) const KEYS: [&str; 11] =
    ["name", "country", "currency", "purpose", "time_zone", "order", "history", "read", "skip", "fields", "http"];

pub(super) fn plan(text: &str, file: &str) -> Result<Plan, MapErrors> {
    let mut mistakes = Mistakes::new(file, text);
    let document = crate::settings::parse(text, &mut mistakes);
    let plan = document.as_ref().map(|document| walk(&Section::root(document.get_ref()), file, &mut mistakes));
    match plan {
        Some(plan) if mistakes.is_empty() => Ok(plan),
        _ => Err(mistakes.into_errors()),
    }
}

fn walk(root: &Section<'_>, file: &str, mistakes: &mut Mistakes<'_>) -> Plan {
    root.only(&KEYS, mistakes);
    let mut columns = Columns::default();
    let zone = zone(root, mistakes);
    let skips = skips(root, &mut columns, mistakes);
    let fields = fields(root, &zone, &mut columns, mistakes);
    let hints = hints(root, mistakes);
    let purpose = match root.text("purpose", mistakes) {
        Some((text, line)) => match values::known(TargetKind::Purpose, text) {
            Ok(KnownValue::Purpose(purpose)) => Some(purpose),
            Ok(_) => None,
            Err(problem) => note(mistakes, line, "purpose", problem),
        },
        None => None,
    };
    required(root, mistakes);
    let http = root.table("http", mistakes);
    let http = http.map(|section| parse_http::walk(&section, hints.rows.as_deref(), &mut columns, mistakes));
    let places: Vec<Option<Vec<String>>> = columns.all.iter().map(|column| path(&column.name)).collect();
    Plan {
        file: file.to_owned(),
        name: name(root, mistakes).into(),
        country: country(root, mistakes),
        currency: match root.text("currency", mistakes) {
            Some((text, line)) => match values::known(TargetKind::Currency, text) {
                Ok(KnownValue::Currency(currency)) => Some(currency),
                Ok(_) => None,
                Err(problem) => note(mistakes, line, "currency", problem),
            },
            None => None,
        },
        purpose,
        zone,
        order: order(root, mistakes),
        history: history(root, &fields, mistakes),
        http,
        hints,
        trie: Trie::new(&places),
        columns: columns.all,
        paths: columns.paths,
        skips,
        fields,
    }
}

fn name(root: &Section<'_>, mistakes: &mut Mistakes<'_>) -> String {
    let Some((name, line)) = root.text("name", mistakes) else {
        if !root.has("name") {
            mistakes.add(1, "name", "is missing: the source's name, the first half of every home's id, like \"avito\"");
        }
        return String::new();
    };
    let fits = !name.is_empty()
        && name.len() <= 64
        && name.bytes().all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'-');
    if !fits {
        mistakes.add(line, "name", format!("{name:?}; accepted: a to z, 0 to 9 and -, at most 64 of them"));
    }
    name.to_owned()
}

fn country(root: &Section<'_>, mistakes: &mut Mistakes<'_>) -> Option<String> {
    let (code, line) = root.text("country", mistakes)?;
    if code.len() != 2 || !code.bytes().all(|b| b.is_ascii_alphabetic()) {
        mistakes.add(line, "country", format!("{code:?}; accepted: two letters of ISO 3166-1, like \"MA\""));
    }
    Some(code.to_ascii_uppercase())
}

fn zone(root: &Section<'_>, mistakes: &mut Mistakes<'_>) -> TimeZone {
    let Some((name, line)) = root.text("time_zone", mistakes) else { return TimeZone::UTC };
    if name == "UTC" {
        return TimeZone::UTC;
    }
    TimeZone::get(name).unwrap_or_else(|_| {
        mistakes.add(
            line,
            "time_zone",
            format!("{name:?} is not in the IANA database; accepted: a name like \"Africa/Casablanca\" or \"UTC\""),
        );
        TimeZone::UTC
    })
}

fn order(root: &Section<'_>, mistakes: &mut Mistakes<'_>) -> Order {
    match root.text("order", mistakes) {
        None | Some(("by-time", _)) => Order::ByTime,
        Some(("any", _)) => Order::Any,
        Some(("newest-first", _)) => Order::NewestFirst,
        Some((text, line)) => {
            mistakes.add(line, "order", format!("{text:?}; {}", accepted(text, ["by-time", "any", "newest-first"])));
            Order::ByTime
        }
    }
}

fn history(root: &Section<'_>, fields: &[Option<Recipe>; Target::COUNT], mistakes: &mut Mistakes<'_>) -> bool {
    let history = root.boolean("history", mistakes).unwrap_or_default();
    if history && fields[Target::OBSERVED_AT.index()].is_none() {
        mistakes.add(root.line(), "history", "is true, but no field `observed_at` says when a row was so");
    }
    if history && root.has("http") {
        mistakes.add(
            root.line(),
            "history",
            "is true, which goes with files alone: a page of an API shows the present",
        );
    }
    history
}

fn skips(root: &Section<'_>, columns: &mut Columns, mistakes: &mut Mistakes<'_>) -> Vec<Condition> {
    root.tables("skip", mistakes).iter().filter_map(|section| condition(section, columns, mistakes)).collect()
}

fn fields(
    root: &Section<'_>,
    zone: &TimeZone,
    columns: &mut Columns,
    mistakes: &mut Mistakes<'_>,
) -> [Option<Recipe>; Target::COUNT] {
    let mut fields = [const { None }; Target::COUNT];
    let Some(section) = root.table("fields", mistakes) else {
        if !root.has("fields") {
            mistakes.add(1, "fields", "is missing: at least [fields.native_id] must be there");
        }
        return fields;
    };
    for (name, line) in section.keys(mistakes) {
        match Target::parse(name) {
            Some(target) => {
                if let Some(table) = section.table(name, mistakes) {
                    fields[target.index()] = recipe(&table, target, zone, columns, mistakes);
                }
            }
            None => {
                let problem = format!("a listing has no such field; {}", accepted(name, Target::names()));
                mistakes.add(line, section.key(name), problem);
            }
        }
    }
    if !section.has("native_id") {
        mistakes.add(section.line(), "fields.native_id", "is missing: the source's own id of a listing");
    }
    fields
}

/// Checks that need the whole map.
fn required(root: &Section<'_>, mistakes: &mut Mistakes<'_>) {
    let fields = root.value("fields", mistakes).and_then(|value| value.value.as_table());
    let field = fields.is_some_and(|fields| fields.contains_key("purpose"));
    if !root.has("purpose") && !field {
        let problem = "is missing: \"sale\" or \"rent\" for all rows, or a [fields.purpose] that distinguishes them";
        mistakes.add(1, "purpose", problem);
    }
}

/// Path of a column in a JSON row; `None` for a JSONPath.
fn path(name: &str) -> Option<Vec<String>> {
    match name.as_bytes() {
        [b'/', ..] => Some(trie::pointer(name).unwrap_or_default()),
        _ => (!json_path::is_path(name)).then(|| vec![name.to_owned()]),
    }
}
