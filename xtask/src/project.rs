//! Paths of the project, its build and its cache, and how to start its programs.

use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context, Result, ensure};

/// A command as typed in a shell.
pub(crate) fn shown(command: &Command) -> String {
    let words = std::iter::once(command.get_program()).chain(command.get_args());
    words.map(|word| word.to_string_lossy()).collect::<Vec<_>>().join(" ")
}

/// The checkout that this program was built from.
#[derive(Debug)]
pub(crate) struct Project {
    root: PathBuf,
    cache: PathBuf,
}

impl Project {
    /// # Errors
    /// If there is no cache folder.
    pub(crate) fn here() -> Result<Self> {
        let own = Path::new(env!("CARGO_MANIFEST_DIR"));
        let root = own.parent().unwrap_or(own).to_owned();
        let named = |name: &str| std::env::var_os(name).filter(|value| !value.is_empty()).map(PathBuf::from);
        let cache = named("XDG_CACHE_HOME").or_else(|| Some(named("HOME")?.join(".cache")));
        let cache = cache.context("neither XDG_CACHE_HOME nor HOME is set: there is no folder to cache in")?;
        Ok(Self { root, cache: cache.join("stoop") })
    }

    pub(crate) fn root(&self) -> &Path {
        &self.root
    }

    /// Data that outlives a clone: tools, virtual environments, results of steps.
    pub(crate) fn cache(&self) -> &Path {
        &self.cache
    }

    /// A program that runs in the project's folder.
    pub(crate) fn command(&self, program: impl AsRef<std::ffi::OsStr>) -> Command {
        let mut command = Command::new(program);
        command.current_dir(&self.root);
        // Variables that `cargo run` sets would make Cargo rebuild some crates.
        for (name, _) in std::env::vars_os() {
            let name = name.to_string_lossy().into_owned();
            let of_a_package = ["CARGO_PKG_", "CARGO_BIN_", "CARGO_MANIFEST_", "CARGO_CRATE_", "CARGO_PRIMARY_"];
            if of_a_package.iter().any(|prefix| name.starts_with(prefix))
                || matches!(&*name, "OUT_DIR" | "LD_LIBRARY_PATH")
            {
                command.env_remove(name);
            }
        }
        command
    }

    pub(crate) fn cargo(&self, arguments: &[&str]) -> Command {
        let mut command = self.command("cargo");
        command.args(arguments);
        command
    }

    /// A program of this project, built with the tests.
    ///
    /// # Errors
    /// If it does not exist.
    pub(crate) fn built(&self, name: &str) -> Result<PathBuf> {
        // This program is in the same folder, whatever the build's settings.
        let own = std::env::current_exe().context("where this program is")?;
        let program = own.with_file_name(name);
        ensure!(program.exists(), "{} is not there: `cargo test --workspace --no-run` builds it", program.display());
        Ok(program)
    }

    /// Returns the standard output of a program.
    ///
    /// # Errors
    /// If it cannot be run or fails, with its output.
    pub(crate) fn output(command: &mut Command) -> Result<String> {
        let out = command.output().with_context(|| format!("can't run {}", shown(command)))?;
        let said = String::from_utf8_lossy(&out.stdout).into_owned();
        let errors = String::from_utf8_lossy(&out.stderr);
        ensure!(out.status.success(), "`{}` ended with {}\n{said}{errors}", shown(command), out.status);
        Ok(said)
    }
}
