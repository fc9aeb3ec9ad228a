//! Virtual environments with pinned packages, made once and kept in the user's cache folder.

use std::ffi::OsString;
use std::fs::File;
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context, Result, bail, ensure};
use stoop_waits::{LONG, PATIENCE, locked, output};

/// numpy's wheels, and with them the pinned versions, need this version.
const PYTHON_MIN: (u32, u32) = (3, 11);
/// The last file written into a virtual environment. Without it the environment is incomplete and made again.
const COMPLETE: &str = "complete";

#[derive(Debug)]
pub(super) struct Venv {
    folder: PathBuf,
}

impl Venv {
    pub(super) fn ministack() -> Result<Self> {
        Self::named("ministack", "STOOP_VENV", |_| Ok(()))
    }

    /// With the downloads of LocalStack's first start.
    pub(super) fn localstack() -> Result<Self> {
        Self::named("localstack", "STOOP_VENV_LOCALSTACK", |venv| {
            run(Command::new(venv.python()).arg(super::infra().join("localstack/host.py")).arg("prepare"))
        })
    }

    pub(super) fn schemathesis() -> Result<Self> {
        Self::named("schemathesis", "STOOP_VENV_SCHEMATHESIS", |_| Ok(()))
    }

    fn named(name: &str, variable: &str, finish: impl Fn(&Self) -> Result<()>) -> Result<Self> {
        if let Some(folder) = super::variable(variable) {
            let venv = Self { folder: folder.into() };
            ensure!(venv.python().exists(), "{variable} is {}: not a virtual environment", venv.folder.display());
            return Ok(venv);
        }
        let requirements = super::infra().join(name).join("requirements.txt");
        let text = std::fs::read(&requirements).with_context(|| format!("can't read {}", requirements.display()))?;
        let python = python();
        let version = python_version(&python)?;
        ensure!(
            version >= PYTHON_MIN,
            "`{}` is Python {}.{}: {}.{} or newer is needed for {}",
            python.display(),
            version.0,
            version.1,
            PYTHON_MIN.0,
            PYTHON_MIN.1,
            requirements.display()
        );
        let hash = blake3::hash(&text).to_hex();
        let cache = cache_folder()?;
        let folder = cache.join(format!("venv-{name}-py{}.{}-{}", version.0, version.1, &hash[..12]));
        let venv = Self { folder };
        venv.make(&python, &requirements, finish).with_context(|| {
            format!("can't make the virtual environment {}; {variable} may name one", venv.folder.display())
        })?;
        Ok(venv)
    }

    /// One process makes it, and the others wait. The lock ends with its process, so a killed one blocks nobody.
    fn make(&self, python: &Path, requirements: &Path, finish: impl Fn(&Self) -> Result<()>) -> Result<()> {
        let complete = self.folder.join(COMPLETE);
        if complete.exists() {
            return Ok(());
        }
        if let Some(cache) = self.folder.parent() {
            std::fs::create_dir_all(cache).with_context(|| format!("can't make {}", cache.display()))?;
        }
        let lock = File::create(self.folder.with_added_extension("lock"))?;
        locked(&lock, "another process that makes it", LONG)?;
        if complete.exists() {
            return Ok(());
        }
        eprintln!("making {} (once; takes a minute or two)", self.folder.display());
        if self.folder.exists() {
            std::fs::remove_dir_all(&self.folder)?;
        }
        run(Command::new(python).args(["-m", "venv"]).arg(&self.folder))?;
        run(Command::new(self.python())
            .args(["-m", "pip", "install", "--quiet", "--disable-pip-version-check", "--no-input", "--no-deps"])
            .args(["--require-hashes", "-r"])
            .arg(requirements))?;
        finish(self)?;
        std::fs::write(&complete, "")?;
        Ok(())
    }

    pub(super) fn python(&self) -> PathBuf {
        self.folder.join("bin/python")
    }

    pub(super) fn program(&self, name: &str) -> Result<PathBuf> {
        let program = self.folder.join("bin").join(name);
        ensure!(program.exists(), "no `{name}` in the virtual environment {}", self.folder.display());
        Ok(program)
    }

    /// `PATH`, with this environment's programs first.
    pub(super) fn path_variable(&self) -> OsString {
        let inherited = std::env::var_os("PATH").unwrap_or_default();
        let folders = std::iter::once(self.folder.join("bin")).chain(std::env::split_paths(&inherited));
        // It fails for a folder with a colon in its name, which could not be on a path anyway.
        std::env::join_paths(folders).unwrap_or(inherited)
    }
}

/// `STOOP_PYTHON`, or `python3`.
fn python() -> PathBuf {
    super::variable("STOOP_PYTHON").unwrap_or_else(|| "python3".to_owned()).into()
}

fn python_version(python: &Path) -> Result<(u32, u32)> {
    let mut command = Command::new(python);
    command.args(["-c", "import sys; print(sys.version_info[0], sys.version_info[1])"]);
    let out = output(&mut command, PATIENCE)
        .with_context(|| format!("can't run `{}`: is Python installed? STOOP_PYTHON may name it", python.display()))?;
    let text = String::from_utf8_lossy(&out.stdout);
    let mut numbers = text.split_whitespace().map(str::parse);
    match (numbers.next(), numbers.next()) {
        (Some(Ok(major)), Some(Ok(minor))) => Ok((major, minor)),
        _ => bail!("`{}` is not Python: {}", python.display(), String::from_utf8_lossy(&out.stderr).trim()),
    }
}

/// `$XDG_CACHE_HOME/stoop`, otherwise `~/.cache/stoop`.
fn cache_folder() -> Result<PathBuf> {
    if let Some(cache) = super::variable("XDG_CACHE_HOME") {
        return Ok(PathBuf::from(cache).join("stoop"));
    }
    let home = super::variable("HOME").context("neither XDG_CACHE_HOME nor HOME is set: no folder to cache in")?;
    Ok(PathBuf::from(home).join(".cache/stoop"))
}

/// Runs it to its end, and shows its output if it failed.
fn run(command: &mut Command) -> Result<()> {
    let out = output(command, LONG).with_context(|| format!("can't run {:?}", command.get_program()))?;
    ensure!(
        out.status.success(),
        "{command:?} ended with {}\n{}{}",
        out.status,
        String::from_utf8_lossy(&out.stdout),
        String::from_utf8_lossy(&out.stderr)
    );
    Ok(())
}

#[cfg(test)]
mod tests {
    /// pip refuses a package without a hash only if another one has a hash: all must have one.
    #[test]
    fn every_package_is_pinned_by_version_and_hash() {
        for (name, least) in [("ministack", 100), ("localstack", 100), ("schemathesis", 20)] {
            let file = super::super::infra().join(name).join("requirements.txt");
            let text = std::fs::read_to_string(&file).unwrap();
            let lines = text.lines().filter(|line| !line.is_empty() && !line.starts_with('#'));
            let (hashes, packages): (Vec<&str>, Vec<&str>) =
                lines.partition(|line| line.trim_start().starts_with("--hash=sha256:"));
            assert!(hashes.len() > packages.len() && packages.len() > least, "{name}: {} packages", packages.len());
            for package in packages {
                assert!(package.contains("==") && package.ends_with(" \\"), "{name}: {package} is followed by no hash");
            }
        }
    }
}
