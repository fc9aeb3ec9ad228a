//! Links to a next page: the `Link` header (RFC 8288), and resolving relative references (RFC 3986, 5.2).

use crate::link::origin;
use crate::port::ReadError;

/// The target of the first link with the relation `next` in an answer's `Link` headers. Links of another context
/// (`anchor`) are not of this page.
pub(super) fn next(headers: &[(String, String)]) -> Option<&str> {
    headers.iter().filter(|(name, _)| name.eq_ignore_ascii_case("link")).find_map(|(_, value)| next_in(value))
}

/// Reads one header's value (RFC 8288, appendix B.2). What is malformed ends it: what came before counts.
fn next_in(value: &str) -> Option<&str> {
    let mut rest = value;
    loop {
        rest = rest.trim_start_matches([' ', '\t', ',']);
        let (target, after) = rest.strip_prefix('<')?.split_once('>')?;
        let (mut is_next, mut anchored) = (None, false);
        rest = after.trim_start_matches(BLANK);
        while let Some(after) = rest.strip_prefix(';') {
            let (name, value, after) = parameter(after.trim_start_matches(BLANK));
            if name.eq_ignore_ascii_case("rel") {
                // Of several `rel` the first counts.
                is_next.get_or_insert_with(|| value.split_whitespace().any(|rel| rel.eq_ignore_ascii_case("next")));
            }
            anchored |= name.eq_ignore_ascii_case("anchor");
            rest = after.trim_start_matches(BLANK);
        }
        if is_next == Some(true) && !anchored {
            return Some(target.trim());
        }
        if !rest.starts_with(',') {
            return None;
        }
    }
}

const BLANK: [char; 2] = [' ', '\t'];

/// Name, value and what comes behind them.
fn parameter(text: &str) -> (&str, String, &str) {
    let end = text.find(['=', ';', ',']).unwrap_or(text.len());
    let (name, rest) = text.split_at(end);
    let name = name.trim_end_matches(BLANK);
    let Some(rest) = rest.strip_prefix('=') else { return (name, String::new(), rest) };
    let rest = rest.trim_start_matches(BLANK);
    let Some(quoted) = rest.strip_prefix('"') else {
        let end = rest.find([';', ',']).unwrap_or(rest.len());
        return (name, rest[..end].trim_end_matches(BLANK).to_owned(), &rest[end..]);
    };
    let mut value = String::new();
    let mut letters = quoted.char_indices();
    while let Some((at, c)) = letters.next() {
        match c {
            '"' => return (name, value, &quoted[at + 1..]),
            '\\' => value.extend(letters.next().map(|(_, c)| c)),
            _ => value.push(c),
        }
    }
    (name, value, "")
}

/// Where a link that stands on the page at `current` leads. It must stay at the origin of `home`, so that no answer can
/// send a search's secrets elsewhere. Messages name origins alone: the rest of an address may hold a key.
pub(super) fn follow(home: &str, current: &str, link: &str) -> Result<String, ReadError> {
    if link.chars().any(char::is_control) {
        return Err(ReadError::BadLink("is no address: it has control signs".into()));
    }
    let next = resolve(current, link);
    let there = next.as_deref().and_then(origin);
    match (next, there) {
        (Some(next), Some(there)) if there == home => Ok(next),
        (_, Some(there)) => Err(ReadError::BadLink(format!("leads away from {home}, to {there}"))),
        _ => Err(ReadError::BadLink(format!("is no address that could be at {home}"))),
    }
}

/// Resolves a reference against an absolute address; an absolute one is kept letter by letter, without its fragment.
fn resolve(current: &str, link: &str) -> Option<String> {
    let link = link.trim();
    let link = &link[..link.find('#').unwrap_or(link.len())];
    let colon = link.find(':').filter(|colon| {
        let scheme = &link.as_bytes()[..*colon];
        scheme.first().is_some_and(u8::is_ascii_alphabetic)
            && scheme.iter().all(|b| b.is_ascii_alphanumeric() || b"+-.".contains(b))
    });
    if colon.is_some() {
        return Some(link.to_owned());
    }
    let current = &current[..current.find('#').unwrap_or(current.len())];
    let (scheme, rest) = current.split_once("://")?;
    if link.starts_with("//") {
        return Some(format!("{scheme}:{link}"));
    }
    let authority = &rest[..rest.find(['/', '?']).unwrap_or(rest.len())];
    let (path, query) = match rest[authority.len()..].split_once('?') {
        Some((path, query)) => (path, Some(query)),
        None => (&rest[authority.len()..], None),
    };
    let root = format!("{scheme}://{authority}");
    let (link_path, link_query) = match link.split_once('?') {
        Some((path, query)) => (path, Some(query)),
        None => (link, None),
    };
    let (path, query) = if link_path.is_empty() {
        (path.to_owned(), link_query.or(query))
    } else if link_path.starts_with('/') {
        (without_dots(link_path), link_query)
    } else {
        let folder = path.rfind('/').map_or("/", |slash| &path[..=slash]);
        (without_dots(&format!("{folder}{link_path}")), link_query)
    };
    Some(match query {
        Some(query) => format!("{root}{path}?{query}"),
        None => format!("{root}{path}"),
    })
}

/// Takes `.` and `..` out of a path that begins with `/`.
fn without_dots(path: &str) -> String {
    let mut kept: Vec<&str> = Vec::new();
    let mut parts = path.split('/').skip(1).peekable();
    while let Some(part) = parts.next() {
        let last = parts.peek().is_none();
        match part {
            "." | ".." => {
                if part == ".." {
                    kept.pop();
                }
                if last {
                    kept.push("");
                }
            }
            _ => kept.push(part),
        }
    }
    format!("/{}", kept.join("/"))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn next_of(values: &[&str]) -> Option<String> {
        let headers: Vec<(String, String)> =
            values.iter().map(|value| ("link".to_owned(), (*value).to_owned())).collect();
        next(&headers).map(str::to_owned)
    }

    #[test]
    fn the_next_page_is_found_in_any_spelling_of_the_header() {
        for value in [
            r#"</n>; rel="next""#,
            "</n>;rel=next",
            r#"</p>; rel="prev", </n>; rel="next", </l>; rel="last""#,
            r#"</n>; title="a, b; <c> \"d\""; rel="start NEXT""#,
            r#"</n> ; REL = "next" ; hreflang=de"#,
            r#"</x>; rel="https://a.example/next", </n>; rel=next"#,
            r#"</x>; rel="prev"; rel="next", </n>; rel=next"#,
            r##"</x>; rel="next"; anchor="#foo", </n>; rel=next"##,
            r#", ,</n>; crossorigin; rel="next""#,
            r#"< /n >; rel="next"#,
        ] {
            assert_eq!(next_of(&[value]).as_deref(), Some("/n"), "{value}");
        }
        assert_eq!(next_of(&[r#"</p>; rel="prev""#, r#"</n?a=1,2>; rel="next""#]).as_deref(), Some("/n?a=1,2"));
    }

    #[test]
    fn without_such_a_link_there_is_no_next_page() {
        for value in ["", "<", "</n", "</n>", "</n>; rel=prev", "</n>; rev=next", "next", r#"</n>; title="rel=next""#] {
            assert_eq!(next_of(&[value]), None, "{value}");
        }
        assert_eq!(next_of(&[]), None);
    }

    /// The examples of RFC 3986, 5.4, that stay within http.
    #[test]
    fn references_are_resolved_as_in_rfc_3986() {
        for (link, to) in [
            ("g", "/b/c/g"),
            ("./g", "/b/c/g"),
            ("g/", "/b/c/g/"),
            ("/g", "/g"),
            ("?y", "/b/c/d;p?y"),
            ("g?y", "/b/c/g?y"),
            ("#s", "/b/c/d;p?q"),
            ("g#s", "/b/c/g"),
            ("", "/b/c/d;p?q"),
            (".", "/b/c/"),
            ("..", "/b/"),
            ("../g", "/b/g"),
            ("../../g", "/g"),
            ("../../../../g", "/g"),
            ("/./g", "/g"),
            ("/../g", "/g"),
            ("g.", "/b/c/g."),
            ("./g/.", "/b/c/g/"),
            ("g/../h", "/b/c/h"),
            ("g?y/../x", "/b/c/g?y/../x"),
        ] {
            assert_eq!(resolve("http://a/b/c/d;p?q", link), Some(format!("http://a{to}")), "{link}");
        }
        assert_eq!(resolve("https://a.example?x=1", "?x=2").as_deref(), Some("https://a.example?x=2"));
        assert_eq!(resolve("https://a.example", "p").as_deref(), Some("https://a.example/p"));
        assert_eq!(
            resolve("https://a.example/s", "?u=https://x/").as_deref(),
            Some("https://a.example/s?u=https://x/")
        );
    }

    #[test]
    fn a_link_stays_at_home() {
        let to = |link| follow("https://a.example", "https://a.example/s?key=s3cret", link);
        assert_eq!(to("HTTPS://A.example:443/s?p=2&$x").unwrap(), "HTTPS://A.example:443/s?p=2&$x");
        assert_eq!(to("//a.example/s").unwrap(), "https://a.example/s");
        for away in [
            "https://evil.example/s?key=s3cret",
            "//evil.example/",
            "http://a.example/",
            "https://a.example:8443/",
            "https://a.example@evil.example/",
            "https://a.example\\@evil.example/",
            "https:evil.example",
            "javascript:x",
            "/a\nb",
        ] {
            let message = to(away).unwrap_err().to_string();
            assert!(!message.contains("s3cret") && message.contains("the link to the next page"), "{away}: {message}");
        }
    }

    proptest! {
        #[test]
        fn any_link_is_read(value in ".{0,60}", link in ".{0,40}") {
            drop(next_of(&[&value]));
            if let Ok(next) = follow("https://a.example", "https://a.example/s/t?q", &link) {
                prop_assert_eq!(origin(&next), Some("https://a.example".to_owned()));
            }
        }
    }
}
