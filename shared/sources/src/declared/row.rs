//! A row on its way through a map, and what it comes out as.

use std::fmt;

use regex::CaptureLocations;
use stoop_domain::{Listing, Reason, Time};

use super::plan::Plan;

/// One row on its way through a map.
pub(super) struct Pass<'p, 'm, C> {
    pub(super) cells: C,
    pub(super) plan: &'p Plan,
    pub(super) scratch: &'m mut Scratch,
    pub(super) now: Time,
}

/// Working memory.
#[derive(Debug)]
pub(super) struct Scratch {
    /// Where each field's regex matched.
    pub(super) locations: Vec<Option<CaptureLocations>>,
    /// The file name last seen, and what the fields that look at it found there.
    pub(super) file_name: String,
    pub(super) from_file_name: Vec<Option<String>>,
}

/// Why a row was refused.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RowError {
    /// The kind of reason, for counting.
    pub reason: Reason,
    /// The field, its column and the value, in words.
    pub detail: String,
}

/// What a row says, before it is known when.
pub(super) struct Parts {
    pub(super) native_id: String,
    pub(super) at: Option<Time>,
    pub(super) listing: Listing,
}

impl Scratch {
    /// Rows of one file come together, so that its name is read once and not once a row.
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
    /// A value of a row may be as long as the row; what is said of it is not.
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
