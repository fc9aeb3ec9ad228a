//! Attacks on the server of `stoop demo`, which polls meanwhile: unlike requests, idle and half-open connections, readers that do not
//! read, and bytes that are no HTTP. The server must go on polling, stay small, and answer again when an attack is over.

use std::io::{Read, Write};
use std::net::{Shutdown, SocketAddr, TcpStream};
use std::path::Path;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::{Duration, Instant};

use anyhow::{Context, Result, ensure};

use crate::project::Project;
use crate::server::Server;
use crate::tally::TestTally;

/// How long each attack lasts.
const LASTS: Duration = Duration::from_secs(15);
/// The server answers again within this time: it cuts connections that say nothing after 30 seconds.
const RECOVERS_WITHIN: Duration = Duration::from_secs(60);
/// All attacks together may make the process larger by so much.
const GROWS_MAX: u64 = 96 << 20;
const ATTACKERS: usize = 4;
const PATIENCE: Duration = Duration::from_secs(2);

/// An attack: what one attacker does with the `n`th number, over and over.
type Attack = fn(SocketAddr, u64) -> std::io::Result<()>;

const ATTACKS: [(&str, Attack); 8] = [
    ("queries that no page has", unlike_queries),
    ("connections that say nothing", silence),
    ("requests that do not end", half_requests),
    ("readers that do not read", no_reading),
    ("readers that read slowly", slow_reading),
    ("listeners with large heads", listeners),
    ("bytes that are no HTTP", noise),
    ("requests of other sites", other_sites),
];

/// # Errors
/// If the demo cannot be run, or does not withstand an attack.
pub(crate) fn run(project: &Project) -> Result<TestTally> {
    let folder = project.cache().join(format!("abuse-{}", std::process::id()));
    std::fs::create_dir_all(&folder).with_context(|| format!("can't make {}", folder.display()))?;
    let withstood = run_in(project, &folder);
    std::fs::remove_dir_all(&folder).with_context(|| format!("can't remove {}", folder.display()))?;
    withstood
}

fn run_in(project: &Project, folder: &Path) -> Result<TestTally> {
    let mut demo = project.command(project.built("stoop")?);
    let server =
        Server::start(demo.current_dir(folder).args(["demo", "--homes", "600", "--history", "5", "--port", "0"]))?;
    let address: SocketAddr = format!("127.0.0.1:{}", server.port()?).parse()?;
    wait_until(RECOVERS_WITHIN, || Ok(polls(address).is_ok_and(|polls| polls > 0)))
        .context("the demo does not poll")?;
    let small = resident(&server)?;
    let mut tally = TestTally::default();
    for (name, attack) in ATTACKS {
        let before = polls(address)?;
        let attempts = attacked(address, attack);
        wait_until(RECOVERS_WITHIN, || Ok(is_healthy(address)))
            .with_context(|| format!("after {name} it does not answer"))?;
        let (polls, grown) = (polls(address)? - before, resident(&server)?.saturating_sub(small));
        println!("{name:<32} {attempts:>9} times; {polls:>4} polls meanwhile, {:>3} MiB larger", grown >> 20);
        ensure!(polls > 0, "{name}: nothing was polled meanwhile");
        ensure!(grown <= GROWS_MAX, "{name}: it grew by {grown} bytes; accepted: {GROWS_MAX}");
        tally.passed += 1;
    }
    Ok(tally)
}

/// Attacks for a while. Returns how often.
fn attacked(address: SocketAddr, attack: Attack) -> u64 {
    let (attempts, is_over) = (AtomicU64::new(0), AtomicBool::new(false));
    std::thread::scope(|threads| {
        for _ in 0..ATTACKERS {
            threads.spawn(|| {
                while !is_over.load(Ordering::Relaxed) {
                    let number = attempts.fetch_add(1, Ordering::Relaxed);
                    if attack(address, number).is_err() {
                        // It is refused, as it should be.
                        std::thread::sleep(Duration::from_millis(1));
                    }
                }
            });
        }
        std::thread::sleep(LASTS);
        is_over.store(true, Ordering::Relaxed);
    });
    attempts.into_inner()
}

fn unlike_queries(address: SocketAddr, number: u64) -> std::io::Result<()> {
    let mut stream = connect(address)?;
    for part in 0..100 {
        let number = number * 100 + part;
        let (method, path) = [("HEAD", "/definitions"), ("GET", "/api"), ("GET", "/")][(number % 3) as usize];
        let end = if part == 99 { "close" } else { "keep-alive" };
        write!(
            stream,
            "{method} {path}?x={number} HTTP/1.1\r\nHost: {address}\r\nIf-None-Match: \"{number}\"\r\nConnection: {end}\r\n\r\n"
        )?;
    }
    read_all(&mut stream)
}

fn silence(address: SocketAddr, number: u64) -> std::io::Result<()> {
    let held: Vec<TcpStream> = (0..200).map_while(|_| connect(address).ok()).collect();
    std::thread::sleep(Duration::from_millis(200 + number % 800));
    drop(held);
    Ok(())
}

fn half_requests(address: SocketAddr, _: u64) -> std::io::Result<()> {
    let mut held: Vec<TcpStream> = (0..50).map_while(|_| connect(address).ok()).collect();
    for byte in b"GET / HTTP/1.1\r\nHost: " {
        for stream in &mut held {
            stream.write_all(&[*byte])?;
        }
        std::thread::sleep(Duration::from_millis(50));
    }
    Ok(())
}

fn no_reading(address: SocketAddr, _: u64) -> std::io::Result<()> {
    let mut held: Vec<TcpStream> = (0..20).map_while(|_| connect(address).ok()).collect();
    for stream in &mut held {
        for _ in 0..50 {
            write!(stream, "GET / HTTP/1.1\r\nHost: {address}\r\n\r\n")?;
        }
    }
    std::thread::sleep(Duration::from_secs(1));
    Ok(())
}

fn slow_reading(address: SocketAddr, _: u64) -> std::io::Result<()> {
    let mut held: Vec<TcpStream> = (0..50).map_while(|_| connect(address).ok()).collect();
    for stream in &mut held {
        for _ in 0..12 {
            write!(stream, "GET /api/v1/homes?area=us&limit=1000 HTTP/1.1\r\nHost: {address}\r\n\r\n")?;
        }
    }
    for _ in 0..5 {
        std::thread::sleep(Duration::from_secs(1));
        for stream in &mut held {
            let _: usize = stream.read(&mut [0; 1_024])?;
        }
    }
    Ok(())
}

fn listeners(address: SocketAddr, number: u64) -> std::io::Result<()> {
    let path = ["/events", "/api/v1/events"][(number % 2) as usize];
    let head = "x".repeat(24 << 10);
    let mut held: Vec<TcpStream> = (0..60).map_while(|_| connect(address).ok()).collect();
    for stream in &mut held {
        write!(stream, "GET {path} HTTP/1.1\r\nHost: {address}\r\nX: {head}\r\n\r\n")?;
    }
    std::thread::sleep(Duration::from_secs(5));
    Ok(())
}

fn noise(address: SocketAddr, number: u64) -> std::io::Result<()> {
    let mut stream = connect(address)?;
    let mut state = number.wrapping_mul(0x9e37_79b9_7f4a_7c15) | 1;
    let mut bytes = move || {
        // xorshift64: Marsaglia, "Xorshift RNGs", 2003.
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        state.to_le_bytes()
    };
    let random: Vec<u8> = (0..64).flat_map(|_| bytes()).collect();
    match number % 6 {
        0 => stream.write_all(&random)?,
        1 => write!(stream, "GET /{} HTTP/1.1\r\nHost: {address}\r\n\r\n", "a/".repeat(50_000))?,
        2 => write!(stream, "GET / HTTP/1.1\r\nHost: {address}\r\n{}\r\n", "X: y\r\n".repeat(5_000))?,
        3 => write!(stream, "POST /login HTTP/1.1\r\nHost: {address}\r\nContent-Length: 99999999999\r\n\r\nx")?,
        4 => write!(stream, "POST / HTTP/1.1\r\nHost: {address}\r\nTransfer-Encoding: chunked\r\n\r\nffffffff\r\n")?,
        _ => write!(
            stream,
            "GET http://{address}/%00%ff?%80=%80&&&=== HTTP/1.0\r\nAccept: {}\r\n\r\n",
            "*/*,".repeat(900)
        )?,
    }
    stream.shutdown(Shutdown::Write)?;
    read_all(&mut stream)
}

fn other_sites(address: SocketAddr, number: u64) -> std::io::Result<()> {
    let mut stream = connect(address)?;
    let (host, site) = match number % 3 {
        0 => ("rebound.example".to_owned(), "none"),
        1 => (address.to_string(), "cross-site"),
        _ => (format!("{address}\r\nHost: rebound.example"), "none"),
    };
    let request = format!("GET /api/v1/markets?limit={number} HTTP/1.1\r\nHost: {host}\r\nSec-Fetch-Site: {site}\r\n");
    write!(stream, "{request}Connection: close\r\n\r\n")?;
    let mut answer = String::new();
    stream.read_to_string(&mut answer)?;
    match answer.get(9..12) {
        Some("403" | "421" | "400" | "503") | None => Ok(()),
        Some(status) => Err(std::io::Error::other(format!("status {status}"))),
    }
}

fn connect(address: SocketAddr) -> std::io::Result<TcpStream> {
    let stream = TcpStream::connect_timeout(&address, PATIENCE)?;
    stream.set_read_timeout(Some(PATIENCE))?;
    stream.set_write_timeout(Some(PATIENCE))?;
    Ok(stream)
}

fn read_all(stream: &mut TcpStream) -> std::io::Result<()> {
    std::io::copy(stream, &mut std::io::sink()).map(drop)
}

/// The body of an answer with status 200.
fn get(address: SocketAddr, path: &str) -> Result<String> {
    let mut stream = connect(address)?;
    write!(stream, "GET {path} HTTP/1.1\r\nHost: {address}\r\nConnection: close\r\n\r\n")?;
    let mut answer = String::new();
    stream.read_to_string(&mut answer)?;
    ensure!(answer.starts_with("HTTP/1.1 200 "), "{path}: {}", answer.lines().next().unwrap_or("no answer"));
    Ok(answer)
}

fn is_healthy(address: SocketAddr) -> bool {
    get(address, "/health").is_ok() && get(address, "/").is_ok() && get(address, "/metrics").is_ok()
}

/// How many polls have ended well.
fn polls(address: SocketAddr) -> Result<u64> {
    const NAME: &str = "stoop_polls_complete_total ";
    let text = get(address, "/metrics")?;
    let count = text.lines().find_map(|line| line.strip_prefix(NAME)).context("no count of polls")?;
    Ok(count.trim().parse()?)
}

/// The bytes of a process in memory.
fn resident(server: &Server) -> Result<u64> {
    let path = format!("/proc/{}/status", server.id());
    let text = std::fs::read_to_string(&path).with_context(|| format!("can't read {path}"))?;
    let line = text.lines().find_map(|line| line.strip_prefix("VmRSS:")).context("no VmRSS")?;
    let kib: u64 = line.trim().trim_end_matches(" kB").parse()?;
    Ok(kib << 10)
}

fn wait_until(time: Duration, is_so: impl Fn() -> Result<bool>) -> Result<()> {
    let end = Instant::now() + time;
    while !is_so()? {
        ensure!(Instant::now() < end, "not within {} s", time.as_secs());
        std::thread::sleep(Duration::from_millis(200));
    }
    Ok(())
}
