//! The API against its document: Schemathesis makes requests from `docs/openapi.json`, right and wrong ones, and checks each
//! answer of `stoop serve` against it.

use std::path::Path;

use anyhow::{Context, Result, ensure};

use crate::project::Project;
use crate::server::Server;
use crate::tally::TestTally;

/// A home of the demo that the configuration of Schemathesis names.
const HOME: &str = "illinois/SIM00000343";

/// # Errors
/// If a program is missing and cannot be installed, or an answer is not as documented.
pub(crate) fn run(project: &Project) -> Result<TestTally> {
    let folder = project.cache().join(format!("contract-{}", std::process::id()));
    std::fs::create_dir_all(&folder).with_context(|| format!("can't make {}", folder.display()))?;
    let tested = run_in(project, &folder);
    std::fs::remove_dir_all(&folder).with_context(|| format!("can't remove {}", folder.display()))?;
    tested
}

fn run_in(project: &Project, folder: &Path) -> Result<TestTally> {
    let venv = project.output(project.command(project.built("stoop-local-aws")?).args(["venv", "schemathesis"]))?;
    let program = Path::new(venv.trim()).join("bin/schemathesis");
    let stoop = project.built("stoop")?;
    let command = |arguments: &[&str]| {
        let mut command = project.command(&stoop);
        command.current_dir(folder).args(arguments);
        command
    };
    let demo = ["demo", "--homes", "1500", "--history", "30", "--seconds", "1", "--port", "0"];
    project.output(&mut command(&demo))?;
    let home = project.output(&mut command(&["home", HOME, "--json"]))?;
    ensure!(home.contains(HOME), "the demo has no home {HOME}: name another one in contract.rs and schemathesis.toml");
    let token = project.output(&mut command(&["token", "new", "schemathesis", "--write"]))?;
    // With tokens, so that a route that answers without one is found.
    let server = Server::start(&mut command(&["serve", "--port", "0", "--require-token"]))?;
    let root = project.root();
    let mut test = project.command(program);
    test.current_dir(folder).arg("--config-file").arg(root.join("infra/schemathesis/schemathesis.toml"));
    test.arg("run").arg(root.join("docs/openapi.json")).args(["--url", server.base().trim_end_matches('/')]);
    test.args(["--header", &format!("Authorization: Bearer {}", token.trim())]);
    project.plain(test.args(["--phases", "coverage,fuzzing", "--no-color"]))
}
