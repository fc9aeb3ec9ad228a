//! Programs that Debian's packages bring.

use std::path::PathBuf;

use anyhow::{Context, Result};

use crate::project::Project;
use crate::watch::{INSTALLS_WITHIN, within};

/// The first of these programs that is on `PATH`.
pub(crate) fn on_path(names: &[&str]) -> Option<PathBuf> {
    let path = std::env::var_os("PATH")?;
    let folders: Vec<PathBuf> = std::env::split_paths(&path).collect();
    names.iter().flat_map(|name| folders.iter().map(move |folder| folder.join(name))).find(|program| program.is_file())
}

/// Installs packages if the user is root or has sudo without a password.
///
/// # Errors
/// If they cannot be installed, with instructions.
pub(crate) fn install(project: &Project, packages: &[&str]) -> Result<()> {
    let by_hand = || format!("install it by hand; on Debian and Ubuntu: apt-get install {}", packages.join(" "));
    let user = project.output(project.command("id").arg("-u"))?;
    let root: &[&str] = if user.trim() == "0" { &[] } else { &["sudo", "--non-interactive"] };
    for arguments in [&["update", "--quiet"][..], &["install", "--yes", "--no-install-recommends", "--quiet"]] {
        let mut words = root.iter().chain(&["apt-get"]).chain(arguments);
        let mut command = project.command(words.next().context("a program")?);
        command.args(words);
        if arguments[0] == "install" {
            command.args(packages);
        }
        command.env("DEBIAN_FRONTEND", "noninteractive");
        within(project, "apt-get", INSTALLS_WITHIN, |project| project.plain(&mut command)).with_context(by_hand)?;
    }
    Ok(())
}
