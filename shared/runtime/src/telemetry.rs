use std::io::{self, IsTerminal, Write};

use tracing_subscriber::EnvFilter;

use crate::plain::{colours, plain_coloured, plain_json, plain_lines};

/// How log lines look.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum LogFormat {
    /// For people.
    Text,
    /// One JSON object a line.
    Json,
}

/// Starts logging to standard error. `STOOP_LOG` says what is logged (`info`, `stoop_pipeline=debug`);
/// without it, warnings and errors. Coloured where [`colours`] are wanted; nothing that was logged steers a
/// terminal.
pub fn init_telemetry(format: LogFormat) {
    let filter = EnvFilter::try_from_env("STOOP_LOG").unwrap_or_else(|_| EnvFilter::new("warn"));
    let coloured = format == LogFormat::Text && colours(io::stderr().is_terminal());
    let lines = move || Lines { to: io::stderr(), format, coloured };
    let builder = tracing_subscriber::fmt().with_env_filter(filter).with_ansi(coloured).with_writer(lines);
    // A second initialisation (in tests) leaves the first in place.
    drop(match format {
        LogFormat::Text => builder.try_init(),
        LogFormat::Json => builder.json().try_init(),
    });
}

/// Log lines on their way out. Each comes in one piece.
struct Lines<W> {
    to: W,
    format: LogFormat,
    coloured: bool,
}

impl<W: Write> Write for Lines<W> {
    fn write(&mut self, line: &[u8]) -> io::Result<usize> {
        let text = String::from_utf8_lossy(line);
        let plain = match (self.format, self.coloured) {
            (LogFormat::Json, _) => plain_json(&text),
            (LogFormat::Text, true) => plain_coloured(&text).into(),
            (LogFormat::Text, false) => plain_lines(&text),
        };
        self.to.write_all(plain.as_bytes())?;
        Ok(line.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        self.to.flush()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::plain::steers;

    const NAME: &str = "\u{1b}]0;x\u{7}\u{9b}2J\u{202e}\u{2066}";

    /// What is logged of a file with a hostile name.
    fn logged(format: LogFormat, coloured: bool) -> String {
        let lines = std::sync::Arc::new(std::sync::Mutex::new(Vec::new()));
        let to = std::sync::Arc::clone(&lines);
        let writer = move || Lines { to: Shared(std::sync::Arc::clone(&to)), format, coloured };
        let builder = tracing_subscriber::fmt().with_ansi(coloured).with_writer(writer);
        let log = || {
            let _span = tracing::info_span!("span", name = NAME).entered();
            tracing::warn!(file = NAME, shown = %NAME, "cannot read {NAME}");
        };
        match format {
            LogFormat::Text => tracing::subscriber::with_default(builder.finish(), log),
            LogFormat::Json => tracing::subscriber::with_default(builder.json().finish(), log),
        }
        let lines = lines.lock().unwrap().clone();
        String::from_utf8(lines).unwrap()
    }

    struct Shared(std::sync::Arc<std::sync::Mutex<Vec<u8>>>);

    impl Write for Shared {
        fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
            self.0.lock().unwrap().write(bytes)
        }
        fn flush(&mut self) -> io::Result<()> {
            Ok(())
        }
    }

    #[test]
    fn nothing_that_is_logged_steers_a_terminal() {
        for format in [LogFormat::Text, LogFormat::Json] {
            let line = logged(format, false);
            assert!(line.contains("cannot read") && !line.contains(|c| steers(c) && c != '\n'), "{line:?}");
        }
        let line = logged(LogFormat::Text, true);
        assert!(line.contains("\u{1b}[") && !line.contains("\u{1b}]"), "{line:?}");
        let object: serde_json::Value = serde_json::from_str(&logged(LogFormat::Json, false)).unwrap();
        assert_eq!(object["fields"]["file"], NAME);
    }
}
