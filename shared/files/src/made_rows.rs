//! Rows that a reader makes of another format.

use csv::ByteRecord;

use crate::row::{RawRow, RowFault};

/// Rows of a format that is neither JSON nor CSV, made into one of them.
pub(crate) trait MadeRows: Send {
    /// The header, if rows are records.
    fn headers(&self) -> Option<&ByteRecord> {
        None
    }

    /// As [`Rows::next_row`](crate::Rows::next_row).
    fn next_row(&mut self) -> Option<Result<RawRow<'_>, RowFault>>;
}
