//! CPU time and memory of processes, from `/proc`: Linux only.

#![allow(dead_code, reason = "each bench uses its part")]

use std::fs;
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use stoop_waits::LONG;

/// CPU time and memory of a process.
pub(crate) struct Took {
    pub(crate) cpu_s: f64,
    pub(crate) peak_mb: u64,
    pub(crate) wall: Duration,
}

/// Runs a command to its end and measures it.
pub(crate) fn watched(command: &mut Command) -> Took {
    let (before, began) = (children_cpu_s(), Instant::now());
    let mut child = command.stdout(Stdio::null()).spawn().expect("it starts");
    let status = format!("/proc/{}/status", child.id());
    let mut peak_kb = 0;
    let ended = loop {
        peak_kb = peak_kb.max(peak_of(&status));
        if let Some(ended) = child.try_wait().expect("it can be waited for") {
            break ended;
        }
        assert!(began.elapsed() < LONG, "waited {LONG:?} in vain for the end of {command:?}");
        std::thread::sleep(Duration::from_millis(2));
    };
    assert!(ended.success());
    Took { cpu_s: children_cpu_s() - before, peak_mb: peak_kb / 1_000, wall: began.elapsed() }
}

/// The peak memory of a process in kB; 0 if it has ended.
fn peak_of(status: &str) -> u64 {
    let text = fs::read_to_string(status).unwrap_or_default();
    let line = text.lines().find_map(|line| line.strip_prefix("VmHWM:"));
    line.and_then(|line| line.trim().trim_end_matches(" kB").parse().ok()).unwrap_or(0)
}

/// CPU seconds of a process, user and system: hundredths, after the name in `/proc/PID/stat`.
pub(crate) fn cpu_s(process: &str) -> f64 {
    ticks(process, [11, 12])
}

/// CPU seconds of all child processes waited for.
fn children_cpu_s() -> f64 {
    ticks("self", [13, 14])
}

fn ticks(process: &str, indices: [usize; 2]) -> f64 {
    let stat = fs::read_to_string(format!("/proc/{process}/stat")).expect("this is Linux");
    let fields: Vec<&str> = stat.rsplit(')').next().unwrap_or("").split_whitespace().collect();
    indices.iter().map(|index| fields[*index].parse::<f64>().expect("a number")).sum::<f64>() / 100.0
}
