//! Updates of homes in many places: those of `stoop simulate`, moved over the country and over 430 days.

use std::fs::File;
use std::io::{BufRead, BufReader, BufWriter, Write};
use std::path::Path;
use std::process::{Command, Stdio};

use serde_json::Value;
use stoop_domain::Time;
use stoop_waits::{PATIENCE, ended};

const STATES: [&str; 50] = [
    "AL", "AK", "AZ", "AR", "CA", "CO", "CT", "DE", "FL", "GA", "HI", "ID", "IL", "IN", "IA", "KS", "KY", "LA", "ME",
    "MD", "MA", "MI", "MN", "MS", "MO", "MT", "NE", "NV", "NH", "NJ", "NM", "NY", "NC", "ND", "OH", "OK", "OR", "PA",
    "RI", "SC", "SD", "TN", "TX", "UT", "VT", "VA", "WA", "WV", "WI", "WY",
];

/// The days over which the updates are spread.
const DAYS: i64 = 430;

/// The program, with this database.
pub(crate) fn stoop(database: &Path) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_stoop"));
    command.arg("--db").arg(database);
    command
}

/// Writes simulated updates, moved to other places and times: the last is of this moment, or of the begin of the simulation.
pub(crate) fn write_rows(file: &Path, homes: u64, codes: u64, last: Option<Time>) -> u64 {
    let rows = homes + homes / 4;
    let [rows_text, homes_text] = [rows, homes].map(|number| number.to_string());
    let mut command = Command::new(env!("CARGO_BIN_EXE_stoop"));
    command.args(["simulate", "--brief", "--changing", "50", "--rows", &rows_text, "--homes", &homes_text]);
    let mut child = command.stdout(Stdio::piped()).spawn().expect("it starts");
    let lines = BufReader::new(child.stdout.take().expect("it is piped")).lines();
    let mut out = BufWriter::new(File::create(file).expect("a file"));
    let mut first = None;
    // Simulated updates come at an even pace: the row number gives the time.
    for (row_number, line) in lines.enumerate() {
        let mut row: Value = serde_json::from_str(&line.expect("a line")).expect("a row");
        let begin: Time = *first.get_or_insert_with(|| {
            let last = last.unwrap_or_else(|| time(&row, "ModificationTimestamp"));
            last.plus_ms(-DAYS * Time::DAY_MS)
        });
        let at = begin.plus_ms(i64::try_from(row_number).expect("few") * DAYS * Time::DAY_MS / rows.cast_signed());
        let listed = time(&row, "OnMarketTimestamp").ms() - time(&row, "ModificationTimestamp").ms();
        let key = row["ListingKey"].as_str().expect("a key").trim_start_matches(|c: char| !c.is_ascii_digit());
        let home: u64 = key.parse().expect("a number");
        #[expect(
            clippy::cast_possible_truncation,
            clippy::cast_sign_loss,
            clippy::cast_precision_loss,
            reason = "a share"
        )]
        let code = {
            let share = (home.wrapping_mul(0x9e37_79b9_7f4a_7c15) >> 11) as f64 / (1_u64 << 53) as f64;
            (share * share * codes as f64) as u64
        };
        let (city, county) = (code / 10, code / 40);
        row["PostalCode"] = format!("{:05}", 10_000 + code).into();
        row["City"] = format!("City {city}").into();
        row["CountyOrParish"] = format!("County {county}").into();
        row["StateOrProvince"] = STATES[usize::try_from(county).expect("few") % STATES.len()].into();
        row["OnMarketTimestamp"] = at.plus_ms(listed.max(-60 * Time::DAY_MS)).to_string().into();
        row["ModificationTimestamp"] = at.to_string().into();
        writeln!(out, "{row}").expect("room for it");
    }
    assert!(ended(&mut child, "the end of stoop simulate", PATIENCE).expect("it ends").success());
    out.flush().expect("room for it");
    rows
}

fn time(row: &Value, field: &str) -> Time {
    Time::parse(row[field].as_str().expect("a time")).expect("a time")
}
