use stoop_domain::{Minor, PriceChange, Time};

/// The time after a price at least doubled in which a drop back to about the price before only corrects that mistake.
const TAKE_BACK_MS: i64 = 14 * Time::DAY_MS;

/// Why a price looks like a mistake of the source rather than a decision of the seller.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Suspicion {
    /// The price itself looks like a mistake, for this reason.
    Slip(String),
    /// The price corrects a mistake.
    TakesBack,
}

/// A rise of the price.
#[derive(Clone, Copy)]
pub(crate) struct Rise {
    pub(crate) from: Minor,
    pub(crate) to: Minor,
    pub(crate) at: Time,
}

impl Suspicion {
    pub(crate) fn why(self) -> String {
        match self {
            Self::Slip(why) => why,
            Self::TakesBack => "takes back the doubling shortly before".to_owned(),
        }
    }
}

/// Checks a change from the last price that did not look like a mistake. `rise` is the last change to that price, if it
/// was a rise. Depends on earlier prices only, so the result does not depend on the time of the computation.
pub(crate) fn suspicion(suspect_bp: u32, step: PriceChange, at: Time, rise: Option<Rise>) -> Option<Suspicion> {
    if step.to >= step.from {
        return None;
    }
    let bp = step.drop_bp();
    if bp >= suspect_bp {
        let share = format!("{}.{:02} %", bp / 100, bp % 100);
        return Some(Suspicion::Slip(match power_of_ten(step) {
            Some(name) => format!("a drop of {share}, to {name} of the price: digits lost?"),
            None => format!("a drop of {share}: a rent, or another unit, instead of the price?"),
        }));
    }
    let rise = rise?;
    let fresh = at.ms() - rise.at.ms() <= TAKE_BACK_MS;
    // Within a twentieth of the price before the rise.
    let back = (i128::from(step.to.0) - i128::from(rise.from.0)).abs() * 20 <= i128::from(rise.from.0);
    let doubled = i128::from(rise.to.0) >= i128::from(rise.from.0) * 2;
    (fresh && doubled && back).then_some(Suspicion::TakesBack)
}

/// Whether the new price is a tenth, hundredth or thousandth of the old one, to within one percent.
fn power_of_ten(cut: PriceChange) -> Option<&'static str> {
    let names = [(10, "a tenth"), (100, "a hundredth"), (1_000, "a thousandth"), (10_000, "a ten-thousandth")];
    names.into_iter().find_map(|(factor, name)| {
        let scaled = i128::from(cut.to.0) * factor;
        let from = i128::from(cut.from.0);
        ((scaled - from).abs() * 100 <= from).then_some(name)
    })
}
