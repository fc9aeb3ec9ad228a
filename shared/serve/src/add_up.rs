use stoop_domain::Time;
use stoop_market::{Cells, Projection, Wide, tells_hours};

use super::Hours;
use stoop_pipeline::WideArea;

/// Adds up a wide area from the states of its markets, for the figures at a moment and the series that ends there. The
/// result equals the stored sum of the area.
#[derive(Debug)]
pub struct AddUp {
    projection: Projection,
    hours: Hours,
    now: Time,
}

impl AddUp {
    /// Nothing yet. The series has `days` days, or as many as a stored one if that is more.
    #[must_use]
    pub fn new(area: &WideArea, now: Time, days: u16) -> Self {
        let today = now.day_in(&area.country().zone);
        Self { projection: Projection::with_series(today, days), hours: Hours::Known, now }
    }

    /// Adds a market: its state with its archive, if that is needed ([`super::covers_days`]).
    pub fn add(&mut self, cells: &Cells) {
        self.projection.add(cells, &Cells::default());
        if !tells_hours(cells, self.now) {
            self.hours = Hours::Unknown;
        }
    }

    /// The sum of all added markets.
    #[must_use]
    pub fn sum(self) -> (Wide, Hours) {
        (self.projection.sum(), self.hours)
    }
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
        let hours = |states: &[Cells]| {
            let mut add_up = AddUp::new(&area, now, 0);
            states.iter().for_each(|cells| add_up.add(cells));
            add_up.sum().1
        };
        assert_eq!(hours(&[Cells::default(), folded(day(1))]), Hours::Known);
        assert_eq!(hours(&[Cells::default(), folded(day(0))]), Hours::Unknown, "they begin yesterday");
    }
}
