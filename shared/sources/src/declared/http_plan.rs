//! What `[http]` says: which requests to make, and where in the answers things stand.

use super::trie::{self, Trie};
use crate::limit::Limit;
use crate::port::{Coverage, Manners, Method};
use crate::settings::{Mistakes, Section, accepted};

#[derive(Debug)]
pub(super) struct HttpPlan {
    pub(super) url: Filling,
    pub(super) method: Method,
    pub(super) headers: Vec<(String, Filling)>,
    pub(super) body: Option<Filling>,
    pub(super) pages: Pages,
    pub(super) manners: Manners,
    /// Finds [`ROWS`], [`NEXT`] and [`TOTAL`] in an answer.
    pub(super) envelope: Trie,
    /// The answer is the array of rows itself.
    pub(super) bare: bool,
}

/// Slots of [`HttpPlan::envelope`].
pub(super) const ROWS: usize = 0;
pub(super) const NEXT: usize = 1;
pub(super) const TOTAL: usize = 2;

/// A text with `{param}`s to be filled from a search's parameters.
#[derive(Debug)]
pub(super) struct Filling(pub(super) Vec<Part>);

#[derive(Debug)]
pub(super) enum Part {
    Text(String),
    Param(String),
}

/// How one comes from page to page.
#[derive(Debug)]
pub(super) struct Pages {
    pub(super) by: By,
    /// The query parameter that carries the page number, offset or cursor.
    pub(super) param: String,
    pub(super) first: u64,
    /// Rows a page: a shorter one is the last.
    pub(super) size: Option<u64>,
    /// The query parameter that carries `size`.
    pub(super) size_param: Option<String>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum By {
    None,
    Page,
    Offset,
    Cursor,
    NextLink,
}

const KEYS: [&str; 10] =
    ["url", "method", "headers", "body", "pages", "coverage", "pause_ms", "pages_max", "robots", "off_by_default"];

pub(super) fn walk(section: &Section<'_>, rows: Option<&str>, mistakes: &mut Mistakes<'_>) -> HttpPlan {
    section.only(&KEYS, mistakes);
    let url = filling(section, "url", mistakes);
    if !section.has("url") {
        mistakes.add(section.line(), section.key("url"), "is missing: an address like \"https://api.example.com/v1\"");
    }
    if let Some((text, line)) = section.text("url", mistakes)
        && !text.starts_with("https://")
        && !text.starts_with("http://")
    {
        let problem = format!("{text:?}; accepted: an address that begins with https:// or http://");
        mistakes.add(line, section.key("url"), problem);
    }
    let method = match section.text("method", mistakes) {
        None | Some(("GET", _)) => Method::Get,
        Some(("POST", _)) => Method::Post,
        Some((text, line)) => {
            mistakes.add(line, section.key("method"), format!("{text:?}; {}", accepted(text, ["GET", "POST"])));
            Method::Get
        }
    };
    let body = filling(section, "body", mistakes);
    if body.is_some() && method == Method::Get {
        mistakes.add(section.line(), section.key("body"), "a GET has none; accepted: method = \"POST\"");
    }
    let mut headers = Vec::new();
    if let Some(table) = section.table("headers", mistakes) {
        for (name, _) in table.keys(mistakes) {
            headers.extend(filling(&table, name, mistakes).map(|value| (name.to_owned(), value)));
        }
    }
    let (pages, next, total) = pages(section, mistakes);
    let path = |pointer: Option<&str>| pointer.and_then(|p| trie::pointer(p).ok());
    // A path that is not given must not be found: no key holds a NUL.
    let never = || vec!["\0".to_owned()];
    let paths = [path(rows), path(next), path(total)].map(|path| path.unwrap_or_else(never));
    HttpPlan {
        url: url.unwrap_or(Filling(Vec::new())),
        method,
        headers,
        body,
        pages,
        manners: manners(section, mistakes),
        envelope: Trie::new(&paths),
        bare: rows.is_none(),
    }
}

fn manners(section: &Section<'_>, mistakes: &mut Mistakes<'_>) -> Manners {
    let coverage = match section.text("coverage", mistakes) {
        None | Some(("changes", _)) => Coverage::Changes,
        Some(("snapshot", _)) => Coverage::Snapshot,
        Some((text, line)) => {
            let problem = format!("{text:?}; {}", accepted(text, ["snapshot", "changes"]));
            mistakes.add(line, section.key("coverage"), problem);
            Coverage::Changes
        }
    };
    Manners {
        coverage,
        limits: vec![Limit::pause(section.count("pause_ms", mistakes).unwrap_or(1_000))],
        robots: section.boolean("robots", mistakes).unwrap_or(false),
        off_by_default: section.boolean("off_by_default", mistakes).unwrap_or(false),
        pages_max: section.count("pages_max", mistakes).map_or(100, |n| u32::try_from(n).unwrap_or(u32::MAX)).max(1),
    }
}

fn pages<'d>(section: &Section<'d>, mistakes: &mut Mistakes<'_>) -> (Pages, Option<&'d str>, Option<&'d str>) {
    let mut pages = Pages { by: By::None, param: String::new(), first: 0, size: None, size_param: None };
    let Some(table) = section.table("pages", mistakes) else { return (pages, None, None) };
    let ways = ["none", "page", "offset", "cursor", "next-link"];
    let mut known = vec!["by", "total"];
    match table.text("by", mistakes) {
        Some(("none", _)) => {}
        Some(("page", _)) => pages.by = By::Page,
        Some(("offset", _)) => pages.by = By::Offset,
        Some(("cursor", _)) => pages.by = By::Cursor,
        Some(("next-link", _)) => pages.by = By::NextLink,
        Some((text, line)) => mistakes.add(line, table.key("by"), format!("{text:?}; {}", accepted(text, ways))),
        None if table.has("by") => {}
        None => mistakes.add(table.line(), table.key("by"), format!("is missing; accepted: {}", ways.join(", "))),
    }
    let numbered = matches!(pages.by, By::Page | By::Offset);
    if numbered {
        known.extend(["param", "first"]);
    }
    if pages.by != By::None {
        known.extend(["size", "size_param"]);
    }
    if pages.by == By::Cursor {
        known.extend(["param", "next"]);
    }
    if pages.by == By::NextLink {
        known.push("next");
    }
    table.only(&known, mistakes);
    let default_param = match pages.by {
        By::Page => "page",
        By::Offset => "offset",
        _ => "cursor",
    };
    pages.param = table.text("param", mistakes).map_or(default_param, |(text, _)| text).to_owned();
    pages.first = table.count("first", mistakes).unwrap_or(u64::from(pages.by == By::Page));
    pages.size = table.count("size", mistakes).filter(|size| *size > 0);
    pages.size_param = table.text("size_param", mistakes).map(|(text, _)| text.to_owned());
    if pages.by == By::Offset && pages.size.is_none() {
        mistakes.add(table.line(), table.key("size"), "is missing: how many rows a page has, at least 1");
    }
    if pages.size_param.is_some() && pages.size.is_none() {
        mistakes.add(table.line(), table.key("size"), "is missing: what size_param is to carry, at least 1");
    }
    if matches!(pages.by, By::Cursor | By::NextLink) && !table.has("next") {
        let problem = "is missing: JSON Pointer to what leads on, like /meta/next";
        mistakes.add(table.line(), table.key("next"), problem);
    }
    let mut pointer = |key: &str| {
        let (text, line) = table.text(key, mistakes)?;
        if let Err(problem) = trie::pointer(text) {
            mistakes.add(line, table.key(key), problem);
        }
        Some(text)
    };
    let (next, total) = (pointer("next"), pointer("total"));
    (pages, next, total)
}

fn filling(section: &Section<'_>, key: &str, mistakes: &mut Mistakes<'_>) -> Option<Filling> {
    let (text, _) = section.text(key, mistakes)?;
    let mut parts = Vec::new();
    let mut rest = text;
    while let Some(at) = rest.find('{') {
        let (before, after) = rest.split_at(at);
        let name_len = after[1..].bytes().take_while(|b| b.is_ascii_alphanumeric() || *b == b'_').count();
        // A brace of a JSON body is no placeholder: only {letters_and_digits} is.
        let placeholder = name_len > 0 && after[1 + name_len..].starts_with('}');
        let (text, taken) = if placeholder { (before, at + name_len + 2) } else { (&rest[..=at], at + 1) };
        if !text.is_empty() {
            parts.push(Part::Text(text.to_owned()));
        }
        if placeholder {
            parts.push(Part::Param(after[1..=name_len].to_owned()));
        }
        rest = &rest[taken..];
    }
    if !rest.is_empty() {
        parts.push(Part::Text(rest.to_owned()));
    }
    Some(Filling(parts))
}
