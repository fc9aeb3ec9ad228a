//! Whole scans of a scraped site whose pages shift during the scan.

use std::collections::BTreeSet;

use stoop_domain::Time;
use stoop_sources::{Next, Params, Row, Source, SourceAnswer, build};

/// The answer of a site to a request for a page after its last.
#[derive(Clone, Copy, PartialEq)]
enum Beyond {
    LastAgain,
    FirstAgain,
    Empty,
    NotFound,
}

/// A site that shows the newest ads first, with a fixed number per page.
struct Site {
    ads: Vec<u32>,
    per_page: usize,
    /// New ads between two requests.
    arrivals: u32,
    beyond: Beyond,
    links_pages: bool,
    card: fn(u32) -> String,
}

impl Site {
    fn answer(&mut self, page: usize) -> (u16, String) {
        let last = self.ads.len().div_ceil(self.per_page);
        let shown = match self.beyond {
            _ if page <= last => page,
            Beyond::LastAgain => last,
            Beyond::FirstAgain => 1,
            Beyond::Empty => page,
            Beyond::NotFound => return (404, String::new()),
        };
        let ads = self.ads.iter().skip((shown - 1) * self.per_page).take(self.per_page);
        let cards: String = ads.map(|ad| (self.card)(*ad)).collect();
        let link = |page: usize| format!("<a href=\"/fr/x:p:{page}\">{page}</a><a href=\"/fr/x?o={page}\">{page}</a>");
        let links: String = if self.links_pages { (1..=last).map(link).collect() } else { String::new() };
        let newest = self.ads[0];
        for new in 1..=self.arrivals {
            self.ads.insert(0, newest + new);
        }
        (200, format!("<html><body>{cards}{links}</body></html>"))
    }
}

fn mubawab_card(id: u32) -> String {
    format!(
        "<li class=\"listingBox\"><h2 class=\"listingTit\"><a href=\"/fr/a/{id}/x\">x</a></h2><span class=\"priceTag\">{id} DH\
         </span><span class=\"listingH3\">Agdal à Rabat</span></li>"
    )
}

fn avito_card(id: u32) -> String {
    format!("<a href=\"/fr/agdal/appartements/x_{id}.htm\"><p>Appartements dans Rabat, Agdal</p><p>{id} DH</p></a>")
}

/// Scans the site as the poller does. Returns the IDs seen and the number of pages.
fn scan(source: &dyn Source, site: &mut Site) -> Result<(BTreeSet<u32>, usize), String> {
    let mut cursor = source.begin(None);
    let mut positions = BTreeSet::new();
    let mut seen = BTreeSet::new();
    for pages in 1..=200 {
        assert!(positions.insert(cursor.position.clone()), "the pages lead in a circle at {}", cursor.position);
        let url = source.request(&cursor).url;
        let number = url.rsplit_once(":p:").or_else(|| url.rsplit_once("?o=")).map_or("1", |(_, number)| number);
        let (status, html) = site.answer(number.parse().unwrap());
        assert!(source.reads(status) || status != 200);
        if !source.reads(status) {
            return Err(format!("status {status}"));
        }
        let answer = SourceAnswer { status, headers: &[], body: html.as_bytes() };
        let page = source.read(&cursor, &answer, Time::from_ms(0)).map_err(|error| error.to_string())?;
        for row in page.rows {
            let Row::Found(found) = row else { panic!("{row:?}") };
            seen.insert(found.native_id.parse().unwrap());
        }
        match page.next {
            Next::Page(next) => cursor = next,
            Next::End => return Ok((seen, pages)),
            Next::Capped => panic!("capped"),
        }
    }
    panic!("the scan does not end")
}

type Kind = (&'static str, usize, fn(u32) -> String);

fn sites() -> [Kind; 2] {
    [("mubawab", 33, mubawab_card), ("avito", 35, avito_card)]
}

#[test]
fn a_scan_sees_every_ad_that_was_there_when_it_began_and_ends() {
    for (kind, per_page, card) in sites() {
        for links_pages in [true, false] {
            for beyond in [Beyond::LastAgain, Beyond::FirstAgain] {
                for arrivals in [0, 1, 7] {
                    // The last page is full, so that without links only the next page shows the end.
                    let ads: Vec<u32> = (1..=4 * per_page as u32).rev().collect();
                    let there: BTreeSet<u32> = ads.iter().copied().collect();
                    let mut site = Site { ads, per_page, arrivals, beyond, links_pages, card };
                    let (seen, pages) = scan(&*build(kind, &Params::new()).unwrap(), &mut site).unwrap();
                    assert!(seen.is_superset(&there), "{kind} {links_pages} {arrivals}");
                    assert!(pages <= 8, "{kind} took {pages} pages");
                }
            }
        }
    }
}

#[test]
fn the_page_after_the_last_may_be_none() {
    let (kind, per_page, card) = sites()[0];
    let ads = (1..=2 * per_page as u32).rev().collect();
    let mut site = Site { ads, per_page, arrivals: 0, beyond: Beyond::NotFound, links_pages: false, card };
    assert_eq!(scan(&*build(kind, &Params::new()).unwrap(), &mut site).unwrap().1, 3);
}

/// A page without ads and without a message may be a block page as well as the end.
#[test]
fn a_page_that_is_empty_without_a_word_is_an_error() {
    for (kind, per_page, card) in sites() {
        let ads = (1..=2 * per_page as u32).rev().collect();
        let mut site = Site { ads, per_page, arrivals: 0, beyond: Beyond::Empty, links_pages: false, card };
        let message = scan(&*build(kind, &Params::new()).unwrap(), &mut site).unwrap_err();
        assert!(message.contains("got an HTML page"), "{message}");
    }
}
