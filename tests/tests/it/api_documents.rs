//! `docs/API.md` and `docs/openapi.json` match the API's responses.

use crate::small_town::{Town, json};
use serde_json::Value;
use stoop_serve::Figure;

/// Whether a response matches a page: `"…"` matches anything, `["…"]` any list, and a member `"…"` any further members.
fn is_shown(shown: &Value, answer: &Value) -> bool {
    match (shown, answer) {
        (Value::String(text), _) if text == "…" => true,
        (Value::Array(shown), Value::Array(_)) if *shown == ["…"] => true,
        (Value::Array(shown), Value::Array(answer)) => {
            shown.len() == answer.len() && shown.iter().zip(answer).all(|(shown, answer)| is_shown(shown, answer))
        }
        (Value::Object(shown), Value::Object(answer)) => {
            let known =
                |(name, shown): (&String, &Value)| answer.get(name).is_some_and(|answer| is_shown(shown, answer));
            let has_more = shown.contains_key("…");
            let mut shown_members = shown.iter().filter(|(name, _)| *name != "…");
            (has_more || shown.len() == answer.len()) && shown_members.all(known)
        }
        _ => shown == answer,
    }
}

/// The examples of the page: requests and responses.
fn examples() -> Vec<(String, Value)> {
    let page = include_str!("../../../docs/API.md");
    let blocks = page.split("```http\nGET ").skip(1).map(|rest| {
        let (target, rest) = rest.split_once("\n```\n\n```json\n").unwrap();
        let (answer, _) = rest.split_once("\n```").unwrap();
        (target.to_owned(), serde_json::from_str(answer).unwrap_or(Value::from(answer)))
    });
    blocks.collect()
}

#[test]
fn the_page_shows_the_responses() {
    let town = Town::new();
    let mut wrong = Vec::new();
    for (target, shown) in examples() {
        let response = town.get(&target);
        if !is_shown(&shown, &json(&response)) {
            wrong.push(format!("{target}\n{}", String::from_utf8_lossy(&response.body)));
        }
    }
    assert!(wrong.is_empty(), "docs/API.md shows something else than\n{}", wrong.join("\n"));
    assert_eq!(examples().len(), 18);
}

/// Where a value does not match a schema of `openapi.json`. Members that the schema does not name are mismatches: the
/// document must name all of them.
fn mismatch(root: &Value, schema: &Value, value: &Value, at: &str) -> Option<String> {
    if let Some(name) = schema.get("$ref") {
        let pointer = name.as_str().unwrap().trim_start_matches('#');
        return mismatch(root, root.pointer(pointer).unwrap_or_else(|| panic!("{name}")), value, at);
    }
    if let Some(any) = schema["anyOf"].as_array() {
        let found: Vec<String> = any.iter().map_while(|schema| mismatch(root, schema, value, at)).collect();
        return (found.len() == any.len()).then(|| found.join(", "));
    }
    if let Some(parts) = schema["allOf"].as_array() {
        let resolved = parts
            .iter()
            .map(|part| part.get("$ref").map_or(part, |name| root.pointer(&name.as_str().unwrap()[1..]).unwrap()));
        let mut whole = serde_json::json!({ "type": "object", "required": [], "properties": {} });
        for part in resolved {
            whole["required"].as_array_mut().unwrap().extend(part["required"].as_array().unwrap().iter().cloned());
            whole["properties"].as_object_mut().unwrap().extend(part["properties"].as_object().unwrap().clone());
        }
        return mismatch(root, &whole, value, at);
    }
    let kind = match value {
        Value::Null => "null",
        Value::Bool(_) => "boolean",
        Value::Number(number) if number.is_f64() => "number",
        Value::Number(_) => "integer",
        Value::String(_) => "string",
        Value::Array(_) => "array",
        Value::Object(_) => "object",
    };
    let kinds = schema["type"].as_array().cloned().unwrap_or_else(|| vec![schema["type"].clone()]);
    if !kinds.iter().any(|known| known == kind) || schema["enum"].as_array().is_some_and(|all| !all.contains(value)) {
        return Some(format!("{at}: {value} is not {} {}", schema["type"], schema["enum"]));
    }
    match value {
        Value::Array(items) => {
            items.iter().enumerate().find_map(|(i, item)| mismatch(root, &schema["items"], item, &format!("{at}/{i}")))
        }
        Value::Object(members) if schema.get("additionalProperties").is_some() => {
            let of = &schema["additionalProperties"];
            members.iter().find_map(|(name, member)| mismatch(root, of, member, &format!("{at}/{name}")))
        }
        Value::Object(members) => {
            let required = schema["required"].as_array().unwrap();
            let missing = required.iter().find(|name| !members.contains_key(name.as_str().unwrap()));
            missing.map(|name| format!("{at}: {name} is missing")).or_else(|| {
                members.iter().find_map(|(name, member)| match schema["properties"].get(name) {
                    Some(schema) => mismatch(root, schema, member, &format!("{at}/{name}")),
                    None => Some(format!("{at}: {name} is not in the document")),
                })
            })
        }
        _ => None,
    }
}

fn document() -> Value {
    serde_json::from_str(include_str!("../../../docs/openapi.json")).unwrap()
}

/// Where the response to a control does not match the document.
pub(crate) fn unreported_control(answer: &Value) -> Option<String> {
    let root = document();
    let post = &root["paths"]["/api/v1/searches/{search}/{action}"]["post"];
    let schema = &post["responses"]["202"]["content"]["application/json"]["schema"];
    mismatch(&root, schema, answer, "control")
}

/// Where the response of a route does not match the document.
pub(crate) fn unreported(route: &str, answer: &Value) -> Option<String> {
    let root = document();
    let schema = &root["paths"][route]["get"]["responses"]["200"]["content"]["application/json"]["schema"];
    mismatch(&root, schema, answer, route)
}

#[test]
fn the_openapi_document_lists_every_figure_to_sort_by() {
    let root = document();
    let mut parameters = root["paths"]["/api/v1/markets"]["get"]["parameters"].as_array().unwrap().iter();
    let sort = parameters.find(|parameter| parameter["name"] == "sort").unwrap();
    let changes = ["active_change", "median_price_change"].map(str::to_owned);
    assert_eq!(sort["schema"]["enum"], Value::from_iter(Figure::all().map(Figure::name).chain(changes)));
}

#[test]
fn the_openapi_document_lists_every_parameter_and_member() {
    let town = Town::new();
    let root = document();
    let routes = [
        ("/health", "/health"),
        ("/api/v1/markets", "/api/v1/markets"),
        ("/api/v1/markets", "/api/v1/markets?area=king"),
        ("/api/v1/markets", "/api/v1/markets?area=king&sort=active"),
        ("/api/v1/markets", "/api/v1/markets?level=region"),
        ("/api/v1/markets", "/api/v1/markets?level=region&change=7"),
        ("/api/v1/markets/{area}", "/api/v1/markets/us/wa/king"),
        ("/api/v1/markets/{area}", "/api/v1/markets/agadir"),
        ("/api/v1/markets/{area}", "/api/v1/markets/us/wa"),
        ("/api/v1/compare", "/api/v1/compare?area=98178&area=98103"),
        ("/api/v1/compare", "/api/v1/compare?area=us/wa&area=98103&by=bedrooms"),
        ("/api/v1/markets/{area}", "/api/v1/markets/us/wa/king?index=true"),
        ("/api/v1/homes", "/api/v1/homes?area=king"),
        ("/api/v1/runs", "/api/v1/runs"),
        ("/api/v1/searches", "/api/v1/searches"),
        ("/api/v1/areas", "/api/v1/areas?area=king"),
        ("/api/v1/quality", "/api/v1/quality"),
        ("/api/v1/quarantine", "/api/v1/quarantine"),
        ("/api/v1/catalogue", "/api/v1/catalogue"),
        ("/api/v1/homes/{id}", "/api/v1/homes/kc/1001"),
        ("/api/v1/homes/{id}", "/api/v1/homes/avito/54401700"),
        ("/api/v1/alerts", "/api/v1/alerts?suspects=true"),
        ("/api/v1/alerts/{id}", "/api/v1/alerts/b81e77f3"),
    ];
    let paths = root["paths"].as_object().unwrap().iter();
    let message: Vec<&String> = paths.filter(|(_, path)| path.get("get").is_some()).map(|(path, _)| path).collect();
    let mut known: Vec<&str> = routes.map(|(route, _)| route).to_vec();
    known.sort_unstable();
    known.dedup();
    assert_eq!(message, known);
    for (route, target) in routes {
        let get = &root["paths"][route]["get"];
        let problem = &get["responses"]["400"]["content"]["application/problem+json"]["schema"];
        assert_eq!(unreported(route, &json(&town.get(target))), None, "{target}");
        if route == "/health" {
            continue;
        }
        let path = target.split('?').next().unwrap();
        let refused = json(&town.get(&format!("{path}?colour=red")));
        assert_eq!(mismatch(&root, problem, &refused, target), None);
        let parameters = get["parameters"].as_array().unwrap().iter().filter(|parameter| parameter["in"] == "query");
        let names: Vec<&str> = parameters.map(|parameter| parameter["name"].as_str().unwrap()).collect();
        let names = if names.is_empty() { "none".to_owned() } else { names.join(", ") };
        let accepted = format!("\"colour\": not a parameter here; accepted: {names}");
        assert_eq!(refused["details"][0], accepted, "{target}");
    }
}
