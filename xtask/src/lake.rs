//! The lake, a workspace of its own with programs in Python: `lake/check`, and what Rust's tools say of its crates.

use std::path::Path;

use anyhow::Result;

use crate::debian;
use crate::project::Project;
use crate::tally::Tally;

const MANIFEST: &str = "lake/Cargo.toml";
/// Where Debian's packages have PostgreSQL.
const POSTGRESQL: &str = "/usr/lib/postgresql";

/// # Errors
/// If a program is missing and cannot be installed, if format or clippy complain, or if the check ends without a result.
pub(crate) fn check(project: &Project) -> Result<Tally> {
    if !Path::new(POSTGRESQL).is_dir() && debian::on_path(&["initdb"]).is_none() {
        debian::install(project, &["postgresql"])?;
    }
    if debian::on_path(&["ip"]).is_none() {
        debian::install(project, &["iproute2"])?;
    }
    let target = project.cache().join("lake-target");
    let cargo = |arguments: &[&str]| {
        let mut cargo = project.cargo(arguments);
        cargo.env("CARGO_TARGET_DIR", &target);
        cargo
    };
    project.plain(&mut cargo(&["fmt", "--all", "--check", "--manifest-path", MANIFEST]))?;
    let clippy =
        ["clippy", "--manifest-path", MANIFEST, "--workspace", "--all-targets", "--locked", "--", "-D", "warnings"];
    project.plain(&mut cargo(&clippy))?;
    let mut check = project.command("lake/check");
    check.env("CARGO_TARGET_DIR", &target).env("STOOP_BIN", project.built("stoop")?);
    check.env("STOOP_LAKE_VENV", project.cache().join("lake-venv"));
    // Both its parts and their sum are in its output.
    project.summed(&mut check)
}
