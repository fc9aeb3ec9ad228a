use std::io::{self, IsTerminal, Write};

use tracing::{Level, Metadata, Subscriber};
use tracing_subscriber::filter::{FilterExt, filter_fn};
use tracing_subscriber::layer::SubscriberExt;
use tracing_subscriber::util::SubscriberInitExt;
use tracing_subscriber::{EnvFilter, Layer, Registry, fmt, registry};

use stoop_show::{colours, plain_coloured, plain_json, plain_lines};

/// The format of log lines.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum LogFormat {
    /// For people.
    Text,
    /// One JSON object per line.
    Json,
}

/// Starts logging to standard error. `STOOP_LOG` sets what is logged (`info`, `stoop_pipeline=debug`); the default is
/// warnings and errors. Coloured if [`colours`] allows it; logged text cannot control a terminal.
///
/// Every line names its invocation and poll at any level: spans up to `info` are always active.
///
/// Whatever `STOOP_LOG` says, only Stoop's own crates log at `trace`, and few others at `debug`: others log whole
/// events, requests and answers there, with tokens, keys and secrets in them.
pub fn init_telemetry(format: LogFormat) {
    let asked = EnvFilter::try_from_env("STOOP_LOG").unwrap_or_else(|_| EnvFilter::new("warn"));
    let coloured = format == LogFormat::Text && colours(io::stderr().is_terminal());
    let lines = fmt::layer().with_ansi(coloured).with_writer(move || Lines { to: io::stderr(), format, coloured });
    // A second initialisation (in tests) keeps the first.
    drop(match format {
        LogFormat::Text => logging(asked, lines).try_init(),
        LogFormat::Json => logging(asked, lines.json()).try_init(),
    });
}

fn logging(asked: EnvFilter, lines: impl Layer<Registry> + Send + Sync) -> impl Subscriber + Send + Sync {
    let spans = filter_fn(|metadata| metadata.is_span() && *metadata.level() <= Level::INFO);
    registry().with(lines.with_filter(asked.or(spans).and(filter_fn(may_be_logged))))
}

fn may_be_logged(metadata: &Metadata<'_>) -> bool {
    *metadata.level() <= most_of(metadata.target())
}

/// The most detailed level for a target. It is an allow list of reviewed crates, at the versions in `Cargo.lock`,
/// because the next dependency is not reviewed yet.
///
/// At `debug` the SDK names its calls, attempts and retries, and `hyper_util` its connections, by host. Not listed:
/// `lambda_runtime` (the raw event), the rest of the SDK (signed requests), `reqwest` (URLs, which may hold a key),
/// `hyper`, `h2` and `rustls` (the data on the wire).
fn most_of(target: &str) -> Level {
    match target.split("::").next().unwrap_or_default() {
        ours if ours == "stoop" || ours.starts_with("stoop_") => Level::TRACE,
        "aws_smithy_runtime" | "hyper_util" => Level::DEBUG,
        service if service.starts_with("aws_sdk_") => Level::DEBUG,
        // The lake's: a line of several kilobytes for each step that reads a table.
        "buoyant_kernel" | "buoyant_kernel_engine" | "deltalake_core" => Level::WARN,
        _ => Level::INFO,
    }
}

/// A writer that sanitises log lines. Each write is a whole line.
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
    use stoop_show::steers;

    const NAME: &str = "\u{1b}]0;x\u{7}\u{9b}2J\u{202e}\u{2066}";

    /// The log output for a file with a hostile name.
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

    /// The log lines of `log` with this filter.
    fn said(asked: &str, log: impl FnOnce()) -> Vec<String> {
        let lines = std::sync::Arc::new(std::sync::Mutex::new(Vec::new()));
        let to = std::sync::Arc::clone(&lines);
        let writer = move || Shared(std::sync::Arc::clone(&to));
        let layer = fmt::layer().with_ansi(false).without_time().with_target(false).with_writer(writer);
        tracing::subscriber::with_default(logging(EnvFilter::new(asked), layer), log);
        let lines = lines.lock().unwrap().clone();
        String::from_utf8(lines).unwrap().lines().map(|line| line.trim().to_owned()).collect()
    }

    #[test]
    fn other_crates_log_only_what_was_reviewed() {
        let log = || {
            tracing::trace!(target: "lambda_runtime::layers::api_response", body = "hush", "raw JSON event");
            tracing::debug!(target: "lambda_runtime::runtime", "hush");
            tracing::trace!(target: "aws_smithy_runtime::client::orchestrator", "hush");
            tracing::trace!(target: "aws_sdk_secretsmanager::operation", "hush");
            tracing::debug!(target: "aws_sigv4::http_request::sign", "hush");
            tracing::debug!(target: "reqwest::redirect", "hush");
            tracing::debug!(target: "h2::codec::framed_write", "hush");
            tracing::trace!(target: "hyper_util::client", "hush");
            // An unknown target, and one whose name only begins like ours.
            tracing::debug!(target: "log", "hush");
            tracing::debug!(target: "stooping", "hush");
            tracing::debug!(target: "aws_smithy_runtime::client::orchestrator", "attempt 1");
            tracing::debug!(target: "aws_sdk_sqs::operation::send_message", "a call");
            tracing::info!(target: "lambda_runtime::runtime", "it starts");
            tracing::trace!(target: "stoop_pipeline::poll", "a page");
            tracing::trace!(target: "stoop", "a command");
        };
        let all = ["DEBUG attempt 1", "DEBUG a call", "INFO it starts", "TRACE a page", "TRACE a command"];
        for asked in
            ["trace", "trace,lambda_runtime=trace,reqwest=trace,aws_sigv4=trace,h2=debug", "lambda_runtime=trace,trace"]
        {
            assert_eq!(said(asked, log), all, "{asked}");
        }
        assert_eq!(said("info", log), ["INFO it starts"]);
        assert_eq!(said("stoop_pipeline=trace", log), ["TRACE a page"]);
        assert_eq!(said("lambda_runtime=trace", log), ["INFO it starts"]);
    }

    #[test]
    fn a_line_names_its_invocation_and_poll_at_any_level() {
        let log = || {
            let _invoke = tracing::info_span!(target: "lambda_runtime::layers", "invoke", requestId = "8f5").entered();
            let _poll = tracing::info_span!(target: "stoop_poller", "poll", run = "austin-1").entered();
            tracing::info!(target: "stoop_pipeline", "fine");
            tracing::error!(target: "stoop_pipeline", "it fails");
        };
        assert_eq!(said("error", log), [r#"ERROR invoke{requestId="8f5"}:poll{run="austin-1"}: it fails"#]);
        assert_eq!(said("stoop_pipeline=info", log).len(), 2);
    }

    #[test]
    fn logged_text_cannot_control_a_terminal() {
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
