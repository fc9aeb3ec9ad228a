use std::process::ExitCode;

use serde::Serialize;
use serde_json::json;
use stoop_domain::Time;
use stoop_embedded::Database;
use stoop_pipeline::ports::{SearchIndex, SearchState};
use stoop_pipeline::{Clock, HeldBack, LossVerdict, Ruling};
use stoop_runtime::SystemClock;

use super::configured::configured;
use crate::args::{LossArgs, StoreArgs};
use crate::failure::usage;
use crate::out::{self, say};
use crate::show;

/// A loss that is held back, as JSON.
#[derive(Clone, Copy, Debug, Serialize)]
pub(super) struct HeldBackRow {
    /// How many listings are missing.
    listings: u64,
    /// How many listings were on the market before.
    held: u64,
    /// When the first of them was first missing.
    #[serde(serialize_with = "crate::views::as_text")]
    since: Time,
    /// When the loss will be confirmed.
    #[serde(serialize_with = "crate::views::as_text")]
    until: Time,
}

impl From<HeldBack> for HeldBackRow {
    fn from(HeldBack { listings, held, since, until }: HeldBack) -> Self {
        Self { listings, held, since, until }
    }
}

/// `stoop sources loss`.
pub(super) async fn loss(store: &StoreArgs, args: &LossArgs) -> anyhow::Result<ExitCode> {
    let (outline, config) = configured(&args.config, &args.search)?;
    let verdict = match (args.release, args.reject) {
        (true, _) => Some(LossVerdict::Release),
        (_, true) => Some(LossVerdict::Reject),
        _ => None,
    };
    let (name, source) = (&args.search, config.search.source.name());
    let store = store.or(&outline);
    let held_back = if store.db().exists() {
        let open = if verdict.is_some() { Database::open } else { Database::open_read };
        let database = open(store.db(), &store.data()).map_err(usage)?;
        let SearchState { held_back, files, .. } = database.load(name, source).await?;
        if let (Some(_), Some(verdict)) = (held_back, verdict) {
            // Files have their own times: the confirmation does not cover a file that is still to be read, whenever it
            // was written.
            let until = files.as_of.map_or_else(|| SystemClock.now(), |newest| newest.plus_ms(1));
            database.rule(name, source, Ruling { verdict, until })?;
        }
        held_back
    } else {
        None
    };
    if args.json.json {
        let ruled = verdict.filter(|_| held_back.is_some()).map(|verdict| verdict.to_string());
        out::json_line(&json!({ "held_back": held_back.map(HeldBackRow::from), "ruled": ruled }))?;
        return Ok(ExitCode::SUCCESS);
    }
    let search = show::plain(name);
    match (held_back, verdict) {
        (None, _) => say!("{search}: nothing is held back"),
        (Some(held), None) => {
            say!("{search}: {held}");
            say!("`stoop sources loss {search} --release` confirms the loss, --reject rejects it");
        }
        (Some(held), Some(LossVerdict::Release)) => {
            say!("{search}: the next poll that misses the {} listings too reports them gone", held.listings);
        }
        (Some(held), Some(LossVerdict::Reject)) => {
            say!("{search}: the next poll forgets that {} listings were missing", held.listings);
        }
    }
    Ok(ExitCode::SUCCESS)
}
