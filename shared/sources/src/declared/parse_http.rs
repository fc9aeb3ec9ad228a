//! Compiles `[http]` to an [`HttpPlan`] and collects every mistake.

use std::collections::BTreeSet;

use toml::de::DeValue;

use super::columns::{Columns, format, formats};
use super::envelope::{Envelope, ROWS};
use super::filling::{Blank, Filling, Form};
use super::http_plan::{HttpPlan, Oauth2};
use super::pages_plan;
use super::watermark::Watermark;
use crate::limit::Limit;
use crate::link;
use crate::port::{Coverage, CrawlPolicy, Method};
use crate::settings::{Mistakes, Section, Value, accepted};

const KEYS: [&str; 15] = [
    "url",
    "method",
    "headers",
    "body",
    "oauth2",
    "pages",
    "coverage",
    "limits",
    "pause_ms",
    "pages_max",
    "empty_status",
    "watermark",
    "secret_params",
    "robots",
    "off_by_default",
];

/// Words in a parameter's name that mark its value as a secret.
const SECRET_WORDS: [&str; 7] = ["key", "token", "secret", "password", "auth", "authorization", "appid"];

/// Endings that mark a secret in names written as one word: `apiKey`, `accessToken`.
const SECRET_ENDS: [&str; 4] = ["key", "token", "secret", "password"];

/// Statuses that never mean "no rows": the key is refused, or the server asks to wait.
const NEVER_EMPTY: [u16; 5] = [401, 403, 408, 425, 429];

/// Rows may appear with times that were already read past: clocks of whole seconds, slow transactions. Rows that are
/// read again have the same content and are not published again.
const LOOK_BACK_S: u64 = 300;

pub(super) fn walk(
    section: &Section<'_>,
    rows: Option<&str>,
    columns: &mut Columns,
    mistakes: &mut Mistakes<'_>,
) -> HttpPlan {
    section.only(&KEYS, mistakes);
    let (pages, mut paths) = pages_plan::walk(section, mistakes);
    paths[ROWS] = rows;
    let mut blanks = pages.blanks();
    if section.has("watermark") {
        blanks.push(("since", Blank::Since));
    }
    let url = address(section, "url", "https://api.example.com/v1", &blanks, mistakes);
    let method = match section.text("method", mistakes) {
        None | Some(("GET", _)) => Method::Get,
        Some(("POST", _)) => Method::Post,
        Some((text, line)) => {
            mistakes.add(line, section.key("method"), format!("{text:?}; {}", accepted(text, ["GET", "POST"])));
            Method::Get
        }
    };
    let (headers, body) = sent(section, method, &blanks, mistakes);
    let mut plan = HttpPlan {
        url,
        method,
        headers,
        body,
        oauth2: section.table("oauth2", mistakes).and_then(|table| oauth2(&table, mistakes)),
        pages,
        crawl_policy: crawl_policy(section, mistakes),
        envelope: Envelope::new(paths),
        empty_status: empty_status(section, mistakes),
        watermark: None,
        secrets: BTreeSet::new(),
    };
    if let Some(table) = section.table("watermark", mistakes) {
        let placed = plan.placed(Blank::Since);
        plan.watermark = watermark(&table, placed.is_some(), columns, mistakes);
        let full = plan.watermark.as_ref().is_none_or(|watermark| watermark.full.is_some());
        if placed == Some(false) && !full {
            let problem = "is missing: what {since} is in a scan that asks for everything, like \"1970-01-01\"";
            mistakes.add(table.line(), table.key("full"), problem);
        }
    }
    check(&plan, section, mistakes);
    plan.secrets = secrets(section, &plan, mistakes);
    plan
}

fn watermark(
    section: &Section<'_>,
    placed: bool,
    columns: &mut Columns,
    mistakes: &mut Mistakes<'_>,
) -> Option<Watermark> {
    section.only(&["from", "date", "sent_as", "param", "full", "look_back_s"], mistakes);
    let from = section.text("from", mistakes);
    if !section.has("from") {
        mistakes.add(
            section.line(),
            section.key("from"),
            "is missing: the value of a row with the time of its last change",
        );
    }
    let formats = formats(section, mistakes);
    let sent_as = section.text("sent_as", mistakes);
    let sent_as = sent_as.and_then(|(text, line)| format(section, "sent_as", text, line, mistakes));
    let param = section.text("param", mistakes).map(|(text, _)| text.to_owned());
    match (&param, placed) {
        (None, false) if !section.has("param") => {
            let problem =
                "no request asks for it; accepted: param = \"updated_since\", or {since} in url, headers or body";
            mistakes.add(section.line(), section.path(), problem);
        }
        (Some(_), true) => {
            let problem = "stands beside a {since}; accepted: one of them";
            mistakes.add(section.line(), section.key("param"), problem);
        }
        _ => {}
    }
    let look_back_s = section.count("look_back_s", mistakes).unwrap_or(LOOK_BACK_S);
    let full = section.text("full", mistakes).map(|(text, _)| text.to_owned());
    if full.is_some() && param.is_some() {
        let problem = "a scan that asks for everything leaves param away; accepted: full beside {since} alone";
        mistakes.add(section.line(), section.key("full"), problem);
    }
    let (from, line) = from?;
    Some(Watermark {
        slot: columns.slot(from, section.key("from"), line, mistakes),
        sent_as: sent_as.or_else(|| formats.first().cloned())?,
        formats,
        param,
        full,
        look_back_ms: i64::try_from(look_back_s.saturating_mul(1_000)).unwrap_or(i64::MAX),
    })
}

/// Checks that need the whole table.
fn check(plan: &HttpPlan, section: &Section<'_>, mistakes: &mut Mistakes<'_>) {
    if let Some(pages) = section.table("pages", mistakes) {
        let beside = [("param", Blank::Position, plan.pages.by.position()), ("size_param", Blank::Size, Some("size"))];
        for (key, blank, name) in beside {
            if let Some(name) = name.filter(|_| pages.has(key) && plan.placed(blank).is_some()) {
                let problem = format!("stands beside a {{{name}}}; accepted: one of them");
                mistakes.add(pages.line(), pages.key(key), problem);
            }
        }
    }
    if section.has("oauth2") && plan.headers.iter().any(|(name, _)| name.eq_ignore_ascii_case("authorization")) {
        let problem = "stands beside [http.oauth2], whose token it would carry; accepted: one of them";
        mistakes.add(section.line(), section.key("headers.Authorization"), problem);
    }
}

/// Reads a required URL.
fn address(
    section: &Section<'_>,
    key: &str,
    example: &str,
    blanks: &[(&str, Blank)],
    mistakes: &mut Mistakes<'_>,
) -> Filling {
    let Some((text, line)) = section.text(key, mistakes) else {
        if !section.has(key) {
            let problem = format!("is missing: an address like {example:?}");
            mistakes.add(section.line(), section.key(key), problem);
        }
        return Filling::parse("", Form::Address, &[]);
    };
    let host = text.split_once("://").map_or("", |(_, rest)| rest);
    let host = host.split(['/', '?', '#']).next().unwrap_or_default();
    if !text.starts_with("https://") && !text.starts_with("http://") {
        let problem = format!("{text:?}; accepted: an address that begins with https:// or http://");
        mistakes.add(line, section.key(key), problem);
    } else if host.contains('@') {
        let problem = "has a user name before its host; accepted: an Authorization in [http.headers], or [http.oauth2]";
        mistakes.add(line, section.key(key), problem);
    } else if !host.contains('{') && link::origin(text).is_none() {
        let problem = format!("{host:?} is no host; accepted: a name or number, perhaps with a port");
        mistakes.add(line, section.key(key), problem);
    }
    Filling::parse(text, Form::Address, blanks)
}

/// Reads headers and body.
fn sent(
    section: &Section<'_>,
    method: Method,
    blanks: &[(&str, Blank)],
    mistakes: &mut Mistakes<'_>,
) -> (Vec<(String, Filling)>, Option<Filling>) {
    let mut headers = Vec::new();
    if let Some(table) = section.table("headers", mistakes) {
        for (name, _) in table.keys(mistakes) {
            let value = table.text(name, mistakes).map(|(text, _)| Filling::parse(text, Form::Header, blanks));
            headers.extend(value.map(|value| (name.to_owned(), value)));
        }
    }
    let Some((text, line)) = section.text("body", mistakes) else { return (headers, None) };
    if method == Method::Get {
        mistakes.add(section.line(), section.key("body"), "a GET has none; accepted: method = \"POST\"");
    }
    let is_json = text.trim_start().starts_with(['{', '[']);
    let form = if is_json { Form::Json } else { Form::Address };
    let body = Filling::parse(text, form, blanks);
    let one = body.params().map(|name| (name.to_owned(), "1".to_owned())).collect();
    let tried = body.with(&one).render(|_, _| "1".to_owned());
    if is_json && let Err(error) = serde_json::from_str::<serde::de::IgnoredAny>(&tried) {
        let problem = format!("is no JSON with 1 for each of its {{names}}: {error}");
        mistakes.add(line, section.key("body"), problem);
    }
    if !headers.iter().any(|(name, _)| name.eq_ignore_ascii_case("content-type")) {
        let kind = if is_json { "application/json" } else { "application/x-www-form-urlencoded" };
        headers.push(("Content-Type".to_owned(), Filling::parse(kind, Form::Header, &[])));
    }
    (headers, Some(body))
}

fn oauth2(table: &Section<'_>, mistakes: &mut Mistakes<'_>) -> Option<Oauth2> {
    table.only(&["token_url", "client_id", "client_secret", "scope"], mistakes);
    let token_url = address(table, "token_url", "https://api.example.com/oauth2/token", &[], mistakes);
    let mut text = |key: &str, needed: bool| {
        if needed && !table.has(key) {
            mistakes.add(table.line(), table.key(key), format!("is missing: accepted is a parameter, {{{key}}}"));
        }
        let text = table.text(key, mistakes);
        text.map(|(text, _)| Filling::parse(text, Form::Header, &[]))
    };
    let (client_id, client_secret, scope) =
        (text("client_id", true), text("client_secret", true), text("scope", false));
    Some(Oauth2 { token_url, client_id: client_id?, client_secret: client_secret?, scope })
}

/// Parameters that are never shown: by their name, or because the map lists them.
fn secrets(section: &Section<'_>, plan: &HttpPlan, mistakes: &mut Mistakes<'_>) -> BTreeSet<String> {
    let asked: BTreeSet<&str> = plan.fillings().flat_map(Filling::params).collect();
    let named = |name: &str| {
        let name = name.to_ascii_lowercase();
        name.split('_').any(|word| SECRET_WORDS.contains(&word) || SECRET_ENDS.iter().any(|end| word.ends_with(end)))
    };
    let mut secrets: BTreeSet<String> =
        asked.iter().filter(|name| named(name)).map(|name| (*name).to_owned()).collect();
    secrets.extend(plan.oauth2.iter().flat_map(|oauth2| oauth2.client_secret.params()).map(str::to_owned));
    for (name, line) in section.texts("secret_params", mistakes).unwrap_or_default() {
        if !asked.contains(name) {
            let problem = format!("nothing asks for {{{name}}}; {}", accepted(name, asked.iter().copied()));
            mistakes.add(line, section.key("secret_params"), problem);
        }
        secrets.insert(name.to_owned());
    }
    secrets
}

fn empty_status(section: &Section<'_>, mistakes: &mut Mistakes<'_>) -> Vec<u16> {
    let Some(Value { value, line }) = section.value("empty_status", mistakes) else { return Vec::new() };
    let shape = "accepted: a list of statuses from 400 to 499 or 204, like [404]; of those from 400 on not 401, 403, 408, \
                 425 and 429, which say something else";
    let Some(array) = value.as_array() else {
        mistakes.add(line, section.key("empty_status"), format!("is {}; {shape}", value.type_str()));
        return Vec::new();
    };
    let mut statuses = Vec::new();
    for element in array.iter() {
        let number = match element.get_ref() {
            DeValue::Integer(number) => number.as_str().replace('_', "").parse::<u16>().ok(),
            _ => None,
        };
        match number.filter(|n| *n == 204 || (400..500).contains(n) && !NEVER_EMPTY.contains(n)) {
            Some(status) => statuses.push(status),
            None => mistakes.add(mistakes.line(element.span()), section.key("empty_status"), shape),
        }
    }
    statuses
}

fn crawl_policy(section: &Section<'_>, mistakes: &mut Mistakes<'_>) -> CrawlPolicy {
    let coverage = match section.text("coverage", mistakes) {
        None | Some(("changes", _)) => Coverage::Changes,
        Some(("snapshot", _)) => Coverage::Snapshot,
        Some((text, line)) => {
            let problem = format!("{text:?}; {}", accepted(text, ["snapshot", "changes"]));
            mistakes.add(line, section.key("coverage"), problem);
            Coverage::Changes
        }
    };
    let mut limits = Vec::new();
    for (text, line) in section.texts("limits", mistakes).unwrap_or_default() {
        match text.parse::<Limit>() {
            Ok(limit) => limits.push(limit),
            Err(error) => mistakes.add(line, section.key("limits"), format!("{text:?}; {error}")),
        }
    }
    let usual = if limits.is_empty() { 1_000 } else { 0 };
    let pause_ms = section.count("pause_ms", mistakes).unwrap_or(usual);
    limits.extend((pause_ms > 0).then(|| Limit::pause(pause_ms)));
    CrawlPolicy {
        coverage,
        limits,
        robots: section.boolean("robots", mistakes).unwrap_or(false),
        off_by_default: section.boolean("off_by_default", mistakes).unwrap_or(false),
        pages_max: section.count("pages_max", mistakes).map_or(100, |n| u32::try_from(n).unwrap_or(u32::MAX)).max(1),
    }
}
