//! The cost of updating a market for a changed home, and of reading its figures.

use std::hint::black_box;

use criterion::{Criterion, criterion_group, criterion_main};
use jiff::tz::TimeZone;
use stoop_domain::{
    Address, Area, AreaUnit, Currency, Day, Facts, History, Listing, Minor, PropertyType, Purpose, Sighting, Time,
};
use stoop_market::{Bucket, Cells, Segment, Zones, closes, contribution, snapshot, update};

const BEGIN_MS: i64 = 1_767_571_200_000;

/// A home's history with `cuts` price cuts, a week apart.
fn home(number: i64, cuts: i64) -> History {
    let address = Address {
        postal_code: Some("60601".into()),
        country: Some("US".into()),
        region: Some("IL".into()),
        ..Address::default()
    };
    let mut listing = Listing::new(Purpose::Sale, Currency::USD, address);
    listing.property_type = Some(PropertyType::Condominium);
    listing.bedrooms = Some((number % 5) as u8);
    listing.living_area = Some(Area::of(900 + (number % 700) as u32, AreaUnit::SquareFeet));
    let mut history = History::default();
    for cut in 0..=cuts {
        listing.list_price = Some(Minor((300_000 + number * 137 - cut * 5_000) * 100));
        let at = Time::from_ms(BEGIN_MS + number * 3_600_000 + cut * 7 * Time::DAY_MS);
        if let Some(facts) = Facts::of(&listing) {
            history.apply(Sighting::at(at), &facts, None);
        }
    }
    history
}

fn market(homes: i64) -> Cells {
    let (mut cells, mut zones) = (Cells::default(), Zones::default());
    for number in 0..homes {
        for (_, delta) in contribution(&home(number, 3), &mut zones).into_deltas() {
            cells.add(&delta);
        }
    }
    cells
}

fn benches(criterion: &mut Criterion) {
    let cells = market(1_000);
    let bytes = cells.to_bytes();
    let zone = TimeZone::get("America/Chicago").unwrap_or(TimeZone::UTC);
    let now = Time::from_ms(BEGIN_MS + 60 * Time::DAY_MS);
    let (old, new) = (home(7, 2), home(7, 3));
    let mut zones = Zones::default();
    let mut group = criterion.benchmark_group("market of 1,000 homes with 3 cuts each");
    group.bench_function("update: one home cut once more", |bench| {
        let mut cells = cells.clone();
        bench.iter(|| {
            for (_, delta) in update(Some(black_box(&old)), black_box(&new), &mut zones) {
                cells.add(&delta);
                cells.add(&delta.negated());
            }
        });
    });
    group.bench_function("recompute: every home", |bench| bench.iter(|| market(black_box(1_000))));
    group.bench_function("to bytes", |bench| bench.iter(|| black_box(&cells).to_bytes()));
    group.bench_function("from bytes", |bench| bench.iter(|| Cells::from_bytes(black_box(&bytes))));
    group.bench_function("snapshot, all segments", |bench| bench.iter(|| snapshot(black_box(&cells), now, &zone)));
    group.bench_function("series of 60 days", |bench| {
        let today = now.day_in(&zone);
        bench.iter(|| closes(black_box(&cells), Segment::All, Day(today.0 - 59), today));
    });
    group.finish();

    let mut group = criterion.benchmark_group("histogram");
    group.bench_function("bucket of a price", |bench| bench.iter(|| Bucket::of(black_box(56_100_000.0))));
    group.bench_function("natural logarithm, for comparison", |bench| bench.iter(|| black_box(56_100_000.0_f64).ln()));
    group.finish();
}

criterion_group!(all, benches);
criterion_main!(all);
