use clap::{Args, ValueEnum};
use stoop_market::Definition;
use stoop_serve::Breakdown;

use super::{AsOfArgs, FormatArgs};

#[derive(Args)]
pub(crate) struct CompareArgs {
    /// Areas as `stoop market` takes them: a name, a postal code or a path
    #[arg(required = true, num_args = 1..=8, value_name = "AREA")]
    pub(crate) areas: Vec<String>,
    /// Compare homes for rent
    #[arg(long)]
    pub(crate) rent: bool,
    /// Compare by this part of each area
    #[arg(long, value_name = "PART")]
    pub(crate) by: Option<By>,
    /// The window of sales, flows and cuts, in days
    #[arg(long, value_name = "DAYS", default_value = "28", value_parser = ["7", "28", "90"])]
    pub(crate) window: String,
    /// These figures, by their names in docs/METRICS.md, separated by commas
    #[arg(long, value_name = "FIGURES", value_delimiter = ',', value_parser = figure)]
    pub(crate) figures: Vec<&'static Definition>,
    #[command(flatten)]
    pub(crate) as_of: AsOfArgs,
    #[command(flatten)]
    pub(crate) format: FormatArgs,
}

/// A part of an area with figures of its own.
#[derive(Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum By {
    /// Property types
    Type,
    /// Numbers of bedrooms
    Bedrooms,
}

impl From<By> for Breakdown {
    fn from(by: By) -> Self {
        match by {
            By::Type => Self::Type,
            By::Bedrooms => Self::Bedrooms,
        }
    }
}

fn figure(name: &str) -> Result<&'static Definition, String> {
    let mut all = Definition::all();
    all.clone().find(|figure| figure.name == name).ok_or_else(|| {
        let first: Vec<&str> = all.by_ref().map(|figure| figure.name).collect();
        format!("accepted: {}", first.join(", "))
    })
}
