//! What the name of a price or an area says beside it: minor units, multipliers, periods, currencies, units of area.

use stoop_sources::text::{AreaMeasure, Period, parse_area_measure, parse_period};

use super::kinds;
use super::words::Words;

/// What a column's name says about its numbers.
#[derive(Clone, Debug, Default)]
pub(super) struct Measure {
    /// A multiplier, such as 1,000 for `k`; 0 if there is none.
    pub(super) times: i64,
    /// A divisor, such as 100 for `cents`; 0 if there is none.
    pub(super) divisor: i64,
    pub(super) period: Option<Period>,
    /// Codes of the currencies that the name can mean.
    pub(super) currencies: Vec<&'static str>,
    /// A unit of area, as maps name it.
    pub(super) area: Option<String>,
    /// The name without these words.
    pub(super) core: Words,
    /// The words of the name that are none of these.
    pub(super) rest: Vec<String>,
}

const MINOR: &str = "cents cent pence pennies penny minor centimes centime centavos centimos grosze groszy ore kopecks kopeks paise fils \
     halalas subunits subunit kurus haler";

const TIMES: &[(i64, &str)] = &[
    (1_000, "k thousand thousands tsd ths 000 000s tausend milliers miles"),
    (1_000_000, "mio mn mln million millions millionen millones milioni"),
    (100_000, "lakh lakhs lac lacs"),
    (10_000_000, "crore crores cr"),
    (10_000, "万円 万 만원 만"),
    (100_000_000, "억원 억"),
];

/// Names of currencies; those that several countries use have several codes.
const NAMES: &[(&str, &[&str])] = &[
    ("euro euros", &["EUR"]),
    ("dollar dollars", &["USD", "CAD", "AUD", "NZD", "SGD", "HKD", "TWD", "JMD", "BSD", "NAD"]),
    ("peso pesos", &["MXN", "CLP", "COP", "ARS", "UYU", "PHP", "DOP"]),
    ("pound pounds", &["GBP", "EGP"]),
    ("dirham dirhams dh dhs", &["MAD", "AED"]),
    ("rupee rupees rs", &["INR", "PKR", "LKR", "NPR"]),
    ("franc francs", &["CHF", "XOF", "XAF"]),
    ("yen 円", &["JPY"]),
    ("reais", &["BRL"]),
    ("kronor kroner kr", &["SEK", "NOK", "DKK", "ISK"]),
    ("zloty zl", &["PLN"]),
    ("uf", &["CLF"]),
    ("lira tl", &["TRY"]),
    ("shekel shekels nis", &["ILS"]),
    ("baht", &["THB"]),
    ("lei", &["RON"]),
    ("forint", &["HUF"]),
    ("원", &["KRW"]),
];

/// Signs of currencies in a name.
const SIGNS: &[(char, &[&str])] = &[
    ('€', &["EUR"]),
    ('£', &["GBP", "EGP"]),
    ('₹', &["INR"]),
    ('¥', &["JPY", "CNY"]),
    ('₪', &["ILS"]),
    ('₺', &["TRY"]),
    ('₦', &["NGN"]),
    ('₽', &["RUB"]),
    ('₴', &["UAH"]),
    ('₱', &["PHP"]),
    ('₫', &["VND"]),
    ('₩', &["KRW"]),
    ('₸', &["KZT"]),
    ('฿', &["THB"]),
    ('₵', &["GHS"]),
    ('₾', &["GEL"]),
    ('$', &["USD", "CAD", "AUD", "NZD", "SGD", "HKD", "MXN", "CLP", "COP", "ARS", "UYU", "TWD", "BSD", "JMD", "NAD"]),
];

/// Words between others that say nothing.
const BETWEEN: [&str; 8] = ["in", "per", "by", "each", "pro", "par", "por", "of"];

fn is_one(word: &str, list: &str) -> bool {
    list.split(' ').any(|known| known == word)
}

impl Measure {
    /// Reads the words of a name; `raw` is its last segment as it is written.
    pub(super) fn of(words: &Words, raw: &str) -> Self {
        let mut measure = Self::default();
        let mut core = Vec::new();
        let mut at = 0;
        while let Some(word) = words.last.get(at) {
            let pair = words.last.get(at + 1).map(|next| format!("{word} {next}"));
            let known = match pair.filter(|pair| measure.takes(pair)) {
                Some(_) => 2,
                None if measure.takes(word) => 1,
                None => 0,
            };
            if known == 0 {
                core.push(word.clone());
            }
            at += known.max(1);
        }
        for (sign, codes) in SIGNS {
            if raw.contains(*sign) && measure.currencies.is_empty() {
                measure.currencies = codes.to_vec();
            }
        }
        // A word that only joins is a part of a name too: "price per unit".
        let is_measured = core.len() < words.last.len();
        core.retain(|word| !is_measured || !BETWEEN.contains(&word.as_str()));
        measure.rest.clone_from(&core);
        if let Some(above) = words.above.last() {
            // "weekly_rent/amount": the name above says it.
            let mut of_above = Self::default();
            let pairs = above.windows(2).map(|pair| pair.join(" "));
            for word in pairs.chain(above.iter().cloned()) {
                of_above.takes(&word);
            }
            if measure.is_plain() {
                measure = Self { core: measure.core, rest: measure.rest, ..of_above };
            }
        }
        measure.core = words.with_last(core);
        measure
    }

    /// Whether the name says nothing about its numbers.
    pub(super) fn is_plain(&self) -> bool {
        let scaled = self.times != 0 || self.divisor != 0;
        !scaled && self.period.is_none() && self.currencies.is_empty() && self.area.is_none()
    }

    /// The factor to the amount in major units.
    #[expect(clippy::cast_precision_loss, reason = "factors are small")]
    pub(super) fn factor(&self) -> f64 {
        self.times.max(1) as f64 / self.divisor.max(1) as f64
    }

    /// Takes what a word says; `false` if it says nothing of this.
    fn takes(&mut self, word: &str) -> bool {
        if is_one(word, MINOR) {
            self.divisor = 100;
        } else if let Some((times, _)) = TIMES.iter().find(|(_, words)| is_one(word, words)) {
            self.times = *times;
        } else if let Some((_, codes)) = NAMES.iter().find(|(names, _)| is_one(word, names)) {
            self.currencies = codes.to_vec();
        } else if let Some(code) = kinds::currency_code(word) {
            self.currencies = vec![code];
        } else if unit(word).is_some() {
            self.area = Some(word.to_owned());
        } else if let Some(period) = parse_period(word).filter(|_| !matches!(word, "a" | "da" | "m")) {
            self.period = Some(period);
        } else {
            return false;
        }
        true
    }
}

/// A unit of area, as names write it.
pub(super) fn unit(word: &str) -> Option<(String, AreaMeasure)> {
    let name = match word {
        "footage" | "square footage" | "feet" | "foot" => "sqft",
        "qm" | "mp" | "metres" | "meters" | "metros" | "metros cuadrados" | "mq" => "m2",
        "psf" => "sqft",
        "psm" => "m2",
        "hectareas" | "hectare" | "hectares" => "ha",
        "acre" | "acreage" => "acres",
        "square yards" | "square yard" | "sq yd" | "sq yds" | "sqyds" | "gaj" | "gaz" => "sqyd",
        "square feet" | "square foot" | "sq ft" | "ft2" | "sf" | "sft" => "sqft",
        "square meters" | "square metres" | "square meter" | "sq m" | "sqm" | "sq mt" | "sqmt" | "mt2" | "mts2"
        | "kvm" => "m2",
        "ac" => "acres",
        "marlas" => "marla",
        "kanals" => "kanal",
        other => other,
    };
    // A word of a language may be a unit elsewhere.
    let measure = parse_area_measure(name).filter(|_| !matches!(word, "are" | "ares" | "rai" | "wah"))?;
    Some((name.to_owned(), measure))
}

/// A multiplier that a text beside a price names: `Lac`, `Cr`, `thousand`.
pub(super) fn multiplier(text: &str) -> Option<i64> {
    let word = stoop_sources::text::folded(text);
    TIMES.iter().find(|(_, words)| is_one(&word, words)).map(|(times, _)| *times)
}
