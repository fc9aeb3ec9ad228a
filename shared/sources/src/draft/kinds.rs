//! What statuses, types of homes and purposes are called, in four languages.

use super::words::folded;

/// A status by its words, whole; RESO's own names are read without being looked up.
const STATUSES: &[(&str, &str)] = &[
    (
        "Active",
        "active, for sale, forsale, for rent, forrent, for lease, on market, available, online, listed, a vendre, a \
         louer, zu verkaufen, zu vermieten, en venta, en alquiler, disponible, aktiv, verfugbar, back on market, \
         listed for sale, listed for rent, price change, price changed, actif, active sale, activo, sale, new \
         listing, relisted, published",
    ),
    ("ActiveUnderContract", "contingent, active under contract, active contingent, under offer, sous offre"),
    (
        "Pending",
        "pending, reserved, reserviert, sale agreed, sous compromis, reserve, reservado, under contract, in contract, \
         pending sale",
    ),
    (
        "Closed",
        "sold, closed, recently sold, vendu, verkauft, vermietet, vendido, alquilado, rented, let, leased, loue, sold \
         out, let agreed",
    ),
    ("ComingSoon", "coming soon, pre market, bientot"),
    (
        "Withdrawn",
        "withdrawn, removed, listing removed, off market, retire, inactive, zuruckgezogen, retirado, delisted",
    ),
    ("Expired", "expired, expire, abgelaufen, caducado"),
    ("Canceled", "canceled, cancelled, annule, cancelado"),
    ("Hold", "hold, on hold, temporarily off market"),
    ("Delete", "deleted, delete, supprime"),
];

/// A type of home by words in its name, with or without an s at the end.
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

const RENTS: &str = "for rent, rent, rental, rentals, to rent, lease, for lease, residential lease, to let, letting, location, a \
     louer, louer, miete, mieten, zu vermieten, vermietung, alquiler, en alquiler, alquilar, rental listing, forrent, \
     let, rented, leased, listed for rent, renta";

const SALES: &str = "for sale, sale, sales, sell, buy, vente, a vendre, vendre, achat, acheter, kauf, kaufen, zu verkaufen, verkauf, \
     venta, en venta, comprar, sale listing, forsale, sold, recently sold, listed for sale";

const US_STATES: &str = " al ak az ar ca co ct de fl ga hi id il in ia ks ky la me md ma mi mn ms mo mt ne nv nh nj nm ny nc nd oh ok or pa ri sc sd tn tx \
    ut vt va wa wv wi wy dc pr ";

/// Codes that are taken for currencies where they stand in a column.
const CURRENCIES: &str = "USD EUR GBP MAD CHF CAD AUD NZD SEK NOK DKK PLN CZK HUF RON BGN TND DZD EGP ZAR AED SAR QAR INR JPY KRW CNY SGD \
     HKD THB IDR PHP VND MYR BRL MXN CLP COP PEN ARS UYU TRY ILS UAH RUB KES NGN XOF XAF";

/// The status that a word is, by its name in maps.
pub(super) fn status(text: &str) -> Option<&'static str> {
    if let Some(status) = stoop_domain::Status::parse(text) {
        return Some(status.as_str());
    }
    let words = folded(text);
    STATUSES.iter().find(|(_, names)| names.split(", ").any(|name| name == words)).map(|(status, _)| *status)
}

/// The type of home that a name speaks of; `None` where it speaks of none or of several.
pub(super) fn property_type(text: &str) -> Option<&'static str> {
    if let Some(kind) = stoop_domain::PropertyType::parse(text) {
        return Some(kind.as_str());
    }
    let words = format!(" {} ", folded(text));
    let has = |name: &str| words.contains(&format!(" {name} ")) || words.contains(&format!(" {name}s "));
    // A "multi family house" is no house by itself: where another word tells the type, these say nothing.
    let weak = |name: &str| matches!(name, "house" | "maison" | "haus" | "casa");
    let of = |strong: bool| {
        let told = move |(_, names): &&(&str, &str)| names.split(", ").any(|name| has(name) && weak(name) != strong);
        TYPES.iter().filter(told).map(|(kind, _)| *kind).collect::<Vec<_>>()
    };
    match (&of(true)[..], &of(false)[..]) {
        ([kind], _) | ([], [kind]) => Some(kind),
        _ => None,
    }
}

/// `sale` or `rent`.
pub(super) fn purpose(text: &str) -> Option<&'static str> {
    let words = folded(text);
    let is = |names: &str| names.split(", ").any(|name| name == words);
    match (is(RENTS), is(SALES)) {
        (true, false) => Some("rent"),
        (false, true) => Some("sale"),
        _ => None,
    }
}

/// The same of a text that may say more: an address, a title, a category. `None` where it says both or neither.
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

/// Whether a text is the code of a state of the United States.
pub(super) fn is_us_state(text: &str) -> bool {
    text.len() == 2 && US_STATES.contains(&format!(" {} ", text.to_ascii_lowercase()))
}

/// Whether a text is a currency's code.
pub(super) fn is_currency(text: &str) -> bool {
    CURRENCIES.split(' ').any(|code| code.eq_ignore_ascii_case(text))
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
    fn names_are_those_that_maps_accept() {
        assert!(STATUSES.iter().all(|(name, _)| stoop_domain::Status::parse(name).is_some()));
        assert!(TYPES.iter().all(|(name, _)| stoop_domain::PropertyType::parse(name).is_some()));
    }
}
