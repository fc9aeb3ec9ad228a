//! `docs/METRICS.md` and `docs/openapi.json` have the figures of the catalogue. `UPDATE_DOCS=1` writes them.

use std::fmt::Write;
use std::path::PathBuf;

use stoop_market::{Definition, Group, Unit, Window};

fn docs(name: &str) -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../../docs").join(name)
}

/// Compares the part of a file between two lines with what it should be, or writes it.
pub(crate) fn check(name: &str, begin: &str, end: &str, expected: &str) {
    let path = docs(name);
    let text = std::fs::read_to_string(&path).unwrap();
    let from = text.find(begin).unwrap_or_else(|| panic!("{name} has no {begin}")) + begin.len();
    let until = from + text[from..].find(end).unwrap_or_else(|| panic!("{name} has no {end}"));
    if text[from..until] == *expected {
        return;
    }
    assert!(std::env::var_os("UPDATE_DOCS").is_some(), "{name} is not up to date: run this test with UPDATE_DOCS=1");
    std::fs::write(path, format!("{}{expected}{}", &text[..from], &text[until..])).unwrap();
}

/// The value of the example as views show it.
fn example(figure: &Definition) -> String {
    let value = figure.example;
    match figure.unit {
        Unit::Money | Unit::MoneyPerArea => format!("{:.0}", value / 100.0),
        _ => format!("{value}"),
    }
}

fn table(group: Group) -> String {
    let mut table = String::from(
        "| Figure | Definition | Unit | Needs | Sample | Within | Interval | Others | Example |\n|---|---|---|---|---|---|---|---|---|\n",
    );
    for figure in Definition::all().filter(|figure| figure.group == group) {
        let Definition { name, meaning, formula, unit, fields, sample, follows, .. } = figure;
        let formula = if *formula == "count" { String::new() } else { format!(" {formula}") };
        let fields: Vec<String> = fields.iter().map(|field| format!("`{field}`")).collect();
        let within = if figure.resolution > 0.0 { format!("{} %", figure.resolution * 100.0) } else { String::new() };
        let interval = figure.interval_method().unwrap_or_default();
        let sample = sample.map_or_else(String::new, |(name, least)| format!("`{name}`, {least}"));
        writeln!(
            table,
            "| `{name}` | {meaning}{} | {} | {} | {sample} | {within} | {interval} | {follows} | {} |",
            if formula.is_empty() { String::new() } else { format!("<br>={formula}") },
            unit.as_str(),
            fields.join(", "),
            example(figure)
        )
        .unwrap();
    }
    table
}

#[test]
fn metrics_has_every_figure() {
    let groups = Group::ALL.map(|group| format!("\n### {}\n\n{}", group.as_str(), table(group)));
    check(
        "METRICS.md",
        "<!-- figures of the catalogue -->\n",
        "<!-- end of the figures -->",
        &format!("{}\n", groups.concat()),
    );
}

/// A member of a schema.
fn member(figure: &Definition) -> String {
    let kind = if figure.unit.is_whole() && figure.sample.is_none() {
        "[\"integer\", \"null\"]"
    } else {
        "[\"number\", \"null\"]"
    };
    let kind = if figure.is_value() || !figure.unit.is_whole() { kind } else { "\"integer\"" };
    format!("          \"{}\": {{\"type\": {kind}, \"description\": \"{}\"}}", figure.name, figure.meaning)
}

fn schema(name: &str, description: &str, required: &[&str], members: &[String]) -> String {
    let required: Vec<String> = required.iter().map(|name| format!("          \"{name}\"")).collect();
    format!(
        "      \"{name}\": {{\n        \"type\": \"object\",\n        \"required\": [\n{}\n        ],\n        \"properties\": {{\n{}\n        }},\n        \"description\": \"{description}\"\n      }},\n",
        required.join(",\n"),
        members.join(",\n")
    )
}

/// The member with the confidence intervals.
fn intervals() -> String {
    "          \"intervals\": {\n            \"type\": \"object\",\n            \"additionalProperties\": {\"$ref\": \"#/components/schemas/ConfidenceInterval\"},\n            \"description\": \"The 95 % confidence intervals of the figures that have one, by their names.\"\n          }"
        .into()
}

#[test]
fn the_api_document_has_every_figure() {
    let flows: Vec<&Definition> = Definition::all().filter(|it| it.is_of_windows() && !it.is_value()).collect();
    let windows: Vec<&Definition> = Definition::all().filter(|it| it.is_of_windows()).collect();
    let moment: Vec<&Definition> = Definition::all().filter(|it| !it.is_of_windows()).collect();
    let names = |figures: &[&Definition]| figures.iter().map(|it| it.name).collect::<Vec<_>>();
    let members = |figures: &[&Definition]| figures.iter().map(|it| member(it)).collect::<Vec<_>>();
    let mut required = names(&moment);
    required.extend(["thin", "last_24_hours", "last_7_days", "last_28_days", "last_90_days"]);
    let mut properties = members(&moment);
    properties
        .push("          \"thin\": {\"type\": \"boolean\", \"description\": \"Whether priced is under 10.\"}".into());
    properties.push(
        "          \"last_24_hours\": {\n            \"anyOf\": [{\"$ref\": \"#/components/schemas/Flows\"}, {\"type\": \"null\"}],\n            \"description\": \"null if the hours are no longer kept.\"\n          }"
            .into(),
    );
    properties.push(intervals());
    for window in Window::OF_DAYS {
        properties.push(format!("          \"{}\": {{\"$ref\": \"#/components/schemas/Window\"}}", window.as_str()));
    }
    let schemas = [
        schema(
            "Flows",
            "Counts of events. The first five are entries, the next five exits: stock at the end is stock at the start plus entries minus exits.",
            &names(&flows),
            &members(&flows),
        ),
        schema(
            "Window",
            "Counts of events, and other figures of a window.",
            &names(&windows),
            &members(&windows).into_iter().chain([intervals()]).collect::<Vec<_>>(),
        ),
        schema("Figures", "docs/METRICS.md defines each figure. null without data.", &required, &properties),
    ];
    check("openapi.json", "    \"schemas\": {\n", "      \"Health\": {", &schemas.concat());

    let of_windows = |window: Window| {
        let figures = Definition::all().filter(move |figure| figure.windows().contains(&window));
        figures.map(move |figure| format!("{}_{}", window.as_str(), figure.name))
    };
    let sorts = moment.iter().map(|it| it.name.to_owned()).chain(Window::ALL.into_iter().flat_map(of_windows));
    let sorts = sorts.chain(["active_change", "median_price_change"].map(str::to_owned));
    let sorts: Vec<String> = sorts.map(|name| format!("                \"{name}\"")).collect();
    let sorts = format!("{}\n              ]", sorts.join(",\n"));
    let begin = "\"description\": \"The figure to rank by, lowest first; needs area or level. Default: active, highest first.\",\n            \"schema\": {\n              \"type\": \"string\",\n              \"enum\": [\n";
    check("openapi.json", begin, "\n            }", &sorts);
}
