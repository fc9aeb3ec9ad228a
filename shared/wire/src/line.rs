use serde::{Deserialize, Serialize};
use stoop_domain::{Observation, Reason};

/// The version of the line format that this program writes.
pub const VERSION: u32 = 1;

/// A line that is no observation.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum LineError {
    /// Written by a newer Stoop: update this one before it reads on.
    #[error("a line of format {0}; this program reads up to {VERSION}")]
    NewerVersion(u32),
    /// Not UTF-8.
    #[error("not UTF-8")]
    NotUtf8,
    /// Not JSON, or not an observation.
    #[error("{0}")]
    Unreadable(String),
}

#[derive(Serialize)]
struct LineOut<'a> {
    v: u32,
    #[serde(flatten)]
    observation: &'a Observation,
}

#[derive(Deserialize)]
struct Version {
    v: u32,
}

/// Appends an observation as one line of JSON, without the line's end.
pub fn encode(observation: &Observation, out: &mut Vec<u8>) {
    let start = out.len();
    if serde_json::to_writer(&mut *out, &LineOut { v: VERSION, observation }).is_err() {
        // Writing plain structs into memory does not fail; should it ever, no half line is left.
        out.truncate(start);
    }
}

/// Reads one line.
///
/// # Errors
/// When it is none of ours.
pub fn decode(line: &[u8]) -> Result<Observation, LineError> {
    if std::str::from_utf8(line).is_err() {
        return Err(LineError::NotUtf8);
    }
    let unreadable = |error: serde_json::Error| LineError::Unreadable(error.to_string());
    match serde_json::from_slice::<Observation>(line) {
        // The version is read a second time only where the line was not understood or may be newer;
        // unknown fields are ignored, so that a later version may add some under the same number.
        Ok(observation) if line.starts_with(b"{\"v\":1,") => Ok(observation),
        outcome => {
            let Version { v } = serde_json::from_slice(line).map_err(unreadable)?;
            if v > VERSION {
                return Err(LineError::NewerVersion(v));
            }
            outcome.map_err(unreadable)
        }
    }
}

/// The lines of a record that holds many; empty ones are left out.
pub fn lines(record: &[u8]) -> impl Iterator<Item = &[u8]> {
    record.split(|byte| *byte == b'\n').filter(|line| !line.is_empty())
}

impl LineError {
    /// The reason to give in quarantine.
    #[must_use]
    pub fn reason(&self) -> Reason {
        match self {
            Self::NewerVersion(_) => Reason::NewerVersion,
            Self::NotUtf8 => Reason::NotUtf8,
            Self::Unreadable(_) => Reason::Unreadable,
        }
    }
}
