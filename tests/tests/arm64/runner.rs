//! Finds the program that runs arm64 binaries here.

use std::path::{Path, PathBuf};

use anyhow::{Context, Result, ensure};

/// Where Debian and Ubuntu install the loader and the C library for another processor.
const LIBRARIES: &str = "/usr/aarch64-linux-gnu";
/// The names of the emulator in distributions.
const EMULATORS: [&str; 2] = ["qemu-aarch64", "qemu-aarch64-static"];

/// The command line before the program: empty on an arm64 machine.
///
/// # Errors
///
/// Something is missing: with how to install it.
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
