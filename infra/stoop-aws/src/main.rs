//! `stoop-aws`: pulls, compares and loads the data of a deployed stack. See the library.

mod args;
mod out;

use std::process::ExitCode;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use anyhow::Context;
use clap::Parser;
use stoop_aws::{Clients, DynamoStore, NoLake};
use stoop_aws_cli::{GenerationDifference, LoadedState, Pulled, Stack, compare, load, pull};
use stoop_runtime::{LogFormat, SystemClock, init_telemetry};

use crate::args::{Cli, LoadArgs, StackCommand};
use crate::out::{complain, say};

fn main() -> ExitCode {
    let cli = Cli::parse();
    init_telemetry(LogFormat::Text);
    let runtime = match tokio::runtime::Builder::new_current_thread().enable_all().build() {
        Ok(runtime) => runtime,
        Err(error) => return out::report(&anyhow::Error::new(error)),
    };
    runtime.block_on(dispatch(cli)).unwrap_or_else(|error| out::report(&error))
}

async fn dispatch(cli: Cli) -> anyhow::Result<ExitCode> {
    let clients = Clients::from_env()?;
    match cli.command {
        StackCommand::Pull(args) => {
            let (alerts, runs) = (args.alerts_table, args.runs_table);
            let stack = Stack { bucket: args.bucket, tables: args.tables.pair(), alerts, runs };
            report_pulled(&pull(&clients, &args.dir, &stack, &|line| complain(line)).await?)
        }
        StackCommand::Compare(args) => {
            report_compared(&compare(&clients, &args.dir, &args.tables.pair(), &|line| complain(line)).await?)
        }
        StackCommand::Load(args) => load_into(&clients, &args).await,
    }
}

fn report_pulled(pulled: &Pulled) -> anyhow::Result<ExitCode> {
    let Pulled { objects, objects_new, observations, homes, markets, alerts, runs, sums, counties, wrong, wrongs } =
        pulled;
    say(&format!(
        "pulled: {observations} observations in {objects} objects of the lake ({objects_new} of them new), {homes} homes, \
         {markets} markets, {alerts} alerts, {runs} runs, and {sums} sums of areas"
    ));
    if *counties > 0 {
        say(&format!(
            "the listings of {counties} counties are merged in the stack; `stoop merge on` merges them in the folder"
        ));
    }
    Ok(report_wrongs(*wrong, wrongs))
}

fn report_compared(compared: &GenerationDifference) -> anyhow::Result<ExitCode> {
    compared.in_words().iter().for_each(|line| say(line));
    let code = report_wrongs(compared.wrong, &compared.wrongs);
    Ok(if compared.difference.is_none() { code } else { ExitCode::FAILURE })
}

async fn load_into(clients: &Clients, args: &LoadArgs) -> anyhow::Result<ExitCode> {
    let pair = args.tables.pair();
    if let Err(why) = args.may_write() {
        return Ok(out::refuse(&why));
    }
    let (homes, markets) = (pair.homes.clone(), pair.markets.clone());
    let store = DynamoStore::new(clients.dynamodb(), homes, markets, Arc::new(NoLake), Arc::new(SystemClock)).quiet();
    let stopped = Arc::new(AtomicBool::new(false));
    let stopper = Arc::clone(&stopped);
    tokio::spawn(async move {
        if tokio::signal::ctrl_c().await.is_ok() {
            stopper.store(true, Ordering::SeqCst);
        }
    });
    let stop = || stopped.load(Ordering::SeqCst);
    let loaded = load(&store, &args.dir, &pair, &this_program()?, &stop, &|line| complain(line)).await?;
    let LoadedState { parts, parts_before, measured, homes_too_large, too_large } = loaded;
    say(&format!(
        "loaded: {parts} parts, of which {parts_before} were loaded before; of the others {} observations, {} of them \
         known, {} homes new; {} commits were retried because of another writer",
        measured.observations, measured.duplicates, measured.new, measured.conflicts
    ));
    Ok(report_wrongs(homes_too_large, &too_large))
}

/// Prints the errors and returns failure.
fn report_wrongs(count_of: u64, wrongs: &[String]) -> ExitCode {
    for wrong in wrongs {
        say(&format!("wrong: {wrong}"));
    }
    let left = count_of - wrongs.len() as u64;
    if left > 0 {
        say(&format!("… and {} more errors", left));
    }
    if count_of == 0 { ExitCode::SUCCESS } else { ExitCode::FAILURE }
}

/// A hash of this program's file: another build's partial result is not continued.
fn this_program() -> anyhow::Result<String> {
    let path = std::env::current_exe().context("cannot find this program's file")?;
    let bytes = std::fs::read(&path).with_context(|| format!("cannot read {}", path.display()))?;
    Ok(blake3::hash(&bytes).to_hex().to_string())
}
