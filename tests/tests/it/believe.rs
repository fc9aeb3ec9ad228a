//! Fields that usually contradict the others: polls count them, and omit them once they are distrusted.

use std::sync::{Arc, Mutex};

use crate::site::{Bench, answer};
use serde_json::json;
use stoop_domain::{Minor, Observation};
use stoop_pipeline::ports::{FilePattern, RunOutcome};
use stoop_pipeline::{FileSet, Origin, Polled};
use stoop_sources::declared::{HttpSource, Map};
use stoop_sources::{Contradiction, Coverage, Params};

const MAP: &str = r#"
name = "site"
country = "AT"
currency = "EUR"
purpose = "sale"

[fields]
native_id = { from = "id" }
list_price = { from = "price" }
previous_list_price = { from = "before" }
city = { constant = "Graz" }
"#;

const HTTP: &str = r#"
[read]
rows = "/listings"
[http]
url = "https://site.test/list"
coverage = "snapshot"
"#;

const DISTRUSTED: &str =
    "previous_list_price is distrusted and not sent any more: previous_far_off in 100 of 100 listings";

/// The price and previous price of each listing in euros, by ID.
type Prices = Arc<Mutex<Vec<(i64, i64)>>>;

/// A site of a hundred homes with a price of half a million, and the previous price `before`.
fn site(before: i64) -> (Bench, Prices) {
    let prices: Prices = Arc::new(Mutex::new(vec![(500_000, before); 100]));
    let shown = Arc::clone(&prices);
    let bench = Bench::new();
    bench.site.serve(move |_| {
        let listings = shown.lock().unwrap().clone().into_iter().enumerate();
        let listings: Vec<_> = listings
            .map(|(id, (price, before))| json!({"id": id.to_string(), "price": price.to_string(), "before": before.to_string()}))
            .collect();
        answer(200, &[("content-type", "application/json")], &json!({ "listings": listings }).to_string())
    });
    (bench, prices)
}

async fn poll_as(bench: &Bench, search: &str) -> Polled {
    let map = Map::parse(&[MAP, HTTP].concat(), "site.toml").unwrap_or_else(|errors| panic!("{errors}"));
    let source = HttpSource::new(&map, &Params::new()).unwrap();
    bench.poll_origin(search, Origin::Http(Box::new(source))).await.unwrap()
}

async fn poll(bench: &Bench) -> Polled {
    poll_as(bench, "all").await
}

/// Takes the sent observations from the stream: in order of ID, with the previous price in euros.
fn sent(bench: &Bench) -> Vec<(String, Option<i64>)> {
    let records = bench.database.stream_read(0, usize::MAX).unwrap();
    let lines = records.iter().flat_map(|record| stoop_wire::lines(&record.body));
    let observations = lines.map(|line| stoop_wire::decode(line).unwrap());
    let one = |seen: Observation| (seen.native_id, seen.listing.previous_list_price.map(|Minor(cents)| cents / 100));
    let mut sent: Vec<_> = observations.map(one).collect();
    sent.sort();
    if let Some(last) = records.last() {
        bench.database.stream_ack(last.seq).unwrap();
    }
    sent
}

#[tokio::test]
async fn a_field_that_usually_contradicts_is_omitted_from_the_next_poll_on() {
    let (bench, prices) = site(500);
    let first = poll(&bench).await;
    assert_eq!((first.verdicts, first.fields_distrusted), (vec![DISTRUSTED.to_owned()], 1));
    let count = first.contradictions.of(Contradiction::PreviousFarOff);
    assert_eq!((count.rows, count.contradict), (100, 100));
    let sent_first = sent(&bench);
    assert!(
        sent_first.len() == 100 && sent_first.iter().all(|(_, before)| *before == Some(500)),
        "as the source has it"
    );
    let run = &bench.database.runs(1).unwrap()[0];
    assert_eq!(run.message.as_deref(), Some(DISTRUSTED));
    assert_eq!((run.counts["contradictions"], run.counts["fields_distrusted"]), (100, 1));

    // The verdict itself sends nothing, in this search or in another one of the source, which sends new listings once.
    assert_eq!((poll(&bench).await.sent, poll_as(&bench, "other").await.sent), (0, 100));
    sent(&bench);
    for search in ["all", "other", "all", "other"] {
        let polled = poll_as(&bench, search).await;
        assert_eq!((polled.outcome, polled.sent, polled.message), (Some(RunOutcome::Complete), 0, None), "{search}");
    }
    prices.lock().unwrap()[7] = (480_000, 501);
    let polled = poll(&bench).await;
    assert_eq!((polled.sent, polled.verdicts, polled.fields_distrusted), (1, vec![], 1));
    assert_eq!(sent(&bench), [("7".to_owned(), None)], "without the field");
    assert_eq!(
        bench.state("all").await.listings["7"].listing.previous_list_price,
        None,
        "`Gone` is sent without it, too"
    );
    // The other search has nothing to send: the stream equals the site.
    assert_eq!((poll_as(&bench, "other").await.sent, poll(&bench).await.sent), (0, 0));
}

#[tokio::test]
async fn a_field_that_is_right_again_is_sent_again() {
    let (bench, prices) = site(500);
    poll(&bench).await;
    let mut trusted = Vec::new();
    for change in 1..=6 {
        // All of them are now below their previous price, few of them by the same share.
        prices.lock().unwrap().iter_mut().zip((1..=10).cycle()).for_each(|((price, before), by)| {
            *before = *price;
            *price -= 1_000 * by;
        });
        sent(&bench);
        let polled = poll(&bench).await;
        let with_it = sent(&bench).iter().filter(|(_, before)| before.is_some()).count();
        trusted.push((change, with_it, polled.fields_distrusted));
    }
    // A hundred of 500 is the first share below a quarter; the field is sent from the next poll on.
    assert_eq!(trusted, [(1, 0, 1), (2, 0, 1), (3, 0, 1), (4, 0, 0), (5, 100, 0), (6, 100, 0)]);
}

#[tokio::test]
async fn few_contradictory_listings_are_counted_once_and_believed() {
    let (bench, prices) = site(500);
    prices.lock().unwrap().truncate(50);
    for _ in 0..5 {
        assert_eq!(poll(&bench).await.fields_distrusted, 0, "they are the same fifty each time");
    }
    let count = bench.state("all").await.distrust.counts().next().unwrap();
    assert_eq!((count.0.rows, count.0.contradict, count.1), (50, 50, false));
}

#[tokio::test]
async fn listings_sent_after_a_kill_are_counted_once() {
    let (bench, _) = site(500);
    bench.stream.refuse_all(true);
    assert!(
        bench
            .poll_origin("all", {
                let map = Map::parse(&[MAP, HTTP].concat(), "site.toml").unwrap();
                Origin::Http(Box::new(HttpSource::new(&map, &Params::new()).unwrap()))
            })
            .await
            .is_err()
    );
    bench.stream.refuse_all(false);
    assert_eq!(poll(&bench).await.verdicts, [DISTRUSTED]);
}

#[tokio::test]
async fn a_file_is_read_with_the_distrust_of_earlier_files() {
    let bench = Bench::new();
    std::fs::create_dir(bench.folder().join("in")).unwrap();
    for (name, first, count) in [("1.csv", 0, 100), ("2.csv", 100, 5)] {
        let rows: String = (first..first + count).map(|id| format!("{id},500000,500\n")).collect();
        let path = bench.folder().join("in").join(name);
        std::fs::write(&path, format!("id,price,before\n{rows}")).unwrap();
        let written = std::time::UNIX_EPOCH + std::time::Duration::from_secs(1_768_000_000 + first);
        std::fs::File::options().write(true).open(&path).unwrap().set_modified(written).unwrap();
    }
    let set = FileSet {
        map: Map::parse(MAP, "site.toml").unwrap(),
        pattern: FilePattern::parse("in/").unwrap(),
        coverage: Coverage::Changes,
    };
    let polled = bench.poll_origin("files", Origin::Files(set)).await.unwrap();
    assert_eq!((polled.files, polled.verdicts), (2, vec![DISTRUSTED.to_owned()]));
    let with_it = sent(&bench).iter().filter(|(_, before)| before.is_some()).count();
    assert_eq!((polled.sent, with_it), (105, 100));
}
