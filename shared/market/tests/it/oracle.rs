//! Computes the events of homes from the definitions of the figures, by plain loops over their intervals. Shares no
//! code with the tested crate.

pub(crate) mod again;
pub(crate) mod deals;
mod doubt;
mod sold;
pub(crate) mod stays;

use std::collections::{BTreeMap, BTreeSet};

use jiff::tz::TimeZone;
use stoop_domain::{Market, PropertyType, Status, Time, Watch};

use crate::support::{MadeSighting, State};
use doubt::{is_doubtful, price_before};
use sold::sale_of;

const DAY: i64 = 86_400_000;

/// An interval of a home: its beginning, its state, and the last listing date in it.
#[derive(Clone, Debug)]
pub(crate) struct Interval {
    pub(crate) at: i64,
    pub(crate) state: State,
    pub(crate) listed: Option<i64>,
    pub(crate) initial: bool,
    /// The UTC days with a sighting.
    pub(crate) days: BTreeSet<i64>,
    /// All sightings.
    pub(crate) seen: Vec<i64>,
    /// The watch of the last sighting.
    pub(crate) watch: Watch,
    /// Whether the home is off the market because it expired.
    pub(crate) expired: bool,
}

/// How a home enters or leaves a cell at the end of an interval, or an event without an effect on stock.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum What {
    Initial,
    New,
    Relisted,
    BackOnMarket,
    MovedIn,
    Pending,
    Closed,
    Gone,
    MovedOut,
    Expired,
    Cut,
    Rise,
    Sold,
}

/// A part of a market.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Part {
    All,
    Type(Option<PropertyType>),
    Bedrooms(Option<u8>),
    Both(Option<PropertyType>, Option<u8>),
}

/// An event, in every part in which it counts.
#[derive(Clone, Debug)]
pub(crate) struct OracleEvent {
    pub(crate) market: Market,
    pub(crate) parts: Vec<Part>,
    pub(crate) day: i32,
    /// The UTC hour; `None` for a sale that its source dates to another day.
    pub(crate) hour: Option<i64>,
    pub(crate) what: What,
    /// The interval that begins with it.
    pub(crate) interval: usize,
}

/// A home on offer at the close of a day.
#[derive(Clone, Debug)]
pub(crate) struct OnOffer {
    pub(crate) price: Option<i64>,
    pub(crate) square_metres: Option<f64>,
    pub(crate) opened_day: i32,
    pub(crate) first_price: Option<i64>,
    pub(crate) unconfirmed: bool,
}

pub(crate) fn day_of(ms: i64, zone: &TimeZone) -> i32 {
    let date = jiff::Timestamp::from_millisecond(ms).unwrap().to_zoned(zone.clone()).date();
    (date - jiff::civil::date(1970, 1, 1)).get_days()
}

pub(crate) fn parts_of(state: &State) -> [Part; 4] {
    let (kind, bedrooms) = (state.kind, state.bedrooms.map(|n| n.min(10)));
    [Part::All, Part::Type(kind), Part::Bedrooms(bedrooms), Part::Both(kind, bedrooms)]
}

/// The intervals of what was seen: equal neighbours are merged. In between and at the end, a home on the market that is
/// not seen for more than thirty UTC days expires, if its last sighting is watched in that way.
pub(crate) fn intervals(seen: &[MadeSighting]) -> Vec<Interval> {
    let mut intervals: Vec<Interval> = Vec::new();
    let Some(watch) = seen.last().map(|last| last.watch) else { return intervals };
    for MadeSighting { at, state, listed, initial, .. } in seen {
        expire(&mut intervals, Some(*at));
        let listed = listed.filter(|date| (631_152_000_000..=*at).contains(date));
        let day = at.div_euclid(DAY);
        match intervals.last_mut() {
            Some(last) if last.state == *state && !last.expired => {
                last.listed = listed.or(last.listed);
                last.days.insert(day);
                last.seen.push(*at);
            }
            _ => {
                let (state, days, seen) = (state.clone(), BTreeSet::from([day]), vec![*at]);
                intervals.push(Interval {
                    at: *at,
                    state,
                    listed,
                    initial: *initial,
                    days,
                    seen,
                    watch,
                    expired: false,
                });
            }
        }
    }
    expire(&mut intervals, None);
    intervals
}

fn expire(intervals: &mut Vec<Interval>, next: Option<i64>) {
    let Some(last) = intervals.last().filter(|last| last.watch == Watch::Repeated && is_on_market(&last.state)) else {
        return;
    };
    let day = last.seen.last().unwrap().div_euclid(DAY);
    if next.is_none_or(|next| next.div_euclid(DAY) - day > 30) {
        let state = State { status: Status::Withdrawn, price: None, original: None, ..last.state.clone() };
        let (at, days, seen) = ((day + 31) * DAY, BTreeSet::new(), Vec::new());
        intervals.push(Interval {
            at,
            state,
            listed: None,
            initial: false,
            days,
            seen,
            expired: true,
            watch: last.watch,
        });
    }
}

/// Whether a home in this interval is unconfirmed at the close of a day of its market.
fn is_unconfirmed(interval: &Interval, day: i32, zone: &TimeZone) -> bool {
    let age = match interval.watch {
        Watch::Once => return false,
        Watch::Repeated => 7,
        Watch::Complete => 23,
    };
    let last = interval.seen.iter().filter(|at| day_of(**at, zone) <= day).max().unwrap();
    day_of((last.div_euclid(DAY) + age + 1) * DAY, zone) <= day
}

fn is_active(state: &State) -> bool {
    state.status == Status::Active
}

fn is_under_contract(state: &State) -> bool {
    matches!(state.status, Status::Pending | Status::ActiveUnderContract)
}

fn is_on_market(state: &State) -> bool {
    is_active(state) || is_under_contract(state)
}

fn is_before(state: &State) -> bool {
    matches!(state.status, Status::ComingSoon | Status::Incomplete)
}

fn is_sold(state: &State) -> bool {
    state.status == Status::Closed
}

fn is_off(state: &State) -> bool {
    !is_on_market(state) && !is_before(state) && !is_sold(state)
}

fn same_terms(a: &State, b: &State) -> bool {
    a.rent == b.rent && a.currency == b.currency
}

/// The first interval of the life that contains interval `i`. A sale or a change of terms ends a life.
fn life_of(intervals: &[Interval], i: usize) -> usize {
    let ends = |j: usize| is_sold(&intervals[j - 1].state) || !same_terms(&intervals[j - 1].state, &intervals[j].state);
    (1..=i).rev().find(|j| ends(*j)).unwrap_or(0)
}

/// The times off the market between intervals `from` and `until`. Coming soon counts as off the market for a home that
/// has been on it or off it.
fn times_off(intervals: &[Interval], from: usize, until: usize) -> Vec<i64> {
    let mut times = Vec::new();
    let mut left: Option<i64> = None;
    let mut was_on_market = false;
    for interval in &intervals[from..=until] {
        if is_on_market(&interval.state) {
            was_on_market = true;
            times.extend(left.take().map(|left| interval.at - left));
        } else if left.is_none() && (is_off(&interval.state) || is_before(&interval.state) && was_on_market) {
            left = Some(interval.at);
        }
    }
    times
}

/// The first interval of the spell that contains interval `i`, on the market or off it, if there is one.
fn spell_of(intervals: &[Interval], i: usize) -> Option<usize> {
    let life = life_of(intervals, i);
    let mut first = None;
    for j in life..=i {
        if is_on_market(&intervals[j].state) {
            let known = if j > life { times_off(intervals, life, j - 1).len() } else { 0 };
            let away = times_off(intervals, life, j).get(known).copied().unwrap_or(0);
            if first.is_none() || away > 90 * DAY {
                first = Some(j);
            }
        }
    }
    first
}

fn entry(intervals: &[Interval], i: usize) -> What {
    let life = life_of(intervals, i);
    let last_active = (life..i).rev().find(|j| is_active(&intervals[*j].state));
    if i == 0 {
        let was_there = intervals[0].initial || intervals[0].at - opened(intervals, 0) > 7 * DAY;
        return if was_there { What::Initial } else { What::New };
    }
    let known = last_active.is_some() || life == 0 && !is_before(&intervals[0].state) && !is_sold(&intervals[0].state);
    if !known {
        return What::New;
    }
    let mut what = What::BackOnMarket;
    for away in times_off(intervals, last_active.unwrap_or(life), i) {
        if away > 365 * DAY {
            return What::New;
        }
        if away > 90 * DAY {
            what = What::Relisted;
        }
    }
    what
}

/// When the spell of interval `i` opened.
fn opened(intervals: &[Interval], i: usize) -> i64 {
    let Some(first) = spell_of(intervals, i) else { return intervals[i].at };
    let of_spell = (first..intervals.len()).take_while(|j| {
        !is_sold(&intervals[*j].state)
            && life_of(intervals, *j) == life_of(intervals, i)
            && spell_of(intervals, *j) == Some(first)
    });
    let listed_at = of_spell.filter_map(|j| intervals[j].listed).last();
    let began = intervals[first].at;
    listed_at.filter(|date| *date <= began && (first == 0 || *date > intervals[first - 1].at)).unwrap_or(began)
}

fn first_price(intervals: &[Interval], i: usize) -> Option<i64> {
    let first = spell_of(intervals, i)?;
    let asked = || (first..=i).filter(|j| is_on_market(&intervals[*j].state));
    let known = |j: usize| intervals[j].state.price.filter(|_| !is_doubtful(intervals, j));
    asked().rev().find_map(|j| intervals[j].state.original).or_else(|| asked().find_map(known))
}

/// Every event of a home.
pub(crate) fn happened(intervals: &[Interval]) -> Vec<OracleEvent> {
    let mut all = Vec::new();
    for (i, Interval { at, state, .. }) in intervals.iter().enumerate() {
        let mut tell = |state: &State, parts: Vec<Part>, what: What| {
            let market = state.market();
            let day = day_of(*at, &market.area.country().zone);
            all.push(OracleEvent { market, parts, day, hour: Some(at.div_euclid(3_600_000)), what, interval: i });
        };
        let before = i.checked_sub(1).map(|before| &intervals[before].state);
        let left = before.filter(|before| is_active(before));
        let stays = left.filter(|before| is_active(state) && same_terms(before, state));
        if let Some(before) = stays {
            if before.market() == state.market() {
                let (old, new) = (parts_of(before), parts_of(state));
                tell(before, old.into_iter().filter(|part| !new.contains(part)).collect(), What::MovedOut);
                tell(state, new.into_iter().filter(|part| !old.contains(part)).collect(), What::MovedIn);
            } else {
                tell(before, parts_of(before).to_vec(), What::MovedOut);
                tell(state, parts_of(state).to_vec(), What::MovedIn);
            }
        } else {
            if let Some(before) = left {
                let what = match state {
                    _ if intervals[i].expired => What::Expired,
                    state if is_under_contract(state) => What::Pending,
                    state if is_sold(state) => What::Closed,
                    _ => What::Gone,
                };
                tell(before, parts_of(before).to_vec(), what);
            }
            if is_active(state) {
                tell(state, parts_of(state).to_vec(), entry(intervals, i));
            }
        }
        if let (true, Some(price), Some(before)) = (is_on_market(state), state.price, price_before(intervals, i))
            && price != before
            && !is_doubtful(intervals, i)
        {
            tell(state, parts_of(state).to_vec(), if price < before { What::Cut } else { What::Rise });
        }
        if let Some(sale) = sale_of(intervals, i) {
            let market = state.market();
            let seen_on = day_of(*at, &market.area.country().zone);
            let day = sale.day.unwrap_or(seen_on);
            let hour = (day == seen_on).then(|| at.div_euclid(3_600_000));
            all.push(OracleEvent { market, parts: parts_of(state).to_vec(), day, hour, what: What::Sold, interval: i });
        }
    }
    all
}

/// The homes on offer in a part of a market at the close of a day.
pub(crate) fn on_offer(homes: &[Vec<Interval>], market: &Market, part: Part, day: i32) -> Vec<OnOffer> {
    let zone = market.area.country().zone;
    let mut found = Vec::new();
    for intervals in homes {
        let Some(i) = intervals.iter().rposition(|interval| day_of(interval.at, &zone) <= day) else { continue };
        let state = &intervals[i].state;
        if is_active(state) && state.market() == *market && parts_of(state).contains(&part) {
            found.push(OnOffer {
                price: state.price.filter(|_| !is_doubtful(intervals, i)),
                square_metres: state.square_metres(),
                opened_day: day_of(opened(intervals, i), &zone),
                first_price: first_price(intervals, i),
                unconfirmed: is_unconfirmed(&intervals[i], day, &zone),
            });
        }
    }
    found
}

/// The number of homes under contract in a part of a market at the close of a day.
pub(crate) fn pending_stock(homes: &[Vec<Interval>], market: &Market, part: Part, day: i32) -> usize {
    let zone = market.area.country().zone;
    let last = homes.iter().filter_map(|home| home.iter().rfind(|interval| day_of(interval.at, &zone) <= day));
    let states = last.map(|interval| &interval.state);
    states.filter(|it| is_under_contract(it) && it.market() == *market && parts_of(it).contains(&part)).count()
}

/// The number of events of each kind in a part of a market, by day.
pub(crate) fn by_day(all: &[OracleEvent], market: &Market, part: Part) -> BTreeMap<i32, BTreeMap<What, i64>> {
    let mut days: BTreeMap<i32, BTreeMap<What, i64>> = BTreeMap::new();
    for one in all.iter().filter(|one| one.market == *market && one.parts.contains(&part)) {
        *days.entry(one.day).or_default().entry(one.what).or_default() += 1;
    }
    days
}

/// The quantile of plain numbers, as in R and `NumPy`.
#[expect(clippy::cast_precision_loss, clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "few homes")]
pub(crate) fn quantile(mut values: Vec<f64>, q: f64) -> Option<f64> {
    values.sort_by(f64::total_cmp);
    let rank = values.len().checked_sub(1)? as f64 * q;
    let (low, high) = (values[rank.floor() as usize], values[rank.ceil() as usize]);
    Some(low + (high - low) * rank.fract())
}

/// Noon of a day in a zone.
pub(crate) fn noon(day: i32, zone: &TimeZone) -> Time {
    let date = jiff::civil::date(1970, 1, 1) + jiff::Span::new().days(day);
    let noon = date.at(12, 0, 0, 0).to_zoned(zone.clone()).unwrap();
    Time::from_ms(noon.timestamp().as_millisecond())
}
