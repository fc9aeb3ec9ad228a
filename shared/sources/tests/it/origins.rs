//! No answer and no modified checkpoint sends a credential to another origin.
//!
//! Requests are read here as the HTTP client reads them, with the parser of its lower layer, which is not the one that
//! the sources use.

use std::sync::LazyLock;

use proptest::prelude::*;
use stoop_domain::Time;
use stoop_sources::declared::{HttpSource, Map};
use stoop_sources::{Cursor, Next, Params, Source, SourceAnswer, build};

static SOURCES: LazyLock<Vec<Vec<Box<dyn Source>>>> =
    LazyLock::new(|| HOMES.map(|(base, ..)| sources(base)).into_iter().collect());

const SECRET: &str = "s3cret-t0ken";

/// Configured URLs of searches, with the scheme, host and port of their requests.
const HOMES: [(&str, &str, &str, u16); 5] = [
    ("https://a.example/odata", "https", "a.example", 443),
    ("https://A.Example:443/odata", "https", "a.example", 443),
    ("http://a.example:8080/odata", "http", "a.example", 8080),
    ("https://[2001:DB8::1]/odata", "https", "[2001:db8::1]", 443),
    ("https://bücher.example/odata", "https", "xn--bcher-kva.example", 443),
];

fn sources(base: &str) -> Vec<Box<dyn Source>> {
    let params = |pairs: &[(&str, &str)]| -> Params {
        pairs.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect()
    };
    let client =
        [("url", base), ("client_id", "i"), ("client_secret", SECRET), ("token_url", "https://login.example/")];
    let declared = |by: &str| -> Box<dyn Source> {
        let toml = format!(
            "name = \"t\"\ncountry = \"AT\"\ncurrency = \"EUR\"\npurpose = \"sale\"\n[fields]\n\
             native_id = {{ from = \"id\" }}\nlist_price = {{ from = \"p\" }}\ncity = {{ constant = \"Graz\" }}\n\
             [read]\nrows = \"/value\"\n[http]\nurl = \"{base}\"\n[http.headers]\nAuthorization = \"Bearer {{token}}\"\n\
             [http.pages]\n{by}\n"
        );
        let map = Map::parse(&toml, "t.toml").unwrap_or_else(|errors| panic!("{errors}"));
        Box::new(HttpSource::new(&map, &params(&[("token", SECRET)])).unwrap())
    };
    vec![
        build("reso", &params(&[("url", base), ("token", SECRET)])).unwrap(),
        build("reso", &params(&client)).unwrap(),
        declared("by = \"next-link\"\nnext = \"/@odata.nextLink\""),
        declared("by = \"link-header\""),
    ]
}

/// Scheme, host and port that a client connects to; `None` if it sends nothing.
fn asked(url: &str) -> Option<(String, String, u16)> {
    let uri: http::Uri = url::Url::parse(url).ok()?.as_str().parse().ok()?;
    let scheme = uri.scheme_str()?.to_owned();
    let port = uri.port_u16().unwrap_or(if scheme == "https" { 443 } else { 80 });
    Some((scheme, uri.host()?.to_owned(), port))
}

/// Parts of URLs that parsers interpret differently.
fn link() -> impl Strategy<Value = String> {
    let pieces = [
        "https:",
        "http:",
        "HTTPS:",
        "//",
        "/",
        "\\",
        "@",
        ":",
        "?",
        "#",
        "..",
        ".",
        "a.example",
        "A.EXAMPLE",
        "evil.example",
        "[2001:db8::1]",
        "[::1]",
        "bücher.example",
        "xn--bcher-kva.example",
        "443",
        "8080",
        "80",
        "\t",
        "\n",
        " ",
        "%2f",
        "%40",
        "%5c",
        "\u{ff0f}",
        "\u{3002}",
        "\u{200b}",
        "user",
        "odata",
        "next=2",
        "&",
        "\u{0}",
        "#stoop:{}",
    ];
    prop::collection::vec(prop::sample::select(pieces.to_vec()), 0..9).prop_map(|pieces| pieces.concat())
}

fn holds_secret(source: &dyn Source, cursor: &Cursor) -> Option<String> {
    let request = source.request(cursor);
    let in_headers = request.headers.iter().any(|(_, value)| value.contains(SECRET));
    (in_headers || request.granted).then_some(request.url)
}

/// The cursor after the first page, if an answer's body and header link to `link`.
fn page_after(source: &dyn Source, link: &str) -> Option<Cursor> {
    let body = serde_json::json!({ "value": [], "@odata.nextLink": link }).to_string();
    let header = ("link".to_owned(), format!("<{link}>; rel=\"next\""));
    let answer = SourceAnswer { headers: &[header], ..SourceAnswer::of(body.as_bytes()) };
    match source.read(&source.begin(None), &answer, Time::from_ms(0)).ok()?.next {
        Next::Page(next) => Some(next),
        _ => None,
    }
}

#[test]
fn a_credential_goes_where_the_search_points() {
    for ((base, scheme, host, port), sources) in HOMES.iter().zip(&*SOURCES) {
        for source in sources {
            assert!(holds_secret(&**source, &source.begin(None)).is_some(), "{base}");
            let next = page_after(&**source, &format!("{base}?next=2")).unwrap();
            let url = holds_secret(&**source, &next).unwrap();
            assert!(url.ends_with("next=2"), "{url}");
            assert_eq!(asked(&url).unwrap(), ((*scheme).to_owned(), (*host).to_owned(), *port));
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(1_000))]

    #[test]
    fn a_credential_stays_at_its_origin(link in link(), home in 0..HOMES.len(), scheme in "(https:|http:|)") {
        let (base, its_scheme, its_host, its_port) = HOMES[home];
        let link = format!("{scheme}{link}");
        for source in &SOURCES[home] {
            let tampered = Cursor { position: link.clone(), ..source.begin(None) };
            for cursor in page_after(&**source, &link).iter().chain([&tampered]) {
                if let Some(url) = holds_secret(&**source, cursor) {
                    let at_home = asked(&url).is_none_or(|to| to == (its_scheme.into(), its_host.into(), its_port));
                    prop_assert!(at_home, "{base}: {link:?} is asked at {url:?}");
                }
            }
        }
    }
}
