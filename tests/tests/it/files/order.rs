//! The order of files and rows, however they arrive.

use super::{Inbox, MAP, SEEN, csv, timed};
use stoop_dice::Dice;
use stoop_domain::{EventKind, Status};
use stoop_pipeline::ports::{FilePattern, RunOutcome};
use stoop_pipeline::{FileSet, Origin};
use stoop_sources::Coverage;
use stoop_sources::declared::Map;

#[tokio::test]
async fn files_of_one_second_have_an_order() {
    let inbox = Inbox::new(Coverage::Changes);
    for (name, price) in [("a.csv", 500), ("b.csv", 400), ("c.csv", 450)] {
        inbox.put(name, 60, csv(&[("1", price)]));
    }
    assert_eq!(inbox.polled().await.files, 3);
    use EventKind::{New, PriceCut, PriceRise};
    assert_eq!(inbox.events("1").await.iter().map(|event| event.0).collect::<Vec<_>>(), [New, PriceCut, PriceRise]);
}

#[tokio::test]
async fn a_file_may_hold_the_past_of_a_home_in_any_order() {
    for order in ["by-time", "any"] {
        let inbox = Inbox { map: format!("order = \"{order}\"\n{MAP}{SEEN}"), ..Inbox::with_times() };
        inbox.put("a.csv", 10, timed(&[("1", 500, 2_000), ("1", 500, 1_000), ("1", 400, 1_500), ("1", 450, 500)]));
        inbox.polled().await;
        use EventKind::{New, PriceCut, PriceRise};
        let expected = [(New, 2_000), (PriceCut, 1_500), (PriceRise, 1_000), (PriceCut, 500)];
        assert_eq!(inbox.events("1").await, expected, "{order}");
        // The next export repeats all of it, with one more row.
        inbox.put("b.csv", 5, timed(&[("1", 500, 2_000), ("1", 400, 1_500), ("1", 450, 500), ("1", 440, 100)]));
        inbox.polled().await;
        assert_eq!(inbox.events("1").await[..4], expected);
        assert_eq!(inbox.bench.ends("1").await, (Status::Active, 440));
    }
}

#[tokio::test]
async fn the_arrival_of_files_does_not_change_the_result() {
    for seed in 0..40 {
        let mut dice = Dice::new(seed);
        let files: Vec<(String, i64, String)> = (0..6)
            .map(|i| {
                let rows: Vec<(String, i64)> =
                    (0..4).map(|home| (home.to_string(), 400 + 50 * dice.below(3_i64))).collect();
                let rows: Vec<(&str, i64)> = rows.iter().map(|(id, price)| (&**id, *price)).collect();
                (format!("{i}.csv"), 2_400 - 300 * i, csv(&rows))
            })
            .collect();
        let (mut message, mut ends) = (Vec::new(), Vec::new());
        for shuffled in [false, false, true] {
            let inbox = Inbox::new(Coverage::Changes);
            let mut left = files.clone();
            while !left.is_empty() {
                let at = if shuffled { dice.below(left.len()) } else { 0 };
                let (name, ago, text) = left.remove(at);
                inbox.put(&name, ago, text);
                if dice.one_in(2) {
                    inbox.polled().await;
                }
            }
            inbox.polled().await;
            for home in ["0", "1", "2", "3"] {
                let events = inbox.events(home).await;
                ends.push((home, events[0], inbox.bench.ends(home).await));
                message.push((home, events));
            }
        }
        // In their order, the result is the same for any number of polls. In any other order, the newest row and the
        // beginning are right; an unchanged sighting in between was not sent, so a late row cannot split there.
        assert_eq!(message[..4], message[4..8], "seed {seed}");
        assert_eq!((&ends[..4], &ends[..4]), (&ends[4..8], &ends[8..]), "seed {seed}");
    }
}

#[tokio::test]
async fn rows_of_one_date_have_the_order_of_their_file_whatever_its_name() {
    for prices in [[500, 400, 450], [400, 500, 450], [450, 500, 400]] {
        let rows: Vec<(&str, i64, i64)> = prices.iter().map(|price| ("1", *price, 1_440)).collect();
        let text = timed(&rows);
        let inbox = Inbox::with_times();
        inbox.put("a.csv", 90, &text);
        inbox.polled().await;
        let events = inbox.events("1").await;
        assert_eq!(inbox.bench.ends("1").await, (Status::Active, prices[2]));
        assert_eq!(events.len(), 3, "{events:?}");
        let observations = inbox.bench.database.counts().unwrap().observations;
        // The same rows again, older, newer, and after others of the same date.
        let more = format!("{text}{}", &timed(&[("2", 700, 1_440)])["id,price,seen\n".len()..]);
        for (name, minutes_ago, text) in [("old.csv", 900, &text), ("new.csv", 10, &text), ("more.csv", 5, &more)] {
            inbox.put(name, minutes_ago, text);
            inbox.polled().await;
            assert_eq!(inbox.events("1").await, events, "{name}");
        }
        assert_eq!(inbox.bench.database.counts().unwrap().observations, observations + 1, "the other home");
    }
}

#[tokio::test]
async fn rows_of_one_date_keep_their_order_around_a_row_of_another_date() {
    let inbox = Inbox::with_times();
    inbox.put("a.csv", 90, timed(&[("1", 500, 1_440), ("1", 400, 1_440), ("1", 480, 7_200), ("1", 450, 1_440)]));
    inbox.polled().await;
    use EventKind::{New, PriceCut, PriceRise};
    let expected = [(New, 7_200), (PriceRise, 1_440), (PriceCut, 1_440), (PriceRise, 1_440)];
    assert_eq!(inbox.events("1").await, expected);
    assert_eq!(inbox.bench.ends("1").await, (Status::Active, 450));
}

/// The prices of a file's rows by their dates, and those of one date by their order in the file, each once.
fn in_order(rows: &[(&str, i64, i64)]) -> Vec<i64> {
    let mut by_date: Vec<(i64, i64)> = Vec::new();
    for (_, price, ago) in rows {
        if !by_date.contains(&(*ago, *price)) {
            by_date.push((*ago, *price));
        }
    }
    by_date.sort_by_key(|(ago, _)| -ago);
    let mut prices: Vec<i64> = by_date.into_iter().map(|(_, price)| price).collect();
    prices.dedup();
    prices
}

#[tokio::test]
async fn rows_of_one_date_have_the_order_of_their_file_wherever_they_stand() {
    for seed in 0..60 {
        let mut dice = Dice::new(seed);
        let rows: Vec<(&str, i64, i64)> =
            (0..7).map(|_| ("1", 400 + 10 * dice.below(5_i64), 1_440 * (1 + dice.below(3_i64)))).collect();
        let order = if seed % 2 == 0 { "by-time" } else { "any" };
        let inbox = Inbox { map: format!("order = \"{order}\"\n{MAP}{SEEN}"), ..Inbox::with_times() };
        inbox.put("a.csv", 90, timed(&rows));
        inbox.polled().await;
        let prices = in_order(&rows);
        assert_eq!(inbox.bench.ends("1").await.1, *prices.last().unwrap(), "seed {seed}: {rows:?}");
        let events: Vec<_> = inbox.events("1").await.into_iter().map(|event| event.0).collect();
        let change = |pair: &[i64]| if pair[1] < pair[0] { EventKind::PriceCut } else { EventKind::PriceRise };
        assert_eq!(events[1..], prices.windows(2).map(change).collect::<Vec<_>>(), "seed {seed}: {rows:?}");
    }
}

#[tokio::test]
async fn rows_of_one_date_keep_their_order_if_a_run_ends_between_them() {
    let inbox = Inbox::with_times();
    inbox.put("before.csv", 900, timed(&[("other", 700, 3_000)]));
    inbox.polled().await;
    let mut rows = vec![("1", 400, 1_440)];
    let ids: Vec<String> = (0..1_500).map(|id| format!("h{id}")).collect();
    rows.extend(ids.iter().map(|id| (id.as_str(), 700, 1_440)));
    rows.push(("1", 500, 1_440));
    rows.push(("1", 450, 1_440));
    let text = timed(&rows);
    inbox.put("a.csv", 90, &text);
    inbox.bench.stop_in_a_pause_of_ms(1);
    inbox.bench.stream.refuse([vec![0]]);
    assert_eq!(inbox.polled().await.outcome, Some(RunOutcome::Partial));
    inbox.bench.stop_no_more();
    inbox.polled().await;
    assert_eq!(inbox.bench.ends("1").await, (Status::Active, 450));
    let events = inbox.events("1").await;
    assert_eq!(
        events.iter().map(|event| event.0).collect::<Vec<_>>()[1..],
        [EventKind::PriceRise, EventKind::PriceCut]
    );
    let observations = inbox.bench.database.counts().unwrap().observations;
    inbox.put("again.csv", 80, &text);
    inbox.polled().await;
    assert_eq!(inbox.events("1").await, events);
    assert_eq!(inbox.bench.database.counts().unwrap().observations, observations, "read again it is the same");
}

#[tokio::test]
async fn a_late_file_splits_an_interval_however_late() {
    let inbox = Inbox::with_times();
    let day = 1_440;
    inbox.put("a.csv", 900, timed(&[("1", 500, 400 * day), ("2", 500, 400 * day)]));
    inbox.polled().await;
    // Seen again unchanged, and then another price: the end of the earlier interval is known.
    inbox.put("b.csv", 800, timed(&[("1", 500, 200 * day), ("2", 500, 200 * day)]));
    inbox.polled().await;
    inbox.put("c.csv", 700, timed(&[("1", 480, 100 * day)]));
    inbox.polled().await;
    inbox.put("late.csv", 1_000, timed(&[("1", 400, 300 * day), ("2", 400, 300 * day)]));
    inbox.polled().await;
    use EventKind::{New, PriceCut, PriceRise};
    let (new, cut, back) = ((New, 400 * day), (PriceCut, 300 * day), (PriceRise, 200 * day));
    assert_eq!(inbox.events("1").await, [new, cut, back, (PriceCut, 100 * day)]);
    assert_eq!(inbox.events("2").await, [new, cut, back]);
    assert_eq!(inbox.bench.ends("2").await, (Status::Active, 500));
}

#[tokio::test]
async fn two_searches_of_files_of_one_source_end_with_the_last_report() {
    let inbox = Inbox::new(Coverage::Changes);
    let other = |name: &str| {
        let map = Map::parse(&inbox.map, "in.toml").unwrap();
        Origin::Files(FileSet { map, pattern: FilePattern::parse(name).unwrap(), coverage: Coverage::Changes })
    };
    let poll = async |search: &str, file: &str| inbox.bench.poll_origin(search, other(file)).await.unwrap();
    for (minutes_ago, search, price) in [(600, "one", 400), (500, "two", 500), (400, "one", 400)] {
        let name = format!("{search}-{minutes_ago}.csv");
        inbox.put(&name, minutes_ago, csv(&[("1", price)]));
        poll(search, &format!("in/{search}-*.csv")).await;
        assert_eq!(inbox.bench.ends("1").await, (Status::Active, price));
    }
}
