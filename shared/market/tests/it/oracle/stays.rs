//! How long homes stay: Kaplan and Meier's estimate in exact fractions.

use super::deals::Event;
use super::*;

/// The homes on offer from an entry to an exit, in days since their spell opened.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Stay {
    opened_day: i32,
    entered: i32,
    left: Option<(i32, What)>,
}

/// The share of homes that are left after each age from 0 on, as numerator and denominator.
pub(crate) type Curve = Vec<(i128, i128)>;

/// The stays in a part of a market of homes listed in the 90 days up to `today`, from their events there.
pub(crate) fn stays(events: &[&Event], today: i32) -> Vec<Stay> {
    let mut stays: BTreeMap<usize, Vec<Stay>> = BTreeMap::new();
    for event in events.iter().filter(|event| event.happened.day <= today) {
        let of_home = stays.entry(event.home).or_default();
        match event.happened.what {
            What::Initial | What::New | What::Relisted | What::BackOnMarket | What::MovedIn => {
                of_home.push(Stay { opened_day: event.opened_day, entered: event.age(), left: None });
            }
            what @ (What::Pending | What::Closed | What::Gone | What::Expired | What::MovedOut) => {
                let stay = of_home.last_mut().unwrap();
                assert!(stay.left.is_none() && stay.opened_day == event.opened_day, "{stay:?} {event:?}");
                stay.left = Some((event.age(), what));
            }
            What::Cut | What::Rise | What::Sold => {}
        }
    }
    stays.into_values().flatten().filter(|stay| (today - 89..=today).contains(&stay.opened_day)).collect()
}

/// The estimate for these events, until the first age at which no home is at risk.
pub(crate) fn curve(stays: &[Stay], today: i32, is_event: fn(What) -> bool) -> Curve {
    let mut curve = Curve::new();
    let mut left = (1, 1);
    for age in 0.. {
        let leaves = |stay: &Stay| stay.left.map_or(today - stay.opened_day, |(age, _)| age);
        let at_risk = stays.iter().filter(|stay| stay.entered <= age && leaves(stay) >= age).count() as i128;
        if at_risk == 0 {
            break;
        }
        let happens = |stay: &&Stay| stay.left.is_some_and(|(at, what)| at == age && is_event(what));
        let stay = at_risk - stays.iter().filter(happens).count() as i128;
        left = (left.0 * stay, left.1 * at_risk);
        let divisor = (1..=at_risk).rev().find(|n| left.0 % n == 0 && left.1 % n == 0).unwrap_or(1);
        left = (left.0 / divisor, left.1 / divisor);
        curve.push(left);
    }
    curve
}

/// The first age by which at least half of the homes left.
pub(crate) fn median(curve: &Curve) -> Option<f64> {
    curve.iter().position(|(left, all)| 2 * left <= *all).map(|age| age as f64)
}

/// The share that left within this many days: known as far as the curve goes, or if all left before.
#[expect(clippy::cast_precision_loss, reason = "few homes")]
pub(crate) fn left_within(curve: &Curve, days: usize) -> Option<f64> {
    let (left, all) = curve.get(days).or(curve.last().filter(|(left, _)| *left == 0))?;
    Some((all - left) as f64 / *all as f64)
}
