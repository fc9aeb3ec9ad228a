//! `stoop backup` and `stoop restore`.

use std::process::ExitCode;

use serde_json::json;
use stoop_embedded::{BackedUp, CopyError, Database, Restored};
use stoop_pipeline::Clock;
use stoop_runtime::SystemClock;

use crate::args::{BackupArgs, StoreArgs};
use crate::failure::{not_copied, not_opened};
use crate::out::{self, say};
use crate::show::count;
use crate::stop::Stop;
use crate::views::warn_of_unread;

/// `stoop backup`.
pub(crate) fn backup(store: &StoreArgs, args: &BackupArgs) -> anyhow::Result<ExitCode> {
    let database = Database::open_read(store.db(), &store.data()).map_err(not_opened)?;
    warn_of_unread(&database);
    let stop = Stop::on_signals();
    let made = match ended(&stop, database.backup(&args.folder, SystemClock.now(), &|| stop.is_set()))? {
        Ok(made) => made,
        Err(code) => return Ok(code),
    };
    let BackedUp { observations, homes, alerts, files, files_copied, bytes, bytes_copied } = made;
    if args.json.json {
        out::json_line(&json!({
            "observations": observations, "homes": homes, "alerts": alerts, "files": files,
            "files_copied": files_copied, "bytes": bytes, "bytes_copied": bytes_copied,
        }))?;
    } else {
        let [observations, homes, alerts, bytes, bytes_copied] =
            [observations, homes, alerts, bytes, bytes_copied].map(count);
        say!(
            "{} has {observations} observations, {homes} homes and {alerts} alerts: {bytes} bytes, {bytes_copied} of them copied \
             now; raw pages are not part of it",
            args.folder.display()
        );
    }
    Ok(ExitCode::SUCCESS)
}

/// `stoop restore`.
pub(crate) fn restore(store: &StoreArgs, args: &BackupArgs) -> anyhow::Result<ExitCode> {
    let (path, data) = (store.db(), store.data());
    let stop = Stop::on_signals();
    let restored = match ended(&stop, Database::restore(&args.folder, path, &data, &|| stop.is_set()))? {
        Ok(restored) => restored,
        Err(code) => return Ok(code),
    };
    let Restored { made_at, observations, homes, alerts, files, bytes } = restored;
    if args.json.json {
        out::json_line(&json!({
            "made_at": made_at, "observations": observations, "homes": homes, "alerts": alerts, "files": files,
            "bytes": bytes,
        }))?;
    } else {
        let [observations, homes, alerts] = [observations, homes, alerts].map(count);
        say!(
            "{} and {} are as of {made_at}: {observations} observations, {homes} homes and {alerts} alerts",
            path.display(),
            data.display()
        );
    }
    Ok(ExitCode::SUCCESS)
}

/// The exit code in place of the result if a signal stopped it.
fn ended<T>(stop: &Stop, result: Result<T, CopyError>) -> anyhow::Result<Result<T, ExitCode>> {
    match result {
        Err(_) if stop.is_set() => Ok(Err(ExitCode::from(stop.code()))),
        result => Ok(Ok(result.map_err(not_copied)?)),
    }
}
