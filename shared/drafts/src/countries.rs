//! Finds countries by name, code, host and currency.

use stoop_domain::Currency;

use stoop_sources::text::folded;

/// A country's code and names.
const COUNTRIES: &[(&str, &str)] = &[
    ("US", "us, usa, united states, united states of america, etats unis"),
    ("CA", "ca, can, canada"),
    ("GB", "gb, uk, gbr, united kingdom, great britain, england"),
    ("MA", "ma, mar, morocco, maroc, marruecos, marokko"),
    ("FR", "fr, fra, france, frankreich, francia"),
    ("DE", "de, deu, germany, deutschland, allemagne, alemania"),
    ("AT", "at, aut, austria, osterreich, autriche"),
    ("CH", "ch, che, switzerland, schweiz, suisse"),
    ("ES", "es, esp, spain, espana, espagne, spanien"),
    ("PT", "pt, prt, portugal"),
    ("IT", "it, ita, italy, italia, italie, italien"),
    ("BE", "be, bel, belgium, belgique, belgien"),
    ("NL", "nl, nld, netherlands, nederland, pays bas, niederlande"),
    ("LU", "lu, lux, luxembourg, luxemburg"),
    ("IE", "ie, irl, ireland"),
    ("AU", "au, aus, australia"),
    ("NZ", "nz, nzl, new zealand"),
    ("MX", "mx, mex, mexico"),
    ("TN", "tn, tun, tunisia, tunisie"),
    ("DZ", "dz, dza, algeria, algerie"),
    ("AE", "ae, are, united arab emirates"),
    ("PL", "pl, pol, poland, polska"),
    ("CZ", "cz, cze, czechia, czech republic"),
    ("SE", "se, swe, sweden"),
    ("NO", "no, nor, norway"),
    ("DK", "dk, dnk, denmark"),
    ("IN", "in, ind, india"),
    ("BR", "br, bra, brazil, brasil, bresil"),
    ("AR", "ar, arg, argentina"),
    ("CL", "cl, chl, chile"),
    ("CO", "co, col, colombia"),
    ("UY", "uy, ury, uruguay"),
    ("PE", "pe, per, peru"),
    ("TR", "tr, tur, turkey, turkiye, tuerkei"),
    ("IL", "il, isr, israel"),
    ("JP", "jp, jpn, japan"),
    ("KR", "kr, kor, south korea, korea"),
    ("TW", "tw, twn, taiwan"),
    ("SG", "sg, sgp, singapore"),
    ("HK", "hk, hkg, hong kong"),
    ("MY", "my, mys, malaysia"),
    ("TH", "th, tha, thailand"),
    ("PH", "ph, phl, philippines"),
    ("ID", "id, idn, indonesia"),
    ("VN", "vn, vnm, vietnam, viet nam"),
    ("ZA", "za, zaf, south africa"),
    ("KE", "ke, ken, kenya"),
    ("NG", "ng, nga, nigeria"),
    ("EG", "eg, egy, egypt"),
    ("SA", "sa, sau, saudi arabia"),
    ("PK", "pk, pak, pakistan"),
    ("FI", "fi, fin, finland, suomi"),
    ("GR", "gr, grc, greece, hellas"),
    ("HU", "hu, hun, hungary, magyarorszag"),
    ("RO", "ro, rou, romania"),
];

/// Currencies of countries that the domain does not know, because homes there are priced in others too.
const CURRENCIES: &[(&str, &str)] = &[
    ("MX", "MXN"),
    ("CL", "CLP"),
    ("CO", "COP"),
    ("AR", "ARS"),
    ("UY", "UYU"),
    ("BR", "BRL"),
    ("PE", "PEN"),
    ("DO", "DOP"),
    ("TW", "TWD"),
    ("HK", "HKD"),
    ("TR", "TRY"),
    ("IL", "ILS"),
    ("RU", "RUB"),
    ("UA", "UAH"),
    ("KR", "KRW"),
    ("CN", "CNY"),
    ("TH", "THB"),
    ("PH", "PHP"),
    ("MY", "MYR"),
    ("ID", "IDR"),
    ("VN", "VND"),
    ("PK", "PKR"),
    ("LK", "LKR"),
    ("NP", "NPR"),
    ("KE", "KES"),
    ("NG", "NGN"),
    ("GH", "GHS"),
    ("EG", "EGP"),
    ("SA", "SAR"),
    ("QA", "QAR"),
    ("KW", "KWD"),
    ("IS", "ISK"),
    ("RO", "RON"),
    ("BS", "BSD"),
    ("JM", "JMD"),
    ("NA", "NAD"),
    ("HR", "EUR"),
    ("SK", "EUR"),
    ("SI", "EUR"),
    ("EE", "EUR"),
    ("LV", "EUR"),
    ("LT", "EUR"),
    ("CY", "EUR"),
    ("MT", "EUR"),
    ("BG", "EUR"),
    ("SN", "XOF"),
    ("CI", "XOF"),
    ("CM", "XAF"),
    ("KZ", "KZT"),
    ("BY", "BYN"),
    ("GE", "GEL"),
    ("AM", "AMD"),
    ("AZ", "AZN"),
    ("UZ", "UZS"),
    ("RS", "RSD"),
    ("BA", "BAM"),
    ("MK", "MKD"),
    ("MD", "MDL"),
    ("BD", "BDT"),
    ("TZ", "TZS"),
    ("UG", "UGX"),
    ("RW", "RWF"),
    ("ET", "ETB"),
    ("ZM", "ZMW"),
    ("BW", "BWP"),
    ("MU", "MUR"),
    ("JO", "JOD"),
    ("BH", "BHD"),
    ("OM", "OMR"),
    ("LB", "LBP"),
    ("IQ", "IQD"),
    ("CR", "CRC"),
    ("GT", "GTQ"),
    ("HN", "HNL"),
    ("NI", "NIO"),
    ("PY", "PYG"),
    ("BO", "BOB"),
    ("TT", "TTD"),
    ("KH", "KHR"),
    ("EC", "USD"),
    ("SV", "USD"),
    ("PA", "USD"),
    ("ME", "EUR"),
    ("XK", "EUR"),
];

/// Countries where many homes are priced in another currency, so that a bare number says none.
const IN_OTHERS_TOO: [&str; 39] = [
    "AR", "UY", "PE", "EG", "TR", "UA", "DO", "NG", "GH", "IL", "BS", "JM", "KZ", "BY", "GE", "AM", "AZ", "UZ", "RS",
    "BA", "MK", "MD", "TZ", "UG", "RW", "ET", "ZM", "MU", "LB", "IQ", "CR", "GT", "HN", "NI", "PY", "BO", "TT", "KH",
    "RO",
];

/// The currency of a country, in which its signs are to be read.
pub(super) fn currency_of(country: &str) -> Option<Currency> {
    let own = CURRENCIES.iter().find(|(code, _)| code.eq_ignore_ascii_case(country));
    stoop_domain::currency_of(country).or_else(|| Currency::parse(own?.1).ok())
}

/// Whether homes in a country are priced in its currency `code`, unless a text says another.
pub(super) fn prices_in(country: &str, code: &str) -> bool {
    currency_of(country).is_some_and(|own| own.code() == code) && !IN_OTHERS_TOO.contains(&country)
}

/// Returns the code of a country by its name or code.
pub(super) fn country(text: &str) -> Option<&'static str> {
    let words = folded(text);
    COUNTRIES.iter().find(|(_, names)| names.split(", ").any(|name| name == words)).map(|(code, _)| *code)
}

/// Returns the code of a country by a host's top-level domain.
pub(super) fn country_of_host(host: &str) -> Option<&'static str> {
    let (_, end) = host.trim_end_matches('.').rsplit_once('.')?;
    // Domains that are sold worldwide do not identify a country.
    let says = end.len() == 2 && !matches!(end, "io" | "co" | "ai" | "me" | "tv" | "in");
    country(end).filter(|_| says)
}

/// Returns the only country in which homes are priced in a currency. US dollars are used in many.
pub(super) fn country_of_currency(code: &str) -> Option<&'static str> {
    let priced = |country: &str| stoop_domain::currency_of(country).is_some_and(|currency| currency.code() == code);
    let mut found = COUNTRIES.iter().map(|(country, _)| *country).filter(|country| code != "USD" && priced(country));
    let first = found.next()?;
    found.next().is_none().then_some(first)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn countries_are_known_by_name_host_and_currency() {
        assert_eq!(country("USA"), Some("US"));
        assert_eq!(country("Österreich"), Some("AT"));
        assert_eq!(country_of_host("www.avito.ma"), Some("MA"));
        assert_eq!(country_of_host("api.example.io"), None);
        assert_eq!(country_of_currency("MAD"), Some("MA"));
        assert_eq!((country_of_currency("EUR"), country_of_currency("USD")), (None, None));
    }
}
