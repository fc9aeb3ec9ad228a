//! The options of `stoop runs`, `stoop searches`, `stoop pause` and `stoop resume`.

use clap::Args;

use super::FormatArgs;
use super::values::lines;

#[derive(Args)]
pub(crate) struct RunsArgs {
    /// At most this many lines, newest first
    #[arg(long, default_value_t = 20, value_parser = lines)]
    pub(crate) limit: usize,
    #[command(flatten)]
    pub(crate) format: FormatArgs,
}

#[derive(Args)]
pub(crate) struct SearchesArgs {
    #[command(flatten)]
    pub(crate) format: FormatArgs,
}

#[derive(Args)]
pub(crate) struct SearchArgs {
    /// The search's name, as `stoop searches` lists it, or as stoop.toml does before its first poll
    pub(crate) search: String,
}
