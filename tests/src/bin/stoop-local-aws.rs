//! `cargo run -p stoop-tests --bin stoop-local-aws`: AWS on this machine until Ctrl-C, for manual deployments.
//!
//! `stoop-local-aws venv` makes the virtual environment with SAM, the linters and cargo-lambda if needed, and prints
//! its folder; `stoop-local-aws venv schemathesis` that of Schemathesis.

use std::io::Write;
use std::path::Path;

use anyhow::{Context, Result, bail};
use stoop_tests::local::{LocalAws, schemathesis_python, venv_python};

fn main() -> Result<()> {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    match arguments.iter().map(String::as_str).collect::<Vec<_>>()[..] {
        [] => serve(),
        ["venv"] => print_folder_of(&venv_python()?),
        ["venv", "schemathesis"] => print_folder_of(&schemathesis_python()?),
        _ => bail!("accepted: no argument, `venv`, or `venv schemathesis`"),
    }
}

fn print_folder_of(python: &Path) -> Result<()> {
    let folder = python.ancestors().nth(2).context("a Python that is not in a virtual environment")?;
    writeln!(std::io::stdout(), "{}", folder.display()).context("standard output is closed")
}

fn serve() -> Result<()> {
    let aws = LocalAws::start()?;
    let mut out = std::io::stdout();
    writeln!(out, "# {:?} answers. In another terminal:", aws.kind())?;
    for (name, value) in aws.environment() {
        writeln!(out, "export {name}='{}'", value.to_string_lossy())?;
    }
    writeln!(out, "# Ctrl-C ends it and removes what it made.")?;
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    runtime.block_on(tokio::signal::ctrl_c())?;
    Ok(())
}
