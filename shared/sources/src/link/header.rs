//! Links to a next page in the `Link` header (RFC 8288).

/// The target of the first link with the relation `next` in an answer's `Link` headers. Links of another context
/// (`anchor`) are not of this page.
pub(crate) fn next(headers: &[(String, String)]) -> Option<&str> {
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
            r#"</p?$select=A,B;C>; rel="prev", </n>; title=x; rel="next""#,
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

    proptest! {
        #[test]
        fn any_header_is_read(value in ".{0,60}") {
            drop(next_of(&[&value]));
        }
    }
}
