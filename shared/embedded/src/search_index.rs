//! The index of each search: a manifest, and segments that are written once (ADR 0048).

use std::collections::BTreeMap;
use std::ops::RangeInclusive;
use std::sync::{Arc, MutexGuard, PoisonError};

use async_trait::async_trait;
use rusqlite::{OptionalExtension, TransactionBehavior, params};
use stoop_domain::Time;
use stoop_pipeline::ports::{
    IndexChanges, IndexManifest, IndexOutline, IndexSave, ManifestOutline, PortError, SearchIndex, SearchState,
    SegmentName, SentElsewhere,
};
use stoop_pipeline::{FieldShares, HeldBack, HeldMove, Ruling};
use stoop_sources::Distrust;

use crate::database::Database;
use crate::error::Result;
use crate::outlines::Outlines;

/// Changes stay in the manifest of a small index up to the first of these sizes, of a large one up to the second. A segment
/// is one more row, which costs little.
const RECENT: RangeInclusive<u64> = 8 << 10..=128 << 10;

#[async_trait]
impl SearchIndex for Database {
    async fn load(&self, search: &str, _source: &str) -> Result<SearchState, PortError> {
        let read = || -> Result<SearchState> {
            let Some((version, manifest, segments)) = self.stored_index(search)? else {
                return Ok(SearchState::default());
            };
            let manifest = IndexManifest::decode(&manifest)?;
            let mut state = manifest.whole(named(manifest.segments(), &segments)?)?;
            state.version = version.cast_unsigned();
            Ok(state)
        };
        read().map_err(self.doing(format!("load the state of the search {search}")))
    }

    async fn save(&self, search: &str, state: &SearchState, changes: &IndexChanges) -> Result<bool, PortError> {
        let store = || -> Result<bool> {
            let Some(before) = self.manifest(search, state.version)? else { return Ok(false) };
            let IndexSave { manifest, segment, .. } = before.next(state, changes, String::new(), &RECENT)?;
            let body = manifest.encode()?;
            let sql = if state.version == 0 {
                "INSERT INTO searches(search, version, body, source) VALUES(?1, ?2 + 1, ?3, ?4) ON CONFLICT DO NOTHING"
            } else {
                "UPDATE searches SET version = version + 1, body = ?3, source = ?4 WHERE search = ?1 AND version = ?2"
            };
            let mut inner = self.lock();
            let transaction = inner.connection.transaction_with_behavior(TransactionBehavior::Immediate)?;
            let row = params![search, state.version.cast_signed(), body, state.source];
            if transaction.prepare_cached(sql)?.execute(row)? == 0 {
                return Ok(false);
            }
            if let Some((name, body)) = segment {
                let sql = "INSERT INTO index_segments(search, number, body) VALUES(?1, ?2, ?3)";
                transaction.prepare_cached(sql)?.execute(params![search, name.number.cast_signed(), body])?;
            }
            let first = manifest.segments().first().map_or(i64::MAX, |first| first.number.cast_signed());
            let sql = "DELETE FROM index_segments WHERE search = ?1 AND number < ?2";
            transaction.prepare_cached(sql)?.execute(params![search, first])?;
            transaction.commit()?;
            Ok(true)
        };
        store().map_err(self.doing(format!("save the state of the search {search}")))
    }

    async fn held_elsewhere(
        &self,
        search: &str,
        source: &str,
        native_ids: &[String],
    ) -> Result<Vec<Option<Time>>, PortError> {
        let others = self.others(search, source)?;
        let held = |id: &String| others.iter().filter_map(|outline| outline.holds(id)).max();
        Ok(native_ids.iter().map(held).collect())
    }

    async fn sent_elsewhere(&self, search: &str, source: &str) -> Result<SentElsewhere, PortError> {
        Ok(SentElsewhere::of(self.others(search, source)?))
    }

    async fn ruling(&self, search: &str, source: &str) -> Result<Option<String>, PortError> {
        self.setting(&ruling_of(search, source))
    }
}

/// The setting with the last ruling about what a search holds back.
fn ruling_of(search: &str, source: &str) -> String {
    format!("ruling/{source}/{search}")
}

/// The bytes of the segments of an index, in order, from its stored segments by number.
fn named<'b>(names: &[SegmentName], stored: &'b [(i64, Vec<u8>)]) -> Result<Vec<&'b [u8]>> {
    let body = |name: &SegmentName| {
        let found = stored.iter().find(|(number, _)| *number == name.number.cast_signed());
        let body = found.map(|(_, body)| body.as_slice());
        body.ok_or_else(|| format!("segment {} of its index is missing", name.number).into())
    };
    names.iter().map(body).collect()
}

/// What the polls of a search found out about its source.
#[derive(Clone, Debug, Default)]
pub struct Findings {
    /// Contradictions in its listings.
    pub distrust: Distrust,
    /// A loss that is held back because it is too large.
    pub held_back: Option<HeldBack>,
    /// Moves of many prices that are held back.
    pub held_moves: Vec<HeldMove>,
    /// The fields that its listings have; `None` if no scan ended well.
    pub fields: Option<FieldShares>,
    /// When its last full scan began; `None` if there was none.
    pub full_scan_at: Option<Time>,
}

impl Database {
    /// What the polls of each search found out about its source, by the name of the search.
    ///
    /// # Errors
    /// If it cannot be read.
    pub fn findings(&self) -> Result<BTreeMap<String, Findings>, PortError> {
        let all = self.rows("SELECT search, body FROM searches", [], |row| {
            let manifest = IndexManifest::decode(row.get_ref(1)?.as_blob()?)?;
            let SearchState { distrust, held_back, held_moves, profiles, full_scan_at, .. } = manifest.state().clone();
            let fields = profiles.shares().cloned();
            Ok((row.get(0)?, Findings { distrust, held_back, held_moves, fields, full_scan_at }))
        });
        let all: Vec<(String, Findings)> = all.map_err(self.doing("read the findings of polls"))?;
        Ok(all.into_iter().collect())
    }

    /// Rules whether what is held back for a search of `source` is real. The next poll follows the last ruling.
    ///
    /// # Errors
    /// If it cannot be stored.
    pub fn rule(&self, search: &str, source: &str, ruling: Ruling) -> Result<(), PortError> {
        self.set_setting(&ruling_of(search, source), &ruling.to_string())
    }

    /// The manifest that was stored with this version, a new one for version 0; `None` if another version is stored.
    fn manifest(&self, search: &str, version: u64) -> Result<Option<IndexManifest>> {
        let inner = self.lock();
        let mut statement = inner.connection.prepare_cached("SELECT version, body FROM searches WHERE search = ?1")?;
        let found = statement.query_row([search], |row| Ok((row.get::<_, i64>(0)?, row.get::<_, Vec<u8>>(1)?)));
        match found.optional()? {
            None => Ok((version == 0).then(IndexManifest::default)),
            Some((stored, body)) if stored.cast_unsigned() == version => Ok(Some(IndexManifest::decode(&body)?)),
            Some(_) => Ok(None),
        }
    }

    /// The indexes of the other searches of a source. Those that have not changed since the last call are not read again.
    fn others(&self, search: &str, source: &str) -> Result<Vec<Arc<IndexOutline>>, PortError> {
        let read = || -> Result<Vec<Arc<IndexOutline>>> {
            let sql = "SELECT search, version FROM searches WHERE search <> ?1 AND source = ?2 ORDER BY 1";
            let versions = self.rows(sql, [search, source], |row| Ok((row.get::<_, String>(0)?, row.get(1)?)))?;
            let mut others = Vec::with_capacity(versions.len());
            for (other, version) in versions {
                let known = self.outlines().get(&other, version);
                others.extend(match known {
                    Some(known) => Some(known),
                    None => self.outline(&other)?,
                });
            }
            Ok(others)
        };
        read().map_err(self.doing("read the indexes of other searches"))
    }

    /// The index of a search, read and kept; `None` if it no longer exists.
    fn outline(&self, search: &str) -> Result<Option<Arc<IndexOutline>>> {
        let Some((version, manifest, segments)) = self.stored_index(search)? else { return Ok(None) };
        let manifest = ManifestOutline::decode(&manifest)?;
        let segments = named(manifest.segments(), &segments)?;
        let outline = Arc::new(manifest.whole(segments)?);
        self.outlines().keep(search, version, Arc::clone(&outline));
        Ok(Some(outline))
    }

    /// The version, the manifest and the segments by number of a search; `None` if there is no such search.
    fn stored_index(&self, search: &str) -> Result<Option<StoredIndex>> {
        // One statement sees one moment. The manifest comes first: no segment has the number 0.
        let sql = "SELECT 0, version, body FROM searches WHERE search = ?1 UNION ALL
                   SELECT number, 0, body FROM index_segments WHERE search = ?1 ORDER BY 1";
        let rows = self
            .rows(sql, [search], |row| Ok((row.get::<_, i64>(0)?, row.get::<_, i64>(1)?, row.get::<_, Vec<u8>>(2)?)))?;
        let mut rows = rows.into_iter();
        let manifest = rows.next();
        let segments = rows.map(|(number, _, body)| (number, body)).collect();
        Ok(manifest.map(|(_, version, body)| (version, body, segments)))
    }

    /// A panic elsewhere leaves whole indexes.
    fn outlines(&self) -> MutexGuard<'_, Outlines> {
        self.outlines.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

type StoredIndex = (i64, Vec<u8>, Vec<(i64, Vec<u8>)>);
