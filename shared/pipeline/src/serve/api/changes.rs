//! The changes of wide areas in lists.

use std::collections::BTreeMap;

use stoop_domain::{Market, Time};

use super::Api;
use super::error::ApiError;
use super::market::{Reading, earliest};
use super::markets::{READ_SUMS_MAX, Rows};
use crate::serve::{Hours, MarketRow, Sum};
use crate::wide_area::{WideArea, WideLevel};

impl Api<'_> {
    /// Adds the change since this many days before to areas with figures: from the stored sums, which have a series,
    /// otherwise from their markets. `markets` are all markets of the areas.
    pub(super) async fn changed_rows(
        &self,
        mut rows: Rows,
        level: WideLevel,
        markets: &[Market],
        as_of: Time,
        days: i32,
    ) -> Result<Rows, ApiError> {
        let mut parts: BTreeMap<String, (WideArea, Vec<Market>)> = BTreeMap::new();
        for market in markets {
            let area = WideArea::of(market, level);
            parts.entry(area.to_string()).or_insert_with(|| (area, Vec::new())).1.push(market.clone());
        }
        let with_figures = rows.rows.iter().filter(|row| row.figures.is_some()).count();
        // The series of cities are not stored.
        let is_stored = level != WideLevel::City;
        if is_stored && with_figures > READ_SUMS_MAX {
            return Err(too_many(with_figures, "sums", READ_SUMS_MAX));
        }
        let mut reading = Reading::new();
        for row in rows.rows.iter_mut().filter(|row| row.figures.is_some()) {
            let Some((area, markets)) = parts.remove(&row.id) else { continue };
            let shown = if is_stored { self.areas.wide(&area, markets.len(), as_of).await? } else { None };
            if let Some(shown) = shown {
                change(row, Sum::Wide(&shown.sum, Hours::Known), as_of, days);
                rows.rolled_up_at = earliest(rows.rolled_up_at, shown.rolled_up);
                continue;
            }
            reading.add(markets.len()).map_err(|left| too_many(markets.len(), "further markets", left))?;
            if let Some(cells) = self.added_up(&markets, as_of, 1).await?.remove(&area.id()) {
                change(row, Sum::Whole(&cells), as_of, days);
            }
        }
        Ok(rows)
    }
}

fn change(row: &mut MarketRow, sum: Sum<'_>, as_of: Time, days: i32) {
    *row = row.clone().with_change(sum, as_of, days);
}

fn too_many(needed: usize, what: &str, left: usize) -> ApiError {
    let message = format!(
        "{needed} {what} would be read for their changes, more than the {left} that may be; accepted: a lower limit and \
         no sort by a change, a higher min_homes, a narrower area, a wider level, or one purpose or currency"
    );
    ApiError::new(422, "area_too_wide", message)
}
