use stoop_domain::Time;
use stoop_market::{Cells, Projection, Wide, tells_hours};

use super::Hours;
use crate::wide_area::WideArea;

/// Sums a wide area from the states of its markets, for the figures at `now` and the series that ends there, with the
/// precision that a store keeps, so that the figures are equally precise whatever they are read from. Each state
/// includes its archive if needed ([`super::covers_days`]).
#[must_use]
pub fn add_up<'c>(area: &WideArea, states: impl IntoIterator<Item = &'c Cells>, now: Time) -> (Wide, Hours) {
    let mut projection = Projection::new(now.day_in(&area.country().zone));
    let mut hours = Hours::Known;
    for cells in states {
        projection.add(cells, &Cells::default());
        if !tells_hours(cells, now) {
            hours = Hours::Unknown;
        }
    }
    (projection.sum(), hours)
}

#[cfg(test)]
mod tests {
    use stoop_domain::Day;
    use stoop_market::Horizon;

    use super::*;

    #[test]
    fn hours_that_are_no_longer_kept_are_unknown_in_a_sum() {
        let now = Time::parse("2026-01-20T12:00:00Z").unwrap();
        let area = WideArea::new("us", "sale:USD".parse().unwrap()).unwrap();
        let folded = |hours: Day| {
            let mut cells = Cells::default();
            drop(cells.fold_to(Horizon { days: Day(0), hours }));
            cells
        };
        let day = |back: i32| Day(now.day_in(&area.country().zone).0 - back);
        let hours = |states: &[Cells]| add_up(&area, states, now).1;
        assert_eq!(hours(&[Cells::default(), folded(day(1))]), Hours::Known);
        assert_eq!(hours(&[Cells::default(), folded(day(0))]), Hours::Unknown, "they begin yesterday");
    }
}
