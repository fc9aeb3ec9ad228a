//! A row while a map reads it, and the result.

use std::fmt;

use regex::CaptureLocations;
use stoop_domain::{Listing, Reason, RefusedValue, Time};

use super::plan::Plan;

/// One row while a map reads it.
pub(super) struct Pass<'p, 'm, C> {
    pub(super) cells: C,
    pub(super) plan: &'p Plan,
    pub(super) scratch: &'m mut Scratch,
    pub(super) now: Time,
    /// Values of optional fields that cannot be read.
    pub(super) refused: Vec<RefusedValue>,
}

/// Scratch memory, reused between rows.
#[derive(Debug)]
pub(super) struct Scratch {
    /// Capture groups of each field's regex.
    pub(super) locations: Vec<Option<CaptureLocations>>,
    /// The last file name, and what the fields that read it found in it.
    pub(super) file_name: String,
    pub(super) from_file_name: Vec<Option<String>>,
}

/// Why a row is refused.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RowError {
    /// Reason code, for counts.
    pub reason: Reason,
    /// The field, its column and the value, as text.
    pub detail: String,
}

/// The content of a row before its time is known.
pub(super) struct RowContent {
    pub(super) native_id: String,
    pub(super) at: Option<Time>,
    pub(super) listing: Listing,
    pub(super) refused: Vec<RefusedValue>,
}

impl Scratch {
    /// Reads the file's name if it changed: rows of one file come together.
    pub(super) fn look_at(&mut self, file_name: &str, plan: &Plan) {
        if self.file_name == file_name {
            return;
        }
        file_name.clone_into(&mut self.file_name);
        for (recipe, found) in plan.fields.iter().zip(&mut self.from_file_name) {
            let regex = recipe.as_ref().and_then(|recipe| recipe.file_name());
            *found = regex.and_then(|regex| {
                let captures = regex.captures(file_name)?;
                let group = captures.iter().skip(1).flatten().next().or_else(|| captures.get(0))?;
                Some(group.as_str().to_owned())
            });
        }
    }
}

impl RowError {
    /// Truncates values in the message: a value may be as long as the row.
    #[cold]
    pub(super) fn new(reason: Reason, detail: impl Into<String>) -> Self {
        const DETAIL_MAX: usize = 900;
        let mut detail = detail.into();
        detail.truncate(detail.floor_char_boundary(DETAIL_MAX));
        Self { reason, detail }
    }
}

impl fmt::Display for RowError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.reason, self.detail)
    }
}

impl std::error::Error for RowError {}
