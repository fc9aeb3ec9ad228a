use stoop_domain::{HOME_FIELDS, HomeKind, Market, Time};
use stoop_pipeline::serve;

use crate::show::Field;

/// A home in CSV.
pub(super) fn columns() -> impl Iterator<Item = Field> {
    let first = [
        Field::Plain("id"),
        Field::Plain("market"),
        Field::Plain("status"),
        Field::Money("price"),
        Field::Plain("currency"),
        Field::Plain("last_change.at"),
        Field::Money("last_change.from"),
        Field::Money("last_change.to"),
        Field::Plain("last_change.share"),
    ];
    let of_home = HOME_FIELDS.iter().map(|field| match field.kind {
        HomeKind::Fee => Field::Money(field.name),
        _ => Field::Plain(field.name),
    });
    let rest = [
        Field::Plain("area_unit"),
        Field::Money("price_per_area"),
        Field::Plain("versus_market"),
        Field::Plain("opened_at"),
        Field::Plain("days_on_market"),
        Field::Plain("last_event_at"),
        Field::Plain("title"),
        Field::Plain("line"),
        Field::Plain("url"),
    ];
    first.into_iter().chain(of_home).chain(rest)
}

/// The median price per square metre of a market, in minor units.
pub(super) fn median_per_m2(
    database: &stoop_embedded::Database,
    market: &Market,
    now: Time,
) -> anyhow::Result<Option<f64>> {
    Ok(database.cells(market)?.and_then(|cells| serve::median_per_m2(market, &cells, now)))
}
