//! How fast pages are: 200,000 homes in some 8,000 markets, served by `stoop serve`. Run `cargo bench -p stoop --bench pages`;
//! homes and postal codes may follow: `-- 20000 400`.
//!
//! First each page by itself: the first answer, which reads the database, and the following ones, which are remembered. Then 200
//! requests a second from four connections, with ten open pages that listen for events, beside the same load on a file of constant
//! text. Linux only.

#![allow(clippy::disallowed_macros, reason = "a bench prints for itself")]

mod client;
mod updates;

use std::io::Write;
use std::net::TcpStream;
use std::process::{Child, Stdio};
use std::time::{Duration, Instant};

use client::Connection;
use stoop_waits::{LONG, Lines, PATIENCE, connected, ended, joined, status};
use updates::{stoop, write_rows};

/// Of the load.
const REQUESTS_A_SECOND: u32 = 200;
const CONNECTIONS: u32 = 4;
const LOAD: Duration = Duration::from_secs(10);
const LISTENERS: usize = 10;

fn main() {
    let args: Vec<String> = std::env::args().skip(1).filter(|arg| arg != "--bench").collect();
    let number = |index: usize, default: u64| args.get(index).and_then(|arg| arg.parse().ok()).unwrap_or(default);
    let (homes, codes) = (number(0, 200_000), number(1, 4_000));
    let folder = tempfile::tempdir().expect("a temporary folder");
    let (file, database) = (folder.path().join("updates.jsonl"), folder.path().join("stoop.db"));
    write_rows(&file, homes, codes, None);
    let map = concat!(env!("CARGO_MANIFEST_DIR"), "/../maps/simulated.toml");
    let mut replay = stoop(&database);
    replay.args(["replay", "--json", "--map", map]).arg(&file).stdout(Stdio::null());
    assert!(status(&mut replay, LONG).expect("it runs").success());

    let mut server = stoop(&database).args(["serve", "--port", "0"]).stdout(Stdio::piped()).spawn().expect("it starts");
    let line = Lines::of(server.stdout.take().expect("it is piped")).next("the address of the pages").expect("a line");
    let host = line.trim_start_matches("Pages: http://").split('/').next().expect("an address").to_owned();
    bench(&host);
    let end: fn(&mut Child) -> _ = Child::kill;
    end(&mut server).expect("it can be ended");
    ended(&mut server, "the end of a killed server", PATIENCE).expect("it ends");
}

fn bench(host: &str) {
    let mut connection = Connection::open(host);
    let overview = connection.get("/").body;
    let style = part(&overview, "href=\"/static/", '"').map(|rest| format!("/static/{rest}")).expect("a style sheet");
    let city = "/areas/us/al/county-0/city-0";
    let home = part(&connection.get(city).body, "href=\"/homes/", '"').map(|rest| format!("/homes/{rest}"));
    let pages = [
        "/".to_owned(),
        "/areas/us".to_owned(),
        "/areas/us/al".to_owned(),
        "/areas/us/al/county-0".to_owned(),
        city.to_owned(),
        "/areas/us/al/county-0/city-0/10000".to_owned(),
        home.expect("a home"),
        "/compare?area=us/al&area=us/ak".to_owned(),
        "/alerts".to_owned(),
        "/runs".to_owned(),
        "/definitions".to_owned(),
    ];
    println!("{:44} {:>9} {:>9} {:>9}", "page", "first ms", "again ms", "kB gzip");
    for (nth, page) in pages.iter().enumerate() {
        // Another address, so that it is not remembered.
        let fresh = |n: usize| format!("{page}{}nth={nth}-{n}", if page.contains('?') { '&' } else { '?' });
        let first = median((0..5).map(|n| connection.timed(&fresh(n))).collect());
        let again = median((0..20).map(|_| connection.timed(&fresh(0))).collect());
        let bytes = connection.get(page).bytes;
        println!("{page:44} {first:9.1} {again:9.2} {:9.1}", bytes as f64 / 1_000.0);
    }
    let listeners: Vec<TcpStream> = (0..LISTENERS).map(|_| listen(host)).collect();
    let constant = load(host, &[style]);
    let pages = load(host, &pages);
    println!("{REQUESTS_A_SECOND} requests a second, {} open pages:", listeners.len());
    println!("  constant text: median {:.2} ms, 99 % within {:.2} ms", constant[0], constant[1]);
    println!("  pages:         median {:.2} ms, 99 % within {:.2} ms", pages[0], pages[1]);
}

/// Requests at an even pace, in milliseconds from the moment each was due: the median and the 99th percentile.
fn load(host: &str, pages: &[String]) -> [f64; 2] {
    let pace = Duration::from_secs(1) * CONNECTIONS / REQUESTS_A_SECOND;
    let one = |offset: u32| {
        let (host, pages) = (host.to_owned(), pages.to_vec());
        std::thread::spawn(move || {
            let mut connection = Connection::open(&host);
            let begin = Instant::now() + pace / CONNECTIONS * offset;
            let mut times = Vec::new();
            for n in 0.. {
                let due = begin + pace * n;
                if due.duration_since(begin) > LOAD {
                    break;
                }
                std::thread::sleep(due.saturating_duration_since(Instant::now()));
                connection.get(&pages[n as usize % pages.len()]);
                times.push(due.elapsed().as_secs_f64() * 1_000.0);
            }
            times
        })
    };
    let threads: Vec<_> = (0..CONNECTIONS).map(one).collect();
    let mut times: Vec<f64> = threads.into_iter().flat_map(|thread| joined("the load", thread)).collect();
    times.sort_by(f64::total_cmp);
    [times[times.len() / 2], times[times.len() * 99 / 100]]
}

/// An open page.
fn listen(host: &str) -> TcpStream {
    let mut stream = connected(host).expect("a connection");
    write!(stream, "GET /events HTTP/1.1\r\nHost: {host}\r\n\r\n").expect("it is sent");
    stream
}

fn median(mut times: Vec<f64>) -> f64 {
    times.sort_by(f64::total_cmp);
    times[times.len() / 2]
}

/// The text after the first `from`, up to `end`.
fn part<'t>(text: &'t str, from: &str, end: char) -> Option<&'t str> {
    text.split(from).nth(1)?.split(end).next()
}
