use std::path::{Path, PathBuf};

use anyhow::{Context, Result, bail};
use serde::{Deserialize, Serialize};
use stoop_domain::{HomeId, Observation, home_id};
use stoop_pipeline::ports::Store;
use stoop_pipeline::{CacheLimits, MeasureError, Measured, Measurer};

use crate::folder;
use crate::pull::Pair;
use crate::wrongs::Wrongs;

/// The cache between steps: markets come again, homes never do.
const MEMORY: CacheLimits = CacheLimits { homes_max: 0, markets_max: 256 };

/// The result of [`load`].
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct LoadedState {
    /// Parts of the lake.
    pub parts: usize,
    /// Parts that an earlier call had loaded.
    pub parts_before: usize,
    /// The outcome of the observations in the other parts.
    pub measured: Measured,
    /// Homes larger than an item may be. They are not in the tables.
    pub homes_too_large: u64,
    /// The first of them, in words.
    pub too_large: Vec<String>,
}

/// The progress of a load, stored in the folder.
#[derive(Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
struct LoadProgress {
    /// The name of the lake.
    lake: String,
    /// The name of the program.
    program: String,
    parts_done: usize,
}

/// Computes the state of a folder's lake into the tables of `pair`, through a `store` on them, part by part. Each home
/// is written once, and other writers may run at the same time. After a kill or an error, the next call of the same
/// `program` continues with the same part; with another lake or program it starts over. Loading twice changes nothing.
/// `report` receives progress messages.
///
/// Needs memory for a few bytes of each home and the observations of a thousand of them.
///
/// # Errors
///
/// Something cannot be read or stored, or `stop` returns true; it is checked regularly.
pub async fn load(
    store: &dyn Store,
    folder: &Path,
    pair: &Pair,
    program: &str,
    stop: &dyn Fn() -> bool,
    report: &dyn Fn(&str),
) -> Result<LoadedState> {
    let database = folder::open_read(folder)?;
    let file = progress_file(folder, pair);
    let mut progress = LoadProgress { lake: database.lake_name()?, program: program.to_owned(), parts_done: 0 };
    if let Some(known) = read(&file)?
        && (&known.lake, &known.program) == (&progress.lake, &progress.program)
    {
        progress = known;
    }
    let mut lake = database.lake_by_home(progress.parts_done, stop)?;
    let mut loaded = LoadedState { parts: lake.count(), parts_before: progress.parts_done, ..LoadedState::default() };
    let mut too_large = Wrongs::default();
    let mut measurer = Measurer::new(store).with_memory(MEMORY);
    for part in progress.parts_done..lake.count() {
        for observations in lake.take(part)? {
            if stop() {
                bail!("stopped; the next load continues from here");
            }
            loaded.measured.add(&measure(&mut measurer, observations?, &mut too_large).await?);
        }
        progress.parts_done = part + 1;
        write(&file, &progress)?;
        let Measured { observations, new, conflicts, .. } = loaded.measured;
        let parts = loaded.parts;
        report(&format!(
            "part {} of {parts}: {new} homes are new, {observations} observations, {conflicts} conflicts",
            part + 1
        ));
    }
    (loaded.homes_too_large, loaded.too_large) = (too_large.count, too_large.named);
    Ok(loaded)
}

/// Measures, without the homes that do not fit.
async fn measure(
    measurer: &mut Measurer<'_>,
    mut observations: Vec<Observation>,
    too_large: &mut Wrongs,
) -> Result<Measured, MeasureError> {
    loop {
        let (home, bytes): (HomeId, usize) = match measurer.measure(&observations).await {
            Err(MeasureError::TooLarge { home, bytes }) => (home, bytes),
            other => return other,
        };
        let before = observations.len();
        observations.retain(|observation| home_id(observation) != home);
        if observations.len() == before {
            return Err(MeasureError::TooLarge { home, bytes });
        }
        too_large.note(format!("home {home} takes {bytes} bytes, more than an item may have"));
    }
}

/// Each pair of tables has its own file.
fn progress_file(folder: &Path, pair: &Pair) -> PathBuf {
    let name = blake3::hash(format!("{}\n{}", pair.homes, pair.markets).as_bytes()).to_hex();
    folder.join(format!("load-{}.json", &name[..16]))
}

fn read(file: &Path) -> Result<Option<LoadProgress>> {
    match std::fs::read(file) {
        Ok(bytes) => Ok(serde_json::from_slice(&bytes).ok()),
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => Ok(None),
        Err(error) => Err(error).with_context(|| format!("cannot read {}", file.display())),
    }
}

fn write(file: &Path, progress: &LoadProgress) -> Result<()> {
    let new = file.with_extension("json.tmp");
    let written = std::fs::write(&new, serde_json::to_vec(progress)?).and_then(|()| std::fs::rename(&new, file));
    written.with_context(|| format!("cannot write {}", file.display()))
}
