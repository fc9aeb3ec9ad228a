//! Reference series (ADR 0050). Their tables exist once a series is loaded; they belong to no generation.

use std::fmt;

use rusqlite::{Connection, Transaction, TransactionBehavior, params};
use serde::Serialize;
use stoop_domain::{AREAS_VERSION, AreaValues, Day, ReferenceAround, ReferenceSeries, ReferenceUnit, Time};
use stoop_pipeline::ports::PortError;
use stoop_serve::areas_around;

use crate::database::Database;
use crate::error::Result;
use crate::schema::{REFERENCE, has_table};

/// A stored reference series.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct StoredReference {
    /// Its name.
    pub name: String,
    /// The unit of its values.
    pub unit: ReferenceUnit,
    /// The number of areas.
    pub areas: u64,
    /// The number of values.
    pub values: u64,
    /// The day of the first value.
    #[serde(serialize_with = "as_text")]
    pub from: Day,
    /// The day of the last value.
    #[serde(serialize_with = "as_text")]
    pub to: Day,
    /// When it was loaded.
    #[serde(serialize_with = "as_text")]
    pub loaded_at: Time,
    /// The file from which it was loaded.
    pub source: String,
    /// Areas have other paths since: it is not shown with areas until it is loaded again.
    pub is_outdated: bool,
}

fn as_text<S: serde::Serializer>(value: &impl fmt::Display, serializer: S) -> Result<S::Ok, S::Error> {
    serializer.collect_str(value)
}

impl Database {
    /// Stores a series. Replaces the one of the same name in one transaction. `source` is the name of its file.
    ///
    /// # Errors
    /// If it cannot be stored; nothing is changed then.
    pub fn store_reference(&self, series: &ReferenceSeries, source: &str, now: Time) -> Result<(), PortError> {
        self.write_reference(|transaction| {
            transaction.execute_batch(REFERENCE)?;
            remove(transaction, &series.name)?;
            transaction.execute(
                "INSERT INTO reference_series VALUES(?1, ?2, ?3, ?4, ?5)",
                params![series.name, series.unit.to_string(), AREAS_VERSION, now.ms(), source],
            )?;
            let mut area = transaction.prepare("INSERT INTO reference_areas(series, path) VALUES(?1, ?2)")?;
            let mut value = transaction.prepare("INSERT INTO reference_values VALUES(?1, ?2, ?3)")?;
            for AreaValues { path, values } in &series.areas {
                let id = area.insert(params![series.name, path])?;
                for (day, number) in values {
                    value.execute(params![id, day.0, number])?;
                }
            }
            Ok(())
        })
        .map_err(self.doing(format!("store the reference series {}", series.name)))
    }

    /// Removes a series. Returns whether there was one.
    ///
    /// # Errors
    /// If it cannot be removed.
    pub fn remove_reference(&self, name: &str) -> Result<bool, PortError> {
        self.write_reference(|transaction| Ok(has_tables(transaction)? && remove(transaction, name)?))
            .map_err(self.doing(format!("remove the reference series {name}")))
    }

    /// All series, ordered by name.
    ///
    /// # Errors
    /// If they cannot be read.
    pub fn references(&self) -> Result<Vec<StoredReference>, PortError> {
        let sql =
            "SELECT name, unit, areas_version, loaded_at, source, count(DISTINCT area), count(*), min(day), max(day)
                   FROM reference_series
                   JOIN reference_areas ON series = name
                   JOIN reference_values ON area = id
                   GROUP BY name ORDER BY name";
        let read = || -> Result<Vec<StoredReference>> {
            if !has_tables(&self.lock().connection)? {
                return Ok(Vec::new());
            }
            self.rows(sql, [], |row| {
                Ok(StoredReference {
                    name: row.get(0)?,
                    unit: unit(row.get_ref(1)?.as_str()?)?,
                    areas: row.get::<_, i64>(5)?.cast_unsigned(),
                    values: row.get::<_, i64>(6)?.cast_unsigned(),
                    from: Day(row.get(7)?),
                    to: Day(row.get(8)?),
                    loaded_at: Time::from_ms(row.get(3)?),
                    source: row.get(4)?,
                    is_outdated: row.get::<_, u32>(2)? != AREAS_VERSION,
                })
            })
        };
        read().map_err(self.doing("list the reference series"))
    }

    /// The series of an area: the values of the area and of the areas around it, from the last one at or before `first`
    /// to `last`. Ordered by name; without series that have no value there.
    ///
    /// # Errors
    /// If they cannot be read.
    pub fn reference_around(&self, path: &str, first: Day, last: Day) -> Result<Vec<ReferenceAround>, PortError> {
        let sql = "SELECT name, unit, day, value
                   FROM reference_series
                   CROSS JOIN reference_areas ON series = name
                   CROSS JOIN reference_values AS v ON v.area = id
                   WHERE areas_version = ?1 AND path = ?2 AND day <= ?4 AND day >= coalesce(
                       (SELECT max(day) FROM reference_values AS before WHERE before.area = id AND before.day <= ?3), ?3
                   )
                   ORDER BY name, day";
        let read = || -> Result<Vec<ReferenceAround>> {
            let mut found: Vec<ReferenceAround> = Vec::new();
            if !has_tables(&self.lock().connection)? {
                return Ok(found);
            }
            for path in areas_around(path) {
                let rows = self.rows(sql, params![AREAS_VERSION, path, first.0, last.0], |row| {
                    let value = (Day(row.get(2)?), row.get::<_, f64>(3)?);
                    Ok((row.get::<_, String>(0)?, unit(row.get_ref(1)?.as_str()?)?, value))
                })?;
                for (name, unit, value) in rows {
                    let at = found.iter().position(|series| series.name == name).unwrap_or_else(|| {
                        found.push(ReferenceAround { name, unit, levels: Vec::new() });
                        found.len() - 1
                    });
                    let levels = &mut found[at].levels;
                    match levels.last_mut() {
                        Some(level) if level.path == path => level.values.push(value),
                        _ => levels.push(AreaValues { path: path.to_owned(), values: vec![value] }),
                    }
                }
            }
            found.sort_by(|a, b| a.name.cmp(&b.name));
            Ok(found)
        };
        read().map_err(self.doing(format!("read the reference series of {path}")))
    }

    fn write_reference<T>(&self, write: impl FnOnce(&Transaction<'_>) -> Result<T>) -> Result<T> {
        let mut inner = self.lock();
        let transaction = inner.connection.transaction_with_behavior(TransactionBehavior::Immediate)?;
        let written = write(&transaction)?;
        transaction.commit()?;
        Ok(written)
    }
}

/// Whether a series was ever loaded.
fn has_tables(connection: &Connection) -> Result<bool> {
    Ok(has_table(connection, "reference_series")?)
}

fn remove(transaction: &Transaction<'_>, name: &str) -> Result<bool> {
    let values = "DELETE FROM reference_values WHERE area IN (SELECT id FROM reference_areas WHERE series = ?1)";
    transaction.execute(values, [name])?;
    transaction.execute("DELETE FROM reference_areas WHERE series = ?1", [name])?;
    Ok(transaction.execute("DELETE FROM reference_series WHERE name = ?1", [name])? > 0)
}

fn unit(text: &str) -> Result<ReferenceUnit> {
    ReferenceUnit::parse(text).ok_or_else(|| format!("{text:?} is no unit of a reference series").into())
}
