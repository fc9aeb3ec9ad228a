use stoop_domain::{Market, Time};
use stoop_pipeline::serve;

/// The median price per square metre of a market, in minor units.
pub(super) fn median_per_m2(
    database: &stoop_embedded::Database,
    market: &Market,
    now: Time,
) -> anyhow::Result<Option<f64>> {
    Ok(database.cells(market)?.and_then(|cells| serve::median_per_m2(market, &cells, now)))
}
