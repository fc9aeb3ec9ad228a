//! `stoop sources`: lists, checks and drafts sources.

mod check;
mod check_files;
mod configured;
mod held;
mod hints;
mod left_out;
mod list;
mod new;
mod report;
mod reset;
mod sample;
mod scans;
mod trial;

use std::process::ExitCode;

use crate::args::{SourcesArgs, SourcesCommand, StoreArgs};

/// `stoop sources` and its subcommands.
pub(crate) async fn sources(store: &StoreArgs, args: &SourcesArgs) -> anyhow::Result<ExitCode> {
    match &args.command {
        None => list::list(store, args),
        Some(SourcesCommand::Check(args)) => check::check(store, args).await,
        Some(SourcesCommand::New(args)) => new::new(args),
        Some(SourcesCommand::Try(args)) => trial::trial(args).await,
        Some(SourcesCommand::Reset(args)) => reset::reset(store, args).await,
        Some(SourcesCommand::Held(args)) => held::held(store, args).await,
    }
}
