//! Protection against feeds that are larger, longer or emptier than any real feed of listings.

use std::io::{Read, Write};
use std::net::TcpListener;
use std::process::Stdio;

use flate2::Compression;
use flate2::write::{DeflateEncoder, GzEncoder};
use serde_json::{Value, json};

use crate::support::{Outcome, Room, Running, list, says, text, until};

const FIELDS: &str = "[fields]\nnative_id = { from = \"/id\" }\nlist_price = { from = \"/p\" }\n\
                      city = { constant = \"Reno\" }\n";
const HEAD: &str = "name = \"made\"\ncountry = \"US\"\npurpose = \"sale\"\ncurrency = \"USD\"\n";

/// Starts a server that gives every request the same answer. Returns its URL.
fn serve(headers: &str, body: Vec<u8>) -> String {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = format!("http://{}", listener.local_addr().unwrap());
    let head = format!("HTTP/1.1 {headers}content-length: {}\r\nconnection: close\r\n\r\n", body.len());
    std::thread::spawn(move || {
        for stream in listener.incoming() {
            let Ok(mut stream) = stream else { return };
            let mut request = Vec::new();
            let mut buffer = [0; 4_096];
            while !request.windows(4).any(|end| end == b"\r\n\r\n") {
                match stream.read(&mut buffer) {
                    Ok(n) if n > 0 => request.extend_from_slice(&buffer[..n]),
                    _ => break,
                }
            }
            // The client may have gone.
            drop(stream.write_all(head.as_bytes()).and_then(|()| stream.write_all(&body)));
        }
    });
    address
}

/// A room with a search `made` of an API at this URL.
fn room_of(address: &str, rows: &str, search: &str) -> Room {
    let room = Room::new();
    let http = format!("[read]\nrows = {rows:?}\n[http]\nurl = \"{address}/list\"\npause_ms = 0\n");
    let read = if rows.is_empty() { http.replace("[read]\nrows = \"\"\n", "") } else { http };
    room.write("api.toml", format!("{HEAD}{read}{FIELDS}"));
    room.write("stoop.toml", format!("[[search]]\nname = \"made\"\nsource = \"api.toml\"\n{search}"));
    room
}

fn gzip(bytes: &[u8]) -> Vec<u8> {
    let mut gzip = GzEncoder::new(Vec::new(), Compression::best());
    gzip.write_all(bytes).unwrap();
    gzip.finish().unwrap()
}

/// Runs the program to its end. Returns its output and its peak memory in kilobytes.
fn watched(room: &Room, args: &[&str]) -> (Outcome, u64) {
    let mut command = room.command(args);
    let mut running = Running(command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap());
    let mut peak_kb = 0;
    // The output fits into a pipe: the program never waits for us.
    until("the end of stoop", || {
        peak_kb = peak_kb.max(crate::support::peak_of(running.0.id()).unwrap_or(0));
        running.has_ended().then_some(())
    });
    (Outcome::at_the_end_of(&mut running), peak_kb)
}

/// The largest answer that is read.
const ANSWER: usize = 32 << 20;

#[test]
fn no_answer_takes_more_than_four_times_its_size_in_memory() {
    let filled = |begin: &str, part: &str, end: &str| {
        let times = (ANSWER - begin.len() - end.len()) / part.len();
        let mut body = begin.as_bytes().to_vec();
        body.extend_from_slice(part.repeat(times).as_bytes());
        body.extend_from_slice(end.as_bytes());
        body
    };
    let empty = room_of(&serve("200 OK\r\n", b"[]".to_vec()), "", "");
    let (_, itself_kb) = watched(&empty, &["poll", "made"]);
    for (what, rows, body, code) in [
        ("rows without anything in them", "", filled("[{}", ",{}", "]"), 1),
        ("rows with few fields", "", filled("[{\"id\":1,\"p\":99999}", ",{\"id\":1,\"p\":99999}", "]"), 0),
        ("a JSONPath through all of it", "$.r[*]", filled("{\"r\":[{}", ",{}", "]}"), 1),
    ] {
        let packed = gzip(&body);
        let (packed_kb, size_kb) = (packed.len() >> 10, body.len() as u64 >> 10);
        let room = room_of(&serve("200 OK\r\ncontent-encoding: gzip\r\n", packed), rows, "");
        let (outcome, peak_kb) = watched(&room, &["poll", "made"]);
        eprintln!("{what}: {packed_kb} kB packed, {size_kb} kB unpacked, {itself_kb} to {peak_kb} kB of memory");
        assert_eq!(outcome.code, Some(code), "{what}: {}{}", outcome.stdout, outcome.stderr);
        assert!(peak_kb <= itself_kb + 4 * size_kb, "{what}: {itself_kb} to {peak_kb} kB of memory for {size_kb} kB");
    }
}

#[test]
fn an_answer_with_too_many_rows_is_cut_and_says_so() {
    let row = |i: u32| format!("{{\"id\":{i},\"p\":{}}}", 100_000 + i);
    let body = format!("[{}]", (0..20_003).map(row).collect::<Vec<_>>().join(","));
    let room = room_of(&serve("200 OK\r\n", body.into_bytes()), "", "");
    let message = room.json(&["poll", "made"]);
    says(&message, &json!({ "outcome": "partial", "rows": 20_000, "new": 20_000 }));
    let why = "broken off at page 1: it has 20003 rows, of which 20000 are read";
    assert!(text(&message["message"]).starts_with(why), "{message}");
}

/// A zip archive of one entry, `packed` by Deflate, with this size in bytes and this checksum.
fn zip_of(name: &str, packed: &[u8], size: u32, crc: u32) -> Vec<u8> {
    let sizes = [u32::try_from(packed.len()).unwrap(), size];
    let names = u16::try_from(name.len()).unwrap();
    let mut common = Vec::new();
    common.extend([20, 0, 0, 0, 8, 0, 0, 0, 0, 0]);
    common.extend(crc.to_le_bytes());
    sizes.iter().for_each(|size| common.extend(size.to_le_bytes()));
    common.extend(names.to_le_bytes());
    common.extend([0, 0]);
    let mut zip = b"PK\x03\x04".to_vec();
    zip.extend(&common);
    zip.extend(name.as_bytes());
    zip.extend(packed);
    let directory = zip.len();
    zip.extend(b"PK\x01\x02\x14\0");
    zip.extend(&common);
    zip.extend([0; 14]);
    zip.extend(name.as_bytes());
    let length = zip.len() - directory;
    zip.extend(b"PK\x05\x06\0\0\0\0\x01\0\x01\0");
    zip.extend(u32::try_from(length).unwrap().to_le_bytes());
    zip.extend(u32::try_from(directory).unwrap().to_le_bytes());
    zip.extend([0, 0]);
    zip
}

/// An archive of less than a kilobyte that unpacks to 64 MiB of invalid rows.
fn bomb() -> Vec<u8> {
    let rows = gzip(&b"{}\n".repeat(30 << 20));
    let mut deflate = DeflateEncoder::new(Vec::new(), Compression::best());
    deflate.write_all(&rows).unwrap();
    let mut crc = flate2::Crc::new();
    crc.update(&rows);
    zip_of("homes.jsonl.gz", &deflate.finish().unwrap(), u32::try_from(rows.len()).unwrap(), crc.sum())
}

fn size_of(room: &Room, name: &str) -> u64 {
    std::fs::metadata(room.path(name)).map_or(0, |metadata| metadata.len())
}

#[test]
fn an_archive_of_a_kilobyte_fills_no_disk() {
    let room = Room::new();
    room.write("map.toml", format!("{HEAD}{FIELDS}"));
    room.write("stoop.toml", "[[search]]\nname = \"made\"\nsource = \"map.toml\"\nfiles = \"in/\"\n");
    std::fs::create_dir(room.path("in")).unwrap();
    let archive = bomb();
    assert!(archive.len() < 1_000, "{} bytes", archive.len());
    room.write("in/bomb.zip", &archive);
    let old = std::time::UNIX_EPOCH + std::time::Duration::from_secs(1_768_392_000);
    std::fs::File::options().write(true).open(room.path("in/bomb.zip")).unwrap().set_modified(old).unwrap();

    // Plainly the wrong file: the poll gives up as soon as that is clear.
    let outcome = room.stoop(&["poll", "made"]);
    assert_eq!(outcome.code, Some(1), "{}{}", outcome.stdout, outcome.stderr);
    assert!(outcome.stdout.contains("in/bomb.zip: none of the first 1000 rows is understood: missing_field 1000"));
    let message = room.json(&["quarantine", "--limit", "1000"]);
    says(&message, &json!({ "total": 1_000, "kept": 101 }));
    assert_eq!(list(&message["rejects"]).len(), 101);

    // With all rejects allowed, it reads on up to the bound.
    std::fs::remove_file(room.path("stoop.db")).unwrap();
    let args = ["replay", "--map", "map.toml", "--max-rejects", "100", "in/bomb.zip"];
    room.stoop(&args).refused(&["in/bomb.zip: broken off: ", "rows; accepted: 2 for each byte, and 1000000"]);
    let message: Value = room.json(&["quarantine", "--limit", "1000"]);
    assert!(message["kept"].as_u64().unwrap() < 300, "{}", message["kept"]);
    assert!(message["total"].as_u64().unwrap() > 900_000, "each is counted: {}", message["total"]);
    let bytes = ["stoop.db", "stoop.db-wal"].map(|name| size_of(&room, name));
    assert!(bytes.iter().sum::<u64>() < 8 << 20, "{bytes:?} bytes");
}

#[test]
fn a_poll_that_understands_nothing_fails_and_says_why() {
    let room = room_of(&serve("200 OK\r\n", b"[{\"p\":1},{\"p\":2},{\"id\":{},\"p\":3}]".to_vec()), "", "");
    let outcome = room.stoop(&["poll", "made"]);
    assert_eq!(outcome.code, Some(1), "{}{}", outcome.stdout, outcome.stderr);
    let why = "made: failed: none of the first 3 rows is understood: missing_field 2, bad_value 1";
    assert!(outcome.stdout.starts_with(why), "{}", outcome.stdout);
    let run = &room.json(&["runs"])["runs"][0];
    says(
        run,
        &json!({ "outcome": "failed", "message": "none of the first 3 rows is understood: missing_field 2, bad_value 1" }),
    );
}

#[test]
fn a_poll_with_more_rejects_than_are_allowed_sends_nothing_and_says_the_reasons() {
    let body = b"[{\"id\":1,\"p\":1000},{\"id\":2,\"p\":2000},{\"id\":3,\"p\":\"cheap\"}]".to_vec();
    let address = serve("200 OK\r\n", body);
    let why = "1 of the first 3 rows are refused, or values of them, (33.3 %, more than 20 %): bad_value 1";
    for (search, args) in
        [("", &["poll", "made", "--max-rejects", "20"][..]), ("max_rejects = 20\n", &["poll", "made"])]
    {
        let room = room_of(&address, "", search);
        let outcome = room.stoop(args);
        assert_eq!(outcome.code, Some(1), "{}{}", outcome.stdout, outcome.stderr);
        assert!(outcome.stdout.contains(why), "{}", outcome.stdout);
        let sum = "3 rows on 1 page: new 0, changed 0, seen again 0, not taken 3; values refused 1; gone 0";
        assert!(outcome.stdout.contains(sum), "{}", outcome.stdout);
        assert_eq!(room.json(&["markets"])["markets"], json!([]), "nothing was sent");
        assert_eq!(room.rejects().len(), 1);
    }
    let room = room_of(&address, "", "max_rejects = 20\n");
    says(
        &room.json(&["poll", "made", "--max-rejects", "50"]),
        &json!({ "outcome": "complete", "new": 3, "rejects": 0, "values_refused": 1 }),
    );
    room.write("stoop.toml", "[[search]]\nname = \"made\"\nsource = \"api.toml\"\nmax_rejects = 120\n");
    room.stoop(&["poll", "made"]).refused(&["search[0].max_rejects: 120", "accepted: a number from 0 to 100"]);
}

#[test]
fn a_retry_after_of_three_years_is_shown_and_can_be_reset() {
    let room = room_of(&serve("429 Too Many Requests\r\nretry-after: 99999999\r\n", Vec::new()), "", "");
    let outcome = room.stoop(&["poll", "made"]);
    assert_eq!(outcome.code, Some(1), "{}{}", outcome.stdout, outcome.stderr);
    assert!(outcome.stdout.starts_with("made: failed: 127.0.0.1:"), "{}", outcome.stdout);
    assert!(outcome.stdout.contains("status 429: the server asks to wait, until 20"), "{}", outcome.stdout);
    let held = room.json(&["sources"])["held"][0].clone();
    assert_eq!(held["why"], "status 429: the server asks to wait");
    let listed = room.stoop(&["sources"]).ok().stdout;
    let until = text(&held["until"]);
    assert!(listed.contains(&format!("is not polled until {until}: status 429: the server asks to wait.")), "{listed}");
    assert!(listed.contains("`stoop sources reset SEARCH` asks again at once."), "{listed}");

    let outcome = room.stoop(&["sources", "reset", "made"]).ok().stdout;
    assert!(outcome.starts_with(&format!("made: the next poll asks again; it was to wait until {until}")), "{outcome}");
    assert_eq!(room.json(&["sources"])["held"], json!([]));
    assert!(room.stoop(&["sources", "reset", "made"]).ok().stdout.contains("nothing to reset"));
    room.stoop(&["sources", "reset", "other"]).refused(&["the search \"other\" is not configured; there are: made"]);
}

#[test]
#[cfg(unix)]
fn a_file_without_a_row_does_not_delay_a_stop() {
    let room = Room::new();
    room.write("map.toml", format!("{HEAD}{FIELDS}"));
    // It takes no space on the disk, and minutes to read.
    let file = std::fs::File::create(room.path("homes.jsonl")).unwrap();
    file.set_len(1 << 40).unwrap();
    let running = room.start(&["replay", "--map", "map.toml", "homes.jsonl"]);
    crate::support::until("it has begun", || {
        let runs = room.stoop(&["runs", "--json"]);
        (runs.code == Some(0) && runs.json()["total"] == 1).then_some(())
    });
    running.interrupt();
    // Without the stop this test would wait for hours.
    assert_eq!(running.wait(), Some(130));
}
