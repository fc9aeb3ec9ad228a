//! What the stored sum of a wide area takes: `cargo run --release -p stoop-market --example wide`.

use std::time::Instant;

use stoop_domain::{Address, Currency, Facts, History, Listing, Minor, PropertyType, Purpose, Sighting, Status, Time};
use stoop_market::{Cells, Projection, Zones, contribution};

const BEGIN_MS: i64 = 1_700_000_000_000;
const DAYS: u64 = 440;
/// Homes of a market on offer on a day, about.
const ACTIVE: u64 = 50;
/// The days of a home on the market, about.
const STAY: u64 = 45;
const KINDS: [PropertyType; 5] = [
    PropertyType::SingleFamilyResidence,
    PropertyType::SingleFamilyResidence,
    PropertyType::Condominium,
    PropertyType::Townhouse,
    PropertyType::MultiFamily,
];

/// Numbers that look random, the same in each run.
struct Numbers(u64);

impl Numbers {
    fn below(&mut self, n: u64) -> i64 {
        self.0 = self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        ((self.0 >> 33) % n).cast_signed()
    }
}

/// A home that is listed, perhaps cut, and gone.
fn home(numbers: &mut Numbers) -> History {
    let address = Address {
        postal_code: Some("60601".into()),
        country: Some("US".into()),
        region: Some("IL".into()),
        ..Address::default()
    };
    let mut listing = Listing::new(Purpose::Sale, Currency::USD, address);
    let kind = KINDS[usize::try_from(numbers.below(5)).unwrap_or(0)];
    let bedrooms = 1 + numbers.below(3) + numbers.below(3);
    (listing.property_type, listing.bedrooms) = (Some(kind), u8::try_from(bedrooms).ok());
    let price = 150_000 + 90_000 * bedrooms + 500 * numbers.below(600);
    let mut history = History::default();
    let mut see = |listing: &Listing, day: i64| {
        let at = Time::from_ms(BEGIN_MS + day * Time::DAY_MS);
        if let Some(facts) = Facts::of(listing) {
            history.apply(Sighting::at(at), &facts, None);
        }
    };
    let (listed, stay) = (numbers.below(DAYS), numbers.below(2 * STAY));
    listing.list_price = Some(Minor(price * 100));
    see(&listing, listed);
    if numbers.below(5) < 2 {
        listing.list_price = Some(Minor(price * 97));
        see(&listing, listed + stay / 2);
    }
    listing.status = if numbers.below(4) == 0 { Status::Gone } else { Status::Pending };
    see(&listing, listed + stay + 1);
    history
}

fn main() {
    let (mut numbers, mut zones) = (Numbers(7), Zones::default());
    let homes = ACTIVE * DAYS / STAY;
    let markets: Vec<Cells> = (0..400)
        .map(|_| {
            let mut cells = Cells::default();
            for _ in 0..homes {
                let deltas = contribution(&home(&mut numbers), &mut zones).into_deltas();
                deltas.iter().for_each(|(_, delta)| drop(cells.add(delta)));
            }
            cells
        })
        .collect();
    let today = Time::from_ms(BEGIN_MS + DAYS.cast_signed() * Time::DAY_MS).day_in(&jiff::tz::TimeZone::UTC);
    println!("markets of {ACTIVE} active homes and {homes} in {DAYS} days");
    for count in [1, 10, 40, 400] {
        let began = Instant::now();
        let mut projection = Projection::new(today);
        markets[..count].iter().for_each(|cells| projection.add(cells, &Cells::default()));
        let sum = projection.sum();
        let [now, series] = sum.to_bytes().map(|bytes| bytes.len() / 1_000);
        let ms = began.elapsed().as_secs_f64() * 1e3;
        println!("{count:>4} markets: {now:>5} + {series:>5} kB, summed in {ms:8.1} ms");
    }
}
