/// What programs write for a value that is missing. `NA` is none of it: it is Namibia.
const WORDS: [&str; 13] = ["nan", "none", "null", "nil", "nat", "n/a", "#n/a", "-", "--", "–", "—", "nan%", "<na>"];

/// Whether a text is how programs write a missing value, in any case: `NaN`, `None`, `NULL`, `NaT`, `N/A`, `-`, or
/// empty.
#[must_use]
pub fn is_missing(text: &str) -> bool {
    let text = text.trim();
    text.is_empty() || (text.len() <= 5 && WORDS.iter().any(|word| word.eq_ignore_ascii_case(text)))
}

/// Python writes numbers that are none without quotes, which is no JSON. Replaces bare `NaN`, `Infinity` and `-Infinity` by an empty text of the same length, so that spans fit both rows;
/// `None` if there are none.
#[must_use]
pub fn without_bare_nan(row: &str) -> Option<String> {
    const WORDS: [&str; 4] = ["-Infinity", "Infinity", "NaN", "nan"];
    let mut mended = String::with_capacity(row.len());
    let mut rest = row;
    let mut inside = false;
    while let Some(c) = rest.chars().next() {
        let word = WORDS.into_iter().find(|word| !inside && rest.starts_with(word));
        let length = match word {
            Some(word) => {
                mended.push_str("\"\"");
                mended.extend(std::iter::repeat_n(' ', word.len() - 2));
                word.len()
            }
            // An escape is two characters; the second is no end of the text.
            None if inside && c == '\\' => {
                let pair = rest.chars().take(2).map(char::len_utf8).sum();
                mended.push_str(&rest[..pair]);
                pair
            }
            None => {
                inside ^= c == '"';
                mended.push(c);
                c.len_utf8()
            }
        };
        rest = &rest[length..];
    }
    (mended != row).then_some(mended)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_bare_nan_becomes_an_empty_text_of_its_length() {
        let row = r#"{"a": NaN, "b": "NaN \" NaN", "c": [-Infinity, nan]}"#;
        let mended = without_bare_nan(row).unwrap();
        assert_eq!(mended, r#"{"a": "" , "b": "NaN \" NaN", "c": [""       , "" ]}"#);
        assert_eq!((mended.len(), without_bare_nan("{}")), (row.len(), None));
    }

    #[test]
    fn the_words_of_programs_are_missing_values() {
        for text in ["nan", "NaN", "None", "NULL", "null", "NaT", "N/A", "n/a", "-", "--", "", "  ", "#N/A"] {
            assert!(is_missing(text), "{text}");
        }
        for text in ["NA", "0", "Nantes", "no", "None given", "-1", "N"] {
            assert!(!is_missing(text), "{text}");
        }
    }
}
