//! Builds the functions for arm64, the default architecture of the deployment, and runs them here.

use std::path::Path;

use anyhow::Result;

use crate::debian;
use crate::project::Project;
use crate::tally::TestTally;

const TARGET: &str = "aarch64-unknown-linux-gnu";
/// Debian packages of the emulator of the processor and of a C library for it.
const PACKAGES: [&str; 2] = ["qemu-user", "libc6-arm64-cross"];
/// The files that the packages install.
const BROUGHT: [&str; 2] = ["/usr/bin/qemu-aarch64", "/usr/aarch64-linux-gnu/lib/ld-linux-aarch64.so.1"];

/// Builds the functions for arm64 as they are deployed, checks their size, and lets each answer its sample event. Fails
/// if the emulator is missing, with instructions to install it.
///
/// # Errors
/// If a build, a size check or an answer fails.
pub(crate) fn functions(project: &Project) -> Result<TestTally> {
    project.plain(project.command("rustup").args(["target", "add", TARGET]))?;
    project.counted(&mut project.cargo(&["test", "--workspace", "--locked", "--test", "arm64", "--"]))
}

/// Installs the emulator if it is missing and the user is root or has sudo without a password.
///
/// # Errors
/// If it cannot be installed, with instructions.
pub(crate) fn emulator(project: &Project) -> Result<TestTally> {
    if cfg!(target_arch = "aarch64") || BROUGHT.iter().all(|path| Path::new(path).exists()) {
        println!("it is there");
        return Ok(TestTally::default());
    }
    debian::install(project, &PACKAGES)?;
    Ok(TestTally::default())
}
