//! `stoop reference`: loads, lists and removes reference series.

use std::path::Path;
use std::process::ExitCode;

use serde::Serialize;
use stoop_domain::Time;
use stoop_embedded::Database;
use stoop_files::{ReadReference, ReferenceMap, Unmatched};
use stoop_pipeline::Clock;
use stoop_runtime::SystemClock;

use crate::args::{LoadArgs, ReferenceArgs, ReferenceCommand, RemoveArgs, StoreArgs};
use crate::engine::open_to_work;
use crate::failure::{not_opened, usage};
use crate::input::Input;
use crate::out::{self, say};
use crate::views::{plural, references};

/// The name of this command in the list of processes.
const COMMAND: &str = "stoop reference";

/// What was loaded, as JSON.
#[derive(Serialize)]
struct LoadedSeries {
    name: String,
    unit: String,
    areas: usize,
    values: usize,
    rows: u64,
    /// Rows of which nothing was taken.
    unmatched: u64,
    first_unmatched: Vec<UnmatchedRow>,
}

#[derive(Serialize)]
struct UnmatchedRow {
    line: u64,
    place: String,
    why: String,
}

/// `stoop reference`.
pub(crate) fn reference(store: &StoreArgs, args: &ReferenceArgs) -> anyhow::Result<ExitCode> {
    match &args.command {
        ReferenceCommand::Load(args) => load(store, args, SystemClock.now()),
        ReferenceCommand::List(format) => references(store, format),
        ReferenceCommand::Remove(args) => remove(store, args, SystemClock.now()),
    }
}

fn load(store: &StoreArgs, args: &LoadArgs, now: Time) -> anyhow::Result<ExitCode> {
    let map = read_map(&args.map)?;
    let input = Input::open(&args.file)?;
    let read = map.read(&input.name, input.bytes()).map_err(usage)?;
    let database = open_to_work(store, COMMAND, now)?;
    database.store_reference(&read.series, &input.name.display().to_string(), now)?;
    let loaded = LoadedSeries::of(read);
    if args.json.json {
        out::json(&loaded)?
    } else {
        loaded.print()
    }
    Ok(ExitCode::SUCCESS)
}

fn read_map(path: &Path) -> anyhow::Result<ReferenceMap> {
    let shown = path.display();
    let text =
        std::fs::read_to_string(path).map_err(|error| usage(format!("the map {shown} cannot be read: {error}")))?;
    ReferenceMap::parse(&text, &shown.to_string()).map_err(usage)
}

fn remove(store: &StoreArgs, args: &RemoveArgs, now: Time) -> anyhow::Result<ExitCode> {
    // Opening for reading reports a wrong path and creates nothing.
    let database = Database::open_read(store.db(), &store.data()).map_err(not_opened)?;
    let known: Vec<String> = database.references()?.into_iter().map(|series| series.name).collect();
    if !known.contains(&args.name) {
        let accepted =
            if known.is_empty() { "none is loaded".to_owned() } else { format!("accepted: {}", known.join(", ")) };
        return Err(usage(format!("there is no reference series {:?}; {accepted}", args.name)));
    }
    let removed = open_to_work(store, COMMAND, now)?.remove_reference(&args.name)?;
    if args.json.json {
        out::json(&serde_json::json!({ "name": args.name, "removed": removed }))?;
    } else {
        say!("removed {}", args.name);
    }
    Ok(ExitCode::SUCCESS)
}

impl LoadedSeries {
    fn of(read: ReadReference) -> Self {
        let row = |Unmatched { line, words, why }| UnmatchedRow { line, place: words, why };
        Self {
            name: read.series.name,
            unit: read.series.unit.to_string(),
            areas: read.series.areas.len(),
            values: read.series.areas.iter().map(|area| area.values.len()).sum(),
            rows: read.rows,
            unmatched: read.unmatched,
            first_unmatched: read.first.into_iter().map(row).collect(),
        }
    }

    fn print(&self) {
        let (areas, values) = (plural(self.areas as u64, "area"), plural(self.values as u64, "value"));
        say!("{}: {areas}, {values} in {}", self.name, self.unit);
        if self.unmatched == 0 {
            return;
        }
        say!("nothing was taken of {}, first:", plural(self.unmatched, "row"));
        for UnmatchedRow { line, place, why } in &self.first_unmatched {
            say!("  line {line}, {place}: {why}");
        }
    }
}
