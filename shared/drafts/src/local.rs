//! Names of areas that mean another level in another country: the `distrito` of Peru is a town, that of Portugal a region.

use super::column::Column;

/// Fields that are levels of areas.
const LEVELS: [&str; 4] = ["region", "county", "city", "neighbourhood"];

/// Countries, a column's name without accents, and the field that it is there.
const NAMES: &[(&str, &str, &str)] = &[
    ("PE EC CO BO PY UY GT HN SV NI", "departamento", "region"),
    ("PE BO", "provincia", "county"),
    ("PE", "distrito", "city"),
    ("EC", "canton", "city"),
    ("CL", "provincia", "county"),
    ("CL", "ciudad", "city"),
    ("AR", "partido", "county"),
    ("AR", "departamento", "county"),
    ("CR PA EC", "provincia", "region"),
    ("CR", "canton", "city"),
    ("CR", "distrito", "neighbourhood"),
    ("PT", "distrito", "region"),
    ("MX VE", "estado", "region"),
    ("BR", "uf", "region"),
    ("TR", "il", "region"),
    ("TR", "ilce", "city"),
    ("TR", "semt", "neighbourhood"),
    ("IN PK BD LK NP", "locality", "neighbourhood"),
    ("NZ", "district", "city"),
    ("HK MO SG SA ES", "district", "neighbourhood"),
    ("LK BD NP IN", "district", "county"),
    ("EC", "sector", "neighbourhood"),
    ("QA", "zone", "neighbourhood"),
    ("NG", "lga", "county"),
    ("KE", "estate", "neighbourhood"),
    ("PH", "province", "county"),
    ("PH", "region", "region"),
    // Elsewhere a region.
    ("PL", "kraj", COUNTRY),
];

/// Wider than every level.
const COUNTRY: &str = "country";

/// The level of areas that a column's name means in a country, if it is another one elsewhere.
pub(super) fn level(country: &str, column: &Column) -> Option<&'static str> {
    let [name] = &column.words.last[..] else { return None };
    let is_meant =
        |(countries, word, _): &&(&str, &str, &str)| *word == name && countries.split(' ').any(|code| code == country);
    NAMES.iter().find(is_meant).map(|(.., field)| *field)
}

/// How well a name fits a field in a country, if it is a level of areas there; 0 for the other levels.
pub(super) fn likeness(field: &str, column: &Column, country: Option<&str>) -> Option<i32> {
    const MEANT: i32 = 98;
    let level = level(country?, column).filter(|_| LEVELS.contains(&field) && column.owner.is_none())?;
    Some(if level == field { MEANT - 3 * i32::try_from(column.depth).unwrap_or(20) } else { 0 })
}

#[cfg(test)]
mod tests {
    use super::super::words::Words;
    use super::*;

    #[test]
    fn a_name_means_the_level_of_its_country() {
        let like = |country: &str, field: &str, name: &str| {
            let column = Column { words: Words::of(&[name.to_owned()]), ..Column::default() };
            likeness(field, &column, Some(country))
        };
        assert_eq!((like("PE", "city", "Distrito"), like("PE", "region", "Distrito")), (Some(98), Some(0)));
        assert_eq!((like("PT", "region", "Distrito"), like("ES", "region", "Distrito")), (Some(98), None));
        assert_eq!((like("CL", "county", "Provincia"), like("TR", "city", "İlçe")), (Some(98), Some(98)));
        assert_eq!(like("PE", "list_price", "Distrito"), None);
        assert_eq!((like("PL", "region", "kraj"), like("CZ", "region", "kraj")), (Some(0), None));
    }

    #[test]
    fn levels_are_fields() {
        assert!(NAMES.iter().all(|(.., field)| LEVELS.contains(field) || *field == COUNTRY));
    }
}
