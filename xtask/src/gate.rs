//! The gate: all checks that a change must pass, ordered so that mistakes are found early.

use std::path::Path;
use std::process::Command;

use anyhow::{Result, bail};

use crate::console::Provided;
use crate::project::Project;
use crate::step::{LONG, MIDDLE, SHORT, Steps, VERY_LONG};
use crate::tally::TestTally;
use crate::watch::within;
use crate::{abuse, arm64, bench, browser, console, contract, fuzz, lake, names, shape, tools, words};

/// Inputs of the compiler and the linters, and the pages that a test reads.
const RUST: &[&str] = &[
    "*.rs",
    "*.toml",
    "*.snap",
    "*.css",
    "*.js",
    "Cargo.lock",
    "maps/",
    "events/",
    "docs/openapi.json",
    "docs/API.md",
];
/// Inputs of the deployed stack and of the tests of ports on AWS.
const DEPLOYED: &[&str] = &[
    "*.rs",
    "*.toml",
    "Cargo.lock",
    "maps/",
    "events/",
    "docs/openapi.json",
    "docs/API.md",
    "template.yaml",
    "infra/ministack/",
    "infra/localstack/",
    "infra/keeper.py",
    "infra/deploy",
    "infra/redrive",
    "infra/state",
];
/// What is deployed beside the stack, in its test.
const BESIDE: &[&str] =
    &["infra/follower.yaml", "infra/lake.yaml", "lake/Cargo.lock", "lake/Cargo.toml", "lake/function/", "lake/tables/"];
/// The browser's tests.
const BROWSER: &[&str] = &["tests/browser/", "xtask/", "docs/TOURS.md"];
/// Inputs of the pages and of the browser's tests.
const PAGES: &[&str] = &["*.rs", "*.toml", "*.css", "*.js", "*.svg", "Cargo.lock", "tests/browser/"];
/// Inputs of the test of the API against its document.
const CONTRACT: &[&str] = &["*.rs", "*.toml", "Cargo.lock", "docs/openapi.json", "infra/schemathesis/"];
/// Inputs of the commands in the pages.
const CONSOLE: &[&str] = &["*.md", "*.rs", "*.toml", "Cargo.lock", "maps/"];
/// Inputs of the lake's check.
const LAKE: &[&str] = &[
    "lake/",
    "shared/",
    "cli/",
    "maps/",
    "docs/LAKE.md",
    "docs/LAKE_TABLES.md",
    "infra/lake.yaml",
    "Cargo.toml",
    "Cargo.lock",
];
/// Inputs of the recomputation of figures.
const RECOMPUTED: &[&str] = &["*.rs", "*.toml", "Cargo.lock", "maps/", "tests/recompute/", "docs/METRICS.md"];
const CRATES: &[&str] = &["*.toml", "Cargo.lock"];
const TEMPLATE: &[&str] = &[
    "template.yaml",
    "samconfig.toml",
    ".cfnlintrc.yaml",
    ".checkov.yaml",
    ".github/",
    "infra/",
    "events/",
    "docs/openapi.json",
];

/// Tests without AWS, as a nextest filter: all except two binaries.
const WITHOUT_AWS: &str = "not (binary_id(stoop-tests::aws) + binary_id(stoop-tests::stack))";
/// The parts of the binary `aws` that another emulator may answer differently.
const PORTS_ON_AWS: [&str; 2] = ["conformance_aws::", "conformance_dynamo::"];
/// The scenarios of the stack for which the lake's function is built, which takes as long as all the others.
const OF_THE_LAKE: &str = "lake::";
/// Additional seeds of the simulated day.
const DAYS: std::ops::RangeInclusive<u32> = 2..=7;

/// Formatting, clippy and rustdoc.
pub(crate) fn check(project: &Project) -> Result<bool> {
    let mut steps = Steps::new(project)?;
    lint(&mut steps)?;
    Ok(steps.end())
}

/// Known vulnerabilities, and a test of this check.
pub(crate) fn advisories(project: &Project) -> Result<bool> {
    let mut steps = Steps::new(project)?;
    steps.run("advisories", MIDDLE, tools::advisories);
    steps.run("advisories: a hit fails", MIDDLE, tools::advisories_find_a_hit);
    Ok(steps.end())
}

/// All tests without AWS, or those that `cargo nextest run` selects with these arguments.
pub(crate) fn test(project: &Project, arguments: &[String]) -> Result<bool> {
    let mut command = nextest(project)?;
    if !arguments.iter().any(|argument| argument == "-p" || argument.starts_with("--package")) {
        command.arg("--workspace");
    }
    let has_filter = arguments.iter().any(|argument| argument == "-E" || argument.starts_with("--filter"));
    if !has_filter {
        command.args(["-E", WITHOUT_AWS]);
    }
    within(project, "tests", LONG, |project| project.direct(command.args(arguments)))
}

/// The deployed stack, on the emulator that the environment names.
pub(crate) fn stack(project: &Project, arguments: &[String]) -> Result<bool> {
    let mut command = project.cargo(&["test", "--workspace", "--locked", "--test", "stack", "--"]);
    within(project, "the tests of the deployed stack", LONG, |project| project.direct(command.args(arguments)))
}

/// Checks the commands in the pages, but for those of the lake; with `--update` writes what they print now, those of the lake as
/// well if `cargo xtask lake` has made its environment.
pub(crate) fn console(project: &Project, arguments: &[String]) -> Result<TestTally> {
    let arguments: Vec<&str> = arguments.iter().map(String::as_str).collect();
    let is_update = match arguments[..] {
        [] => false,
        ["--update"] => true,
        _ => bail!("accepted: nothing, or `--update`"),
    };
    let stoop = project.built("stoop")?;
    let programs = stoop.parent().map(Path::to_owned).into_iter().collect();
    let mut tally = console::check(project, &Provided { programs, lake: None }, is_update)?;
    if is_update && let Some(provided) = lake::built(project, &stoop, &lake::venv(project))? {
        tally += console::check(project, &provided, true)?;
    }
    Ok(tally)
}

/// Computes the figures of random homes and of the real data again, without Stoop's code, and compares.
pub(crate) fn recompute(project: &Project) -> Result<TestTally> {
    project.plain(&mut recomputed(project)?)
}

fn recomputed(project: &Project) -> Result<Command> {
    let mut command = project.command("python3");
    command.arg("tests/recompute").arg(project.built("stoop")?);
    Ok(command)
}

/// The steps of `.ci/run`. Skips steps that passed with the same inputs, except the tests without AWS.
pub(crate) fn gate(project: &Project) -> Result<bool> {
    let mut steps = Steps::new(project)?;
    common(&mut steps)?;
    Ok(steps.end())
}

/// The steps of `.ci/all`: those of `.ci/run`, and those that are too slow for it.
pub(crate) fn all(project: &Project) -> Result<bool> {
    let mut steps = Steps::new(project)?;
    common(&mut steps)?;
    if !steps.is_red() {
        slow_steps(&mut steps)?;
    }
    Ok(steps.end())
}

/// Those steps of `.ci/all` that `.ci/run` has not.
pub(crate) fn slow(project: &Project) -> Result<bool> {
    let mut steps = Steps::new(project)?;
    slow_steps(&mut steps)?;
    Ok(steps.end())
}

fn slow_steps(steps: &mut Steps<'_>) -> Result<()> {
    steps.run_on("ports on LocalStack", DEPLOYED, LONG, |project| {
        project.counted(aws(project).args(PORTS_ON_AWS).env("STOOP_LOCAL_AWS", "localstack"))
    })?;
    steps.run_on("lake of the stack on MiniStack", &[DEPLOYED, BESIDE].concat(), LONG, |project| {
        project.counted(deployed(project).arg(OF_THE_LAKE))
    })?;
    steps.run_on("stack on LocalStack", &[DEPLOYED, BESIDE].concat(), LONG, |project| {
        project.counted(deployed(project).env("STOOP_LOCAL_AWS", "localstack"))
    })?;
    steps.run_on("more seeds of the mapping", DEPLOYED, LONG, |project| {
        project.counted(without_aws(project, "test(mapping::)")?.env("STOOP_SEEDS_TIMES", "4"))
    })?;
    for seed in DAYS {
        steps.run_on(&format!("simulated day, seed {seed}"), DEPLOYED, MIDDLE, |project| {
            project.counted(without_aws(project, "test(day::sixty)")?.env("STOOP_SEED", seed.to_string()))
        })?;
    }
    steps.run_on("more cases of every property", DEPLOYED, VERY_LONG, |project| {
        project.counted(without_aws(project, WITHOUT_AWS)?.env("PROPTEST_CASES", "1024"))
    })?;
    steps.run_on("figures of all inputs, recomputed", RECOMPUTED, MIDDLE, recompute)?;
    steps.run_on("checks of pages, on planted faults", BROWSER, MIDDLE, browser::self_test)?;
    steps.run_on("attacks on the server", PAGES, MIDDLE, abuse::run)?;
    steps.run_on("decoders, fuzzed", DEPLOYED, LONG, |project| fuzz::run(project, &[]))?;
    steps.run_on("benches compile", DEPLOYED, LONG, |project| {
        project.plain(&mut project.cargo(&["bench", "--workspace", "--locked", "--no-run", "--profile", "dev"]))
    })?;
    steps.run_on("advisories: a hit fails", CRATES, MIDDLE, tools::advisories_find_a_hit)?;
    steps.run_on("size of the functions, built for release", DEPLOYED, VERY_LONG, bench::functions)?;
    steps.run_on("the lake function, built for release", &[DEPLOYED, BESIDE].concat(), VERY_LONG, bench::lake)?;
    steps.run("an emulator of arm64", MIDDLE, arm64::emulator);
    steps.run_on("the functions on arm64", DEPLOYED, VERY_LONG, arm64::functions)
}

fn common(steps: &mut Steps<'_>) -> Result<()> {
    steps.run_on("words", &["*"], SHORT, |project| held(words::hold(project)? & names::hold(project)?))?;
    lint(steps)?;
    steps.run_on("shape", &["*"], SHORT, |project| held(shape::hold(project)?))?;
    steps.run_on("unused dependencies", RUST, MIDDLE, |project| {
        tools::machete(project).and_then(|machete| project.plain(project.command(machete).arg("machete")))
    })?;
    steps.run_on("licences, bans, sources", CRATES, MIDDLE, tools::licences)?;
    steps.run("advisories", MIDDLE, tools::advisories);
    if steps.is_red() {
        return Ok(());
    }
    steps.run("build the tests", LONG, |project| {
        project.plain(&mut project.cargo(&["test", "--workspace", "--locked", "--no-run"]))
    });
    if steps.is_red() {
        return Ok(());
    }
    steps.run("tests without AWS", LONG, |project| project.counted(&mut without_aws(project, WITHOUT_AWS)?));
    steps.run_on("examples in the documentation", RUST, LONG, |project| {
        project.counted(&mut project.cargo(&["test", "--workspace", "--locked", "--no-fail-fast", "--doc"]))
    })?;
    steps.run_on("the crates as a library", RUST, LONG, |project| {
        project.plain(&mut project.cargo(&[
            "run",
            "--quiet",
            "--locked",
            "-p",
            "stoop-embedded",
            "--example",
            "library",
        ]))
    })?;
    steps.run_on("commands in the pages", CONSOLE, MIDDLE, |project| console(project, &[]))?;
    steps.run_on("figures, recomputed", RECOMPUTED, MIDDLE, |project| {
        project.plain(recomputed(project)?.arg("--quick"))
    })?;
    steps.run_on("pages in Chromium", PAGES, MIDDLE, |project| browser::demo(project, None))?;
    steps.run_on("the API against its document", CONTRACT, MIDDLE, contract::run)?;
    steps.run_on("the lake", LAKE, LONG, lake::check)?;
    steps.run_on("template", TEMPLATE, MIDDLE, template)?;
    steps.run_on("ports and functions on MiniStack", DEPLOYED, LONG, |project| project.counted(&mut aws(project)))?;
    steps.run_on("stack on MiniStack", &[DEPLOYED, BESIDE].concat(), LONG, |project| {
        project.counted(deployed(project).args(["--skip", OF_THE_LAKE]))
    })?;
    Ok(())
}

fn lint(steps: &mut Steps<'_>) -> Result<()> {
    steps.run("format", SHORT, |project| project.plain(&mut project.cargo(&["fmt", "--all", "--check"])));
    steps.run_on("clippy", RUST, LONG, |project| {
        project.plain(&mut project.cargo(&[
            "clippy",
            "--workspace",
            "--all-targets",
            "--locked",
            "--",
            "-D",
            "warnings",
        ]))?;
        // No default target: `--all-targets` leaves it out.
        project.plain(&mut project.cargo(&[
            "clippy",
            "-p",
            "stoop-tests",
            "--test",
            "arm64",
            "--locked",
            "--",
            "-D",
            "warnings",
        ]))
    })?;
    steps.run_on("rustdoc", RUST, LONG, |project| {
        let mut doc = project.cargo(&["doc", "--workspace", "--no-deps", "--locked"]);
        project.plain(doc.env("RUSTDOCFLAGS", "-D warnings"))
    })
}

/// Two tests per processor, because many wait for a process; `-j` or `NEXTEST_TEST_THREADS` override it.
fn nextest(project: &Project) -> Result<Command> {
    let mut command = project.command(tools::nextest(project)?);
    command.args(["nextest", "run", "--locked"]);
    if std::env::var_os("NEXTEST_TEST_THREADS").is_none() {
        let processors = std::thread::available_parallelism().map_or(1, usize::from);
        command.env("NEXTEST_TEST_THREADS", (2 * processors).to_string());
    }
    Ok(command)
}

fn without_aws(project: &Project, filter: &str) -> Result<Command> {
    let mut command = nextest(project)?;
    command.args(["--workspace", "--no-fail-fast"]);
    command.args(["--status-level", "slow", "--final-status-level", "flaky", "--show-progress", "none", "-E", filter]);
    Ok(command)
}

/// The tests that need AWS, in one process, because they share one emulator. Names the whole workspace, like all other
/// tests, so that Cargo reuses libraries built with the same features.
fn aws(project: &Project) -> Command {
    project.cargo(&["test", "--workspace", "--locked", "--test", "aws", "--"])
}

fn deployed(project: &Project) -> Command {
    project.cargo(&["test", "--workspace", "--locked", "--test", "stack", "--"])
}

/// SAM, cfn-lint and checkov, in the virtual environment that the tests use, too.
fn template(project: &Project) -> Result<TestTally> {
    // Built by the tests; `cargo run` would rebuild it with other features of its libraries.
    let local_aws = project.built("stoop-local-aws")?;
    let venv = project.output(project.command(local_aws).arg("venv"))?;
    project.plain(project.command("infra/lint").arg(venv.trim()))
}

fn held(is_held: bool) -> Result<TestTally> {
    anyhow::ensure!(is_held, "see above");
    Ok(TestTally::default())
}

#[cfg(test)]
mod tests {
    use super::*;

    /// One command runs all tests, wherever it is named.
    #[test]
    fn the_readme_names_the_command_that_runs_the_gate() {
        let project = Project::here().unwrap();
        let read = |path: &str| std::fs::read_to_string(project.root().join(path)).unwrap();
        const COMMAND: &str = "bash .ci/run";
        for page in ["README.md", "CONTRIBUTING.md"] {
            let text = read(page);
            assert!(text.contains(&format!("`{COMMAND}`")), "{page}");
            assert!(text.contains("`N passed, N failed, N skipped`"), "{page}");
        }
        assert!(read(".github/workflows/check.yml").contains(&format!("run: {COMMAND}\n")));
        let called = read(".ci/run");
        let called = called.trim_end().strip_suffix(" gate").unwrap();
        assert!(called.ends_with("/in-cache\""), "{called}");
        assert!(read(".ci/in-cache").contains("\ncargo xtask \"$@\" || status=$?\n"));
        assert_eq!(TestTally { passed: 1, failed: 2, skipped: 3 }.to_string(), "1 passed, 2 failed, 3 skipped");
    }
}
