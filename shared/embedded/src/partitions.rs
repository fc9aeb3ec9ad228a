//! Partitions the lake by home, so that some homes can be recomputed at a time.

use std::collections::BTreeMap;
use std::hash::{DefaultHasher, Hash, Hasher};
use std::path::{Path, PathBuf};

use rustc_hash::FxHashMap;
use stoop_domain::{HomeId, Observation, Time, home_id};
use stoop_market::Cells;
use stoop_pipeline::ports::PortError;

use crate::database::Database;
use crate::error::{BoxError, Result, doing};
use crate::failure::Failure;
use crate::spill::Spill;

/// The number of homes in a part. Larger if there would be more than [`PARTS_MAX`] parts.
const HOMES: usize = 16_384;
const PARTS_MAX: usize = 1_024;

/// The observations of a lake in parts. All observations of a home are in one part, in the order of the lake. Homes are
/// assigned in the order of their first observation: homes are stored in that order, so batches touch few pages.
pub(crate) struct Partitions {
    spill: Spill,
    /// The part of each home by the hash of its ID. Homes with equal hashes share a part.
    part_of: FxHashMap<u64, u32>,
    parts: usize,
    /// The number of observations in the lake and the time of the newest.
    pub(crate) observations: u64,
    pub(crate) newest: Option<Time>,
}

impl Partitions {
    /// Reads the lake. Leaves out observations that `keep` rejects and parts before `from`. Calls `stop` regularly.
    pub(crate) fn of_lake(
        database: &Database,
        from: usize,
        keep: impl Fn(&Observation) -> bool,
        stop: &dyn Fn() -> bool,
    ) -> Result<Self, PortError> {
        let homes = HOMES.max(usize::try_from(database.lake_count()?).unwrap_or(usize::MAX) / PARTS_MAX);
        let spill = Spill::new(database.data()).map_err(database.doing("store observations temporarily"))?;
        let mut parted = Self { spill, part_of: FxHashMap::default(), parts: 0, observations: 0, newest: None };
        database.observations(|line| -> Result<(), PortError> {
            let failed = |error: BoxError| doing("read the lake")(error);
            let observation = stoop_wire::decode(line).map_err(|error| failed(error.into()))?;
            parted.observations += 1;
            parted.newest = parted.newest.max(Some(observation.at));
            if parted.observations.is_multiple_of(4_096) && stop() {
                return Err(doing("read the lake")(Failure::stopped()));
            }
            if !keep(&observation) {
                return Ok(());
            }
            let next = u32::try_from(parted.part_of.len() / homes).map_err(|error| failed(error.into()))?;
            let part = *parted.part_of.entry(hash(home_id(&observation).as_str())).or_insert(next) as usize;
            parted.parts = parted.parts.max(part + 1);
            if part < from {
                return Ok(());
            }
            parted.spill.put(part, line).map_err(database.doing("store observations temporarily"))
        })?;
        Ok(parted)
    }

    /// The number of parts.
    pub(crate) fn count(&self) -> usize {
        self.parts
    }

    /// The part of a home. `None` if the lake has no observation of it.
    pub(crate) fn part_of(&self, home: &str) -> Option<usize> {
        self.part_of.get(&hash(home)).map(|part| *part as usize)
    }

    /// Passes the observations of a part to `visit` and removes the part.
    pub(crate) fn take(
        &mut self,
        part: usize,
        mut visit: impl FnMut(HomeId, Observation) -> Result<(), BoxError>,
    ) -> Result<()> {
        self.spill.take(part, |line| -> Result<()> {
            let observation = stoop_wire::decode(line)?;
            visit(home_id(&observation), observation)
        })
    }
}

/// Homes per batch within a part.
const HOMES_SHOWN: usize = 1_024;

/// The lake of a [`Database`] in parts: see [`Database::lake_by_home`].
pub struct LakeByHome {
    parts: Partitions,
    folder: PathBuf,
}

/// The homes of a part, in batches.
pub struct HomesOfPart {
    spill: Spill,
    next: usize,
    count: usize,
}

impl Database {
    /// Groups the lake by home. The same lake gives the same parts. Parts before `from` are left out. Takes some bytes
    /// of memory per home; the observations are kept in a temporary file of the data folder.
    ///
    /// # Errors
    /// If the lake cannot be read, or if `stop`, which is called regularly, returns true.
    pub fn lake_by_home(&self, from: usize, stop: &dyn Fn() -> bool) -> Result<LakeByHome, PortError> {
        let parts = Partitions::of_lake(self, from, |_| true, stop)?;
        Ok(LakeByHome { parts, folder: self.data().to_owned() })
    }
}

impl LakeByHome {
    /// The number of parts.
    #[must_use]
    pub fn count(&self) -> usize {
        self.parts.count()
    }

    /// Takes the homes of a part. The part is removed.
    ///
    /// # Errors
    /// If it cannot be read.
    pub fn take(&mut self, part: usize) -> Result<HomesOfPart, PortError> {
        let mut take = || -> Result<HomesOfPart> {
            let mut spill = Spill::new(&self.folder)?;
            let mut index_of: FxHashMap<HomeId, usize> = FxHashMap::default();
            let mut line = Vec::new();
            self.parts.take(part, |id, observation| {
                let next = index_of.len();
                let index = *index_of.entry(id).or_insert(next);
                line.clear();
                stoop_wire::encode(&observation, &mut line);
                spill.put(index / HOMES_SHOWN, &line)
            })?;
            Ok(HomesOfPart { spill, next: 0, count: index_of.len().div_ceil(HOMES_SHOWN) })
        };
        take().map_err(doing("group the observations by home"))
    }
}

impl Iterator for HomesOfPart {
    /// All observations of some homes; those of each home in the order of the lake.
    type Item = Result<Vec<Observation>, PortError>;

    fn next(&mut self) -> Option<Self::Item> {
        if self.next == self.count {
            return None;
        }
        let mut observations = Vec::new();
        let taken = self.spill.take(self.next, |line| -> Result<()> {
            observations.push(stoop_wire::decode(line)?);
            Ok(())
        });
        self.next += 1;
        Some(taken.map(|()| observations).map_err(doing("group the observations by home")))
    }
}

/// Records of markets, stored by bucket and read back one bucket at a time.
pub(crate) struct ByMarket {
    spill: Spill,
    buckets: usize,
}

impl ByMarket {
    /// Has as many buckets as there are parts of homes.
    pub(crate) fn new(folder: &Path, parts: usize) -> Result<Self> {
        Ok(Self { spill: Spill::new(folder)?, buckets: parts.max(1) })
    }

    /// The number of buckets.
    pub(crate) fn count(&self) -> usize {
        self.buckets
    }

    /// The bucket of a market.
    pub(crate) fn bucket_of(&self, market: &str) -> usize {
        usize::try_from(hash(market) % self.buckets as u64).unwrap_or(0)
    }

    /// Stores a record of a market.
    pub(crate) fn put(&mut self, market: &str, body: &[u8]) -> Result<()> {
        let length = u16::try_from(market.len())?.to_le_bytes();
        self.spill.put(self.bucket_of(market), &[&length[..], market.as_bytes(), body].concat())
    }

    /// Passes the records of a bucket with their markets to `visit` and removes them.
    pub(crate) fn take(&mut self, bucket: usize, mut visit: impl FnMut(&str, &[u8]) -> Result<()>) -> Result<()> {
        self.spill.take(bucket, |record| -> Result<()> {
            let (length, rest) = record.split_first_chunk::<2>().ok_or("a record is truncated")?;
            let (market, body) = rest.split_at(usize::from(u16::from_le_bytes(*length)));
            visit(std::str::from_utf8(market)?, body)
        })
    }
}

/// Equal in every run of the same program.
fn hash(text: &str) -> u64 {
    let mut hasher = DefaultHasher::new();
    text.hash(&mut hasher);
    hasher.finish()
}

/// The markets of a bucket with the sums of their contributions.
pub(crate) fn sum_up(sums: &mut ByMarket, bucket: usize) -> Result<BTreeMap<String, Cells>> {
    let mut markets: BTreeMap<String, Cells> = BTreeMap::new();
    sums.take(bucket, |market, body| {
        let cells = Cells::from_bytes(body)?;
        match markets.get_mut(market) {
            Some(sum) => sum.merge(&cells),
            None => drop(markets.insert(market.to_owned(), cells)),
        }
        Ok(())
    })?;
    Ok(markets)
}
