use std::process::ExitCode;

use serde_json::json;
use stoop_embedded::Database;
use stoop_pipeline::{Clock, Origin, release};
use stoop_runtime::SystemClock;

use super::configured::configured;
use crate::args::{ResetArgs, StoreArgs};
use crate::failure::usage;
use crate::out::{self, say};
use crate::show;

/// `stoop sources reset`.
pub(super) async fn reset(store: &StoreArgs, args: &ResetArgs) -> anyhow::Result<ExitCode> {
    let (outline, config) = configured(&args.config, &args.search)?;
    let Origin::Http(source) = &config.search.source else {
        return Err(usage(format!("{} reads files: there is no circuit breaker to reset", args.search)));
    };
    let store = store.or(&outline);
    let held = if store.db().exists() {
        let database = Database::open(store.db(), &store.data()).map_err(usage)?;
        release(&*database, &source.account(), SystemClock.now()).await?
    } else {
        None
    };
    if args.json.json {
        let until = held.as_ref().map(|(until, _)| until.to_string());
        out::json_line(&json!({ "was_held_until": until, "why": held.map(|(_, why)| why) }))?;
        return Ok(ExitCode::SUCCESS);
    }
    let search = show::plain(&args.search);
    match held {
        Some((until, why)) => {
            say!("{search}: the next poll asks again; it was to wait until {until}: {}", show::plain(&why));
        }
        None => say!("{search} is polled as usual: nothing to reset"),
    }
    Ok(ExitCode::SUCCESS)
}
