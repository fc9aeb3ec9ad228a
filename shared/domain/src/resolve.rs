//! The timeline of a home that several listings show.

use crate::history::History;
use crate::interval::Interval;
use crate::status::Phase;
use crate::steps::{Step, steps_of};
use crate::time::Time;

/// For so long after a sale other listings of the home that are still on the market are taken for outdated.
const OUTDATED_AFTER_SALE_MS: i64 = 60 * Time::DAY_MS;

/// The steps of a home that several listings of one purpose show; a pure function of their histories, which are in the order
/// of their IDs. The steps of one listing are those of its history.
///
/// At each moment one listing speaks for the home: of those that say sold (for sixty days), else of those that say pending, else of
/// those that say active, the one that has said so for the longest; if none is on the market, the one that said so last. So
/// a home leaves the market with its last listing, and two portals that show two prices never make a cut of them: only a
/// change by the listing that speaks is one. When another listing begins to speak while the home is on the market, its
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
    let mut intervals: Vec<Interval<'a>> = Vec::new();
    let mut spoke: Option<(usize, usize)> = None;
    for moment in moments {
        let speaks = speaker(&timelines, moment);
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
            let was_on_market = |(before, interval): (usize, usize)| {
                let phase = timelines[before][interval].interval.facts.status.phase();
                before != listing && matches!(phase, Phase::Active | Phase::Pending)
            };
            let mut other_listing = spoke.is_some_and(was_on_market);
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
        spoke = speaks;
    }
    steps_of(intervals)
}

/// What a listing says in one of its intervals, and until when.
struct Statement<'a> {
    interval: Interval<'a>,
    until: Option<Time>,
    /// Since when the listing has been on the market, or sold, without a break.
    since: Time,
}

impl Statement<'_> {
    /// When it may begin or cease to speak.
    fn moments(&self) -> impl Iterator<Item = Time> {
        let outdated = (self.interval.facts.status.phase() == Phase::Closed).then(|| self.silences_until());
        [Some(self.interval.first), self.until, outdated].into_iter().flatten()
    }

    fn silences_until(&self) -> Time {
        self.interval.first.plus_ms(OUTDATED_AFTER_SALE_MS)
    }

    fn holds_at(&self, moment: Time) -> bool {
        self.interval.first <= moment && self.until.is_none_or(|until| moment < until)
    }

    /// How much it is believed at a moment; 0 if it says that the home is off the market.
    fn rank(&self, moment: Time) -> u8 {
        match self.interval.facts.status.phase() {
            Phase::Closed if moment < self.silences_until() => 4,
            Phase::Pending => 3,
            Phase::Active => 2,
            Phase::Before => 1,
            Phase::Closed | Phase::Off => 0,
        }
    }
}

/// The intervals of a listing.
fn statements_of(intervals: Vec<Interval<'_>>) -> Vec<Statement<'_>> {
    let nexts: Vec<Option<Time>> = intervals.iter().skip(1).map(|next| Some(next.first)).chain([None]).collect();
    let mut statements: Vec<Statement<'_>> = Vec::with_capacity(intervals.len());
    for (interval, next) in intervals.into_iter().zip(nexts) {
        let until = interval.expires.or(next);
        let phase = interval.facts.status.phase();
        let continues = statements.last().filter(|before| {
            let is_same = before.interval.facts.status.phase() == phase;
            is_same && before.until == Some(interval.first) && before.interval.expires.is_none()
        });
        let since = continues.map_or(interval.first, |before| before.since);
        statements.push(Statement { interval, until, since });
    }
    statements
}

/// The listing that speaks for the home at a moment, and its interval. `None` if none has one then.
fn speaker(timelines: &[Vec<Statement<'_>>], moment: Time) -> Option<(usize, usize)> {
    let mut best: Option<(u8, Time, (usize, usize))> = None;
    for (listing, timeline) in timelines.iter().enumerate() {
        // The last one that began: several may begin at one moment, and all but the last last no time.
        let Some(at) = timeline.partition_point(|statement| statement.interval.first <= moment).checked_sub(1) else {
            continue;
        };
        let statement = &timeline[at];
        if !statement.holds_at(moment) {
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
