//! `stoop`: the whole pipeline on one laptop.

mod args;
mod backup;
mod browser;
mod demo;
mod due_times;
mod engine;
mod explain;
mod failure;
mod flush;
mod from_lake;
mod init;
mod input;
mod intake;
mod judge;
mod manual;
mod merge;
mod out;
mod poll_line;
mod prune;
mod rebuild;
mod reference;
mod replay;
mod run;
mod schedule;
mod serve;
mod show;
mod simulate;
mod sources;
mod stop;
mod tokens;
mod verify;
mod views;
mod webhook;

use std::process::ExitCode;

use clap::Parser;
use stoop_pipeline::ControlAction;

use crate::args::{Cli, Command};
use crate::failure::report;

/// A replay allocates and drops a dozen small strings per row; this allocator halves that time.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

fn main() -> ExitCode {
    let cli = match Cli::try_parse() {
        Ok(cli) => cli,
        Err(error) => return failure::refuse(&error),
    };
    stoop_runtime::init_telemetry(cli.log_format());
    let runtime = match tokio::runtime::Builder::new_current_thread().enable_all().build() {
        Ok(runtime) => runtime,
        Err(error) => return report(&anyhow::Error::new(error)),
    };
    let outcome = runtime.block_on(dispatch(cli));
    // Do not wait for a DNS lookup that is still running.
    runtime.shutdown_background();
    out::finish(outcome.unwrap_or_else(|error| report(&error)))
}

async fn dispatch(cli: Cli) -> anyhow::Result<ExitCode> {
    let home = cli.store;
    match cli.command {
        Command::Demo(args) => demo::demo(&home, &args).await,
        Command::Replay(args) => replay::replay(&home, &args).await,
        Command::Run(args) => run::run(&home, &args).await,
        Command::Serve(args) => serve::serve(&home, &args).await,
        Command::Token(args) => tokens::token(&home, &args),
        Command::Poll(args) => run::poll_once(&home, &args).await,
        Command::Searches(args) => views::list_searches(&home, &args).await,
        Command::Pause(args) => views::control(&home, &args, ControlAction::Pause).await,
        Command::Resume(args) => views::control(&home, &args, ControlAction::Resume).await,
        Command::Sources(args) => sources::sources(&home, &args).await,
        Command::Markets(args) => views::markets(&home, &args),
        Command::Market(args) => match args.definition.definition {
            Some(whose) => views::definition(&home, &args, whose.into()),
            None => views::market(&home, &args),
        },
        Command::Compare(args) => views::compare(&home, &args),
        Command::Reference(args) => reference::reference(&home, &args),
        Command::Homes(args) => views::homes(&home, &args),
        Command::Duplicates(args) => views::duplicates(&home, &args),
        Command::Merge(args) => merge::merge(&home, &args),
        Command::Home(args) => views::home(&home, &args),
        Command::Alerts(args) => views::alerts(&home, &args),
        Command::Judge(args) => judge::judge(&home, &args).await,
        Command::Webhook(args) => webhook::webhook(&home, &args).await,
        Command::Quarantine(args) => views::quarantine(&home, &args),
        Command::Runs(args) => views::runs(&home, &args),
        Command::Prune(args) => prune::prune(&home, &args),
        Command::Flush(args) => flush::flush(&home, &args),
        Command::Backup(args) => backup::backup(&home, &args),
        Command::Restore(args) => backup::restore(&home, &args),
        Command::Verify(args) => verify::verify(&home, &args),
        Command::Rebuild(args) if args.from_lake => from_lake::from_lake(&home, &args).await,
        Command::Rebuild(args) => rebuild::rebuild(&home, &args),
        Command::Simulate(args) => simulate::simulate(&args),
        Command::Explain(args) => Ok(explain::explain(&args)),
        Command::Init(args) => init::init(&args),
        Command::Completions(args) => Ok(manual::completions(&args)),
        Command::Man(args) => manual::man(&args),
    }
}
