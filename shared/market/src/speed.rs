//! How fast homes leave the market: Kaplan and Meier's estimate ("Nonparametric estimation from incomplete
//! observations", *Journal of the American Statistical Association* 53, 1958), with late entries.

use std::collections::BTreeMap;

use stoop_domain::Day;

use crate::flows::Window;
use crate::interval::Z95;
use crate::kind::{CounterKind, Role};

/// The homes whose spell opened in the last 90 days, by days since then.
///
/// A home is at risk from the day on which it enters the stock, which is later than its opening if it was found later
/// or comes back, to the day on which it leaves or to today. A home that leaves in another way than by the event is
/// censored.
#[derive(Clone, Debug)]
pub(crate) struct Stays {
    today: i32,
    ages: BTreeMap<i32, AtAge>,
}

/// How fast these homes leave.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Speed {
    /// The number of stays in the stock: a home that comes back counts again.
    pub(crate) stays: i64,
    /// Until they are under contract or sold.
    pub(crate) under_contract: Curve,
    /// Until they are under contract, sold or off the market.
    pub(crate) off_market: Curve,
}

/// What happened to homes of one age, in days since the opening of the spell.
#[derive(Clone, Copy, Debug, Default)]
struct AtAge {
    entered: i64,
    under_contract: i64,
    off_market: i64,
    /// Left for another market or cell, or expired.
    censored: i64,
    /// Entries less exits of the homes that are this old today.
    active: i64,
}

/// The share of homes that are still there, by age; constant between its steps.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Curve {
    /// Ages with an event, the share left after it, and Greenwood's sum: events / (at risk * (at risk - events)).
    steps: Vec<(i32, f64, f64)>,
    /// The last age at which homes were at risk.
    last: i32,
}

/// A product of shares that is a half may be rounded to a little more.
const HALF: f64 = 0.5 + 1e-9;

impl Stays {
    pub(crate) fn new(today: Day) -> Self {
        Self { today: today.0, ages: BTreeMap::new() }
    }

    /// Adds homes that enter or leave the stock on a day, this many days after their spell opened; `value` is negative
    /// for those that leave.
    pub(crate) fn add(&mut self, kind: CounterKind, day: i32, age: i32, value: i64) {
        let opened = day.saturating_sub(age);
        // A spell that opens in the future has a date from another time zone: it opens when the home is seen.
        let age = age.max(0);
        if opened <= self.today - Window::Days90.span() {
            return;
        }
        let at = self.ages.entry(age).or_default();
        match kind {
            _ if kind.role() == Role::Entry => at.entered += value,
            CounterKind::Pending | CounterKind::Closed => at.under_contract -= value,
            CounterKind::Gone => at.off_market -= value,
            _ => at.censored -= value,
        }
        self.ages.entry((self.today - opened).max(age)).or_default().active += value;
    }

    pub(crate) fn speed(&self) -> Speed {
        Speed {
            stays: self.ages.values().map(|at| at.entered).sum(),
            under_contract: self.curve(|at| at.under_contract),
            off_market: self.curve(|at| at.under_contract + at.off_market),
        }
    }

    /// The share of homes that are still there after each event, by age. Ends before the first age at which no home was
    /// at risk.
    #[expect(clippy::cast_precision_loss, reason = "counts of homes")]
    fn curve(&self, events: fn(&AtAge) -> i64) -> Curve {
        let mut curve = Curve { steps: Vec::new(), last: -1 };
        let (mut at_risk, mut share, mut sum) = (0, 1.0, 0.0);
        for age in 0..Window::Days90.span() {
            let at = self.ages.get(&age).copied().unwrap_or_default();
            at_risk += at.entered;
            if at_risk <= 0 {
                break;
            }
            let events = events(&at);
            if events > 0 {
                share *= 1.0 - events as f64 / at_risk as f64;
                sum += events as f64 / (at_risk as f64 * (at_risk - events) as f64);
                curve.steps.push((age, share, sum));
            }
            curve.last = age;
            at_risk -= at.under_contract + at.off_market + at.censored + at.active;
        }
        curve
    }
}

impl Curve {
    /// The share (0 to 1) of homes that left within this many days; `None` if too few days were observed.
    pub(crate) fn left_within(&self, days: i32) -> Option<f64> {
        let left = self.steps.iter().take_while(|(age, ..)| *age <= days).last().map_or(1.0, |(_, share, _)| *share);
        (self.last >= days || left <= 0.0).then_some(1.0 - left)
    }

    /// The first day by which at least half of the homes left; `None` if more than half stay as long as was observed.
    pub(crate) fn median(&self) -> Option<f64> {
        self.steps.iter().find(|(_, share, _)| *share <= HALF).map(|(age, ..)| f64::from(*age))
    }

    /// The 95 % interval of [`Curve::left_within`]. `None` where no home or every home left: there the variance is
    /// unknown.
    pub(crate) fn interval(&self, days: i32) -> Option<[f64; 2]> {
        self.left_within(days)?;
        let (_, share, sum) = self.steps.iter().take_while(|(age, ..)| *age <= days).last()?;
        let [low, high] = survival_interval(*share, *sum)?;
        Some([1.0 - high, 1.0 - low])
    }

    /// The 95 % interval of [`Curve::median`]: the days on which the interval of the share left contains a half
    /// (Brookmeyer and Crowley, *Biometrics* 38, 1982). `None` if it does not begin before all homes left, or does not end
    /// while homes are observed.
    pub(crate) fn median_interval(&self) -> Option<[f64; 2]> {
        let first = |reaches: fn(f64, Option<[f64; 2]>) -> bool| {
            let mut steps = self.steps.iter();
            let (age, ..) = steps.find(|(_, share, sum)| reaches(*share, survival_interval(*share, *sum)))?;
            Some(f64::from(*age))
        };
        let begin = first(|_, interval| interval.is_some_and(|[low, _]| low <= HALF))?;
        let end = first(|share, interval| share <= 0.0 || interval.is_some_and(|[_, high]| high <= HALF))?;
        self.median()?;
        Some([begin, end])
    }
}

/// The 95 % interval of a share left, from Greenwood's sum, on the scale of ln(-ln), where it is nearly normal (Kalbfleisch
/// and Prentice, *The Statistical Analysis of Failure Time Data*, 2002, section 1.4). `None` if all or none are left.
fn survival_interval(share: f64, sum: f64) -> Option<[f64; 2]> {
    if !(share > 0.0 && share < 1.0 && sum.is_finite()) {
        return None;
    }
    let reach = (Z95 * sum.sqrt() / share.ln().abs()).exp();
    Some([share.powf(reach), share.powf(1.0 / reach)])
}

#[cfg(test)]
mod tests {
    use super::*;

    /// This many homes that enter on the day of their opening, of which one leaves on each day after.
    fn one_leaves_each_day(homes: i32) -> Speed {
        let mut stays = Stays::new(Day(89));
        stays.add(CounterKind::New, 0, 0, i64::from(homes));
        (1..=homes.min(89)).for_each(|age| stays.add(CounterKind::Pending, age, age, -1));
        stays.speed()
    }

    #[test]
    fn the_median_is_the_first_day_by_which_half_of_the_homes_left() {
        for homes in 1..=178 {
            let half = f64::from((homes + 1) / 2);
            assert_eq!(one_leaves_each_day(homes).under_contract.median(), Some(half), "of {homes} homes");
        }
        assert_eq!(one_leaves_each_day(179).under_contract.median(), None);
    }

    #[test]
    fn the_share_that_left_is_known_as_far_as_homes_were_at_risk() {
        let mut stays = Stays::new(Day(20));
        stays.add(CounterKind::New, 0, 0, 2);
        stays.add(CounterKind::Pending, 5, 5, -1);
        stays.add(CounterKind::MovedOut, 9, 9, -1);
        let curve = stays.speed().under_contract;
        let read = [4, 5, 9, 10].map(|days| curve.left_within(days));
        assert_eq!(read, [Some(0.0), Some(0.5), Some(0.5), None], "the last one is censored at 9 days");
        stays.add(CounterKind::MovedOut, 9, 9, 1);
        stays.add(CounterKind::Closed, 9, 9, -1);
        assert_eq!(stays.speed().under_contract.left_within(10), Some(1.0), "nobody is left");
    }

    #[test]
    fn a_home_is_at_risk_on_the_day_it_leaves_and_not_before_it_enters() {
        let mut stays = Stays::new(Day(20));
        stays.add(CounterKind::New, 0, 0, 1);
        stays.add(CounterKind::BackOnMarket, 6, 6, 1);
        stays.add(CounterKind::Gone, 6, 6, -1);
        let speed = stays.speed();
        assert_eq!((speed.stays, speed.under_contract.left_within(6)), (2, Some(0.0)));
        assert_eq!((speed.off_market.left_within(5), speed.off_market.left_within(6)), (Some(0.0), Some(0.5)));
    }

    /// The day on which the last homes leave ends an interval and cannot begin one: of a single home, or of homes that all
    /// leave on one day, chance is not known.
    #[test]
    fn a_median_of_homes_that_all_leave_on_one_day_has_no_interval() {
        for homes in [1, 2, 30] {
            let mut stays = Stays::new(Day(89));
            stays.add(CounterKind::New, 0, 0, homes);
            stays.add(CounterKind::Pending, 14, 14, -homes);
            let curve = stays.speed().under_contract;
            assert_eq!((curve.median(), curve.median_interval()), (Some(14.0), None), "of {homes} homes");
        }
        assert_eq!(one_leaves_each_day(2).under_contract.median_interval(), Some([1.0, 2.0]));
        assert_eq!(one_leaves_each_day(100).under_contract.median_interval(), Some([40.0, 60.0]));
    }

    #[test]
    fn homes_listed_ninety_days_ago_are_out() {
        let mut stays = Stays::new(Day(90));
        stays.add(CounterKind::New, 0, 0, 1);
        stays.add(CounterKind::New, 1, 0, 1);
        assert_eq!(stays.speed().stays, 1);
    }
}
