//! What asking prices around a home did while it was on offer.

use stoop_domain::{Day, Market, Time};
use stoop_market::WIDE_SERIES_DAYS;
use stoop_serve::{Allowance, AreaRequest, FoundArea, ReadError, Reader, area_name, areas_around};

use crate::chart::{Beside, Step};

/// The areas around a home's own that are asked for an index, narrowest first: its city, county and state, as a rule.
const LEVELS: usize = 3;

/// The mix-adjusted price index of an area around a home, from the first day on which the home had a price.
pub(super) struct Meanwhile {
    pub(super) area: String,
    /// At the end of each day on which the index is known: two or more.
    closes: Vec<(Time, f64)>,
}

impl Meanwhile {
    /// Of the narrowest area with an index; `None` if none has one on two of the days. `known` are all markets.
    pub(super) async fn of(
        reader: &Reader<'_>,
        known: &[Market],
        market: &Market,
        steps: &[Step],
        now: Time,
    ) -> Result<Option<Self>, ReadError> {
        let Some((first, last)) = steps.first().zip(steps.last()) else { return Ok(None) };
        let days = (now.ms() - first.from.ms()) / Time::DAY_MS + 2;
        let days = u16::try_from(days).unwrap_or(u16::MAX).min(WIDE_SERIES_DAYS);
        let mut allowance = Allowance::of_answer();
        for path in areas_around(market.area.as_str()).skip(1).take(LEVELS) {
            let is_part = |other: &&Market| {
                let rest = other.area.as_str().strip_prefix(path);
                (other.purpose, other.currency) == (market.purpose, market.currency)
                    && rest.is_some_and(|rest| rest.is_empty() || rest.starts_with('/'))
            };
            let markets = known.iter().filter(is_part).cloned().collect();
            let found = FoundArea { path: path.to_owned(), name: area_name(path), markets };
            let index = reader.price_index(&found, AreaRequest::at(now, days), &mut allowance).await?;
            let closes = index.into_iter().filter_map(|(day, index)| Some((end_of(day)?, index)));
            let closes: Vec<_> = closes.filter(|(at, _)| (first.from..=last.to).contains(at)).collect();
            if closes.len() >= 2 {
                return Ok(Some(Self { area: found.name, closes }));
            }
        }
        Ok(None)
    }

    /// The change of the index from the first day to the last: 0.1 is 10 % more.
    pub(super) fn change(&self) -> f64 {
        let (first, last) = (self.closes.first(), self.closes.last());
        first.zip(last).map_or(0.0, |((_, first), (_, last))| last / first - 1.0)
    }

    /// The first day.
    pub(super) fn since(&self) -> String {
        self.closes.first().map(|(at, _)| stoop_show::date(*at)).unwrap_or_default()
    }

    /// What changed.
    pub(super) fn definition(&self) -> String {
        format!("Asking prices of {} at a constant mix of types and bedrooms", self.area)
    }

    /// The price that the home would ask, had its price of the first day moved like the index. `None` if it had no price
    /// then.
    pub(super) fn of_price(&self, steps: &[Step]) -> Option<Beside> {
        let (since, first) = self.closes.first()?;
        let price = steps.iter().find(|step| (step.from..=step.to).contains(since))?.price?;
        let points = self.closes.iter().map(|(at, index)| (*at, price * index / first)).collect();
        Some(Beside { name: format!("Had it moved like {}", self.area), points })
    }
}

/// The end of a day in UTC, which is within half a day of its end where the area lies.
fn end_of(day: Day) -> Option<Time> {
    Time::parse(&format!("{day}T23:59:59Z")).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn step(from: &str, to: &str, price: Option<f64>) -> Step {
        let [from, to] = [from, to].map(|text| Time::parse_moment(text).unwrap());
        Step { from, to, price, words: "Active".to_owned() }
    }

    fn city(closes: &[(&str, f64)]) -> Meanwhile {
        let closes = closes.iter().map(|(day, index)| (end_of(Day::last_of(day).unwrap()).unwrap(), *index)).collect();
        Meanwhile { area: "Austin".to_owned(), closes }
    }

    #[test]
    fn the_price_of_the_first_day_moves_like_the_index() {
        let city = city(&[("2026-03-02", 80.0), ("2026-03-03", 78.0), ("2026-03-09", 76.0)]);
        let steps =
            [step("2026-03-01", "2026-03-05", Some(400_000.0)), step("2026-03-05", "2026-03-10", Some(300_000.0))];
        assert!((city.change() + 0.05).abs() < 1e-12);
        assert_eq!(city.since(), "2026-03-02");
        let beside = city.of_price(&steps).unwrap();
        let prices: Vec<f64> = beside.points.iter().map(|(_, price)| price.round()).collect();
        assert_eq!((&*beside.name, prices), ("Had it moved like Austin", vec![400_000.0, 390_000.0, 380_000.0]));
    }

    #[test]
    fn a_home_without_a_price_on_the_first_day_is_not_compared() {
        let city = city(&[("2026-03-02", 80.0), ("2026-03-03", 78.0)]);
        let without = [step("2026-03-01", "2026-03-05", None), step("2026-03-05", "2026-03-10", Some(300_000.0))];
        assert!(city.of_price(&without).is_none());
    }
}
