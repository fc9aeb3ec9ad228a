/// What programs write for a value that is missing. `NA` is none of it: it is Namibia.
const WORDS: [&str; 13] = ["nan", "none", "null", "nil", "nat", "n/a", "#n/a", "-", "--", "–", "—", "nan%", "<na>"];

/// Whether a text is how programs write a missing value, in any case: `NaN`, `None`, `NULL`, `NaT`, `N/A`, `-`, or
/// empty.
#[must_use]
pub fn is_missing(text: &str) -> bool {
    let text = text.trim();
    text.is_empty() || (text.len() <= 5 && WORDS.iter().any(|word| word.eq_ignore_ascii_case(text)))
}

#[cfg(test)]
mod tests {
    use super::*;

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
