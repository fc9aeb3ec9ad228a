//! The saved queries of Logs Insights match what the functions log, and where.

use std::collections::BTreeSet;

use super::document::{Template, listed, root};
use super::sources;

/// Fields that Lambda and CloudWatch add to a line, or that a query defines itself.
const NOT_OURS: [&str; 4] = ["type", "record.status", "level", "timestamp"];

/// The fields in a query: with a dot, as JSON is flattened, and not in quotes.
fn fields(query: &str) -> BTreeSet<&str> {
    let code = query.lines().filter(|line| !line.trim_start().starts_with('#'));
    let code = code.flat_map(|line| line.split('"').step_by(2));
    let words = code.flat_map(|part| part.split(|c: char| !(c.is_ascii_alphanumeric() || c == '_' || c == '.')));
    words.filter(|word| word.contains('.') && word.starts_with(|c: char| c.is_ascii_alphabetic())).collect()
}

/// The text in the parentheses of each of these macros.
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
fn a_query_uses_logged_fields_and_existing_groups() {
    let template = Template::load();
    let text = sources(&root().join("functions")) + &sources(&root().join("shared"));
    let macros = ["tracing::error!(", "tracing::warn!(", "tracing::info!(", "tracing::debug!(", "_span!("];
    let logged: Vec<&str> = macros.iter().flat_map(|opening| arguments(&text, opening)).collect();
    let queries: Vec<_> = template.of("AWS::Logs::QueryDefinition").collect();
    assert_eq!(queries.len(), 3);
    for query in queries {
        for group in listed(&query.properties["LogGroupNames"]) {
            let kind = template.named(group).map(|group| group.kind);
            assert_eq!(kind, Some("AWS::Logs::LogGroup"), "{}: {group} is not a group of this template", query.id);
        }
        let asked = fields(query.properties["QueryString"].as_str().unwrap());
        assert!(asked.len() > 4, "{}: {asked:?}", query.id);
        for field in asked.into_iter().filter(|field| !NOT_OURS.contains(field)) {
            let (part, name) = field.split_once('.').unwrap();
            assert!(matches!(part, "fields" | "span"), "{}: {field} is not a part of a line", query.id);
            let written = name == "message" || logged.iter().any(|arguments| has_field(arguments, name));
            assert!(written, "{}: nothing logs {field}", query.id);
        }
    }
}

#[test]
fn a_field_that_is_not_logged_is_found() {
    let text = "tracing::error!(why = message, %refused, search = task.search, \"left {x}\");\n let drift = 1;";
    let logged = arguments(text, "tracing::error!(");
    assert_eq!(logged.len(), 1);
    for (field, there) in [("why", true), ("refused", true), ("search", true), ("message", false), ("drift", false)] {
        assert_eq!(has_field(logged[0], field), there, "{field}");
    }
    let query = "# a comment with a.field\nfields @timestamp, span.run as run\n| filter type = \"platform.report\" | stats count(*) by @log, record.status";
    assert_eq!(fields(query), BTreeSet::from(["span.run", "record.status"]));
}
