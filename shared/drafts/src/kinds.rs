//! Names of property types, purposes in longer texts, US states and currencies.

use super::words::split;
use stoop_domain::Currency;
use stoop_sources::text::{NumberStyle, folded, parse_money};

/// Property types by words in their names, with or without a final s.
const TYPES: &[(&str, &str)] = &[
    (
        "Apartment",
        "stan, kvartiry, serviced residence, suite, apartman, garsonijera, דירה, דירת גן, פנטהאוז, квартира, ph, apartament, garsoniera, 아파트, 오피스텔, 빌라, 원룸, 투룸, 연립, 연립다세대, 다세대, 주상복합, panellakas, can ho, chung cu, apartemen, apartment, appartement, flat, wohnung, etagenwohnung, dachgeschosswohnung, mietwohnung, eigentumswohnung, \
         piso, apartamento, studio, departamento, apt, maisonette, penthouse, atico, unit, flatlet, appartamento, attico, \
         monolocale, bilocale, trilocale, loft, duplex apartment, appartementen, bostadsratt, lagenhet, leilighet, lejlighed, \
         ejerlejlighed, daire, マンション, 中古マンション, 新築マンション, アパート, byt, lakas, mieszkanie, mieszkania, kawalerka, estudio, maisonnette, wohnungen, dachgeschoss, estudo, t0, t1, t2, t3",
    ),
    ("Condominium", "kondominium, condo, condominium, coop, co op"),
    (
        "Townhouse",
        "sorhaz, nha pho, nha lien ke, townhouse, townhome, town home, town house, row house, reihenhaus, adosado, terraced, rowhouse, terrace, end of terrace, mid terrace, \
         reihenmittelhaus, reiheneckhaus, villetta a schiera, tussenwoning, hoekwoning, radhus, rekkehus, raekkehus, moradia em banda, \
         maison de ville, pareado",
    ),
    (
        "MultiFamily",
        "다가구, 다가구주택, tarsashaz, multi family, multifamily, mehrfamilienhaus, immeuble, fourplex, quadruplex, residential income, edificio",
    ),
    ("ManufacturedHome", "manufactured, mobile, mobile home, modular"),
    (
        "SingleFamilyResidence",
        "kuca, doma, vikendica, בית פרטי, קוטג, будинок, дом, home, vila, haz, ikerhaz, nha rieng, nha, biet thu, rumah, 단독주택, 단독, 전원주택, sobrado, single family, singlefamily, house, maison, villa, riad, haus, einfamilienhaus, doppelhaushalfte, casa, \
         chalet, detached, semi detached, bungalow, single family residence, single family home, cottage, villetta, casa \
         indipendente, moradia, vrijstaand, vrijstaande woning, eengezinswoning, twee onder een kap, woonhuis, enebolig, \
         parcelhus, dom, dom wolnostojacy, house semi, doppelhaus, stadtvilla, landhaus, chalet independiente, casa unifamiliar, detached house, acreage, 一戸建て, 戸建て, 戸建, 中古一戸建て, 新築一戸建て, 中古戸建, 新築戸建, mustakil ev, rodinny dum, dum, csaladi haz",
    ),
    ("Room", "room, комната, soba, chambre, zimmer, habitacion, wg zimmer, colocation"),
    (
        "Land",
        "zemljiste, uchastki, zemljisce, מגרש, ділянка, участок, teren, telek, dat, dat nen, tanah, 토지, 대지, land, vacant, lot, terrain, grundstuck, terreno, plot, vacant land, bauland, parcela, baugrundstuck, lote, tomt, grund, dzialka, bouwgrond, residential land, pozemek, 土地, arsa, section",
    ),
    ("Farm", "farm, ranch, ferme, bauernhof, finca, hobby farm"),
    (
        "Commercial",
        "poslovni prostor, spatiu comercial, birou, hala, iroda, uzlethelyiseg, 상가, 사무실, ruko, kantor, gudang, van phong, commercial, office, bureau, buro, local commercial, oficina, shop, warehouse, retail, gewerbe, magasin, \
         entrepot, industrial, nave, local",
    ),
];

const US_STATES: &str = " al ak az ar ca co ct de fl ga hi id il in ia ks ky la me md ma mi mn ms mo mt ne nv nh nj nm ny nc nd oh ok or pa ri sc sd tn tx \
    ut vt va wa wv wi wy dc pr ";

/// Currency codes that are recognized in a column.
const CURRENCIES: &str = "USD EUR GBP MAD CHF CAD AUD NZD SEK NOK DKK PLN CZK HUF RON BGN TND DZD EGP ZAR AED SAR QAR INR JPY CLF KRW CNY SGD \
     HKD THB IDR PHP VND MYR BRL MXN CLP COP PEN ARS UYU TRY ILS UAH RUB KES NGN XOF XAF TWD BSD JMD NAD DOP PKR LKR NPR \
     ISK GHS KWD BHD OMR JOD KZT RSD BAM MKD GEL AZN AMD BYN UZS KGS MDL CRC GTQ HNL NIO PAB PYG BOB BDT MMK KHR LAK MUR UGX TZS \
     RWF ETB ZMW BWP MZN AOA LBP IQD LYD TTD XCD BBD";

/// Returns the property type that a name contains; `None` if it contains none or several.
pub(super) fn property_type(text: &str) -> Option<&'static str> {
    if let Some(kind) = stoop_domain::PropertyType::parse(text) {
        return Some(kind.as_str());
    }
    let has_in =
        |words: &str, name: &str| words.contains(&format!(" {name} ")) || words.contains(&format!(" {name}s "));
    // Also written as one word: "ApartmentUnitFlat".
    let (words, parts) = (format!(" {} ", folded(text)), format!(" {} ", split(text).join(" ")));
    let has = |name: &str| has_in(&words, name) || has_in(&parts, name);
    // A "multi family house" is not a house: if another word names the type, these words are ignored.
    let weak = |name: &str| {
        matches!(
            name,
            "house"
                | "maison"
                | "haus"
                | "casa"
                | "unit"
                | "detached"
                | "dom"
                | "villa"
                | "lot"
                | "local"
                | "home"
                | "haz"
                | "nha"
        )
    };
    let of = |strong: bool| {
        let hints = move |(_, names): &&(&str, &str)| names.split(", ").any(|name| has(name) && weak(name) != strong);
        TYPES.iter().filter(hints).map(|(kind, _)| *kind).collect::<Vec<_>>()
    };
    match (&of(true)[..], &of(false)[..]) {
        ([kind], _) | ([], [kind]) => Some(kind),
        _ => None,
    }
}

/// Whether a text is a word for any home, which says its type only beside a type of the other sort: `UNIT` is a flat among
/// houses, `HOME` a house among flats.
pub(super) fn is_vague_type(text: &str, others: &[&str]) -> bool {
    let beside: &[&str] = match folded(text).as_str() {
        "unit" | "units" => &["SingleFamilyResidence", "Townhouse"],
        "home" | "homes" => &["Apartment", "Condominium", "Townhouse"],
        _ => return false,
    };
    !others.iter().any(|other| {
        !matches!(folded(other).as_str(), "unit" | "units" | "home" | "homes")
            && property_type(other).is_some_and(|kind| beside.contains(&kind))
    })
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

/// The code of the currency that a text names: a code, or a sign as prices of a country have it (`UF`, `$`, `US$`).
pub(super) fn currency_named(text: &str, own: Option<Currency>) -> Option<&'static str> {
    currency_code(text).or_else(|| {
        let amount = format!("1 {text}");
        currency_code(parse_money(&amount, NumberStyle::En, own).ok()?.currency?.code())
    })
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
        assert_eq!(property_type("SINGLE_FAMILY"), Some("SingleFamilyResidence"));
        assert_eq!(property_type("Appartements, à vendre"), Some("Apartment"));
        assert_eq!(property_type("Villas et Riads, à vendre"), Some("SingleFamilyResidence"));
        assert_eq!(property_type("Terrains et fermes"), None, "two types at once");
        assert_eq!(property_type("Multi Family House"), Some("MultiFamily"));
        assert_eq!(property_type("ApartmentUnitFlat"), Some("Apartment"));
        assert_eq!(property_type("Local commercial"), Some("Commercial"));
        assert_eq!(purpose_in("https://x.at/iad/immobilien/d/mietwohnungen/wien"), Some("rent"));
        assert_eq!(purpose_in("/fr/maroc/appartements-à_vendre"), Some("sale"));
        assert!(is_us_state("TX") && !is_us_state("XX"));
    }

    #[test]
    fn a_word_for_any_home_says_a_type_beside_another_one() {
        assert!(is_vague_type("UNIT", &["UNIT", "LAND"]) && is_vague_type("Home", &["Home", "Unit"]));
        assert!(!is_vague_type("unit", &["unit", "house"]) && !is_vague_type("HOME", &["APARTMENT", "HOME"]));
        assert!(!is_vague_type("house", &["house"]));
        assert_eq!(
            ["HOME", "TWO_STORY_HOUSE", "Mobile Home", "Town Home"].map(property_type),
            [Some("SingleFamilyResidence"), Some("SingleFamilyResidence"), Some("ManufacturedHome"), Some("Townhouse"),]
        );
    }

    #[test]
    fn currencies_are_named_by_code_and_by_the_signs_of_a_country() {
        let own = Currency::parse("CLP").ok();
        assert_eq!(
            ["UF", "u.f.", "CLP", "$", "US$", "€"].map(|text| currency_named(text, own)),
            ["CLF", "CLF", "CLP", "CLP", "USD", "EUR"].map(Some)
        );
        assert_eq!(["month", "", "12", "m2"].map(|text| currency_named(text, own)), [None; 4]);
    }

    #[test]
    fn names_are_those_that_maps_accept() {
        assert!(TYPES.iter().all(|(name, _)| stoop_domain::PropertyType::parse(name).is_some()));
    }
}
