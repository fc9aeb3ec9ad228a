//! The sums of wide areas, stored with the markets that they consist of (ADR 0044).
//!
//! A commit of the [`Store`](stoop_pipeline::ports::Store) does not change them. A market is to be rolled up if its
//! version differs from the one in the sum of its city. [`Database::roll_up`] adds the new tails to the sum of such a
//! city, or computes the sum anew from all markets, and adds the difference to the areas above. Nothing is added twice,
//! because each difference is computed in the same transaction. A reader does the same for waiting cities without
//! storing the result, so it always has the current sums.

use std::collections::{BTreeMap, BTreeSet};

use rusqlite::{Connection, OptionalExtension, Params, Row, TransactionBehavior, params};
use stoop_domain::{Day, Market, Time, lies_in};
use stoop_market::{Cells, Projection, WIDE_DAYS, Wide};
use stoop_pipeline::ports::PortError;
use stoop_pipeline::{WideArea, WideLevel};
use stoop_serve::MergedId;

use crate::database::Database;
use crate::error::Result;
use crate::generation::Generation;
use crate::stored_sums::{Parts, depth, read, write};

/// The number of coordinates of waiting differences at which a transaction ends.
const COORDINATES_MAX: usize = 1 << 20;

/// The number of cities at which a transaction ends, because other writers wait.
const CITIES_MAX: u64 = 512;

/// Days before today in a fresh sum: a time zone may be a day behind UTC, and the figures may be those of the last
/// poll.
const BACK: i32 = 2;

/// The age of the first day at which a sum is computed anew, well before its days end.
const BACK_MAX: i32 = 6;

/// Days in a period of the archive.
const ARCHIVE_DAYS: i32 = 32;

impl Database {
    /// Updates the sums of wide areas, in transactions of bounded size. Returns the number of cities that were rolled
    /// up. `now` is the time for which figures are needed; if it is before the newest observation, that time is used.
    ///
    /// May be killed, may run at the same time as other roll-ups and writers, and does nothing if nothing changed.
    ///
    /// # Errors
    /// If something cannot be read or stored; earlier transactions persist. If `stop`, which is called between
    /// transactions, returns true, the call ends without an error.
    pub fn roll_up(&self, now: Time, stop: &dyn Fn() -> bool) -> Result<u64, PortError> {
        self.roll_up_generation(Generation::Live, now, stop).map_err(self.doing("roll up wide areas"))
    }

    /// The current sum of an area, for the figures at `now` and the series that ends there. `None` if the sum does not
    /// cover that time; then the markets of the area must be added up.
    ///
    /// # Errors
    /// If it cannot be read.
    pub fn wide(&self, area: &WideArea, now: Time) -> Result<Option<Wide>, PortError> {
        self.reading(|| {
            let inner = self.lock();
            self.recent(&inner.connection, area, now, Parts::All)
        })
    }

    /// Passes every area of a level to `visit`, in order, with its sum but without the series: see [`Database::wide`].
    ///
    /// # Errors
    /// If they cannot be read, or if `visit` returns an error.
    pub fn each_wide<E: From<PortError>>(
        &self,
        level: WideLevel,
        now: Time,
        mut visit: impl FnMut(WideArea, Option<Wide>) -> Result<(), E>,
    ) -> Result<(), E> {
        self.reading(|| {
            for area in self.areas_of(level).map_err(self.doing("list wide areas"))? {
                let found = self.wide_now(&area, now)?;
                visit(area, found)?;
            }
            Ok(())
        })
    }

    /// Like [`Database::wide`] without the series.
    pub(crate) fn wide_now(&self, area: &WideArea, now: Time) -> Result<Option<Wide>, PortError> {
        self.recent(&self.lock().connection, area, now, Parts::Now)
    }

    fn recent(
        &self,
        connection: &Connection,
        area: &WideArea,
        now: Time,
        parts: Parts,
    ) -> Result<Option<Wide>, PortError> {
        let day = now.day_in(&area.country().zone);
        let read = || wide(connection, area, day, parts);
        let sum = self.sums.known(connection, (area.clone(), day, parts), read);
        sum.map_err(self.doing(format!("read the area {area}")))
    }

    fn areas_of(&self, level: WideLevel) -> Result<BTreeSet<WideArea>> {
        let inner = self.lock();
        let sql = "SELECT path, terms FROM areas WHERE level = ?1";
        let mut areas = areas(&inner.connection, sql, [depth(level)])?;
        let waiting = markets(&inner.connection, "SELECT id FROM markets WHERE version <> rolled", [])?;
        areas.extend(waiting.iter().map(|market| WideArea::of(market, level)));
        Ok(areas)
    }

    pub(crate) fn roll_up_generation(&self, generation: Generation, now: Time, stop: &dyn Fn() -> bool) -> Result<u64> {
        let (mut cities, mut after) = (0, String::new());
        while !stop() {
            let mut inner = self.lock();
            // Avoids a write transaction if there is nothing to do.
            if next(&inner.connection, generation, now, &mut after.clone())?.is_none() {
                break;
            }
            let transaction = inner.connection.transaction_with_behavior(TransactionBehavior::Immediate)?;
            cities += roll_up_some(&transaction, generation, now, &mut after)?;
            transaction.commit()?;
        }
        Ok(cities)
    }
}

/// Rolls up the next cities, and the areas above them.
fn roll_up_some(connection: &Connection, generation: Generation, now: Time, after: &mut String) -> Result<u64> {
    let today = day_at_least(connection, generation, now)?.0;
    let first = Day(today.saturating_sub(BACK));
    let keeps = |day: Day| (today.saturating_sub(BACK_MAX)..today).contains(&day.0);
    let mut differences: BTreeMap<WideArea, Wide> = BTreeMap::new();
    let (mut cities, mut coordinates) = (0, 0);
    while cities < CITIES_MAX && coordinates < COORDINATES_MAX {
        let Some(city) = next(connection, generation, now, after)? else { break };
        let CaughtUp { sum, difference, first } = catch_up(connection, generation, &city, keeps, first, Parts::All)?;
        write(connection, generation, &city, Some(first), &sum)?;
        let sql = format!(
            "UPDATE markets{generation} SET rolled = version
             WHERE version <> rolled AND id >= ?1 AND id < ?2 AND substr(id, -length(?3)) = ?3"
        );
        let (from, until) = below(city.path());
        connection.prepare_cached(&sql)?.execute(params![from, until, format!(":{}", city.id())])?;
        coordinates += difference.len();
        let county = city.parent().ok_or("a city is in a county")?;
        differences.entry(county).or_default().add(&difference);
        cities += 1;
    }
    while !differences.is_empty() {
        let mut above: BTreeMap<WideArea, Wide> = BTreeMap::new();
        for (area, difference) in differences {
            add_to(connection, generation, &area, &difference)?;
            if let Some(parent) = area.parent() {
                above.entry(parent).or_default().add(&difference);
            }
        }
        differences = above;
    }
    Ok(cities)
}

/// The next city to roll up: one with a changed market after the market `after`, which moves on to it; then one whose
/// days end soon or lie in the future.
fn next(connection: &Connection, generation: Generation, now: Time, after: &mut String) -> Result<Option<WideArea>> {
    let sql = format!("SELECT id FROM markets{generation} WHERE version <> rolled AND id > ?1 ORDER BY id LIMIT 1");
    let id: Option<String> = connection.prepare_cached(&sql)?.query_row([&*after], |row| row.get(0)).optional()?;
    if let Some(id) = id {
        let city = WideArea::of(&id.parse::<Market>()?, WideLevel::City);
        *after = id;
        return Ok(Some(city));
    }
    let today = day_at_least(connection, generation, now)?.0;
    for (ends, day) in [("first < ?2", today.saturating_sub(BACK_MAX)), ("first > ?2", today.saturating_sub(1))] {
        let sql = format!("SELECT path, terms FROM areas{generation} WHERE level = ?1 AND {ends} LIMIT 1");
        if let Some(city) = areas(connection, &sql, params![depth(WideLevel::City), day])?.pop_first() {
            return Ok(Some(city));
        }
    }
    Ok(None)
}

/// Adds to an area above cities. Creates it if it does not exist.
fn add_to(connection: &Connection, generation: Generation, area: &WideArea, difference: &Wide) -> Result<()> {
    let stored = read(connection, generation, area, Parts::All)?;
    if stored.is_some() && difference.is_empty() {
        return Ok(());
    }
    let mut sum = stored.unwrap_or_default();
    sum.add(difference);
    write(connection, generation, area, None, &sum)
}

/// A city with everything that was committed.
struct CaughtUp {
    sum: Wide,
    /// The difference to the stored sum.
    difference: Wide,
    /// The first day of the sum.
    first: Day,
}

/// Computes the current sum of a city without storing it. If `keeps` accepts the first day of the stored sum and the
/// changes since are known, they are added. Otherwise the sum is computed anew, with `first` as its first day.
fn catch_up(
    connection: &Connection,
    generation: Generation,
    city: &WideArea,
    keeps: impl Fn(Day) -> bool,
    first: Day,
    parts: Parts,
) -> Result<CaughtUp> {
    let stored = read(connection, generation, city, parts)?;
    let sql = format!("SELECT first FROM areas{generation} WHERE path = ?1 AND terms = ?2");
    let of_city = params![city.path(), city.id().to_string()];
    let stored_first: Option<i32> =
        connection.prepare_cached(&sql)?.query_row(of_city, |row| row.get(0)).optional()?.flatten();
    if let (Some(mut sum), Some(stored_first)) = (stored.clone(), stored_first.map(Day).filter(|day| keeps(*day)))
        && let Some(difference) = added(connection, generation, city, stored_first)?
    {
        sum.add(&difference);
        return Ok(CaughtUp { sum, difference, first: stored_first });
    }
    let sum = project(connection, generation, city, first)?;
    let mut difference = sum.clone();
    if let Some(stored) = stored {
        difference.subtract(&stored);
    }
    Ok(CaughtUp { sum, difference, first })
}

/// The changes of a city since it was rolled up: the new tails, if there is no new base, archive or market. `None` if
/// the changes are not known.
fn added(connection: &Connection, generation: Generation, city: &WideArea, first: Day) -> Result<Option<Wide>> {
    let sql = format!(
        "SELECT m.id, m.rolled, b.version FROM markets{generation} m LEFT JOIN bases{generation} b ON b.market = m.id
         WHERE m.version <> m.rolled AND m.id >= ?1 AND m.id < ?2 AND substr(m.id, -length(?3)) = ?3"
    );
    let tails = format!("SELECT body FROM tails{generation} WHERE market = ?1 AND version > ?2");
    let (from, until) = below(city.path());
    let mut changed = connection.prepare_cached(&sql)?;
    let mut changed = changed.query(params![from, until, format!(":{}", city.id())])?;
    let mut projection = Projection::new(first);
    while let Some(row) = changed.next()? {
        let (id, rolled, base): (String, i64, Option<i64>) = (row.get(0)?, row.get(1)?, row.get(2)?);
        // A market that was never rolled up has 0, which is before every base.
        if base.is_none_or(|base| base > rolled) {
            return Ok(None);
        }
        // Each by itself: a sum of tails would lose the days of one before the horizon of another.
        let mut tails = connection.prepare_cached(&tails)?;
        let mut tails = tails.query(params![id, rolled])?;
        while let Some(tail) = tails.next()? {
            projection.add(&Cells::from_bytes(tail.get_ref(0)?.as_blob()?)?, &Cells::default());
        }
    }
    Ok(Some(projection.sum()))
}

/// Computes the sum of a city from all of its markets.
pub(crate) fn project(connection: &Connection, generation: Generation, city: &WideArea, first: Day) -> Result<Wide> {
    let sql = format!(
        "SELECT id FROM markets{generation} WHERE id >= ?1 AND id < ?2 AND substr(id, -length(?3)) = ?3 ORDER BY id"
    );
    let (from, until) = below(city.path());
    let mut ids = connection.prepare_cached(&sql)?;
    let mut ids = ids.query(params![from, until, format!(":{}", city.id())])?;
    let states = format!(
        "SELECT body FROM bases{generation} WHERE market = ?1 UNION ALL SELECT body FROM tails{generation} WHERE market = ?1"
    );
    let archives = format!("SELECT body FROM archives{generation} WHERE market = ?1 AND period >= ?2");
    let mut projection = Projection::new(first);
    let covered_from = projection.first_day();
    while let Some(row) = ids.next()? {
        let id = row.get_ref(0)?.as_str()?;
        let state = sum_of(connection, &states, [id])?;
        // Needs the archive from the first day of the series to the horizon of the state.
        let archive = match state.horizon() {
            Some(horizon) if horizon.days > covered_from => {
                sum_of(connection, &archives, params![id, covered_from.0.div_euclid(ARCHIVE_DAYS)])?
            }
            _ => Cells::default(),
        };
        projection.add(&state, &archive);
    }
    Ok(projection.sum())
}

/// See [`Database::wide`].
fn wide(connection: &Connection, area: &WideArea, day: Day, parts: Parts) -> Result<Option<Wide>> {
    let (from, until) = below(area.path());
    let is_of = |city: &WideArea| city.id() == area.id() && lies_in(city.path(), area.path());
    let later = "SELECT path, terms FROM areas WHERE level = ?1 AND first > ?2";
    if day.0 < day_at_least(connection, Generation::Live, Time::default())?.0.saturating_sub(BACK)
        || areas(connection, later, params![depth(WideLevel::City), day.0])?.iter().any(is_of)
    {
        return Ok(None);
    }
    let changed = "SELECT id FROM markets WHERE version <> rolled AND id >= ?1 AND id < ?2";
    let changed = markets(connection, changed, [from, until])?;
    let earlier = "SELECT path, terms FROM areas WHERE level = ?1 AND first <= ?2";
    let earlier = areas(connection, earlier, params![depth(WideLevel::City), day.0.saturating_sub(WIDE_DAYS)])?;
    let changed = changed.iter().map(|market| WideArea::of(market, WideLevel::City));
    let waiting: BTreeSet<WideArea> = changed.chain(earlier).filter(is_of).collect();
    let keeps = |first: Day| (day.0.saturating_sub(WIDE_DAYS - 1)..=day.0).contains(&first.0);
    if waiting.contains(area) {
        return Ok(Some(catch_up(connection, Generation::Live, area, keeps, day, parts)?.sum));
    }
    let mut sum = read(connection, Generation::Live, area, parts)?.unwrap_or_default();
    for city in waiting {
        let CaughtUp { difference, .. } = catch_up(connection, Generation::Live, &city, keeps, day, parts)?;
        sum.add(&difference);
    }
    Ok(Some(sum))
}

fn sum_of(connection: &Connection, sql: &str, params: impl Params) -> Result<Cells> {
    let mut statement = connection.prepare_cached(sql)?;
    let mut rows = statement.query(params)?;
    let mut sum: Option<Cells> = None;
    while let Some(row) = rows.next()? {
        let part = Cells::from_bytes(row.get_ref(0)?.as_blob()?)?;
        match &mut sum {
            None => sum = Some(part),
            Some(sum) => sum.merge(&part),
        }
    }
    Ok(sum.unwrap_or_default())
}

fn areas(connection: &Connection, sql: &str, params: impl Params) -> Result<BTreeSet<WideArea>> {
    let mut statement = connection.prepare_cached(sql)?;
    let mut rows = statement.query(params)?;
    let mut found = BTreeSet::new();
    while let Some(row) = rows.next()? {
        found.insert(wide_area(row)?);
    }
    Ok(found)
}

/// The area in the first columns of a row.
pub(crate) fn wide_area(row: &Row<'_>) -> Result<WideArea> {
    let (path, terms) = (row.get_ref(0)?.as_str()?, row.get_ref(1)?.as_str()?);
    Ok(WideArea::new(path, terms.parse::<MergedId>()?).ok_or_else(|| format!("{path:?} is not a wide area"))?)
}

fn markets(connection: &Connection, sql: &str, params: impl Params) -> Result<Vec<Market>> {
    let mut statement = connection.prepare_cached(sql)?;
    let mut rows = statement.query(params)?;
    let mut found = Vec::new();
    while let Some(row) = rows.next()? {
        found.push(row.get_ref(0)?.as_str()?.parse()?);
    }
    Ok(found)
}

/// The names of what lies in an area: from the first text (inclusive) to the second (exclusive). `0` follows `/`.
pub(crate) fn below(path: &str) -> (String, String) {
    (format!("{path}/"), format!("{path}0"))
}

/// The UTC day of a moment, or of the newest observation if that is later.
fn day_at_least(connection: &Connection, generation: Generation, now: Time) -> Result<Day> {
    let sql = if generation == Generation::Next { "SELECT newest FROM rebuild" } else { "SELECT newest FROM totals" };
    let newest: Option<i64> = connection.prepare_cached(sql)?.query_row([], |row| row.get(0)).optional()?.flatten();
    let last = newest.map_or(now.ms(), |newest| newest.max(now.ms()));
    Ok(Day(i32::try_from(last.div_euclid(Time::DAY_MS))?))
}
