use std::collections::{BTreeMap, VecDeque};
use std::io::{BufRead, BufReader, Read};
use std::path::Path;
use std::sync::Arc;

use anyhow::{Context, Result};
use flate2::read::MultiGzDecoder;
use stoop_aws::{Clients, DynamoBrowse, DynamoTables, LakeEntry, S3Lake, StackAreas, TableItem, TableMarket};
use stoop_domain::Observation;
use stoop_embedded::{Database, HeldObservations, Import, ImportedObject};
use stoop_pipeline::ports::{Browse as _, Gathers, PortError};
use stoop_pipeline::{Clock, with_causes};
use stoop_runtime::SystemClock;

use crate::folder;
use crate::merged;
use crate::sums::{Heads, SumCheck};
use crate::wrongs::Wrongs;

/// Objects of the lake fetched at the same time: a few megabytes each.
const OBJECTS_AT_ONCE: usize = 4;

/// Observations compressed at a time.
const OBSERVATIONS_AT_ONCE: usize = 1_024;

/// Longer than the line of any observation.
const LINE_BYTES_MAX: u64 = 16 << 20;

/// The first bytes of a gzip file. Emulators do not compress.
const GZIP: [u8; 2] = [0x1f, 0x8b];

/// The tables of one generation.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Pair {
    /// The name of the table of homes.
    pub homes: String,
    /// The name of the table of markets and archives.
    pub markets: String,
}

/// The names of a stack's resources.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Stack {
    /// The data bucket, with the lake and the sums of wide areas.
    pub bucket: String,
    /// The generation to pull.
    pub tables: Pair,
    /// The table of alerts. Without it the folder gets no alerts and they are not checked.
    pub alerts: Option<String>,
    /// The table of runs. Without it the folder gets none.
    pub runs: Option<String>,
}

/// The result of [`pull`].
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Pulled {
    /// Objects of the lake.
    pub objects: u64,
    /// Objects that were not pulled before.
    pub objects_new: u64,
    /// Observations in them. Firehose may have delivered some twice.
    pub observations: u64,
    /// Homes in the table.
    pub homes: u64,
    /// Markets in the table.
    pub markets: u64,
    /// Alerts in the ledger.
    pub alerts: u64,
    /// Polls of the last 90 days, with the places of their raw pages.
    pub runs: u64,
    /// Sums of counties, regions and countries, which were checked against the markets. They are not stored: the folder
    /// computes its own.
    pub sums: u64,
    /// Counties whose merged homes were checked against their listings. The folder counts each listing; `stoop merge on` merges
    /// them there.
    pub counties: u64,
    /// The number of errors that `stoop verify` cannot find in the folder: unreadable lines of the lake, items with
    /// missing attributes, figures of a market that its state does not give, sums of areas that their markets do not
    /// give, merged homes that their listings do not give.
    pub wrong: u64,
    /// The first errors, in words.
    pub wrongs: Vec<String>,
}

/// Pulls a stack into a folder. Objects of the lake that an earlier call pulled are not read again. The tables are read
/// again, and replaced as a whole or not at all. `report` receives progress messages.
///
/// If the stack is written during the pull, the result has no single time: some homes and markets are older than
/// others, and the lake is older than all of them. Sums of areas are checked anyway: changes in progress can be
/// distinguished from errors.
///
/// # Errors
///
/// Something cannot be read or stored, or the folder has other content. What is stored stays; the next call continues.
pub async fn pull(clients: &Clients, folder: &Path, stack: &Stack, report: &dyn Fn(&str)) -> Result<Pulled> {
    let database = folder::open(folder, "stoop-aws pull")?;
    let mut wrongs = Wrongs::default();
    let mut pulled = Pulled::default();
    pull_lake(&database, &S3Lake::new(clients.s3(), &stack.bucket), &mut pulled, &mut wrongs, report).await?;
    let tables = DynamoTables::new(clients.dynamodb());
    let areas = StackAreas::new(clients.dynamodb(), clients.s3(), &stack.tables.markets, &stack.bucket);
    let (sums, mut heads) = (areas.keys().await?, Heads::default());
    let counties = tables.counties(&stack.tables.markets).await?;
    let import = database.import_generation()?;
    let mut note = |market: &TableMarket| heads.note(market);
    (pulled.homes, pulled.markets) =
        import_pair(&import, &tables, &stack.tables, &mut note, &mut wrongs, report).await?;
    import.finish()?;
    pulled.alerts = pull_ledger(&database, &tables, stack.alerts.as_deref(), &mut wrongs).await?;
    pulled.runs = pull_runs(&database, clients, stack).await?;
    database.swap()?;
    database.forget_generations()?;
    let now = SystemClock.now();
    pulled.sums = SumCheck::new(&areas, &database, &heads, now, &mut wrongs, report).check(sums).await?;
    report(&format!("{} sums of areas", pulled.sums));
    let later = tables.counties(&stack.tables.markets).await?;
    pulled.counties = merged::check(&database, &heads, &counties, &later, &mut wrongs)?;
    report(&format!("{} counties with merged listings", pulled.counties));
    match database.roll_up(now, &|| false) {
        Ok(cities) => report(&format!("{cities} cities are rolled up")),
        // Unreadable markets are reported already; everything else works without roll-ups.
        Err(error) => wrongs.note(format!("the folder is not rolled up: {}", with_causes(&error))),
    }
    (pulled.wrong, pulled.wrongs) = (wrongs.count, wrongs.named);
    Ok(pulled)
}

/// Pulls new objects of the lake, in the order of their keys, each in one transaction.
async fn pull_lake(
    database: &Database,
    lake: &S3Lake,
    pulled: &mut Pulled,
    wrongs: &mut Wrongs,
    report: &dyn Fn(&str),
) -> Result<()> {
    let mut here = database.imported_objects()?;
    let entries = lake.entries().await?;
    pulled.objects = entries.len() as u64;
    let mut new = Vec::new();
    for entry in entries {
        match here.remove(&entry.key) {
            None => new.push(entry),
            Some(object) => {
                if object.etag != entry.etag {
                    let key = &entry.key;
                    wrongs.note(format!(
                        "the lake's object {key} has changed since it was pulled: pull into a new folder"
                    ));
                }
                note_object(&object, pulled, wrongs);
            }
        }
    }
    wrongs.note_all(here.into_keys().map(|key| format!("the lake's object {key} was pulled and no longer exists")));
    let (count, mut done) = (new.len(), 0);
    let mut new = new.into_iter();
    let mut waiting = VecDeque::new();
    loop {
        while waiting.len() < OBJECTS_AT_ONCE
            && let Some(entry) = new.next()
        {
            let lake = lake.clone();
            waiting.push_back(tokio::spawn(async move {
                let body = lake.read(&entry.key).await;
                (entry, body)
            }));
        }
        let Some(next) = waiting.pop_front() else { return Ok(()) };
        let (entry, body) = next.await.context("an object of the lake is not read")?;
        let object = import_object(database, entry, &body?)?;
        note_object(&object, pulled, wrongs);
        (pulled.objects_new, done) = (pulled.objects_new + 1, done + 1);
        if done % 100 == 0 || done == count {
            report(&format!("lake: {done} of {count} new objects, {} observations", pulled.observations));
        }
    }
}

fn note_object(object: &ImportedObject, pulled: &mut Pulled, wrongs: &mut Wrongs) {
    pulled.observations += object.rows;
    if object.unreadable > 0 {
        let ImportedObject { name, unreadable, why, .. } = object;
        let why = why.as_deref().unwrap_or_default();
        wrongs.note(format!("the lake's object {name}: {unreadable} lines cannot be read, the first: {why}"));
    }
}

/// Imports an object into the lake. Unreadable lines are counted, including the rest of a damaged object.
fn import_object(database: &Database, entry: LakeEntry, body: &[u8]) -> Result<ImportedObject> {
    let mut object = ImportedObject { name: entry.key, etag: entry.etag, ..ImportedObject::default() };
    let mut held = HeldObservations::default();
    let mut some: Vec<Observation> = Vec::with_capacity(OBSERVATIONS_AT_ONCE);
    let mut number = 0;
    let mut lines: BufReader<Box<dyn Read + '_>> =
        BufReader::new(if body.starts_with(&GZIP) { Box::new(MultiGzDecoder::new(body)) } else { Box::new(body) });
    let mut line = Vec::new();
    loop {
        line.clear();
        number += 1;
        let read = (&mut lines).take(LINE_BYTES_MAX).read_until(b'\n', &mut line);
        if matches!(read, Ok(0)) {
            break;
        }
        let is_broken = read.is_err();
        match read.map_err(|error| with_causes(&error)).and_then(|_| decoded(&line)) {
            Ok(None) => {}
            Ok(Some(observation)) => {
                object.rows += 1;
                some.push(observation);
            }
            Err(why) => {
                object.unreadable += 1;
                object.why.get_or_insert_with(|| format!("line {number}: {why}"));
            }
        }
        if some.len() == OBSERVATIONS_AT_ONCE {
            database.hold(&mut held, &some.iter().collect::<Vec<_>>())?;
            some.clear();
        }
        if is_broken {
            break;
        }
    }
    database.hold(&mut held, &some.iter().collect::<Vec<_>>())?;
    database.import_object(&object, &mut held)?;
    Ok(object)
}

/// The observation of a line; `None` for an empty line.
fn decoded(line: &[u8]) -> Result<Option<Observation>, String> {
    let line = line.trim_ascii_end();
    if line.is_empty() {
        return Ok(None);
    }
    stoop_wire::decode(line).map(Some).map_err(|error| with_causes(&error))
}

/// Imports the homes and markets of two tables, and returns their numbers. `note` is called for each market.
pub(crate) async fn import_pair(
    import: &Import<'_>,
    tables: &DynamoTables,
    pair: &Pair,
    note: &mut dyn FnMut(&TableMarket),
    wrongs: &mut Wrongs,
    report: &dyn Fn(&str),
) -> Result<(u64, u64), PortError> {
    let (mut homes, mut markets) = (0, 0);
    let homes_found = tables.homes(&pair.homes, |page| {
        homes += page.len() as u64;
        import.homes(page.iter().map(|home| &home.stored))?;
        wrongs.note_all(page.into_iter().flat_map(|home| home.wrongs));
        Ok(())
    });
    homes_found.await?;
    report(&format!("{homes} homes of the table {}", pair.homes));
    let markets_found = tables.markets(&pair.markets, |some| {
        markets += some.len() as u64;
        import.markets(some.iter().map(|market| &market.item.stored))?;
        some.iter().for_each(&mut *note);
        wrongs.note_all(some.into_iter().flat_map(|market| market.item.wrongs));
        Ok(())
    });
    markets_found.await?;
    report(&format!("{markets} markets of the table {}", pair.markets));
    Ok((homes, markets))
}

/// Replaces the ledger of alerts.
async fn pull_ledger(
    database: &Database,
    tables: &DynamoTables,
    table: Option<&str>,
    wrongs: &mut Wrongs,
) -> Result<u64> {
    let (mut alerts, mut rules) = (Vec::new(), BTreeMap::new());
    if let Some(table) = table {
        let (found, known) = tables.ledger(table).await?;
        for TableItem { stored, wrongs: wrong } in found {
            wrongs.note_all(wrong);
            alerts.push(stored);
        }
        for TableItem { stored: (name, body), wrongs: wrong } in known {
            wrongs.note_all(wrong);
            rules.insert(name, body);
        }
    }
    database.import_ledger(&alerts, &rules.into_iter().collect::<Vec<_>>())?;
    Ok(alerts.len() as u64)
}

/// Replaces the polls in the ledger of runs.
async fn pull_runs(database: &Database, clients: &Clients, stack: &Stack) -> Result<u64> {
    let Some(table) = &stack.runs else { return Ok(0) };
    let Pair { homes, markets } = &stack.tables;
    let browse = DynamoBrowse::new(clients.dynamodb(), homes, markets, table, Arc::new(SystemClock));
    let runs = browse.runs(usize::MAX).await?;
    database.import_polls(&runs)?;
    Ok(runs.len() as u64)
}
