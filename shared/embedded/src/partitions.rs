//! The lake parted by home, so that all that is known of some homes can be recomputed at a time.

use std::hash::{DefaultHasher, Hash, Hasher};
use std::path::{Path, PathBuf};

use rustc_hash::FxHashMap;
use stoop_domain::{HomeId, Observation, Time, home_id};
use stoop_pipeline::ports::PortError;

use crate::database::Database;
use crate::error::{BoxError, Result, doing};
use crate::spill::Spill;

/// So many homes are a part, or more where there would be more than [`PARTS_MAX`] parts.
const HOMES: usize = 16_384;
const PARTS_MAX: usize = 1_024;

/// The observations of a lake in parts: those of one home are in one part, in the order of the lake. The first homes that the
/// lake tells of are the first part, the next ones the second, and so on: homes are stored in that order, which makes
/// batches touch few pages.
pub(crate) struct Partitions {
    spill: Spill,
    /// The part of each home, by the hash of its id. Where two have the same hash, they are in the same part.
    part_of: FxHashMap<u64, u32>,
    parts: usize,
    /// How many observations the lake has, and the time of the newest.
    pub(crate) observations: u64,
    pub(crate) newest: Option<Time>,
}

impl Partitions {
    /// Reads the lake. What `keep` says no to, and parts before the part `from`, are read and left out. `stop` is asked
    /// now and then whether to leave off.
    pub(crate) fn of_lake(
        database: &Database,
        from: usize,
        keep: impl Fn(&Observation) -> bool,
        stop: &dyn Fn() -> bool,
    ) -> Result<Self, PortError> {
        let homes = HOMES.max(usize::try_from(database.lake_count()?).unwrap_or(usize::MAX) / PARTS_MAX);
        let spill = Spill::new(database.data()).map_err(database.doing("put observations aside"))?;
        let mut parted = Self { spill, part_of: FxHashMap::default(), parts: 0, observations: 0, newest: None };
        database.observations(|line| -> Result<(), PortError> {
            let failed = |error: BoxError| PortError::new("read the lake", error);
            let observation = stoop_wire::decode(line).map_err(|error| failed(error.into()))?;
            parted.observations += 1;
            parted.newest = parted.newest.max(Some(observation.at));
            if parted.observations.is_multiple_of(4_096) && stop() {
                return Err(PortError::new("read the lake", "it was told to stop"));
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
            parted.spill.put(part, line).map_err(database.doing("put observations aside"))
        })?;
        Ok(parted)
    }

    /// How many parts there are.
    pub(crate) fn count(&self) -> usize {
        self.parts
    }

    /// In which part a home is; `None` where the lake has no observation of it.
    pub(crate) fn part_of(&self, home: &str) -> Option<usize> {
        self.part_of.get(&hash(home)).map(|part| *part as usize)
    }

    /// Shows the observations of a part, and forgets them.
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

/// So many homes of a part are shown at a time.
const HOMES_SHOWN: usize = 1_024;

/// The lake of a [`Database`] in parts, to be shown some homes at a time: see [`Database::lake_by_home`].
pub struct LakeByHome {
    parts: Partitions,
    folder: PathBuf,
}

/// The homes of a part, some at a time.
pub struct HomesOfPart {
    spill: Spill,
    next: usize,
    count: usize,
}

impl Database {
    /// Puts the observations of each home together. The same lake makes the same parts; those before the part `from` are left
    /// out. Takes memory for some bytes of each home; what is put aside lies in a file of the data folder.
    ///
    /// # Errors
    /// When the lake cannot be read, or `stop` says yes, which is asked now and then.
    pub fn lake_by_home(&self, from: usize, stop: &dyn Fn() -> bool) -> Result<LakeByHome, PortError> {
        let parts = Partitions::of_lake(self, from, |_| true, stop)?;
        Ok(LakeByHome { parts, folder: self.data().to_owned() })
    }
}

impl LakeByHome {
    /// How many parts there are.
    #[must_use]
    pub fn count(&self) -> usize {
        self.parts.count()
    }

    /// The homes of a part, which is forgotten.
    ///
    /// # Errors
    /// When it cannot be read.
    pub fn take(&mut self, part: usize) -> Result<HomesOfPart, PortError> {
        let mut take = || -> Result<HomesOfPart> {
            let mut spill = Spill::new(&self.folder)?;
            let mut place_of: FxHashMap<HomeId, usize> = FxHashMap::default();
            let mut line = Vec::new();
            self.parts.take(part, |id, observation| {
                let next = place_of.len();
                let place = *place_of.entry(id).or_insert(next);
                line.clear();
                stoop_wire::encode(&observation, &mut line);
                spill.put(place / HOMES_SHOWN, &line)
            })?;
            Ok(HomesOfPart { spill, next: 0, count: place_of.len().div_ceil(HOMES_SHOWN) })
        };
        take().map_err(doing("put the observations of homes together"))
    }
}

impl Iterator for HomesOfPart {
    /// All observations of some homes, those of each in the order of the lake.
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
        Some(taken.map(|()| observations).map_err(doing("put the observations of homes together")))
    }
}

/// Things of markets put aside, to be taken up again some markets at a time.
pub(crate) struct ByMarket {
    spill: Spill,
    buckets: usize,
}

impl ByMarket {
    /// As many buckets as there are parts of homes.
    pub(crate) fn new(folder: &Path, parts: usize) -> Result<Self> {
        Ok(Self { spill: Spill::new(folder)?, buckets: parts.max(1) })
    }

    /// How many buckets there are.
    pub(crate) fn count(&self) -> usize {
        self.buckets
    }

    /// In which bucket a market is.
    pub(crate) fn bucket_of(&self, market: &str) -> usize {
        usize::try_from(hash(market) % self.buckets as u64).unwrap_or(0)
    }

    /// Puts something aside.
    pub(crate) fn put(&mut self, market: &str, body: &[u8]) -> Result<()> {
        let length = u16::try_from(market.len())?.to_le_bytes();
        self.spill.put(self.bucket_of(market), &[&length[..], market.as_bytes(), body].concat())
    }

    /// Shows what was put aside, each with its market, and forgets it.
    pub(crate) fn take(&mut self, bucket: usize, mut visit: impl FnMut(&str, &[u8]) -> Result<()>) -> Result<()> {
        self.spill.take(bucket, |record| -> Result<()> {
            let (length, rest) = record.split_first_chunk::<2>().ok_or("a record is cut short")?;
            let (market, body) = rest.split_at(usize::from(u16::from_le_bytes(*length)));
            visit(std::str::from_utf8(market)?, body)
        })
    }
}

/// The same in every run of one program.
fn hash(text: &str) -> u64 {
    let mut hasher = DefaultHasher::new();
    text.hash(&mut hasher);
    hasher.finish()
}
