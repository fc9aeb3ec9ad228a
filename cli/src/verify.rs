//! `stoop verify`: the state recomputed from the stored observations, compared with the stored one.

use std::process::ExitCode;

use serde_json::json;
use stoop_embedded::Database;
use stoop_pipeline::Recomputation;

use crate::args::{JsonArgs, StoreArgs};
use crate::failure::not_opened;
use crate::out::{self, say};
use crate::show::count;
use crate::views::warn_of_unread;

/// Homes compared at a time.
const HOMES_AT_A_TIME: usize = 4_096;

pub(crate) fn verify(store: &StoreArgs, args: &JsonArgs) -> anyhow::Result<ExitCode> {
    let database = Database::open_read(store.db(), &store.data()).map_err(not_opened)?;
    warn_of_unread(&database);
    let mut recomputed = Recomputation::default();
    let compared = compare(&database, &mut recomputed)?;
    let (observations, homes, markets) = (recomputed.observations(), compared.homes, compared.markets);
    if args.json {
        let summary = json!({
            "equal": compared.difference.is_none(), "difference": compared.difference,
            "observations": observations, "homes": homes, "markets": markets,
        });
        out::json_line(&summary)?;
    } else {
        match &compared.difference {
            None => say!(
                "equal: {} observations give the {} homes and {} markets that are stored",
                count(observations),
                count(homes),
                count(markets),
            ),
            Some(difference) => say!("different: {difference}"),
        }
    }
    Ok(if compared.difference.is_none() { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}

struct Compared {
    difference: Option<String>,
    homes: u64,
    markets: u64,
}

/// Recomputes and compares, up to the first difference.
fn compare(database: &Database, recomputed: &mut Recomputation) -> anyhow::Result<Compared> {
    let mut compared = Compared { difference: None, homes: 0, markets: 0 };
    // One read transaction around all of it: what is committed meanwhile is not seen.
    database.reading(|| -> anyhow::Result<()> {
        database.observations(|line| -> anyhow::Result<()> {
            recomputed.add(&stoop_wire::decode(line)?);
            Ok(())
        })?;
        let mut markets = recomputed.markets();
        let mut note = |outcome: Result<(), String>| {
            if let Err(difference) = outcome {
                compared.difference.get_or_insert(difference);
            }
        };
        for (market, cells) in database.cells_where(|_| true)? {
            compared.markets += 1;
            note(markets.check(&market, &cells, &database.archive(&market)?));
        }
        note(markets.check_none_left());
        let mut after = None;
        loop {
            let homes = database.homes_after(after.as_ref(), HOMES_AT_A_TIME)?;
            let Some((last, _)) = homes.last() else { break };
            after = Some(last.clone());
            for (id, home) in &homes {
                compared.homes += 1;
                note(recomputed.check_home(id, home));
            }
        }
        note(recomputed.check_no_home_left());
        Ok(())
    })?;
    Ok(compared)
}
