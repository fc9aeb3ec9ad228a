//! Whether rows can be believed and sent: one by one, by the share that is refused, and by what the source used to say.

mod files;
mod pages;
mod watch;

use stoop_domain::{Reason, Reject};

use super::change::Shown;
use crate::ports::Stream;

pub(super) use files::rows;
pub(super) use pages::{page, too_many};
pub(super) use watch::{learn, watch};

/// What a page shows, as far as it can be sent.
#[derive(Default)]
pub(super) struct Checked {
    pub(super) listings: Vec<Shown>,
    /// Listings whose rows are refused. They are there, whatever is wrong with them: they must not be taken for gone.
    pub(super) refused_ids: Vec<String>,
    /// Rows of which not even the ID was understood: any listing may be behind them.
    pub(super) unread_rows: u64,
    pub(super) rejects: Vec<Reject>,
}

/// Whether the stream can take a listing at all.
fn fits(shown: &Shown, stream: &dyn Stream) -> Result<(), (Reason, String)> {
    let (bytes, most) = (shown.line_bytes(), stream.record_bytes_max());
    if bytes <= most {
        return Ok(());
    }
    Err((Reason::TooLong, format!("the listing takes {bytes} bytes; a record of the stream has {most} at most")))
}
