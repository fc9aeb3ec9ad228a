//! The timeline of a home that several listings show.

use crate::history::History;
use crate::interval::Interval;
use crate::status::Phase;
use crate::steps::{Step, steps_of};
use crate::time::Time;

/// For so long a listing that says pending is believed against one that says active. Most sales close by then.
const PENDING_BELIEVED_MS: i64 = 60 * Time::DAY_MS;

/// The steps of a home that several listings of one purpose show; a pure function of their histories, which are in the order
/// of their IDs. The steps of one listing are those of its history.
///
/// At each moment one listing speaks for the home: of those that say pending (for sixty days), else of those that say active, the
/// one that has said so for the longest; if none is on the market, the one that said so last. A sale silences every listing that
/// was on the market before it, until that listing leaves the market and comes back. So
/// a home leaves the market with its last listing, and two portals that show two prices never make a cut of them: only a
/// change by the listing that speaks is one. When another listing begins to speak that was on the market with the one before, its
/// price, its type and its rooms replace those before without an event ([`Interval::other_listing`]).
#[must_use]
pub fn resolved_steps<'a>(listings: &[&'a History]) -> Vec<Step<'a>> {
    if let [one] = listings {
        return one.steps();
    }
    let timelines: Vec<Vec<Statement<'a>>> =
        listings.iter().map(|listing| statements_of(listing.intervals())).collect();
    let mut moments: Vec<Time> = timelines.iter().flatten().flat_map(Statement::moments).collect();
    moments.sort_unstable();
    moments.dedup();
    let sales = sales(&timelines);
    let mut intervals: Vec<Interval<'a>> = Vec::new();
    let mut spoke: Option<(usize, usize)> = None;
    // The listing that offered the home last, and when it left the market; later than all, if it has not.
    let mut offered: Option<(usize, Time)> = None;
    for moment in moments {
        let speaks = speaker(&timelines, &sales, moment);
        if speaks == spoke {
            continue;
        }
        if let (Some((listing, interval)), Some(last)) = (spoke, intervals.last_mut()) {
            let statement = &timelines[listing][interval];
            last.end(moment);
            last.expires = statement
                .interval
                .expires
                .filter(|expires| *expires == moment && speaks.is_none_or(|(next, _)| next == listing));
        }
        if let Some((listing, at)) = speaks {
            // The last one that spoke on the market: an advert that came after it left is a new offer, and its price a change.
            let was_beside =
                |(before, left): (usize, Time)| before != listing && began_before(&timelines[listing], left);
            let mut other_listing = offered.is_some_and(was_beside);
            // Intervals that begin and end at this moment are steps, too.
            let earliest = spoke.filter(|(before, _)| *before == listing).map_or(0, |(_, before)| before + 1);
            let at_once = (earliest..at).filter(|at| timelines[listing][*at].interval.first == moment);
            for at in at_once.chain([at]) {
                let statement = &timelines[listing][at];
                let mut interval = Interval {
                    other_listing,
                    first: statement.interval.first.max(moment),
                    ..statement.interval.clone()
                };
                interval.last = interval.last.max(interval.first);
                interval.unconfirmed.retain_mut(|unconfirmed| {
                    unconfirmed.from = unconfirmed.from.max(interval.first);
                    unconfirmed.until.is_none_or(|until| unconfirmed.from < until)
                });
                intervals.push(interval);
                other_listing = false;
            }
        }
        let is_offered = |(listing, at): (usize, usize)| timelines[listing][at].is_offered();
        match (spoke.filter(|it| is_offered(*it)), speaks.filter(|it| is_offered(*it))) {
            (_, Some((listing, _))) => offered = Some((listing, Time::from_ms(i64::MAX))),
            (Some((listing, _)), None) => offered = Some((listing, moment)),
            (None, None) => {}
        }
        spoke = speaks;
    }
    steps_of(intervals)
}

/// The listing that speaks for the home at a moment ([`resolved_steps`]), by its position. `None` if none has said anything by
/// then, or all have expired.
#[must_use]
pub fn speaks_at(listings: &[&History], moment: Time) -> Option<usize> {
    let timelines: Vec<Vec<Statement<'_>>> =
        listings.iter().map(|listing| statements_of(listing.intervals())).collect();
    speaker(&timelines, &sales(&timelines), moment).map(|(listing, _)| listing)
}

/// What a listing says in one of its intervals, and until when.
struct Statement<'a> {
    interval: Interval<'a>,
    until: Option<Time>,
    /// Since when the listing has said the same phase without a break.
    since: Time,
    /// Since when it has been on the market without a break; `since` if it is not.
    offered_since: Time,
}

impl Statement<'_> {
    /// When it may begin or cease to speak.
    fn moments(&self) -> impl Iterator<Item = Time> {
        let doubted = (self.interval.facts.status.phase() == Phase::Pending).then(|| self.believed_until());
        [Some(self.interval.first), self.until, doubted].into_iter().flatten()
    }

    fn believed_until(&self) -> Time {
        self.since.plus_ms(PENDING_BELIEVED_MS)
    }

    fn is_offered(&self) -> bool {
        matches!(self.interval.facts.status.phase(), Phase::Active | Phase::Pending)
    }

    fn holds_at(&self, moment: Time) -> bool {
        self.interval.first <= moment && self.until.is_none_or(|until| moment < until)
    }

    /// How much it is believed at a moment; 0 if it says that the home is off the market.
    fn rank(&self, moment: Time) -> u8 {
        match self.interval.facts.status.phase() {
            Phase::Pending if moment < self.believed_until() => 4,
            Phase::Active => 3,
            Phase::Pending => 2,
            Phase::Before => 1,
            Phase::Closed | Phase::Off => 0,
        }
    }
}

/// Whether a listing was on the market before a moment.
fn began_before(timeline: &[Statement<'_>], moment: Time) -> bool {
    timeline.iter().any(|statement| statement.is_offered() && statement.interval.first < moment)
}

/// When listings began to say that the home is sold, oldest first.
fn sales(timelines: &[Vec<Statement<'_>>]) -> Vec<Time> {
    let closed = timelines.iter().flatten().filter(|it| it.interval.facts.status.phase() == Phase::Closed);
    let mut sales: Vec<Time> = closed.map(|statement| statement.since).collect();
    sales.sort_unstable();
    sales.dedup();
    sales
}

/// The intervals of a listing.
fn statements_of(intervals: Vec<Interval<'_>>) -> Vec<Statement<'_>> {
    let nexts: Vec<Option<Time>> = intervals.iter().skip(1).map(|next| Some(next.first)).chain([None]).collect();
    let mut statements: Vec<Statement<'_>> = Vec::with_capacity(intervals.len());
    for (interval, next) in intervals.into_iter().zip(nexts) {
        let until = interval.expires.or(next);
        let phase = interval.facts.status.phase();
        let phase_of = |statement: &Statement<'_>| statement.interval.facts.status.phase();
        let before = statements
            .last()
            .filter(|before| before.until == Some(interval.first) && before.interval.expires.is_none());
        let same = before.filter(|before| phase_of(before) == phase);
        let since = same.map_or(interval.first, |before| before.since);
        let is_offered = matches!(phase, Phase::Active | Phase::Pending);
        let offered = before.filter(|before| is_offered && before.is_offered());
        let offered_since = offered.map_or(since, |before| before.offered_since);
        statements.push(Statement { interval, until, since, offered_since });
    }
    statements
}

/// The listing that speaks for the home at a moment, and its interval. `None` if none has one then.
fn speaker(timelines: &[Vec<Statement<'_>>], sales: &[Time], moment: Time) -> Option<(usize, usize)> {
    let sold = sales.partition_point(|sale| *sale <= moment).checked_sub(1).map(|last| sales[last]);
    let mut best: Option<(u8, Time, (usize, usize))> = None;
    for (listing, timeline) in timelines.iter().enumerate() {
        // The last one that began: several may begin at one moment, and all but the last last no time.
        let Some(at) = timeline.partition_point(|statement| statement.interval.first <= moment).checked_sub(1) else {
            continue;
        };
        let statement = &timeline[at];
        let is_outdated = statement.is_offered() && sold.is_some_and(|sold| statement.offered_since < sold);
        if !statement.holds_at(moment) || is_outdated {
            continue;
        }
        let rank = statement.rank(moment);
        let is_better = best.is_none_or(|(best_rank, best_since, _)| match rank.cmp(&best_rank) {
            std::cmp::Ordering::Equal if rank == 0 => statement.interval.first > best_since,
            std::cmp::Ordering::Equal => statement.since < best_since,
            order => order.is_gt(),
        });
        if is_better {
            let since = if rank == 0 { statement.interval.first } else { statement.since };
            best = Some((rank, since, (listing, at)));
        }
    }
    best.map(|(_, _, speaks)| speaks)
}
