//! Input files of a command: named, or standard input.

use std::fs::File;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::UNIX_EPOCH;

use anyhow::Context;
use stoop_domain::Time;
use stoop_files::{LocalBytes, NAMELESS, ReadAt, Stopping};

use crate::failure::usage;
use crate::stop::Stop;

/// The file name that means standard input.
const STDIN: &str = "-";

/// A file that can be read from any offset, more than once.
pub(crate) struct Input {
    /// The name in messages and positions.
    pub(crate) name: PathBuf,
    bytes: Arc<dyn ReadAt>,
    /// When it was last written; `None` for standard input.
    pub(crate) written: Option<Time>,
}

impl Input {
    /// Opens a file. `-` is standard input, which is copied into a temporary file first: archives and samples are not
    /// read from beginning to end.
    pub(crate) fn open(path: &Path) -> anyhow::Result<Self> {
        if Self::is_stdin(path) {
            let mut file = tempfile::tempfile().context("making a temporary file for standard input")?;
            io::copy(&mut io::stdin().lock(), &mut file).context("putting standard input into a temporary file")?;
            let bytes = LocalBytes::new(file).context("reading the temporary file of standard input")?;
            return Ok(Self { name: NAMELESS.into(), bytes: Arc::new(bytes), written: None });
        }
        let shown = path.display();
        // Opening a pipe waits for a writer, so check the file type first.
        if std::fs::metadata(path).is_ok_and(|metadata| !metadata.is_file() && !metadata.is_dir()) {
            return Err(usage(format!(
                "{shown}: this is a pipe or a device; accepted: a file, or - for standard input"
            )));
        }
        let file = File::open(path).map_err(|error| match error.kind() {
            io::ErrorKind::NotFound => usage(format!("{shown}: there is no such file")),
            _ => usage(format!("{shown}: {error}")),
        })?;
        let metadata = file.metadata().map_err(|error| usage(format!("{shown}: {error}")))?;
        if metadata.is_dir() {
            return Err(usage(format!("{shown}: this is a folder; give the files in it")));
        }
        let since = metadata.modified().ok().map(|written| written.duration_since(UNIX_EPOCH).unwrap_or_default());
        let written = since.map(|since| Time::from_ms(i64::try_from(since.as_millis()).unwrap_or(i64::MAX)));
        let bytes = LocalBytes::new(file).map_err(|error| usage(format!("{shown}: {error}")))?;
        Ok(Self { name: path.to_owned(), bytes: Arc::new(bytes), written })
    }

    /// An answer of a server, as a file of this name.
    pub(crate) fn of_bytes(name: PathBuf, bytes: Arc<dyn ReadAt>) -> Self {
        Self { name, bytes, written: None }
    }

    /// Wraps the file so that reads end once a stop is asked for.
    pub(crate) fn until(self, stop: &Stop) -> Self {
        let stop = stop.clone();
        let bytes = Stopping::new(self.bytes, Arc::new(move || stop.is_set()));
        Self { bytes: Arc::new(bytes), ..self }
    }

    /// Whether the name means standard input.
    pub(crate) fn is_stdin(path: &Path) -> bool {
        path.as_os_str() == STDIN
    }

    pub(crate) fn bytes(&self) -> Arc<dyn ReadAt> {
        Arc::clone(&self.bytes)
    }
}
