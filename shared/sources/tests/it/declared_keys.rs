//! Declared APIs with a key or token: where it is sent, and where it may appear.

use crate::http_maps::{map, read};
use stoop_domain::Time;
use stoop_sources::declared::{HttpSource, Map};
use stoop_sources::{Cursor, Method, Next, Params, ReadError, Row, Source, SourceAnswer};

fn params(pairs: &[(&str, &str)]) -> Params {
    pairs.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect()
}

const KEYED: &str = "[http]\nurl = \"https://A.example:443/s?q={city}&appKey={appKey}\"\n[http.pages]\nby = \"next-link\"\nnext = \"/next\"\n";

#[test]
fn a_key_in_the_address_shows_in_no_message() {
    let secret = "s3cr et/1";
    let source = HttpSource::new(&map(KEYED, Some("/r")), &params(&[("city", "Graz"), ("appKey", secret)])).unwrap();
    let begin = source.begin(None);
    assert_eq!(source.request(&begin).url, "https://A.example:443/s?q=Graz&appKey=s3cr%20et%2F1");
    let message = |body: String| read(&source, &begin, &body).unwrap_err().to_string();
    let far = " ".repeat(170);
    for body in [
        format!(r#"{{"error": "no such key: {secret}"}}"#),
        format!("no such key: {secret}"),
        // Truncated by the end of the excerpt, a part of it would appear.
        format!(r#"{{"error": "{far}{secret}{far}"}}"#),
        r#"{"error": "https://a.example/s?appKey=s3cr%20et%2F1"}"#.to_owned(),
        r#"{"r": [], "next": "https://evil.example/s?appKey=s3cr%20et%2F1"}"#.to_owned(),
        r#"{"r": [], "next": "https://A.example:443/s?q=Graz&appKey=s3cr%20et%2F1"}"#.to_owned(),
        r#"{"r": [], "next": "s3cr:x"}"#.to_owned(),
        format!(r#"{{"r": "{secret}"}}"#),
    ] {
        let message = message(body.clone());
        assert!(!message.contains("s3c") && !message.is_empty(), "{body}: {message}");
    }
    assert!(!format!("{source:?}").contains("s3cr"));
    let wrong = HttpSource::new(&map(KEYED, None), &params(&[("appkey", secret)])).unwrap_err().to_string();
    assert!(!wrong.contains("s3cr") && wrong.contains("appKey"), "{wrong}");
}

#[test]
fn searches_with_one_key_are_one_account_wherever_the_key_stands() {
    let account =
        |http: &str, pairs: &[(&str, &str)]| HttpSource::new(&map(http, None), &params(pairs)).unwrap().account();
    let header = "[http]\nurl = \"https://a.example/{city}\"\n[http.headers]\nX-Rapid = \"{rapid}\"\n";
    let named = "[http]\nurl = \"https://a.example/s?q={city}&u={user}\"\nsecret_params = [\"user\"]\n";
    for (http, key) in [(KEYED, "appKey"), (header, "rapid"), (named, "user")] {
        let one = account(http, &[("city", "Graz"), (key, "s3cret")]);
        assert_eq!(one, account(http, &[("city", "Wien"), (key, "s3cret")]), "{http}");
        assert_ne!(one, account(http, &[("city", "Graz"), (key, "0ther")]), "{http}");
        assert!(one.starts_with("a.example#") && !one.contains("s3cret"), "{one}");
    }
    let keywords = "[http]\nurl = \"https://a.example/s?q={keywords}\"\n";
    assert_eq!(account(keywords, &[("keywords", "a")]), account(keywords, &[("keywords", "b")]), "no key");
}

#[test]
fn a_token_is_got_by_client_credentials_and_goes_nowhere_else() {
    let text = std::fs::read_to_string(concat!(env!("CARGO_MANIFEST_DIR"), "/../../maps/example-oauth2.toml")).unwrap();
    let map = Map::parse(&text, "example-oauth2.toml").unwrap();
    let with = |secret: &str| {
        let pairs = [("region", "AT-6"), ("client_id", "me&co"), ("client_secret", secret)];
        HttpSource::new(&map, &params(&pairs)).unwrap()
    };
    let source = with("s3cret");
    let grant = source.grant().unwrap();
    assert_eq!(
        (grant.method, grant.url.as_str(), grant.granted),
        (Method::Post, "https://login.example.com/oauth2/token", false)
    );
    let body = String::from_utf8(grant.body.unwrap()).unwrap();
    assert_eq!(body, "grant_type=client_credentials&client_id=me%26co&client_secret=s3cret&scope=listings%3Aread");
    let begin = source.begin(None);
    assert!(source.request(&begin).granted);
    assert_ne!(source.account(), with("0ther").account());

    let link = |to: &str| [("link".to_owned(), format!("<{to}>; rel=\"next\""))];
    let after = |to: &str| {
        let headers = link(to);
        source.read(
            &begin,
            &SourceAnswer { status: 200, headers: &headers, body: br#"{"data": []}"# },
            Time::from_ms(0),
        )
    };
    let Next::Page(next) = after("?cursor=2").unwrap().next else { panic!() };
    let request = source.request(&next);
    assert_eq!((request.url.as_str(), request.granted), ("https://api.example.com/v2/listings?cursor=2", true));
    assert!(matches!(after("https://evil.example/v2/listings"), Err(ReadError::BadLink(_))));
    let body = br#"{"data": [{"kind": "ad"}, {"kind": "listing", "listing": {"id": "a", "changed_at": "2026-01-13T10:00:00Z",
        "state": "reserved", "prices": [{"kind": "was", "amount": 1}, {"kind": "asking", "amount": 250000.1}], "areas": [{"of":
        "lot", "m2": 9}, {"of": "living", "m2": 58.5}], "media": [{"type": "photo", "href": "p"}, {"type": "photo", "href": "q"}]}}]}"#;
    let headers = [("x-total-count".to_owned(), "1".to_owned())];
    let now = Time::parse("2026-01-14T00:00:00Z").unwrap();
    let page = source.read(&begin, &SourceAnswer { status: 200, headers: &headers, body }, now).unwrap();
    let [Row::Found(found)] = &page.rows[..] else { panic!("{page:?}") };
    assert_eq!(
        (found.listing.list_price.unwrap().0, found.listing.details.images.join(" ")),
        (25_000_010, "p q".into())
    );
    assert_eq!(found.listing.living_area.unwrap().ten_thousandths, 585_000);
    assert_eq!((page.total, page.watermark.as_deref()), (Some(1), Some("2026-01-13T10:00:00.000Z")));
    let later = source.request(&source.begin(page.watermark.as_deref())).url;
    assert_eq!(later, "https://api.example.com/v2/listings?region=AT-6&limit=200&changed_since=1768298100");
    // Not even with a modified checkpoint.
    let stolen = Cursor { position: "https://evil.example/".into(), since: None, pages_before: 1 };
    let request = source.request(&stolen);
    assert_eq!((request.granted, request.headers.len(), request.body), (false, 0, None));
}

#[test]
fn what_parameters_spoil_is_reported_without_their_values() {
    let message = |http: &str, name: &str, value: &str| {
        let error = HttpSource::new(&map(http, None), &params(&[(name, value)])).unwrap_err().to_string();
        assert!(!error.contains(value), "{error}");
        error
    };
    let host = message("[http]\nurl = \"https://{host}/s\"\n", "host", "a b@c");
    assert!(host.contains("url names no host"), "{host}");
    let token = "[http]\nurl = \"https://a.example\"\n[http.oauth2]\ntoken_url = \"https://{t}/\"\nclient_id = \"a\"\nclient_secret = \"b\"\n";
    assert!(message(token, "t", "x y").contains("oauth2.token_url names no host"));
    let body = "[http]\nurl = \"https://a.example\"\nmethod = \"POST\"\nbody = '{\"min\": {min}}'\n";
    assert!(message(body, "min", "cheap").contains("body is no JSON"));
    assert!(HttpSource::new(&map(body, None), &params(&[("min", "100000")])).is_ok());
    let header = "[http]\nurl = \"https://a.example\"\n[http.headers]\nX = \"{key}\"\n";
    assert!(message(header, "key", "a\r\nHost: b").contains("the header X has several lines"));
}
