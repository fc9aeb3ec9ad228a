//! What homes like a home ask: its kind in its market, and in the county around.

use serde::Serialize;
use stoop_market::{Cell, KindMedian, KindPrices, LogEstimate, Segment, between_variance};

/// What homes of one kind ask per area: property type and number of bedrooms.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct ComparableView {
    /// The kind: `Condominium, 2 bedrooms`.
    pub kind: String,
    /// The same for people.
    #[serde(skip)]
    pub words: String,
    /// The number of other homes of the kind in its market, with price and living area.
    pub homes: i64,
    /// The area around whose homes of the kind are compared as well, less where those of the market are many; `None` if
    /// there is none.
    pub around: Option<String>,
    /// Their number, with those of the market.
    pub homes_around: i64,
    /// What they ask per square metre, in minor units.
    #[serde(skip)]
    pub per_m2: f64,
}

/// The list prices per area, by kind of home, of a market and of the area around it.
#[derive(Clone, Debug, Default)]
pub struct Comparables {
    market: KindPrices,
    /// With its path.
    around: Option<(String, KindPrices)>,
    /// The kinds with a median in both, in order: that of the market, and that around.
    pairs: Vec<(Cell, LogEstimate, LogEstimate)>,
}

/// The standard deviation, between the markets of a county, of the level of their prices: 30 %.
const OF_MARKETS: f64 = 0.3;

/// A kind with fewer homes around says nothing without others.
const LEAST: i64 = 6;

impl Comparables {
    /// Of a market, and of the area around it with its path.
    #[must_use]
    pub fn new(market: KindPrices, around: Option<(String, KindPrices)>) -> Self {
        let pair = |kind: Cell, around: &KindPrices| {
            Some((kind, market.median(kind)?.estimate()?, around.median(kind)?.estimate()?))
        };
        let around_it = around.as_ref().map(|(_, prices)| prices);
        let pairs = around_it.map(|around| market.kinds().filter_map(|kind| pair(kind, around)).collect());
        let pairs = pairs.unwrap_or_default();
        Self { market, around, pairs }
    }

    /// What homes like one of this kind ask per square metre; `own` is what it asks itself, if it is on offer and counted
    /// among them. `None` if its kind is not known, or if too few homes are like it.
    ///
    /// The median of the kind in the market, without the home itself, is pooled with the median of the kind around, which is
    /// first raised or lowered as the market's other kinds differ from those around.
    #[must_use]
    pub fn like(&self, kind: Cell, own: Option<f64>) -> Option<ComparableView> {
        if kind.property_type.is_none() || kind.bedrooms.is_none() {
            return None;
        }
        let here = match own {
            Some(own) => self.market.median_without(kind, own),
            None => self.market.median(kind),
        };
        let homes = here.map_or(0, |median| median.homes);
        let around = self.around.as_ref().and_then(|(path, prices)| {
            let median = prices.median(kind).filter(|median| median.homes >= LEAST)?;
            Some((path, median.homes, median.estimate()?))
        });
        let here = here.and_then(KindMedian::estimate);
        let (estimate, around) = match (here, around) {
            (here, Some((path, homes_around, median))) => {
                let (shift, between) = self.shift(kind);
                let around = LogEstimate { log: median.log + shift.log, variance: median.variance + shift.variance };
                let pooled = here.map_or_else(|| around.as_of_a_part(between), |here| here.pooled(around, between).0);
                (pooled, Some((path.clone(), homes_around)))
            }
            (Some(here), None) if homes >= LEAST => (here, None),
            _ => return None,
        };
        Some(ComparableView {
            kind: Segment::Cell(kind).label(),
            words: Segment::Cell(kind).words(),
            homes,
            homes_around: around.as_ref().map_or(0, |(_, homes)| *homes),
            around: around.map(|(path, _)| path),
            per_m2: estimate.value(),
        })
    }

    /// How much more the market's homes of other kinds ask than those around, on the scale of logarithms, and the variance of
    /// that between kinds.
    fn shift(&self, kind: Cell) -> (LogEstimate, f64) {
        let others = self.pairs.iter().filter(|(other, ..)| *other != kind);
        let pairs: Vec<(LogEstimate, LogEstimate)> = others.map(|(_, own, around)| (*own, *around)).collect();
        // Precise medians weigh more; with none of them, the shift is 0 and as uncertain as markets differ.
        let between = between_variance(std::iter::empty());
        let prior = 1.0 / (OF_MARKETS * OF_MARKETS);
        let (weights, sum) = pairs.iter().fold((prior, 0.0), |(weights, sum), (own, around)| {
            let weight = 1.0 / (own.variance + around.variance + between);
            (weights + weight, sum + weight * (own.log - around.log))
        });
        let shift = LogEstimate { log: sum / weights, variance: 1.0 / weights };
        let shifted =
            |(own, around): &(LogEstimate, LogEstimate)| (*own, LogEstimate { log: around.log + shift.log, ..*around });
        (shift, between_variance(pairs.iter().map(shifted)))
    }
}

#[cfg(test)]
mod tests {
    use stoop_domain::{
        Address, Area, AreaUnit, Currency, Day, Facts, History, Listing, Minor, PropertyType, Purpose, Sighting, Time,
    };
    use stoop_market::{Cells, Zones, contribution};

    use super::*;

    /// The prices per square metre, in whole units, of homes of 100 square metres: a kind and what they ask.
    fn prices(kinds: &[(Cell, &[i64])]) -> KindPrices {
        let mut cells = Cells::default();
        for (kind, all) in kinds {
            for price in *all {
                let address =
                    Address { postal_code: Some("98178".into()), country: Some("US".into()), ..Address::default() };
                let mut listing = Listing::new(Purpose::Sale, Currency::USD, address);
                (listing.property_type, listing.bedrooms) = (kind.property_type, kind.bedrooms);
                listing.living_area = Some(Area::of(100, AreaUnit::SquareMeters));
                listing.list_price = Some(Minor(price * 100 * 100));
                let mut history = History::default();
                history.apply(Sighting::at(Time::default()), &Facts::of(&listing).unwrap(), None);
                let deltas = contribution(&history, &mut Zones::default()).into_deltas();
                deltas.iter().for_each(|(_, delta)| drop(cells.add(delta)));
            }
        }
        KindPrices::per_m2(&cells, Day(10))
    }

    const fn kind(bedrooms: u8) -> Cell {
        Cell { property_type: Some(PropertyType::Condominium), bedrooms: Some(bedrooms) }
    }

    /// What homes like one of this kind ask, in whole units.
    fn like(all: &Comparables, kind: Cell, own: Option<i64>) -> Option<f64> {
        all.like(kind, own.map(|own| own as f64 * 100.0)).map(|like| like.per_m2 / 100.0)
    }

    const MANY: [i64; 40] = [5_000; 40];

    #[test]
    fn homes_are_compared_with_their_kind_and_not_with_smaller_ones() {
        let one_bedroom = [9_000; 40];
        let all = Comparables::new(prices(&[(kind(1), &one_bedroom), (kind(6), &MANY)]), None);
        let near = |kind, want: f64| (like(&all, kind, None).unwrap() / want - 1.0).abs() < 0.002;
        assert!(near(kind(1), 9_000.0) && near(kind(6), 5_000.0));
        assert_eq!(like(&all, kind(3), None), None, "there is none like it");
        let unknown = Cell { bedrooms: None, ..kind(1) };
        assert_eq!(all.like(unknown, None), None);
    }

    #[test]
    fn a_home_is_not_compared_with_itself() {
        let dear = [5_000, 5_000, 5_000, 5_000, 5_000, 5_000, 20_000];
        let all = Comparables::new(prices(&[(kind(2), &dear)]), None);
        let found = all.like(kind(2), Some(2_000_000.0)).unwrap();
        assert_eq!((found.homes, found.homes_around, found.around), (6, 0, None));
        assert_eq!(all.like(kind(2), None).unwrap().homes, 7);
        let alone = Comparables::new(prices(&[(kind(2), &[5_000])]), None);
        assert_eq!(like(&alone, kind(2), Some(5_000)), None, "nothing is left");
    }

    /// The market asks a fifth more than the county, kind by kind.
    #[test]
    fn a_rare_kind_leans_on_the_county_raised_to_the_level_of_the_market() {
        let county = prices(&[(kind(1), &MANY), (kind(2), &MANY), (kind(3), &MANY), (kind(4), &MANY)]);
        let dearer = [6_000; 40];
        let market = prices(&[(kind(1), &dearer), (kind(2), &dearer), (kind(3), &dearer)]);
        let all = Comparables::new(market, Some(("county".into(), county)));
        let rare = like(&all, kind(4), None).unwrap();
        assert!((rare / 6_000.0 - 1.0).abs() < 0.03, "{rare}");
        let common = like(&all, kind(1), None).unwrap();
        assert!((common / 6_000.0 - 1.0).abs() < 0.01, "{common}");
        let found = all.like(kind(4), None).unwrap();
        assert_eq!((found.kind.as_str(), found.homes, found.homes_around), ("Condominium, 4 bedrooms", 0, 40));
    }
}
