//! Checks whether rows can be sent: each row by itself, the share of refused rows, and drift from the source's past.

mod files;
mod pages;
mod watch;

use stoop_domain::{Reason, Reject};

use super::change::Shown;
use crate::ports::Stream;

pub(super) use files::rows;
pub(super) use pages::{page, too_many};
pub(super) use watch::{learn, watch};

/// The part of a page that can be sent.
#[derive(Default)]
pub(super) struct Checked {
    pub(super) listings: Vec<Shown>,
    /// Listings whose rows are refused. They exist, so they must not count as gone.
    pub(super) refused_ids: Vec<String>,
    /// Rows with an unreadable ID: they may be any listing.
    pub(super) unread_rows: u64,
    pub(super) rejects: Vec<Reject>,
}

/// Checks that the stream accepts a listing of this size.
fn fits(shown: &Shown, stream: &dyn Stream) -> Result<(), (Reason, String)> {
    let (bytes, most) = (shown.line_bytes(), stream.record_bytes_max());
    if bytes <= most {
        return Ok(());
    }
    Err((Reason::TooLong, format!("the listing takes {bytes} bytes; a record of the stream has {most} at most")))
}
