//! What the words of a text say: a status, a purpose, or both.

use std::collections::HashMap;
use std::sync::LazyLock;

use stoop_domain::{Purpose, Status};

use super::folded::folded;
use super::status_words::{Meaning, WORDS};

/// The words of all languages by their comparable form; those of several words also written as one: "onMarket", "soldSTC".
static MEANINGS: LazyLock<HashMap<String, &'static Meaning>> = LazyLock::new(|| {
    let forms = || all().map(|(word, meaning)| (folded(word), meaning));
    let mut meanings = HashMap::new();
    for (form, meaning) in forms().chain(forms().map(|(form, meaning)| (form.replace(' ', ""), meaning))) {
        meanings.entry(form).or_insert(meaning);
    }
    meanings
});

fn all() -> impl Iterator<Item = (&'static str, &'static Meaning)> {
    let words = |meaning: &'static Meaning| meaning.words.iter().flat_map(|words| words.split(", "));
    let words = move |meaning| words(meaning).filter(|word| !word.is_empty()).map(move |word| (word, meaning));
    WORDS.iter().flat_map(words)
}

/// The status that a text names: in RESO's words, or in those of portals of eleven languages, however they are written. `None` if
/// it names none.
#[must_use]
pub fn status_named(text: &str) -> Option<Status> {
    Status::parse(text).or_else(|| Status::parse(found(text)?.status?))
}

/// The purpose that a text says, as *To let* and *verkauft* do; `None` if it says none.
#[must_use]
pub fn purpose_named(text: &str) -> Option<Purpose> {
    match found(text)?.purpose? {
        "rent" => Some(Purpose::Rent),
        _ => Some(Purpose::Sale),
    }
}

/// Where the terms of schema.org and of its offers are.
const VOCABULARIES: [&str; 2] = ["schema.org/", "purl.org/goodrelations/v1#"];

fn found(text: &str) -> Option<&'static Meaning> {
    // Terms of schema.org may be written as addresses.
    let text = text.trim();
    let rest = ["https://", "http://"].iter().find_map(|scheme| text.strip_prefix(scheme));
    let term = rest.and_then(|rest| VOCABULARIES.iter().find_map(|at| rest.strip_prefix(at)));
    MEANINGS.get(&folded(term.unwrap_or(text))).copied()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_of_many_countries_mean_what_they_mean() {
        for (text, wanted) in [
            ("FOR_SALE", "Active sale"),
            ("http://purl.org/goodrelations/v1#LeaseOut", "Active rent"),
            ("Prodaja", "Active sale"),
            ("Najam", "Active rent"),
            ("للإيجار", "Active rent"),
            ("FOR_RENT", "Active rent"),
            ("PRONAJEM", "Active rent"),
            ("Satılık", "Active sale"),
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
            let found = format!(
                "{} {}",
                status_named(text).map_or("-", Status::as_str),
                purpose_named(text).map_or("-", Purpose::as_str)
            );
            assert_eq!(found, wanted, "{text}");
        }
        assert_eq!((status_named("TX"), purpose_named("TX"), status_named("")), (None, None, None));
    }

    #[test]
    fn a_word_of_two_languages_has_one_meaning() {
        for (word, meaning) in all() {
            let found = found(word).unwrap();
            assert_eq!((found.status, found.purpose), (meaning.status, meaning.purpose), "{word} means two things");
        }
    }

    #[test]
    fn names_are_those_that_maps_accept() {
        assert!(WORDS.iter().filter_map(|word| word.status).all(|name| stoop_domain::Status::parse(name).is_some()));
        assert!(WORDS.iter().filter_map(|word| word.purpose).all(|name| matches!(name, "sale" | "rent")));
    }
}
