//! What runs a program for arm64 here.

use std::path::{Path, PathBuf};

use anyhow::{Context, Result, ensure};

/// Where Debian and Ubuntu put the loader and the C library for another processor.
const LIBRARIES: &str = "/usr/aarch64-linux-gnu";
/// Both names that the emulator has in distributions.
const EMULATORS: [&str; 2] = ["qemu-aarch64", "qemu-aarch64-static"];

/// The words before the program: none on a machine that has the processor.
///
/// # Errors
/// When something is missing: with how to install it.
pub(crate) fn runner() -> Result<String> {
    if cfg!(target_arch = "aarch64") {
        return Ok(String::new());
    }
    let how = "on Debian and Ubuntu: apt-get install qemu-user libc6-arm64-cross";
    let emulator = EMULATORS.iter().find_map(|name| on_path(name));
    let emulator = emulator.with_context(|| format!("no {} on PATH; {how}", EMULATORS.join(" and no ")))?;
    let loader = Path::new(LIBRARIES).join("lib/ld-linux-aarch64.so.1");
    ensure!(loader.exists(), "{} is not there: the C library for arm64; {how}", loader.display());
    Ok(format!("{} -L {LIBRARIES}", emulator.display()))
}

fn on_path(name: &str) -> Option<PathBuf> {
    let path = std::env::var_os("PATH")?;
    std::env::split_paths(&path).map(|folder| folder.join(name)).find(|program| program.is_file())
}
