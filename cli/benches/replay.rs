//! How long `stoop replay` takes, compared with parsing the same file with the same JSON parser and dropping the
//! result. Run `cargo bench -p stoop --bench replay`; rows and rounds may follow: `-- 500000 5`.
//!
//! Both sides run in turn, on one core where the system can pin them (`taskset`). The figure is their ratio: absolute
//! times say more about the machine than about the program.

#![allow(clippy::disallowed_macros, reason = "a bench prints for itself")]

mod parsing;

use std::fs::File;
use std::path::Path;
use std::process::{Command, Stdio};
use std::time::Instant;

use parsing::{PARSE, parse};
use stoop_waits::{LONG, PATIENCE, status};

fn main() {
    let args: Vec<String> = std::env::args().skip(1).filter(|arg| arg != "--bench").collect();
    if let [flag, file] = &args[..]
        && flag == PARSE
    {
        parse(Path::new(file));
        return;
    }
    let number = |index: usize, default: u64| args.get(index).and_then(|arg| arg.parse().ok()).unwrap_or(default);
    let (rows, rounds) = (number(0, 500_000), number(1, 5));
    let folder = tempfile::tempdir().expect("a temporary folder");
    let file = folder.path().join("updates.jsonl");
    let stoop = env!("CARGO_BIN_EXE_stoop");
    let out = File::create(&file).expect("a file in it");
    run(Command::new(stoop).args(["simulate", "--rows", &rows.to_string()]).stdout(out));
    let bytes = std::fs::metadata(&file).expect("the file").len();
    println!("{rows} rows, {} MB, {rounds} rounds", bytes / 1_000_000);

    let map = concat!(env!("CARGO_MANIFEST_DIR"), "/../maps/simulated.toml");
    let this = std::env::current_exe().expect("this program");
    let mut ratios = Vec::new();
    for round in 1..=rounds {
        let parsing = time(|| run(pinned(&this).arg(PARSE).arg(&file)));
        let database = folder.path().join(format!("{round}.db"));
        let data = folder.path().join(format!("{round}-data"));
        let replaying = time(|| {
            run(pinned(Path::new(stoop))
                .arg("--db")
                .arg(&database)
                .arg("--data")
                .arg(&data)
                .args(["replay", "--json", "--map", map])
                .arg(&file)
                .stdout(Stdio::null()));
        });
        let ratio = replaying / parsing;
        println!(
            "round {round}: parse {parsing:.2} s, replay {replaying:.2} s ({:.0} rows/s), ratio {ratio:.2}",
            rows as f64 / replaying
        );
        ratios.push(ratio);
    }
    ratios.sort_by(f64::total_cmp);
    println!("median ratio {:.2} (budget 2.00)", ratios[ratios.len() / 2]);
}

fn pinned(program: &Path) -> Command {
    let has_taskset = status(Command::new("taskset").arg("--version").stdout(Stdio::null()), PATIENCE).is_ok();
    if has_taskset {
        let mut command = Command::new("taskset");
        command.args(["-c", "0"]).arg(program);
        command
    } else {
        Command::new(program)
    }
}

fn run(command: &mut Command) {
    let ended = status(command, LONG).expect("the program starts and ends");
    assert!(ended.success(), "{command:?} ended with {ended}");
}

fn time(run: impl FnOnce()) -> f64 {
    let began = Instant::now();
    run();
    began.elapsed().as_secs_f64()
}
