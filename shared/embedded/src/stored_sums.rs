//! The rows of `areas`: the sum of a wide area, with and without its series.

use rusqlite::{Connection, params};
use stoop_domain::Day;
use stoop_market::Wide;
use stoop_pipeline::{WideArea, WideLevel};

use crate::error::Result;
use crate::generation::Generation;

/// A low compression level, because sums are read and written often.
const COMPRESSION: i32 = 1;

/// The maximum size of a sum, which bounds the memory for corrupted bytes.
const SUM_BYTES_MAX: usize = 1 << 28;

/// The parts of a sum to read.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Parts {
    All,
    /// Without the series.
    Now,
}

pub(crate) fn read(
    connection: &Connection,
    generation: Generation,
    area: &WideArea,
    parts: Parts,
) -> Result<Option<Wide>> {
    let sql = match parts {
        Parts::All => format!("SELECT now, series FROM areas{generation} WHERE path = ?1 AND terms = ?2"),
        Parts::Now => format!("SELECT now, NULL FROM areas{generation} WHERE path = ?1 AND terms = ?2"),
    };
    let mut statement = connection.prepare_cached(&sql)?;
    let mut rows = statement.query([area.path(), &area.id().to_string()])?;
    let Some(row) = rows.next()? else { return Ok(None) };
    let unpacked = |column| -> Result<Option<Vec<u8>>> {
        let body = row.get_ref(column)?.as_blob_or_null()?;
        body.map(unpack).transpose()
    };
    let now = unpacked(0)?.ok_or("there is no sum")?;
    Ok(Some(Wide::from_bytes(&now, unpacked(1)?.as_deref())?))
}

fn unpack(body: &[u8]) -> Result<Vec<u8>> {
    let bytes = zstd::zstd_safe::get_frame_content_size(body).ok().flatten().ok_or("it is not a compressed sum")?;
    let bytes = usize::try_from(bytes)?;
    if bytes > SUM_BYTES_MAX {
        return Err(format!("it has {bytes} bytes, which is more than a sum can have").into());
    }
    Ok(zstd::bulk::decompress(body, bytes)?)
}

pub(crate) fn write(
    connection: &Connection,
    generation: Generation,
    area: &WideArea,
    first: Option<Day>,
    sum: &Wide,
) -> Result<()> {
    let [now, series] = sum.to_bytes().map(|bytes| zstd::bulk::compress(&bytes, COMPRESSION));
    let sql = format!(
        "INSERT INTO areas{generation}(path, terms, level, first, now, series) VALUES(?1, ?2, ?3, ?4, ?5, ?6)
         ON CONFLICT DO UPDATE SET first = excluded.first, now = excluded.now, series = excluded.series"
    );
    let first = first.map(|day| day.0);
    let row = params![area.path(), area.id().to_string(), depth(area.level()), first, now?, series?];
    connection.prepare_cached(&sql)?.execute(row)?;
    Ok(())
}

pub(crate) fn depth(level: WideLevel) -> i64 {
    level.depth() as i64
}
