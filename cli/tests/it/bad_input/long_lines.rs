//! A line longer than memory allows is skipped, and the rows after it are read.

use super::*;

/// Longer than any real row, and than the memory that the program may use.
const LINE_BYTES: usize = 200 << 20;

#[test]
fn a_line_of_200_mb_is_skipped_and_the_rows_after_it_are_read() {
    let room = room();
    let line = |id: &str| json!({ "id": id, "seen": "2026-03-01", "price": 1000, "city": "Reno" }).to_string();
    let parts = [format!("{}\n{{\"id\": \"", line("x")), format!("\"}}\n{}\n{}\n", line("y"), line("z"))];
    skips(&room, "long.jsonl", &parts, "long.jsonl: line 2");
    let parts = [
        format!("{HEADER}x,2026-03-01,1000,USD,Reno,,\n"),
        ",2026-03-01,1000,USD,Reno,,\ny,2026-03-01,1000,USD,Reno,,\nz,2026-03-01,1000,USD,Reno,,\n".into(),
    ];
    skips(&room, "long.csv", &parts, "long.csv: line 3");
}

#[track_caller]
fn skips(room: &Room, name: &str, [before, after]: &[String; 2], position: &str) {
    let mut file = BufWriter::new(std::fs::File::create(room.path(name)).unwrap());
    file.write_all(before.as_bytes()).unwrap();
    let chunk = vec![b'x'; 1 << 20];
    for _ in 0..LINE_BYTES / chunk.len() {
        file.write_all(&chunk).unwrap();
    }
    file.write_all(after.as_bytes()).unwrap();
    drop(file);
    let args = ["replay", "--map", "made.toml", "--max-rejects", "100", "--json", name];
    let mut running = Running(room.command(&args).stdout(std::process::Stdio::piped()).spawn().unwrap());
    let mut peak_kb = 0;
    // Only the summary is printed, which fits into the pipe: the program never waits for us.
    until("the end of stoop", || {
        peak_kb = peak_kb.max(peak_of(running.0.id()).unwrap_or(0));
        running.has_ended().then_some(())
    });
    let message = Outcome::at_the_end_of(&mut running).json();
    says(&message, &json!({ "complete": true, "rows": 4, "observations": 3, "reasons": { "too_long": 1 } }));
    let reject = room.rejects().into_iter().find(|reject| reject.0 == position).unwrap();
    assert_eq!(reject.1, "too_long");
    assert!(reject.2.contains("bytes"), "{}", reject.2);
    eprintln!("{name}: at most {peak_kb} kB of memory");
    assert!(peak_kb < 150_000, "{peak_kb} kB of memory for a line that is only skipped");
    std::fs::remove_file(room.path(name)).unwrap();
}
