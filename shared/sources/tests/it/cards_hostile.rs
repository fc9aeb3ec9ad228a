//! For any HTML, a scraped site's page gives rows, refusals or an error: no panic, no truncated page read as complete,
//! and memory and time proportional to the page.

use crate::answers::card_sites as sources;
use crate::hostile::{check, edits, spoilt};
use proptest::prelude::*;
use stoop_domain::Time;
use stoop_sources::{Source, SourceAnswer};

/// Reads one answer and checks the invariants of every page. Returns whether there was a page.
fn read(source: &dyn Source, body: &[u8], ms: i64) -> bool {
    let cursor = source.begin(Some("x"));
    let Ok(page) = source.read(&cursor, &SourceAnswer::of(body), Time::from_ms(ms)) else { return false };
    // A price of -5 DH is read as is; the pipeline refuses it.
    check(source, &cursor, &page);
    true
}

#[test]
fn the_pages_that_are_spoilt_below_are_good_ones() {
    for (source, html) in sources() {
        assert!(read(&*source, html.as_bytes(), 0), "{}", source.name());
    }
}

#[test]
fn a_page_cut_anywhere_is_no_page() {
    for (source, html) in sources() {
        for cut in 0..html.len() - "</html>".len() {
            assert!(!read(&*source, &html.as_bytes()[..cut], 0), "{} cut at {cut}", source.name());
        }
    }
}

/// Input that makes parsers slow, large or deep: each about half a megabyte.
#[test]
fn half_a_megabyte_of_anything_is_read_or_refused() {
    let fonts = (0..200).map(|n| format!("<font size={n}>")).collect::<String>() + &"<p>x".repeat(50_000);
    let attributes = format!("<p{}>", (0..60_000).map(|n| format!(" a{n}=1")).collect::<String>());
    let classes = format!("<li class=\"{}\">", "listingBox ".repeat(45_000));
    let links = (0..10_000).map(|n| format!("<a href=\"/fr/a/{n}/xxxxxxxxxxxxxxxxxxxx\">x</a>")).collect::<String>();
    let nested = format!("{}x{}", "<span>".repeat(200), "</span>".repeat(200)).repeat(190);
    for hostile in [
        fonts,
        attributes,
        classes,
        links,
        nested,
        "<div>".repeat(100_000),
        "<li class=listingBox>".repeat(25_000),
        "<a><b>".repeat(75_000),
        "</div>".repeat(75_000),
        "<table><tr><td>".repeat(30_000),
        "&amp;".repeat(100_000),
        "<!--".repeat(120_000),
        "<".repeat(500_000),
        "\u{a0}".repeat(250_000),
        "<svg><title>".repeat(40_000),
        format!("<span class=priceTag>{} DH</span>", "1 ".repeat(250_000)),
    ] {
        for (source, html) in sources() {
            let before = html.replacen("<body>", &format!("<body>{hostile}"), 1);
            let inside = html.replacen("Racine", &hostile, 1).replacen("Bel<", &format!("{hostile}<"), 1);
            assert!(before != html && inside != html);
            read(&*source, before.as_bytes(), 0);
            read(&*source, inside.as_bytes(), 0);
        }
    }
}

fn pieces() -> impl Strategy<Value = String> {
    prop_oneof![
        Just("<li class=\"listingBox\">".to_owned()),
        Just("</li>".to_owned()),
        Just("<a href=\"/fr/a/9/x\">".to_owned()),
        Just("</a>".to_owned()),
        Just("<p>".to_owned()),
        Just("</span>".to_owned()),
        Just("<table><td>".to_owned()),
        Just("<script>".to_owned()),
        Just("<!--".to_owned()),
        Just("<title>".to_owned()),
        Just("&#x110000;".to_owned()),
        Just("-5 DH".to_owned()),
        Just("9223372036854775808 DH".to_owned()),
        Just("il y a 9999999999 ans".to_owned()),
        "[ -~éßم€\u{a0}\u{202f}]{0,12}",
    ]
}

proptest! {
    #[test]
    fn spoilt_bytes_are_no_panic(
        edits in edits(),
        ms in any::<i64>(),
    ) {
        for (source, html) in sources() {
            read(&*source, &spoilt(html.as_bytes(), &edits), ms);
        }
    }

    #[test]
    fn any_piece_anywhere_is_no_panic(
        pieces in prop::collection::vec((any::<prop::sample::Index>(), pieces()), 1..6),
        ms in any::<i64>(),
    ) {
        for (source, html) in sources() {
            let mut html = html.to_owned();
            for (at, piece) in &pieces {
                let mut at = at.index(html.len());
                while !html.is_char_boundary(at) {
                    at -= 1;
                }
                html.insert_str(at, piece);
            }
            read(&*source, html.as_bytes(), ms);
        }
    }

    #[test]
    fn any_bytes_at_all_are_no_panic(body in prop::collection::vec(any::<u8>(), 0..400)) {
        for (source, _) in sources() {
            read(&*source, &body, 0);
            read(&*source, &[b"<html>", &body[..], b"</html>"].concat(), 0);
        }
    }
}
