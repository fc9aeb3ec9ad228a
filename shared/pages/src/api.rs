//! The API as a page, from its OpenAPI document.

use std::sync::LazyLock;

use maud::{Markup, html};
use serde_json::Value;
use stoop_serve::api::OPENAPI;

use crate::layout::{self, Head, Room};

static PAGE: LazyLock<String> = LazyLock::new(|| {
    // A test reads the document.
    let document: Value = serde_json::from_str(OPENAPI).unwrap_or_default();
    let content = content(&document);
    layout::page(&Head { title: "API", room: Room::Elsewhere, now: None, query: "" }, &content)
});

/// The page; it depends on the program alone.
pub(crate) fn page() -> String {
    PAGE.clone()
}

fn content(document: &Value) -> Markup {
    let schemas = &document["components"]["schemas"];
    html! {
        div class="head" {
            h1 { "API" }
            p {
                "Every page's figures as JSON, and lists as CSV with " code { "Accept: text/csv" } ". "
                a href="/api/v1/openapi.json" { "OpenAPI 3.1" }
            }
        }
        @for (path, methods) in members(document, "paths") {
            @for (method, operation) in methods.as_object().into_iter().flatten() {
                section class="card" {
                    h2 { code { (method.to_uppercase()) " " (path) } }
                    p { (text(&operation["summary"])) }
                    (parameters(operation))
                    (answers(operation))
                }
            }
        }
        section class="card" {
            h2 { "Types" }
            @for (name, schema) in schemas.as_object().into_iter().flatten() { (type_of(name, schema)) }
        }
    }
}

fn parameters(operation: &Value) -> Markup {
    let parameters = operation["parameters"].as_array().map(Vec::as_slice).unwrap_or_default();
    html! {
        @if !parameters.is_empty() {
            div class="scroll" tabindex="0" role="region" aria-label=(format!("Parameters of {}", text(&operation["summary"]))) {
                table {
                    thead { tr { th class="l" scope="col" { "Parameter" } th class="l" scope="col" { "Values" } th class="l" scope="col" { "Meaning" } } }
                    tbody { @for parameter in parameters {
                        tr {
                            th class="l" scope="row" { code { (text(&parameter["name"])) } @if parameter["required"] == true { " (required)" } }
                            td class="l words" { (values(&parameter["schema"])) }
                            td class="l words" { (text(&parameter["description"])) }
                        }
                    } }
                }
            }
        }
    }
}

/// What it answers; problems, which all have one type, on one line.
fn answers(operation: &Value) -> Markup {
    let (problems, answers): (Vec<_>, Vec<_>) =
        members(operation, "responses").partition(|(status, _)| status.starts_with(['4', '5']));
    html! {
        @for (status, answer) in answers {
            p class="note" {
                code { (status) } " " (text(&answer["description"]).replace('`', ""))
                @for (kind, media) in members(answer, "content") {
                    " " (kind) @if let Some(name) = reference(&media["schema"]) { ": " a href=(format!("#{name}")) { (name) } } "."
                }
            }
        }
        @if !problems.is_empty() {
            p class="note" {
                a href="#Problem" { "Problems" } ": "
                @for (at, (status, problem)) in problems.iter().enumerate() {
                    @if at > 0 { ", " }
                    code title=(text(&problem["description"])) { (status) }
                }
                "."
            }
        }
    }
}

fn type_of(name: &str, schema: &Value) -> Markup {
    let parts = schema["allOf"].as_array().into_iter().flatten().filter_map(reference);
    let own = schema["allOf"].as_array().and_then(|parts| parts.iter().find(|part| part.get("properties").is_some()));
    html! {
        h3 id=(name) { code { (name) } }
        @for part in parts { p { "All of " a href=(format!("#{part}")) { (part) } ", and:" } }
        dl class="terms" {
            @for (name, member) in members(own.unwrap_or(schema), "properties") {
                div { dt { code { (name) } } dd { (text(&member["description"])) " " span class="note" { (values(member)) } } }
            }
        }
    }
}

/// What a value may be: `integer, 1 to 500, default 50`.
fn values(schema: &Value) -> Markup {
    let kind = match &schema["type"] {
        Value::Array(kinds) => kinds.iter().map(text).collect::<Vec<_>>().join(" or "),
        kind => text(kind).to_owned(),
    };
    let bound = |name: &str| schema.get(name).map(ToString::to_string);
    let range = match (bound("minimum"), bound("maximum")) {
        (Some(least), Some(most)) => Some(format!("{least} to {most}")),
        (Some(least), None) => Some(format!("at least {least}")),
        (None, Some(most)) => Some(format!("at most {most}")),
        (None, None) => None,
    };
    let default = schema.get("default").map(|default| format!("default {}", plain(default)));
    let parts = [Some(kind).filter(|kind| !kind.is_empty()), range, default];
    let items = reference(&schema["items"]);
    html! {
        (parts.into_iter().flatten().collect::<Vec<_>>().join(", "))
        @if let Some(name) = reference(schema).or(items) { " " a href=(format!("#{name}")) { (name) } }
        @if let Some(options) = schema["enum"].as_array() {
            ": " @for (at, option) in options.iter().enumerate() { @if at > 0 { ", " } code { (plain(option)) } }
        }
    }
}

fn members<'v>(value: &'v Value, name: &str) -> impl Iterator<Item = (&'v String, &'v Value)> {
    value[name].as_object().into_iter().flatten()
}

/// The name of the type that a schema refers to.
fn reference(schema: &Value) -> Option<&str> {
    schema["$ref"].as_str()?.rsplit('/').next()
}

fn text(value: &Value) -> &str {
    value.as_str().unwrap_or_default()
}

fn plain(value: &Value) -> String {
    value.as_str().map_or_else(|| value.to_string(), str::to_owned)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_page_has_every_route_parameter_and_type_and_every_link_leads_somewhere() {
        let document: Value = serde_json::from_str(OPENAPI).unwrap();
        let page = page();
        for (path, methods) in members(&document, "paths") {
            for (method, operation) in methods.as_object().unwrap() {
                assert!(page.contains(&format!("<code>{} {path}</code>", method.to_uppercase())), "{method} {path}");
                for parameter in operation["parameters"].as_array().unwrap() {
                    assert!(page.contains(&format!("<code>{}</code>", text(&parameter["name"]))), "{parameter}");
                }
            }
        }
        let links = page.split("href=\"#").skip(1).filter_map(|rest| rest.split('"').next());
        let mut found = 0;
        for name in links.filter(|name| *name != "content") {
            assert!(page.contains(&format!("id=\"{name}\"")), "{name}");
            found += 1;
        }
        assert!(found > 20, "{found}");
        assert!(page.contains("integer, 1 to 500, default 50"), "bounds are shown");
    }
}
