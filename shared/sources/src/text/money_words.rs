//! The words around an amount: currencies, multipliers, periods, and words that change what it is.

use stoop_domain::Currency;

use super::period::{self, Period};

/// What a word beside an amount says.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum WordMeaning {
    /// A currency, whatever the default is.
    Currency(&'static str),
    /// A sign that several currencies share: those that use it, and the one that it means for any other default.
    Sign(&'static [&'static str], Option<&'static str>),
    Times(i64),
    Period(Period),
    /// The amount is the least that is asked.
    Floor,
    /// The amount is per unit of area.
    PerArea,
    /// Nothing that changes the amount.
    Nothing,
}

/// Currencies whose amounts are written with a bare `$`.
const DOLLARS: &[&str] = &[
    "USD", "CAD", "AUD", "NZD", "SGD", "HKD", "MXN", "CLP", "COP", "ARS", "UYU", "TWD", "BSD", "JMD", "NAD", "BBD",
    "BZD", "TTD", "FJD", "BND", "GYD", "SRD", "LRD", "XCD", "DOP", "CUP", "KYD", "BMD", "NIO", "SBD",
];

/// Signs that one currency has.
const SIGNS: &[(&str, &str)] = &[
    ("€", "EUR"),
    ("euros", "EUR"),
    ("euro", "EUR"),
    ("us$", "USD"),
    ("u$s", "USD"),
    ("u$d", "USD"),
    ("us dollars", "USD"),
    ("ca$", "CAD"),
    ("can$", "CAD"),
    ("a$", "AUD"),
    ("au$", "AUD"),
    ("nz$", "NZD"),
    ("s$", "SGD"),
    ("hk$", "HKD"),
    ("mx$", "MXN"),
    ("mex$", "MXN"),
    ("m.n.", "MXN"),
    ("nt$", "TWD"),
    ("r$", "BRL"),
    ("dh", "MAD"),
    ("dhs", "MAD"),
    ("درهم", "MAD"),
    ("zł", "PLN"),
    ("zl", "PLN"),
    ("kč", "CZK"),
    ("ft", "HUF"),
    ("₺", "TRY"),
    ("tl", "TRY"),
    // Chile's unit of account, in which homes are priced beside pesos.
    ("uf", "CLF"),
    ("u.f.", "CLF"),
    ("₪", "ILS"),
    ("nis", "ILS"),
    ("₽", "RUB"),
    ("руб", "RUB"),
    ("₩", "KRW"),
    ("원", "KRW"),
    ("฿", "THB"),
    ("baht", "THB"),
    ("₱", "PHP"),
    ("₫", "VND"),
    ("đ", "VND"),
    ("rm", "MYR"),
    ("rp", "IDR"),
    ("ksh", "KES"),
    ("₦", "NGN"),
    ("₵", "GHS"),
    ("gh₵", "GHS"),
    ("₴", "UAH"),
    ("грн", "UAH"),
    ("грн.", "UAH"),
    ("円", "JPY"),
    ("元", "CNY"),
    ("đồng", "VND"),
    ("лв", "BGN"),
    ("lei", "RON"),
    ("sfr", "CHF"),
    ("fr.", "CHF"),
    ("fr", "CHF"),
    ("s/", "PEN"),
    ("₡", "CRC"),
    ("₲", "PYG"),
    ("₸", "KZT"),
    ("₾", "GEL"),
    ("₼", "AZN"),
    ("cfa", "XOF"),
    ("fcfa", "XOF"),
    ("درهم إماراتي", "AED"),
    ("ر.س", "SAR"),
];

/// Signs that several currencies share.
const SHARED: &[(&str, &[&str], Option<&str>)] = &[
    ("$", DOLLARS, Some("USD")),
    ("c$", &["CAD", "NIO"], Some("CAD")),
    ("£", &["GBP", "EGP", "LBP", "SYP", "FKP", "GIP", "SHP", "JEP", "GGP", "IMP"], Some("GBP")),
    ("kr", &["SEK", "NOK", "DKK", "ISK"], None),
    ("kr.", &["SEK", "NOK", "DKK", "ISK"], None),
    ("¥", &["JPY", "CNY"], Some("JPY")),
    ("￥", &["JPY", "CNY"], Some("JPY")),
    ("₹", &["INR"], Some("INR")),
    ("rs", &["INR", "PKR", "LKR", "NPR", "MUR"], None),
    ("rs.", &["INR", "PKR", "LKR", "NPR", "MUR"], None),
    ("r", &["ZAR"], None),
];

/// ISO 4217 codes that are known in any text. A map's own code is known too.
const CODES: &str = "AED AFN ALL AMD ANG AOA ARS AUD AWG AZN BAM BBD BDT BGN BHD BIF BMD BND BOB BRL BSD BTN BWP BYN BZD CAD CDF CHF \
     CLF CLP CNY COP CRC CUP CVE CZK DJF DKK DOP DZD EGP ERN ETB EUR FJD FKP GBP GEL GHS GIP GMD GNF GTQ GYD HKD HNL HTG HUF \
     IDR ILS INR IQD IRR ISK JMD JOD JPY KES KGS KHR KMF KRW KWD KYD KZT LAK LBP LKR LRD LSL LYD MAD MDL MGA MKD MMK MNT \
     MOP MRU MUR MVR MWK MXN MYR MZN NAD NGN NIO NOK NPR NZD OMR PAB PEN PGK PHP PKR PLN PYG QAR RON RSD RUB RWF SAR SBD \
     SCR SDG SEK SGD SHP SLE SOS SRD SSP STN SYP SZL THB TJS TMT TND TOP TRY TTD TWD TZS UAH UGX USD UYU UZS VES VND VUV \
     WST XAF XCD XOF XPF YER ZAR ZMW";

/// Multipliers.
const TIMES: &[(i64, &str)] = &[
    (1_000, "k, thousand, thousands, tsd, tsd., tis, mil, tys, tys."),
    (
        1_000_000,
        "m, mm, mn, mio, mio., million, millions, millionen, milhões, milhoes, millones, mln, mln., milioni, mkr, triệu, juta, jt, \
         millió",
    ),
    (100_000, "lac, lacs, lakh, lakhs"),
    (10_000_000, "cr, cr., crore, crores"),
    (1_000_000_000, "tỷ, tỉ, miliar, milyar, mrd, mrd., milliárd, miliard, miliarde"),
    (10_000, "万, 万円, 万元, 萬, 만, 만원"),
];

/// Words that make an amount the least that is asked.
const FLOORS: &str = "from, enquiries over, enquiries above, buyer enquiry over, buyers over, starting from, starting at, starts at, starts from, prices from, offers over, offers above, offers from, \
     offers in excess of, offers in the excess of, oieo, in excess of, over, ab, à partir de, a partir de, dès, desde, \
     vanaf, a partire da, da, från, fra, od, upwards, plus, bids from, bud från, bud over, min, min., mindestens, minimum";

/// Words that change nothing: the amount is what is asked.
const NOTHINGS: &str = "asking price, asking, guide price, guide, fixed price, price, price guide, for sale, offers in the region of, oiro, \
     offers around, offers invited, offers, kaufpreis, kaltmiete, warmmiete, nettokaltmiete, miete, vb, vhb, vs, fp, k.k., \
     kk, v.o.n., von, o.n.o., ono, neg, neg., negotiable, prix, fai, hai, net vendeur, loyer, cc, hc, charges comprises, \
     hors charges, precio, preço, prezzo, pris, prijs, vraagprijs, huurprijs, koopprijs, rent, cena, eoi, expressions of interest, \
     auction, best offer, exkl, inkl, only, circa, ca., ca, gross, net, brutto, netto, excl., incl., exclusief, inclusief";

/// Units of area after "per".
const AREAS: &str = "m², m2, qm, sqm, sqft, ft², ft2, sq ft, sq. ft., sq m, psf, psm, acre, ha, sq yd, sqyd, marla, 坪, mq, metro quadro, \
     square foot, square feet, square meter, square metre";

/// What the longest known word at the beginning of `text` says, and how long it is. `text` is in lower case.
pub(super) fn first(text: &str, default: Option<Currency>) -> Option<(WordMeaning, usize)> {
    let mut best: Option<(WordMeaning, usize)> = None;
    let mut offer = |said: WordMeaning, word: &str| {
        let fits = text.starts_with(word) && is_end(word, &text[word.len()..]);
        if fits && best.is_none_or(|(_, len)| len < word.len()) {
            best = Some((said, word.len()));
        }
    };
    for word in AREAS.split(", ") {
        offer(WordMeaning::PerArea, word);
    }
    for (sign, code) in SIGNS {
        offer(WordMeaning::Currency(code), sign);
    }
    for (sign, codes, otherwise) in SHARED {
        let means = |code: &str| default.is_some_and(|default| default.code() == code);
        if otherwise.is_some() || codes.iter().any(|code| means(code)) {
            offer(WordMeaning::Sign(codes, *otherwise), sign);
        }
    }
    for (times, words) in TIMES {
        words.split(", ").for_each(|word| offer(WordMeaning::Times(*times), word));
    }
    for (word, period) in period::words() {
        offer(WordMeaning::Period(period), word);
    }
    FLOORS.split(", ").for_each(|word| offer(WordMeaning::Floor, word));
    NOTHINGS.split(", ").for_each(|word| offer(WordMeaning::Nothing, word));
    for code in CODES.split_whitespace() {
        if text.get(..3).is_some_and(|head| head.eq_ignore_ascii_case(code)) && is_end("usd", &text[3..]) {
            offer(WordMeaning::Currency(code), &text[..3]);
        }
    }
    if let Some(default) = default {
        let code = default.code().to_ascii_lowercase();
        if text.starts_with(&code) && is_end(&code, &text[3..]) && best.is_none_or(|(_, len)| len < 3) {
            return Some((WordMeaning::Nothing, 3));
        }
    }
    best
}

/// Whether a word ends here: letters do not go on. A sign may stand before anything.
fn is_end(word: &str, rest: &str) -> bool {
    let is_word = word.chars().next_back().is_some_and(char::is_alphanumeric);
    !is_word || !rest.starts_with(char::is_alphanumeric)
}

/// The currency of a sign: the default if it is written so.
pub(super) fn of_sign(codes: &[&str], otherwise: Option<&str>, default: Option<Currency>) -> Option<Currency> {
    let own = default.filter(|default| codes.contains(&default.code()));
    own.or_else(|| Currency::parse(otherwise?).ok())
}
