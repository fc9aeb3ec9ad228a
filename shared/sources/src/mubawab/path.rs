//! Facts in a search's path that apply to all of its ads.

use stoop_domain::{PropertyType, Purpose};

/// Returns sale or rent: `a-vendre`, `sc:house-sale`, `a-louer`, `sc:apartment-rent`. `None` if the path contains
/// neither, both, or holiday lets.
pub(super) fn purpose(path: &str) -> Option<Purpose> {
    let path = path.to_lowercase();
    let says = |words: &[&str]| words.iter().any(|word| path.contains(word));
    if says(&["vacation", "vacance"]) {
        return None;
    }
    match (says(&["vendre", "vente", "sale"]), says(&["louer", "location", "rent"])) {
        (true, false) => Some(Purpose::Sale),
        (false, true) => Some(Purpose::Rent),
        _ => None,
    }
}

/// Returns the property type if the path contains exactly one.
pub(super) fn property_type(path: &str) -> Option<PropertyType> {
    let path = path.to_lowercase();
    let by_word = [
        ("appartement", PropertyType::Apartment),
        ("apartment", PropertyType::Apartment),
        ("studio", PropertyType::Apartment),
        ("maison", PropertyType::SingleFamilyResidence),
        ("house", PropertyType::SingleFamilyResidence),
        ("villa", PropertyType::SingleFamilyResidence),
        ("riad", PropertyType::SingleFamilyResidence),
        ("chambre", PropertyType::Room),
        ("terrain", PropertyType::Land),
        ("land", PropertyType::Land),
        ("ferme", PropertyType::Farm),
        ("farm", PropertyType::Farm),
        ("bureau", PropertyType::Commercial),
        ("office", PropertyType::Commercial),
        ("commerc", PropertyType::Commercial),
    ];
    let mut kinds = by_word.into_iter().filter(|(word, _)| path.contains(word)).map(|(_, kind)| kind);
    let first = kinds.next()?;
    kinds.all(|kind| kind == first).then_some(first)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sale_or_rent_is_what_the_path_says() {
        for path in ["fr/sc/appartements-a-vendre", "fr/cc/immobilier-a-vendre-all:o:n:sc:apartment-sale,house-sale"] {
            assert_eq!(purpose(path), Some(Purpose::Sale), "{path}");
        }
        for path in ["fr/st/rabat/appartements-a-louer", "fr/cc/immobilier-a-louer-all:o:n:sc:apartment-rent"] {
            assert_eq!(purpose(path), Some(Purpose::Rent), "{path}");
        }
        for path in
            ["fr/ct/rabat/appartements", "fr/cc/immobilier-vacational", "fr/sc/location-vacances", "a-vendre-a-louer"]
        {
            assert_eq!(purpose(path), None, "{path}");
        }
    }

    #[test]
    fn the_kind_is_known_where_the_path_names_one() {
        assert_eq!(property_type("fr/sc/appartements-a-vendre"), Some(PropertyType::Apartment));
        assert_eq!(property_type("fr/cc/immobilier-a-vendre-all:sc:apartment-sale"), Some(PropertyType::Apartment));
        assert_eq!(
            property_type("fr/st/fes/villas-et-maisons-de-luxe-a-vendre"),
            Some(PropertyType::SingleFamilyResidence)
        );
        assert_eq!(property_type("fr/sc/terrains-a-vendre"), Some(PropertyType::Land));
        assert_eq!(property_type("fr/sc/bureaux-et-commerces-a-louer"), Some(PropertyType::Commercial));
        assert_eq!(property_type("fr/cc/immobilier-a-vendre"), None);
        assert_eq!(property_type("fr/cc/immobilier-a-vendre-all:sc:apartment-sale,house-sale"), None);
    }
}
