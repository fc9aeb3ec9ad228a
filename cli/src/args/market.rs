use clap::Args;

use super::definition::DefinitionArgs;
use super::{AsKnownArgs, AsOfArgs, FormatArgs};

/// Ten years.
const DAYS_MAX: i64 = 3_660;

#[derive(Args)]
pub(crate) struct MarketArgs {
    /// 98178, "king county", "austin tx" ... or a path like us/wa/king; append :sale, :rent or a currency like :USD
    pub(crate) area: String,
    /// Days of the daily series to show
    #[arg(long, default_value_t = 30, value_parser = clap::value_parser!(u16).range(1..=DAYS_MAX))]
    pub(crate) days: u16,
    /// Show the repeat-listing index: how first asking prices of the same homes changed by month
    #[arg(long, conflicts_with_all = ["as_known", "definition"])]
    pub(crate) index: bool,
    /// Count each home once, though several listings show it
    #[arg(long, conflicts_with_all = ["as_known", "definition", "index"])]
    pub(crate) merge_duplicates: bool,
    #[command(flatten)]
    pub(crate) as_of: AsOfArgs,
    #[command(flatten)]
    pub(crate) as_known: AsKnownArgs,
    #[command(flatten)]
    pub(crate) definition: DefinitionArgs,
    #[command(flatten)]
    pub(crate) format: FormatArgs,
}
