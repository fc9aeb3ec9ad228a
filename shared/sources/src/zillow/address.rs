use stoop_domain::Place;

/// Takes apart `street, city, ST zip`. A building's address lacks the zip, an undisclosed one the
/// street; what has no comma at all is kept as the line.
pub(crate) fn place(address: &str, country: &str) -> Place {
    let parts: Vec<&str> = address.split(',').map(str::trim).filter(|part| !part.is_empty()).collect();
    let mut place = Place { country: Some(country.to_owned()), ..Place::default() };
    let (line, state) = match parts.as_slice() {
        [] => return place,
        [line] => (Some((*line).to_owned()), ""),
        [street @ .., city, state] => {
            place.city = Some((*city).to_owned());
            ((!street.is_empty()).then(|| street.join(", ")), *state)
        }
    };
    place.line = line.filter(|line| !line.to_ascii_lowercase().contains("undisclosed"));
    let (region, postal) = state.split_once(' ').unwrap_or((state, ""));
    place.region = (!region.is_empty()).then(|| region.to_owned());
    place.postal_code = match postal.trim() {
        "" => None,
        // ZIP+4 names a side of a block; the zip is the area that homes are counted in.
        zip if country == "US" && zip.as_bytes().get(5) == Some(&b'-') && zip.is_ascii() => Some(zip[..5].to_owned()),
        code => Some(code.to_owned()),
    };
    place
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parts(address: &str) -> [String; 4] {
        let place = place(address, "US");
        [place.line, place.city, place.region, place.postal_code].map(Option::unwrap_or_default)
    }

    #[test]
    fn an_address_is_one_string() {
        assert_eq!(parts("12 Elm St, Springfield, IL 62704"), ["12 Elm St", "Springfield", "IL", "62704"]);
        assert_eq!(
            parts("12 Elm St, Apt 4, Springfield, IL 62704"),
            ["12 Elm St, Apt 4", "Springfield", "IL", "62704"]
        );
        assert_eq!(parts("12 Elm St, Springfield, IL 62704-1234")[3], "62704");
    }

    #[test]
    fn the_address_of_a_building_lacks_the_postal_code() {
        assert_eq!(parts("12 Elm St, Springfield, IL"), ["12 Elm St", "Springfield", "IL", ""]);
    }

    #[test]
    fn an_undisclosed_street_is_unknown() {
        assert_eq!(parts("(undisclosed Address), Springfield, IL 62704"), ["", "Springfield", "IL", "62704"]);
        assert_eq!(parts("Springfield, IL 62704"), ["", "Springfield", "IL", "62704"]);
        assert_eq!(parts("Springfield"), ["Springfield", "", "", ""]);
        assert_eq!(parts(" , "), ["", "", "", ""]);
    }
}
