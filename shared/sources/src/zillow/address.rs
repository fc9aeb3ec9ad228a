use stoop_domain::Address;

/// An address in parts, any of which may be unknown.
#[derive(Debug, Default)]
pub(super) struct ZillowAddress {
    pub(super) street: Option<String>,
    pub(super) city: Option<String>,
    pub(super) state: Option<String>,
    pub(super) zip: Option<String>,
}

/// Splits `street, city, ST zip`. A building's address has no ZIP code, an undisclosed one no street; a text without a
/// comma becomes the line.
pub(super) fn parts(text: &str) -> ZillowAddress {
    let split: Vec<&str> = text.split(',').map(str::trim).filter(|part| !part.is_empty()).collect();
    let known = |text: &str| (!text.is_empty()).then(|| text.to_owned());
    let (street, city, state) = match split.as_slice() {
        [] => return ZillowAddress::default(),
        [line] => return ZillowAddress { street: known(line), ..ZillowAddress::default() },
        [street @ .., city, state] => (street.join(", "), *city, *state),
    };
    let (region, zip) = state.split_once(' ').unwrap_or((state, ""));
    ZillowAddress { street: known(&street), city: known(city), state: known(region), zip: known(zip.trim()) }
}

/// Builds the address; adds the unit to the line if the street does not contain it.
pub(super) fn address(parts: ZillowAddress, unit: Option<&str>, country: &str) -> Address {
    let line = parts.street.filter(|line| !line.to_ascii_lowercase().contains("undisclosed"));
    let line = line.map(|line| match unit {
        Some(unit) if !names_unit(&line, unit) => format!("{line} {unit}"),
        _ => line,
    });
    let postal_code = parts.zip.map(|zip| match zip.as_bytes().get(5) {
        // A ZIP+4 names a side of a block: homes are counted by ZIP code.
        Some(b'-') if country == "US" && zip.is_ascii() => zip[..5].to_owned(),
        _ => zip,
    });
    Address {
        line,
        city: parts.city,
        region: parts.state,
        postal_code,
        country: Some(country.to_owned()),
        ..Address::default()
    }
}

/// Whether the line ends with this unit: `2133 Winrock Blvd #34` with `# 34`, `9 Elm St APT 15` with `Apt 15`.
fn names_unit(line: &str, unit: &str) -> bool {
    let number = |text: &str| {
        let last = text.rsplit([' ', '#']).next().unwrap_or_default();
        (!last.is_empty()).then(|| last.to_ascii_lowercase())
    };
    let lower = line.to_ascii_lowercase();
    let marked = lower.rsplit_once([' ', '#']).is_some_and(|(before, _)| {
        let before = before.trim_end_matches(' ');
        lower[before.len()..].contains('#')
            || before.ends_with('#')
            || ["apt", "unit", "ste", "suite", "lot", "no"].contains(&before.rsplit(' ').next().unwrap_or_default())
    });
    marked && number(&lower) == number(unit)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parts(text: &str) -> [String; 4] {
        let address = address(super::parts(text), None, "US");
        [address.line, address.city, address.region, address.postal_code].map(Option::unwrap_or_default)
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

    #[test]
    fn a_unit_stands_in_the_line_once() {
        let line = |street: &str, unit: &str| {
            let parts = ZillowAddress { street: Some(street.to_owned()), ..ZillowAddress::default() };
            address(parts, Some(unit), "US").line.unwrap()
        };
        assert_eq!(line("12 Elm Blvd #34", "# 34"), "12 Elm Blvd #34");
        assert_eq!(line("12 Elm St APT 15", "Apt 15"), "12 Elm St APT 15");
        assert_eq!(line("12 Elm Rd UNIT 12314", "Unit 12314"), "12 Elm Rd UNIT 12314");
        assert_eq!(line("Oak House, 12 Elm St", "# 3B-2Ba"), "Oak House, 12 Elm St # 3B-2Ba");
        assert_eq!(line("12 Highway 5", "# 5"), "12 Highway 5 # 5");
        assert_eq!(line("12 Elm St APT 15", "Apt 1"), "12 Elm St APT 15 Apt 1");
    }

    #[test]
    fn the_unit_of_an_undisclosed_street_says_nothing() {
        let parts = ZillowAddress { street: Some("(undisclosed Address)".into()), ..ZillowAddress::default() };
        assert_eq!(address(parts, Some("# 3"), "US").line, None);
    }
}
