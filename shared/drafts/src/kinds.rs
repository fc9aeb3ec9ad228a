//! Names of statuses, property types and purposes in four languages.

use std::sync::LazyLock;

use super::words::folded;

/// Statuses by their full names in English, French, German and Spanish. RESO's own names need no lookup.
const STATUSES: &[(&str, [&str; LANGUAGES])] = &[
    (
        "Active",
        [
            "active, for sale, for rent, for lease, on market, available, online, listed, back on market, listed for sale, \
             listed for rent, price change, price changed, price reduced, active sale, sale, new, new listing, relisted, \
             published, forsale, forrent",
            "actif, à vendre, à louer, disponible",
            "aktiv, verfügbar, zu verkaufen, zu vermieten",
            "activo, en venta, en alquiler, disponible",
        ],
    ),
    (
        "ActiveUnderContract",
        ["contingent, active under contract, active contingent, under offer", "sous offre", "", ""],
    ),
    (
        "Pending",
        [
            "pending, reserved, sale agreed, under contract, in contract, pending sale",
            "sous compromis, réservé",
            "reserviert",
            "reservado",
        ],
    ),
    (
        "Closed",
        [
            "closed, sold, recently sold, rented, let, leased, sold out, let agreed",
            "vendu, loué",
            "verkauft, vermietet",
            "vendido, alquilado",
        ],
    ),
    ("ComingSoon", ["coming soon, pre market", "bientôt", "", ""]),
    (
        "Withdrawn",
        ["withdrawn, removed, listing removed, off market, inactive, delisted", "retiré", "zurückgezogen", "retirado"],
    ),
    ("Expired", ["expired", "expiré", "abgelaufen", "caducado"]),
    ("Canceled", ["canceled, cancelled", "annulé", "", "cancelado"]),
    ("Hold", ["hold, on hold, temporarily off market", "", "", ""]),
    ("Delete", ["deleted, delete", "supprimé", "", ""]),
];

/// English, French, German, Spanish.
const LANGUAGES: usize = 4;

/// A name in comparable form, its meaning, and its language.
struct Worded {
    meaning: &'static str,
    word: &'static str,
    folded: String,
    language: usize,
}

static STATUS_WORDS: LazyLock<Vec<Worded>> =
    LazyLock::new(|| STATUSES.iter().flat_map(|(status, languages)| worded(status, languages)).collect());

static PURPOSE_WORDS: LazyLock<Vec<Worded>> =
    LazyLock::new(|| worded("rent", &RENTS).chain(worded("sale", &SALES)).collect());

fn worded(meaning: &'static str, languages: &'static [&'static str; LANGUAGES]) -> impl Iterator<Item = Worded> {
    languages.iter().enumerate().flat_map(move |(language, words)| {
        let words = words.split(", ").filter(|word| !word.is_empty());
        words.map(move |word| Worded { meaning, word, folded: folded(word), language })
    })
}

/// Property types by words in their names, with or without a final s.
const TYPES: &[(&str, &str)] = &[
    (
        "Apartment",
        "apartment, appartement, flat, wohnung, etagenwohnung, dachgeschosswohnung, mietwohnung, eigentumswohnung, \
         piso, apartamento, studio, departamento, apt, maisonette, penthouse, atico",
    ),
    ("Condominium", "condo, condominium, coop, co op"),
    ("Townhouse", "townhouse, townhome, town house, row house, reihenhaus, adosado, terraced, rowhouse"),
    (
        "MultiFamily",
        "multi family, multifamily, mehrfamilienhaus, immeuble, fourplex, quadruplex, residential income, edificio",
    ),
    ("ManufacturedHome", "manufactured, mobile, mobile home, modular"),
    (
        "SingleFamilyResidence",
        "single family, singlefamily, house, maison, villa, riad, haus, einfamilienhaus, doppelhaushalfte, casa, \
         chalet, detached, semi detached, bungalow, single family residence, single family home, cottage",
    ),
    ("Room", "room, chambre, zimmer, habitacion, wg zimmer, colocation"),
    ("Land", "land, lot, terrain, grundstuck, terreno, plot, vacant land, bauland, parcela"),
    ("Farm", "farm, ranch, ferme, bauernhof, finca, hobby farm"),
    (
        "Commercial",
        "commercial, office, bureau, buro, local commercial, oficina, shop, warehouse, retail, gewerbe, magasin, \
         entrepot, industrial, nave, local",
    ),
];

/// Names of rent in a purpose column, by language.
const RENTS: [&str; LANGUAGES] = [
    "for rent, rent, rental, rentals, to rent, lease, for lease, residential lease, to let, letting, rental listing, forrent, \
     let, rented, leased, listed for rent",
    "location, à louer, louer",
    "miete, mieten, zu vermieten, vermietung",
    "alquiler, en alquiler, alquilar, renta",
];

const SALES: [&str; LANGUAGES] = [
    "for sale, sale, sales, sell, buy, sale listing, forsale, sold, recently sold, listed for sale",
    "vente, à vendre, vendre, achat, acheter",
    "kauf, kaufen, zu verkaufen, verkauf",
    "venta, en venta, comprar",
];

const US_STATES: &str = " al ak az ar ca co ct de fl ga hi id il in ia ks ky la me md ma mi mn ms mo mt ne nv nh nj nm ny nc nd oh ok or pa ri sc sd tn tx \
    ut vt va wa wv wi wy dc pr ";

/// Currency codes that are recognized in a column.
const CURRENCIES: &str = "USD EUR GBP MAD CHF CAD AUD NZD SEK NOK DKK PLN CZK HUF RON BGN TND DZD EGP ZAR AED SAR QAR INR JPY KRW CNY SGD \
     HKD THB IDR PHP VND MYR BRL MXN CLP COP PEN ARS UYU TRY ILS UAH RUB KES NGN XOF XAF TWD BSD JMD NAD DOP PKR LKR NPR \
     ISK GHS KWD BHD OMR JOD";

/// Returns the status with this name, as maps spell it.
pub(super) fn status(text: &str) -> Option<&'static str> {
    if let Some(status) = stoop_domain::Status::parse(text) {
        return Some(status.as_str());
    }
    let words = folded(text);
    STATUS_WORDS.iter().find(|worded| worded.folded == words).map(|worded| worded.meaning)
}

/// Returns all names of statuses that a column with these texts may contain, in the same style: a sample of homes on
/// offer does not show them, but later rows will.
pub(super) fn statuses_like(texts: &[&str]) -> Vec<(String, &'static str)> {
    written_like(texts, &STATUS_WORDS)
}

/// Like [`statuses_like`] for purposes: a column with `Sale` may also contain `Lease`.
pub(super) fn purposes_like(texts: &[&str]) -> Vec<(String, &'static str)> {
    written_like(texts, &PURPOSE_WORDS)
}

fn written_like(texts: &[&str], words: &[Worded]) -> Vec<(String, &'static str)> {
    let seen: Vec<String> = texts.iter().map(|text| folded(text)).collect();
    let is_seen =
        |language: usize| words.iter().any(|worded| worded.language == language && seen.contains(&worded.folded));
    let mut languages: Vec<usize> = (0..LANGUAGES).filter(|language| is_seen(*language)).collect();
    if languages.is_empty() {
        languages.push(0);
    }
    let styles = Style::of(texts);
    let mut found: Vec<(String, &'static str)> = Vec::new();
    for worded in words.iter().filter(|worded| languages.contains(&worded.language)) {
        for style in &styles {
            let text = style.write(worded.word);
            if !found.iter().any(|(known, _)| *known == text) {
                found.push((text, worded.meaning));
            }
        }
    }
    found
}

/// Spelling style of words in a column of codes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Style {
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
    fn of(texts: &[&str]) -> Vec<Self> {
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

    fn write(self, words: &str) -> String {
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

/// Returns the property type that a name contains; `None` if it contains none or several.
pub(super) fn property_type(text: &str) -> Option<&'static str> {
    if let Some(kind) = stoop_domain::PropertyType::parse(text) {
        return Some(kind.as_str());
    }
    let words = format!(" {} ", folded(text));
    let has = |name: &str| words.contains(&format!(" {name} ")) || words.contains(&format!(" {name}s "));
    // A "multi family house" is not a house: if another word names the type, these words are ignored.
    let weak = |name: &str| matches!(name, "house" | "maison" | "haus" | "casa");
    let of = |strong: bool| {
        let hints = move |(_, names): &&(&str, &str)| names.split(", ").any(|name| has(name) && weak(name) != strong);
        TYPES.iter().filter(hints).map(|(kind, _)| *kind).collect::<Vec<_>>()
    };
    match (&of(true)[..], &of(false)[..]) {
        ([kind], _) | ([], [kind]) => Some(kind),
        _ => None,
    }
}

/// Returns `sale` or `rent`.
pub(super) fn purpose(text: &str) -> Option<&'static str> {
    let words = folded(text);
    PURPOSE_WORDS.iter().find(|worded| worded.folded == words).map(|worded| worded.meaning)
}

/// Finds the purpose in a longer text: a URL, a title, a category. `None` if it contains both or neither.
pub(super) fn purpose_in(text: &str) -> Option<&'static str> {
    const RENT: &str = "rent, rental, rentals, for rent, lease, louer, location, locations, mietwohnungen, mietwohnung, mieten, \
         miete, vermieten, alquiler, alquilar, to let";
    const SALE: &str = "for sale, vendre, vente, ventes, acheter, achat, kaufen, verkaufen, eigentumswohnung, eigentumswohnungen, \
         venta, comprar, sale";
    let words = format!(" {} ", folded(text));
    let has = |names: &str| names.split(", ").any(|name| words.contains(&format!(" {name} ")));
    match (has(RENT), has(SALE)) {
        (true, false) => Some("rent"),
        (false, true) => Some("sale"),
        _ => None,
    }
}

/// Whether a text is the code of a US state.
pub(super) fn is_us_state(text: &str) -> bool {
    text.len() == 2 && US_STATES.contains(&format!(" {} ", text.to_ascii_lowercase()))
}

/// Whether a text is a currency code.
pub(super) fn is_currency(text: &str) -> bool {
    currency_code(text).is_some()
}

/// The currency code that a text is, in any case.
pub(super) fn currency_code(text: &str) -> Option<&'static str> {
    CURRENCIES.split_whitespace().find(|code| code.eq_ignore_ascii_case(text))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_of_four_languages_mean_what_they_mean() {
        assert_eq!(status("FOR_SALE"), Some("Active"));
        assert_eq!(status("Réservé"), Some("Pending"));
        assert_eq!(status("TX"), None);
        assert_eq!(property_type("SINGLE_FAMILY"), Some("SingleFamilyResidence"));
        assert_eq!(property_type("Appartements, à vendre"), Some("Apartment"));
        assert_eq!(property_type("Villas et Riads, à vendre"), Some("SingleFamilyResidence"));
        assert_eq!(property_type("Terrains et fermes"), None, "two types at once");
        assert_eq!(property_type("Multi Family House"), Some("MultiFamily"));
        assert_eq!(property_type("Local commercial"), Some("Commercial"));
        assert_eq!(purpose("ForRent"), Some("rent"));
        assert_eq!(purpose_in("https://x.at/iad/immobilien/d/mietwohnungen/wien"), Some("rent"));
        assert_eq!(purpose_in("/fr/maroc/appartements-à_vendre"), Some("sale"));
        assert!(is_us_state("TX") && !is_us_state("XX"));
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
        assert!(STATUSES.iter().all(|(name, _)| stoop_domain::Status::parse(name).is_some()));
        assert!(TYPES.iter().all(|(name, _)| stoop_domain::PropertyType::parse(name).is_some()));
    }
}
