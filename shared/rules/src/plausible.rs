use stoop_domain::{Event, EventKind, PriceChange, Time};

use crate::judge::drop_bp;

/// A drop within this time after the price at least doubled, back to about the price before, only takes
/// that slip back.
const TAKE_BACK_MS: i64 = 14 * Time::DAY_MS;

/// Says why a drop looks like a slip of the source rather than a seller's decision; `None` where it
/// does not. Looks only at what came before, so that the answer does not depend on when it is asked.
pub(crate) fn suspicion(suspect_bp: u32, before: &[Event], event: &Event, cut: PriceChange) -> Option<String> {
    let bp = drop_bp(cut);
    if bp >= suspect_bp {
        let share = format!("{}.{:02} %", bp / 100, bp % 100);
        return Some(match power_of_ten(cut) {
            Some(name) => format!("a drop of {share}, to {name} of the price: digits lost?"),
            None => format!("a drop of {share}: a rent, or another unit, in place of the price?"),
        });
    }
    let last = before.iter().rev().find(|event| event.change.is_some())?;
    let rise = last.change.filter(|_| last.kind == EventKind::PriceRise)?;
    let fresh = event.at.ms() - last.at.ms() <= TAKE_BACK_MS;
    // To within a twentieth of the price before the rise.
    let back = (i128::from(cut.to.0) - i128::from(rise.from.0)).abs() * 20 <= i128::from(rise.from.0);
    let doubled = i128::from(rise.to.0) >= i128::from(rise.from.0) * 2;
    (fresh && doubled && back).then(|| "takes back the doubling just before".to_owned())
}

/// Whether the new price is, to within one percent, a tenth, hundredth or thousandth of the old.
fn power_of_ten(cut: PriceChange) -> Option<&'static str> {
    let names = [(10, "a tenth"), (100, "a hundredth"), (1_000, "a thousandth"), (10_000, "a ten-thousandth")];
    names.into_iter().find_map(|(factor, name)| {
        let scaled = i128::from(cut.to.0) * factor;
        let from = i128::from(cut.from.0);
        ((scaled - from).abs() * 100 <= from).then_some(name)
    })
}
