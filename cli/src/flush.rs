//! `stoop flush`: closes the lake's buffer.

use std::process::ExitCode;

use serde_json::json;
use stoop_embedded::Database;
use stoop_pipeline::Clock;
use stoop_runtime::SystemClock;

use crate::args::{JsonArgs, StoreArgs};
use crate::failure::not_opened;
use crate::out::{self, say};
use crate::show::count;

pub(crate) fn flush(store: &StoreArgs, args: &JsonArgs) -> anyhow::Result<ExitCode> {
    // Opening for reading reports a wrong path and creates nothing.
    drop(Database::open_read(store.db(), &store.data()).map_err(not_opened)?);
    let database = Database::open(store.db(), &store.data()).map_err(not_opened)?;
    database.begin_work("stoop flush", SystemClock.now())?;
    let observations = database.flush()?;
    if args.json {
        out::json_line(&json!({ "observations": observations }))?;
    } else if observations == 0 {
        say!("nothing to write: the files of the lake have every observation");
    } else {
        say!("{} observations are in a new file of the lake", count(observations));
    }
    Ok(ExitCode::SUCCESS)
}
