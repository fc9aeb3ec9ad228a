//! Replication, by a link that stays or a link in the header.

use super::*;

#[test]
fn trestle_s_replication_asks_one_address_until_it_is_empty() {
    let source = source("trestle", &[("replication", "true"), ("top", "2")]);
    let one = "https://mls.example.com/odata/Property/replication?id=123-a1";
    let total = r#", "@odata.count": 5"#;
    let page = read(&source, &source.begin(None), &body(&[("A", 9), ("B", 3)], &(link(one) + total)));
    let second = onward(&page);
    let page = read(&source, &second, &body(&[("C", 4), ("D", 1)], &link(one)));
    let third = onward(&page);
    let page = read(&source, &third, &body(&[("E", 2)], ""));
    let fourth = onward(&page);
    for cursor in [&second, &third, &fourth] {
        assert_eq!(source.request(cursor).url, one);
        assert!(source.request(cursor).headers.iter().any(|(_, value)| value == "Bearer s3cret"));
    }
    assert!(second.position != third.position && third.position != fourth.position);
    let page = read(&source, &fourth, &body(&[], ""));
    assert_eq!((page.next, page.watermark.as_deref()), (Next::End, Some("2026-01-13T00:00:09.000Z")));

    let again = read_at(&source, &third, &body(&[("C", 4), ("D", 1)], &link(one)), NOW);
    assert!(matches!(again, Err(ReadError::BadLink(_))), "{again:?}");
    let early = read_at(&source, &second, &body(&[], ""), NOW).unwrap_err().to_string();
    assert!(early.contains("ended after 2 of 5 rows: pages were lost"), "{early}");
}

#[test]
fn trestle_s_replication_of_one_page_needs_no_second() {
    let source = source("trestle", &[("replication", "true")]);
    assert_eq!(read(&source, &source.begin(None), &body(&[("A", 9)], "")).next, Next::End);
}

#[test]
fn bridge_s_replication_follows_the_link_header_until_a_page_is_empty() {
    let source = source("bridge", &[("replication", "true")]);
    let to = "https://mls.example.com/odata/Property/replication?next=abc,1";
    let headers = [("link".to_owned(), format!("<{to}>; rel=\"next\""))];
    let read = |cursor: &Cursor, rows: &[(&str, u32)]| {
        let body = body(rows, "");
        let answer = SourceAnswer { status: 200, headers: &headers, body: body.as_bytes() };
        source.read(cursor, &answer, Time::parse(NOW).unwrap()).unwrap()
    };
    let next = onward(&read(&source.begin(Some(SINCE)), &[("A", 40_000), ("B", 39_000)]));
    assert_eq!(source.request(&next).url, to);
    let last = read(&next, &[]);
    assert_eq!((last.next, last.watermark.as_deref()), (Next::End, Some("2026-01-13T11:06:40.000Z")));
}

#[test]
fn bridge_s_watermark_is_of_its_own_clock_and_the_row_s_time_of_the_mls_s() {
    let source = source("bridge", &[]);
    let body = r#"{"value": [{"ListingKey": "A", "PropertyType": "Land", "StandardStatus": "Active",
        "ModificationTimestamp": "2026-01-02T00:00:00Z", "BridgeModificationTimestamp": "2026-01-13T11:00:00.5Z"}]}"#;
    let page = read(&source, &source.begin(None), body);
    assert_eq!(page.watermark.as_deref(), Some("2026-01-13T11:00:00.500Z"));
    let Row::Found(found) = &page.rows[0] else { panic!("{page:?}") };
    assert_eq!(found.at.unwrap().to_string(), "2026-01-02T00:00:00Z");
}
