//! Gross rental yields: what an area's homes for sale would earn at the rents asked for homes like them.

#[cfg(test)]
mod tests;

use serde::Serialize;
use stoop_domain::{Currency, Day, Market, Purpose};
use stoop_market::{Cell, Segment, Wide};

use super::area::wider;
use super::{AreaView, FiguresView, FoundArea, MarketView, SegmentView, find_area};

/// The fewest priced homes for sale, and for rent, whose medians are compared.
pub const YIELD_SAMPLE: i64 = 30;

/// The yield of one kind of home: a property type and number of bedrooms, or a whole area.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct YieldView {
    /// `Condominium, 2 bedrooms`; `all` for the whole area.
    pub label: String,
    /// The currency of both prices.
    pub currency: Currency,
    /// The path of the area from which both medians are: the area itself, or the first one around it with
    /// [`YIELD_SAMPLE`] priced homes of this kind on both sides. `None` for the whole area.
    pub matched_in: Option<String>,
    /// Priced homes for sale, there.
    pub sale_homes: i64,
    /// Priced homes for rent, there.
    pub rent_homes: i64,
    /// Median list price for sale.
    pub median_price: Option<f64>,
    /// Median rent of a month.
    pub median_rent: Option<f64>,
    /// Twelve months of rent as a share of the price, before all costs: 0.05 is 5 %.
    pub gross_yield: f64,
    /// The price in years of rent: the gross rent multiplier.
    pub price_to_rent: f64,
}

/// The gross yield of a whole wide area, matched within it alone, from the sums of its homes for sale and for rent in one
/// currency: the one that [`YieldSearch`] finds without a wider area, without the other figures. `None` if no kind has
/// [`YIELD_SAMPLE`] priced homes on both sides.
#[must_use]
pub fn own_yield(sale: &Wide, rent: &Wide, today: Day) -> Option<f64> {
    let kinds = sale.cells().into_iter().map(Segment::Cell).filter(|segment| is_known(*segment));
    let matched = kinds.filter_map(|segment| {
        let enough = |(homes, price): &(i64, f64)| *homes >= YIELD_SAMPLE && *price > 0.0;
        let (homes, price) = sale.median_price(segment, today).filter(enough)?;
        let (_, rent) = rent.median_price(segment, today).filter(enough)?;
        Some((homes, rounded(12.0 * rent.round() / price.round(), 10_000.0)))
    });
    weighted(matched)
}

/// The mean of the yields of kinds of homes, weighted by their numbers of homes for sale.
#[expect(clippy::cast_precision_loss, reason = "numbers of homes")]
fn weighted(kinds: impl Iterator<Item = (i64, f64)>) -> Option<f64> {
    let (homes, sum) = kinds.fold((0, 0.0), |(all, sum), (homes, of)| (all + homes, sum + homes as f64 * of));
    (homes > 0 && sum > 0.0).then(|| rounded(sum / homes as f64, 10_000.0))
}

/// Whether a kind of home is of known type and number of bedrooms.
fn is_known(segment: Segment) -> bool {
    matches!(segment, Segment::Cell(Cell { property_type: Some(_), bedrooms: Some(_) }))
}

/// Finds the yields of an area: says which areas to read until each kind of its homes for sale is matched, or no area
/// around it is left.
#[derive(Debug)]
pub struct YieldSearch<'k> {
    /// All markets, in order.
    known: &'k [Market],
    levels: Vec<AreaView>,
    /// The paths of the areas that may be read, narrowest first.
    paths: std::vec::IntoIter<String>,
    /// The markets of the last area that is read.
    markets: usize,
}

impl<'k> YieldSearch<'k> {
    /// The search for an area with this view, among all known markets.
    #[must_use]
    pub fn of(area: &AreaView, known: &'k [Market]) -> Self {
        let has_sales = area.markets.iter().any(|market| market.purpose == "sale" && market.figures.priced > 0);
        // A query such as `98178:sale` leaves out the rents.
        let has_rents = area.markets.iter().any(|market| market.purpose == "rent");
        let own = (!has_rents).then_some(area.path.as_str());
        let paths = own.into_iter().chain(wider(&area.path)).map(str::to_owned);
        let paths: Vec<String> = if has_sales { paths.collect() } else { Vec::new() };
        let markets = if has_rents { area.consists_of.len() } else { 0 };
        Self { known, levels: vec![area.clone()], paths: paths.into_iter(), markets }
    }

    /// The next area to read and to [add](YieldSearch::add), at the time of the first; `None` if there are enough.
    /// Areas without homes for rent, or without more of them than the last one, are left out.
    pub fn wanted(&mut self) -> Option<FoundArea> {
        if !needs_wider(&self.levels) {
            return None;
        }
        let currencies: Vec<Currency> = sales(&self.levels).map(|market| market.currency).collect();
        for path in self.paths.by_ref() {
            let Ok(found) = find_area(&format!("{path}/"), self.known) else { continue };
            let of_terms = |market: &&Market| currencies.contains(&market.currency);
            let has_rents = found.markets.iter().filter(of_terms).any(|market| market.purpose == Purpose::Rent);
            if has_rents && found.markets.len() > self.markets {
                self.markets = found.markets.len();
                return Some(found);
            }
        }
        None
    }

    /// Adds the view of the area that was wanted.
    pub fn add(&mut self, view: AreaView) {
        self.levels.push(view);
    }

    /// The yields, as far as the areas that were read have them.
    #[must_use]
    pub fn yields(&self) -> Vec<YieldView> {
        yields(&self.levels)
    }
}

/// The yields of an area, by currency, kinds of homes in the order of the area's view. `levels` are the area and the
/// areas around it, narrowest first.
///
/// The yield of the whole area is the mean over its kinds that could be matched, weighted by their priced homes for
/// sale in the area; its samples are those homes and all homes for rent that were matched.
fn yields(levels: &[AreaView]) -> Vec<YieldView> {
    let mut all = Vec::new();
    for sale in sales(levels) {
        let matched: Vec<(i64, YieldView)> = kinds(sale)
            .filter_map(|kind| Some((kind.figures.priced, matched(levels, kind.segment, sale.currency)?)))
            .collect();
        all.extend(whole(&matched, sale.currency));
        all.extend(matched.into_iter().map(|(_, kind)| kind));
    }
    all
}

/// Whether a kind of home could not be matched in these areas, so that a wider one may have it.
fn needs_wider(levels: &[AreaView]) -> bool {
    let is_unmatched =
        |sale: &MarketView| kinds(sale).any(|kind| matched(levels, kind.segment, sale.currency).is_none());
    sales(levels).any(is_unmatched)
}

/// The homes for sale of the narrowest area.
fn sales(levels: &[AreaView]) -> impl Iterator<Item = &MarketView> {
    levels.first().into_iter().flat_map(|area| &area.markets).filter(|market| market.purpose == "sale")
}

/// The kinds of homes with a price, of known type and number of bedrooms.
fn kinds(market: &MarketView) -> impl Iterator<Item = &SegmentView> {
    market.cells.iter().filter(move |kind| kind.figures.priced > 0 && is_known(kind.segment))
}

/// The yield of a kind in the first level with enough homes on both sides.
fn matched(levels: &[AreaView], segment: Segment, currency: Currency) -> Option<YieldView> {
    levels.iter().find_map(|level| {
        let median = |purpose: &str| {
            let of_terms = |market: &&MarketView| market.purpose == purpose && market.currency == currency;
            let kinds = &level.markets.iter().find(of_terms)?.cells;
            let FiguresView { priced, median_price, .. } = &kinds.iter().find(|kind| kind.segment == segment)?.figures;
            let median = median_price.filter(|price| *priced >= YIELD_SAMPLE && *price > 0.0)?;
            Some((*priced, median))
        };
        let ((sale_homes, price), (rent_homes, rent)) = (median("sale")?, median("rent")?);
        Some(YieldView {
            label: segment.label(),
            currency,
            matched_in: Some(level.path.clone()),
            sale_homes,
            rent_homes,
            median_price: Some(price),
            median_rent: Some(rent),
            gross_yield: rounded(12.0 * rent / price, 10_000.0),
            price_to_rent: rounded(price / (12.0 * rent), 100.0),
        })
    })
}

fn whole(kinds: &[(i64, YieldView)], currency: Currency) -> Option<YieldView> {
    let gross_yield = weighted(kinds.iter().map(|(homes, kind)| (*homes, kind.gross_yield)))?;
    Some(YieldView {
        label: "all".to_owned(),
        currency,
        matched_in: None,
        sale_homes: kinds.iter().map(|(homes, _)| homes).sum(),
        rent_homes: kinds.iter().map(|(_, kind)| kind.rent_homes).sum(),
        median_price: None,
        median_rent: None,
        gross_yield,
        price_to_rent: rounded(1.0 / gross_yield, 100.0),
    })
}

fn rounded(value: f64, parts: f64) -> f64 {
    (value * parts).round() / parts
}
