//! Checks the rows of a page: each by itself, the share of refused rows, and drift.

mod files;
mod pages;
mod watch;

use stoop_domain::{Reason, RefusedValue, Reject, Time};

use super::change::{ShownListing, raw_of};
use crate::Refusals;
use crate::ports::Stream;

pub(super) use files::rows;
pub(super) use pages::{page, too_many};
pub(super) use watch::{learn, watch};

/// A page after its rows were checked.
#[derive(Default)]
pub(super) struct CheckedPage {
    pub(super) listings: Vec<ShownListing>,
    /// The native IDs of refused rows. The source shows these listings, so they are not missing.
    pub(super) refused_ids: Vec<String>,
    /// Rows without a readable ID. Each may be any listing.
    pub(super) unread_rows: u64,
    pub(super) rejects: Vec<Reject>,
}

impl CheckedPage {
    /// Accepts a row, without the `refused` values. The first of them are kept for the quarantine.
    fn accept(
        &mut self,
        shown: ShownListing,
        refused: Vec<RefusedValue>,
        location: String,
        now: Time,
        refusals: &mut Refusals,
    ) {
        refusals.pass(1);
        if !refused.is_empty() {
            let observation = &shown.observation;
            let raw = raw_of(observation.listing.clone());
            let reject = |value| Reject::of_value(&observation.source, now, location.clone(), value, &raw);
            self.rejects.extend(refusals.refuse_values(refused.into_iter().map(reject)));
        }
        self.listings.push(shown);
    }

    /// Refuses a row. The first rejects of each reason are kept for the quarantine.
    fn refuse(&mut self, native_id: Option<String>, reject: Reject, refusals: &mut Refusals) {
        match native_id {
            Some(native_id) => self.refused_ids.push(native_id),
            None => self.unread_rows += 1,
        }
        self.rejects.extend(refusals.refuse(reject));
    }
}

/// Checks whether a record of the stream has room for a listing.
fn fits(shown: &ShownListing, stream: &dyn Stream) -> Result<(), (Reason, String)> {
    let (bytes, most) = (shown.line_bytes(), stream.record_bytes_max());
    if bytes <= most {
        return Ok(());
    }
    Err((Reason::TooLong, format!("the listing takes {bytes} bytes; a record of the stream has {most} at most")))
}
