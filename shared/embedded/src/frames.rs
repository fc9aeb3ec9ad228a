//! Frames of the lake: observations as lines of JSON, compressed, with a checksum.

use std::collections::VecDeque;
use std::io::{BufRead, BufReader, Read};
use std::path::Path;

use stoop_domain::Observation;
use stoop_pipeline::ports::PortError;
use zstd::bulk::Compressor;
use zstd::zstd_safe::{CParameter, compress_bound};

use crate::error::{Result, at, doing};

/// The size of lines at which a frame is compressed.
const CHUNK_BYTES: usize = 512 << 10;
const LEVEL: i32 = 1;

/// An error of reading a file line by line.
pub(crate) struct LineError(pub(crate) crate::error::BoxError);

impl From<PortError> for LineError {
    fn from(error: PortError) -> Self {
        Self(error.into())
    }
}

impl From<crate::error::BoxError> for LineError {
    fn from(error: crate::error::BoxError) -> Self {
        Self(error)
    }
}

/// Passes each line of compressed frames to `visit`, those of a frame after its checksum was compared.
pub(crate) fn each_line<E: From<PortError>>(
    frames: impl Read,
    path: &Path,
    visit: &mut impl FnMut(&[u8]) -> Result<(), E>,
) -> Result<(), E> {
    let mut frames = BufReader::new(frames);
    let mut lines = Vec::new();
    for number in 1_u64.. {
        let failed = |error| E::from(doing(format!("read frame {number} of the lake"))(at("decompress", path)(error)));
        if frames.fill_buf().map_err(failed)?.is_empty() {
            break;
        }
        let mut frame = zstd::Decoder::with_buffer(frames).map_err(failed)?.single_frame();
        frame.read_to_end(&mut lines).map_err(failed)?;
        frames = frame.finish();
        let whole = lines.iter().rposition(|byte| *byte == b'\n').map_or(0, |end| end + 1);
        lines[..whole].split_inclusive(|byte| *byte == b'\n').try_for_each(|line| visit(&line[..line.len() - 1]))?;
        lines.drain(..whole);
    }
    if lines.is_empty() { Ok(()) } else { visit(&lines) }
}

/// Compresses observations. Reuses its buffers for all commits.
pub(crate) struct FrameWriter {
    compressor: Compressor<'static>,
    chunk: Vec<u8>,
}

/// The observations of a commit on their way to the lake.
#[derive(Debug, Default)]
pub struct HeldObservations {
    pub(crate) rows: i64,
    pub(crate) first_at: i64,
    pub(crate) last_at: i64,
    /// Frames of about [`CHUNK_BYTES`] of lines each.
    pub(crate) frames: VecDeque<Vec<u8>>,
    /// The length of the frames.
    pub(crate) bytes: usize,
    /// Lines that are not compressed yet.
    pub(crate) lines: Vec<u8>,
}

/// The minimum number of observations per release; the last frame may add more.
const RELEASED_MIN: usize = 16_384;

impl HeldObservations {
    pub(crate) fn is_empty(&self) -> bool {
        self.rows == 0
    }

    pub(crate) fn memory_bytes(&self) -> usize {
        self.bytes + self.lines.len()
    }

    /// Takes the oldest observations out.
    pub(crate) fn release(&mut self) -> Result<Vec<Observation>> {
        let mut observations = Vec::new();
        let mut read = |lines: &[u8]| -> Result<()> {
            for line in lines.split(|byte| *byte == b'\n').filter(|line| !line.is_empty()) {
                observations.push(stoop_wire::decode(line)?);
            }
            Ok(())
        };
        let mut rows = 0;
        while rows < RELEASED_MIN
            && let Some(frame) = self.frames.pop_front()
        {
            let lines = zstd::decode_all(frame.as_slice())?;
            rows += lines.iter().filter(|byte| **byte == b'\n').count();
            read(&lines)?;
        }
        if rows == 0 {
            read(&std::mem::take(&mut self.lines))?;
        }
        Ok(observations)
    }
}

impl FrameWriter {
    pub(crate) fn new() -> Result<Self> {
        let mut compressor = Compressor::new(LEVEL)?;
        // With a checksum, a flipped bit on disk is an error of its frame and never a different home.
        compressor.set_parameter(CParameter::ChecksumFlag(true))?;
        Ok(Self { compressor, chunk: Vec::new() })
    }

    /// Adds observations.
    pub(crate) fn hold(&mut self, held: &mut HeldObservations, observations: &[&Observation]) -> Result<()> {
        for observation in observations {
            let at = observation.at.ms();
            if held.is_empty() {
                (held.first_at, held.last_at) = (at, at);
            }
            (held.first_at, held.last_at) = (held.first_at.min(at), held.last_at.max(at));
            held.rows += 1;
            stoop_wire::encode(observation, &mut held.lines);
            held.lines.push(b'\n');
            if held.lines.len() >= CHUNK_BYTES {
                self.compress(held)?;
            }
        }
        Ok(())
    }

    /// Compresses the lines so far into a frame. Whole chunks: zstd is a third faster on those than on a stream, whose
    /// beginning it must keep.
    pub(crate) fn compress(&mut self, held: &mut HeldObservations) -> Result<()> {
        if !held.lines.is_empty() {
            self.chunk.clear();
            self.chunk.reserve(compress_bound(held.lines.len()));
            self.compressor.compress_to_buffer(&held.lines, &mut self.chunk)?;
            held.bytes += self.chunk.len();
            held.frames.push_back(self.chunk.as_slice().into());
            held.lines.clear();
        }
        Ok(())
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "a test that cannot go on fails")]
mod tests {
    use super::*;

    #[test]
    fn damage_is_told_with_its_frame_and_no_line_of_that_frame_is_read() {
        let mut writer = FrameWriter::new().unwrap();
        let frames: Vec<Vec<u8>> = (0..3)
            .map(|number| {
                let mut held = HeldObservations {
                    lines: format!("a{number}\nb{number}\n").into_bytes(),
                    ..HeldObservations::default()
                };
                writer.compress(&mut held).unwrap();
                held.frames.pop_front().unwrap()
            })
            .collect();
        let read = |bytes: &[u8]| {
            let mut lines = Vec::new();
            let mut visit = |line: &[u8]| {
                lines.push(String::from_utf8_lossy(line).into_owned());
                Ok::<_, PortError>(())
            };
            let read = each_line(bytes, Path::new("x.zst"), &mut visit);
            (lines, read.map_err(|error| stoop_pipeline::with_causes(&error)))
        };
        assert_eq!(read(&frames.concat()), (["a0", "b0", "a1", "b1", "a2", "b2"].map(str::to_owned).to_vec(), Ok(())));
        let mut flipped = frames.clone();
        *flipped[1].last_mut().unwrap() ^= 1;
        let cut = &frames.concat()[..frames[0].len() + 3];
        for damaged in [&flipped.concat()[..], cut] {
            let (lines, read) = read(damaged);
            let message = read.unwrap_err();
            assert!(message.starts_with("read frame 2 of the lake: cannot decompress x.zst: "), "{message}");
            assert_eq!(lines, ["a0", "b0"]);
        }
        // A line may go on in the next frame, and the last one need not end.
        let parts = ["a", "b\nc", "d"].map(|part| zstd::encode_all(part.as_bytes(), LEVEL).unwrap());
        assert_eq!(read(&parts.concat()), (vec!["ab".to_owned(), "cd".to_owned()], Ok(())));
    }
}
