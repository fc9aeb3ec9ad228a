//! The options of `stoop sources` and its subcommands.

use std::path::PathBuf;

use clap::{Args, Subcommand};

use super::{FormatArgs, JsonArgs};

#[derive(Args)]
#[command(args_conflicts_with_subcommands = true)]
pub(crate) struct SourcesArgs {
    #[command(subcommand)]
    pub(crate) command: Option<SourcesCommand>,
    /// The configuration whose searches are listed too [default: stoop.toml, if it exists]
    #[arg(long, value_name = "TOML")]
    pub(crate) config: Option<PathBuf>,
    #[command(flatten)]
    pub(crate) format: FormatArgs,
}

#[derive(Subcommand)]
pub(crate) enum SourcesCommand {
    /// Make one request for a search, store nothing, and show what was understood
    Check(CheckArgs),
    /// Draft a map from a sample answer or file
    New(NewArgs),
    /// Draft a map from a URL or a file, read it, and show for each field what was chosen and why; writes nothing
    Try(TryArgs),
    /// Close the circuit breaker or end the backoff of a source, so that the next poll asks it again
    Reset(ResetArgs),
    /// Show what a search holds back (listings that are suddenly missing, prices that move alike), and release or reject it
    #[command(alias = "loss")]
    Held(HeldArgs),
}

#[derive(Args)]
pub(crate) struct HeldArgs {
    /// The search's name in the configuration
    pub(crate) search: String,
    /// The configuration
    #[arg(long, value_name = "TOML", default_value = "stoop.toml")]
    pub(crate) config: PathBuf,
    /// It is real: the next poll that misses the listings too reports them gone, and one that finds the prices publishes them
    #[arg(long, conflicts_with = "reject")]
    pub(crate) release: bool,
    /// It is not: the next poll forgets that the listings were missing, and no poll publishes the prices
    #[arg(long)]
    pub(crate) reject: bool,
    #[command(flatten)]
    pub(crate) json: JsonArgs,
}

#[derive(Args)]
pub(crate) struct ResetArgs {
    /// The search's name in the configuration; it applies to all searches of its account
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

/// What a sample may not say.
#[derive(Args)]
pub(crate) struct HintArgs {
    /// The country of all listings, two letters of ISO 3166-1, if the sample lacks it
    #[arg(long, value_name = "CODE", value_parser = letters::<2>)]
    pub(crate) country: Option<String>,
    /// The currency of all prices, three letters of ISO 4217, if the sample lacks it
    #[arg(long, value_name = "CODE", value_parser = letters::<3>)]
    pub(crate) currency: Option<String>,
    /// The purpose of all listings, if the sample lacks it
    #[arg(long, value_name = "sale|rent", value_parser = ["sale", "rent"])]
    pub(crate) purpose: Option<String>,
    /// The column that is the permanent ID of a home, as a map names it
    #[arg(long, value_name = "COLUMN")]
    pub(crate) id: Option<String>,
}

#[derive(Args)]
pub(crate) struct NewArgs {
    /// The source's name, the first half of every home ID: a to z, 0 to 9 and -
    #[arg(value_parser = source_name)]
    pub(crate) name: String,
    /// The sample: any file that `stoop replay` reads; - is standard input
    #[arg(long, value_name = "FILE")]
    pub(crate) from: PathBuf,
    /// The URL that returned the sample; without it the map is for files
    #[arg(long, value_name = "URL")]
    pub(crate) url: Option<String>,
    #[command(flatten)]
    pub(crate) hints: HintArgs,
    /// The file to write [default: NAME.toml]
    #[arg(long, value_name = "FILE")]
    pub(crate) to: Option<PathBuf>,
    /// Overwrite existing files
    #[arg(long)]
    pub(crate) force: bool,
    /// Also write a page that shows what was chosen for each field and why, NAME.html, and open it in a browser
    #[arg(long)]
    pub(crate) open: bool,
    #[command(flatten)]
    pub(crate) json: JsonArgs,
}

#[derive(Args)]
pub(crate) struct TryArgs {
    /// An URL that is asked once, or a file; - is standard input
    #[arg(value_name = "URL|FILE")]
    pub(crate) from: String,
    #[command(flatten)]
    pub(crate) hints: HintArgs,
    /// Send this header with the request, `Name: value`; may be repeated
    #[arg(long, value_name = "HEADER")]
    pub(crate) header: Vec<String>,
    #[command(flatten)]
    pub(crate) json: JsonArgs,
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
