use proptest::prelude::*;
use stoop_domain::{Address, Area, AreaUnit, Currency, Day, Home, Listing, Minor, Observation, Purpose, market_of};
use stoop_market::{Delta, Horizon, Zones, update};

use super::*;
use crate::dynamo::attributes::text_of;

/// The content of a commit: the minutes and prices of sightings, and the day up to which it folds.
type Work = (Vec<(u8, i64, i64)>, Option<i32>);

fn observation(home: u8, minutes: i64, price: i64) -> Observation {
    let address = Address { city: Some("Agadir".into()), country: Some("MA".into()), ..Address::default() };
    let mut listing = Listing::new(Purpose::Sale, Currency::MAD, address);
    listing.list_price = Some(Minor(price));
    let at = Time::from_ms(1_768_392_000_000).plus_ms(minutes * 60_000);
    Observation::new("avito", home.to_string(), at, listing)
}

fn market() -> Market {
    market_of(&observation(0, 0, 1).listing).unwrap()
}

fn change<'a>(
    market: &'a Market,
    new: &'a Cells,
    deltas: &'a [Delta],
    fold_to: Option<Horizon>,
    version_read: u64,
) -> MarketChange<'a> {
    let deltas = deltas.iter().collect();
    MarketChange { market, version_read, new, deltas, fold_to, archived: Cells::default() }
}

/// The head as read back from the table.
fn stored(head: &Head, state: &Cells) -> Head {
    let read = Head::from_item(&head.to_item(&market(), state, Time::from_ms(0))).unwrap();
    assert_eq!(&read, head);
    read
}

fn base_state(base: &Block) -> Cells {
    let chunks: Vec<Option<&[u8]>> = base.chunks().map(|(_, chunk)| Some(chunk)).collect();
    base.reference.join(&chunks).unwrap()
}

/// Applies the commits in order; returns how many bases were written.
fn run(works: &[Work]) -> usize {
    let (mut homes, mut zones) = (vec![Home::default(); 256], Zones::default());
    let (mut state, mut head, mut base, mut bases) = (Cells::default(), Head::default(), Cells::default(), 0);
    for (seen, fold_to) in works {
        let mut deltas = Vec::new();
        for (home, minutes, price) in seen {
            let home_state = &mut homes[usize::from(*home)];
            let old = home_state.clone();
            home_state.apply(&observation(*home, *minutes, *price));
            let old = old.history.current().is_some().then_some(&old.history);
            deltas.extend(update(old, &home_state.history, &mut zones).into_iter().map(|(_, delta)| delta));
        }
        // Like the measurer.
        deltas.iter().for_each(|delta| drop(state.add(delta)));
        let fold_to = fold_to.map(|day| Horizon { days: Day(20_467 + day), hours: Day(20_470 + day) });
        fold_to.into_iter().for_each(|horizon| drop(state.fold_to(horizon)));
        let market = market();
        let step = head.step(&change(&market, &state, &deltas, fold_to, head.version), 7).unwrap();
        assert_eq!(step.head.version, head.version + 1);
        assert!(step.head.tail.len() as u64 <= TAIL_BYTES_MAX);
        if let Some(written) = &step.base {
            (base, bases) = (base_state(written), bases + 1);
        }
        head = stored(&step.head, &state);
        let read = head.state(base.clone()).unwrap();
        assert_eq!(read.first_difference(&state), None, "version {}", head.version);
        assert_eq!(read, state);
    }
    bases
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn base_and_tail_are_always_the_state(
        works in prop::collection::vec(
            (
                prop::collection::vec((any::<u8>(), 0..80_000_i64, 40_000_000..90_000_000_i64), 0..12),
                prop::option::weighted(0.2, -20..60_i32),
            ),
            0..40,
        )
    ) {
        run(&works);
    }
}

#[test]
fn a_base_is_written_once_in_many_commits() {
    let price = |i: i64| 40_000_000 + i * i * 7_919 % 50_000_000;
    let seen_one = |i: i64| (u8::try_from(i % 256).unwrap(), i * 60, price(i));
    let seen = |i: i64| (4 * i..4 * i + 4).map(seen_one).collect();
    let fold_to = |i: i32| (i % 90 == 89).then_some(i / 6 - 20);
    let works: Vec<Work> = (0..400).map(|i| (seen(i.into()), fold_to(i))).collect();
    let bases = run(&works);
    assert!((3..=40).contains(&bases), "{bases}");
}

#[test]
fn a_base_is_written_when_the_tail_has_cost_as_much() {
    assert!(!is_worth_a_base(768, 1 << 40, 0), "a free tail is carried for ever");
    assert!(!is_worth_a_base(769, 1_538, 0), "the first commit without a base");
    assert!(is_worth_a_base(769, 1_539, 0));
    assert!(!is_worth_a_base(9_000, 600_000, 300_000));
    assert!(is_worth_a_base(9_000, 600_001, 300_000));
    assert!(is_worth_a_base((64 << 10) + 1, 0, 300_000), "the head must stay an item");
}

#[test]
fn a_head_names_its_archive_until_another_piece_is_the_newest() {
    let (market, state) = (market(), Cells::default());
    let piece = Block::of(&state, 1, 7).unwrap().reference;
    let first = stored(&Head { version: 1, archive: Some(piece.clone()), ..Head::default() }, &state);
    let second = first.step(&change(&market, &state, &[], None, 1), 7).unwrap().head;
    assert_eq!((stored(&second, &state).archive, second.version), (Some(piece), 2));
}

#[test]
fn figures_are_readable_attributes() {
    let mut state = Cells::default();
    let mut home = Home::default();
    home.apply(&observation(1, 0, 90_000_000));
    for (_, delta) in update(None, &home.history, &mut Zones::default()) {
        drop(state.add(&delta));
    }
    let now = Time::from_ms(1_768_392_000_000);
    let item = Head { version: 1, ..Head::default() }.to_item(&market(), &state, now);
    assert_eq!(text_of(&item, "as_of"), Ok("2026-01-14T12:00:00Z"));
    assert_eq!(text_of(&item, "area"), Ok("ma/souss-massa/agadir-ida-ou-tanane/agadir/-"));
    let figures = item["figures"].as_m().unwrap();
    assert_eq!(figures["active"], number(1));
    assert_eq!(figures["mean_price"], number(900_000));
    assert_eq!(figures["last_7_days"].as_m().unwrap()["new"], number(1));
}

/// The size of an attribute as DynamoDB counts it, or slightly more.
fn size(value: &AttributeValue) -> usize {
    match value {
        AttributeValue::S(text) => text.len(),
        AttributeValue::N(digits) => digits.len() / 2 + 2,
        AttributeValue::B(bytes) => bytes.as_ref().len(),
        AttributeValue::Bool(_) => 1,
        AttributeValue::M(fields) => 3 + fields.iter().map(|(name, value)| 1 + name.len() + size(value)).sum::<usize>(),
        other => panic!("a head never has {other:?}"),
    }
}

fn item_bytes(item: &Item) -> usize {
    item.iter().map(|(name, value)| name.len() + size(value)).sum()
}

#[test]
fn a_head_with_a_free_tail_has_less_than_two_kilobytes() {
    let (mut state, mut zones) = (Cells::default(), Zones::default());
    for i in 0..200_u8 {
        let mut home = Home::default();
        let mut seen = observation(i, 0, 90_123_450 + 77_777 * i64::from(i));
        seen.listing.living_area = Some(Area::of(1_000, AreaUnit::SquareFeet));
        home.apply(&seen);
        home.apply(&observation(i, 60, 80_123_450 + 55_555 * i64::from(i)));
        update(None, &home.history, &mut zones).iter().for_each(|(_, delta)| drop(state.add(delta)));
    }
    let base = Block::of(&state, 1 << 40, 7).unwrap();
    let tail = vec![0; usize::try_from(TAIL_BYTES_FREE).unwrap()];
    let archive = Some(base.reference.clone());
    let head =
        Head { version: 1 << 40, tail, carried: 1 << 30, base: Some(base.reference), archive, ..Head::default() };
    let long: Market = "us/north-carolina/mecklenburg-county/charlotte/28202-1234:sale:USD".parse().unwrap();
    let item = head.to_item(&long, &state, Time::from_ms(1_768_392_000_000));
    let bytes = item_bytes(&item);
    assert!((2_048 - 128..2_048).contains(&bytes), "{bytes}");
}

/// Write request units of `commits` commits that cut `cuts` prices each, in a market of `homes`: with base and tail,
/// and with the whole state in the head. As billed: whole kilobytes, twice in a transaction, deleting like writing.
fn units(homes: i64, cuts: i64, commits: i64) -> [u64; 2] {
    let (market, mut zones) = (market(), Zones::default());
    let (mut state, mut head, mut prices) = (Cells::default(), Head::default(), Vec::new());
    let mut known: Vec<Home> = Vec::new();
    let mut see = |home: i64, minutes: i64, price: i64, state: &mut Cells| -> Vec<Delta> {
        let address = usize::try_from(home).unwrap();
        known.resize(known.len().max(address + 1), Home::default());
        let old = known[address].clone();
        let mut seen = observation(0, minutes, price);
        let area = u32::try_from(40 + home % 90).unwrap();
        seen.listing.living_area = Some(Area::of(area, AreaUnit::SquareMeters));
        seen.listing.bedrooms = Some(u8::try_from(home % 5).unwrap());
        known[address].apply(&seen);
        let old = old.history.current().is_some().then_some(&old.history);
        let deltas: Vec<Delta> =
            update(old, &known[address].history, &mut zones).into_iter().map(|(_, delta)| delta).collect();
        deltas.iter().for_each(|delta| drop(state.add(delta)));
        deltas
    };
    let scatter =
        |i: i64| i64::from(u32::from_le_bytes(blake3::hash(&i.to_le_bytes()).as_bytes()[..4].try_into().unwrap()));
    for home in 0..homes {
        prices.push(30_000_000 + scatter(home) % 200_000_000);
        see(home, scatter(-home) % 86_400 - 86_400, prices[prices.len() - 1], &mut state);
    }
    let first = Block::of(&state, 1, 7).unwrap();
    head.archive = Some(first.reference.clone());
    head.base = Some(first.reference);
    let kilobytes = |bytes: u64| bytes.div_ceil(1_024);
    let mut units = [0, 0];
    for commit in 0..commits {
        let mut deltas = Vec::new();
        for cut in 0..cuts {
            let home = scatter((commit + 7) * 1_000_003 + cut) % homes;
            let price = &mut prices[usize::try_from(home).unwrap()];
            *price = *price * 97 / 100;
            deltas.extend(see(home, commit * 20, *price, &mut state));
        }
        let step = head.step(&change(&market, &state, &deltas, None, head.version), 7).unwrap();
        let head_bytes = item_bytes(&step.head.to_item(&market, &state, Time::from_ms(0))) as u64;
        units[0] += 2 * kilobytes(head_bytes);
        let whole = zstd::bulk::compress(&state.to_bytes(), LEVEL).unwrap().len() as u64;
        units[1] += 2 * kilobytes(head_bytes - step.head.tail.len() as u64 + whole);
        if let Some(base) = &step.base {
            units[0] += kilobytes(base.reference.bytes) + kilobytes(head.base.map_or(0, |old| old.bytes));
        }
        head = step.head;
    }
    units
}

/// Checks the table of ADR 0008.
#[test]
fn a_tail_costs_far_less_than_the_whole_state() {
    let per_commit = |homes, cuts| {
        let commits = 200;
        let units = units(homes, cuts, commits).map(|units| units.div_ceil(u64::try_from(commits).unwrap()));
        println!("{homes} homes, {cuts} cuts a commit: {} units a commit, {} with the whole state", units[0], units[1]);
        units
    };
    for (homes, cuts) in [(300, 1), (300, 5), (3_000, 1), (3_000, 10)] {
        let [tail, whole] = per_commit(homes, cuts);
        assert!(2 * tail < whole, "{homes} homes, {cuts} cuts: {tail} and {whole}");
    }
}
