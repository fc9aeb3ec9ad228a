use super::*;
use crate::port::ReadError;

const BASE: &str = "https://api.example.com/odata";
const HERE: &str = "https://api.example.com/odata/Property?$top=10";

#[test]
fn everything_but_plain_signs_is_encoded() {
    assert_eq!(encode("a b:c+d'é", VALUE), "a%20b%3Ac%2Bd%27%C3%A9");
    assert_eq!(encode("fr/maroc/à_vendre", PATH), "fr/maroc/%C3%A0_vendre");
    assert_eq!(encode("50% of/%C3%A0", ENCODED_PATH), "50%%20of/%C3%A0");
}

#[test]
fn an_origin_has_one_spelling() {
    for (text, one) in [
        ("HTTPS://Api.Example.COM:443/x", "https://api.example.com"),
        ("http://api.example.com:80", "http://api.example.com"),
        ("https://api.example.com:80?x", "https://api.example.com:80"),
        ("https://api.example.com#x", "https://api.example.com"),
        ("https://[::0001]:8443/x", "https://[::1]:8443"),
        ("https://[::1]:443/", "https://[::1]"),
        ("http://127.1/", "http://127.0.0.1"),
        ("https://bücher.example/", "https://xn--bcher-kva.example"),
        ("https://my_host.example/", "https://my_host.example"),
        ("https://api.example.com./", "https://api.example.com."),
        ("https://api.example.com/a@b\u{e9}?q=\\d", "https://api.example.com"),
    ] {
        assert_eq!(origin(text).as_deref(), Some(one), "{text}");
    }
}

#[test]
fn what_two_readers_may_understand_differently_is_no_address() {
    for text in [
        "",
        "api.example.com",
        "https:",
        "https:api.example.com",
        "https:/api.example.com",
        "https:///api.example.com",
        "https:\\\\api.example.com",
        "https:foo://api.example.com",
        "https://",
        "https://:443/",
        "https://user@api.example.com/",
        "https://user:password@api.example.com/",
        "https://:password@api.example.com/",
        "https://api.example.com\\@evil.example/",
        "https://api.example.com/a\\b",
        "https://api.example.com:99999/",
        "https://api.example.com:x/",
        "https://api.exa mple.com/",
        " https://api.example.com/",
        "https://api.example.com/ ",
        "https://api.exam\tple.com/",
        "https://api.example.com/\n",
        "ht\ntps://api.example.com/",
        "https://[::1/",
        "https://[api.example.com]/",
        "https://api%2eexample%00.com/",
        "ftp://api.example.com/",
        "file:///etc/passwd",
        "javascript:x",
    ] {
        assert_eq!(origin(text), None, "{text:?}");
    }
}

#[test]
fn a_host_is_a_name_or_number_and_nothing_else() {
    for host in ["api.example.com", "api.example.com:8443", "127.0.0.1", "[::1]:80"] {
        assert!(is_host(host), "{host}");
    }
    for none in ["", "a/b", "a?b", "a#b", "a@b", "@a", "a b", "a\\b", " a", "a:b"] {
        assert!(!is_host(none), "{none:?}");
    }
}

#[test]
fn an_absolute_link_is_kept_letter_by_letter() {
    for link in [
        "https://api.example.com/odata/Property?$filter=City+eq+'Austin'&$skip=10",
        "HTTPS://API.example.com:443/odata/Property?p=2&$x",
    ] {
        assert_eq!(follow(BASE, HERE, link).unwrap(), link);
    }
    assert_eq!(follow(BASE, HERE, " https://api.example.com/p#@evil.example\n").unwrap(), "https://api.example.com/p");
}

/// The examples of RFC 3986, 5.4, that stay within http.
#[test]
fn references_are_resolved_as_in_rfc_3986() {
    for (link, to) in [
        ("g", "/b/c/g"),
        ("./g", "/b/c/g"),
        ("g/", "/b/c/g/"),
        ("/g", "/g"),
        ("//a/g", "/g"),
        ("?y", "/b/c/d;p?y"),
        ("g?y", "/b/c/g?y"),
        ("#s", "/b/c/d;p?q"),
        ("g#s", "/b/c/g"),
        ("g?y#s", "/b/c/g?y"),
        (";x", "/b/c/;x"),
        ("", "/b/c/d;p?q"),
        (".", "/b/c/"),
        ("..", "/b/"),
        ("../g", "/b/g"),
        ("../../g", "/g"),
        ("../../../../g", "/g"),
        ("/./g", "/g"),
        ("/../g", "/g"),
        ("g.", "/b/c/g."),
        ("./g/.", "/b/c/g/"),
        ("g/../h", "/b/c/h"),
        ("g?y/../x", "/b/c/g?y/../x"),
    ] {
        assert_eq!(follow("http://a", "http://a/b/c/d;p?q#r", link).unwrap(), format!("http://a{to}"), "{link}");
    }
    let to = |current, link| follow("https://a.example", current, link).unwrap();
    assert_eq!(to("https://a.example?x=1", "?x=2"), "https://a.example/?x=2");
    assert_eq!(to("https://a.example", "p"), "https://a.example/p");
    assert_eq!(to("https://a.example/s", "?u=https://x/"), "https://a.example/s?u=https://x/");
    assert_eq!(to("https://a.example:443/s", "?$skip=1&f=a+b"), "https://a.example/s?$skip=1&f=a+b");
}

#[test]
fn a_link_stays_at_home() {
    for away in [
        "https://evil.example/s?key=s3cret",
        "http://api.example.com/",
        "https://api.example.com:8443/",
        "https://api.example.com./",
        "https://api.example.com.evil.example/",
        "https://xapi.example.com/",
        "https://api.example.com@evil.example/",
        "https://api.example.com:443@evil.example/",
        "https://api.example.com%40evil.example/",
        "https://evil.example\\@api.example.com/",
        "https://api.example.com\\@evil.example/",
        "https:evil.example",
        "https:/evil.example",
        "https:///evil.example",
        "//evil.example/",
        "///evil.example/",
        "/\\evil.example/",
        "\\\\evil.example/",
        "/\t/evil.example/",
        "/\n/evil.example",
        "https://аpi.example.com/",
        "//[::1]/",
        "ftp://api.example.com/",
        "javascript:x",
        "/a\nb",
    ] {
        let refused = follow(BASE, &format!("{HERE}&key=s3cret"), away).unwrap_err();
        let message = ReadError::from(refused).to_string();
        assert!(!message.contains("s3cret") && message.contains("the link to the next page"), "{away:?}: {message}");
    }
}
