//! The options of `stoop merge`.

use clap::{Args, Subcommand};

use super::JsonArgs;

#[derive(Args)]
#[command(args_conflicts_with_subcommands = true)]
pub(crate) struct MergeArgs {
    #[command(subcommand)]
    pub(crate) command: Option<MergeCommand>,
    #[command(flatten)]
    pub(crate) json: JsonArgs,
}

#[derive(Subcommand)]
pub(crate) enum MergeCommand {
    /// Count each home once from now on, in all figures, though several listings show it
    On(MergeOnArgs),
    /// Count each listing as a home again; rulings are kept
    Off,
    /// Rule that two listings are of one home, whatever speaks against it
    Same(PairArgs),
    /// Rule that two listings are of two homes, whatever speaks for one
    Different(PairArgs),
    /// Take a ruling on two listings back
    Undecided(PairArgs),
}

#[derive(Args)]
pub(crate) struct MergeOnArgs {
    /// Sources whose listings always count, like zillow,avito; without it, none
    #[arg(long, value_name = "SOURCE,...", value_delimiter = ',')]
    pub(crate) except: Vec<String>,
}

#[derive(Args)]
pub(crate) struct PairArgs {
    /// A listing's ID, as `stoop duplicates` lists it
    pub(crate) listing: String,
    /// Another listing's ID
    pub(crate) other: String,
}
