use std::fs::{File, OpenOptions};
use std::io::{Read, Seek, SeekFrom, Write};
use std::path::{Path, PathBuf};

use stoop_domain::{Alert, Verdict};
use stoop_pipeline::ports::PortError;
use stoop_serve::AlertView;

use crate::database::{Database, file_bytes};
use crate::error::{Result, at, doing};
use crate::files::make_folder;
use crate::ledgers::intact;

/// A JSON Lines file of alerts that follows the ledger.
///
/// The database stores the length up to which the file is known to be written. If a process dies between writing and
/// storing, the bytes after that length are a prefix of the next write: it is completed, not repeated. Each alert is
/// therefore in the file once, wherever a process dies, as long as one database writes to it. After a loss of power the
/// last lines may occur twice, with the same IDs.
///
/// Foreign bytes after that length are kept, and the next line is appended at the end of the file. A file that was
/// moved away starts again.
#[derive(Debug)]
pub struct AlertFile {
    path: PathBuf,
}

/// The name of the file, in the data folder and among the followers of the ledger.
pub(crate) const NAME: &str = "alerts.jsonl";

/// Alerts per write.
const ALERTS_MAX: usize = 1_000;

impl AlertFile {
    /// The file at `path`. It and its folder are created with the first alert.
    #[must_use]
    pub fn new(path: &Path) -> Self {
        Self { path: path.to_owned() }
    }

    /// Whether all alerts of the ledger are written.
    ///
    /// # Errors
    /// If the ledger cannot be read.
    pub fn is_in_step(&self, ledger: &Database) -> Result<bool, PortError> {
        let (seq, _) = ledger.place_of(NAME)?.unwrap_or_default();
        Ok(ledger.alerts_after(seq, 1)?.is_empty())
    }

    /// Writes every alert that is to be sent and is not in the file yet. Calls `written` with each one once it is
    /// stored, unless it repeats one of another listing of its home. Only one process may call this at a time.
    ///
    /// # Errors
    /// If the ledger cannot be read or the file cannot be written. The next call continues from there.
    pub fn follow(&self, ledger: &Database, mut written: impl FnMut(&Alert)) -> Result<(), PortError> {
        loop {
            let (seq, bytes) = ledger.place_of(NAME)?.unwrap_or_default();
            let alerts = ledger.alerts_after(seq, ALERTS_MAX)?;
            let Some((last, _)) = alerts.last() else { return Ok(()) };
            let last = *last;
            let alerts = alerts.into_iter().filter_map(|(position, alert)| Some((position, intact(alert)?)));
            let (positions, alerts_sent): (Vec<i64>, Vec<Alert>) =
                alerts.filter(|(_, alert)| alert.verdict == Verdict::Alert).unzip();
            let bytes = match bytes {
                _ if alerts_sent.is_empty() => bytes,
                Some(bytes) => Some(self.write(bytes, &alerts_sent)?),
                None => {
                    // The file is followed from here on. Its content so far is foreign.
                    let length = file_bytes(&self.path);
                    ledger.set_place_of(NAME, seq, Some(length))?;
                    Some(self.write(length, &alerts_sent)?)
                }
            };
            ledger.set_place_of(NAME, last, bytes)?;
            for (position, alert) in positions.into_iter().zip(&alerts_sent) {
                if !ledger.is_repeat(position, alert)? {
                    written(alert);
                }
            }
        }
    }

    /// Writes these lines after byte `behind`. Returns the new end.
    fn write(&self, behind: u64, alerts_sent: &[Alert]) -> Result<u64, PortError> {
        let write = || -> Result<u64> {
            let mut lines = Vec::new();
            for alert in alerts_sent {
                // The lines never change, so that one that was written is recognised.
                serde_json::to_writer(&mut lines, &AlertView { withdrawn_at: None, ..AlertView::of(alert) })?;
                lines.push(b'\n');
            }
            Ok(append(&self.path, behind, &lines).map_err(at("append to", &self.path))?)
        };
        write().map_err(doing(format!("write {} alerts to the file", alerts_sent.len())))
    }
}

/// Opens the file each time, so that a file that was moved away or deleted starts again.
fn append(path: &Path, behind: u64, lines: &[u8]) -> std::io::Result<u64> {
    if let Some(folder) = path.parent() {
        make_folder(folder)?;
    }
    let mut file = OpenOptions::new().read(true).append(true).create(true).open(path)?;
    let length = file.metadata()?.len();
    let written_bytes = written_bytes(&mut file, behind, length, lines)?;
    if written_bytes == 0 && length > 0 && bytes_at(&mut file, length - 1, 1)? != b"\n" {
        // Ends a foreign line without a line break.
        file.write_all(b"\n")?;
    }
    file.write_all(&lines[written_bytes..])?;
    file.sync_data()?;
    Ok(file.metadata()?.len())
}

/// The number of bytes of these lines that are at the end of the file already.
fn written_bytes(file: &mut File, behind: u64, length: u64, lines: &[u8]) -> std::io::Result<usize> {
    match length.checked_sub(behind).and_then(|rest| usize::try_from(rest).ok()) {
        Some(rest) if (1..=lines.len()).contains(&rest) => {
            let is_ours = bytes_at(file, length - rest as u64, rest)? == lines[..rest];
            Ok(if is_ours { rest } else { 0 })
        }
        _ => Ok(0),
    }
}

fn bytes_at(file: &mut File, at: u64, count: usize) -> std::io::Result<Vec<u8>> {
    let mut bytes = vec![0; count];
    file.seek(SeekFrom::Start(at))?;
    file.read_exact(&mut bytes)?;
    Ok(bytes)
}
