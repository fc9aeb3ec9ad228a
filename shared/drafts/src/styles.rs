//! How a column of codes spells its words.

/// Spelling style of words in a column of codes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Style {
    case: Case,
    between: &'static str,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Case {
    Lower,
    Upper,
    /// Each word is capitalized.
    Title,
    /// Only the first word is capitalized.
    Sentence,
}

impl Style {
    /// Returns the styles that fit all texts: a single text of several words identifies its style.
    pub(super) fn of(texts: &[&str]) -> Vec<Self> {
        let all =
            |fits: fn(char) -> bool| texts.iter().all(|text| text.chars().filter(|c| c.is_alphabetic()).all(fits));
        let between: Vec<&'static str> =
            [" ", "_", "-"].into_iter().filter(|sign| texts.iter().any(|text| text.trim().contains(sign))).collect();
        let later = |text: &&str| text.split([' ', '_', '-']).skip(1).any(|word| word.starts_with(char::is_uppercase));
        let cases = if all(|c| !c.is_uppercase()) {
            vec![Case::Lower]
        } else if all(|c| !c.is_lowercase()) {
            vec![Case::Upper]
        } else if between.is_empty() {
            vec![Case::Title, Case::Sentence]
        } else if texts.iter().any(later) {
            vec![Case::Title]
        } else {
            vec![Case::Sentence]
        };
        let signs = match (&between[..], &cases[..]) {
            ([], [Case::Title, ..]) => vec![" ", ""],
            ([], _) => vec![" ", "_"],
            (known, _) => known.to_vec(),
        };
        let pairs = cases.iter().flat_map(|case| signs.iter().map(|between| Self { case: *case, between }));
        // "Comingsoon" is not a real style.
        pairs.filter(|style| style.case != Case::Sentence || !style.between.is_empty()).collect()
    }

    pub(super) fn write(self, words: &str) -> String {
        let capital = |word: &str| {
            let mut letters = word.chars();
            letters.next().map_or(String::new(), |first| first.to_uppercase().chain(letters).collect())
        };
        let words = words.split(' ').enumerate().map(|(at, word)| match self.case {
            Case::Lower => word.to_owned(),
            Case::Upper => word.to_uppercase(),
            Case::Title => capital(word),
            Case::Sentence if at == 0 => capital(word),
            Case::Sentence => word.to_owned(),
        });
        words.collect::<Vec<_>>().join(self.between)
    }
}
