//! Compiled `[http.pages]`: how a scan gets from page to page.

use super::envelope::{self, COUNT, MORE, NEXT, TOTAL, TOTAL_PAGES};
use super::filling::Blank;
use crate::settings::{Mistakes, Section, accepted};

/// How a scan gets from page to page.
#[derive(Debug)]
pub(super) struct PagesPlan {
    pub(super) by: By,
    /// The query parameter that carries the page number, offset or cursor.
    pub(super) param: String,
    pub(super) first: u64,
    /// Rows per page: a shorter page is the last.
    pub(super) size: Option<u64>,
    /// The query parameter that carries `size`.
    pub(super) size_param: Option<String>,
    /// The header, in lower case, with the number of listings of the whole search.
    pub(super) total_header: Option<String>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum By {
    None,
    Page,
    Offset,
    Cursor,
    NextLink,
    LinkHeader,
}

const WAYS: [(&str, By, &[&str]); 6] = [
    ("none", By::None, &[]),
    ("page", By::Page, &["param", "first", "size", "size_param", "total_pages", "more"]),
    ("offset", By::Offset, &["param", "first", "size", "size_param", "more"]),
    ("cursor", By::Cursor, &["param", "next", "size", "size_param", "more"]),
    ("next-link", By::NextLink, &["next", "size", "size_param", "more"]),
    ("link-header", By::LinkHeader, &["size", "size_param", "more"]),
];

impl By {
    /// Name of the value that leads to the next page, in `{braces}` and as the default query parameter.
    pub(super) fn position(self) -> Option<&'static str> {
        match self {
            Self::Page => Some("page"),
            Self::Offset => Some("offset"),
            Self::Cursor => Some("cursor"),
            Self::None | Self::NextLink | Self::LinkHeader => None,
        }
    }
}

impl PagesPlan {
    /// Names in `{braces}` that paging fills.
    pub(super) fn blanks(&self) -> Vec<(&'static str, Blank)> {
        let position = self.by.position().map(|name| (name, Blank::Position));
        position.into_iter().chain(self.size.map(|_| ("size", Blank::Size))).collect()
    }
}

/// Reads `[http.pages]` of `http`, and the envelope paths that it names.
pub(super) fn walk<'d>(http: &Section<'d>, mistakes: &mut Mistakes<'_>) -> (PagesPlan, [Option<&'d str>; COUNT]) {
    let mut pages =
        PagesPlan { by: By::None, param: String::new(), first: 0, size: None, size_param: None, total_header: None };
    let mut paths = [None; COUNT];
    let Some(table) = http.table("pages", mistakes) else { return (pages, paths) };
    let names = WAYS.map(|(name, ..)| name);
    let mut known = vec!["by", "total", "total_header"];
    match table.text("by", mistakes) {
        Some((text, line)) => match WAYS.iter().find(|(name, ..)| *name == text) {
            Some((_, by, keys)) => {
                pages.by = *by;
                known.extend(*keys);
            }
            None => mistakes.add(line, table.key("by"), format!("{text:?}; {}", accepted(text, names))),
        },
        None if table.has("by") => {}
        None => mistakes.add(table.line(), table.key("by"), format!("is missing; accepted: {}", names.join(", "))),
    }
    table.only(&known, mistakes);
    let param = table.text("param", mistakes).map(|(text, _)| text);
    pages.param = param.or(pages.by.position()).unwrap_or_default().to_owned();
    pages.first = table.count("first", mistakes).unwrap_or(u64::from(pages.by == By::Page));
    pages.size = table.count("size", mistakes).filter(|size| *size > 0);
    pages.size_param = table.text("size_param", mistakes).map(|(text, _)| text.to_owned());
    pages.total_header = table.text("total_header", mistakes).map(|(text, _)| text.to_ascii_lowercase());
    if pages.by == By::Offset && pages.size.is_none() {
        mistakes.add(table.line(), table.key("size"), "is missing: how many rows a page has, at least 1");
    }
    if pages.size_param.is_some() && pages.size.is_none() {
        mistakes.add(table.line(), table.key("size"), "is missing: what size_param is to carry, at least 1");
    }
    if matches!(pages.by, By::Cursor | By::NextLink) && !table.has("next") {
        let problem = "is missing: JSON Pointer or JSONPath to what leads on, like /meta/next";
        mistakes.add(table.line(), table.key("next"), problem);
    }
    for (key, slot) in [("next", NEXT), ("total", TOTAL), ("total_pages", TOTAL_PAGES), ("more", MORE)] {
        let Some((text, line)) = table.text(key, mistakes) else { continue };
        if let Err(problem) = envelope::check(text) {
            mistakes.add(line, table.key(key), problem);
        }
        paths[slot] = Some(text);
    }
    (pages, paths)
}
