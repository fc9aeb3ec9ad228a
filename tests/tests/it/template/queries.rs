//! The saved queries of Logs Insights ask for what the functions log, where they log it.

use std::collections::BTreeSet;

use super::document::{Template, listed, root};
use super::sources;

/// What Lambda and CloudWatch put into a line, or what a query makes itself.
const NOT_OURS: [&str; 4] = ["type", "record.status", "level", "timestamp"];

/// The words of a query that are fields of a line: with a dot in them, as JSON is flattened, and not between quotes.
fn fields(query: &str) -> BTreeSet<&str> {
    let code = query.lines().filter(|line| !line.trim_start().starts_with('#'));
    let code = code.flat_map(|line| line.split('"').step_by(2));
    let words = code.flat_map(|part| part.split(|c: char| !(c.is_ascii_alphanumeric() || c == '_' || c == '.')));
    words.filter(|word| word.contains('.') && word.starts_with(|c: char| c.is_ascii_alphabetic())).collect()
}

/// What stands between the parentheses of each of these macros.
fn arguments<'t>(text: &'t str, opening: &str) -> Vec<&'t str> {
    let begins = text.match_indices(opening).map(|(at, opening)| &text[at + opening.len()..]);
    begins.map(|rest| rest.split_once(';').map_or(rest, |(arguments, _)| arguments)).collect()
}

/// Whether a macro's arguments have a field: `name`, `name = ...`, `%name`, `?name`.
fn has_field(arguments: &str, field: &str) -> bool {
    let mut parts = arguments.split([',', '(', '{']).map(|part| part.trim().trim_start_matches(['%', '?']));
    parts.any(|part| part.strip_prefix(field).is_some_and(|rest| rest.is_empty() || rest.trim_start().starts_with('=')))
}

#[test]
fn a_query_asks_for_fields_that_are_logged_in_groups_that_there_are() {
    let template = Template::load();
    let text = sources(&root().join("functions")) + &sources(&root().join("shared"));
    let macros = ["tracing::error!(", "tracing::warn!(", "tracing::info!(", "tracing::debug!(", "_span!("];
    let logged: Vec<&str> = macros.iter().flat_map(|opening| arguments(&text, opening)).collect();
    let queries: Vec<_> = template.of("AWS::Logs::QueryDefinition").collect();
    assert_eq!(queries.len(), 3);
    for query in queries {
        for group in listed(&query.properties["LogGroupNames"]) {
            let kind = template.named(group).map(|group| group.kind);
            assert_eq!(kind, Some("AWS::Logs::LogGroup"), "{}: {group} is no group of this template", query.id);
        }
        let asked = fields(query.properties["QueryString"].as_str().unwrap());
        assert!(asked.len() > 4, "{}: {asked:?}", query.id);
        for field in asked.into_iter().filter(|field| !NOT_OURS.contains(field)) {
            let (place, name) = field.split_once('.').unwrap();
            assert!(matches!(place, "fields" | "span"), "{}: {field} is no part of a line", query.id);
            let written = name == "message" || logged.iter().any(|arguments| has_field(arguments, name));
            assert!(written, "{}: nothing logs {field}", query.id);
        }
    }
}

#[test]
fn a_field_that_nobody_logs_would_be_seen() {
    let text = "tracing::error!(why = message, %refused, search = task.search, \"left {x}\");\n let drift = 1;";
    let logged = arguments(text, "tracing::error!(");
    assert_eq!(logged.len(), 1);
    for (field, there) in [("why", true), ("refused", true), ("search", true), ("message", false), ("drift", false)] {
        assert_eq!(has_field(logged[0], field), there, "{field}");
    }
    let query = "# a comment with a.field\nfields @timestamp, span.run as run\n| filter type = \"platform.report\" | stats count(*) by @log, record.status";
    assert_eq!(fields(query), BTreeSet::from(["span.run", "record.status"]));
}
