//! JSONPaths in maps, for fields and for the rows of an answer.

use crate::maps::{json, left_out, map, mistakes, now, outcome, refused};
use csv::ByteRecord;
use stoop_domain::{Reason, Time};
use stoop_sources::declared::{HttpSource, Map, MapErrors, RowBytes, RowOutcome};
use stoop_sources::{Cursor, Next, Page, Params, ReadError, Source, SourceAnswer};

fn record(fields: &[&str]) -> ByteRecord {
    ByteRecord::from(fields.to_vec())
}

#[test]
fn a_field_may_stand_where_a_jsonpath_leads() {
    let fields = r#"
        list_price = { from = "$.prices[?@.kind == 'ask'].amount" }
        title = { template = "{$.names[-1]} {/no}" }
        city = { from = ["$.address.city", "$.place..city"], null = ["-"] }
        bedrooms = { from = "$.rooms[?@.type == 'bed'].count", only = { from = "$.rooms", not = [""] } }
        images = { from = ["$.photos[*].href", "pics"], regex = '^(.*?)(?:\?|$)' }
        amenities = { from = ["tags", "$..tag"], split = ";" }
        url = { from = "$['a.b']['c']" }
    "#;
    let seen = json(
        fields,
        r#"{"id": 1, "no": 4, "prices": [{"kind": "old", "amount": 1}, {"kind": "ask", "amount": 90071992547409.93}], "names": ["a", "b"],
            "place": {"x": [{"city": ""}, {"city": "Wien"}]}, "photos": [{"href": "p?w=1"}, {"href": null}, {}, {"href": "q"}],
            "x": [{"tag": "m"}, {"tag": ["n", "o"]}], "rooms": [{"type": "bath", "count": 1}, {"type": "bed", "count": 3}], "a.b": {"c": "u"}}"#,
    );
    let listing = &seen.listing;
    assert_eq!(listing.list_price.unwrap().0, 9_007_199_254_740_993, "no price passes through a float");
    assert_eq!((listing.details.title.as_deref(), listing.address.city.as_deref()), (Some("b 4"), Some("Wien")));
    assert_eq!((listing.bedrooms, listing.details.url.as_deref()), (Some(3), Some("u")));
    assert_eq!(listing.details.images, ["p", "q"]);
    assert_eq!(listing.details.amenities, ["m", "n", "o"]);
    // The next row is independent of the last one; a single text is split as the map says.
    let mut reader = map(fields).bind_json();
    let mut next = |row: &str| match reader.read(RowBytes::Json(row.as_bytes()), "", now()).unwrap() {
        RowOutcome::Observation(seen, _) => seen.listing,
        RowOutcome::Skipped => panic!("{row}"),
    };
    assert_eq!(
        next(r#"{"id": 1, "photos": [{"href": "p"}], "pics": ["z"], "tags": "x; y"}"#).details.amenities,
        ["x", "y"]
    );
    let listing = next(r#"{"id": 2, "pics": ["z"], "tags": "x", "t": [{"tag": "a"}, {"tag": "b"}]}"#);
    assert_eq!((listing.details.images, listing.details.amenities), (vec!["z".to_owned()], vec!["x".to_owned()]));
    assert_eq!((listing.list_price, listing.address.city), (None, None));
}

#[test]
fn a_jsonpath_is_refused_where_it_leads_nowhere_that_fits() {
    let (reason, detail) = refused(r#"city = { from = "$.a" }"#, r#"{"id": 1, "a": {"b": 1}}"#);
    assert_eq!(reason, Reason::BadValue);
    assert!(detail.starts_with("city: an object or a list"), "{detail}");
    let left_out = left_out(r#"images = { from = "$.a[*]" }"#, r#"{"id": 1, "a": [{"b": 1}, "c"]}"#);
    assert!(left_out[0].1.starts_with("images: no list of texts"), "{left_out:?}");
    // As deep as serde_json allows, and no deeper.
    let deep = |depth: usize| format!("{{\"id\": 1, \"a\": {}{}}}", "[".repeat(depth), "]".repeat(depth));
    assert!(outcome(&map(r#"city = { from = "$..b" }"#), &deep(120)).is_ok());
    assert_eq!(refused(r#"city = { from = "$..b" }"#, &deep(200)).0, Reason::Unreadable);

    let head = "name = \"t\"\npurpose = \"sale\"\n[read]\nrows = \"$.rows\"\n[[skip]]\nfrom = \"$.a[\"\nabsent = true\n[fields]\n";
    let found = mistakes(&format!("{head}native_id = {{ from = \"$id\" }}\ncity = {{ template = \"{{$..a..b}}\" }}\n"))
        .join("\n");
    for wanted in [
        "t.toml:4: read.rows: \"$.rows\" is a JSONPath, which only [http] has; accepted: a JSON Pointer",
        "t.toml:6: skip[0].from: \"$.a[\" is no JSONPath: at position 3",
        "t.toml:9: fields.native_id.from: \"$id\" is no JSONPath",
        "accepted: JSONPath of RFC 9535 like $.address.city",
        "t.toml:10: fields.city.template: \"$..a..b\" has more than one ..",
    ] {
        assert!(found.contains(wanted), "{wanted}\n--\n{found}");
    }
    let MapErrors(found) = map("city = { from = \"$.c\" }").bind_csv(&record(&["id", "c"])).unwrap_err();
    assert!(found[0].problem.ends_with("CSV has no JSONPaths"), "{found:?}");
}

fn api_map(http: &str, rows: Option<&str>) -> Map {
    let rows = rows.map(|rows| format!("[read]\nrows = \"{rows}\"\n")).unwrap_or_default();
    let toml = format!(
        "name = \"t\"\ncountry = \"AT\"\ncurrency = \"EUR\"\npurpose = \"sale\"\n[fields]\nnative_id = {{ from = \"id\" }}\n\
         list_price = {{ from = \"p\" }}\ncity = {{ constant = \"Graz\" }}\n{rows}{http}"
    );
    Map::parse(&toml, "t.toml").unwrap_or_else(|errors| panic!("{errors}"))
}

fn api(http: &str, rows: Option<&str>) -> HttpSource {
    HttpSource::new(&api_map(http, rows), &Params::new()).unwrap()
}

fn read(source: &HttpSource, cursor: &Cursor, body: &str) -> Result<Page, ReadError> {
    let answer = SourceAnswer::of(body.as_bytes());
    source.read(cursor, &answer, Time::from_ms(0))
}

#[test]
fn rows_may_stand_where_a_jsonpath_leads() {
    let http = "[http]\nurl = \"https://a.example\"\n[http.pages]\nby = \"page\"\nsize = 2\n";
    let ids = |source: &HttpSource, body: &str| {
        let page = read(source, &source.begin(None), body)?;
        let ids = page.rows.iter().map(|row| match row {
            stoop_sources::Row::Found(found) => found.native_id.clone(),
            stoop_sources::Row::Refused { reason, .. } => reason.to_string(),
        });
        Ok::<_, ReadError>((ids.collect::<Vec<_>>().join(" "), page.next != Next::End))
    };
    let wrapped = api(http, Some("$.data[?@.kind == 'home'].listing"));
    let body = r#"{"data": [{"kind": "home", "listing": {"id": 1}}, {"kind": "ad", "listing": {"id": 2}}]}"#;
    assert_eq!(ids(&wrapped, body).unwrap(), ("1".into(), true), "what a filter takes off does not make a page short");
    assert_eq!(ids(&wrapped, r#"{"data": []}"#).unwrap(), (String::new(), false));
    for error in [r#"{"error": "quota"}"#, r#"{"data": null}"#, "[]"] {
        assert!(matches!(ids(&wrapped, error), Err(ReadError::NotOurs { .. })), "{error}");
    }
    // Groups of rows, and an item that is not a row.
    let grouped = api(http, Some("$.groups[*].items[*]"));
    let body = r#"{"groups": [{"items": [{"id": 1}, {"id": 2}]}, {"items": [7]}, {}]}"#;
    assert_eq!(ids(&grouped, body).unwrap(), ("1 2 unreadable".into(), true));
    // A path that selects at most one value leads to the array, like a pointer.
    let plain = api(http, Some("$.data['rows']"));
    assert_eq!(ids(&plain, r#"{"data": {"rows": [{"id": 1}]}}"#).unwrap(), ("1".into(), false));
    assert!(matches!(ids(&plain, r#"{"data": {"rows": {"id": 1}}}"#), Err(ReadError::NotOurs { .. })));
}
