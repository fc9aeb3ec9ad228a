//! The only module that writes to standard output and standard error. It writes a [`Page`], a line made plain, JSON or
//! CSV; none of them can control a terminal.
//!
//! Writing never fails here. A reader that closes the pipe is not an error. Any other failure is kept and reported when
//! the program [ends](finish).

use std::io::{self, BufWriter, ErrorKind, Write};
use std::process::ExitCode;
use std::sync::Mutex;

use console::Term;
use serde::Serialize;
use stoop_show::plain_json;

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

/// Prints everything that a view draws.
pub(crate) fn page(page: &Page) {
    write(page.as_str().as_bytes());
}

/// Prints a value as readable JSON.
pub(crate) fn json(value: &impl Serialize) -> anyhow::Result<()> {
    write((plain_json(&serde_json::to_string_pretty(value)?).into_owned() + "\n").as_bytes());
    Ok(())
}

/// Prints a value as JSON on one line.
pub(crate) fn json_line(value: &impl Serialize) -> anyhow::Result<()> {
    write((plain_json(&serde_json::to_string(value)?).into_owned() + "\n").as_bytes());
    Ok(())
}

/// Prints a table for spreadsheets and programs.
pub(crate) fn csv(csv: &Csv) -> anyhow::Result<()> {
    write(csv.text()?.as_bytes());
    Ok(())
}

/// The width of a line that fits on the screen.
pub(crate) fn line_width() -> usize {
    usize::from(Look::of_lines(&Term::stdout()).width)
}

/// Prints one or more lines, with their line ends.
pub(crate) fn line(text: &str) {
    page(&laid_out(text, Look::of_lines(&Term::stdout())));
}

/// Prints to standard error.
pub(crate) fn error_line(text: &str) {
    let page = laid_out(text, Look::of_lines(&Term::stderr()));
    // If standard error fails as well, there is nowhere to report it.
    drop(stderr().lock().write_all(page.as_str().as_bytes()));
}

/// Replaces the last `above` lines of the terminal with a line and a block.
pub(crate) fn redraw(above: usize, line: Option<&str>, block: &Page) {
    let mut text = erasing(above);
    if let Some(line) = line {
        text += laid_out(line, Look::of_lines(&Term::stdout())).as_str();
    }
    write((text + block.as_str()).as_bytes());
}

/// What removes the last lines of the terminal. A key that was echoed leaves the cursor anywhere in its line.
fn erasing(above: usize) -> String {
    if above > 0 { format!("\r\u{1b}[{above}A\u{1b}[J") } else { String::new() }
}

/// Writes the program's own bytes unchecked: `stoop simulate` writes millions of them.
pub(crate) fn own_bytes(write: impl FnOnce(&mut dyn Write) -> io::Result<()>) {
    let mut out = BufWriter::with_capacity(1 << 20, stdout().lock());
    let written = write(&mut out).and_then(|()| out.flush());
    // Dropping the writer would only try to write again.
    drop(out.into_parts());
    note(written);
}

/// The exit code, or failure if output was lost.
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

/// Wraps lines between words and keeps their indentation.
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

#[expect(clippy::disallowed_methods, reason = "the module that prints")]
fn stdout() -> io::Stdout {
    io::stdout()
}

#[expect(clippy::disallowed_methods, reason = "the module that prints")]
fn stderr() -> io::Stderr {
    io::stderr()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_are_removed_from_their_beginning() {
        assert_eq!(erasing(0), "");
        assert_eq!(erasing(3), "\r\u{1b}[3A\u{1b}[J");
    }
}
