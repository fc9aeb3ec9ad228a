//! The closes of days that left a market's horizon, as bytes.

use stoop_domain::Day;
use stoop_market::{Close, Flows};

use super::base::unpack;

const VERSION: u8 = 1;
const LEVEL: i32 = 3;
/// More than the closes of any commit take: a million days.
const BYTES_MAX: u64 = 64 << 20;

/// Bytes that are no closes of ours.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("the closes are damaged, or were written by a newer Stoop")]
pub(super) struct ClosesError;

/// One close. [`Close`] itself flattens its flows, which postcard has no way to write.
type Row = (Day, i64, Option<f64>, Option<f64>, Flows);

/// Closes as bytes: a format byte, then postcard, compressed.
pub(super) fn to_bytes(closes: &[Close]) -> std::io::Result<Vec<u8>> {
    let row = |close: &Close| (close.day, close.active, close.median_price, close.mean_price, close.flows);
    let rows: Vec<Row> = closes.iter().map(row).collect();
    let rows = postcard::to_stdvec(&rows).map_err(std::io::Error::other)?;
    let mut bytes = vec![VERSION];
    bytes.extend(zstd::bulk::compress(&rows, LEVEL)?);
    Ok(bytes)
}

/// Reads what [`to_bytes`] wrote.
pub(super) fn from_bytes(bytes: &[u8]) -> Result<Vec<Close>, ClosesError> {
    let Some((&VERSION, body)) = bytes.split_first() else { return Err(ClosesError) };
    let body = unpack(body, BYTES_MAX).map_err(|_| ClosesError)?;
    let rows: Vec<Row> = postcard::from_bytes(&body).map_err(|_| ClosesError)?;
    let close = |(day, active, median_price, mean_price, flows)| Close { day, active, median_price, mean_price, flows };
    Ok(rows.into_iter().map(close).collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn closes_go_to_bytes_and_back_to_the_last_bit() {
        let flows = Flows { new: 1, gone: -7, ..Flows::default() };
        let close = |day| Close { day: Day(day), active: 9, median_price: Some(1.0 / 3.0), mean_price: None, flows };
        let closes: Vec<Close> = (-3..400).map(close).collect();
        let bytes = to_bytes(&closes).unwrap();
        assert_eq!(from_bytes(&bytes), Ok(closes));
        assert_eq!(from_bytes(&[]), Err(ClosesError));
        assert_eq!(from_bytes(&bytes[..9]), Err(ClosesError));
        assert_eq!(from_bytes(&[2, 0]), Err(ClosesError));
    }
}
