use std::fs::{File, OpenOptions};
use std::io::{Read, Seek, SeekFrom, Write};
use std::path::{Path, PathBuf};

use stoop_domain::{Alert, Verdict};
use stoop_pipeline::ports::PortError;
use stoop_pipeline::serve::AlertView;

use crate::database::{Database, file_bytes};
use crate::error::{Result, at, doing};

/// Alerts as lines of JSON in a file that follows the ledger.
///
/// The database holds up to which byte the file is known to be written. A process that dies between writing and saying
/// so left, behind that byte, a beginning of what is written next: it is completed and not repeated. So each alert
/// stands in the file once, wherever a process dies, as long as one database writes to it. After a loss of power
/// the last lines may be there twice, with the same ids.
///
/// What stands behind that byte and is not ours stays, and so does a file that was moved away: the next
/// line begins where the file ends.
#[derive(Debug)]
pub struct AlertFile {
    path: PathBuf,
}

/// The file's name among the followers of the ledger.
const NAME: &str = "alerts.jsonl";

/// Alerts written at a time.
const ALERTS_MAX: usize = 1_000;

impl AlertFile {
    /// This file, which is made, with its folder, when the first alert comes.
    #[must_use]
    pub fn new(path: &Path) -> Self {
        Self { path: path.to_owned() }
    }

    /// Whether the ledger holds nothing that is still to be written.
    ///
    /// # Errors
    /// When it cannot be read.
    pub fn is_in_step(&self, ledger: &Database) -> Result<bool, PortError> {
        let (seq, _) = ledger.place_of(NAME)?.unwrap_or_default();
        Ok(ledger.alerts_after(seq, 1)?.is_empty())
    }

    /// Writes every alert of the ledger that was told and is not in the file yet, and calls `written` with each once it is
    /// known to be there. One process at a time.
    ///
    /// # Errors
    /// When the ledger cannot be read, or the file not written. The next call goes on there.
    pub fn follow(&self, ledger: &Database, mut written: impl FnMut(&Alert)) -> Result<(), PortError> {
        loop {
            let (seq, bytes) = ledger.place_of(NAME)?.unwrap_or_default();
            let alerts = ledger.alerts_after(seq, ALERTS_MAX)?;
            let Some((last, _)) = alerts.last() else { return Ok(()) };
            let reported: Vec<&Alert> =
                alerts.iter().map(|(_, alert)| alert).filter(|alert| alert.verdict == Verdict::Alert).collect();
            let bytes = match bytes {
                _ if reported.is_empty() => bytes,
                Some(bytes) => Some(self.write(bytes, &reported)?),
                None => {
                    // From here on the file is followed: what it holds by now is not ours.
                    let length = file_bytes(&self.path);
                    ledger.set_place_of(NAME, seq, Some(length))?;
                    Some(self.write(length, &reported)?)
                }
            };
            ledger.set_place_of(NAME, *last, bytes)?;
            reported.into_iter().for_each(&mut written);
        }
    }

    /// Writes these lines behind that byte. Gives the byte behind them.
    fn write(&self, behind: u64, reported: &[&Alert]) -> Result<u64, PortError> {
        let write = || -> Result<u64> {
            let mut lines = Vec::new();
            for alert in reported {
                serde_json::to_writer(&mut lines, &AlertView::of(alert))?;
                lines.push(b'\n');
            }
            Ok(append(&self.path, behind, &lines).map_err(at("append to", &self.path))?)
        };
        write().map_err(doing(format!("write {} alerts to the file", reported.len())))
    }
}

/// The file is opened each time, so that one that was moved away or deleted meanwhile begins anew.
fn append(path: &Path, behind: u64, lines: &[u8]) -> std::io::Result<u64> {
    if let Some(folder) = path.parent() {
        std::fs::create_dir_all(folder)?;
    }
    let mut file = OpenOptions::new().read(true).append(true).create(true).open(path)?;
    let length = file.metadata()?.len();
    let begun = begun(&mut file, behind, length, lines)?;
    if begun == 0 && length > 0 && bytes_at(&mut file, length - 1, 1)? != b"\n" {
        // A line that somebody else left open.
        file.write_all(b"\n")?;
    }
    file.write_all(&lines[begun..])?;
    file.sync_data()?;
    Ok(file.metadata()?.len())
}

/// How many bytes of these lines stand at the end of the file already.
fn begun(file: &mut File, behind: u64, length: u64, lines: &[u8]) -> std::io::Result<usize> {
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
