//! What the words of a column say: a status, a purpose, or both.

use std::sync::LazyLock;

use super::status_words::{LANGUAGES, Meaning, WORDS};
use super::styles::Style;
use super::words::folded;

/// A word in comparable form, its meaning, and its language.
struct Worded {
    meaning: &'static Meaning,
    word: &'static str,
    folded: String,
    language: usize,
}

static ALL: LazyLock<Vec<Worded>> = LazyLock::new(|| {
    let words = |meaning: &'static Meaning| {
        meaning.words.iter().enumerate().flat_map(move |(language, words)| {
            let words = words.split(", ").filter(|word| !word.is_empty());
            words.map(move |word| Worded { meaning, word, folded: folded(word), language })
        })
    };
    WORDS.iter().flat_map(words).collect()
});

/// Returns the status with this name, as maps spell it.
pub(super) fn status(text: &str) -> Option<&'static str> {
    if let Some(status) = stoop_domain::Status::parse(text) {
        return Some(status.as_str());
    }
    found(text).and_then(|meaning| meaning.status)
}

/// Returns `sale` or `rent` if the word says it.
pub(super) fn purpose(text: &str) -> Option<&'static str> {
    found(text).and_then(|meaning| meaning.purpose)
}

fn found(text: &str) -> Option<&'static Meaning> {
    let words = folded(text);
    let exact = ALL.iter().find(|worded| worded.folded == words);
    // "onMarket", "soldSTC" and "forSale" are written as one word.
    let joined = || {
        let one = words.replace(' ', "");
        ALL.iter().find(|worded| worded.folded.contains(' ') && worded.folded.replace(' ', "") == one)
    };
    exact.or_else(joined).map(|worded| worded.meaning)
}

/// Returns all names of statuses that a column with these texts may contain, in the same style: a sample of homes on
/// offer does not show them, but later rows will.
pub(super) fn statuses_like(texts: &[&str]) -> Vec<(String, &'static str)> {
    written_like(texts, |meaning| meaning.status)
}

/// Like [`statuses_like`] for purposes: a column with `Sale` may also contain `Lease`.
pub(super) fn purposes_like(texts: &[&str]) -> Vec<(String, &'static str)> {
    written_like(texts, |meaning| meaning.purpose)
}

fn written_like(texts: &[&str], of: fn(&Meaning) -> Option<&'static str>) -> Vec<(String, &'static str)> {
    let seen: Vec<String> = texts.iter().map(|text| folded(text)).collect();
    let known = || ALL.iter().filter(|worded| of(worded.meaning).is_some());
    let is_seen = |language: usize| known().any(|worded| worded.language == language && seen.contains(&worded.folded));
    let mut languages: Vec<usize> = (0..LANGUAGES).filter(|language| is_seen(*language)).collect();
    if languages.is_empty() || languages.contains(&0) {
        languages = vec![0];
    }
    let styles = Style::of(texts);
    let mut found: Vec<(String, &'static str)> = Vec::new();
    for worded in known().filter(|worded| languages.contains(&worded.language)) {
        for style in &styles {
            let text = style.write(worded.word);
            if let Some(meaning) = of(worded.meaning)
                && !found.iter().any(|(known, _)| *known == text)
            {
                found.push((text, meaning));
            }
        }
    }
    found
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_of_many_countries_mean_what_they_mean() {
        for (text, wanted) in [
            ("FOR_SALE", "Active sale"),
            ("FOR_RENT", "Active rent"),
            ("sale", "Active sale"),
            ("Sold STC", "Pending sale"),
            ("SSTC", "Pending sale"),
            ("Sold Subject To Contract", "Pending sale"),
            ("Exchanged", "Pending sale"),
            ("Under Offer", "ActiveUnderContract -"),
            ("Let Agreed", "Pending rent"),
            ("current", "Active -"),
            ("offmarket", "Withdrawn -"),
            ("leased", "Closed rent"),
            ("soldSTC", "Pending sale"),
            ("Réservé", "Pending -"),
            ("Sous compromis", "Pending sale"),
            ("verkauft", "Closed sale"),
            ("vermietet", "Closed rent"),
            ("En venta", "Active sale"),
            ("alquilado", "Closed rent"),
            ("in vendita", "Active sale"),
            ("Venduto", "Closed sale"),
            ("trattativa", "Pending -"),
            ("à venda", "Active sale"),
            ("arrendado", "Closed rent"),
            ("te koop", "Active sale"),
            ("Onder bod", "ActiveUnderContract -"),
            ("verkocht onder voorbehoud", "Pending sale"),
            ("verhuurd", "Closed rent"),
            ("till salu", "Active sale"),
            ("såld", "Closed sale"),
            ("kommande", "ComingSoon -"),
            ("til salgs", "Active sale"),
            ("solgt", "Closed sale"),
            ("udlejet", "Closed rent"),
            ("na sprzedaż", "Active sale"),
        ] {
            let found = format!("{} {}", status(text).unwrap_or("-"), purpose(text).unwrap_or("-"));
            assert_eq!(found, wanted, "{text}");
        }
        assert_eq!((status("TX"), purpose("TX"), status("")), (None, None, None));
    }

    #[test]
    fn a_word_of_two_languages_has_one_meaning() {
        for (at, worded) in ALL.iter().enumerate() {
            let same = |other: &&Worded| other.folded == worded.folded && other.meaning.status != worded.meaning.status;
            assert!(ALL[..at].iter().find(same).is_none(), "{} means two things", worded.word);
        }
    }

    #[test]
    fn statuses_are_written_as_the_column_writes_them() {
        let like = |texts: &[&str], text: &str| {
            let found = statuses_like(texts);
            found.iter().find(|(known, _)| known == text).map(|(_, status)| *status)
        };
        assert_eq!(like(&["Active"], "Sold"), Some("Closed"));
        assert_eq!(like(&["Active"], "Coming Soon"), Some("ComingSoon"));
        assert_eq!(like(&["Active"], "Coming soon"), Some("ComingSoon"));
        assert_eq!(like(&["Active"], "ComingSoon"), Some("ComingSoon"));
        assert_eq!(like(&["for_sale"], "coming_soon"), Some("ComingSoon"));
        assert_eq!((like(&["for_sale"], "coming soon"), like(&["for_sale"], "Sold")), (None, None));
        assert_eq!(like(&["ACTIVE", "OFF MARKET"], "UNDER CONTRACT"), Some("Pending"));
        assert_eq!(like(&["à vendre"], "loué"), Some("Closed"));
        assert_eq!(like(&["à vendre"], "sold"), None, "in the languages of the column");
        assert!(statuses_like(&["ON_HOLD"]).iter().all(|(text, meaning)| status(text) == Some(meaning)));
    }

    #[test]
    fn names_are_those_that_maps_accept() {
        assert!(WORDS.iter().filter_map(|word| word.status).all(|name| stoop_domain::Status::parse(name).is_some()));
        assert!(WORDS.iter().filter_map(|word| word.purpose).all(|name| matches!(name, "sale" | "rent")));
    }
}
