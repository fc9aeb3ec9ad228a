use indicatif::{ProgressBar, ProgressStyle};
use stoop_files::MappedFile;

use super::Source;
use crate::out::say;

/// The bar on standard error: rows, rows a second, bytes, time left. Hidden if that is not a terminal.
pub(crate) struct Progress {
    bar: ProgressBar,
    done: std::sync::atomic::AtomicU64,
    quiet: bool,
}

impl Progress {
    pub(super) fn new(sources: &[Source], quiet: bool) -> Self {
        let bytes = sources.iter().map(|source| source.rows.total_bytes()).sum();
        let bar = ProgressBar::new(bytes);
        let template = "{wide_bar} {bytes}/{total_bytes}  {msg}  {eta} left";
        if let Ok(style) = ProgressStyle::with_template(template) {
            bar.set_style(style.progress_chars("█▉▊▋▌▍▎▏ "));
        }
        Self { bar, done: 0.into(), quiet }
    }

    pub(super) fn show(&self, rows: u64, file: &MappedFile) {
        let done = self.done.load(std::sync::atomic::Ordering::Relaxed);
        self.bar.set_position(done + file.bytes_read());
        let seconds = self.bar.elapsed().as_secs_f64().max(1e-3);
        #[expect(
            clippy::cast_precision_loss,
            clippy::cast_possible_truncation,
            clippy::cast_sign_loss,
            reason = "a rate"
        )]
        let rate = (rows as f64 / seconds) as u64;
        let words = format!("{} rows, {} rows/s", crate::show::count(rows), crate::show::count(rate));
        self.bar.set_message(words);
    }

    pub(super) fn file_done(&self, file: &MappedFile) {
        self.done.fetch_add(file.total_bytes(), std::sync::atomic::Ordering::Relaxed);
    }

    /// Prints a line above the bar; on standard output if there is no bar and no JSON output.
    pub(super) fn println(&self, line: &str) {
        if !self.bar.is_hidden() {
            self.bar.println(stoop_show::plain(line));
        } else if !self.quiet {
            say!("{line}");
        }
    }

    pub(super) fn finish(&self) {
        self.bar.finish_and_clear();
    }
}
