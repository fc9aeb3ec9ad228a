//! How varied pages are served beside a live pipeline: 120,000 homes in some 5,000 markets. Run
//! `cargo bench -p stoop --bench varied`; homes, postal codes, requests a second, and programs may follow:
//! `-- 120000 2400 200 target/release/stoop BEFORE`. Each program is measured in turn, on a copy of the same database.
//!
//! `stoop run` serves, and polls a search of 200 homes each second, of which six change; beside it, 3,000 rows a second are measured
//! by another process, of which one in ten changes a price. Requests come at an even pace over 200 connections: homes, areas, and
//! both of the API, hardly any of them twice. Times count from the moment at which a request was due. Linux only.

#![allow(clippy::disallowed_macros, reason = "a bench prints for itself")]

mod client;
mod process;
mod updates;

use std::fs;
use std::io::{Read, Write};
use std::net::TcpListener;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering::Relaxed};
use std::time::{Duration, Instant};

use stoop_dice::Dice;
use stoop_domain::{HomeId, Minor, Observation};
use stoop_embedded::Database;
use stoop_pipeline::{Clock, Measurer};
use stoop_runtime::SystemClock;
use stoop_waits::{LONG, Lines, PATIENCE, ended, joined, status};

use client::Connection;
use process::cpu_s;
use updates::{stoop, write_rows};

const CONNECTIONS: u32 = 200;
const LOAD: Duration = Duration::from_secs(20);
/// Rows of a commit of the replay, and the time between two.
const COMMIT: usize = 600;
const COMMITS: Duration = Duration::from_millis(200);
/// Homes of the search, and the time between two polls.
const POLLED: u64 = 200;
const POLLS: Duration = Duration::from_secs(1);
const SEED: u64 = 7;

fn main() {
    let args: Vec<String> = std::env::args().skip(1).filter(|arg| arg != "--bench").collect();
    let number = |index: usize, default: u64| args.get(index).and_then(|arg| arg.parse().ok()).unwrap_or(default);
    let (homes, codes, pace) = (number(0, 120_000), number(1, 2_400), number(2, 200));
    let mut programs: Vec<PathBuf> = args.iter().skip(3).map(PathBuf::from).collect();
    if programs.is_empty() {
        programs.push(env!("CARGO_BIN_EXE_stoop").into());
    }
    let folder = tempfile::tempdir().expect("a temporary folder");
    let (file, made) = (folder.path().join("updates.jsonl"), folder.path().join("made"));
    fs::create_dir(&made).expect("a folder");
    write_rows(&file, homes, codes, Some(SystemClock.now()));
    let map = concat!(env!("CARGO_MANIFEST_DIR"), "/../maps/simulated.toml");
    let mut replay = stoop(&made.join("stoop.db"));
    replay.args(["replay", "--json", "--map", map]).arg(&file).stdout(Stdio::null());
    assert!(status(&mut replay, LONG).expect("it runs").success());
    let (paths, rows) = read(&made);
    println!("{homes} homes, {pace} requests a second for {} s", LOAD.as_secs());
    for (nth, program) in programs.iter().enumerate() {
        let copy = folder.path().join(nth.to_string());
        copy_folder(&made, &copy);
        measure(program, &copy, &paths, &rows, u32::try_from(pace).expect("few"));
    }
}

/// What is asked for, in a random order that is always the same, and rows to measure.
fn read(folder: &Path) -> (Vec<String>, Vec<Observation>) {
    let database = open(folder);
    let mut homes: Vec<String> = Vec::new();
    let mut after: Option<HomeId> = None;
    loop {
        let page = database.home_ids_after(after.as_ref(), 10_000).expect("the homes");
        homes.extend(page.iter().map(|id| encoded(id.as_str())));
        let Some(last) = page.last() else { break };
        after = Some(last.clone());
    }
    let mut areas: Vec<String> = Vec::new();
    for market in database.market_ids().expect("the markets") {
        let path = market.area.as_str().to_owned();
        // As it is, and its city, county, state and country.
        areas.extend(
            (1..=path.split('/').count()).map(|depth| path.split('/').take(depth).collect::<Vec<_>>().join("/")),
        );
    }
    areas.sort();
    areas.dedup();
    areas.retain(|area| !area.ends_with("/-"));
    let mut dice = Dice::new(SEED);
    let mut pick = |from: &[String]| from[dice.below(from.len())].clone();
    let paths = (0..20_000).map(|n| match n % 10 {
        0 | 2 | 4 | 6 => format!("/homes/{}", pick(&homes)),
        1 | 3 | 5 => format!("/areas/{}", pick(&areas)),
        7 => format!("/api/v1/homes/{}", pick(&homes)),
        8 => format!("/api/v1/markets/{}%2F?days=30", encoded(&pick(&areas))),
        _ => format!("/compare?area={}&area={}", encoded(&pick(&areas)), encoded(&pick(&areas))),
    });
    let paths = paths.collect();
    let mut rows = Vec::new();
    let visit = |line: &[u8]| {
        rows.extend(stoop_wire::decode(line).ok());
        Ok::<(), stoop_pipeline::ports::PortError>(())
    };
    database.observations(visit).expect("the lake");
    (paths, rows)
}

/// A text in an address.
fn encoded(text: &str) -> String {
    let byte = |byte: u8| match byte {
        b'a'..=b'z' | b'A'..=b'Z' | b'0'..=b'9' | b'-' | b'.' | b'_' => char::from(byte).to_string(),
        _ => format!("%{byte:02X}"),
    };
    text.bytes().map(byte).collect()
}

fn open(folder: &Path) -> Arc<Database> {
    Database::open(&folder.join("stoop.db"), &folder.join("stoop-data")).expect("the database")
}

fn measure(program: &Path, folder: &Path, paths: &[String], rows: &[Observation], pace: u32) {
    let polls = Arc::new(AtomicU64::new(0));
    let url = source(Arc::clone(&polls));
    let map = format!(
        "name = \"polled\"\ncountry = \"US\"\npurpose = \"sale\"\ncurrency = \"USD\"\n[http]\nurl = \"{url}/homes\"\npause_ms = 0\n\
         [fields]\nnative_id = {{ from = \"/id\" }}\nlist_price = {{ from = \"/p\" }}\ncity = {{ constant = \"Reno\" }}\n\
         region = {{ constant = \"NV\" }}\n"
    );
    fs::write(folder.join("polled.toml"), map).expect("it can be written");
    let search = "[[search]]\nname = \"polled\"\nsource = \"polled.toml\"\nevery = \"1s\"\n";
    fs::write(folder.join("stoop.toml"), search).expect("it can be written");
    let mut command = Command::new(program);
    command.current_dir(folder).args(["--db", "stoop.db", "run", "--port", "0"]).stderr(Stdio::null());
    let mut server = command.stdout(Stdio::piped()).spawn().expect("it starts");
    let lines = Lines::of(server.stdout.take().expect("it is piped"));
    let host = loop {
        let line = lines.next("the address of the pages").expect("a line");
        if let Some((_, rest)) = line.split_once("http://") {
            break rest.split('/').next().expect("an address").to_owned();
        }
    };
    let stop = Arc::new(AtomicBool::new(false));
    let writer = std::thread::spawn({
        let (stop, database, rows) = (Arc::clone(&stop), open(folder), rows.to_vec());
        move || write(&database, &rows, &stop)
    });
    // Until polls and the replay are at their pace.
    std::thread::sleep(Duration::from_secs(3));
    let process = server.id().to_string();
    let cpu_before = cpu_s(&process);
    let (polls_before, began) = (polls.load(Relaxed), Instant::now());
    let times = load(&host, paths, pace);
    let (took, polled) = (began.elapsed(), polls.load(Relaxed) - polls_before);
    let cpu = cpu_s(&process) - cpu_before;
    stop.store(true, Relaxed);
    let written = joined("the replay", writer);
    let end: fn(&mut Child) -> _ = Child::kill;
    end(&mut server).expect("it can be ended");
    ended(&mut server, "the end of a killed server", PATIENCE).expect("it ends");
    report(program, &times, took, polled, written);
    let served = times.iter().filter(|asked| asked.status == 200).count();
    println!("  {:.1} ms of processor for each that was served, with the polls", cpu * 1_000.0 / served.max(1) as f64);
}

fn report(program: &Path, times: &[TimedRequest], took: Duration, polled: u64, written: f64) {
    println!("{}:", program.display());
    let asked = times.len();
    let of = |wanted: fn(u16) -> bool| times.iter().filter(|asked| wanted(asked.status)).count();
    let (refused, failed) = (of(|status| status == 503), of(|status| status != 200 && status != 503));
    let mut kinds: Vec<&str> = times.iter().map(|asked| asked.kind.as_str()).collect();
    kinds.sort_unstable();
    kinds.dedup();
    for kind in std::iter::once("all").chain(kinds) {
        let mut ms: Vec<f64> =
            times.iter().filter(|it| it.status == 200 && (kind == "all" || it.kind == kind)).map(|it| it.ms).collect();
        ms.sort_by(f64::total_cmp);
        let Some(last) = ms.last() else { continue };
        let at = |share: usize| ms[ms.len() * share / 100];
        println!(
            "  {kind:16} {:6} served, p50 {:7.1} ms, p99 {:7.1} ms, at most {last:7.1} ms",
            ms.len(),
            at(50),
            at(99)
        );
    }
    let seconds = took.as_secs_f64();
    println!(
        "  {:.0} served a second, {:.1} % refused, {failed} failed; {:.0} % of the polls, {written:.0} rows a second",
        (asked - refused - failed) as f64 / seconds,
        refused as f64 * 100.0 / asked as f64,
        polled as f64 * POLLS.as_secs_f64() * 100.0 / seconds,
    );
}

/// A request: its kind, the status, and the time since it was due.
struct TimedRequest {
    kind: String,
    status: u16,
    ms: f64,
}

/// Requests at an even pace. Ends when all are answered, or after three times as long.
fn load(host: &str, paths: &[String], pace: u32) -> Vec<TimedRequest> {
    let interval = Duration::from_secs(1) * CONNECTIONS / pace;
    let one = |offset: u32| {
        let (host, paths) = (host.to_owned(), paths.to_vec());
        std::thread::spawn(move || {
            let mut connection = Connection::open(&host);
            let begin = Instant::now() + interval / CONNECTIONS * offset;
            let mut asked = Vec::new();
            for n in 0.. {
                let due = begin + interval * n;
                if due.duration_since(begin) > LOAD || begin.elapsed() > LOAD * 3 {
                    break;
                }
                std::thread::sleep(due.saturating_duration_since(Instant::now()));
                let path = &paths[(n * CONNECTIONS + offset) as usize % paths.len()];
                let status = connection.ask(path).status;
                let kind = path.split('/').find(|part| !matches!(*part, "" | "api" | "v1")).expect("a kind");
                let kind = kind.split('?').next().expect("a kind");
                let of = if path.starts_with("/api") { "API: " } else { "" };
                asked.push(TimedRequest {
                    kind: format!("{of}{kind}"),
                    status,
                    ms: due.elapsed().as_secs_f64() * 1_000.0,
                });
            }
            asked
        })
    };
    let threads: Vec<_> = (0..CONNECTIONS).map(one).collect();
    threads.into_iter().flat_map(|thread| joined("the load", thread)).collect()
}

/// Measures rows at their pace until it shall stop. Returns the rows a second.
fn write(database: &Arc<Database>, rows: &[Observation], stop: &AtomicBool) -> f64 {
    let runtime = tokio::runtime::Builder::new_current_thread().build().expect("a runtime");
    let mut measurer = Measurer::new(&**database);
    let (began, mut dice, mut written) = (Instant::now(), Dice::new(SEED), 0);
    while !stop.load(Relaxed) {
        let now = SystemClock.now();
        let mut commit = Vec::with_capacity(COMMIT);
        for nth in 0..COMMIT {
            let mut row = rows[dice.below(rows.len())].clone();
            (row.at, row.seen) = (now, now);
            if nth % 10 == 0 {
                row.listing.list_price = row.listing.list_price.map(|price| Minor(price.0 * 97 / 100));
            }
            commit.push(row);
        }
        runtime.block_on(measurer.measure(&commit)).expect("measured");
        written += COMMIT;
        let due = began + COMMITS * u32::try_from(written / COMMIT).expect("few");
        std::thread::sleep(due.saturating_duration_since(Instant::now()));
    }
    written as f64 / began.elapsed().as_secs_f64()
}

/// The server of the search. Counts what it is asked.
fn source(polls: Arc<AtomicU64>) -> String {
    let listener = TcpListener::bind("127.0.0.1:0").expect("a port");
    let url = format!("http://{}", listener.local_addr().expect("an address"));
    std::thread::spawn(move || {
        for stream in listener.incoming() {
            let Ok(mut stream) = stream else { return };
            let mut request = [0; 4_096];
            let read = stream.read(&mut request).unwrap_or(0);
            let nth = match request[..read].starts_with(b"GET /homes") {
                true => polls.fetch_add(1, Relaxed),
                false => 0,
            };
            let row = |id: u64| format!("{{\"id\":{id},\"p\":{}}}", 300_000 + id + 100 * ((nth + id % 33) / 33));
            let body = format!("[{}]", (0..POLLED).map(row).collect::<Vec<_>>().join(","));
            let head = format!("HTTP/1.1 200 OK\r\ncontent-length: {}\r\nconnection: close\r\n\r\n", body.len());
            // The client may have gone.
            drop(stream.write_all(head.as_bytes()).and_then(|()| stream.write_all(body.as_bytes())));
        }
    });
    url
}

fn copy_folder(from: &Path, to: &Path) {
    fs::create_dir(to).expect("a folder");
    for entry in fs::read_dir(from).expect("a folder") {
        let entry = entry.expect("an entry");
        let to = to.join(entry.file_name());
        if entry.path().is_dir() {
            copy_folder(&entry.path(), &to);
        } else {
            fs::copy(entry.path(), to).expect("it can be copied");
        }
    }
}
