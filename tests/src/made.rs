//! Small handmade test data.

use stoop_domain::{
    Address, Alert, AlertId, Area, AreaUnit, Currency, Day, Home, HomeId, Listing, Market, Minor, Observation, Purpose,
    Reason, Reject, Time, Verdict, home_id, market_of,
};
use stoop_market::{Cells, Horizon, Zones, update};

/// Noon of 14 January 2026 plus `minutes`.
#[must_use]
pub fn minute(minutes: i64) -> Time {
    Time::from_ms(1_768_392_000_000).plus_ms(minutes * 60 * Time::SECOND_MS)
}

/// A home in Agadir at `dirhams`, seen `minutes` after noon.
#[must_use]
pub fn observation(native_id: &str, minutes: i64, dirhams: i64) -> Observation {
    observation_in("Agadir", native_id, minutes, dirhams)
}

/// Like [`observation`], in another city.
#[must_use]
pub fn observation_in(city: &str, native_id: &str, minutes: i64, dirhams: i64) -> Observation {
    let address = Address { city: Some(city.into()), country: Some("MA".into()), ..Address::default() };
    let mut listing = Listing::new(Purpose::Sale, Currency::MAD, address);
    listing.list_price = Some(Minor(dirhams * 100));
    listing.details.title = Some(format!("Appartement {native_id}"));
    Observation::new("avito", native_id, minute(minutes), listing)
}

/// The home with these observations.
///
/// # Panics
///
/// There are none.
#[must_use]
pub fn home(observations: &[&Observation]) -> (HomeId, Home) {
    let mut home = Home::default();
    for observation in observations {
        home.apply(observation);
    }
    (home_id(observations.first().expect("a home needs an observation")), home)
}

/// Homes of all kinds over twenty-seven years, so that each home's contribution to the market of Agadir compresses
/// badly: to some ten bytes.
#[must_use]
pub fn scattered(homes: u32) -> Vec<Observation> {
    let observation = |i: u32| {
        let n = i64::from(i);
        let (day, price) = (n * 104_729 % 10_000, 400_000 + (n * n * 7_919 + 104_729 * n) % 5_000_003);
        let mut seen = observation(&i.to_string(), day * 1_440, price);
        seen.listing.living_area = Some(Area::of(30 + i * 7_919 % 171, AreaUnit::SquareMeters));
        seen.listing.bedrooms = u8::try_from(i % 11).ok();
        seen
    };
    (0..homes).map(observation).collect()
}

/// The archive of a market when all these observations, each of another home, are folded out of its state.
#[must_use]
pub fn archived(observations: &[Observation]) -> Cells {
    let mut cells = Cells::default();
    for observation in observations {
        let (_, home) = home(&[observation]);
        for (_, delta) in update(None, &home.history, &mut Zones::default()) {
            drop(cells.add(&delta));
        }
    }
    // In 2057, after all test data.
    let behind = Day(32_000);
    cells.fold_to(Horizon { days: behind, hours: behind })
}

/// The market of a city's homes for sale.
///
/// # Panics
///
/// The city has no name.
#[must_use]
pub fn market_in(city: &str) -> Market {
    market_of(&observation_in(city, "1", 0, 1).listing).expect("a city with a name is in a market")
}

/// An alert of a drop to 80 %.
#[must_use]
pub fn alert(id: &str, minutes: i64, verdict: Verdict) -> Alert {
    Alert {
        id: AlertId(id.into()),
        rule: "drop".into(),
        home: HomeId("avito/1".into()),
        market: market_in("Agadir"),
        at: minute(minutes),
        from: Minor(100_000_000),
        to: Minor(80_000_000),
        drop_bp: 2_000,
        title: Some("Appartement à Founty".into()),
        line: None,
        url: None,
        verdict,
        withdrawn: None,
        other_listings: Vec::new(),
    }
}

/// A row that was refused.
#[must_use]
pub fn reject(location: &str, reason: Reason, raw: &str) -> Reject {
    Reject::new("avito", minute(0), location.into(), reason, "made up".into(), raw.as_bytes())
}
