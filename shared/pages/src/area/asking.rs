//! What is asked for the homes on offer: their number in each price band.

use maud::{Markup, html};
use stoop_domain::Minor;
use stoop_market::PriceRange;

use super::AreaPage;
use crate::chart::{Band, BandChart};
use crate::text;

/// About as many bands have round edges.
const BANDS: f64 = 12.0;
/// The share of homes on either side that may lie in an open band, so that a few prices far off do not widen all bands.
const OPEN_SHARE: f64 = 0.02;
/// The steps between edges, in powers of ten.
const STEPS: [i64; 3] = [1, 2, 5];

/// Round edges and the homes between them, in minor units.
#[derive(Debug, PartialEq)]
struct Bands {
    /// At least two, rising, at equal distances.
    edges: Vec<i64>,
    /// Homes between an edge and the next.
    homes: Vec<i64>,
    /// Homes below the first edge and from the last one on.
    below: i64,
    above: i64,
    /// Homes whose stored range of prices has an edge inside: they may belong to the band beside.
    unsure: i64,
}

pub(super) fn section(shown: &AreaPage<'_>) -> Markup {
    let market = shown.market;
    let money = |minor: i64| stoop_show::money(Minor(minor), market.currency);
    let Some(bands) = Bands::of(&market.asking_prices) else {
        return html! { section class="card" { h2 { "Asking prices" } p class="empty" { "No price is known." } } };
    };
    let figures = &market.figures;
    let price = |major: Option<f64>| text::price(major, market.currency);
    let summary = format!(
        "{} with a price. The median is {}, and the middle half ask {} to {}",
        text::plural(usize::try_from(figures.priced).unwrap_or_default(), "home"),
        price(figures.median_price),
        price(figures.p25_price),
        price(figures.p75_price)
    );
    let chart = BandChart {
        id: "asking",
        title: "Asking prices",
        summary,
        bands: rows(&bands, &money, |edge| Some(list_href(shown, edge))),
        edges: bands.edges.iter().map(|edge| money(*edge)).collect(),
        first_edge: usize::from(bands.below > 0),
        median: figures.median_price.map(|median| (bands.place(major_to_minor(median, shown)), price(Some(median)))),
    };
    html! {
        section class="card" {
            (chart.draw())
            p class="note" {
                "Homes without a price, or with a doubtful one, are not counted. "
                (exactness(&bands, &market.asking_prices))
            }
        }
    }
}

/// How exact the counts are: prices are stored as ranges.
fn exactness(bands: &Bands, prices: &[PriceRange]) -> String {
    let widest = stoop_show::percent(prices.iter().map(|range| range.to / range.from - 1.0).fold(0.0, f64::max));
    match bands.unsure {
        0 => "The counts are exact.".to_owned(),
        1 => format!("One home asks within {widest} of an edge, and may belong to the band beside it."),
        homes => {
            let homes = stoop_show::whole(homes);
            format!("{homes} homes ask within {widest} of an edge, and may belong to the band beside it.")
        }
    }
}

/// The list of homes up to a price, cheapest first.
fn list_href(shown: &AreaPage<'_>, edge: i64) -> String {
    let market = shown.market;
    let area = text::area_href(&shown.found.path, market.purpose, market.currency);
    let max = Minor(edge).major_f64(market.currency);
    format!("{area}&days={}&max_price={max}&sort=price#homes", shown.days)
}

fn major_to_minor(major: f64, shown: &AreaPage<'_>) -> f64 {
    major * 10_f64.powi(shown.market.currency.minor_digits().cast_signed())
}

fn rows(bands: &Bands, money: &dyn Fn(i64) -> String, href: impl Fn(i64) -> Option<String>) -> Vec<Band> {
    let ends = bands.edges.first().copied().zip(bands.edges.last().copied());
    let Some((first, last)) = ends else { return Vec::new() };
    let mut up_to = 0;
    let mut row = |name: String, homes: i64, edge: Option<i64>| {
        up_to += homes;
        Band { name, homes, up_to, href: edge.and_then(&href) }
    };
    let mut rows = Vec::new();
    if bands.below > 0 {
        rows.push(row(format!("below {}", money(first)), bands.below, Some(first)));
    }
    for (edges, homes) in bands.edges.windows(2).zip(&bands.homes) {
        rows.push(row(format!("{} to {}", money(edges[0]), money(edges[1])), *homes, Some(edges[1])));
    }
    if bands.above > 0 {
        rows.push(row(format!("{} or more", money(last)), bands.above, None));
    }
    rows
}

impl Bands {
    /// `None` without prices.
    fn of(prices: &[PriceRange]) -> Option<Self> {
        let all: i64 = prices.iter().map(|range| range.homes).sum();
        #[expect(clippy::cast_precision_loss, clippy::cast_possible_truncation, reason = "counts of homes")]
        let open = (all as f64 * OPEN_SHARE).floor() as i64;
        let low = price_after(prices.iter(), open)?;
        let high = price_after(prices.iter().rev(), open)?;
        let step = step(((high - low) / BANDS).max(high / 50.0));
        let (first, last) = (steps_in(low, step), steps_in(high, step) + 1);
        let edges: Vec<i64> = (first..=last).map(|n| n.saturating_mul(step)).collect();
        let mut bands = Self { homes: vec![0; edges.len() - 1], edges, below: 0, above: 0, unsure: 0 };
        for range in prices {
            *bands.slot(range.value) += range.homes;
            if bands.edges.iter().any(|edge| range.from < *edge as f64 && (*edge as f64) < range.to) {
                bands.unsure += range.homes;
            }
        }
        Some(bands)
    }

    fn slot(&mut self, price: f64) -> &mut i64 {
        let passed = self.edges.iter().take_while(|edge| **edge as f64 <= price).count();
        let last = self.homes.len();
        match passed.checked_sub(1) {
            None => &mut self.below,
            Some(at) if at == last => &mut self.above,
            Some(at) => &mut self.homes[at],
        }
    }

    /// Where a price lies between the first bar and the last, from 0 to 1.
    fn place(&self, price: f64) -> f64 {
        let (first, step) = (self.edges[0] as f64, (self.edges[1] - self.edges[0]) as f64);
        let open = |homes: i64| if homes > 0 { 1.0 } else { 0.0 };
        let bars = self.homes.len() as f64 + open(self.below) + open(self.above);
        (((price - first) / step + open(self.below)) / bars).clamp(0.0, 1.0)
    }
}

/// The price of the home after this many.
fn price_after<'r>(mut prices: impl Iterator<Item = &'r PriceRange>, many: i64) -> Option<f64> {
    let mut seen = 0;
    prices.find_map(|range| {
        seen += range.homes;
        (seen > many).then_some(range.value)
    })
}

/// The least round step of at least this width.
fn step(least: f64) -> i64 {
    let mut power = 1_i64;
    loop {
        let found = STEPS.into_iter().map(|step| step * power).find(|step| *step as f64 >= least);
        match (found, power.checked_mul(10)) {
            (Some(step), _) => return step,
            (None, Some(next)) if next < i64::MAX / 10 => power = next,
            (None, _) => return power,
        }
    }
}

#[expect(clippy::cast_possible_truncation, reason = "a whole number below the price")]
fn steps_in(price: f64, step: i64) -> i64 {
    (price / step as f64).floor() as i64
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use stoop_market::{Bucket, Histogram};

    use super::*;

    /// As a state stores these prices.
    fn stored(prices: &[i64]) -> Vec<PriceRange> {
        let mut histogram = Histogram::default();
        prices.iter().filter_map(|price| Bucket::of_whole(*price)).for_each(|bucket| histogram.add(bucket, 1));
        let range = |(bucket, homes): (Bucket, i64)| PriceRange {
            from: bucket.lower(),
            to: bucket.upper(),
            value: bucket.value(),
            homes,
        };
        histogram.buckets().map(range).collect()
    }

    #[test]
    fn bands_have_round_edges_and_a_price_far_off_has_an_open_one() {
        let mut prices: Vec<i64> = (0..100).map(|n| 20_050_000 + n * 300_000).collect();
        prices.push(9_000_000_000);
        let bands = Bands::of(&stored(&prices)).unwrap();
        assert_eq!(bands.edges, (4..=10).map(|n| n * 5_000_000).collect::<Vec<_>>());
        assert_eq!((bands.below, bands.above), (0, 1));
        assert_eq!(bands.homes, [17, 17, 16, 17, 17, 16]);
    }

    #[test]
    fn one_price_has_a_band_and_none_has_no_chart() {
        let bands = Bands::of(&stored(&[40_000_000])).unwrap();
        assert_eq!(bands.homes.iter().sum::<i64>(), 1);
        assert_eq!(Bands::of(&[]), None);
    }

    proptest! {
        #[test]
        fn every_home_is_in_a_band_and_only_those_beside_an_edge_may_be_in_the_wrong_one(
            prices in prop::collection::vec(100_i64..5_000_000_000, 1..300),
        ) {
            let bands = Bands::of(&stored(&prices)).unwrap();
            let counted = bands.homes.iter().sum::<i64>() + bands.below + bands.above;
            prop_assert_eq!(counted, prices.len() as i64);
            prop_assert!(bands.edges.len() <= 60, "{:?}", bands.edges);
            // The exact number below each edge, by a plain count.
            let mut below = bands.below;
            for (n, edge) in bands.edges.iter().enumerate() {
                let exact = prices.iter().filter(|price| *price < edge).count() as i64;
                prop_assert!((below - exact).abs() <= bands.unsure, "{below} below {edge}, exactly {exact}: {bands:?}");
                below += bands.homes.get(n).copied().unwrap_or_default();
            }
            let step = bands.edges[1] - bands.edges[0];
            prop_assert!(["1", "2", "5"].contains(&step.to_string().trim_end_matches('0')), "{step}");
        }

        #[test]
        fn a_place_lies_on_its_bar(prices in prop::collection::vec(100_i64..5_000_000_000, 1..300), at in 0.0..1.0) {
            let ranges = stored(&prices);
            let mut bands = Bands::of(&ranges).unwrap();
            let price = bands.edges[0] as f64 + at * (bands.edges.last().unwrap() - bands.edges[0]) as f64;
            let before = usize::from(bands.below > 0);
            let bars = bands.homes.len() + before + usize::from(bands.above > 0);
            let bar = ((bands.place(price) * bars as f64) as usize).checked_sub(before).unwrap();
            let expected: *const i64 = bands.slot(price);
            // Up to rounding at an edge.
            let beside = [bar, bar + 1, bar.saturating_sub(1)].map(|bar| bands.homes.get(bar).map(std::ptr::from_ref));
            prop_assert!(beside.contains(&Some(expected)), "{price} is on bar {bar} of {bands:?}");
        }
    }
}
