//! French phrases on the ad cards of Moroccan sites.

use stoop_domain::{Address, Area, AreaUnit, Currency, Minor, MoneyError, Reason};

use super::CardRules;
use super::document::one_spaced;
use crate::fields::{FieldRefusal, scaled, shown};
use crate::text::{NumberStyle, Period, parse_area, parse_money};

/// Minimum living area. Sellers who do not know it enter "1 m²".
pub(crate) const LIVING_AREA_MIN_M2: f64 = 5.0;

/// Texts for "no quarter".
const NO_QUARTERS: [&str; 2] = ["Autre secteur", "Toute la ville"];

/// One short feature on a card.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Feature {
    Area(Area),
    Bedrooms(u8),
    /// In hundredths.
    Bathrooms(u16),
    /// Rooms of any kind: bedrooms and living rooms.
    Rooms,
    /// An area that is too small or unreadable, or an invalid count.
    Unknown,
    /// A feature without a number.
    Amenity,
}

/// Parses a price: `690,000 DH`, `1 400 000 DH` with any white space, `480 000 EUR`; `None` if the text means "no
/// price".
///
/// A price without a currency is refused: it could be euros or dirhams. Prices per night or day and "from" prices are
/// refused, too.
pub(crate) fn price(text: &str, name: &str, rules: &CardRules) -> Result<Option<(Currency, Minor)>, FieldRefusal> {
    if rules.says_no_price(text) {
        return Ok(None);
    }
    let bad = || FieldRefusal::bad(name, text);
    let money = parse_money(text, NumberStyle::Auto, Some(Currency::MAD)).map_err(|_| bad())?;
    if money.period.is_some_and(|period| period != Period::Month) {
        return Err(bad());
    }
    let Some(currency) = money.currency else {
        return Err(FieldRefusal {
            reason: Reason::BadValue,
            detail: format!("{name} is {}, in no currency", shown(text)),
        });
    };
    match money.minor(currency) {
        Ok(amount) => Ok(Some((currency, amount))),
        Err(MoneyError::TooLarge(_)) => {
            Err(FieldRefusal { reason: Reason::PriceAbsurd, detail: format!("{name} is {}", shown(text)) })
        }
        Err(_) => Err(bad()),
    }
}

/// Parses an address with the city first: `Rabat, Agdal`, `Fès, Autre secteur`, or the city alone.
pub(crate) fn city_and_quarter(text: &str) -> Address {
    let (city, quarter) = text.split_once(',').unwrap_or((text, ""));
    address(city, quarter)
}

/// Parses an address with the city last: `Hivernage à Marrakech`, `Racine, Casablanca`, or the city alone.
pub(crate) fn quarter_and_city(text: &str) -> Address {
    let text = one_spaced(text);
    let parts = text.rsplit_once(" à ").or_else(|| text.rsplit_once(','));
    let (quarter, city) = parts.unwrap_or(("", &text));
    address(city, quarter)
}

fn address(city: &str, quarter: &str) -> Address {
    let known = |text: &str| {
        let words = one_spaced(text);
        (!words.is_empty()).then_some(words)
    };
    Address {
        city: known(city),
        neighbourhood: known(quarter).filter(|quarter| !NO_QUARTERS.contains(&quarter.as_str())),
        country: Some("MA".into()),
        ..Address::default()
    }
}

/// Parses `96 m²`, `4 Chambres`, `1 Salle de bain`, `5 Pièces`, `Terrasse`.
pub(crate) fn feature(text: &str) -> Feature {
    if !text.contains(|c: char| c.is_ascii_digit()) {
        return if text.trim().is_empty() || text.trim() == "m²" { Feature::Unknown } else { Feature::Amenity };
    }
    if let Some(area) = area(text) {
        return Feature::Area(area);
    }
    let Some((number, words)) = text.trim().split_once(' ') else { return Feature::Unknown };
    let words = words.to_lowercase();
    let one = |feature: Option<Feature>| feature.unwrap_or(Feature::Unknown);
    if words.starts_with("chambre") {
        one(count(number, 0).map(Feature::Bedrooms))
    } else if words.starts_with("salle de bain") || words.starts_with("salles de bain") {
        one(count(number, 2).map(Feature::Bathrooms))
    } else if words.starts_with("pièce") {
        one(count::<u16>(number, 0).map(|_| Feature::Rooms))
    } else {
        Feature::Unknown
    }
}

/// Parses the area of a home: `96 m²`, `1 550 m²`, `70`; `None` if it is too small or missing.
pub(crate) fn area(text: &str) -> Option<Area> {
    let area = parse_area(text, NumberStyle::Auto, AreaUnit::SquareMeters).ok().flatten()?;
    (area.square_metres() >= LIVING_AREA_MIN_M2).then_some(area)
}

/// Parses `2`, `7+` (seven or more) and `Studio` (none).
pub(crate) fn count<T: TryFrom<i64>>(value: &str, digits: u32) -> Option<T> {
    let number = if value.eq_ignore_ascii_case("studio") { "0" } else { value.trim_end_matches('+').trim() };
    scaled(number, digits).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn rules() -> CardRules {
        let fields = "[fields]\nlink = { select = 'a' }\nprice = { select = 'b' }\nlocation = { select = 'i' }\n";
        let head = "card = 'li'\nid = '(1)'\nunpriced = '(?i)^prix (à consulter|non spécifié)$'\n";
        CardRules::built_in(&format!("{head}{fields}")).unwrap()
    }

    #[test]
    fn dirhams_are_read_in_every_spacing() {
        for text in [
            "1 400 000 DH",
            "1\u{202f}400\u{202f}000 DH",
            "1\u{a0}400\u{a0}000\u{a0}DH",
            "1,400,000 DH",
            "1.400.000 DHS",
            "1400000DH",
            "1 400 000 MAD",
            "DH 1 400 000",
            "1 400 000 Dh / mois",
        ] {
            assert_eq!(price(text, "price", &rules()), Ok(Some((Currency::MAD, Minor(140_000_000)))), "{text}");
        }
        assert_eq!(price("690,000 DH", "price", &rules()).unwrap().unwrap().1, Minor(69_000_000));
        assert_eq!(price("480 000 EUR", "price", &rules()), Ok(Some((Currency::EUR, Minor(48_000_000)))));
        assert_eq!(price("95 000 €", "price", &rules()).unwrap().unwrap().0, Currency::EUR);
    }

    #[test]
    fn a_text_that_says_there_is_none_is_no_price_and_no_other_is() {
        assert_eq!(price("Prix à consulter", "price", &rules()), Ok(None));
        assert_eq!(price("PRIX NON SPÉCIFIÉ", "price", &rules()), Ok(None));
        for text in
            ["", "Contactez-nous", "500 DH / nuit", "500 DH par jour", "À partir de 900 000 DH", "1 000 - 2 000 DH"]
        {
            assert_eq!(price(text, "price", &rules()), Err(FieldRefusal::bad("price", text)), "{text}");
        }
        assert_eq!(price("690,000", "price", &rules()).unwrap_err().detail, "price is 690,000, in no currency");
        assert_eq!(
            price(&format!("{} DH", "9".repeat(30)), "price", &rules()).unwrap_err().reason,
            Reason::PriceAbsurd
        );
    }

    #[test]
    fn addresses_are_read_city_first_or_last() {
        let parts = |address: Address| (address.neighbourhood.unwrap_or_default(), address.city.unwrap_or_default());
        let message = |quarter: &str, city: &str| (quarter.to_owned(), city.to_owned());
        assert_eq!(parts(quarter_and_city("Hivernage à\n\t\t\tMarrakech")), message("Hivernage", "Marrakech"));
        assert_eq!(parts(quarter_and_city("Hivernage à Marrakech")), message("Hivernage", "Marrakech"));
        assert_eq!(parts(quarter_and_city("Racine, Casablanca")), message("Racine", "Casablanca"));
        assert_eq!(parts(quarter_and_city("Asilah")), message("", "Asilah"));
        assert_eq!(
            parts(quarter_and_city("Ferme Bretonne (Hay Arraha) à Casablanca")),
            message("Ferme Bretonne (Hay Arraha)", "Casablanca")
        );
        assert_eq!(parts(city_and_quarter("Rabat, Agdal")), message("Agdal", "Rabat"));
        assert_eq!(parts(city_and_quarter("Fès, Autre secteur")), message("", "Fès"));
        assert_eq!(parts(city_and_quarter("")), message("", ""));
    }

    #[test]
    fn features_are_reported_apart_by_their_words() {
        let m2 = |whole| Feature::Area(Area::of(whole, AreaUnit::SquareMeters));
        for (text, want) in [
            ("96 m²", m2(96)),
            ("1 550 m²", m2(1_550)),
            ("72m2", m2(72)),
            ("1 m²", Feature::Unknown),
            ("0 m²", Feature::Unknown),
            ("m²", Feature::Unknown),
            ("1 Chambre", Feature::Bedrooms(1)),
            ("27 Chambres", Feature::Bedrooms(27)),
            ("1 Salle de bain", Feature::Bathrooms(100)),
            ("17 Salles de bains", Feature::Bathrooms(1_700)),
            ("5 Pièces", Feature::Rooms),
            ("2 étages", Feature::Unknown),
            ("R+5", Feature::Unknown),
            ("99999999 Chambres", Feature::Unknown),
            ("Terrasse", Feature::Amenity),
            ("", Feature::Unknown),
        ] {
            assert_eq!(feature(text), want, "{text}");
        }
    }
}
