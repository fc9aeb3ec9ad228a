//! The steps of the gate. Runs, times and reports each; skips a step whose inputs passed before, and says so.

use std::io::{BufRead, BufReader, Write};
use std::process::{Command, Stdio};
use std::time::Instant;

use anyhow::{Context, Result};

use crate::project::{Project, shown};
use crate::tally::Tally;
use crate::tree::{Tree, hash};

/// The steps run so far.
#[derive(Debug)]
pub(crate) struct Steps<'p> {
    project: &'p Project,
    tree: Tree,
    /// Hash of the inputs of every step: the compiler, and test data if it exists.
    environment: String,
    reported: Vec<String>,
    tally: Tally,
    failed: Vec<String>,
}

impl<'p> Steps<'p> {
    /// # Errors
    /// If git or the compiler fails.
    pub(crate) fn new(project: &'p Project) -> Result<Self> {
        let compiler = Project::output(project.command("rustc").arg("-vV"))?;
        let data = std::env::var("STOOP_DATA").unwrap_or_default();
        let environment = format!("{compiler}\n{data}\n{}", std::env::var("RUSTFLAGS").unwrap_or_default());
        let (reported, failed) = (Vec::new(), Vec::new());
        Ok(Self { project, tree: Tree::of(project)?, environment, reported, tally: Tally::default(), failed })
    }

    /// Runs a step unconditionally.
    pub(crate) fn run(&mut self, name: &str, step: impl FnOnce(&Project) -> Result<Tally>) {
        self.take(name, step);
    }

    /// Runs a step unless it passed with the same inputs: pathspecs as in [`Tree::hash`].
    ///
    /// # Errors
    /// If the inputs cannot be hashed.
    pub(crate) fn run_on(
        &mut self,
        name: &str,
        inputs: &[&str],
        step: impl FnOnce(&Project) -> Result<Tally>,
    ) -> Result<()> {
        let files = self.tree.hash(self.project, inputs)?;
        // The source of the steps is an input of each.
        let steps = self.tree.hash(self.project, &["xtask/", "rust-toolchain.toml"])?;
        let key = hash(self.project, format!("{name}\n{files}\n{steps}\n{}", self.environment).as_bytes())?;
        let green = self.project.cache().join("green").join(key);
        match std::fs::read_to_string(&green) {
            Ok(then) => {
                println!("\n== {name}: SKIPPED, its inputs were green before ({})", then.trim());
                self.reported.push(format!("      -  {name} (was green: {})", then.trim()));
            }
            Err(_) => {
                let failed_before = self.failed.len();
                let tally = self.take(name, step);
                if self.failed.len() == failed_before {
                    let folder = self.project.cache().join("green");
                    std::fs::create_dir_all(&folder).with_context(|| format!("can't make {}", folder.display()))?;
                    let counted = if tally == Tally::default() { "no tests".to_owned() } else { tally.to_string() };
                    std::fs::write(&green, format!("{counted}\n"))
                        .with_context(|| format!("can't write {}", green.display()))?;
                }
            }
        }
        Ok(())
    }

    fn take(&mut self, name: &str, step: impl FnOnce(&Project) -> Result<Tally>) -> Tally {
        println!("\n== {name}");
        let began = Instant::now();
        let result = step(self.project);
        let seconds = began.elapsed().as_secs();
        let (tally, what) = match result {
            Ok(tally) if tally.failed == 0 => (tally, ""),
            Ok(tally) => (tally, " FAILED"),
            Err(error) => {
                eprintln!("{error:#}");
                (Tally::default(), " FAILED")
            }
        };
        if !what.is_empty() {
            eprintln!("== {name}: FAILED after {seconds} s");
            self.failed.push(name.to_owned());
        }
        self.tally += tally;
        self.reported.push(format!("{seconds:>5} s  {name}{what}"));
        tally
    }

    /// Whether a step failed that later ones need.
    pub(crate) fn is_red(&self) -> bool {
        !self.failed.is_empty()
    }

    /// Prints the results. Returns whether all steps passed. The last line is the sum of all tests.
    pub(crate) fn end(self) -> bool {
        println!("\n== steps");
        for line in &self.reported {
            println!("{line}");
        }
        if !self.failed.is_empty() {
            println!("FAILED: {}", self.failed.join(", "));
        }
        println!("\n{}", self.tally);
        self.failed.is_empty()
    }
}

/// Runs a command, forwards its output, and adds up the results of test runners in it.
///
/// # Errors
/// If it cannot be run, or fails without a failed test.
pub(crate) fn counted(command: &mut Command) -> Result<Tally> {
    counted_to(command, &mut std::io::stdout())
}

fn counted_to(command: &mut Command, out: &mut impl Write) -> Result<Tally> {
    let name = shown(command);
    // One pipe for both, so that lines stay in order.
    let (reader, writer) = std::io::pipe().context("no pipe")?;
    let errors = writer.try_clone().context("no second end of a pipe")?;
    let mut child = command.stdin(Stdio::null()).stdout(writer).stderr(errors).spawn();
    // Closes the command's copies of the write end; otherwise reading would never end.
    command.stdout(Stdio::null()).stderr(Stdio::null());
    let child = child.as_mut().map_err(|error| anyhow::anyhow!("can't run {name}: {error}"))?;
    let mut tally = Tally::default();
    let mut reader = BufReader::new(reader);
    let mut line = Vec::new();
    while reader.read_until(b'\n', &mut line).context("the pipe broke")? > 0 {
        out.write_all(&line).context("standard output is closed")?;
        if let Some(more) = Tally::of_line(&without_colours(&String::from_utf8_lossy(&line))) {
            tally += more;
        }
        line.clear();
    }
    let status = child.wait().with_context(|| format!("can't wait for {name}"))?;
    anyhow::ensure!(status.success() || tally.failed > 0, "`{name}` ended with {status}");
    Ok(tally)
}

/// Runs a command without tests.
///
/// # Errors
/// If it cannot be run, or fails.
pub(crate) fn plain(command: &mut Command) -> Result<Tally> {
    let status = command.stdin(Stdio::null()).status().with_context(|| format!("can't run {}", shown(command)))?;
    anyhow::ensure!(status.success(), "`{}` ended with {status}", shown(command));
    Ok(Tally::default())
}

fn without_colours(line: &str) -> String {
    let mut plain = String::with_capacity(line.len());
    let mut rest = line;
    while let Some((before, after)) = rest.split_once("\u{1b}[") {
        plain.push_str(before);
        rest = after.split_once('m').map_or("", |(_, after)| after);
    }
    plain.push_str(rest);
    plain
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn colours_do_not_hide_a_summary() {
        let line = "\u{1b}[32;1m     Summary\u{1b}[0m [   1.0s] \u{1b}[1m2\u{1b}[0m tests run: 2 passed, 0 skipped";
        assert_eq!(without_colours(line), "     Summary [   1.0s] 2 tests run: 2 passed, 0 skipped");
    }

    #[test]
    fn a_command_that_fails_is_an_error_unless_a_test_of_it_failed() {
        let shell = |script: &str| counted_to(Command::new("sh").args(["-c", script]), &mut Vec::new());
        assert!(shell("exit 3").unwrap_err().to_string().ends_with("exit status: 3"));
        assert_eq!(shell("echo 'test result: FAILED. 1 passed; 2 failed; 0 ignored' >&2; exit 3").unwrap().failed, 2);
        assert_eq!(shell("echo 'test result: ok. 4 passed; 0 failed; 1 ignored'").unwrap().passed, 4);
    }
}
