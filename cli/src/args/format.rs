//! The output of a command: for people or for programs.

use clap::Args;

#[derive(Args)]
pub(crate) struct JsonArgs {
    /// Print JSON
    #[arg(long)]
    pub(crate) json: bool,
}

/// The output format of a view.
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
    /// Whether the output is for people, not programs.
    pub(crate) fn is_for_people(&self) -> bool {
        !self.json && !self.csv
    }
}
