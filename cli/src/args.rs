mod compare;
mod definition;
mod explain;
mod format;
mod homes;
mod init;
mod market;
mod markets;
mod merge;
mod reference;
mod searches;
mod serve;
mod sources;
mod store;
mod token;
mod values;

use std::path::PathBuf;

use clap::{Args, Parser, Subcommand};
use clap_complete::Shell;
use stoop_domain::Time;
use stoop_runtime::LogFormat;

pub(crate) use compare::CompareArgs;
pub(crate) use explain::ExplainArgs;
pub(crate) use format::{FormatArgs, JsonArgs};
pub(crate) use homes::{DuplicatesArgs, HomesArgs, WantedArgs};
pub(crate) use init::{CHOICES, InitArgs};
pub(crate) use market::MarketArgs;
#[cfg(test)]
pub(crate) use markets::figure;
pub(crate) use markets::{MarketsArgs, WantedMarkets};
pub(crate) use merge::{MergeArgs, MergeCommand, PairArgs};
pub(crate) use reference::{LoadArgs, ReferenceArgs, ReferenceCommand, RemoveArgs};
pub(crate) use searches::{RunsArgs, SearchArgs, SearchesArgs};
pub(crate) use serve::{PagesArgs, ServeArgs};
pub(crate) use sources::{CheckArgs, HeldArgs, HintArgs, NewArgs, ResetArgs, SourcesArgs, SourcesCommand, TryArgs};
pub(crate) use store::StoreArgs;
pub(crate) use token::{TokenArgs, TokenCommand};
use values::{lines, moment, percent};

/// A simulated market is held in memory: a million homes take a few hundred megabytes.
const HOMES_MAX: i64 = 1_000_000;

/// A week in a second.
const MINUTES_A_SECOND_MAX: i64 = 10_080;

const YEAR_S: u64 = 31_536_000;

/// Property-listing feeds in; live market figures and price-drop alerts out.
#[derive(Parser)]
#[command(version, about, max_term_width = 100)]
pub(crate) struct Cli {
    #[command(flatten)]
    pub(crate) store: StoreArgs,
    /// Write log lines as JSON
    #[arg(long, global = true, help_heading = "Everywhere")]
    log_json: bool,
    #[command(subcommand)]
    pub(crate) command: Command,
}

#[derive(Subcommand)]
pub(crate) enum Command {
    /// Run everything on a simulated listing portal, live, until Ctrl-C
    Demo(DemoArgs),
    /// Feed files of listings through the pipeline in event time
    Replay(ReplayArgs),
    /// Poll the configured searches at their intervals until Ctrl-C
    Run(RunArgs),
    /// Serve pages and the API until Ctrl-C
    Serve(ServeArgs),
    /// Make, list or revoke the tokens of a server that other computers can reach
    Token(TokenArgs),
    /// Poll one search once
    Poll(PollArgs),
    /// List the searches: when each is polled next, and which are paused
    Searches(SearchesArgs),
    /// Pause a search: `stoop run` does not poll it until it is resumed
    Pause(SearchArgs),
    /// Resume a paused search
    Resume(SearchArgs),
    /// List the sources, check a search, draft a source from a sample
    Sources(SourcesArgs),
    /// List the markets and their figures
    Markets(MarketsArgs),
    /// Show everything about one area
    Market(MarketArgs),
    /// Compare areas, or parts of areas, side by side
    Compare(CompareArgs),
    /// Load, list or remove reference series: income, population, rates, price indices
    Reference(ReferenceArgs),
    /// List the homes of an area
    Homes(HomesArgs),
    /// Show a home's history
    Home(HomeArgs),
    /// List the listings of an area that are of one home, and why
    Duplicates(DuplicatesArgs),
    /// Show or change whether each home counts once, and rule on pairs of listings
    Merge(MergeArgs),
    /// List price-drop alerts
    Alerts(AlertsArgs),
    /// Judge the stored homes by the current alert rules
    Judge(JudgeArgs),
    /// Show the webhook's progress, and resend dead letters
    Webhook(WebhookArgs),
    /// List what was refused, and why
    Quarantine(QuarantineArgs),
    /// List runs
    Runs(RunsArgs),
    /// Remove old raw pages, runs and rejects
    Prune(PruneArgs),
    /// Write observations that only the database has yet to a file of the lake
    Flush(JsonArgs),
    /// Back up the database and its lake into a folder, while others use them
    Backup(BackupArgs),
    /// Make a database and its data folder of a backup
    Restore(BackupArgs),
    /// Recompute everything shown from the stored observations and compare
    Verify(JsonArgs),
    /// Recompute homes and markets from the stored observations, compare, and swap them in
    Rebuild(RebuildArgs),
    /// Write simulated listing updates as JSON Lines to standard output
    Simulate(SimulateArgs),
    /// Explain a code of a message, a log line or an alarm: cause, how to see it, what to do
    Explain(ExplainArgs),
    /// Write a first configuration, taken from the example
    Init(InitArgs),
    /// Print a script that completes commands in a shell
    Completions(CompletionsArgs),
    /// Print the manual page
    Man(ManArgs),
}

#[derive(Args)]
pub(crate) struct DemoArgs {
    /// The market's seed: the same seed gives the same market
    #[arg(long, default_value_t = 7)]
    pub(crate) seed: u64,
    /// The number of homes
    #[arg(long, default_value_t = 12_000, value_parser = clap::value_parser!(u32).range(1..=HOMES_MAX))]
    pub(crate) homes: u32,
    /// Simulated minutes per second
    #[arg(long, default_value_t = 120, value_parser = clap::value_parser!(u32).range(1..=MINUTES_A_SECOND_MAX))]
    pub(crate) speed: u32,
    /// Simulated days to poll through first, so that figures have a past
    #[arg(long, default_value_t = 126, value_name = "DAYS", value_parser = clap::value_parser!(u32).range(0..=1_000))]
    pub(crate) history: u32,
    /// Stop after this many seconds
    #[arg(long, value_name = "SECONDS", value_parser = clap::value_parser!(u64).range(1..=YEAR_S))]
    pub(crate) seconds: Option<u64>,
    /// Open the pages in a browser
    #[arg(long)]
    pub(crate) open: bool,
    #[command(flatten)]
    pub(crate) pages: PagesArgs,
}

#[derive(Args)]
pub(crate) struct ReplayArgs {
    /// The map that says which column or JSON value fills which field
    #[arg(long, value_name = "TOML")]
    pub(crate) map: PathBuf,
    /// CSV, JSON, JSON Lines or Parquet, also .gz, .zst and .zip; - is standard input. Read in the order given
    #[arg(required = true, value_name = "FILE")]
    pub(crate) files: Vec<PathBuf>,
    /// Each file is a complete snapshot: homes that it lacks are gone. Read in order of their times
    #[arg(long)]
    pub(crate) snapshot: bool,
    /// At most this many rows per second
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u64).range(1..))]
    pub(crate) rate: Option<u64>,
    /// Skip what was observed before this time
    #[arg(long, value_name = "TIME", value_parser = moment)]
    pub(crate) from: Option<Time>,
    /// Skip what was observed at or after this time
    #[arg(long, value_name = "TIME", value_parser = moment)]
    pub(crate) until: Option<Time>,
    /// Stop when more than this share of rows is refused, in percent
    #[arg(long, value_name = "PERCENT", default_value_t = 10.0, value_parser = percent)]
    pub(crate) max_rejects: f64,
    /// Take the alert rules from this configuration [default: stoop.toml, if it exists]
    #[arg(long, value_name = "TOML")]
    pub(crate) config: Option<PathBuf>,
    #[command(flatten)]
    pub(crate) json: JsonArgs,
}

#[derive(Args)]
pub(crate) struct RunArgs {
    /// The configuration
    #[arg(long, value_name = "TOML", default_value = "stoop.toml")]
    pub(crate) config: PathBuf,
    /// Give up a poll when more than this share of its rows is refused, in percent [default: `max_rejects` of the
    /// search]
    #[arg(long, value_name = "PERCENT", value_parser = percent)]
    pub(crate) max_rejects: Option<f64>,
    #[command(flatten)]
    pub(crate) pages: PagesArgs,
}

#[derive(Args)]
pub(crate) struct PollArgs {
    /// The search's name in the configuration
    pub(crate) search: String,
    /// The configuration
    #[arg(long, value_name = "TOML", default_value = "stoop.toml")]
    pub(crate) config: PathBuf,
    /// Give up the poll when more than this share of its rows is refused, in percent [default: `max_rejects` of the
    /// search]
    #[arg(long, value_name = "PERCENT", value_parser = percent)]
    pub(crate) max_rejects: Option<f64>,
    #[command(flatten)]
    pub(crate) json: JsonArgs,
}

#[derive(Args)]
pub(crate) struct HomeArgs {
    /// The home's ID, like avito/54401684, or the part after the slash, or its address: "5500 S Norfolk St, Seattle"
    pub(crate) id: String,
    #[command(flatten)]
    pub(crate) as_known: AsKnownArgs,
    #[command(flatten)]
    pub(crate) format: FormatArgs,
}

#[derive(Args)]
pub(crate) struct AlertsArgs {
    /// Only alerts of homes in this area: 98178, "king county", "austin tx" ... or a path like us/wa/king; append
    /// :sale, :rent or a currency like :USD
    pub(crate) area: Option<String>,
    /// List the suspects instead of the sent alerts
    #[arg(long)]
    pub(crate) suspect: bool,
    /// At most this many lines, newest first
    #[arg(long, default_value_t = 40, value_parser = lines)]
    pub(crate) limit: usize,
    #[command(flatten)]
    pub(crate) format: FormatArgs,
}

#[derive(Args)]
pub(crate) struct JudgeArgs {
    /// Record and send what is not recorded yet; without it nothing is changed
    #[arg(long)]
    pub(crate) send: bool,
    /// Take the alert rules from this configuration [default: stoop.toml, if it exists]
    #[arg(long, value_name = "TOML")]
    pub(crate) config: Option<PathBuf>,
    /// At most this many lines, newest first
    #[arg(long, default_value_t = 40, value_parser = lines)]
    pub(crate) limit: usize,
    #[command(flatten)]
    pub(crate) json: JsonArgs,
}

#[derive(Args)]
pub(crate) struct WebhookArgs {
    /// Post every dead letter once more; those that are accepted are removed
    #[arg(long)]
    pub(crate) send: bool,
    /// The configuration that names the webhook
    #[arg(long, value_name = "TOML", default_value = "stoop.toml")]
    pub(crate) config: PathBuf,
    /// At most this many dead letters, oldest first
    #[arg(long, default_value_t = 40, value_parser = lines)]
    pub(crate) limit: usize,
    #[command(flatten)]
    pub(crate) json: JsonArgs,
}

#[derive(Args)]
pub(crate) struct QuarantineArgs {
    /// At most this many rows, newest first, below the counts
    #[arg(long, default_value_t = 20, value_parser = lines)]
    pub(crate) limit: usize,
    #[command(flatten)]
    pub(crate) format: FormatArgs,
}

#[derive(Args)]
pub(crate) struct PruneArgs {
    /// Remove nothing, and show what would be removed
    #[arg(long)]
    pub(crate) dry_run: bool,
    /// The configuration whose `[keep]` applies [default: stoop.toml, if it exists]
    #[arg(long, value_name = "TOML")]
    pub(crate) config: Option<PathBuf>,
    #[command(flatten)]
    pub(crate) json: JsonArgs,
}

#[derive(Args)]
pub(crate) struct BackupArgs {
    /// The folder of the backup; files of the lake that it has are not copied again
    #[arg(value_name = "DIR")]
    pub(crate) folder: PathBuf,
    #[command(flatten)]
    pub(crate) json: JsonArgs,
}

#[derive(Args)]
pub(crate) struct RebuildArgs {
    /// Make a database that is lost, of the lake in the data folder alone
    #[arg(long, conflicts_with_all = ["dry_run", "yes", "back", "forget"])]
    pub(crate) from_lake: bool,
    /// Show what would change and do not swap; the rebuilt state is kept
    #[arg(long, conflicts_with_all = ["yes", "back", "forget"])]
    pub(crate) dry_run: bool,
    /// Swap without asking
    #[arg(long, conflicts_with_all = ["back", "forget"])]
    pub(crate) yes: bool,
    /// Swap the previous state back in, if nothing new was stored since
    #[arg(long, conflicts_with = "forget")]
    pub(crate) back: bool,
    /// Remove the rebuilt or previous state, and change nothing else
    #[arg(long)]
    pub(crate) forget: bool,
    /// Take the alert rules from this configuration [default: stoop.toml, if it exists]
    #[arg(long, value_name = "TOML")]
    pub(crate) config: Option<PathBuf>,
    #[command(flatten)]
    pub(crate) json: JsonArgs,
}

#[derive(Args)]
pub(crate) struct SimulateArgs {
    /// The number of rows
    #[arg(long, default_value_t = 100_000, value_parser = clap::value_parser!(u64).range(1..))]
    pub(crate) rows: u64,
    /// The market's seed
    #[arg(long, default_value_t = 7)]
    pub(crate) seed: u64,
    /// The number of homes [default: one per hundred rows]
    #[arg(long, value_parser = clap::value_parser!(u32).range(1..=HOMES_MAX))]
    pub(crate) homes: Option<u32>,
    /// The number of postal codes [default: one per two hundred homes]
    #[arg(long, value_parser = clap::value_parser!(u32).range(1..=HOMES_MAX))]
    pub(crate) areas: Option<u32>,
    /// Of a hundred rows, how many change something, once every home has been listed
    #[arg(long, default_value_t = 3, value_name = "PERCENT", value_parser = clap::value_parser!(u32).range(1..=100))]
    pub(crate) changing: u32,
    /// Let prices change eight times as often as in a real market, and one cut in eight be deep: many alerts in few rows
    #[arg(long)]
    pub(crate) lively: bool,
    /// Omit what enters no figure: remarks, office, coordinates, other names and times
    #[arg(long)]
    pub(crate) brief: bool,
}

#[derive(Args)]
pub(crate) struct CompletionsArgs {
    /// The shell
    pub(crate) shell: Shell,
}

#[derive(Args)]
pub(crate) struct ManArgs {
    /// Write the pages of all commands into this folder instead
    #[arg(long, value_name = "DIR")]
    pub(crate) to: Option<PathBuf>,
}

#[derive(Args)]
pub(crate) struct AsOfArgs {
    /// The time to show [default: that of the newest observation or the last poll]
    #[arg(long, value_name = "TIME", value_parser = moment)]
    pub(crate) as_of: Option<Time>,
}

#[derive(Args)]
pub(crate) struct AsKnownArgs {
    /// Show what was known at this time: later observations are ignored, and the figures that they revised are listed
    #[arg(long, value_name = "TIME", value_parser = moment)]
    pub(crate) as_known: Option<Time>,
}

impl Cli {
    pub(crate) fn log_format(&self) -> LogFormat {
        if self.log_json { LogFormat::Json } else { LogFormat::Text }
    }
}
