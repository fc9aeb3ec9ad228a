//! Paths of the project, its build and its cache, and how to start its programs.

use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use anyhow::{Context, Result, ensure};

use crate::running::{MARK, Running};

/// A command as typed in a shell.
pub(crate) fn shown(command: &Command) -> String {
    let words = std::iter::once(command.get_program()).chain(command.get_args());
    words.map(|word| word.to_string_lossy()).collect::<Vec<_>>().join(" ")
}

/// The checkout that this program was built from.
#[derive(Clone, Debug)]
pub(crate) struct Project {
    root: PathBuf,
    cache: PathBuf,
    /// What its programs have in their environment.
    mark: String,
    /// The programs that run, of this mark and others.
    running: Arc<Mutex<Vec<Running>>>,
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
        let above = std::env::var(MARK).map(|mark| format!("{mark}.")).unwrap_or_default();
        let mark = format!("{above}{}", std::process::id());
        Ok(Self { root, cache: cache.join("stoop"), mark, running: Arc::default() })
    }

    /// The same project for a part of the work, whose programs are known by another mark.
    pub(crate) fn marked(&self) -> Self {
        static NUMBER: AtomicU32 = AtomicU32::new(1);
        Self { mark: format!("{}.{}", self.mark, NUMBER.fetch_add(1, Ordering::Relaxed)), ..self.clone() }
    }

    pub(crate) fn mark(&self) -> &str {
        &self.mark
    }

    pub(crate) fn running(&self) -> MutexGuard<'_, Vec<Running>> {
        self.running.lock().unwrap_or_else(PoisonError::into_inner)
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
        command.current_dir(&self.root).env(MARK, &self.mark);
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
}
