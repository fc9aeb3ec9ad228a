//! `stoop-lake`: the lake in tables. See `docs/LAKE.md`.

mod args;
mod ingest;
mod maintain;
mod show;
mod tables;

use std::process::ExitCode;

use clap::Parser as _;

use crate::args::{Args, Command};

fn main() -> ExitCode {
    let args = Args::parse();
    let runtime = match tokio::runtime::Builder::new_current_thread().enable_all().build() {
        Ok(runtime) => runtime,
        Err(error) => return failed(&anyhow::Error::new(error)),
    };
    let outcome = match args.command {
        Command::Ingest(args) => runtime.block_on(ingest::ingest(&args)),
        Command::Tables(args) => tables::tables(&args, &runtime),
        Command::Maintain(args) => runtime.block_on(maintain::run(&args)),
        Command::Versions(args) => runtime.block_on(show::versions(&args)),
        Command::Show(args) => runtime.block_on(show::show(&args)),
    };
    match outcome {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => failed(&error),
    }
}

fn failed(error: &anyhow::Error) -> ExitCode {
    eprintln!("error: {error:#}");
    ExitCode::FAILURE
}
