//! Files in the folder of the lake that the database does not name.

use std::collections::HashSet;
use std::path::{Path, PathBuf};

use stoop_pipeline::ports::PortError;

use super::intents::lake_files;
use super::sealed::is_sealed;
use super::{FOLDER, objects};
use crate::database::Database;
use crate::error::Result;

const SUFFIX: &str = ".jsonl.zst";

/// A whole file in the folder of a lake.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct LakeFile {
    /// The number of observations before it when it was written, according to its name.
    pub seq: u64,
    /// The number of observations according to its name.
    pub rows: u64,
    /// The path within the data folder, with `/`.
    pub path: String,
}

impl LakeFile {
    /// All of a data folder, in the order of their numbers. Files with other names are none.
    pub(crate) fn all(data: &Path) -> Result<Vec<Self>> {
        let files = lake_files(&data.join(FOLDER))?;
        let mut files: Vec<Self> = files.iter().filter_map(|path| Self::of(data, path)).collect();
        files.sort();
        Ok(files)
    }

    fn of(data: &Path, path: &Path) -> Option<Self> {
        let parts: Vec<_> = path.strip_prefix(data).ok()?.iter().map(|part| part.to_string_lossy()).collect();
        let mut name = parts.last()?.strip_suffix(SUFFIX)?.splitn(3, '-');
        let (seq, rows, _token) = (name.next()?.parse().ok()?, name.next()?.parse().ok()?, name.next()?);
        Some(Self { seq, rows, path: parts.join("/") })
    }

    fn token(&self) -> &str {
        self.path.strip_suffix(SUFFIX).and_then(|name| name.rsplit_once('-')).map_or("", |(_, token)| token)
    }

    /// Where it is.
    pub(crate) fn on_disk(&self, data: &Path) -> PathBuf {
        data.join(&self.path)
    }

    /// Whether a commit has named it.
    pub(crate) fn is_sealed(&self, data: &Path) -> bool {
        is_sealed(&self.on_disk(data))
    }
}

impl Database {
    /// The files in the folder of the lake that this database does not name, in the order of their numbers: it is older than
    /// its lake, or another database has the same data folder. Files that a transaction may be writing are left out.
    ///
    /// # Errors
    /// If the folder or the list of files cannot be read.
    pub fn unknown_files(&self) -> Result<Vec<LakeFile>, PortError> {
        let files = self.files_of_lake()?;
        self.unknown_of(files)
    }

    /// The files in the folder of the lake.
    pub(crate) fn files_of_lake(&self) -> Result<Vec<LakeFile>, PortError> {
        LakeFile::all(self.data()).map_err(self.doing("list the files of the lake"))
    }

    /// Those of the files that this database does not name. They were listed before: one that is committed since is named.
    pub(crate) fn unknown_of(&self, files: Vec<LakeFile>) -> Result<Vec<LakeFile>, PortError> {
        let unknown = || -> Result<Vec<LakeFile>> {
            let mut inner = self.lock();
            let moment = inner.connection.savepoint()?;
            let named: HashSet<String> = objects(&moment)?.into_iter().map(|object| object.path).collect();
            let mut statement = moment.prepare_cached("SELECT token FROM lake_intents")?;
            let pending = statement.query_map([], |row| row.get(0))?.collect::<rusqlite::Result<HashSet<String>>>()?;
            let is_pending = |file: &LakeFile| pending.contains(file.token()) && !file.is_sealed(self.data());
            // One that is gone since was an orphan.
            let is_unknown = |file: &LakeFile| {
                !named.contains(&file.path) && !is_pending(file) && file.on_disk(self.data()).exists()
            };
            Ok(files.into_iter().filter(is_unknown).collect())
        };
        unknown().map_err(self.doing("read which files of the lake are known"))
    }
}
