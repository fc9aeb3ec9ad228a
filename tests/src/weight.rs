//! The budgets for the sizes of the deployed functions.

use std::io::Write;
use std::path::Path;

use anyhow::{Context, Result};
use flate2::Compression;
use flate2::write::DeflateEncoder;

/// The functions, and the most MB of each zip. The poller contains every source, Parquet, Excel, XML and HTML, the api function the
/// gazetteer, the outlines of maps and every page.
pub const ZIP_MB_MAX: [(&str, f64); 6] =
    [("planner", 6.0), ("poller", 8.5), ("metrics", 6.0), ("rollup", 5.5), ("alerts", 6.0), ("api", 7.5)];

/// The same of the function that `infra/lake.yaml` deploys beside them: it has Delta's library.
pub const LAKE_ZIP_MB_MAX: f64 = 16.0;

/// The size of a binary in a zip, in MB of 1,000,000 bytes.
///
/// # Errors
///
/// It cannot be read.
pub fn zipped_mb(binary: &Path) -> Result<f64> {
    let bytes = std::fs::read(binary).with_context(|| format!("can't read {}", binary.display()))?;
    let mut encoder = DeflateEncoder::new(Vec::new(), Compression::default());
    encoder.write_all(&bytes)?;
    Ok(encoder.finish()?.len() as f64 / 1e6)
}
