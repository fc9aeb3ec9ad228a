//! The one place that writes to standard output and standard error. What it writes is a [`Page`], a line made
//! plain, JSON or CSV; none of them steers a terminal.
//!
//! Writing never fails here. A reader who has seen enough and closed the pipe is no error; what else went wrong is
//! kept, and told when the program [ends](finish).

use std::io::{self, BufWriter, ErrorKind, Write};
use std::process::ExitCode;
use std::sync::Mutex;

use console::Term;
use serde::Serialize;
use stoop_runtime::plain_json;

use crate::show::{Csv, Look, Page, SafeText};

/// The first failure to write to standard output.
static FAILED: Mutex<Option<io::Error>> = Mutex::new(None);

/// Prints a line to standard output.
macro_rules! say {
    ($($words:tt)*) => { $crate::out::line(&format!($($words)*)) };
}

/// Prints a line to standard error.
macro_rules! complain {
    ($($words:tt)*) => { $crate::out::error_line(&format!($($words)*)) };
}

pub(crate) use {complain, say};

/// Everything that a view draws.
pub(crate) fn page(page: &Page) {
    write(page.as_str().as_bytes());
}

/// A value as JSON that people can read, too.
pub(crate) fn json(value: &impl Serialize) -> anyhow::Result<()> {
    write((plain_json(&serde_json::to_string_pretty(value)?).into_owned() + "\n").as_bytes());
    Ok(())
}

/// A value as JSON on one line.
pub(crate) fn json_line(value: &impl Serialize) -> anyhow::Result<()> {
    write((plain_json(&serde_json::to_string(value)?).into_owned() + "\n").as_bytes());
    Ok(())
}

/// A table for spreadsheets and programs.
pub(crate) fn csv(csv: &Csv) -> anyhow::Result<()> {
    write(csv.text()?.as_bytes());
    Ok(())
}

/// How wide a line may be to fit on the screen.
pub(crate) fn line_width() -> usize {
    usize::from(Look::of_lines(&Term::stdout()).width)
}

/// A line, or several with their line ends.
pub(crate) fn line(text: &str) {
    page(&laid_out(text, Look::of_lines(&Term::stdout())));
}

/// The same on standard error.
pub(crate) fn error_line(text: &str) {
    let page = laid_out(text, Look::of_lines(&Term::stderr()));
    // Where standard error is gone as well, nobody can be told.
    drop(stderr().lock().write_all(page.as_str().as_bytes()));
}

/// Puts a line and a block in place of the last `above` lines of the terminal.
pub(crate) fn redraw(above: usize, line: Option<&str>, block: &Page) {
    let mut text = if above > 0 { format!("\u{1b}[{above}A\u{1b}[J") } else { String::new() };
    if let Some(line) = line {
        text += laid_out(line, Look::of_lines(&Term::stdout())).as_str();
    }
    write((text + block.as_str()).as_bytes());
}

/// Bytes of the program's own making: `stoop simulate` writes millions of them.
pub(crate) fn own_bytes(write: impl FnOnce(&mut dyn Write) -> io::Result<()>) {
    let mut out = BufWriter::with_capacity(1 << 20, stdout().lock());
    let written = write(&mut out).and_then(|()| out.flush());
    // Dropping the writer would only try once more.
    drop(out.into_parts());
    note(written);
}

/// The exit code, unless what was to be printed is lost.
pub(crate) fn finish(code: ExitCode) -> ExitCode {
    let failed = FAILED.lock().unwrap_or_else(std::sync::PoisonError::into_inner).take();
    match failed {
        None => code,
        Some(error) => {
            complain!("stoop: cannot write to standard output: {error}");
            ExitCode::FAILURE
        }
    }
}

/// Lines that are broken between words, where they have to be, and stand as far in as they began.
fn laid_out(text: &str, look: Look) -> Page {
    let mut page = Page::new(look);
    for line in text.split('\n') {
        let indent = line.len() - line.trim_start_matches(' ').len();
        page.hung(indent + 2, [SafeText::from(line)]);
    }
    page
}

fn write(bytes: &[u8]) {
    let mut out = stdout().lock();
    note(out.write_all(bytes).and_then(|()| out.flush()));
}

fn note(written: io::Result<()>) {
    match written {
        Err(error) if error.kind() != ErrorKind::BrokenPipe => {
            FAILED.lock().unwrap_or_else(std::sync::PoisonError::into_inner).get_or_insert(error);
        }
        _ => {}
    }
}

#[expect(clippy::disallowed_methods, reason = "this is the place")]
fn stdout() -> io::Stdout {
    io::stdout()
}

#[expect(clippy::disallowed_methods, reason = "this is the place")]
fn stderr() -> io::Stderr {
    io::stderr()
}
