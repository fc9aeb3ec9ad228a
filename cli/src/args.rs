mod homes;
mod markets;

use std::path::{Path, PathBuf};

use clap::{Args, Parser, Subcommand};
use clap_complete::Shell;
use stoop_domain::Time;
use stoop_runtime::LogFormat;

pub(crate) use homes::{Sort, WantedArgs};
pub(crate) use markets::{MarketsArgs, WantedMarkets};

/// A simulated market is held in memory: a million homes take some hundred megabytes.
const HOMES_MAX: i64 = 1_000_000;

/// A week in a second.
const MINUTES_A_SECOND_MAX: i64 = 10_080;

const YEAR_S: u64 = 31_536_000;

/// Ten years.
const DAYS_MAX: i64 = 3_660;

/// How many lines a list may have.
const LINES_MAX: usize = 1_000_000;

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

/// Where things are kept.
#[derive(Args, Clone)]
pub(crate) struct StoreArgs {
    /// The database file [default: stoop.db]
    #[arg(long, global = true, value_name = "FILE", help_heading = "Everywhere")]
    db: Option<PathBuf>,
    /// The folder of lake, raw pages and alerts.jsonl [default: stoop-data beside the database]
    #[arg(long, global = true, value_name = "DIR", help_heading = "Everywhere")]
    data: Option<PathBuf>,
}

#[derive(Subcommand)]
pub(crate) enum Command {
    /// Run everything on a simulated listing portal, live, until Ctrl-C
    Demo(DemoArgs),
    /// Feed files of listings through the pipeline in event time
    Replay(ReplayArgs),
    /// Poll the configured searches on their cadence until Ctrl-C
    Run(RunArgs),
    /// Poll one search once
    Poll(PollArgs),
    /// List the sources, look at what one tells, draft one from a sample
    Sources(SourcesArgs),
    /// List the markets and their figures
    Markets(MarketsArgs),
    /// Show everything about one area
    Market(MarketArgs),
    /// List the homes of an area
    Homes(HomesArgs),
    /// Show a home's history
    Home(HomeArgs),
    /// List price-drop alerts
    Alerts(AlertsArgs),
    /// Judge the homes that are stored by the alert rules in force
    Judge(JudgeArgs),
    /// Show how far the webhook has come, and send again what it refused
    Webhook(WebhookArgs),
    /// List what was refused, and why
    Quarantine(QuarantineArgs),
    /// List runs
    Runs(RunsArgs),
    /// Remove raw pages, runs and rejects that need not be kept any longer
    Prune(PruneArgs),
    /// Recompute everything that is shown from the stored observations and compare
    Verify(JsonArgs),
    /// Compute homes and markets anew from the stored observations, compare, and swap them in
    Rebuild(RebuildArgs),
    /// Write simulated listing updates as JSON Lines to standard output
    Simulate(SimulateArgs),
    /// Write a first configuration, cut out of the example
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
    /// How many homes there are
    #[arg(long, default_value_t = 4_000, value_parser = clap::value_parser!(u32).range(1..=HOMES_MAX))]
    pub(crate) homes: u32,
    /// Simulated minutes that pass in a second
    #[arg(long, default_value_t = 120, value_parser = clap::value_parser!(u32).range(1..=MINUTES_A_SECOND_MAX))]
    pub(crate) speed: u32,
    /// Stop by itself after so many seconds
    #[arg(long, value_name = "SECONDS", value_parser = clap::value_parser!(u64).range(1..=YEAR_S))]
    pub(crate) seconds: Option<u64>,
}

#[derive(Args)]
pub(crate) struct ReplayArgs {
    /// The map that says which column or JSON value is which field
    #[arg(long, value_name = "TOML")]
    pub(crate) map: PathBuf,
    /// CSV, JSON, JSON Lines or Parquet, also .gz, .zst and .zip; - is standard input. Fed in the order given
    #[arg(required = true, value_name = "FILE")]
    pub(crate) files: Vec<PathBuf>,
    /// Each file is all that its source had: what one lacks is gone. Fed in the order of their times
    #[arg(long)]
    pub(crate) snapshot: bool,
    /// Slow down to so many rows a second
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u64).range(1..))]
    pub(crate) rate: Option<u64>,
    /// Leave out what was observed before this moment
    #[arg(long, value_name = "TIME", value_parser = moment)]
    pub(crate) from: Option<Time>,
    /// Leave out what was observed at or after this moment
    #[arg(long, value_name = "TIME", value_parser = moment)]
    pub(crate) until: Option<Time>,
    /// Stop when more than this share of rows is refused, in percent
    #[arg(long, value_name = "PERCENT", default_value_t = 10.0, value_parser = percent)]
    pub(crate) max_rejects: f64,
    /// Take the alert rules from this configuration [default: stoop.toml, where there is one]
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
    /// Give a poll up when more than this share of its rows is refused, in percent [default: `max_rejects` of the search]
    #[arg(long, value_name = "PERCENT", value_parser = percent)]
    pub(crate) max_rejects: Option<f64>,
}

#[derive(Args)]
pub(crate) struct PollArgs {
    /// The search's name in the configuration
    pub(crate) search: String,
    /// The configuration
    #[arg(long, value_name = "TOML", default_value = "stoop.toml")]
    pub(crate) config: PathBuf,
    /// Give the poll up when more than this share of its rows is refused, in percent [default: `max_rejects` of the search]
    #[arg(long, value_name = "PERCENT", value_parser = percent)]
    pub(crate) max_rejects: Option<f64>,
    #[command(flatten)]
    pub(crate) json: JsonArgs,
}

#[derive(Args)]
#[command(args_conflicts_with_subcommands = true)]
pub(crate) struct SourcesArgs {
    #[command(subcommand)]
    pub(crate) command: Option<SourcesCommand>,
    /// The configuration whose searches are listed too [default: stoop.toml, where there is one]
    #[arg(long, value_name = "TOML")]
    pub(crate) config: Option<PathBuf>,
    #[command(flatten)]
    pub(crate) format: FormatArgs,
}

#[derive(Subcommand)]
pub(crate) enum SourcesCommand {
    /// Make one polite request for a search, store nothing, and show what was understood
    Check(CheckArgs),
    /// Draft a map from a sample answer or file
    New(NewArgs),
    /// Ask a source again that is left alone, because its server wants it so or because polls of it failed
    Reset(ResetArgs),
    /// What a search lacks all at once, too much to be believed yet, and whether it is to be believed
    Loss(LossArgs),
}

#[derive(Args)]
pub(crate) struct LossArgs {
    /// The search's name in the configuration
    pub(crate) search: String,
    /// The configuration
    #[arg(long, value_name = "TOML", default_value = "stoop.toml")]
    pub(crate) config: PathBuf,
    /// What is missing is gone: the next poll that misses it too says so
    #[arg(long, conflicts_with = "reject")]
    pub(crate) release: bool,
    /// What is missing is there: the next poll forgets that it was missed
    #[arg(long)]
    pub(crate) reject: bool,
    #[command(flatten)]
    pub(crate) json: JsonArgs,
}

#[derive(Args)]
pub(crate) struct ResetArgs {
    /// The search's name in the configuration; all searches of its account are asked again
    pub(crate) search: String,
    /// The configuration
    #[arg(long, value_name = "TOML", default_value = "stoop.toml")]
    pub(crate) config: PathBuf,
    #[command(flatten)]
    pub(crate) json: JsonArgs,
}

#[derive(Args)]
pub(crate) struct CheckArgs {
    /// The search's name in the configuration; it may be switched off
    pub(crate) search: String,
    /// The configuration
    #[arg(long, value_name = "TOML", default_value = "stoop.toml")]
    pub(crate) config: PathBuf,
    #[command(flatten)]
    pub(crate) json: JsonArgs,
}

#[derive(Args)]
pub(crate) struct NewArgs {
    /// The source's name, the first half of every home's id: a to z, 0 to 9 and -
    #[arg(value_parser = source_name)]
    pub(crate) name: String,
    /// The sample: JSON, JSON Lines, CSV or Parquet, also .gz and .zst; - is standard input
    #[arg(long, value_name = "FILE")]
    pub(crate) from: PathBuf,
    /// The address that the sample is the answer of; without it the map is for files
    #[arg(long, value_name = "URL")]
    pub(crate) url: Option<String>,
    /// The country of all listings, two letters of ISO 3166-1, where the sample does not tell it
    #[arg(long, value_name = "CODE", value_parser = letters::<2>)]
    pub(crate) country: Option<String>,
    /// The currency of all prices, three letters of ISO 4217, where the sample does not tell it
    #[arg(long, value_name = "CODE", value_parser = letters::<3>)]
    pub(crate) currency: Option<String>,
    /// What all listings are for, where the sample does not tell it
    #[arg(long, value_name = "sale|rent", value_parser = ["sale", "rent"])]
    pub(crate) purpose: Option<String>,
    /// The file to write [default: NAME.toml]
    #[arg(long, value_name = "FILE")]
    pub(crate) to: Option<PathBuf>,
    /// Write over a file that is there
    #[arg(long)]
    pub(crate) force: bool,
    #[command(flatten)]
    pub(crate) json: JsonArgs,
}

#[derive(Args)]
pub(crate) struct MarketArgs {
    /// 98178, "king county", "austin tx" ... or a path like us/wa/king; behind it :sale, :rent or a currency like :USD
    pub(crate) area: String,
    /// Days of the daily series to show
    #[arg(long, default_value_t = 30, value_parser = clap::value_parser!(u16).range(1..=DAYS_MAX))]
    pub(crate) days: u16,
    #[command(flatten)]
    pub(crate) as_of: AsOfArgs,
    #[command(flatten)]
    pub(crate) as_known: AsKnownArgs,
    #[command(flatten)]
    pub(crate) format: FormatArgs,
}

#[derive(Args)]
pub(crate) struct HomesArgs {
    /// 98178, "king county", "austin tx" ... or a path like us/wa/king; behind it :sale, :rent or a currency like :USD
    pub(crate) area: String,
    #[command(flatten)]
    pub(crate) wanted: WantedArgs,
    /// At most so many lines
    #[arg(long, default_value_t = 40, value_parser = lines)]
    pub(crate) limit: usize,
    #[command(flatten)]
    pub(crate) format: FormatArgs,
}

#[derive(Args)]
pub(crate) struct HomeArgs {
    /// The home's id, like avito/54401684, or the part after the slash, or its address: "5500 S Norfolk St, Seattle"
    pub(crate) id: String,
    #[command(flatten)]
    pub(crate) as_known: AsKnownArgs,
    #[command(flatten)]
    pub(crate) format: FormatArgs,
}

#[derive(Args)]
pub(crate) struct AlertsArgs {
    /// Only those of homes there: 98178, "king county", "austin tx" ... or a path like us/wa/king; behind it :sale, :rent or a
    /// currency like :USD
    pub(crate) area: Option<String>,
    /// Those held back as suspect instead of those told
    #[arg(long)]
    pub(crate) suspect: bool,
    /// At most so many lines, newest first
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
    /// Take the alert rules from this configuration [default: stoop.toml, where there is one]
    #[arg(long, value_name = "TOML")]
    pub(crate) config: Option<PathBuf>,
    /// At most so many lines, newest first
    #[arg(long, default_value_t = 40, value_parser = lines)]
    pub(crate) limit: usize,
    #[command(flatten)]
    pub(crate) json: JsonArgs,
}

#[derive(Args)]
pub(crate) struct WebhookArgs {
    /// Post every dead letter once more; those that are taken are none any longer
    #[arg(long)]
    pub(crate) send: bool,
    /// The configuration that names the webhook
    #[arg(long, value_name = "TOML", default_value = "stoop.toml")]
    pub(crate) config: PathBuf,
    /// At most so many dead letters, oldest first
    #[arg(long, default_value_t = 40, value_parser = lines)]
    pub(crate) limit: usize,
    #[command(flatten)]
    pub(crate) json: JsonArgs,
}

#[derive(Args)]
pub(crate) struct QuarantineArgs {
    /// At most so many rows, newest first, below the counts
    #[arg(long, default_value_t = 20, value_parser = lines)]
    pub(crate) limit: usize,
    #[command(flatten)]
    pub(crate) format: FormatArgs,
}

#[derive(Args)]
pub(crate) struct RunsArgs {
    /// At most so many lines, newest first
    #[arg(long, default_value_t = 20, value_parser = lines)]
    pub(crate) limit: usize,
    #[command(flatten)]
    pub(crate) format: FormatArgs,
}

#[derive(Args)]
pub(crate) struct PruneArgs {
    /// Remove nothing, and say what would go
    #[arg(long)]
    pub(crate) dry_run: bool,
    /// The configuration whose `[keep]` counts [default: stoop.toml, where there is one]
    #[arg(long, value_name = "TOML")]
    pub(crate) config: Option<PathBuf>,
    #[command(flatten)]
    pub(crate) json: JsonArgs,
}

#[derive(Args)]
pub(crate) struct RebuildArgs {
    /// Swap nothing in, and say what would be other; what was built is kept
    #[arg(long, conflicts_with_all = ["yes", "back", "forget"])]
    pub(crate) dry_run: bool,
    /// Swap without asking
    #[arg(long, conflicts_with_all = ["back", "forget"])]
    pub(crate) yes: bool,
    /// Swap the state from before back in, as long as nothing new has come in
    #[arg(long, conflicts_with = "forget")]
    pub(crate) back: bool,
    /// Remove what was built or is kept from before, and change nothing else
    #[arg(long)]
    pub(crate) forget: bool,
    /// Take the alert rules from this configuration [default: stoop.toml, where there is one]
    #[arg(long, value_name = "TOML")]
    pub(crate) config: Option<PathBuf>,
    #[command(flatten)]
    pub(crate) json: JsonArgs,
}

#[derive(Args)]
pub(crate) struct SimulateArgs {
    /// How many rows to write
    #[arg(long, default_value_t = 100_000, value_parser = clap::value_parser!(u64).range(1..))]
    pub(crate) rows: u64,
    /// The market's seed
    #[arg(long, default_value_t = 7)]
    pub(crate) seed: u64,
    /// How many homes there are [default: one for every hundred rows]
    #[arg(long, value_parser = clap::value_parser!(u32).range(1..=HOMES_MAX))]
    pub(crate) homes: Option<u32>,
    /// How many postal codes they lie in [default: one for every two hundred homes]
    #[arg(long, value_parser = clap::value_parser!(u32).range(1..=HOMES_MAX))]
    pub(crate) areas: Option<u32>,
    /// How many of a hundred rows change something, once every home has been listed
    #[arg(long, default_value_t = 3, value_name = "PERCENT", value_parser = clap::value_parser!(u32).range(1..=100))]
    pub(crate) changing: u32,
    /// Leave out what enters no figure: remarks, office, coordinates, other names and times
    #[arg(long)]
    pub(crate) brief: bool,
}

#[derive(Args)]
pub(crate) struct InitArgs {
    /// The source to poll: reso, zillow, realtor, rentcast, avito, mubawab, map or files [default: asked for on a
    /// terminal, else all of them, switched off]
    #[arg(long, value_name = "KIND", value_parser = crate::init::CHOICES)]
    pub(crate) source: Option<String>,
    /// The file to write; one that is there is left as it is
    #[arg(long, value_name = "TOML", default_value = "stoop.toml")]
    pub(crate) to: PathBuf,
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
    /// The moment to show [default: that of the newest observation, or of the last poll]
    #[arg(long, value_name = "TIME", value_parser = moment)]
    pub(crate) as_of: Option<Time>,
}

#[derive(Args)]
pub(crate) struct AsKnownArgs {
    /// Show what was known at this moment: what was seen later is left out, and what it revised is told
    #[arg(long, value_name = "TIME", value_parser = moment)]
    pub(crate) as_known: Option<Time>,
}

#[derive(Args)]
pub(crate) struct JsonArgs {
    /// Print JSON
    #[arg(long)]
    pub(crate) json: bool,
}

/// The form in which a view is given out.
#[derive(Args)]
pub(crate) struct FormatArgs {
    /// Print JSON
    #[arg(long)]
    pub(crate) json: bool,
    /// Print CSV: the rows of the list, under the names of the JSON
    #[arg(long, conflicts_with = "json")]
    pub(crate) csv: bool,
}

impl FormatArgs {
    /// Whether no program is to read it.
    pub(crate) fn is_for_people(&self) -> bool {
        !self.json && !self.csv
    }
}

impl Cli {
    pub(crate) fn log_format(&self) -> LogFormat {
        if self.log_json { LogFormat::Json } else { LogFormat::Text }
    }
}

impl StoreArgs {
    /// The database file: as named, else `stoop.db`.
    pub(crate) fn db(&self) -> &Path {
        self.db.as_deref().unwrap_or(Path::new("stoop.db"))
    }

    /// The data folder: as named, else `stoop-data` beside the database.
    pub(crate) fn data(&self) -> PathBuf {
        self.data.clone().unwrap_or_else(|| self.db().with_file_name("stoop-data"))
    }

    /// With what a configuration names in place of what the command line leaves open. A data folder of
    /// the configuration belongs to its database, not to one that the command line names.
    pub(crate) fn or(&self, config: &stoop_runtime::Config) -> Self {
        let data = self.data.clone().or_else(|| config.data.clone().filter(|_| self.db.is_none()));
        Self { db: self.db.clone().or_else(|| config.database.clone()), data }
    }
}

/// A moment: RFC 3339, or a date alone for its midnight in UTC.
fn moment(text: &str) -> Result<Time, String> {
    Time::parse(text)
        .or_else(|_| Time::parse(&format!("{text}T00:00:00Z")))
        .map_err(|_| "accepted: a date like 2026-01-13 or a moment like 2026-01-13T10:51:00Z".to_owned())
}

fn lines(text: &str) -> Result<usize, String> {
    let lines = text.parse().ok().filter(|lines| (1..=LINES_MAX).contains(lines));
    lines.ok_or_else(|| format!("accepted: a whole number from 1 to {LINES_MAX}"))
}

fn source_name(text: &str) -> Result<String, String> {
    let known = |b: u8| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'-';
    let fits = (1..=64).contains(&text.len()) && text.bytes().all(known);
    if fits { Ok(text.to_owned()) } else { Err("accepted: a to z, 0 to 9 and -, at most 64 of them".to_owned()) }
}

fn letters<const N: usize>(text: &str) -> Result<String, String> {
    let fits = text.len() == N && text.bytes().all(|b| b.is_ascii_alphabetic());
    if fits { Ok(text.to_ascii_uppercase()) } else { Err(format!("accepted: {N} letters, like {}", &"USD"[..N])) }
}

fn percent(text: &str) -> Result<f64, String> {
    let value: Option<f64> = text.parse().ok().filter(|value| (0.0..=100.0).contains(value));
    value.ok_or_else(|| "accepted: a number from 0 to 100".to_owned())
}
