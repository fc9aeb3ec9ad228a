use std::path::Path;

use anyhow::{Result, ensure};
use stoop_aws::{Clients, DynamoTables};
use stoop_embedded::{Difference, Found};

use crate::folder;
use crate::pull::{Pair, import_pair};
use crate::wrongs::Wrongs;

/// The difference between a generation and the one that was pulled.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct GenerationDifference {
    /// Homes in its table.
    pub homes: u64,
    /// Markets in its table.
    pub markets: u64,
    /// The difference. Its alerts are those that only one generation gives, by the rules of the pulled ledger, or the
    /// default rules.
    pub difference: Difference,
    /// The number of errors in its items, as in [`crate::Pulled`].
    pub wrong: u64,
    /// The first errors, in words.
    pub wrongs: Vec<String>,
}

/// Compares what was pulled into a folder with another pair of tables, and leaves the folder as it was. Sums of areas
/// are not compared: they follow from the markets, and [`crate::pull`] checks that.
///
/// # Errors
///
/// Something cannot be read or stored, or nothing was pulled into the folder.
pub async fn compare(
    clients: &Clients,
    folder: &Path,
    pair: &Pair,
    report: &dyn Fn(&str),
) -> Result<GenerationDifference> {
    let database = folder::open(folder, "stoop-aws compare")?;
    ensure!(!database.imported_objects()?.is_empty(), "nothing was pulled into {} yet", folder.display());
    let merging = database.merging()?;
    ensure!(merging.is_none(), "the folder merges listings; `stoop merge off` makes it comparable");
    let mut wrongs = Wrongs::default();
    let import = database.import_generation()?;
    let tables = DynamoTables::new(clients.dynamodb());
    let (homes, markets) = import_pair(&import, &tables, pair, &mut |_| {}, &mut wrongs, report).await?;
    import.finish()?;
    let rules = database.newest_rules()?.unwrap_or_default();
    let difference = database.difference(&rules)?;
    database.forget_generations()?;
    Ok(GenerationDifference { homes, markets, difference, wrong: wrongs.count, wrongs: wrongs.named })
}

impl GenerationDifference {
    /// The differences, one per line, or a line saying that there are none.
    #[must_use]
    pub fn in_words(&self) -> Vec<String> {
        let Difference { homes_gone, homes_new, homes_changed, markets, figures, alerts_new, alerts_gone, .. } =
            &self.difference;
        let reported: [(&str, &Found); 7] = [
            ("homes are only in the folder", homes_gone),
            ("homes are only in the tables", homes_new),
            ("homes differ in the tables", homes_changed),
            ("markets differ in the tables", markets),
            ("of their figures differ", figures),
            ("alerts are only in the tables, and not in the ledger", alerts_new),
            ("alerts are only in the folder", alerts_gone),
        ];
        let differ = reported.iter().filter_map(|(what, Found { count, first })| {
            first.as_ref().map(|first| format!("{count} {what}, the first: {first}"))
        });
        let mut lines: Vec<String> = differ.collect();
        if self.difference.unreadable > 0 {
            lines.push(format!("this program cannot read {} of the entries in the folder", self.difference.unreadable));
        }
        if lines.is_empty() {
            lines.push(format!("equal: {} homes and {} markets", self.homes, self.markets));
        }
        lines
    }
}
