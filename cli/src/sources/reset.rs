use std::process::ExitCode;

use serde_json::json;
use stoop_embedded::Database;
use stoop_pipeline::{Clock, Origin, release};
use stoop_runtime::{SystemClock, read_outline, read_search};

use super::names::names;
use crate::args::{ResetArgs, StoreArgs};
use crate::failure::usage;
use crate::out::{self, say};
use crate::show;

/// `stoop sources reset`.
pub(super) async fn reset(store: &StoreArgs, args: &ResetArgs) -> anyhow::Result<ExitCode> {
    let outline = read_outline(&args.config).map_err(usage)?;
    let Some(config) = read_search(&args.config, &args.search).map_err(usage)? else {
        return Err(usage(format!("the search {:?} is not configured; there are: {}", args.search, names(&outline))));
    };
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
