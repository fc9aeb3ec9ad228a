//! `stoop merge`: whether each home counts once or each listing, and what people ruled on pairs of listings.

use std::process::ExitCode;

use serde::Serialize;
use stoop_domain::HomeId;
use stoop_embedded::{Database, Merging};
use stoop_identity::PairRuling;
use stoop_pipeline::Clock;
use stoop_pipeline::ports::{FailureKind, PortError};
use stoop_runtime::SystemClock;

use crate::args::{JsonArgs, MergeArgs, MergeCommand, PairArgs, StoreArgs};
use crate::engine::{open_to_work, roll_up};
use crate::failure::usage;
use crate::out::{self, complain, say};
use crate::show::{self, count};
use crate::stop::Stop;
use crate::views::{open, plural};

/// Who rules on this computer.
const LOCAL: &str = "local";

/// The JSON output of `stoop merge`.
#[derive(Serialize)]
struct MergeView {
    /// Whether each home counts once.
    merges: bool,
    /// The sources whose listings always count.
    except: Vec<String>,
    /// Homes with more than one listing.
    homes: u64,
    /// The listings of these.
    listings: u64,
    /// Counties with changes that are not merged yet.
    counties_waiting: u64,
    rulings: Vec<RulingView>,
}

#[derive(Serialize)]
struct RulingView {
    listing: HomeId,
    other: HomeId,
    one_home: bool,
}

pub(crate) fn merge(store: &StoreArgs, args: &MergeArgs) -> anyhow::Result<ExitCode> {
    let Some(command) = &args.command else {
        return show_state(&*open(store)?, &args.json);
    };
    // Names a missing database instead of making one.
    drop(open(store)?);
    let database = open_to_work(store, "stoop merge", SystemClock.now())?;
    match command {
        MergeCommand::On(on) => {
            if let Some(source) = on.except.iter().find(|source| source.is_empty() || source.contains('/')) {
                return Err(usage(format!("--except: {source:?} is no source; accepted: names like zillow")));
            }
            for source in &on.except {
                if !database.has_listings_of(source)? {
                    complain!("stoop: no listing of {} is stored yet", show::plain(source));
                }
            }
            database.begin_merging(&Merging::except(on.except.iter().cloned())).map_err(refused)?;
        }
        MergeCommand::Off => {
            let was = database.end_merging().map_err(refused)?;
            roll_up(&database, &|| false);
            say!("{}", if was { "Each listing counts as a home again." } else { "Each listing counts already." });
            return Ok(ExitCode::SUCCESS);
        }
        MergeCommand::Same(pair) => rule(&database, pair, Some(PairRuling::OneHome))?,
        MergeCommand::Different(pair) => rule(&database, pair, Some(PairRuling::TwoHomes))?,
        MergeCommand::Undecided(pair) => rule(&database, pair, None)?,
    }
    let stop = Stop::on_signals();
    roll_up(&database, &|| stop.is_set());
    if stop.is_set() {
        return Ok(ExitCode::from(stop.code()));
    }
    if matches!(command, MergeCommand::On(_)) {
        show_state(&database, &args.json)?;
    }
    Ok(ExitCode::SUCCESS)
}

fn rule(database: &Database, pair: &PairArgs, ruling: Option<PairRuling>) -> anyhow::Result<()> {
    let [a, b] = [&pair.listing, &pair.other].map(|id| HomeId(id.as_str().into()));
    let changed = database.rule_on_pair(&a, &b, ruling, LOCAL, SystemClock.now()).map_err(refused)?;
    let [first, second] = [show::plain(&pair.listing), show::plain(&pair.other)];
    let now = match ruling {
        Some(PairRuling::OneHome) => format!("{first} and {second} are of one home"),
        Some(PairRuling::TwoHomes) => format!("{first} and {second} are of two homes"),
        None => format!("nothing is ruled on {first} and {second}"),
    };
    let already = if changed { "" } else { ", as before" };
    let unused = match database.merging()? {
        Some(_) => "",
        None => " Figures count each listing; `stoop merge on` changes that.",
    };
    say!("{now}{already}.{unused}");
    Ok(())
}

/// What the database refuses is a mistake of the user.
fn refused(error: PortError) -> anyhow::Error {
    match error.kind() {
        FailureKind::Refused => usage(error),
        _ => error.into(),
    }
}

fn show_state(database: &Database, json: &JsonArgs) -> anyhow::Result<ExitCode> {
    let merging = database.merging()?;
    let counts = database.merged_counts()?.unwrap_or_default();
    let rulings = database.pair_rulings()?;
    let rulings = rulings.iter().map(|(a, b, ruling)| RulingView {
        listing: a.clone(),
        other: b.clone(),
        one_home: ruling == PairRuling::OneHome,
    });
    let view = MergeView {
        merges: merging.is_some(),
        except: merging.map(|merging| merging.except.into_iter().collect()).unwrap_or_default(),
        homes: counts.homes,
        listings: counts.listings,
        counties_waiting: counts.counties_waiting,
        rulings: rulings.collect(),
    };
    if json.json {
        out::json(&view)?;
        return Ok(ExitCode::SUCCESS);
    }
    if view.merges {
        let homes = plural(view.homes, "home");
        let has = if view.homes == 1 { "has" } else { "have" };
        say!("Each home counts once: {homes} {has} more than one listing, {} in all.", count(view.listings));
        if !view.except.is_empty() {
            say!("The listings of {} always count.", show::plain(&view.except.join(", ")));
        }
        if view.counties_waiting > 0 {
            let wait = if view.counties_waiting == 1 { "county waits" } else { "counties wait" };
            say!("{} {wait} for the next merging, by `stoop run` or `stoop merge on`.", count(view.counties_waiting));
        }
    } else {
        say!("Each listing counts as a home. `stoop merge on` counts each home once.");
    }
    for RulingView { listing, other, one_home } in &view.rulings {
        let homes = if *one_home { "one home" } else { "two homes" };
        say!("ruled to be of {homes}: {} and {}", show::plain(listing.as_str()), show::plain(other.as_str()));
    }
    Ok(ExitCode::SUCCESS)
}
