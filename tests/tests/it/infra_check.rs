//! `infra/check` reports missing tools before `sam build` does, tested with fake tools.

use std::fs;
use std::os::unix::fs::{PermissionsExt, symlink};
use std::path::{Path, PathBuf};
use std::process::Command;

use stoop_tests::stack::project;
use stoop_waits::{PATIENCE, output};
use tempfile::TempDir;

/// A folder that is the whole `PATH`: a shell, and fake tools.
struct Tools(TempDir);

/// A program of this machine.
fn found(name: &str) -> PathBuf {
    let path = std::env::var_os("PATH").unwrap();
    let paths = std::env::split_paths(&path).map(|folder| folder.join(name));
    paths.into_iter().find(|path| path.is_file()).unwrap_or_else(|| panic!("there is no {name} on PATH"))
}

impl Tools {
    fn new(sam: &str, cargo_lambda: &str, targets: &[&str]) -> Self {
        let tools = Self(TempDir::new().unwrap());
        for name in ["bash", "env", "dirname"] {
            symlink(found(name), tools.path().join(name)).unwrap();
        }
        tools.add("sam", &format!("echo 'SAM CLI, version {sam}'"));
        // As cargo answers for an unknown subcommand.
        let answer = format!("[ \"$1\" = lambda ] && echo 'cargo-lambda {cargo_lambda} (67129fc 2026-08-21Z)'");
        tools.add("cargo", &answer);
        // Like rustc, which names the folder whether it exists or not.
        let libraries = tools.path().join("lib");
        tools.add("rustc", &format!("echo \"{}/$4\"", libraries.display()));
        for target in targets {
            fs::create_dir_all(libraries.join(target)).unwrap();
        }
        tools
    }

    fn path(&self) -> &Path {
        self.0.path()
    }

    fn add(&self, name: &str, body: &str) {
        let path = self.path().join(name);
        fs::write(&path, format!("#!{}\n{body}\n", found("bash").display())).unwrap();
        fs::set_permissions(&path, fs::Permissions::from_mode(0o755)).unwrap();
    }

    fn without(self, name: &str) -> Self {
        fs::remove_file(self.path().join(name)).unwrap();
        self
    }

    /// The exit code, and the output.
    fn check(&self, arguments: &[&str]) -> (i32, String) {
        let mut command = Command::new(project().join("infra/check"));
        let out = output(command.args(arguments).env("PATH", self.path()), PATIENCE).unwrap();
        let said = [out.stdout, out.stderr].concat();
        (out.status.code().unwrap(), String::from_utf8(said).unwrap())
    }
}

const ARM: &str = "aarch64-unknown-linux-gnu";
const X86: &str = "x86_64-unknown-linux-gnu";

#[test]
fn suitable_tools_are_named_with_their_versions() {
    for (sam, cargo_lambda) in [("1.165.0", "1.9.2"), ("1.170.0", "1.10.0"), ("2.0.0", "2.0.0")] {
        let (code, said) = Tools::new(sam, cargo_lambda, &[ARM]).check(&[]);
        assert_eq!(code, 0, "{said}");
        let expected = format!("SAM CLI {sam}\ncargo-lambda {cargo_lambda}\nRust for arm64\ninfra/check: all there\n");
        assert_eq!(said, expected);
    }
    assert_eq!(Tools::new("1.165.0", "1.9.2", &[X86]).check(&["x86_64"]).0, 0);
}

#[test]
fn tools_that_are_too_old_are_reported_with_the_needed_version() {
    let (code, said) = Tools::new("1.164.9", "1.8.6", &[ARM]).check(&["arm64"]);
    assert_eq!(code, 1, "{said}");
    assert!(
        said.contains("SAM CLI is 1.164.9; accepted: 1.165.0 or newer (pip install --upgrade aws-sam-cli)"),
        "{said}"
    );
    assert!(said.contains("cargo-lambda is 1.8.6; accepted: 1.9.2 or newer"), "{said}");
    assert!(said.contains("Rust for arm64") && !said.contains("all there"), "{said}");
}

#[test]
fn all_missing_tools_are_reported_at_once() {
    let tools = Tools::new("", "", &[X86]).without("sam").without("cargo");
    let (code, said) = tools.check(&[]);
    assert_eq!(code, 1);
    for part in ["SAM CLI is not there", "cargo-lambda is not there", "rustup target add aarch64-unknown-linux-gnu"] {
        assert!(said.contains(part), "{part}: {said}");
    }
    let (code, said) = Tools::new("1.165.0", "1.9.2", &[ARM]).without("rustc").check(&[]);
    assert!(code == 1 && said.contains("there is no Rust"), "{said}");
    // cargo exists, and does not know `lambda`.
    let tools = Tools::new("1.165.0", "1.9.2", &[ARM]);
    tools.add("cargo", "echo 'error: no such command: `lambda`' >&2; exit 101");
    assert!(tools.check(&[]).1.contains("cargo-lambda is not there"));
    let (code, said) = Tools::new("dev", "1.9.2", &[ARM]).check(&[]);
    assert!(code == 1 && said.contains("SAM CLI does not say its version: SAM CLI, version dev"), "{said}");
}

#[test]
fn a_processor_that_lambda_lacks_is_refused() {
    for arguments in [&["riscv64"][..], &["arm64", "x86_64"]] {
        let (code, said) = Tools::new("1.165.0", "1.9.2", &[ARM, X86]).check(arguments);
        assert_eq!((code, said.as_str()), (2, "usage: infra/check [arm64|x86_64]\n"));
    }
}
