use std::process::ExitCode;

use serde::Serialize;
use serde_json::json;
use stoop_domain::Time;
use stoop_embedded::{Database, Findings};
use stoop_pipeline::ports::{SearchIndex, SearchState};
use stoop_pipeline::{Clock, HeldBack, HeldMove, Ruling, RulingVerdict};
use stoop_runtime::SystemClock;

use super::configured::configured;
use crate::args::{HeldArgs, StoreArgs};
use crate::failure::usage;
use crate::out::{self, say};
use crate::show;

/// What the polls of a search hold back.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct HeldFindings {
    /// Listings that are suddenly missing.
    pub(super) loss: Option<HeldBack>,
    /// Prices that move alike.
    pub(super) moves: Vec<HeldMove>,
}

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

/// A move of prices that is held back, as JSON.
#[derive(Clone, Copy, Debug, Serialize)]
pub(super) struct HeldMoveRow {
    /// By how much the prices change, in percent.
    change_percent: f64,
    /// When the first scan that saw it began.
    #[serde(serialize_with = "crate::views::as_text")]
    since: Time,
    /// How many later scans saw it.
    seen_again: u32,
    /// A person rejected it.
    rejected: bool,
}

impl From<HeldBack> for HeldBackRow {
    fn from(HeldBack { listings, held, since, until }: HeldBack) -> Self {
        Self { listings, held, since, until }
    }
}

impl From<&HeldMove> for HeldMoveRow {
    fn from(held: &HeldMove) -> Self {
        let HeldMove { permille, since, seen_again, is_rejected, .. } = *held;
        #[expect(clippy::cast_precision_loss, reason = "some hundreds")]
        let change_percent = permille as f64 / 10.0;
        Self { change_percent, since, seen_again, rejected: is_rejected }
    }
}

impl HeldFindings {
    pub(super) fn of(findings: &Findings) -> Self {
        Self { loss: findings.held_back, moves: findings.held_moves.clone() }
    }

    fn is_empty(&self) -> bool {
        self.loss.is_none() && self.moves.is_empty()
    }

    /// Each thing that is held back, in words.
    pub(super) fn in_words(&self) -> Vec<String> {
        self.loss.iter().map(HeldBack::to_string).chain(self.moves.iter().map(HeldMove::to_string)).collect()
    }

    pub(super) fn move_rows(&self) -> Vec<HeldMoveRow> {
        self.moves.iter().map(HeldMoveRow::from).collect()
    }

    /// What the next poll does by a ruling.
    fn ruled(&self, verdict: RulingVerdict) -> Vec<String> {
        let loss = self.loss.iter().map(|held| match verdict {
            RulingVerdict::Release => {
                format!("the next poll that misses the {} listings too reports them gone", held.listings)
            }
            RulingVerdict::Reject => format!("the next poll forgets that {} listings were missing", held.listings),
        });
        let moves = self.moves.iter().map(|held| match verdict {
            RulingVerdict::Release => format!("the next poll publishes the prices that are {}", held.change()),
            RulingVerdict::Reject => {
                format!("no poll publishes the prices that are {}, however often they come", held.change())
            }
        });
        loss.chain(moves).collect()
    }
}

/// `stoop sources held`.
pub(super) async fn held(store: &StoreArgs, args: &HeldArgs) -> anyhow::Result<ExitCode> {
    let (outline, config) = configured(&args.config, &args.search)?;
    let verdict = match (args.release, args.reject) {
        (true, _) => Some(RulingVerdict::Release),
        (_, true) => Some(RulingVerdict::Reject),
        _ => None,
    };
    let (name, source) = (&args.search, config.search.source.name());
    let store = store.or(&outline);
    let mut held = HeldFindings::default();
    if store.db().exists() {
        let open = if verdict.is_some() { Database::open } else { Database::open_read };
        let database = open(store.db(), &store.data()).map_err(usage)?;
        let SearchState { held_back, held_moves, files, .. } = database.load(name, source).await?;
        held = HeldFindings { loss: held_back, moves: held_moves };
        if let Some(verdict) = verdict.filter(|_| !held.is_empty()) {
            // Files have their own times: the ruling does not cover a file that is still to be read, whenever it was
            // written.
            let until = files.as_of.map_or_else(|| SystemClock.now(), |newest| newest.plus_ms(1));
            database.rule(name, source, Ruling { verdict, until })?;
        }
    }
    if args.json.json {
        let ruled = verdict.filter(|_| !held.is_empty()).map(|verdict| verdict.to_string());
        let loss = held.loss.map(HeldBackRow::from);
        out::json_line(&json!({ "held_back": loss, "held_moves": held.move_rows(), "ruled": ruled }))?;
        return Ok(ExitCode::SUCCESS);
    }
    let search = show::plain(name);
    if held.is_empty() {
        say!("{search}: nothing is held back");
    } else if let Some(verdict) = verdict {
        held.ruled(verdict).iter().for_each(|line| say!("{search}: {line}"));
    } else {
        held.in_words().iter().for_each(|line| say!("{search}: {line}"));
        say!("{}", how_to_rule(&search));
    }
    Ok(ExitCode::SUCCESS)
}

/// How a person decides about what a search holds back.
pub(super) fn how_to_rule(search: impl std::fmt::Display) -> String {
    format!("`stoop sources held {search} --release` says that it is real, --reject that it is not")
}
