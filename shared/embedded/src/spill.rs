//! Records in buckets that are read back one bucket at a time. Few records stay in memory; more go to a temporary file.

use std::fs::{self, File};
use std::io::{Read, Seek, SeekFrom, Write};
use std::path::{Path, PathBuf};

use stoop_pipeline::ports::FailureKind;
use zstd::bulk::{Compressor, Decompressor};

use crate::error::{Result, at};
use crate::failure::Failure;
use crate::files::make_folder;

/// Bytes of a bucket that are compressed together.
const FRAME_BYTES: usize = 32 << 10;

/// Compressed bytes that stay in memory.
const MEMORY_BYTES: usize = 32 << 20;

const LEVEL: i32 = 1;

/// The prefix of the temporary files. No other files in a data folder have it.
const PREFIX: &str = "scratch-";

/// Buckets of records.
pub(crate) struct Spill {
    folder: PathBuf,
    scratch: Option<Scratch>,
    buckets: Vec<Bucket>,
    /// Compressed bytes in memory.
    held: usize,
    compressor: Compressor<'static>,
    decompressor: Decompressor<'static>,
}

#[derive(Default)]
struct Bucket {
    /// Records that are not compressed yet, each after its length.
    raw: Vec<u8>,
    frames: Vec<SpillFrame>,
}

enum SpillFrame {
    Memory { body: Vec<u8>, raw_bytes: usize },
    Disk { from: u64, bytes: usize, raw_bytes: usize },
}

impl Spill {
    /// Empty buckets. The temporary file, if needed, is created in this folder.
    pub(crate) fn new(folder: &Path) -> Result<Self> {
        Ok(Self {
            folder: folder.to_owned(),
            scratch: None,
            buckets: Vec::new(),
            held: 0,
            compressor: Compressor::new(LEVEL)?,
            decompressor: Decompressor::new()?,
        })
    }

    /// Adds a record to a bucket.
    pub(crate) fn put(&mut self, bucket: usize, record: &[u8]) -> Result<()> {
        if bucket >= self.buckets.len() {
            self.buckets.resize_with(bucket + 1, Bucket::default);
        }
        let raw = &mut self.buckets[bucket].raw;
        raw.extend_from_slice(&u32::try_from(record.len())?.to_le_bytes());
        raw.extend_from_slice(record);
        if raw.len() < FRAME_BYTES {
            return Ok(());
        }
        let (raw_bytes, raw) = (raw.len(), std::mem::take(raw));
        let body = self.compressor.compress(&raw)?;
        self.held += body.len();
        self.buckets[bucket].frames.push(SpillFrame::Memory { body, raw_bytes });
        if self.held > MEMORY_BYTES { self.put_on_disk() } else { Ok(()) }
    }

    /// Passes the records of a bucket to `visit` in order, and removes them.
    pub(crate) fn take<E: From<crate::error::BoxError>>(
        &mut self,
        bucket: usize,
        mut visit: impl FnMut(&[u8]) -> Result<(), E>,
    ) -> Result<(), E> {
        let Some(bucket) = self.buckets.get_mut(bucket) else { return Ok(()) };
        let Bucket { raw, frames } = std::mem::take(bucket);
        for frame in frames {
            let records = match frame {
                SpillFrame::Memory { body, raw_bytes } => {
                    self.held -= body.len();
                    self.decompressor.decompress(&body, raw_bytes).map_err(crate::error::BoxError::from)?
                }
                SpillFrame::Disk { from, bytes, raw_bytes } => {
                    let scratch =
                        self.scratch.as_mut().ok_or_else(|| crate::error::BoxError::from("no scratch file"))?;
                    let body = scratch.read(from, bytes)?;
                    self.decompressor.decompress(&body, raw_bytes).map_err(crate::error::BoxError::from)?
                }
            };
            each_record(&records, &mut visit)?;
        }
        each_record(&raw, &mut visit)
    }

    fn put_on_disk(&mut self) -> Result<()> {
        let scratch = match &mut self.scratch {
            Some(scratch) => scratch,
            none => none.insert(Scratch::new(&self.folder)?),
        };
        for bucket in &mut self.buckets {
            for frame in &mut bucket.frames {
                if let SpillFrame::Memory { body, raw_bytes } = frame {
                    let (from, bytes, raw_bytes) = (scratch.append(body)?, body.len(), *raw_bytes);
                    *frame = SpillFrame::Disk { from, bytes, raw_bytes };
                }
            }
        }
        self.held = 0;
        Ok(())
    }
}

fn each_record<E>(mut records: &[u8], visit: &mut impl FnMut(&[u8]) -> Result<(), E>) -> Result<(), E> {
    while let Some((length, rest)) = records.split_first_chunk::<4>() {
        let (record, rest) = rest.split_at(u32::from_le_bytes(*length) as usize);
        visit(record)?;
        records = rest;
    }
    Ok(())
}

/// A file that is removed after use. It is locked while it is in use, so that the next process can recognize the file
/// of a killed process.
struct Scratch {
    path: PathBuf,
    file: File,
    bytes: u64,
}

impl Scratch {
    fn new(folder: &Path) -> Result<Self> {
        make_folder(folder).map_err(at("make", folder))?;
        sweep(folder)?;
        for number in 0_u32.. {
            let path = folder.join(format!("{PREFIX}{}-{number}", std::process::id()));
            match File::options().read(true).write(true).create_new(true).open(&path) {
                Err(error) if error.kind() == std::io::ErrorKind::AlreadyExists => {}
                file => {
                    let file = file.map_err(at("make", &path))?;
                    file.lock().map_err(at("lock", &path))?;
                    return Ok(Self { path, file, bytes: 0 });
                }
            }
        }
        Err(Failure::boxed(FailureKind::Unavailable, "there is no free name for a scratch file"))
    }

    fn append(&mut self, body: &[u8]) -> Result<u64> {
        let from = self.bytes;
        self.file.seek(SeekFrom::Start(from)).map_err(at("write", &self.path))?;
        self.file.write_all(body).map_err(at("write", &self.path))?;
        self.bytes += body.len() as u64;
        Ok(from)
    }

    fn read(&mut self, from: u64, bytes: usize) -> Result<Vec<u8>> {
        let mut body = vec![0; bytes];
        self.file.seek(SeekFrom::Start(from)).map_err(at("read", &self.path))?;
        self.file.read_exact(&mut body).map_err(at("read", &self.path))?;
        Ok(body)
    }
}

impl Drop for Scratch {
    fn drop(&mut self) {
        // If this fails, the next process removes it.
        drop(fs::remove_file(&self.path));
    }
}

/// Removes the files of killed processes.
pub(crate) fn sweep(folder: &Path) -> Result<()> {
    let Ok(entries) = fs::read_dir(folder) else { return Ok(()) };
    for entry in entries {
        let path = entry.map_err(at("list", folder))?.path();
        let is_ours = path.file_name().is_some_and(|name| name.to_string_lossy().starts_with(PREFIX));
        // If the lock cannot be checked, the file is kept.
        if is_ours && File::open(&path).is_ok_and(|file| file.try_lock().is_ok()) {
            fs::remove_file(&path).map_err(at("remove", &path))?;
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn names(folder: &Path) -> Vec<String> {
        fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().file_name().to_string_lossy().into_owned()).collect()
    }

    /// A record that does not compress.
    fn record(n: u64) -> Vec<u8> {
        let mut dice = stoop_dice::Dice::new(n);
        (0..20_000).map(|_| dice.below(256_u64) as u8).collect()
    }

    #[test]
    fn records_are_read_back_in_order_from_memory_and_disk() {
        let folder = tempfile::TempDir::new().unwrap();
        let left = folder.path().join(format!("{PREFIX}1-0"));
        for count in [30_u64, 4_000] {
            fs::write(&left, "of a killed process").unwrap();
            let mut spill = Spill::new(folder.path()).unwrap();
            for n in 0..count {
                spill.put((n % 7) as usize, &record(n)).unwrap();
            }
            let is_large = count > 1_000;
            assert_eq!(names(folder.path()).len(), 1, "{:?}", names(folder.path()));
            assert_eq!(left.exists(), !is_large, "creating a file removes files of killed processes");
            for bucket in [3, 0, 6, 1, 2, 4, 5] {
                let mut next = bucket as u64;
                let visit = |found: &[u8]| -> Result<()> {
                    assert_eq!(found, record(next));
                    next += 7;
                    Ok(())
                };
                spill.take(bucket, visit).unwrap();
                assert!(next >= count);
            }
            // The file of a live process is kept.
            sweep(folder.path()).unwrap();
            assert_eq!(names(folder.path()).len(), usize::from(is_large));
        }
        assert_eq!(names(folder.path()), Vec::<String>::new());
    }
}
