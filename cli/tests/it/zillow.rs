//! Zillow price histories: the slips in them, and every difference between the changes that Stoop counts and the rows
//! named "Price change".

use std::collections::{BTreeMap, BTreeSet};

use crate::support::real::{csv_rows, data, replay};
use serde_json::json;

/// The four slips that SOURCE.md names: lost thousands, a rent, a price that is not one. Each with the highest price of
/// the 90 days before: 58492877 went from 269,900 to 269, and had asked 299,900 before that.
const SLIPS: [(&str, i64, i64); 4] = [
    ("zillow/14394774", 550_000, 2_600),
    ("zillow/58492877", 299_900, 269),
    ("zillow/80421908", 169_000, 100),
    ("zillow/83464844", 199_900, 199),
];

#[test]
fn zillow_has_four_slips_which_are_suspects_and_not_sent() {
    let Some(replay) = replay("us-zillow-1000-price-history", "price_history", "zillow-price-history.toml") else {
        return;
    };
    replay.says(json!({
        "rows": 4_707, "observations": 4_707, "duplicates": 3, "quarantined": 0, "homes": 911,
        "price_changes": 882, "drops": 764, "rises": 118, "alerts": 55, "suspects": 4,
    }));
    let rows = rows(&replay.files[0]);
    let steep: BTreeSet<String> = rows
        .iter()
        .filter(|row| row.event == "Price change" && row.rate.is_some_and(|rate| rate < -0.9))
        .map(|row| format!("zillow/{}", row.zpid))
        .collect();
    assert_eq!(steep, SLIPS.map(|slip| slip.0.to_owned()).into());
    let held = replay.drops(&["--suspect"]);
    assert_eq!(held, SLIPS.map(|(home, from, to)| (home.to_owned(), from, to)).into());
    let message = replay.drops(&[]);
    assert!(message.iter().all(|(home, ..)| SLIPS.iter().all(|slip| slip.0 != home)), "{message:?}");
    // No alert compares a rent with a sale price: sale and rent are separate homes.
    assert!(message.iter().all(|(_, from, to)| from / to < 4), "{message:?}");

    let mut expected = BTreeSet::new();
    let [mut at_once, mut by_steps] = [0; 2];
    for ((zpid, rental), moments) in &by_home(&rows) {
        let home = format!("zillow/{zpid}{}", if *rental { ":rent" } else { "" });
        for low in lows(moments) {
            expected.insert((home.clone(), low.reference, low.price));
            *(if low.before * 85 >= low.price * 100 { &mut at_once } else { &mut by_steps }) += 1;
        }
    }
    assert_eq!(message, expected);
    // One of the 18, 42862119, had a price of 299,000 in the row that removed it and was never offered at that.
    assert!(expected.contains(&("zillow/42862119".into(), 335_000, 259_000)));
    assert_eq!((at_once, by_steps), (18, 37));
}

/// A price that is 15 % or more below the highest of the last 90 days.
struct Low {
    reference: i64,
    /// The price just before.
    before: i64,
    price: i64,
}

/// The alerts of a home, computed in the plainest way: for each price, search everything before it.
fn lows(moments: &Moments<'_>) -> Vec<Low> {
    #[derive(Clone)]
    struct ReceivedRequest {
        price: i64,
        from: i64,
        until: i64,
        /// Whether later prices are compared with it; not with a slip.
        counts: bool,
        is_reported: bool,
        reference: i64,
    }
    let mut lows = Vec::new();
    let mut asked: Vec<ReceivedRequest> = Vec::new();
    let (mut is_on_offer, mut off_since) = (false, None);
    for &((at, rank, price), _) in moments {
        if is_on_offer && let Some(last) = asked.last_mut() {
            last.until = at;
        }
        if rank == CLOSED {
            asked.clear();
        }
        if rank == CLOSED || rank == REMOVED {
            is_on_offer = false;
            off_since.get_or_insert(at);
            continue;
        }
        if off_since.take().is_some_and(|since| at - since > GAP_MS) {
            asked.clear();
        }
        let Some(price) = price else { continue };
        if is_on_offer && asked.last().is_some_and(|last| last.price == price) {
            continue;
        }
        is_on_offer = true;
        let reported_at = asked.iter().rposition(|asked| asked.is_reported);
        let since_reported = &asked[reported_at.unwrap_or(0)..];
        let held = |asked: &ReceivedRequest| asked.until - asked.from >= 14 * DAY_MS;
        let worth = |asked: &ReceivedRequest| match reported_at {
            Some(_) if !asked.is_reported && !held(asked) => asked.price.min(asked.reference),
            _ => asked.price,
        };
        let near = since_reported.iter().filter(|asked| asked.counts && at - asked.until <= 90 * DAY_MS);
        let reference = near.map(worth).max().unwrap_or(price);
        let before = asked.iter().rfind(|asked| asked.counts).map_or(price, |asked| asked.price);
        let counts = price * 4 > before;
        let is_reported = counts && price * 100 <= reference * 85;
        if is_reported {
            lows.push(Low { reference, before, price });
        }
        asked.push(ReceivedRequest { price, from: at, until: at, counts, is_reported, reference });
    }
    lows
}

const DAY_MS: i64 = 86_400_000;

/// The rows of one home, oldest first; within a day the rows are in reverse order. Two equal rows of one day are one,
/// at the position of the first.
type Moments<'r> = Vec<Moment<'r>>;
type Moment<'r> = ((i64, u8, Option<i64>), Vec<&'r Row>);

/// The rows of each home; a rental is a home of its own.
fn by_home(rows: &[Row]) -> BTreeMap<(&str, bool), Moments<'_>> {
    let mut homes: BTreeMap<(&str, bool), Moments<'_>> = BTreeMap::new();
    for row in rows {
        let moment = (row.time_ms, rank(&row.event), row.price);
        let moments = homes.entry((&row.zpid, row.rental)).or_default();
        match moments.iter_mut().find(|(known, _)| *known == moment) {
            Some((_, rows)) => rows.push(row),
            None => moments.push((moment, vec![row])),
        }
    }
    for moments in homes.values_mut() {
        moments.reverse();
        moments.sort_by_key(|((at, ..), _)| *at);
    }
    homes
}

#[test]
fn of_842_price_changes_824_move_the_price_as_do_58_other_rows() {
    let Some(files) = data("us-zillow-1000-price-history", "price_history") else { return };
    let rows = rows(&files[0]);
    let named = |event: &str| rows.iter().filter(|row| row.event == event).count();
    assert_eq!((rows.len(), named("Price change"), named("Listed for rent")), (4_707, 842, 227));

    let homes = by_home(&rows);
    assert_eq!(homes.len(), 911);
    let mut ours: BTreeMap<(&str, &str), usize> = BTreeMap::new();
    let mut theirs: BTreeMap<&str, usize> = BTreeMap::new();
    for moments in homes.values() {
        let mut offer = Offer::default();
        for (index, ((at, rank, price), rows)) in moments.iter().enumerate() {
            let news = offer.next(*at, *rank, *price, &moments[index..]);
            let called_change = rows.iter().filter(|row| row.event == "Price change").count();
            let event = if called_change > 0 { "Price change" } else { &rows[0].event };
            if matches!(news, "drop" | "rise") {
                *ours.entry((event, news)).or_default() += 1;
            }
            *theirs.entry(news).or_default() += called_change;
        }
    }
    theirs.retain(|_, rows| *rows > 0);
    let expected =
        [("drop", 725), ("rise", 99), (FIRST, 10), (FIRST_AFTER_A_GAP, 1), (KNOWN, 3), (DOUBTFUL, SLIPS.len())];
    assert_eq!(theirs, expected.into());
    assert_eq!(theirs.values().sum::<usize>(), 842);
    let expected = [
        (("Price change", "drop"), 725),
        (("Price change", "rise"), 99),
        (("Listed for sale", "drop"), 26),
        (("Listed for sale", "rise"), 15),
        (("Listed for rent", "drop"), 11),
        (("Pending sale", "drop"), 2),
        (("Pending sale", "rise"), 4),
    ];
    assert_eq!(ours, expected.into());
    assert_eq!(ours.values().sum::<usize>(), 882);
}

const FIRST: &str = "the first price since the home was first seen or was sold";
const FIRST_AFTER_A_GAP: &str = "the first price after more than 90 days off the market";
const KNOWN: &str = "the price that was asked already";
const NONE: &str = "no price, or no offer";
const DOUBTFUL: &str = "a price that leaps, on one day only";

/// The price state of a home's offer, computed in the plainest way.
#[derive(Default)]
struct Offer {
    asked: Option<i64>,
    on_market: bool,
    off_since: Option<i64>,
}

impl Offer {
    /// What the next row means for the price.
    fn next(&mut self, at: i64, rank: u8, price: Option<i64>, rest: &[Moment<'_>]) -> &'static str {
        let doubtful = |asked: Option<i64>, price: i64| {
            let leaps = asked.is_some_and(|asked| price >= asked * 4 || price * 4 <= asked);
            leaps && days_shown(price, rest) < 2
        };
        match rank {
            CLOSED => {
                *self = Self::default();
                return NONE;
            }
            REMOVED => {
                self.on_market = false;
                self.off_since.get_or_insert(at);
                self.asked = price.filter(|price| !doubtful(self.asked, *price)).or(self.asked);
                return NONE;
            }
            _ => {}
        }
        let gone_for = self.off_since.take().map_or(0, |since| at - since);
        let after_a_gap = !self.on_market && gone_for > GAP_MS;
        self.on_market = true;
        let before = self.asked.take();
        let compared = before.filter(|_| !after_a_gap);
        if price.is_some_and(|price| doubtful(compared, price)) {
            self.asked = compared;
            return DOUBTFUL;
        }
        self.asked = price.or(compared);
        match (compared, price) {
            (_, None) => NONE,
            (Some(from), Some(to)) if to < from => "drop",
            (Some(from), Some(to)) if to > from => "rise",
            (Some(_), Some(_)) => KNOWN,
            (None, Some(_)) if before.is_some() => FIRST_AFTER_A_GAP,
            (None, Some(_)) => FIRST,
        }
    }
}

const GAP_MS: i64 = 90 * DAY_MS;

/// The number of days on which these moments show this price, until another price is named, the home is sold, or it
/// comes back after a long time.
fn days_shown(price: i64, moments: &[Moment<'_>]) -> usize {
    let mut days = BTreeSet::new();
    let mut left = None;
    for ((at, rank, named), _) in moments {
        match *rank {
            CLOSED => break,
            REMOVED => drop(left.get_or_insert(*at)),
            _ if left.take().is_some_and(|left| at - left > GAP_MS) => break,
            _ => {}
        }
        match named {
            None => {}
            Some(named) if *named == price => drop(days.insert(at / DAY_MS)),
            Some(_) => break,
        }
    }
    days.len()
}

/// An event of a home's price history.
struct Row {
    zpid: String,
    rental: bool,
    time_ms: i64,
    event: String,
    price: Option<i64>,
    rate: Option<f64>,
}

/// Orders events of one moment by status, then by price: on offer, under contract, sold, removed.
const ACTIVE: u8 = 0;
const CLOSED: u8 = 3;
const REMOVED: u8 = 4;

fn rank(event: &str) -> u8 {
    match event {
        "Listed for sale" | "Listed for rent" | "Price change" => ACTIVE,
        "Contingent" => 1,
        "Pending sale" => 2,
        "Sold" => CLOSED,
        "Listing removed" => REMOVED,
        other => panic!("{other}"),
    }
}

fn rows(file: &str) -> Vec<Row> {
    csv_rows(file)
        .into_iter()
        .map(|row| Row {
            rental: row["posting_is_rental"] == "true",
            time_ms: row["time_ms"].parse().unwrap(),
            price: row["price"].parse().ok(),
            rate: row["price_change_rate"].parse().ok(),
            zpid: row["zpid"].clone(),
            event: row["event"].clone(),
        })
        .collect()
}
