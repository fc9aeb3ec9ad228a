//! Drafts `[http]`: the URL without paging parameters and keys, and how to page.

use serde_json::Value;

use super::guess::{quoted, shown};
use super::sample::Sample;
use super::words::{Phrase, Words};
use stoop_sources::origin;

/// The draft of `[http]`.
pub(super) struct Http {
    /// Lines of `[http]` and its subtables.
    pub(super) lines: Vec<String>,
    /// Parameters that a search must set, each with its meaning.
    pub(super) params: Vec<(String, String)>,
}

const PAGE: [&str; 9] =
    ["page", "p", "pg", "pagenumber", "page_number", "pageno", "pagenum", "currentpage", "current_page"];
const OFFSET: [&str; 6] = ["offset", "skip", "$skip", "start", "from", "startindex"];
const CURSOR: [&str; 6] = ["cursor", "after", "page_token", "pagetoken", "nextcursor", "continuation"];
const SIZE: [&str; 13] = [
    "limit",
    "per_page",
    "perpage",
    "pagesize",
    "page_size",
    "size",
    "rows",
    "count",
    "take",
    "hitsperpage",
    "resultsperpage",
    "$top",
    "top",
];
const SECRETS: [&str; 9] = ["key", "token", "secret", "password", "passwd", "signature", "auth", "credential", "appid"];

/// Names of a search's secrets: the configuration refuses plain text for them.
const SECRET_PARAMS: [&str; 5] = ["key", "token", "secret", "password", "api_key"];

/// Paging parameters of a URL.
#[derive(Default)]
struct Query<'u> {
    page: Option<(&'u str, u64)>,
    offset: Option<(&'u str, u64)>,
    cursor: Option<&'u str>,
    size: Option<(&'u str, u64)>,
    /// Other parameters.
    rest: Vec<String>,
    params: Vec<(String, String)>,
}

/// Drafts `[http]` for the URL of the sample.
///
/// # Errors
/// Fails if the URL is invalid, or if the sample cannot be an answer that a map reads.
pub(super) fn http(url: &str, sample: &Sample) -> Result<Http, String> {
    let accepted = "accepted: an address that begins with https:// or http://, without a user name";
    let origin = origin(url).ok_or_else(|| format!("the address is none; {accepted}"))?;
    if url.chars().any(|c| c.is_control() || c == ' ') {
        return Err(format!("there is a blank in the address; {accepted}"));
    }
    if sample.is_csv() {
        return Err("a CSV sample cannot be the answer to a request: [http] reads JSON".to_owned());
    }
    if sample.is_one_row {
        return Err("the sample is one object: an answer that [http] reads has an array of rows".to_owned());
    }
    let address = url.split('#').next().unwrap_or(url);
    let (path, query) = address.split_once('?').unwrap_or((address, ""));
    let query = Query::of(query);
    let sign = if query.rest.is_empty() { "" } else { "?" };
    let mut lines =
        vec!["[http]".to_owned(), format!("url = {}", quoted(&format!("{path}{sign}{}", query.rest.join("&"))))];
    let total = total(sample);
    match &total {
        Some(pointer) => {
            lines.push(format!("# {pointer} is the number of listings, so that missing ones may be gone."));
            lines.push("coverage = \"snapshot\"".to_owned());
        }
        None => lines.push("# The answer contains no number of listings: none is reported gone.".to_owned()),
    }
    lines.push("# One request a second, where nothing else is said; see the API's own limits.".to_owned());
    lines.push("#limits = [\"1/s\"]".to_owned());
    lines.push(String::new());
    lines.push("# Keys go into headers as {names}, which a search fills from its params.".to_owned());
    lines.push("#[http.headers]".to_owned());
    lines.push("#Authorization = \"Bearer {token}\"".to_owned());
    lines.push(String::new());
    lines.extend(query.pages(sample, &origin, total.as_deref()));
    Ok(Http { lines, params: query.params })
}

impl<'u> Query<'u> {
    fn of(text: &'u str) -> Self {
        let mut query = Self::default();
        for pair in text.split('&').filter(|pair| !pair.is_empty()) {
            let (name, value) = pair.split_once('=').unwrap_or((pair, ""));
            let lower = name.to_ascii_lowercase().replace("%24", "$");
            let number = value.parse::<u64>().ok();
            let is = |names: &[&str]| names.contains(&lower.as_str());
            match number {
                Some(n) if is(&PAGE) && query.page.is_none() => query.page = Some((name, n)),
                Some(n) if is(&OFFSET) && query.offset.is_none() => query.offset = Some((name, n)),
                Some(n) if is(&SIZE) && n > 0 && query.size.is_none() => query.size = Some((name, n)),
                _ if is(&CURSOR) => query.cursor = Some(name),
                _ => query.keep(name, value, &lower),
            }
        }
        query
    }

    /// Keeps a parameter that selects listings. Keys are never written into a map.
    fn keep(&mut self, name: &str, value: &str, lower: &str) {
        let secret = SECRETS.iter().any(|word| lower.contains(word)) && !value.contains('{');
        let free = SECRET_PARAMS.iter().find(|param| self.params.iter().all(|(known, _)| known != *param));
        match free.filter(|_| secret) {
            Some(param) => {
                self.rest.push(format!("{name}={{{param}}}"));
                self.params.push(((*param).to_owned(), format!("the address's {}", shown(name))));
            }
            None if secret => self.rest.push(format!("{name}=")),
            None => {
                self.rest.push(if value.is_empty() { name.to_owned() } else { format!("{name}={value}") });
                for param in placeholders(value) {
                    self.params.push((param.to_owned(), format!("the address's {}", shown(name))));
                }
            }
        }
    }

    /// Drafts `[http.pages]`. The size is omitted if unknown: a page that looks short would end the scan.
    fn pages(&self, sample: &Sample, origin: &str, total: Option<&str>) -> Vec<String> {
        let mut lines = vec!["[http.pages]".to_owned()];
        let rows = sample.rows() as u64;
        let mut put = |key: &str, value: String| lines.push(format!("{key} = {value}"));
        if let Some(next) = next_link(sample, origin) {
            put("by", quoted("next-link"));
            put("next", quoted(&next));
        } else if let Some((name, number)) = self.page {
            put("by", quoted("page"));
            put("param", quoted(&decoded(name)));
            put("first", u64::from(number > 0).to_string());
            if let Some(pages) = total_pages(sample) {
                put("total_pages", quoted(&pages));
            }
        } else if let Some((name, _)) = self.offset {
            put("by", quoted("offset"));
            put("param", quoted(&decoded(name)));
            if self.size.is_none() {
                put("size", rows.max(1).to_string());
            }
        } else if let Some(next) = next_cursor(sample) {
            put("by", quoted("cursor"));
            put("param", quoted(&self.cursor.map_or("cursor".to_owned(), decoded)));
            put("next", quoted(&next));
        } else {
            lines.push(
                "# Neither the address nor the answer says how to request the next page. See the API's".to_owned(),
            );
            lines.push("# documentation: by = \"page\", \"offset\", \"cursor\" or \"next-link\".".to_owned());
            lines.push("by = \"none\"".to_owned());
            if let Some((name, size)) = self.size {
                lines.push(format!("# {}={size} of the address is its size.", shown(name)));
            }
            return lines.into_iter().chain(total.map(|pointer| format!("total = {}", quoted(pointer)))).collect();
        }
        if let Some((name, size)) = self.size {
            put("size", size.to_string());
            put("size_param", quoted(&decoded(name)));
        }
        lines.extend(total.map(|pointer| format!("total = {}", quoted(pointer))));
        lines
    }
}

/// Decodes a parameter's name: it is encoded again for the request.
fn decoded(name: &str) -> String {
    name.replace("%24", "$")
}

/// Names of the `{names}` in a text.
fn placeholders(text: &str) -> Vec<&str> {
    let parts = text.split('{').skip(1).filter_map(|part| part.split_once('}').map(|(name, _)| name));
    parts.filter(|name| !name.is_empty() && name.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'_')).collect()
}

/// Finds the best path outside of the rows for one of these names, among values that fit.
fn place(sample: &Sample, names: &[(&'static str, i32)], fits: impl Fn(&Value) -> bool) -> Option<String> {
    let found = sample.envelope.iter().filter(|(_, value)| fits(value)).filter_map(|(pointer, _)| {
        let path: Vec<String> = pointer.split('/').skip(1).map(str::to_owned).collect();
        let words = Words::of(&path);
        let best = names.iter().map(|(name, weight)| words.likeness(&Phrase::of(name)) * weight / 100).max()?;
        (best >= 60).then_some((best, pointer))
    });
    found.max_by_key(|(best, pointer)| (*best, std::cmp::Reverse(pointer.len()))).map(|(_, pointer)| pointer.clone())
}

fn total(sample: &Sample) -> Option<String> {
    const NAMES: &[(&str, i32)] = &[
        ("total", 100),
        ("total count", 100),
        ("total results", 100),
        ("total result count", 100),
        ("total records", 98),
        ("total items", 98),
        ("num found", 98),
        ("nb hits", 98),
        ("result count", 90),
        ("results count", 90),
        ("odata count", 100),
        ("matching rows", 98),
        ("total elements", 98),
        ("nombre total", 95),
        ("gesamt", 90),
        ("count", 75),
        ("hits", 70),
    ];
    let rows = sample.rows() as u64;
    let pages = |pointer: &str| pointer.to_ascii_lowercase().contains("page");
    place(sample, NAMES, |value| value.as_u64().is_some_and(|n| n >= rows)).filter(|pointer| !pages(pointer))
}

/// Path of the number of pages.
fn total_pages(sample: &Sample) -> Option<String> {
    const NAMES: &[(&str, i32)] = &[
        ("total pages", 100),
        ("page count", 98),
        ("nb pages", 98),
        ("num pages", 98),
        ("last page", 95),
        ("pages", 80),
    ];
    place(sample, NAMES, |value| value.as_u64().is_some_and(|n| n >= 1))
}

fn next_link(sample: &Sample, origin: &str) -> Option<String> {
    const NAMES: &[(&str, i32)] = &[
        ("next", 100),
        ("next link", 100),
        ("next url", 100),
        ("next page url", 100),
        ("next page", 90),
        ("next href", 100),
    ];
    let leads = |text: &str| {
        (text.starts_with('/') && !text.starts_with("//")) || self::origin(text).as_deref() == Some(origin)
    };
    place(sample, NAMES, |value| value.as_str().is_some_and(leads))
}

fn next_cursor(sample: &Sample) -> Option<String> {
    const NAMES: &[(&str, i32)] = &[
        ("cursor", 90),
        ("next cursor", 100),
        ("end cursor", 100),
        ("next page token", 100),
        ("next token", 100),
        ("after", 85),
        ("continuation token", 100),
        ("next", 85),
        ("continuation", 90),
    ];
    let fits = |text: &str| !text.is_empty() && !text.contains("://") && !text.starts_with('/');
    place(sample, NAMES, |value| value.as_str().is_some_and(fits))
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn lines(url: &str, document: Value) -> String {
        http(url, &Sample::of_document(document).unwrap()).unwrap().lines.join("\n")
    }

    #[test]
    fn a_page_number_and_a_size_are_taken_out_of_the_address() {
        let hints = lines(
            "https://api.example.com/v1/homes?city=Graz&page=1&per_page=50",
            json!({"total": 120, "totalPages": 3, "page": 1, "homes": [{"id": 1}]}),
        );
        assert!(hints.contains("url = \"https://api.example.com/v1/homes?city=Graz\""), "{hints}");
        for line in [
            "by = \"page\"",
            "param = \"page\"",
            "first = 1",
            "size = 50",
            "size_param = \"per_page\"",
            "total = \"/total\"",
            "total_pages = \"/totalPages\"",
        ] {
            assert!(hints.contains(line), "{line}: {hints}");
        }
    }

    #[test]
    fn a_link_to_the_next_page_is_followed_where_it_stays_with_the_host() {
        let url = "https://api.example.com/homes";
        let hints = |next: &str| lines(url, json!({"links": {"next": next}, "homes": [{"id": 1}]}));
        assert!(hints("https://api.example.com/homes?p=2").contains("next = \"/links/next\""));
        assert!(hints("https://evil.example.org/homes?p=2").contains("by = \"none\""));
        assert!(hints("abc123").contains("by = \"cursor\""));
    }

    #[test]
    fn a_key_in_the_address_is_not_written_down() {
        let sample = Sample::of_document(json!([{"id": 1}])).unwrap();
        let http = http("https://api.example.com/homes?apiKey=s3cr3t&access_token=t0ken&q={city}", &sample).unwrap();
        let hints = http.lines.join("\n");
        assert!(!hints.contains("s3cr3t") && !hints.contains("t0ken"), "{hints}");
        assert!(hints.contains("apiKey={key}&access_token={token}&q={city}"), "{hints}");
        assert_eq!(http.params.iter().map(|(name, _)| name.as_str()).collect::<Vec<_>>(), ["key", "token", "city"]);
    }

    #[test]
    fn what_is_no_address_is_refused_without_being_shown() {
        let sample = Sample::of_document(json!([{"id": 1}])).unwrap();
        for url in ["ftp://x", "https://me:s3cr3t@api.example.com/", "api.example.com", "https://x/a b"] {
            let Err(hints) = http(url, &sample) else { panic!("{url}") };
            assert!(hints.contains("accepted") && !hints.contains("s3cr3t"), "{hints}");
        }
    }
}
