//! Stoop's crates as a library: feed observations, read a figure.
//!
//! `cargo run -p stoop-embedded --example library` keeps a folder of its own and prints:
//!
//! ```text
//! us/il/cook/chicago/60614:sale:USD: 3 homes, median $449k, 1 price cut in 7 days
//! ```

use std::error::Error;

use stoop_domain::{Address, Currency, Listing, Minor, Observation, Purpose, Time, Watch};
use stoop_embedded::Database;
use stoop_market::snapshot;
use stoop_pipeline::Measurer;
use stoop_pipeline::ports::Store;

/// An observation: the source `mine` showed this home at this price on this day.
fn observation(id: &str, day: i64, dollars: i64) -> Observation {
    let address = Address {
        postal_code: Some("60614".into()),
        region: Some("IL".into()),
        country: Some("US".into()),
        ..Address::default()
    };
    let mut listing = Listing::new(Purpose::Sale, Currency::USD, address);
    listing.list_price = Some(Minor(dollars * 100));
    // 2026-03-02, 18:00 UTC, and the days after it.
    let seen = Time::from_ms(1_772_474_400_000 + day * Time::DAY_MS);
    Observation {
        source: "mine".into(),
        native_id: id.into(),
        at: seen,
        seen,
        seq: 0,
        versioned: false,
        initial: false,
        watch: Watch::Once,
        listing,
    }
}

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Box<dyn Error>> {
    let folder = tempfile::tempdir()?;
    let database = Database::open(&folder.path().join("stoop.db"), &folder.path().join("data"))?;

    // Order, batches and repetition change nothing.
    let observations = [
        observation("1", 0, 450_000),
        observation("2", 0, 520_000),
        observation("3", 1, 389_000),
        observation("1", 3, 449_000),
    ];
    let mut measurer = Measurer::new(&*database);
    measurer.measure(&observations).await?;
    let again = measurer.measure(&observations).await?;
    assert!(again.changed_nothing(), "observations that are known change nothing");

    let now = observations[3].seen;
    for market in database.market_ids()? {
        let Some(state) = database.markets(std::slice::from_ref(&market)).await?.pop().flatten() else { continue };
        let figures = snapshot(&state.value, now, &market.area.country().zone).all;
        // In minor units, and known to 0.1 % (docs/METRICS.md): three digits hold.
        let median = (figures.median_price.ok_or("no home has a price")? / 100_000.0).round();
        let cuts = figures.last_7_days.price_cuts;
        let line = format!("{market}: {} homes, median ${median:.0}k, {cuts} price cut in 7 days", figures.active);
        std::io::Write::write_all(&mut std::io::stdout(), format!("{line}\n").as_bytes())?;
        assert_eq!(line, "us/il/cook/chicago/60614:sale:USD: 3 homes, median $449k, 1 price cut in 7 days");
    }
    Ok(())
}
