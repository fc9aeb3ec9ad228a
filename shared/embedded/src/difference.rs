//! Compares the generation beside the live one with it.

use rusqlite::{Connection, OptionalExtension, Row};
use serde::Serialize;
use stoop_domain::{Alert, Home, HomeId, Market, Time};
use stoop_market::Cells;
use stoop_pipeline::ports::PortError;
use stoop_rules::Rules;
use stoop_serve::{FiguresView, Revised, Sum, revised};
use stoop_wire::home_from_bytes;

use crate::check_rollups::check_areas;
use crate::database::{Database, format};
use crate::error::Result;
use crate::generation::Generation;
use crate::rebuild::Stage;
use crate::schema::{FORMAT, has_table};

/// The number of differences of one kind, and the first one by name.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Found {
    pub count: u64,
    /// Describes the first one.
    pub first: Option<String>,
}

/// The differences between the state of [`Database::rebuild`] and the live one.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Difference {
    /// Stored homes without an observation in the lake.
    pub homes_gone: Found,
    /// Homes with observations in the lake that are not stored.
    pub homes_new: Found,
    /// Homes with other content or columns.
    pub homes_changed: Found,
    /// Markets with another state or archive.
    pub markets: Found,
    /// Live sums of wide areas that differ from the sum of their parts.
    pub areas: Found,
    /// Current figures of markets that differ.
    pub figures: Found,
    /// Alerts that follow from the new state only and are not in the ledger. They are not sent.
    pub alerts_new: Found,
    /// Alerts that do not follow from the new state. Alerts that were sent stay in the ledger.
    pub alerts_gone: Found,
    /// Whether the totals differ.
    pub totals: bool,
    /// Stored homes and markets that this program cannot read, and therefore cannot compare.
    pub unreadable: u64,
    /// Whether the file has an older format.
    pub older: bool,
}

impl Found {
    /// Counts a difference. Keeps the name with the smallest `key`.
    fn note(&mut self, name: impl FnOnce() -> String, order: &mut Option<String>, key: &str) {
        self.count += 1;
        if order.as_deref().is_none_or(|first| key < first) {
            *order = Some(key.to_owned());
            self.first = Some(name());
        }
    }
}

impl Difference {
    /// Whether there are no differences, so that a swap changes nothing.
    #[must_use]
    pub fn is_none(&self) -> bool {
        *self == Self::default()
    }
}

impl Database {
    /// Compares the state of [`Database::rebuild`] with the live one: alerts by these rules, figures at the time of the
    /// newest observation.
    ///
    /// # Errors
    /// If there is no complete rebuilt state or it cannot be read.
    pub fn difference(&self, rules: &Rules) -> Result<Difference, PortError> {
        let compare = || -> Result<Difference> {
            let next = self.next_generation()?.filter(|next| next.stage == Stage::Ready);
            let next = next.ok_or("there is no complete rebuilt state")?;
            let inner = self.lock();
            let connection = &inner.connection;
            let mut found = Difference { older: format(connection)? < FORMAT, ..Difference::default() };
            compare_homes(connection, rules, &mut found)?;
            if !found.older {
                check_areas(connection, &mut |outcome| {
                    if let Err(difference) = outcome {
                        found.areas.count += 1;
                        found.areas.first.get_or_insert(difference);
                    }
                })?;
            }
            compare_markets(connection, Time::from_ms(next.newest.unwrap_or(0)), &mut found)?;
            let sql = "SELECT lake_rows, newest FROM totals";
            let totals: Option<(i64, Option<i64>)> =
                connection.query_row(sql, [], |row| Ok((row.get(0)?, row.get(1)?))).optional()?;
            found.totals = totals != Some((next.lake_rows, next.newest));
            Ok(found)
        };
        compare().map_err(self.doing("compare the rebuilt state with the live one"))
    }
}

fn compare_homes(connection: &Connection, rules: &Rules, found: &mut Difference) -> Result<()> {
    let read = |row: &Row<'_>, column| -> Result<Option<Vec<u8>>> { Ok(row.get(column)?) };
    let sql = "SELECT l.id, l.body, n.body FROM homes l LEFT JOIN homes_next n ON n.id = l.id
               WHERE n.id IS NULL OR l.body <> n.body OR l.market IS NOT n.market OR l.status IS NOT n.status
               OR l.list_price IS NOT n.list_price OR l.last_seen IS NOT n.last_seen
               UNION ALL SELECT n.id, NULL, n.body FROM homes_next n
               WHERE NOT EXISTS (SELECT 1 FROM homes l WHERE l.id = n.id)";
    let mut statement = connection.prepare(sql)?;
    let mut rows = statement.query([])?;
    let mut firsts: [Option<String>; 5] = Default::default();
    let mut is_known = connection.prepare("SELECT 1 FROM alerts WHERE id = ?1")?;
    while let Some(row) = rows.next()? {
        let id = HomeId(row.get_ref(0)?.as_str()?.into());
        let (live, next) = (read(row, 1)?, read(row, 2)?);
        let what = match (&live, &next) {
            (Some(_), None) => (&mut found.homes_gone, 0),
            (None, _) => (&mut found.homes_new, 1),
            (Some(_), Some(_)) => (&mut found.homes_changed, 2),
        };
        what.0.note(|| id.to_string(), &mut firsts[what.1], id.as_str());
        let standing = |body: &Option<Vec<u8>>| -> Result<Vec<Alert>> {
            let home: Option<Home> = body.as_deref().map(home_from_bytes).transpose()?;
            Ok(home.map(|home| rules.standing(&id, &home)).unwrap_or_default())
        };
        // The alerts of an unreadable home are unknown, so all that are not in the ledger count as new.
        let before = standing(&live).unwrap_or_else(|_| {
            found.unreadable += 1;
            Vec::new()
        });
        let after = standing(&next)?;
        let name = |alert: &Alert| format!("{} of {}: {} to {}", alert.id, alert.home, alert.from.0, alert.to.0);
        for alert in after.iter().filter(|alert| before.iter().all(|known| known.id != alert.id)) {
            if !is_known.exists([&alert.id.0])? {
                found.alerts_new.note(|| name(alert), &mut firsts[3], id.as_str());
            }
        }
        for alert in before.iter().filter(|alert| after.iter().all(|known| known.id != alert.id)) {
            found.alerts_gone.note(|| name(alert), &mut firsts[4], id.as_str());
        }
    }
    Ok(())
}

fn compare_markets(connection: &Connection, now: Time, found: &mut Difference) -> Result<()> {
    let mut statement = connection.prepare("SELECT id FROM markets UNION SELECT id FROM markets_next ORDER BY 1")?;
    let ids: Vec<String> = statement.query_map([], |row| row.get(0))?.collect::<rusqlite::Result<_>>()?;
    for id in ids {
        let next = (cells(connection, Generation::Next, &id)?, archive(connection, Generation::Next, &id)?);
        let live = cells(connection, Generation::Live, &id)
            .and_then(|cells| Ok((cells, archive(connection, Generation::Live, &id)?)));
        let Ok(live) = live else {
            found.unreadable += 1;
            found.markets.count += 1;
            found.markets.first.get_or_insert_with(|| id.clone());
            continue;
        };
        let is_empty = |(cells, archive): &(Cells, Cells)| cells.is_empty() && archive.is_empty();
        if live == next || (is_empty(&live) && is_empty(&next)) {
            continue;
        }
        found.markets.count += 1;
        found.markets.first.get_or_insert_with(|| id.clone());
        let market: Market = id.parse()?;
        let figures = |cells: &Cells| {
            let country = market.area.country();
            FiguresView::of(Sum::Whole(cells), now, market.currency, country.area_unit, &country.zone)
        };
        for Revised { figure, then, now } in revised(&figures(&live.0), &figures(&next.0))? {
            found.figures.count += 1;
            found.figures.first.get_or_insert_with(|| format!("{figure} of {id}: {then}, rebuilt {now}"));
        }
    }
    Ok(())
}

/// The state of a market in a generation. In format 5 it is a single row.
fn cells(connection: &Connection, generation: Generation, market: &str) -> Result<Cells> {
    let sql = if has_table(connection, &format!("bases{generation}"))? {
        format!(
            "SELECT body FROM bases{generation} WHERE market = ?1 UNION ALL SELECT body FROM tails{generation} WHERE market = ?1"
        )
    } else {
        format!("SELECT body FROM markets{generation} WHERE id = ?1")
    };
    sum(connection, &sql, market)
}

fn archive(connection: &Connection, generation: Generation, market: &str) -> Result<Cells> {
    sum(connection, &format!("SELECT body FROM archives{generation} WHERE market = ?1"), market)
}

fn sum(connection: &Connection, sql: &str, market: &str) -> Result<Cells> {
    let mut statement = connection.prepare_cached(sql)?;
    let mut rows = statement.query([market])?;
    let mut sum = Cells::default();
    while let Some(row) = rows.next()? {
        sum.merge(&Cells::from_bytes(row.get_ref(0)?.as_blob()?)?);
    }
    Ok(sum)
}
