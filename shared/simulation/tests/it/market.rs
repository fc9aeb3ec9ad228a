//! The simulated market: its configuration determines it, and its answer is right.

use std::collections::BTreeMap;

use stoop_domain::{
    Address, Area, AreaUnit, EventKind, Facts, History, Listing, Market, Minor, Phase, PropertyType, Purpose, Sighting,
    Time,
};
use stoop_simulation::{
    EventCounts, Home, KnownFigures, LifeEvent, Noise, SimulatedRows, Simulation, SimulationConfig, Watched, What,
    Window, write_row,
};

fn start() -> Time {
    Time::parse("2026-01-05T00:00:00Z").unwrap()
}

fn noisy(seed: u64) -> SimulationConfig {
    SimulationConfig {
        morocco: true,
        noise: Noise { seen_again_permille: 300, cents_permille: 60, slips_permille: 60, late_permille: 50 },
        ..SimulationConfig::new(seed, start(), 400, 12).lively()
    }
}

fn after_days(config: SimulationConfig, days: i64) -> Simulation {
    let to = config.start.plus_ms(days * Time::DAY_MS);
    let mut simulation = Simulation::new(config);
    simulation.advance(to);
    simulation
}

fn rows(config: SimulationConfig, rows: u64) -> String {
    let mut out = Vec::new();
    SimulatedRows::new(config, rows).write_to(&mut out).unwrap();
    String::from_utf8(out).unwrap()
}

#[test]
fn equal_seeds_give_equal_markets_and_others_differ() {
    let log = |seed| after_days(noisy(seed), 20).log().to_vec();
    assert_eq!(log(1), log(1));
    assert_ne!(log(1), log(2));
    assert_eq!(rows(noisy(1), 2_000), rows(noisy(1), 2_000));
    assert_ne!(rows(noisy(1), 2_000), rows(noisy(2), 2_000));
}

#[test]
fn the_market_of_seed_1_is_equal_on_every_platform() {
    // FNV-1a over all bytes. If it changes, every recorded simulation changes.
    let hash = rows(SimulatedRows::config(1, start(), 5_000), 5_000)
        .bytes()
        .fold(0xCBF2_9CE4_8422_2325_u64, |hash, byte| (hash ^ u64::from(byte)).wrapping_mul(0x0100_0000_01B3));
    assert_eq!(hash, 0x8F18_A352_B647_E4C7, "{hash:#018x}");
}

#[test]
fn the_number_of_steps_makes_no_difference() {
    let at_once = after_days(noisy(5), 10);
    let mut in_steps = Simulation::new(noisy(5));
    while in_steps.now() < at_once.now() {
        in_steps.advance(in_steps.now().plus_ms(1_234_567).min(at_once.now()));
    }
    assert_eq!(at_once.log(), in_steps.log());
    let shown =
        |simulation: &Simulation| simulation.shown_after(None).map(|(_, offer)| offer.clone()).collect::<Vec<_>>();
    assert_eq!(shown(&at_once), shown(&in_steps));
}

#[test]
fn every_kind_of_event_happens_and_in_order() {
    let simulation = after_days(noisy(3), 400);
    let log = simulation.log();
    for what in [
        What::Listed,
        What::Cut,
        What::Raised,
        What::Cents,
        What::Slipped,
        What::Mended,
        What::Pending,
        What::FellThrough,
        What::Closed,
        What::OffMarket,
        What::Relisted,
        What::ListedAgain,
        What::SeenAgain,
    ] {
        assert!(log.iter().any(|entry| entry.what == what), "{what:?}");
    }
    assert!(log.is_sorted_by_key(|entry| entry.at));
    assert!(log.iter().all(|entry| entry.offer.list_price > Minor(0)));
    assert!(log.iter().any(|entry| entry.shown_at > entry.at));
}

#[test]
fn cuts_are_mostly_small_and_sometimes_deep() {
    let simulation = after_days(SimulationConfig::new(4, start(), 2_000, 8).lively(), 60);
    let mut price: BTreeMap<u32, i64> = BTreeMap::new();
    let mut percents: Vec<i64> = Vec::new();
    for entry in simulation.log() {
        let to = entry.offer.list_price.0;
        let from = price.insert(entry.home, to);
        if entry.what == What::Cut {
            let from = from.unwrap();
            percents.push((from - to) * 100 / from);
        }
    }
    let share = |of: std::ops::Range<i64>| percents.iter().filter(|p| of.contains(p)).count() * 100 / percents.len();
    assert!((80..95).contains(&share(0..11)), "{}", share(0..11));
    assert!((8..18).contains(&share(14..36)), "{}", share(14..36));
    assert_eq!(share(-100..0) + share(37..200), 0);
}

#[test]
fn the_answer_agrees_with_counting_by_hand() {
    // One home in Chicago, where midnight is 06:00 UTC, with a hand-written life.
    let simulation = Simulation::new(SimulationConfig { rent_permille: 0, ..SimulationConfig::new(1, start(), 2, 1) });
    let homes = simulation.all_homes();
    let offer = simulation.log()[0].offer.clone();
    let entry = |home: u32, at: &str, what, price, status: &str| {
        let at = Time::parse(at).unwrap();
        let mut offer = offer.clone();
        offer.list_price = Minor(price);
        offer.status = stoop_domain::Status::parse(status).unwrap();
        offer.on_market_day = at.day_in(&homes[0].market().area.country().zone);
        LifeEvent { shown_at: at, at, home, what, offer }
    };
    let log = [
        entry(0, "2026-01-01T12:00:00Z", What::Listed, 100, "Active"),
        entry(1, "2026-01-06T05:59:59Z", What::Listed, 500, "Active"), // The 5th in Chicago.
        entry(0, "2026-01-08T12:00:00Z", What::Cut, 90, "Active"),
        entry(0, "2026-01-09T12:00:00Z", What::Slipped, 9, "Active"),
        entry(0, "2026-01-09T15:00:00Z", What::Mended, 90, "Active"),
        entry(0, "2026-01-10T12:00:00Z", What::OffMarket, 90, "Expired"),
        entry(0, "2026-01-11T12:30:00Z", What::Relisted, 80, "Active"),
        entry(1, "2026-01-11T13:00:00Z", What::Pending, 500, "Pending"),
        entry(1, "2026-01-12T11:00:00Z", What::FellThrough, 500, "Active"),
        entry(1, "2026-01-12T11:30:00Z", What::SeenAgain, 500, "Active"),
        entry(1, "2026-01-13T00:00:00Z", What::Closed, 500, "Closed"), // After the moment of the answer.
    ];
    let at = Time::parse("2026-01-12T12:15:00Z").unwrap();
    let figures = KnownFigures::from_log(homes, &log, at, Watched::Always).total(Some("us/il/cook"));
    assert_eq!(figures.prices, [Minor(80), Minor(500)]);
    assert_eq!((figures.active(), figures.median(), figures.mean()), (2, Some(Minor(290)), Some(Minor(290))));
    assert_eq!((figures.min(), figures.max()), (Some(Minor(80)), Some(Minor(500))));

    // 24 hours are the hours from 13 on the 11th to 12 on the 12th: the relisting at 12:30 is outside.
    let day = EventCounts { pending: 1, back_on_market: 1, ..EventCounts::default() };
    // 7 days are the 6th to the 12th in Chicago: the second listing was on the 5th. The slip of one day is not a cut,
    // and its correction is not a rise.
    let week = EventCounts { price_cuts: 2, pending: 1, gone: 1, back_on_market: 2, ..EventCounts::default() };
    assert_eq!(figures.counts(Window::Day), day);
    assert_eq!(figures.counts(Window::Days7), week);
    assert_eq!(figures.counts(Window::Days28), EventCounts { new: 2, ..week });
    assert_eq!(figures.counts(Window::Days90), EventCounts { new: 2, ..week });

    // A reader who starts on the 11th at noon finds one home on offer; the other is off the market at that time.
    let since = Watched::Since(Time::parse("2026-01-11T12:00:00Z").unwrap());
    let counts = KnownFigures::from_log(homes, &log, at, since).total(None).counts(Window::Days28);
    let expected = EventCounts { initial: 1, price_cuts: 1, pending: 1, back_on_market: 2, ..EventCounts::default() };
    assert_eq!(counts, expected);
}

#[test]
fn the_median_of_an_odd_and_an_even_number_of_prices() {
    let middle = |prices: &[i64]| {
        let prices = prices.iter().copied().map(Minor).collect();
        stoop_simulation::Figures { prices, ..Default::default() }.middle()
    };
    assert_eq!(middle(&[]), None);
    assert_eq!(middle(&[3]), Some((Minor(3), Minor(3))));
    assert_eq!(middle(&[3, 5]), Some((Minor(3), Minor(5))));
    assert_eq!(middle(&[3, 5, 9]), Some((Minor(5), Minor(5))));
}

/// The answer does not use `History`; the test compares both over a noisy year.
#[test]
fn the_answer_agrees_with_histories() {
    let simulation = after_days(noisy(11), 300);
    let mut histories: BTreeMap<u32, History> = BTreeMap::new();
    for entry in simulation.log() {
        let home = &simulation.all_homes()[entry.home as usize];
        let listed_at = Some(entry.offer.on_market_at);
        histories.entry(entry.home).or_default().apply(Sighting::at(entry.at), &facts(home, entry), listed_at);
    }
    let now = simulation.now();
    let answer = KnownFigures::of(&simulation, now, Watched::Always);
    assert!(answer.markets.len() > 12, "{:?}", answer.markets.keys());
    let mut expected: BTreeMap<Market, (Vec<Minor>, BTreeMap<&str, u64>)> = BTreeMap::new();
    for history in histories.values() {
        let current = history.current().unwrap();
        let (prices, counts) = expected.entry(current.market.clone()).or_default();
        let is_doubtful = history.steps().last().is_some_and(|step| step.doubtful.is_some());
        if current.status.phase() == Phase::Active && !is_doubtful {
            prices.push(current.list_price.unwrap());
            prices.sort();
        }
        let zone = current.market.area.country().zone;
        for event in history.events() {
            if now.day_in(&zone).0 - event.at.day_in(&zone).0 < 90 {
                let name = match event.kind {
                    EventKind::PriceCut => "price_cuts",
                    EventKind::PriceRise => "price_rises",
                    kind => kind.as_str(),
                };
                *counts.entry(name).or_default() += 1;
            }
        }
    }
    for (market, figures) in &answer.markets {
        let counts = figures.counts(Window::Days90).named().into_iter().filter(|(_, count)| *count > 0).collect();
        assert_eq!(expected.get(market), Some(&(figures.prices.clone(), counts)), "{market}");
    }
}

fn facts(home: &Home, entry: &LifeEvent) -> Facts {
    let market = home.market();
    let mut listing = Listing::new(home.purpose, market.currency, Address::default());
    listing.address.city = Some("any".into());
    listing.status = entry.offer.status;
    listing.list_price = Some(entry.offer.list_price);
    listing.original_list_price = Some(entry.offer.original_list_price);
    Facts { market, ..Facts::of(&listing).unwrap() }
}

#[test]
fn a_row_has_resos_names() {
    let simulation = after_days(noisy(8), 5);
    let (mut lengths, mut sales) = (Vec::new(), 0);
    for (home, offer) in simulation.homes() {
        let mut row = Vec::new();
        write_row(&mut row, home, offer);
        lengths.push(row.len());
        let row: serde_json::Value = serde_json::from_slice(&row).unwrap();
        let text = |name: &str| row[name].as_str().unwrap().to_owned();
        let time = |name: &str| Time::parse(&text(name)).unwrap();
        let currency = home.currency();
        let price = |name: &str| Minor::parse_major(&row[name].to_string(), currency).unwrap();
        assert_eq!(text("ListingKey"), home.listing_key());
        assert_eq!(stoop_domain::Status::parse(&text("StandardStatus")), Some(offer.status));
        assert_eq!(text("PropertyType") == "Residential Lease", home.purpose == Purpose::Rent);
        assert_eq!(PropertyType::parse(&text("PropertySubType").replace(' ', "")), Some(home.kind));
        assert_eq!((price("ListPrice"), price("OriginalListPrice")), (offer.list_price, offer.original_list_price));
        assert_eq!(time("ModificationTimestamp"), offer.modified_at);
        assert_eq!(time("OnMarketTimestamp"), offer.on_market_at);
        assert_eq!(text("OnMarketDate"), offer.on_market_day.to_string());
        match offer.closing {
            None => assert!(row.get("ClosePrice").is_none() && row.get("CloseDate").is_none()),
            Some(closing) => {
                assert_eq!((price("ClosePrice"), text("CloseDate")), (closing.price, closing.day.to_string()));
                assert_eq!(closing.day, offer.status_changed_at.day_in(&home.market().area.country().zone));
                sales += 1;
            }
        }
        let address = Address {
            city: Some(text("City")),
            county: Some(text("CountyOrParish")),
            region: Some(text("StateOrProvince")),
            postal_code: Some(text("PostalCode")),
            country: Some(text("Country")),
            ..Address::default()
        };
        let listing = Listing::new(home.purpose, currency, address);
        assert_eq!(stoop_domain::market_of(&listing), Some(home.market()));
        let unit = if text("LivingAreaUnits") == "Square Feet" { AreaUnit::SquareFeet } else { AreaUnit::SquareMeters };
        assert_eq!(Area::parse(&row["LivingArea"].to_string(), unit).unwrap(), Some(Area::of(home.living_area, unit)));
        for number in ["Latitude", "Longitude", "BedroomsTotal", "BathroomsTotalInteger"] {
            assert!(row[number].is_number(), "{number}");
        }
        for words in ["UnparsedAddress", "PublicRemarks", "ListOfficeName"] {
            assert!(row[words].is_string(), "{words}");
        }
    }
    assert!(sales > 20, "{sales}");
    let mean = lengths.iter().sum::<usize>() / lengths.len();
    assert!((850..1_050).contains(&mean), "{mean}");
}

#[test]
fn three_percent_of_the_rows_are_changes() {
    let (mut rows, mut out) = (SimulatedRows::new(SimulatedRows::config(2, start(), 100_000), 100_000), Vec::new());
    let mut kinds: BTreeMap<What, u64> = BTreeMap::new();
    let mut last = Time::from_ms(0);
    while let Some(entry) = rows.next_into(&mut out) {
        assert!(entry.at >= last);
        last = entry.at;
        *kinds.entry(entry.what).or_default() += 1;
        out.clear();
    }
    let all: u64 = kinds.values().sum();
    assert_eq!(all, 100_000);
    let changed = all - kinds[&What::SeenAgain] - kinds[&What::Listed];
    assert!((2_800..3_200).contains(&changed), "{kinds:?}");
}

#[test]
fn rows_equal_the_log_of_the_same_configuration() {
    let config = SimulationConfig { past_ms: 0, ..noisy(6) };
    let (mut rows, mut out) = (SimulatedRows::new(config.clone(), 3_000), Vec::new());
    let mut entries: Vec<LifeEvent> = std::iter::from_fn(|| rows.next_into(&mut out)).collect();
    assert!(!entries.is_sorted_by_key(|entry| entry.at), "some come late");
    assert!(entries.is_sorted_by_key(|entry| entry.shown_at));
    entries.sort_by_key(|entry| entry.at);
    // Late entries that are not shown at the end are in the log, but not in the rows.
    let complete = entries[2_000].at;
    let simulation = after_days(config, 300);
    let until = |entries: &[LifeEvent]| entries.iter().filter(|entry| entry.at < complete).cloned().collect::<Vec<_>>();
    assert_eq!(until(&entries).len(), 2_000);
    let mut log = until(simulation.log());
    let mut entries = until(&entries);
    log.sort();
    entries.sort();
    assert_eq!(entries, log);
}
