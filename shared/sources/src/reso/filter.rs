/// Checks a filter against MLS Grid's rules. The error says what would be accepted.
pub(super) fn for_mls_grid(filter: &str) -> Result<(), &'static str> {
    let Some(tokens) = tokens(filter) else { return Err("a filter whose quotes and parentheses are closed") };
    let word = |at: usize, name: &str| matches!(tokens.get(at), Some(FilterToken { kind: TokenKind::Word(word), .. }) if *word == name);
    let places = |name: &str| (0..tokens.len()).filter(|at| word(*at, name)).collect::<Vec<_>>();

    let every_row = || {
        let [at] = places("OriginatingSystemName")[..] else { return false };
        let text = matches!(tokens.get(at + 2), Some(FilterToken { kind: TokenKind::Text, .. }));
        let negated = at.checked_sub(1).is_some_and(|before| word(before, "not"));
        let or_beside = places("or").into_iter().any(|or| tokens[or].depth == 0);
        tokens[at].depth == 0 && word(at + 1, "eq") && text && !negated && !or_beside
    };
    if !every_row() {
        return Err("one OriginatingSystemName eq '...', once and joined to the rest with and: \
                    MLS Grid serves one system a request");
    }
    if !places("MlgCanView").is_empty() {
        return Err("a filter without MlgCanView: scans add it where it belongs, and need withdrawn rows");
    }
    if places("or").len() > 5 {
        return Err("at most five or; in ('a', 'b') needs none");
    }
    Ok(())
}

/// A token of an OData filter and the number of parentheses around it.
struct FilterToken<'f> {
    kind: TokenKind<'f>,
    depth: usize,
}

enum TokenKind<'f> {
    Word(&'f str),
    /// A quoted text, whose content is not part of the grammar.
    Text,
}

/// Splits a filter into tokens; `None` if a quote or parenthesis is not closed.
fn tokens(filter: &str) -> Option<Vec<FilterToken<'_>>> {
    let mut tokens = Vec::new();
    let mut depth = 0_usize;
    let mut rest = filter;
    while let Some(first) = rest.chars().next() {
        match first {
            '(' => depth += 1,
            ')' => depth = depth.checked_sub(1)?,
            // A quote inside a text is doubled, which reads as two adjacent texts. That is equivalent here.
            '\'' => {
                rest = &rest[1..];
                rest = &rest[rest.find('\'')?..];
                tokens.push(FilterToken { kind: TokenKind::Text, depth });
            }
            c if c.is_whitespace() || c == ',' => {}
            _ => {
                let end = rest.find(|c: char| c.is_whitespace() || "(),'".contains(c)).unwrap_or(rest.len());
                tokens.push(FilterToken { kind: TokenKind::Word(&rest[..end]), depth });
                rest = &rest[end..];
                continue;
            }
        }
        rest = &rest[rest.chars().next()?.len_utf8()..];
    }
    (depth == 0).then_some(tokens)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_filter_names_one_system_for_every_row() {
        for good in [
            "OriginatingSystemName eq 'actris'",
            "StandardStatus eq 'Active' and OriginatingSystemName eq 'actris'",
            "OriginatingSystemName eq 'actris' and (PropertyType eq 'Land' or PropertyType eq 'Farm')",
            "OriginatingSystemName eq 'actris' and StandardStatus in ('Active','Pending')",
            "OriginatingSystemName eq 'o''hare' and ListingId ne 'a or b'",
        ] {
            assert_eq!(for_mls_grid(good), Ok(()), "{good}");
        }
        for bad in [
            "",
            "StandardStatus eq 'Active'",
            "StandardStatus eq 'OriginatingSystemName eq'",
            "OriginatingSystemName ne 'actris'",
            "OriginatingSystemName eq actris",
            "not OriginatingSystemName eq 'actris'",
            "not (OriginatingSystemName eq 'actris')",
            "OriginatingSystemName eq 'actris' or StandardStatus eq 'Active'",
            "(OriginatingSystemName eq 'actris' or StandardStatus eq 'Active')",
            "OriginatingSystemName eq 'actris' and OriginatingSystemName eq 'mred'",
            "OriginatingSystemName in ('actris')",
        ] {
            assert!(for_mls_grid(bad).unwrap_err().starts_with("one OriginatingSystemName"), "{bad}");
        }
    }

    #[test]
    fn what_scans_add_themselves_and_what_is_too_much_is_refused() {
        let with = |more: &str| for_mls_grid(&format!("OriginatingSystemName eq 'actris' and {more}"));
        assert!(with("MlgCanView eq true").unwrap_err().contains("without MlgCanView"));
        let ors = |n: usize| format!("({})", vec!["ListingId eq 'A'"; n].join(" or "));
        assert_eq!(with(&ors(6)), Ok(()));
        assert!(with(&ors(7)).unwrap_err().contains("five or"));
        for open in ["ListingId eq 'A", "(ListingId eq 'A'", "ListingId eq 'A')"] {
            assert!(with(open).unwrap_err().contains("closed"), "{open}");
        }
    }
}
