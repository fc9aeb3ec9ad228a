//! The steps of the gate. Runs, times and reports each, within its limit; skips a step whose inputs passed before, and says
//! so.

use std::time::{Duration, Instant};

use anyhow::{Context, Result};

use crate::project::Project;
use crate::tally::TestTally;
use crate::tree::{Tree, hash};
use crate::watch::within;

/// The limit of a step that takes seconds on an idle machine.
pub(crate) const SHORT: Duration = Duration::from_mins(30);
/// The limit of a step that may install a program.
pub(crate) const MIDDLE: Duration = Duration::from_mins(120);
/// The limit of a step that builds the workspace, or runs its tests.
pub(crate) const LONG: Duration = Duration::from_mins(300);
/// The limit of a step that takes an hour on an idle machine.
pub(crate) const VERY_LONG: Duration = Duration::from_mins(720);

/// The steps run so far.
#[derive(Debug)]
pub(crate) struct Steps<'p> {
    project: &'p Project,
    tree: Tree,
    /// Hash of the inputs of every step: the compiler, and test data if it exists.
    environment: String,
    reported: Vec<String>,
    tally: TestTally,
    failed: Vec<String>,
}

impl<'p> Steps<'p> {
    /// # Errors
    /// If git or the compiler fails.
    pub(crate) fn new(project: &'p Project) -> Result<Self> {
        let compiler = project.output(project.command("rustc").arg("-vV"))?;
        let data = std::env::var("STOOP_DATA").unwrap_or_default();
        let environment = format!("{compiler}\n{data}\n{}", std::env::var("RUSTFLAGS").unwrap_or_default());
        let (reported, failed) = (Vec::new(), Vec::new());
        Ok(Self { project, tree: Tree::of(project)?, environment, reported, tally: TestTally::default(), failed })
    }

    /// Runs a step unconditionally.
    pub(crate) fn run(&mut self, name: &str, limit: Duration, step: impl FnOnce(&Project) -> Result<TestTally>) {
        self.take(name, limit, step);
    }

    /// Runs a step unless it passed with the same inputs: pathspecs as in [`Tree::hash`].
    ///
    /// # Errors
    /// If the inputs cannot be hashed.
    pub(crate) fn run_on(
        &mut self,
        name: &str,
        inputs: &[&str],
        limit: Duration,
        step: impl FnOnce(&Project) -> Result<TestTally>,
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
                let tally = self.take(name, limit, step);
                if self.failed.len() == failed_before {
                    let folder = self.project.cache().join("green");
                    std::fs::create_dir_all(&folder).with_context(|| format!("can't make {}", folder.display()))?;
                    let counted = if tally == TestTally::default() { "no tests".to_owned() } else { tally.to_string() };
                    std::fs::write(&green, format!("{counted}\n"))
                        .with_context(|| format!("can't write {}", green.display()))?;
                }
            }
        }
        Ok(())
    }

    fn take(&mut self, name: &str, limit: Duration, step: impl FnOnce(&Project) -> Result<TestTally>) -> TestTally {
        println!("\n== {name}");
        let began = Instant::now();
        let result = within(self.project, name, limit, step);
        let seconds = began.elapsed().as_secs();
        let (tally, what) = match result {
            Ok(tally) if tally.failed == 0 => (tally, ""),
            Ok(tally) => (tally, " FAILED"),
            Err(error) => {
                eprintln!("{error:#}");
                (TestTally::default(), " FAILED")
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_step_beyond_its_limit_fails_and_the_next_one_runs() {
        let project = Project::here().unwrap();
        let mut steps = Steps::new(&project).unwrap();
        let hang = |project: &Project| project.plain(project.command("sleep").arg("600"));
        steps.run("hangs", Duration::from_millis(300), hang);
        assert!(steps.is_red());
        steps.run("passes", SHORT, |project| project.counted(project.command("echo").arg("2 passed, 0 failed")));
        assert_eq!(steps.failed, ["hangs"]);
        assert!(steps.reported[0].ends_with(" s  hangs FAILED"), "{:?}", steps.reported);
        assert_eq!((steps.tally.passed, steps.end()), (2, false));
    }

    /// nextest ends a single test, and names it.
    #[test]
    fn a_test_has_less_time_than_the_step_of_all_tests() {
        let project = Project::here().unwrap();
        let text = std::fs::read_to_string(project.root().join(".config/nextest.toml")).unwrap();
        let number = |name: &str| -> u64 {
            let (_, rest) = text.split_once(&format!("{name} = ")).unwrap();
            let digits: String = rest.trim_start_matches('"').chars().take_while(char::is_ascii_digit).collect();
            digits.parse().unwrap()
        };
        let test_max = Duration::from_secs(number("period") * number("terminate-after"));
        assert!(test_max <= LONG / 10, "{test_max:?}");
    }
}
