use crate::port::ReadError;

/// Percent-encodes `text` for a query's value, or for a path when `keep` holds `/`: everything but
/// letters, digits, `-._~` and the signs in `keep`.
pub(crate) fn encode(text: &str, keep: &str) -> String {
    let mut encoded = String::with_capacity(text.len());
    for byte in text.bytes() {
        let c = char::from(byte);
        if byte.is_ascii_alphanumeric() || "-._~".contains(c) || (byte.is_ascii() && keep.contains(c)) {
            encoded.push(c);
        } else {
            encoded.push('%');
            for nibble in [byte >> 4, byte & 15] {
                encoded.extend(char::from_digit(u32::from(nibble), 16).map(|c| c.to_ascii_uppercase()));
            }
        }
    }
    encoded
}

/// Scheme, host and port of an absolute http(s) address, in one spelling. `None` for anything that
/// two readers might understand differently: a user name, a blank, a backslash before the path.
pub(crate) fn origin(url: &str) -> Option<String> {
    let (scheme, rest) = url.split_once("://")?;
    let scheme = scheme.to_ascii_lowercase();
    let default_port = match scheme.as_str() {
        "https" => ":443",
        "http" => ":80",
        _ => return None,
    };
    let end = rest.find(['/', '?', '#']).unwrap_or(rest.len());
    let authority = rest[..end].to_ascii_lowercase();
    let plain = |c: char| c.is_ascii_alphanumeric() || matches!(c, '-' | '.' | '_' | ':' | '[' | ']');
    let host = authority.strip_suffix(default_port).unwrap_or(&authority);
    (!host.is_empty() && authority.chars().all(plain)).then(|| format!("{scheme}://{host}"))
}

/// Where a `nextLink` found on the page at `current` leads: an absolute one is kept letter by letter,
/// a relative one is resolved. Bearer tokens follow links, so it must stay where the search points.
pub(crate) fn follow(base: &str, current: &str, link: &str) -> Result<String, ReadError> {
    let home = origin(base).unwrap_or_default();
    let next = if link.contains("://") && !link.starts_with(['?', '/']) {
        link.to_owned()
    } else if link.starts_with("//") {
        return Err(leaves(&home, link));
    } else if link.starts_with('?') {
        let path = current.split(['?', '#']).next().unwrap_or(current);
        format!("{path}{link}")
    } else if link.starts_with('/') {
        format!("{home}{link}")
    } else {
        format!("{base}/{link}")
    };
    match origin(&next) {
        Some(there) if there == home => {}
        _ => return Err(leaves(&home, link)),
    }
    if next == current {
        return Err(ReadError::BadLink("leads back to the page it stands on".into()));
    }
    Ok(next)
}

fn leaves(home: &str, link: &str) -> ReadError {
    ReadError::BadLink(format!("leaves {home}: {}", crate::fields::shown(link)))
}

#[cfg(test)]
mod tests {
    use super::*;

    const BASE: &str = "https://api.example.com/odata";
    const HERE: &str = "https://api.example.com/odata/Property?$top=10";

    #[test]
    fn everything_but_plain_signs_is_encoded() {
        assert_eq!(encode("a b:c+d'é", ""), "a%20b%3Ac%2Bd%27%C3%A9");
        assert_eq!(encode("fr/maroc/à_vendre", "/"), "fr/maroc/%C3%A0_vendre");
    }

    #[test]
    fn an_absolute_link_is_kept_letter_by_letter() {
        let link = "https://api.example.com/odata/Property?$filter=ListPrice+ge+100000&$skip=10";
        assert_eq!(follow(BASE, HERE, link).unwrap(), link);
        assert!(follow(BASE, HERE, "HTTPS://API.example.com:443/odata/Property?$skip=10").is_ok());
    }

    #[test]
    fn a_relative_link_is_resolved() {
        let to = |link| follow(BASE, HERE, link).unwrap();
        assert_eq!(to("?$skip=200"), "https://api.example.com/odata/Property?$skip=200");
        assert_eq!(to("Property?$skip=200"), "https://api.example.com/odata/Property?$skip=200");
        assert_eq!(to("/other?u=https://x"), "https://api.example.com/other?u=https://x");
    }

    #[test]
    fn a_link_may_not_leave_the_host_nor_stand_still() {
        for link in [
            "https://evil.example/odata/Property?$skip=10",
            "http://api.example.com/odata/Property?$skip=10",
            "https://api.example.com:8443/odata",
            "https://api.example.com@evil.example/",
            "https://api.example.com\\@evil.example/",
            "https://api.example.com.evil.example/",
            "//evil.example/",
            "ftp://api.example.com/",
            HERE,
        ] {
            assert!(matches!(follow(BASE, HERE, link), Err(ReadError::BadLink(_))), "{link}");
        }
    }
}
