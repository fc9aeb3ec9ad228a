//! `stoop verify`: recomputes everything shown from the stored observations and compares.

use std::process::ExitCode;

use serde_json::json;
use stoop_embedded::Database;

use crate::args::{JsonArgs, StoreArgs};
use crate::failure::not_opened;
use crate::out::{self, say};
use crate::show::count;
use crate::stop::Stop;
use crate::views::warn_of_unread;

/// Differences printed for people.
const SHOWN_MAX: usize = 20;

pub(crate) fn verify(store: &StoreArgs, args: &JsonArgs) -> anyhow::Result<ExitCode> {
    let database = Database::open_read(store.db(), &store.data()).map_err(not_opened)?;
    warn_of_unread(&database);
    let stop = Stop::on_signals();
    let found = match database.verify(&|| stop.is_set()) {
        Err(_) if stop.is_set() => return Ok(ExitCode::from(stop.code())),
        found => found?,
    };
    if args.json {
        let summary = json!({
            "equal": found.different == 0, "difference": found.differences.first(),
            "different": found.different, "differences": found.differences,
            "observations": found.observations, "homes": found.homes, "markets": found.markets,
            "areas": found.areas, "alerts": found.alerts, "alerts_unchecked": found.alerts_unchecked,
            "alerts_complete": found.alerts_complete,
        });
        out::json_line(&summary)?;
    } else {
        for difference in found.differences.iter().take(SHOWN_MAX) {
            say!("different: {difference}");
        }
        if found.different > SHOWN_MAX as u64 {
            say!("… and {} more differences", count(found.different - SHOWN_MAX as u64));
        }
        if found.different == 0 {
            let checked = found.alerts - found.alerts_unchecked;
            let [observations, homes, markets, areas, alerts] =
                [found.observations, found.homes, found.markets, found.areas, checked].map(count);
            say!(
                "equal: {observations} observations give the {homes} homes, {markets} markets and {areas} wide areas that are \
                 stored, and account for the {alerts} alerts"
            );
        }
        if found.alerts_unchecked > 0 {
            say!("not checked: {} alerts whose rules are not known", count(found.alerts_unchecked));
        }
    }
    Ok(if found.different == 0 { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}
