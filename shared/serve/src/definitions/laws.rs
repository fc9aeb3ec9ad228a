//! The sums of random lives against plain loops over days. Homes are seen at midnight in Lisbon, which in winter is that
//! of UTC, so that each day has one state.

use proptest::prelude::*;
use stoop_domain::{Address, Facts, Listing, Minor, Purpose, Sighting, Status, Time, market_of};
use stoop_domain::{Currency, Day, History};

use super::*;

/// The state of a home on a day: its status and price.
type State = (Status, Option<i64>);

/// 2025-09-20: lives begin then or later.
const FIRST: i32 = 20_351;

/// January 2026.
const FROM: i32 = 20_454;
const UNTIL: i32 = 20_484;

/// From the first day to some weeks after January.
const DAYS: usize = 150;

fn listing(state: State) -> Listing {
    let text = |text: &str| Some(text.to_owned());
    let address = Address { neighbourhood: text("Alfama"), country: text("PT"), ..Address::default() };
    let mut listing = Listing::new(Purpose::Sale, Currency::EUR, address);
    listing.status = state.0;
    listing.list_price = state.1.map(|price| Minor(price * 100_000));
    listing
}

fn state() -> impl Strategy<Value = State> {
    let price = || prop::sample::select(vec![Some(400), Some(450), Some(500), None]);
    prop_oneof![
        5 => price().prop_map(|price| (Status::Active, price)),
        3 => price().prop_map(|price| (Status::Pending, price)),
        2 => Just((Status::Withdrawn, None)),
        1 => Just((Status::Closed, None)),
    ]
}

/// One state a day, `None` before the first sighting: short and long intervals.
fn life() -> impl Strategy<Value = Vec<Option<State>>> {
    let span = prop_oneof![3 => 1_usize..12, 1 => 80_usize..110];
    (0_usize..130, prop::collection::vec((state(), span), 1..16)).prop_map(|(first, spans)| {
        let mut days = vec![None; first];
        for (state, span) in spans {
            days.extend(std::iter::repeat_n(Some(state), span));
        }
        let last = days.last().copied().flatten();
        days.resize(DAYS, last);
        days
    })
}

fn history(days: &[Option<State>]) -> History {
    let mut history = History::default();
    for (index, state) in days.iter().enumerate() {
        let Some(state) = state else { continue };
        let at = Time::from_ms((i64::from(FIRST) + i64::try_from(index).unwrap()) * Time::DAY_MS);
        history.apply(Sighting::at(at), &Facts::of(&listing(*state)).unwrap(), None);
    }
    history
}

/// On each day the index of the day on which the spell opened.
fn opened(days: &[Option<State>]) -> Vec<Option<usize>> {
    let (mut spell, mut off_since) = (None, None);
    let mut opened = Vec::new();
    for (day, state) in days.iter().enumerate() {
        match state.map(|(status, _)| status) {
            Some(Status::Active | Status::Pending) => {
                if off_since.is_some_and(|since| day - since > 90) {
                    spell = None;
                }
                off_since = None;
                spell = spell.or(Some(day));
            }
            Some(Status::Withdrawn) => off_since = off_since.or(Some(day)),
            Some(_) => (spell, off_since) = (None, None),
            None => {}
        }
        opened.push(spell);
    }
    opened
}

fn plain(days: &[Option<State>]) -> Tally {
    let (from, until) = ((FROM - FIRST) as usize, (UNTIL - FIRST) as usize);
    let is = |day: usize, status: Status| days[day].is_some_and(|(it, _)| it == status);
    let on = |status: Status| (from..=until).filter(|day| is(*day, status)).count();
    let price = |day: usize| {
        let offered = days[day].filter(|(status, _)| matches!(status, Status::Active | Status::Pending));
        offered.and_then(|(_, price)| price)
    };
    let opened = opened(days);
    let went: Vec<usize> =
        (from..=until).filter(|day| is(*day, Status::Pending) && is(day - 1, Status::Active)).collect();
    let mut asked: Option<(usize, i64)> = None;
    let mut cut = false;
    for (day, spell) in opened.iter().enumerate() {
        let (Some(spell), Some(price)) = (*spell, price(day)) else { continue };
        let before = asked.filter(|(of, _)| *of == spell).map(|(_, price)| price);
        cut |= (from..=until).contains(&day) && before.is_some_and(|before| price < before);
        asked = Some((spell, price));
    }
    let active = on(Status::Active) > 0;
    let listed = (0..days.len())
        .any(|day| is(day, Status::Active) && opened[day].is_some_and(|opened| (from..=until).contains(&opened)));
    let lower = price(from - 1).zip(price(until)).is_some_and(|(before, end)| end < before);
    let count = |is: bool| i64::from(is);
    Tally {
        days: 31,
        active: count(active),
        active_at_end: count(is(until, Status::Active)),
        active_days: i64::try_from(on(Status::Active)).unwrap(),
        pending_days: i64::try_from(on(Status::Pending)).unwrap(),
        listed: count(listed),
        pending: count(!went.is_empty()),
        pending_early: count(went.iter().any(|day| day - opened[*day].unwrap() <= 90)),
        cut: count(cut),
        cut_and_active: count(cut && active),
        lower: count(active && lower),
    }
}

#[test]
fn the_days_are_those_of_january() {
    assert_eq!([FIRST, FROM, UNTIL].map(|day| Day(day).to_string()), ["2025-09-20", "2026-01-01", "2026-01-31"]);
}

proptest! {
    #[test]
    fn a_home_counts_as_by_plain_loops_over_days(days in life()) {
        let market = market_of(&listing((Status::Active, None))).unwrap();
        let markets = [market];
        let mut tallies = Tallies::new(&markets, Period { from: Day(FROM), until: Day(UNTIL) });
        tallies.add(&history(&days));
        prop_assert_eq!(tallies.sums().into_values().next().unwrap(), plain(&days));
    }
}
