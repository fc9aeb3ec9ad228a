use url::Url;

/// An address as it may be shown and followed: http or https, without a user name, in ASCII. `None` for any other text, which
/// a browser might run, or a reader mistake for another place.
#[must_use]
pub fn web_address(text: &str) -> Option<String> {
    stoop_sources::origin(text)?;
    if text.is_ascii() { Some(text.to_owned()) } else { Url::parse(text).ok().map(String::from) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_addresses_of_web_pages_are_links() {
        for url in ["https://homes.example/1", "http://homes.example:8080/a?b=c#d"] {
            assert_eq!(web_address(url).as_deref(), Some(url));
        }
        let none = [
            "javascript:alert(1)",
            "JAVASCRIPT:alert(1)",
            "data:text/html,x",
            "//homes.example",
            "not a url",
            "https://bank.example@evil.example/",
            "https://user:secret@homes.example/",
            "https://homes.example\\@evil.example",
            "https://homes.example/\u{1b}[2J",
            "https://homes.example/\u{0}",
            " https://homes.example/",
        ];
        for text in none {
            assert_eq!(web_address(text), None, "{text:?}");
        }
    }

    #[test]
    fn what_is_not_ascii_is_encoded() {
        let of = |url: &str| web_address(url).unwrap();
        assert_eq!(of("https://homes.example/\u{202e}gpj.exe"), "https://homes.example/%E2%80%AEgpj.exe");
        assert_eq!(of("https://homes.example/größe"), "https://homes.example/gr%C3%B6%C3%9Fe");
        // A Cyrillic letter that looks like a Latin one.
        assert_eq!(of("https://b\u{430}nk.example/"), "https://xn--bnk-6cd.example/");
    }
}
