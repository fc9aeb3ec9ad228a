//! How many searches are polled at their cadence, and what a poll that finds nothing new costs: 50 searches of one source, with
//! 200 homes each, once a second. Run `cargo bench -p stoop --bench polls`; searches, homes, seconds and programs may follow:
//! `-- 50 200 20 target/release/stoop BEFORE`. Each program is measured in turn. Linux only.

#![allow(clippy::disallowed_macros, reason = "a bench prints for itself")]

mod process;

use std::fs;
use std::io::{Read, Write};
use std::net::{TcpListener, TcpStream};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering::Relaxed};
use std::time::{Duration, Instant};

use stoop_waits::{PATIENCE, ended};

use process::cpu_s;

/// Until the first scans, which find everything new, are over.
const BEFORE: Duration = Duration::from_secs(5);

fn main() {
    let args: Vec<String> = std::env::args().skip(1).filter(|arg| arg != "--bench").collect();
    let number = |index: usize, default: u64| args.get(index).and_then(|arg| arg.parse().ok()).unwrap_or(default);
    let (searches, homes, seconds) = (number(0, 50), number(1, 200), number(2, 20));
    let mut programs: Vec<PathBuf> = args.iter().skip(3).map(PathBuf::from).collect();
    if programs.is_empty() {
        programs.push(env!("CARGO_BIN_EXE_stoop").into());
    }
    println!("{searches} searches of {homes} homes, once a second for {seconds} s");
    for program in &programs {
        measure(program, searches, homes, Duration::from_secs(seconds));
    }
}

fn measure(program: &Path, searches: u64, homes: u64, time: Duration) {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let polls = Arc::new(AtomicU64::new(0));
    let url = source(homes, Arc::clone(&polls));
    let map = format!(
        "name = \"polled\"\ncountry = \"US\"\npurpose = \"sale\"\ncurrency = \"USD\"\n[http]\nurl = \"{url}/{{list}}\"\n\
         pause_ms = 0\n[http.pages]\nby = \"none\"\n[fields]\nnative_id = {{ from = \"id\" }}\n\
         list_price = {{ from = \"price\" }}\ncity = {{ constant = \"Austin\" }}\nregion = {{ constant = \"TX\" }}\n"
    );
    fs::write(folder.path().join("polled.toml"), map).expect("it can be written");
    let search = |number| {
        format!(
            "[[search]]\nname = \"s{number}\"\nsource = \"polled.toml\"\nevery = \"1s\"\n[search.params]\nlist = \"s{number}\"\n"
        )
    };
    fs::write(folder.path().join("stoop.toml"), (0..searches).map(search).collect::<String>())
        .expect("it can be written");
    let mut command = Command::new(program);
    command.current_dir(folder.path()).args(["--db", "stoop.db", "run", "--port", "0"]);
    let mut run = command.stdout(Stdio::null()).stderr(Stdio::null()).spawn().expect("it starts");
    std::thread::sleep(BEFORE);
    let process = run.id().to_string();
    let (cpu_before, polls_before, began) = (cpu_s(&process), polls.load(Relaxed), Instant::now());
    std::thread::sleep(time);
    let (cpu, polled, took) = (cpu_s(&process) - cpu_before, polls.load(Relaxed) - polls_before, began.elapsed());
    let end: fn(&mut Child) -> _ = Child::kill;
    end(&mut run).expect("it can be ended");
    ended(&mut run, "the end of a killed run", PATIENCE).expect("it ends");
    println!(
        "{}: {:.0} % of the cadence, {:.2} ms of processor for each poll",
        program.display(),
        polled as f64 * 100.0 / (searches as f64 * took.as_secs_f64()),
        cpu * 1_000.0 / polled.max(1) as f64,
    );
}

/// The server of the searches. Each has the same homes in every answer. Counts the answers.
fn source(homes: u64, polls: Arc<AtomicU64>) -> String {
    let listener = TcpListener::bind("127.0.0.1:0").expect("a port");
    let url = format!("http://{}", listener.local_addr().expect("an address"));
    std::thread::spawn(move || {
        for stream in listener.incoming().map_while(Result::ok) {
            // The client may have gone.
            if answer(stream, homes).is_ok() {
                polls.fetch_add(1, Relaxed);
            }
        }
    });
    url
}

fn answer(mut stream: TcpStream, homes: u64) -> std::io::Result<()> {
    let mut request = [0; 4_096];
    let read = stream.read(&mut request)?;
    let request = String::from_utf8_lossy(&request[..read]);
    let search = request.split(['/', ' ']).nth(2).unwrap_or_default();
    let row = |id: u64| format!("{{\"id\":\"{search}-{id}\",\"price\":{}}}", 300_000 + 1_000 * id);
    let body = format!("[{}]", (0..homes).map(row).collect::<Vec<_>>().join(","));
    let head = "HTTP/1.1 200 OK\r\ncontent-type: application/json\r\nconnection: close\r\n";
    stream.write_all(format!("{head}content-length: {}\r\n\r\n{body}", body.len()).as_bytes())
}
