//! Runs programs to their end, within the limit of what they are a part of.

use std::collections::VecDeque;
use std::io::{BufRead, BufReader, IsTerminal, PipeReader, Write};
use std::process::{Child, Command, ExitStatus, Stdio};
use std::time::Instant;

use anyhow::{Context, Result, ensure};

use crate::project::{Project, shown};
use crate::running::{MARK, Running};
use crate::tally::TestTally;

impl Project {
    /// Runs a command without tests, and forwards its output.
    ///
    /// # Errors
    /// If it cannot be run, or fails.
    pub(crate) fn plain(&self, command: &mut Command) -> Result<TestTally> {
        let status = self.run(command, &mut |line| forward(line))?;
        ensure!(status.success(), "`{}` ended with {status}", shown(command));
        Ok(TestTally::default())
    }

    /// Runs a command, forwards its output, and adds up the results of test runners in it.
    ///
    /// # Errors
    /// If it cannot be run, or fails without a failed test.
    pub(crate) fn counted(&self, command: &mut Command) -> Result<TestTally> {
        let mut tally = TestTally::default();
        let status = self.run(command, &mut |line| {
            if let Some(more) = TestTally::of_line(&without_colours(&String::from_utf8_lossy(line))) {
                tally += more;
            }
            forward(line)
        })?;
        ensure!(status.success() || tally.failed > 0, "`{}` ended with {status}", shown(command));
        Ok(tally)
    }

    /// The same for a program whose last count is the sum of those before it.
    ///
    /// # Errors
    /// As for [`Self::counted`], or if it counts nothing.
    pub(crate) fn summed(&self, command: &mut Command) -> Result<TestTally> {
        let mut sum = None;
        let status = self.run(command, &mut |line| {
            sum = TestTally::of_line(&String::from_utf8_lossy(line)).or(sum);
            forward(line)
        })?;
        let sum = sum.with_context(|| format!("`{}` counts no test", shown(command)))?;
        ensure!(status.success() || sum.failed > 0, "`{}` ended with {status}", shown(command));
        Ok(sum)
    }

    /// Returns the standard output of a program.
    ///
    /// # Errors
    /// If it cannot be run or fails, with its output.
    pub(crate) fn output(&self, command: &mut Command) -> Result<String> {
        let (out, errors) = (pipe()?, pipe()?);
        let child = self.marking(command).stdin(Stdio::null()).stdout(out.1).stderr(errors.1).spawn();
        let (mut said, mut complained) = (Vec::new(), Vec::new());
        let status = self.ended(command, child, |id| {
            std::thread::scope(|scope| {
                scope.spawn(|| self.lines(id, errors.0, &mut |line| keep(line, &mut complained)));
                self.lines(id, out.0, &mut |line| keep(line, &mut said))
            })
        })?;
        let said = String::from_utf8_lossy(&said).into_owned();
        let errors = String::from_utf8_lossy(&complained);
        ensure!(status.success(), "`{}` ended with {status}\n{said}{errors}", shown(command));
        Ok(said)
    }

    /// Runs a command that has this program's terminal for itself. Returns whether it succeeds.
    ///
    /// # Errors
    /// If it cannot be run.
    pub(crate) fn direct(&self, command: &mut Command) -> Result<bool> {
        let child = self.marking(command).spawn();
        Ok(self.ended(command, child, |_| Ok(()))?.success())
    }

    /// Runs a command, and passes on each line of its standard output and standard error.
    fn run(&self, command: &mut Command, line: &mut impl FnMut(&[u8]) -> Result<()>) -> Result<ExitStatus> {
        // One pipe for both, so that lines stay in order.
        let (reader, writer) = pipe()?;
        let errors = writer.try_clone().context("no second end of a pipe")?;
        if std::io::stdout().is_terminal() {
            command.env("CARGO_TERM_COLOR", "always");
        }
        let child = self.marking(command).stdin(Stdio::null()).stdout(writer).stderr(errors).spawn();
        self.ended(command, child, |id| self.lines(id, reader, line))
    }

    /// A command with this project's mark, whichever it was made with.
    fn marking<'c>(&self, command: &'c mut Command) -> &'c mut Command {
        command.env(MARK, self.mark())
    }

    /// Waits until a program has ended. `meanwhile` reads what it prints.
    #[expect(clippy::disallowed_methods, reason = "the limit of a step ends its programs")]
    fn ended(
        &self,
        command: &mut Command,
        child: std::io::Result<Child>,
        meanwhile: impl FnOnce(u32) -> Result<()>,
    ) -> Result<ExitStatus> {
        let name = shown(command);
        // Closes the command's copies of the write ends; otherwise reading would never end.
        command.stdout(Stdio::null()).stderr(Stdio::null());
        let mut child = child.with_context(|| format!("can't run {name}"))?;
        let id = child.id();
        let (mark, began, last) = (self.mark().to_owned(), Instant::now(), VecDeque::new());
        self.running().push(Running { id, mark, shown: name.clone(), began, last });
        let read = meanwhile(id);
        let status = child.wait().with_context(|| format!("can't wait for {name}"));
        self.running().retain(|running| running.id != id);
        read?;
        status
    }

    fn lines(&self, id: u32, pipe: PipeReader, line: &mut impl FnMut(&[u8]) -> Result<()>) -> Result<()> {
        let mut reader = BufReader::new(pipe);
        let mut bytes = Vec::new();
        while reader.read_until(b'\n', &mut bytes).context("the pipe broke")? > 0 {
            if let Some(running) = self.running().iter_mut().find(|running| running.id == id) {
                running.print(&String::from_utf8_lossy(&bytes));
            }
            line(&bytes)?;
            bytes.clear();
        }
        Ok(())
    }
}

fn pipe() -> Result<(PipeReader, std::io::PipeWriter)> {
    std::io::pipe().context("no pipe")
}

fn forward(line: &[u8]) -> Result<()> {
    std::io::stdout().write_all(line).context("standard output is closed")
}

#[expect(clippy::unnecessary_wraps, reason = "like `forward`")]
fn keep(line: &[u8], lines: &mut Vec<u8>) -> Result<()> {
    lines.extend_from_slice(line);
    Ok(())
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
        let project = Project::here().unwrap();
        let shell = |script: &str| project.counted(Command::new("sh").args(["-c", script]));
        assert!(shell("exit 3").unwrap_err().to_string().ends_with("exit status: 3"));
        assert_eq!(shell("echo 'test result: FAILED. 1 passed; 2 failed; 0 ignored' >&2; exit 3").unwrap().failed, 2);
        assert_eq!(shell("echo 'test result: ok. 4 passed; 0 failed; 1 ignored'").unwrap().passed, 4);
        assert!(project.plain(&mut Command::new("no-such-program")).is_err());
    }

    #[test]
    fn the_last_count_is_the_sum_of_those_before_it() {
        let project = Project::here().unwrap();
        let shell = |script: &str| project.summed(Command::new("sh").args(["-c", script]));
        let script = "echo '2 passed, 1 failed, 0 skipped'; echo '5 passed, 1 failed, 0 skipped'; exit 1";
        assert_eq!(shell(script).unwrap().passed, 5);
        assert!(shell("true").unwrap_err().to_string().ends_with("counts no test"));
        assert!(shell("echo '5 passed, 0 failed, 0 skipped'; exit 1").is_err());
    }

    #[test]
    fn output_is_that_of_one_stream_and_shown_whole_if_it_fails() {
        let project = Project::here().unwrap();
        let shell = |script: &str| project.output(Command::new("sh").args(["-c", script]));
        // More than a pipe holds, on both at once.
        let said = shell("head -c 300000 /dev/zero | tee /dev/stderr").unwrap();
        assert_eq!(said.len(), 300_000);
        let error = shell("echo said; echo complained >&2; exit 3").unwrap_err().to_string();
        assert!(error.ends_with("exit status: 3\nsaid\ncomplained\n"), "{error}");
        assert_eq!(project.running().len(), 0);
    }
}
