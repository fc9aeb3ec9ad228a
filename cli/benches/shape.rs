//! What `stoop replay` costs on a wide market: 1,000,000 updates of 200,000 homes in some 4,000 markets, 23 % of which
//! change something. Run `cargo bench -p stoop --bench shape`; rows, homes and areas may follow: `-- 100000 20000 200`.
//!
//! The same run also measures parsing the file alone. Linux only: CPU seconds of the process come from `/proc`.

#![allow(clippy::disallowed_macros, reason = "a bench prints for itself")]

mod parsing;
mod process;

use std::fs::{self, File};
use std::path::Path;
use std::process::Command;

use parsing::{PARSE, parse};
use process::watched;
use stoop_waits::{LONG, status};

/// The budget: CPU seconds and megabytes.
const BUDGET: (f64, u64) = (10.0, 300);

fn main() {
    let args: Vec<String> = std::env::args().skip(1).filter(|arg| arg != "--bench").collect();
    if let [flag, file] = &args[..]
        && flag == PARSE
    {
        parse(Path::new(file));
        return;
    }
    let number = |index: usize, default: u64| args.get(index).and_then(|arg| arg.parse().ok()).unwrap_or(default);
    let (rows, homes, areas) = (number(0, 1_000_000), number(1, 200_000), number(2, 2_000));
    let folder = tempfile::tempdir().expect("a temporary folder");
    let file = folder.path().join("updates.jsonl");
    let stoop = env!("CARGO_BIN_EXE_stoop");
    let [rows_text, homes_text, areas_text] = [rows, homes, areas].map(|number| number.to_string());
    let simulate = [
        "simulate",
        "--rows",
        &rows_text,
        "--homes",
        &homes_text,
        "--areas",
        &areas_text,
        "--changing",
        "23",
        "--brief",
    ];
    let out = File::create(&file).expect("a file in it");
    let simulated = status(Command::new(stoop).args(simulate).stdout(out), LONG);
    assert!(simulated.expect("it starts and ends").success());
    let bytes = fs::metadata(&file).expect("the file").len();
    println!("{rows} updates of {homes} homes in {areas} postal codes, {} MB", bytes / 1_000_000);

    let map = concat!(env!("CARGO_MANIFEST_DIR"), "/../maps/simulated.toml");
    let parsing = watched(Command::new(std::env::current_exe().expect("this program")).arg(PARSE).arg(&file));
    let database = folder.path().join("stoop.db");
    let mut replay = Command::new(stoop);
    replay.arg("--db").arg(&database).args(["replay", "--json", "--map", map]).arg(&file);
    let replaying = watched(&mut replay);
    println!("parsing alone: {:.1} CPU seconds", parsing.cpu_s);
    println!(
        "replay: {:.1} CPU seconds (budget {:.0}), {:.2} of parsing; {} MB at the most (budget {})",
        replaying.cpu_s,
        BUDGET.0,
        replaying.cpu_s / parsing.cpu_s,
        replaying.peak_mb,
        BUDGET.1
    );
    println!("the database has {} MB", fs::metadata(&database).expect("the database").len() / 1_000_000);
}
