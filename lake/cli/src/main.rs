//! `stoop-lake`: the lake in tables. See `docs/LAKE.md`.

mod args;
mod ingest;
mod maintain;
mod out;
mod show;
mod tables;

use std::process::ExitCode;

use clap::Parser as _;

use crate::args::{Args, LakeCommand};

fn main() -> ExitCode {
    let args = Args::parse();
    // Several threads, as a bucket needs them.
    let runtime = match tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build() {
        Ok(runtime) => runtime,
        Err(error) => return out::end(&Err(error.into())),
    };
    let outcome = match args.command {
        LakeCommand::Ingest(args) => runtime.block_on(ingest::ingest(&args)),
        LakeCommand::Tables(args) => tables::tables(&args, &runtime),
        LakeCommand::Maintain(args) => runtime.block_on(maintain::run(&args)),
        LakeCommand::Versions(args) => runtime.block_on(show::versions(&args)),
        LakeCommand::Show(args) => runtime.block_on(show::show(&args)),
    };
    out::end(&outcome)
}
