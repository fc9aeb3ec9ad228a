use stoop_domain::Day;

use crate::cells::Cells;
use crate::kind::Quantity;
use crate::segment::Segment;

/// The homes on offer at the end of `today` whose spell opened by each of these days: nearly all of them were on offer then,
/// too. A spell may have been under contract or off the market for a time.
#[must_use]
pub fn opened_by(cells: &Cells, today: Day, days: &[Day]) -> Vec<i64> {
    let mut homes = vec![0; days.len()];
    let is_stock = |key: crate::key::Key| key.kind().is_some_and(|kind| Quantity::Opened.is_stock(kind));
    let opened = cells.of(Segment::All, Quantity::Opened).filter(|(key, _)| key.day() <= today.0 && is_stock(*key));
    for (key, value) in opened {
        for (sum, day) in homes.iter_mut().zip(days) {
            if key.bucket() <= day.0 {
                *sum += value;
            }
        }
    }
    homes
}
