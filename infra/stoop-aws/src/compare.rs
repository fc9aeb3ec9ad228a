use std::path::Path;

use anyhow::{Result, ensure};
use stoop_aws::{Clients, DynamoTables};
use stoop_embedded::{Difference, Found};

use crate::folder;
use crate::pull::{Pair, import_pair};
use crate::wrongs::Wrongs;

/// How a generation differs from the one that was pulled.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Compared {
    /// Homes in its table.
    pub homes: u64,
    /// Markets in its table.
    pub markets: u64,
    /// The difference. Of alerts it says which stand in one generation and not in the other, by the rules of the ledger that was
    /// pulled, or else the usual ones.
    pub difference: Difference,
    /// How many things are wrong with its items, as in [`crate::Pulled`].
    pub wrong: u64,
    /// The first of them, in words.
    pub wrongs: Vec<String>,
}

/// Compares what was pulled into a folder with another pair of tables. The folder is as before then. Sums of areas are not
/// compared: they follow from the markets, and [`crate::pull`] says where they do not.
///
/// # Errors
/// When something cannot be read or stored, or nothing was pulled into the folder.
pub async fn compare(clients: &Clients, folder: &Path, pair: &Pair, tell: &dyn Fn(&str)) -> Result<Compared> {
    let database = folder::open(folder, "stoop-aws compare")?;
    ensure!(!database.imported_objects()?.is_empty(), "nothing was pulled into {} yet", folder.display());
    let mut wrongs = Wrongs::default();
    let import = database.import_generation()?;
    let tables = DynamoTables::new(clients.dynamodb());
    let (homes, markets) = import_pair(&import, &tables, pair, &mut |_| {}, &mut wrongs, tell).await?;
    import.finish()?;
    let rules = database.newest_rules()?.unwrap_or_default();
    let difference = database.difference(&rules)?;
    database.forget_generations()?;
    Ok(Compared { homes, markets, difference, wrong: wrongs.count, wrongs: wrongs.named })
}

impl Compared {
    /// What differs, a line each; one that says that nothing does.
    #[must_use]
    pub fn in_words(&self) -> Vec<String> {
        let Difference { homes_gone, homes_new, homes_changed, markets, figures, alerts_new, alerts_gone, .. } =
            &self.difference;
        let reported: [(&str, &Found); 7] = [
            ("homes are in the folder alone", homes_gone),
            ("homes are in the tables alone", homes_new),
            ("homes are others in the tables", homes_changed),
            ("markets are others in the tables", markets),
            ("of their figures are others", figures),
            ("alerts stand in the tables alone, and the ledger does not know them", alerts_new),
            ("alerts stand in the folder alone", alerts_gone),
        ];
        let differ = reported.iter().filter_map(|(what, Found { count, first })| {
            first.as_ref().map(|first| format!("{count} {what}, the first: {first}"))
        });
        let mut lines: Vec<String> = differ.collect();
        if self.difference.unreadable > 0 {
            lines.push(format!("{} of what is in the folder this program cannot read", self.difference.unreadable));
        }
        if lines.is_empty() {
            lines.push(format!("equal: {} homes and {} markets", self.homes, self.markets));
        }
        lines
    }
}
