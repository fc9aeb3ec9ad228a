use std::io::{self, BufWriter, IsTerminal, Write};

use serde::Serialize;

/// What the terminal can show.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Look {
    /// Whether colours are wanted: on a terminal, unless `NO_COLOR` is set.
    pub(crate) colours: bool,
    /// How many characters fit on a line.
    pub(crate) width: u16,
}

const WIDTH_MIN: u16 = 80;
const WIDTH_MAX: u16 = 160;
/// The width of what is not a terminal.
const WIDTH_FILE: u16 = 110;

impl Look {
    /// What standard output can show.
    pub(crate) fn of_stdout() -> Self {
        let terminal = io::stdout().is_terminal();
        let colours = terminal && std::env::var_os("NO_COLOR").is_none_or(|value| value.is_empty());
        let width = comfy_table::Table::new().width().map_or(WIDTH_FILE, |width| width.clamp(WIDTH_MIN, WIDTH_MAX));
        Self { colours, width }
    }

    /// A heading.
    pub(crate) fn bold(self, text: &str) -> String {
        self.with("1", text)
    }

    /// A remark.
    pub(crate) fn dim(self, text: &str) -> String {
        self.with("2", text)
    }

    fn with(self, code: &str, text: &str) -> String {
        let end = if text.ends_with('\n') { "\n" } else { "" };
        let line = text.trim_end_matches('\n');
        if self.colours { format!("\u{1b}[{code}m{line}\u{1b}[0m{end}") } else { text.to_owned() }
    }
}

/// Writes to standard output. A reader who has seen enough and closed the pipe is no error.
pub(crate) fn print(text: &str) -> anyhow::Result<()> {
    write_to(io::stdout().lock(), text.as_bytes())
}

/// The same for a value as JSON.
pub(crate) fn print_json(value: &impl Serialize) -> anyhow::Result<()> {
    let mut text = serde_json::to_vec_pretty(value)?;
    text.push(b'\n');
    write_to(io::stdout().lock(), &text)
}

fn write_to(out: impl Write, bytes: &[u8]) -> anyhow::Result<()> {
    let mut out = BufWriter::new(out);
    match out.write_all(bytes).and_then(|()| out.flush()) {
        Err(error) if error.kind() == io::ErrorKind::BrokenPipe => {
            // Dropping the writer would only try once more.
            drop(out.into_parts());
            Ok(())
        }
        outcome => Ok(outcome?),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    struct Closed(io::ErrorKind);

    impl Write for Closed {
        fn write(&mut self, _: &[u8]) -> io::Result<usize> {
            Err(self.0.into())
        }
        fn flush(&mut self) -> io::Result<()> {
            Ok(())
        }
    }

    #[test]
    fn a_closed_pipe_is_no_error_a_full_disk_is() {
        assert!(write_to(Closed(io::ErrorKind::BrokenPipe), b"text").is_ok());
        assert!(write_to(Closed(io::ErrorKind::StorageFull), b"text").is_err());
    }
}
