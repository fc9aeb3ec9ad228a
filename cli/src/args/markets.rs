use clap::Args;
use stoop_pipeline::WideLevel;
use stoop_serve::SortBy;

use super::values::lines;
use super::{AsOfArgs, FormatArgs};

#[derive(Args)]
pub(crate) struct MarketsArgs {
    /// List wider areas instead, each the sum of its markets: city, county, region or country
    #[arg(long, value_name = "LEVEL", value_parser = level)]
    pub(crate) level: Option<WideLevel>,
    #[command(flatten)]
    pub(crate) wanted: WantedMarkets,
    /// At most this many lines
    #[arg(long, default_value_t = 40, value_parser = lines)]
    pub(crate) limit: usize,
    #[command(flatten)]
    pub(crate) as_of: AsOfArgs,
    #[command(flatten)]
    pub(crate) format: FormatArgs,
}

/// Which markets are listed, and in what order.
#[derive(Args, Default)]
pub(crate) struct WantedMarkets {
    /// Only markets with at least this many homes with an asking price
    #[arg(long, value_name = "N", default_value_t = 0, value_parser = clap::value_parser!(i64).range(0..))]
    pub(crate) min_homes: i64,
    /// Sort by this figure, named as in --csv, ascending; unknown values last [default: active, descending]
    #[arg(long, value_name = "FIGURE", value_parser = figure)]
    pub(crate) sort: Option<SortBy>,
    /// Show the change since this many days before; --sort then also takes active_change, median_price_change and
    /// mix_adjusted_change [default for these: 28]
    #[arg(long, value_name = "DAYS", value_parser = clap::value_parser!(i32).range(1..=365))]
    pub(crate) change: Option<i32>,
    /// Sort descending
    #[arg(long, requires = "sort")]
    pub(crate) desc: bool,
}

fn level(text: &str) -> Result<WideLevel, String> {
    let known = WideLevel::ALL.into_iter().find(|level| level.as_str() == text);
    known.ok_or_else(|| format!("accepted: {}", WideLevel::ALL.map(WideLevel::as_str).join(", ")))
}

/// The figure of this name in CSV.
pub(crate) fn figure(name: &str) -> Result<SortBy, String> {
    SortBy::named(name).ok_or_else(|| format!("accepted: {}", SortBy::names()))
}

impl WantedMarkets {
    /// The days of the change to show, if one is wanted.
    pub(crate) fn change_days(&self) -> Option<i32> {
        self.change.or_else(|| self.sort.is_some_and(SortBy::is_change).then_some(SortBy::CHANGE_DAYS))
    }
}
