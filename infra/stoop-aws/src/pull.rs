use std::collections::{BTreeMap, VecDeque};
use std::io::{BufRead, BufReader, Read};
use std::path::Path;

use anyhow::{Context, Result};
use flate2::read::MultiGzDecoder;
use stoop_aws::{Clients, DynamoTables, LakeEntry, S3Lake, StackAreas, TableItem, TableMarket};
use stoop_domain::Observation;
use stoop_embedded::{Database, Held, Import, ImportedObject};
use stoop_pipeline::ports::{Gathers, PortError};
use stoop_pipeline::{Clock, with_causes};
use stoop_runtime::SystemClock;

use crate::folder;
use crate::sums::{Heads, Sums};
use crate::wrongs::Wrongs;

/// Objects of the lake that are fetched at the same time: some megabytes each.
const OBJECTS_AT_ONCE: usize = 4;

/// So many observations are compressed at a time.
const OBSERVATIONS_AT_ONCE: usize = 1_024;

/// No observation has a line as long as this.
const LINE_BYTES_MAX: u64 = 16 << 20;

/// How the beginning of what gzip wrote looks. Emulators do not compress.
const GZIP: [u8; 2] = [0x1f, 0x8b];

/// The tables of one generation.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Pair {
    /// The table of homes, by its name.
    pub homes: String,
    /// The table of markets and archives.
    pub markets: String,
}

/// Where a stack has its things.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Stack {
    /// The data bucket, which has the lake and the sums of wide areas.
    pub bucket: String,
    /// The generation that is wanted.
    pub tables: Pair,
    /// The table of alerts. Without it there are none in the folder, and nothing is said of them.
    pub alerts: Option<String>,
}

/// What [`pull`] brought, and what of it the folder cannot tell.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Pulled {
    /// Objects of the lake.
    pub objects: u64,
    /// Of them, those that were not here yet.
    pub objects_new: u64,
    /// Observations in them. Firehose may have brought some twice.
    pub observations: u64,
    /// Homes in the table.
    pub homes: u64,
    /// Markets in the table.
    pub markets: u64,
    /// Alerts in the ledger.
    pub alerts: u64,
    /// Sums of counties, regions and countries, which were checked against the markets and are not brought: the folder makes
    /// its own.
    pub sums: u64,
    /// How many things are wrong that `stoop verify` cannot find in the folder: lines of the lake that cannot be read, items
    /// that lack something, figures beside a market that its state does not give, sums of areas that their markets do not give.
    pub wrong: u64,
    /// The first of them, in words.
    pub wrongs: Vec<String>,
}

/// Brings a stack into a folder. What an earlier call brought of the lake is not read again; the tables are, and they are
/// there as a whole or not at all. `tell` hears how far it is.
///
/// A stack that is written meanwhile has no one moment: some homes and markets are older than others then, and the lake is
/// older than all of them. Sums of areas are checked all the same: what is under way is known from what is wrong.
///
/// # Errors
/// When something cannot be read or stored, or the folder has something else in it. What is there stays; the next call goes
/// on.
pub async fn pull(clients: &Clients, folder: &Path, stack: &Stack, tell: &dyn Fn(&str)) -> Result<Pulled> {
    let database = folder::open(folder, "stoop-aws pull")?;
    let mut wrongs = Wrongs::default();
    let mut pulled = Pulled::default();
    pull_lake(&database, &S3Lake::new(clients.s3(), &stack.bucket), &mut pulled, &mut wrongs, tell).await?;
    let tables = DynamoTables::new(clients.dynamodb());
    let areas = StackAreas::new(clients.dynamodb(), clients.s3(), &stack.tables.markets, &stack.bucket);
    let (sums, mut heads) = (areas.keys().await?, Heads::default());
    let import = database.import_generation()?;
    let mut note = |market: &TableMarket| heads.note(market);
    (pulled.homes, pulled.markets) = import_pair(&import, &tables, &stack.tables, &mut note, &mut wrongs, tell).await?;
    import.finish()?;
    pulled.alerts = pull_ledger(&database, &tables, stack.alerts.as_deref(), &mut wrongs).await?;
    database.swap()?;
    database.forget_generations()?;
    let now = SystemClock.now();
    pulled.sums = Sums::new(&areas, &database, &heads, now, &mut wrongs, tell).check(sums).await?;
    tell(&format!("{} sums of areas", pulled.sums));
    match database.roll_up(now, &|| false) {
        Ok(cities) => tell(&format!("{cities} cities are rolled up")),
        // A market that cannot be read is named already; all else is as well without.
        Err(error) => wrongs.note(format!("the folder is not rolled up: {}", with_causes(&error))),
    }
    (pulled.wrong, pulled.wrongs) = (wrongs.count, wrongs.named);
    Ok(pulled)
}

/// Brings what is new in the lake, in the order of the keys, each object in one transaction.
async fn pull_lake(
    database: &Database,
    lake: &S3Lake,
    pulled: &mut Pulled,
    wrongs: &mut Wrongs,
    tell: &dyn Fn(&str),
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
                    wrongs.note(format!("the lake's object {key} is another than was pulled: pull into a new folder"));
                }
                note_object(&object, pulled, wrongs);
            }
        }
    }
    wrongs
        .note_all(here.into_keys().map(|key| format!("the lake's object {key} was pulled, and is not there any more")));
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
            tell(&format!("lake: {done} of {count} new objects, {} observations", pulled.observations));
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

/// Reads an object into the lake. A line that cannot be read is counted, and so is all that follows where the object itself
/// is damaged.
fn import_object(database: &Database, entry: LakeEntry, body: &[u8]) -> Result<ImportedObject> {
    let mut object = ImportedObject { name: entry.key, etag: entry.etag, ..ImportedObject::default() };
    let mut held = Held::default();
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

/// The observation of a line; none of an empty one.
fn decoded(line: &[u8]) -> Result<Option<Observation>, String> {
    let line = line.trim_ascii_end();
    if line.is_empty() {
        return Ok(None);
    }
    stoop_wire::decode(line).map(Some).map_err(|error| with_causes(&error))
}

/// Brings the homes and markets of two tables, and says how many there are. `note` sees each market.
pub(crate) async fn import_pair(
    import: &Import<'_>,
    tables: &DynamoTables,
    pair: &Pair,
    note: &mut dyn FnMut(&TableMarket),
    wrongs: &mut Wrongs,
    tell: &dyn Fn(&str),
) -> Result<(u64, u64), PortError> {
    let (mut homes, mut markets) = (0, 0);
    let homes_found = tables.homes(&pair.homes, |page| {
        homes += page.len() as u64;
        import.homes(page.iter().map(|home| &home.stored))?;
        wrongs.note_all(page.into_iter().flat_map(|home| home.wrongs));
        Ok(())
    });
    homes_found.await?;
    tell(&format!("{homes} homes of the table {}", pair.homes));
    let markets_found = tables.markets(&pair.markets, |some| {
        markets += some.len() as u64;
        import.markets(some.iter().map(|market| &market.item.stored))?;
        some.iter().for_each(&mut *note);
        wrongs.note_all(some.into_iter().flat_map(|market| market.item.wrongs));
        Ok(())
    });
    markets_found.await?;
    tell(&format!("{markets} markets of the table {}", pair.markets));
    Ok((homes, markets))
}

/// Brings the ledger of alerts in place of the one that is there.
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
