use serde::{Deserialize, Serialize};

use crate::area::Area;
use crate::listing::{Listing, PropertyType, Status};
use crate::money::Minor;
use crate::place::{Market, market_like, market_of};
use crate::time::Time;

/// How late an observation may come and still be put exactly in its place: 48 hours behind the newest
/// one seen of the same home.
pub const HORIZON_LATENESS_MS: i64 = 48 * Time::HOUR_MS;

/// Everything of a listing that enters the arithmetic. Two observations with equal facts tell of one
/// unbroken stretch.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct Facts {
    /// Where the home is counted.
    pub market: Market,
    /// `StandardStatus`.
    pub status: Status,
    /// `ListPrice`.
    pub list_price: Option<Minor>,
    /// `OriginalListPrice`, where the source tells it.
    pub original_list_price: Option<Minor>,
    /// Kind of home.
    pub property_type: Option<PropertyType>,
    /// Bedrooms.
    pub bedrooms: Option<u8>,
    /// Living area.
    pub living_area: Option<Area>,
}

/// One kept observation: at this time, these facts (an index into the history's table).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Point {
    /// When.
    pub at: Time,
    facts: u16,
}

/// What is known of a home over time: a pure function of the set of its observations.
///
/// Points are sorted by time, ties broken by content. Inside the lateness horizon every observation's
/// time is kept, so that a late one can still split a stretch where it belongs; behind it a stretch
/// keeps only its two ends.
///
/// ```
/// use stoop_domain::{Applied, Currency, Facts, History, Listing, Minor, Place, Purpose, Time};
/// let place = Place { city: Some("Agadir".into()), country: Some("MA".into()), ..Place::default() };
/// let mut listing = Listing::new(Purpose::Sale, Currency::MAD, place);
/// let mut at_price = |minor| {
///     listing.list_price = Some(Minor(minor));
///     Facts::of(&listing).unwrap()
/// };
/// let (a, b) = (at_price(100), at_price(90));
/// let mut history = History::default();
/// history.apply(Time::from_ms(1), &a, None);
/// history.apply(Time::from_ms(3), &a, None);
/// assert_eq!(history.apply(Time::from_ms(2), &b, None), Applied::Changed);
/// assert_eq!(history.runs().count(), 3); // A, B, A
/// ```
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct History {
    /// Distinct facts, in the order in which `points` first uses them.
    facts: Vec<Facts>,
    points: Vec<Point>,
    /// The earliest time that any observation gave for the listing's beginning.
    listed_at: Option<Time>,
}

/// A stretch of time over which a home's facts stayed equal.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Run<'a> {
    /// What held.
    pub facts: &'a Facts,
    /// When it was first seen so.
    pub first: Time,
    /// When it was last seen so.
    pub last: Time,
}

/// What became of one observation.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Applied {
    /// The first observation of this home.
    New,
    /// What is read from the history moved: a stretch began, was split, or is now known to have begun earlier.
    Changed,
    /// It confirmed a stretch at another time; nothing that is read from the history moved.
    Unchanged,
    /// It was known already.
    Duplicate,
    /// It came later than the horizon and was left out: the lake keeps it for a recomputation.
    Stale,
}

impl Facts {
    /// The facts of a listing; `None` where it lies in no market.
    #[must_use]
    pub fn of(listing: &Listing) -> Option<Self> {
        Some(Self::in_market(listing, market_of(listing)?))
    }

    /// [`Facts::of`], quicker where the listing is like what is `known` of its home.
    pub(crate) fn like(listing: &Listing, known: Option<&Self>) -> Option<Self> {
        match known {
            Some(known) => Some(Self::in_market(listing, market_like(listing, &known.market)?)),
            None => Self::of(listing),
        }
    }

    fn in_market(listing: &Listing, market: Market) -> Self {
        Self {
            market,
            status: listing.status,
            list_price: listing.list_price,
            original_list_price: listing.original_list_price,
            property_type: listing.property_type,
            bedrooms: listing.bedrooms,
            living_area: listing.living_area,
        }
    }
}

impl History {
    /// Takes up one observation.
    pub fn apply(&mut self, at: Time, facts: &Facts, listed_at: Option<Time>) -> Applied {
        let Some(newest) = self.points.last().map(|point| point.at) else {
            self.facts.push(facts.clone());
            self.points.push(Point { at, facts: 0 });
            self.listed_at = listed_at;
            return Applied::New;
        };
        if at < newest.plus_ms(-HORIZON_LATENESS_MS) {
            return if self.covers(at, facts) { Applied::Duplicate } else { Applied::Stale };
        }
        let earliest = match (self.listed_at, listed_at) {
            (Some(a), Some(b)) => Some(a.min(b)),
            (a, b) => a.or(b),
        };
        let opened_earlier = self.listed_at != earliest;
        self.listed_at = earliest;
        let place = match self.points.binary_search_by(|p| p.at.cmp(&at).then_with(|| self.facts_at(*p).cmp(facts))) {
            Ok(_) if opened_earlier => return Applied::Changed,
            Ok(_) => return Applied::Duplicate,
            Err(place) => place,
        };
        // Most observations say what the last one said.
        let known = self.facts.iter().rposition(|f| f == facts);
        let confirms = place > 0 && known == Some(usize::from(self.points[place - 1].facts));
        let index = known.unwrap_or_else(|| {
            self.facts.push(facts.clone());
            self.facts.len() - 1
        });
        let at_end = place == self.points.len();
        self.points.insert(place, Point { at, facts: u16::try_from(index).unwrap_or(u16::MAX) });
        if at_end {
            self.compact(newest);
        } else {
            self.order_facts();
        }
        if confirms && !opened_earlier { Applied::Unchanged } else { Applied::Changed }
    }

    /// The stretches of equal facts, oldest first.
    pub fn runs(&self) -> impl Iterator<Item = Run<'_>> {
        self.points.chunk_by(|a, b| a.facts == b.facts).map(|points| Run {
            facts: self.facts_at(points[0]),
            first: points[0].at,
            last: points[points.len() - 1].at,
        })
    }

    /// The newest facts; `None` only for a history without observations.
    #[must_use]
    pub fn current(&self) -> Option<&Facts> {
        self.points.last().map(|point| self.facts_at(*point))
    }

    /// When the home was first and last seen.
    #[must_use]
    pub fn seen(&self) -> Option<(Time, Time)> {
        Some((self.points.first()?.at, self.points.last()?.at))
    }

    /// The earliest time that any observation gave for the listing's beginning.
    #[must_use]
    pub fn listed_at(&self) -> Option<Time> {
        self.listed_at
    }

    /// How many observations are kept, for bounds on size.
    #[must_use]
    pub fn points_kept(&self) -> usize {
        self.points.len()
    }

    fn facts_at(&self, point: Point) -> &Facts {
        &self.facts[usize::from(point.facts)]
    }

    /// Whether a stretch with these facts spans `at`: then an observation there tells nothing new.
    fn covers(&self, at: Time, facts: &Facts) -> bool {
        self.runs().any(|run| run.first <= at && at <= run.last && run.facts == facts)
    }

    /// Drops what is inside a stretch and wholly behind the horizon. `newest_before` is the newest time
    /// before the last point was added: what lay behind its horizon is compact already.
    ///
    /// A point goes when both neighbours have its facts and the later one lies behind the horizon too.
    /// Nothing is ever inserted there, so the outcome does not depend on when this runs.
    fn compact(&mut self, newest_before: Time) {
        let Some(newest) = self.points.last().map(|point| point.at) else { return };
        let behind = |newest: Time| {
            let horizon = newest.plus_ms(-HORIZON_LATENESS_MS);
            self.points.partition_point(|p| p.at < horizon)
        };
        let end = behind(newest);
        let start = behind(newest_before).saturating_sub(1).max(1);
        if end < start + 2 {
            return;
        }
        let mut kept = start;
        for i in start..self.points.len() {
            let point = self.points[i];
            let inside =
                i + 1 < end && self.points[kept - 1].facts == point.facts && self.points[i + 1].facts == point.facts;
            if !inside {
                self.points[kept] = point;
                kept += 1;
            }
        }
        self.points.truncate(kept);
    }

    /// Puts the table of facts in the order of first use, so that equal histories are equal bit by bit.
    fn order_facts(&mut self) {
        let mut order: Vec<u16> = Vec::with_capacity(self.facts.len());
        for point in &mut self.points {
            let place = order.iter().position(|f| *f == point.facts).unwrap_or_else(|| {
                order.push(point.facts);
                order.len() - 1
            });
            point.facts = u16::try_from(place).unwrap_or(u16::MAX);
        }
        if order.iter().enumerate().any(|(i, f)| usize::from(*f) != i) {
            self.facts = order.iter().map(|f| self.facts[usize::from(*f)].clone()).collect();
        }
    }
}
