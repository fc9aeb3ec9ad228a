//! The options of `stoop reference` and its subcommands.

use std::path::PathBuf;

use clap::{Args, Subcommand};

use super::{FormatArgs, JsonArgs};

#[derive(Args)]
pub(crate) struct ReferenceArgs {
    #[command(subcommand)]
    pub(crate) command: ReferenceCommand,
}

#[derive(Subcommand)]
pub(crate) enum ReferenceCommand {
    /// Load a series from a CSV file; replaces the series of the same name
    Load(LoadArgs),
    /// List the series
    List(FormatArgs),
    /// Remove a series
    Remove(RemoveArgs),
}

#[derive(Args)]
pub(crate) struct LoadArgs {
    /// CSV with a header, also .gz and .zst; - is standard input
    pub(crate) file: PathBuf,
    /// The map that gives the series' name and unit, and says which columns name area, date and value
    #[arg(long, value_name = "TOML")]
    pub(crate) map: PathBuf,
    #[command(flatten)]
    pub(crate) json: JsonArgs,
}

#[derive(Args)]
pub(crate) struct RemoveArgs {
    /// The series' name
    pub(crate) name: String,
    #[command(flatten)]
    pub(crate) json: JsonArgs,
}
