//! What the figures of sales, cuts and speed need of each event: the prices before it and the spell around it.

use super::doubt::is_possible;
use super::*;

/// An event of a home, with what came before it.
#[derive(Clone, Debug)]
pub(crate) struct Event {
    pub(crate) home: usize,
    pub(crate) happened: OracleEvent,
    /// The property type and bedrooms of the home.
    pub(crate) cell: Part,
    /// The day on which the spell opened: of the home that leaves, for an exit.
    pub(crate) opened_day: i32,
    /// The list price, unless it is doubtful.
    pub(crate) price: Option<i64>,
    /// For a cut, its share of the price before.
    pub(crate) cut: Option<f64>,
    /// For a cut, whether it is the first one of its spell.
    pub(crate) is_first_cut: bool,
    /// For a home that is relisted, whether it asks less than it last did.
    pub(crate) is_lower: bool,
    /// For a sale with a possible closing price.
    pub(crate) sale: Option<Sale>,
}

/// A sale with a possible closing price.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Sale {
    pub(crate) price: i64,
    pub(crate) square_metres: Option<f64>,
    /// Basis points of the last list price.
    pub(crate) to_list: Option<i64>,
    /// Basis points of the first list price of the spell.
    pub(crate) to_original: Option<i64>,
}

impl Event {
    /// Days since the spell opened.
    pub(crate) fn age(&self) -> i32 {
        (self.happened.day - self.opened_day).max(0)
    }
}

/// The events of all homes, each home's in order.
pub(crate) fn events(homes: &[Vec<Interval>]) -> Vec<Event> {
    homes.iter().enumerate().flat_map(|(home, intervals)| events_of(home, intervals)).collect()
}

#[expect(clippy::cast_precision_loss, reason = "prices are known to a thousandth")]
fn events_of(home: usize, intervals: &[Interval]) -> Vec<Event> {
    let all = happened(intervals);
    let sold: Vec<usize> = all.iter().filter(|one| one.what == What::Sold).map(|one| one.interval).collect();
    let mut cut_spells: BTreeSet<i64> = BTreeSet::new();
    let mut events = Vec::new();
    for happened in all {
        let (i, what) = (happened.interval, happened.what);
        let is_exit = matches!(what, What::Pending | What::Closed | What::Gone | What::Expired | What::MovedOut);
        let of_spell = opened(intervals, if is_exit { i - 1 } else { i });
        let price = intervals[i].state.price.filter(|_| !is_doubtful(intervals, i));
        let asked = last_asked(intervals, &sold, i);
        let cut = || Some(1.0 - price? as f64 / price_before(intervals, i)? as f64);
        events.push(Event {
            home,
            cell: parts_of(&intervals[if is_exit { i - 1 } else { i }].state)[3],
            opened_day: day_of(of_spell, &happened.market.area.country().zone),
            price,
            cut: if what == What::Cut { cut() } else { None },
            is_first_cut: what == What::Cut && cut_spells.insert(of_spell),
            is_lower: what == What::Relisted && price.zip(asked).is_some_and(|(price, asked)| price < asked),
            sale: if what == What::Sold { sale(intervals, &sold, i) } else { None },
            happened,
        });
    }
    events
}

/// The intervals before `i` and since the last sale in which the home was on the market on the same terms, latest first.
fn asked_before<'a>(intervals: &'a [Interval], sold: &[usize], i: usize) -> impl Iterator<Item = usize> + use<'a> {
    let since = sold.iter().copied().filter(|sale| *sale < i).max().unwrap_or(0);
    let on_terms = move |j: &usize| {
        let state = &intervals[*j].state;
        is_on_market(state) && same_terms(state, &intervals[i].state)
    };
    (since..i).rev().filter(on_terms)
}

/// The price that was last asked before interval `i`.
fn last_asked(intervals: &[Interval], sold: &[usize], i: usize) -> Option<i64> {
    let price = |j: usize| intervals[j].state.price.filter(|_| !is_doubtful(intervals, j));
    asked_before(intervals, sold, i).find_map(price)
}

fn sale(intervals: &[Interval], sold: &[usize], i: usize) -> Option<Sale> {
    let state = &intervals[i].state;
    let price = sale_of(intervals, i)?.price.filter(|price| is_possible(*price, state))?;
    let first = asked_before(intervals, sold, i).find_map(|j| first_price(intervals, j));
    let comparable = |asked: [Option<i64>; 2]| {
        let near = |asked: &i64| price < 4 * asked && *asked < 4 * price;
        asked.into_iter().flatten().find(near).map(|asked| basis_points(price, asked))
    };
    let to_list = comparable([last_asked(intervals, sold, i), state.price]);
    let to_original = comparable([first, state.original]);
    Some(Sale { price, square_metres: state.square_metres(), to_list, to_original })
}

/// Rounded to the nearest, but never to equality.
fn basis_points(price: i64, asked: i64) -> i64 {
    let (whole, rest) = (price * 10_000 / asked, price * 10_000 % asked);
    let nearest = if rest >= asked - rest { whole + 1 } else { whole };
    match price - asked {
        0 => 10_000,
        1.. => nearest.max(10_001),
        _ => nearest.min(9_999),
    }
}
