use std::path::PathBuf;

use clap::{Args, Parser, Subcommand};
use stoop_aws_cli::Pair;

/// Pulls a deployed stack into a folder for the laptop's `stoop`, and loads a folder's lake into a stack's tables.
///
/// Reads AWS_REGION, AWS_ACCESS_KEY_ID, AWS_SECRET_ACCESS_KEY, AWS_SESSION_TOKEN and AWS_ENDPOINT_URL. `infra/state`
/// finds the names of a stack and calls this.
#[derive(Parser)]
#[command(name = "stoop-aws", version, about, max_term_width = 100)]
pub(crate) struct Cli {
    #[command(subcommand)]
    pub(crate) command: StackCommand,
}

#[derive(Subcommand)]
pub(crate) enum StackCommand {
    /// Pull a stack's lake, homes, markets and alerts into DIR, a folder for the laptop's `stoop`
    Pull(PullArgs),
    /// Report how a pair of tables differs from what was pulled into DIR
    Compare(CompareArgs),
    /// Compute the state of DIR's lake into a pair of tables, without alerts
    Load(LoadArgs),
}

#[derive(Args)]
pub(crate) struct TablesArgs {
    /// The table of homes
    #[arg(long, value_name = "TABLE")]
    homes_table: String,
    /// The table of markets
    #[arg(long, value_name = "TABLE")]
    markets_table: String,
}

#[derive(Args)]
pub(crate) struct PullArgs {
    /// A new folder, or one that was pulled into before
    #[arg(value_name = "DIR")]
    pub(crate) dir: PathBuf,
    /// The data bucket
    #[arg(long, value_name = "BUCKET")]
    pub(crate) bucket: String,
    #[command(flatten)]
    pub(crate) tables: TablesArgs,
    /// The table of alerts; without it no alerts are pulled
    #[arg(long, value_name = "TABLE")]
    pub(crate) alerts_table: Option<String>,
    /// The table of runs; without it no runs are pulled
    #[arg(long, value_name = "TABLE")]
    pub(crate) runs_table: Option<String>,
}

#[derive(Args)]
pub(crate) struct CompareArgs {
    /// A folder that was pulled into
    #[arg(value_name = "DIR")]
    pub(crate) dir: PathBuf,
    #[command(flatten)]
    pub(crate) tables: TablesArgs,
}

#[derive(Args)]
pub(crate) struct LoadArgs {
    /// A folder with a lake
    #[arg(value_name = "DIR")]
    pub(crate) dir: PathBuf,
    #[command(flatten)]
    pub(crate) tables: TablesArgs,
    /// The live table of homes, which is never written to
    #[arg(long, value_name = "TABLE")]
    live_homes_table: Option<String>,
    /// Write to the tables
    #[arg(long)]
    yes: bool,
}

impl TablesArgs {
    pub(crate) fn pair(&self) -> Pair {
        Pair { homes: self.homes_table.clone(), markets: self.markets_table.clone() }
    }
}

impl LoadArgs {
    /// Whether the tables may be written to.
    ///
    /// # Errors
    ///
    /// The reason, in words, if not.
    pub(crate) fn may_write(&self) -> Result<(), String> {
        let homes = &self.tables.pair().homes;
        if self.live_homes_table.as_ref() == Some(homes) {
            return Err(format!("{homes} is live; accepted: the tables of the other generation"));
        }
        if !self.yes {
            return Err(format!("this writes to {homes} and its markets; accepted: with --yes"));
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn load(more: &[&str]) -> Result<(), String> {
        let words = ["stoop-aws", "load", "d", "--homes-table", "h-b", "--markets-table", "m-b"];
        let StackCommand::Load(args) = Cli::parse_from(words.iter().chain(more)).command else {
            panic!("it is a load")
        };
        args.may_write()
    }

    #[test]
    fn a_load_needs_yes_and_never_writes_to_a_live_table() {
        assert!(load(&[]).unwrap_err().ends_with("accepted: with --yes"));
        assert_eq!(load(&["--yes"]), Ok(()));
        assert_eq!(load(&["--yes", "--live-homes-table", "h-a"]), Ok(()));
        assert!(load(&["--yes", "--live-homes-table", "h-b"]).unwrap_err().starts_with("h-b is live"));
    }
}
