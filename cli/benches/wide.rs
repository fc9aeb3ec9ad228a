//! What wide areas cost: some 880,000 homes in 40,000 markets of 2,000 cities, replayed, rolled up, and read. Run
//! `cargo bench -p stoop --bench wide`; homes and postal codes may follow: `-- 100000 2000`.
//!
//! The homes are those of `stoop simulate`, moved to other places and spread over 430 days: the first city has one in
//! fifty of them, and the last ones some hundred. Linux only: CPU seconds and memory come from `/proc`.

#![allow(clippy::disallowed_macros, reason = "a bench prints for itself")]

mod process;
mod updates;

use std::fs;
use std::path::Path;
use std::process::Command;
use std::sync::Arc;
use std::time::Instant;

use stoop_domain::{Minor, Observation, Time, market_of};
use stoop_embedded::Database;
use stoop_pipeline::{Measurer, WideArea, WideLevel};
use stoop_serve::{AreaView, Hours, MarketView, MergedId, Sum, find_area};

use process::{Took, cpu_s, watched};
use updates::{stoop, write_rows};

/// Homes in a small commit, like that of a poll.
const POLLED: usize = 200;

fn main() {
    let args: Vec<String> = std::env::args().skip(1).filter(|arg| arg != "--bench").collect();
    let number = |index: usize, default: u64| args.get(index).and_then(|arg| arg.parse().ok()).unwrap_or(default);
    let (homes, codes) = (number(0, 1_000_000), number(1, 20_000));
    let folder = tempfile::tempdir().expect("a temporary folder");
    let file = folder.path().join("updates.jsonl");
    let rows = write_rows(&file, homes, codes, None);
    let bytes = fs::metadata(&file).expect("the file").len();
    println!("{rows} updates of {homes} homes in {codes} postal codes, {} MB", bytes / 1_000_000);

    let (path, data) = (folder.path().join("stoop.db"), folder.path().join("stoop-data"));
    let map = concat!(env!("CARGO_MANIFEST_DIR"), "/../maps/simulated.toml");
    let replay = watched(stoop(&path).args(["replay", "--json", "--map", map]).arg(&file));
    println!("replay: {:.1} CPU seconds, {} MB at the most", replay.cpu_s, replay.peak_mb);
    fs::remove_file(&file).expect("it was there");

    let database = Database::open(&path, &data).expect("the database");
    let markets = database.market_ids().expect("its markets").len();
    let newest = database.newest_observation().expect("it can be read").expect("there is one");
    sizes(&path);
    forget(&path);
    let (began, before) = (Instant::now(), cpu_s("self"));
    let cities = database.roll_up(newest, &|| false).expect("rolled up");
    let (wall, cpu) = (began.elapsed().as_secs_f64(), cpu_s("self") - before);
    println!(
        "rolling up {cities} cities of {markets} markets: {cpu:.1} CPU seconds, {wall:.1} s; {:.1} % of the replay without it",
        cpu / (replay.cpu_s - cpu) * 100.0
    );
    read(&database, newest);
    println!("as commands, with their start:");
    for area in ["us/", "us/al", "us/al/county-0", "us/al/county-0/city-0"] {
        reported(area, stoop(&path).args(["market", area, "--days", "400", "--json"]));
    }
    for level in ["city", "county", "region", "country"] {
        reported(&format!("markets --level {level}"), stoop(&path).args(["markets", "--level", level, "--json"]));
    }
    reported("markets", stoop(&path).args(["markets", "--json"]));
    polls(&database, newest);
}

/// Prints the sizes of the parts of the file.
fn sizes(path: &Path) {
    let connection = rusqlite::Connection::open(path).expect("the database");
    let number = |sql: &str| connection.query_row(sql, [], |row| row.get::<_, i64>(0)).expect("it can be read");
    let states = number("SELECT sum(base_bytes + tail_bytes) FROM markets");
    let file = number("SELECT page_count * page_size FROM pragma_page_count, pragma_page_size");
    println!("{} homes are stored", number("SELECT count(*) FROM homes"));
    println!("the database has {} MB, {} MB of them states of markets", file / 1_000_000, states / 1_000_000);
    for level in WideLevel::ALL {
        let of = |what: &str| number(&format!("SELECT {what} FROM areas WHERE level = {}", level.depth()));
        println!(
            "  {}: {} areas, {} kB in all, the largest {} kB",
            level.as_str(),
            of("count(*)"),
            of("sum(length(now) + length(series))") / 1_000,
            of("max(length(now) + length(series))") / 1_000
        );
    }
}

/// Removes all roll-ups.
fn forget(path: &Path) {
    let connection = rusqlite::Connection::open(path).expect("the database");
    connection.execute_batch("DELETE FROM areas; UPDATE markets SET rolled = 0").expect("it can be written");
    connection.query_row("PRAGMA wal_checkpoint(TRUNCATE)", [], |_| Ok(())).expect("it can be written");
}

/// Reads, in this process, the area with the most homes of each level.
fn read(database: &Arc<Database>, now: Time) {
    let known = database.market_ids().expect("markets");
    println!("in this process, the median of five:");
    for path in ["us/al/county-0/city-0", "us/al/county-0", "us/al", "us/"] {
        let mut times: Vec<[f64; 3]> = (0..5)
            .map(|_| {
                let began = Instant::now();
                let found = find_area(path, &known).expect("an area");
                let found_ms = began.elapsed();
                let ids: std::collections::BTreeSet<MergedId> = found.markets.iter().map(MergedId::of).collect();
                let read = |days| {
                    let began = Instant::now();
                    let views = ids.iter().map(|id| {
                        let area = WideArea::new(&found.path, *id).expect("a wide area");
                        let wide = database.wide(&area, now).expect("it can be read").expect("a wide area");
                        MarketView::of(&found, *id, Sum::Wide(&wide, Hours::Known), now, days)
                    });
                    let view = AreaView::with(&found, views.collect(), now);
                    assert!(view.markets[0].figures.active > 0);
                    began.elapsed()
                };
                [found_ms, read(1), read(400)].map(|time| time.as_secs_f64() * 1_000.0)
            })
            .collect();
        times.sort_by(|a, b| a[2].total_cmp(&b[2]));
        let [found, snapshot, series] = times[2];
        println!("  {path}: found {found:.0} ms, snapshot {snapshot:.0} ms, with 400 days {series:.0} ms");
    }
}

fn reported(what: &str, command: &mut Command) {
    let mut runs: Vec<Took> = (0..3).map(|_| watched(command)).collect();
    runs.sort_by_key(|took| took.wall);
    println!("  {what}: {:.0} ms, {} MB at the most", runs[1].wall.as_secs_f64() * 1_000.0, runs[1].peak_mb);
}

/// What a roll-up costs compared with the commits before it: polls of one city each, and homes from everywhere.
fn polls(database: &Arc<Database>, newest: Time) {
    let mut all = Vec::new();
    let visit = |line: &[u8]| {
        all.extend(stoop_wire::decode(line).ok());
        Ok::<(), stoop_pipeline::ports::PortError>(())
    };
    database.observations(visit).expect("the lake");
    let runtime = tokio::runtime::Builder::new_current_thread().build().expect("a runtime");
    let mut now = newest;
    let mut window = |name: &str, commits: Vec<Vec<Observation>>| {
        let mut measurer = Measurer::new(&**database);
        let began = Instant::now();
        let count = commits.len();
        for mut commit in commits {
            now = now.plus_ms(1_000);
            for seen in &mut commit {
                (seen.at, seen.seen) = (now, now);
                seen.listing.list_price = seen.listing.list_price.map(|price| Minor(price.0 * 97 / 100));
            }
            runtime.block_on(measurer.measure(&commit)).expect("measured");
        }
        let commits = began.elapsed().as_secs_f64();
        let began = Instant::now();
        let cities = database.roll_up(now, &|| false).expect("rolled up");
        let rolled = began.elapsed().as_secs_f64();
        println!(
            "{name}: {count} commits {:.0} ms, rolling up {cities} cities {:.0} ms: {:.0} % more, {:.1} % of ten seconds",
            commits * 1_000.0,
            rolled * 1_000.0,
            rolled / commits * 100.0,
            rolled * 10.0
        );
    };
    let city_of = |seen: &Observation| market_of(&seen.listing).map(|market| WideArea::of(&market, WideLevel::City));
    for index in [0, all.len() / 2, all.len() - 1] {
        let city = city_of(&all[index]);
        let polled: Vec<Observation> = all.iter().filter(|seen| city_of(seen) == city).take(POLLED).cloned().collect();
        window("a poll of one city", vec![polled]);
    }
    for commits in [1, 10, 50] {
        let step = all.len() / (commits * POLLED);
        let chosen: Vec<Observation> = all.iter().step_by(step).cloned().collect();
        window("homes from everywhere", chosen.chunks(POLLED).map(<[Observation]>::to_vec).collect());
    }
    for cities in [10, 50] {
        let commits = (0..cities).map(|nth| {
            let city = city_of(&all[nth * all.len() / cities]);
            all.iter().filter(|seen| city_of(seen) == city).take(POLLED).cloned().collect()
        });
        window("polls of a city each", commits.collect());
    }
}
