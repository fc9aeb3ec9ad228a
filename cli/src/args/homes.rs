use std::ops::RangeInclusive;

use clap::Args;
use clap::builder::{PossibleValue, PossibleValuesParser, TypedValueParser};
use stoop_domain::{PropertyType, Status};
use stoop_serve::{HomeSort, WantedHomes, bedrooms};

use super::{FormatArgs, lines};

#[derive(Args)]
pub(crate) struct HomesArgs {
    /// 98178, "king county", "austin tx" ... or a path like us/wa/king; append :sale, :rent or a currency like :USD
    pub(crate) area: String,
    #[command(flatten)]
    pub(crate) wanted: WantedArgs,
    /// At most this many lines
    #[arg(long, default_value_t = 40, value_parser = lines)]
    pub(crate) limit: usize,
    #[command(flatten)]
    pub(crate) format: FormatArgs,
}

#[derive(Args)]
pub(crate) struct DuplicatesArgs {
    /// 98178, "king county", "austin tx" ... or a path like us/wa/king; append :sale, :rent or a currency like :USD
    pub(crate) area: String,
    /// Also homes of which no listing is on offer
    #[arg(long)]
    pub(crate) all: bool,
    /// The pairs that may be of one home, instead of those that are
    #[arg(long)]
    pub(crate) doubtful: bool,
    /// At most this many homes or pairs
    #[arg(long, default_value_t = 40, value_parser = lines)]
    pub(crate) limit: usize,
    #[command(flatten)]
    pub(crate) format: FormatArgs,
}

/// Which homes are listed, and in what order.
#[derive(Args, Default)]
pub(crate) struct WantedArgs {
    /// Homes of every status, not only active ones
    #[arg(long)]
    pub(crate) all: bool,
    /// Only homes of these statuses, like Active,Pending
    #[arg(long, value_name = "STATUS,...", value_delimiter = ',', value_parser = status, conflicts_with = "all")]
    pub(crate) status: Vec<Status>,
    /// Only homes of these types, like Condominium,Townhouse
    #[arg(long = "type", value_name = "TYPE,...", value_delimiter = ',', value_parser = property_type)]
    pub(crate) types: Vec<PropertyType>,
    /// Only homes with this many bedrooms: 3, 2-4 or 3+
    #[arg(long, value_name = "N", value_parser = beds)]
    pub(crate) beds: Option<RangeInclusive<u8>>,
    /// Only homes with at least this asking price, in the currency's major unit
    #[arg(long, value_name = "AMOUNT", value_parser = amount)]
    pub(crate) min_price: Option<f64>,
    /// Only homes with at most this asking price
    #[arg(long, value_name = "AMOUNT", value_parser = amount)]
    pub(crate) max_price: Option<f64>,
    /// Sort by this, ascending; unknown values last [default: newest event first]
    #[arg(long, value_name = "BY", value_parser = sort())]
    pub(crate) sort: Option<HomeSort>,
    /// Sort descending
    #[arg(long, requires = "sort")]
    pub(crate) desc: bool,
}

impl WantedArgs {
    pub(crate) fn wanted(&self) -> WantedHomes {
        let statuses = match self.status.as_slice() {
            [] if self.all => None,
            [] => Some(vec![Status::Active]),
            some => Some(some.to_vec()),
        };
        WantedHomes {
            statuses,
            types: self.types.clone(),
            beds: self.beds.clone(),
            min_price: self.min_price,
            max_price: self.max_price,
            sort: self.sort.unwrap_or(HomeSort::Event),
            desc: self.desc || self.sort.is_none(),
        }
    }
}

/// The names of what homes are sorted by, with what they mean where that is not plain.
fn sort() -> impl TypedValueParser<Value = HomeSort> {
    let value = |sort: HomeSort| {
        let value = PossibleValue::new(sort.as_str());
        match sort {
            HomeSort::Price => value.help("Asking price"),
            HomeSort::PricePerArea => value.help("Asking price per square foot or metre"),
            HomeSort::VsMarket => value.help("Compared with the median of the home's own market"),
            HomeSort::Age => value.help("Days on the market"),
            HomeSort::Cut => value.help("The last price cut, as a share"),
            HomeSort::Event => value.help("Time of the last event"),
            HomeSort::Area => value.help("Living area"),
            HomeSort::Beds | HomeSort::Id => value,
        }
    };
    PossibleValuesParser::new(HomeSort::ALL.map(value)).try_map(|name| {
        HomeSort::ALL.into_iter().find(|sort| sort.as_str() == name).ok_or("not one of the accepted names")
    })
}

fn status(text: &str) -> Result<Status, String> {
    Status::parse(text).ok_or_else(|| format!("accepted: {}", Status::ALL.map(Status::as_str).join(", ")))
}

fn property_type(text: &str) -> Result<PropertyType, String> {
    PropertyType::parse(text)
        .ok_or_else(|| format!("accepted: {}", PropertyType::ALL.map(PropertyType::as_str).join(", ")))
}

fn beds(text: &str) -> Result<RangeInclusive<u8>, String> {
    bedrooms(text).ok_or_else(|| "accepted: a number like 3, two like 2-4, or 3+".to_owned())
}

fn amount(text: &str) -> Result<f64, String> {
    let digits = text.replace(['_', ','], "");
    let plain = digits.bytes().all(|b| b.is_ascii_digit() || b == b'.');
    let amount: Option<f64> = digits.parse().ok().filter(|amount: &f64| plain && amount.is_finite());
    amount.ok_or_else(|| "accepted: an amount like 350000, 350_000 or 1392.85".to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn amounts_are_plain_decimals() {
        assert_eq!(["350000", "350_000", "1,250,000", "1392.85"].map(|text| amount(text).unwrap())[3], 1392.85);
        for text in ["", "-1", "cheap", "1e400", "inf", "1.2.3"] {
            assert!(amount(text).is_err(), "{text}");
        }
    }
}
