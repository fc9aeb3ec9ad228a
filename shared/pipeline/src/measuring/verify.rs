//! Recomputes the state from the observations alone, for comparison with the stored one.

use std::collections::BTreeMap;

use rustc_hash::FxHashMap;
use stoop_domain::{Alert, Home, HomeId, Market, Observation, home_id};
use stoop_market::{Cells, Horizon, Zones, contribution};
use stoop_rules::Rules;
use stoop_wire::home_to_bytes;

use crate::measuring::measure::offered_until;
use crate::ports::Change;

/// Homes and markets recomputed from observations. Memory grows with homes and markets, not with rows.
#[derive(Default)]
pub struct Recomputation {
    homes: FxHashMap<HomeId, Home>,
    observations: u64,
}

/// The markets of a recomputation.
pub struct RecomputedMarkets {
    markets: BTreeMap<Market, Cells>,
}

impl Recomputation {
    /// Adds an observation, in any order.
    pub fn add(&mut self, observation: &Observation) {
        self.observations += 1;
        self.homes.entry(home_id(observation)).or_default().apply(observation);
    }

    /// How many observations were added.
    #[must_use]
    pub fn observations(&self) -> u64 {
        self.observations
    }

    /// How many homes they belong to.
    #[must_use]
    pub fn homes(&self) -> usize {
        self.homes.len()
    }

    /// The state of every market, from every home's contribution.
    #[must_use]
    pub fn markets(&self) -> RecomputedMarkets {
        let mut zones = Zones::default();
        let mut markets: BTreeMap<Market, Cells> = BTreeMap::new();
        for home in self.homes.values() {
            for (market, delta) in contribution(&home.history, &mut zones).into_deltas() {
                markets.entry(market).or_default().add(&delta);
            }
        }
        RecomputedMarkets { markets }
    }

    /// Compares a stored home, and removes it from the comparison.
    ///
    /// # Errors
    ///
    /// It differs or has no observation; in words.
    pub fn check_home(&mut self, id: &HomeId, stored: &Home) -> Result<(), String> {
        match self.homes.remove(id) {
            None => Err(format!("home {id} is stored, but no observation of it is")),
            Some(home) => check_home(id, stored, &home),
        }
    }

    /// Checks that no home is left that the store should have.
    ///
    /// # Errors
    ///
    /// One is left; in words, naming the first.
    pub fn check_no_home_left(&self) -> Result<(), String> {
        match self.homes.keys().min() {
            Some(id) => Err(format!("home {id} has observations, but is not stored")),
            None => Ok(()),
        }
    }
}

impl RecomputedMarkets {
    /// Compares a stored market and its archive, and removes it from the comparison. The recomputed one is folded as
    /// far as the stored one: folding is linear, and what it removes is compared with the archive, so that nothing is
    /// hidden.
    ///
    /// # Errors
    ///
    /// In words, naming the first coordinate that differs.
    pub fn check(&mut self, market: &Market, stored: &Cells, archive: &Cells) -> Result<(), String> {
        check_market(market, stored, archive, self.markets.remove(market).unwrap_or_default())
    }

    /// Checks that no market is left that the store should have.
    ///
    /// # Errors
    ///
    /// One is left; in words, naming the first.
    pub fn check_none_left(&self) -> Result<(), String> {
        match self.markets.iter().find(|(_, cells)| !cells.is_empty()) {
            Some((market, _)) => Err(format!("market {market} has homes, but is not stored")),
            None => Ok(()),
        }
    }
}

/// Compares a stored home with a recomputed one.
///
/// # Errors
///
/// They differ; in words.
pub fn check_home(id: &HomeId, stored: &Home, recomputed: &Home) -> Result<(), String> {
    if stored.history != recomputed.history {
        let show =
            |home: &Home| format!("{} intervals, {} spans", home.history.intervals().len(), home.history.spans().len());
        return Err(format!(
            "the history of home {id} differs: stored {}, recomputed {}",
            show(stored),
            show(recomputed)
        ));
    }
    if stored.attributes != recomputed.attributes {
        let (stored, recomputed) = (&stored.attributes, &recomputed.attributes);
        return Err(format!("the attributes of home {id} differ: stored {stored:?}, recomputed {recomputed:?}"));
    }
    if stored.reported != recomputed.reported {
        let (stored, recomputed) = (&stored.reported, &recomputed.reported);
        return Err(format!("the reported changes of home {id} differ: stored {stored:?}, recomputed {recomputed:?}"));
    }
    Ok(())
}

/// Compares a stored market and its archive with the sum of its homes' contributions. That sum is folded as far as the
/// stored state is: folding is linear, and what it removes is compared with the archive, so that nothing is hidden.
///
/// # Errors
///
/// In words, naming the first coordinate that differs.
pub fn check_market(market: &Market, stored: &Cells, archive: &Cells, mut sum: Cells) -> Result<(), String> {
    let leaving = stored.horizon().map(|horizon| sum.fold_to(horizon)).unwrap_or_default();
    if let Some(difference) = stored.first_difference(&sum) {
        return Err(format!("market {market} differs (stored, recomputed): {difference}"));
    }
    match archive.first_difference(&leaving) {
        Some(difference) => Err(format!("the archive of market {market} differs (stored, recomputed): {difference}")),
        None => Ok(()),
    }
}

/// How far a home has its markets folded: each market in which it was on offer.
pub fn horizons(home: &Home, zones: &mut Zones) -> Vec<(Market, Horizon)> {
    let offered = offered_until(&home.history).into_iter();
    offered
        .map(|(market, until)| {
            let horizon = Horizon::of(until.day_in(zones.of(&market)));
            (market, horizon)
        })
        .collect()
}

/// Checks an alert against the observations of its home, in the order in which they were processed, as in the lake:
/// after one of them it must have applied exactly as recorded. A lake on AWS does not fully keep that order (ADR 0041),
/// so an alert that applied in the order of the sightings is right as well.
///
/// # Errors
///
/// It never applied; in words.
pub fn check_alert(alert: &Alert, rules: &Rules, observations: &[Observation]) -> Result<(), String> {
    let as_kept = applied(alert, rules, observations.iter());
    if as_kept.is_err() {
        let mut seen: Vec<&Observation> = observations.iter().collect();
        seen.sort_by_key(|observation| (observation.seen, observation.at, observation.seq));
        if applied(alert, rules, seen.into_iter()).is_ok() {
            return Ok(());
        }
    }
    as_kept
}

/// Whether an alert applied after one of the observations, in their order.
fn applied<'o>(
    alert: &Alert,
    rules: &Rules,
    observations: impl Iterator<Item = &'o Observation>,
) -> Result<(), String> {
    let mut home = Home::default();
    let mut nearest = None;
    for observation in observations {
        home.apply(observation);
        for standing in rules.standing(&alert.home, &home) {
            if standing == (Alert { withdrawn: None, ..alert.clone() }) {
                return Ok(());
            }
            if standing.id == alert.id {
                nearest = Some(standing);
            }
        }
    }
    let Alert { id, home, .. } = alert;
    Err(match nearest {
        None => format!("the alert {id} of home {home} follows from no observations by the rules it was judged by"),
        Some(recomputed) => {
            format!("the alert {id} of home {home} differs: stored {alert:?}, recomputed {recomputed:?}")
        }
    })
}

/// Checks the changes of one home on the change feed, in their order, against its observations, in the order in which
/// they were processed: the images of the changes are the home after some of them, one after the other.
///
/// # Errors
///
/// In words, with the position in the feed of the first change that is wrong.
pub fn check_changes(changes: &[(i64, Change)], observations: &[Observation]) -> Result<(), String> {
    let mut images = vec![home_to_bytes(&Home::default())];
    let mut home = Home::default();
    for observation in observations {
        home.apply(observation);
        images.push(home_to_bytes(&home));
    }
    // The index of the image equal to `image`, not before `from`.
    let find = |image: &Home, from: usize| {
        let image = home_to_bytes(image);
        images.iter().skip(from).position(|known| *known == image).map(|address| address + from)
    };
    let mut after = 0;
    for (address, Change { home: id, old, new }) in changes {
        let refused = |which| {
            format!("the change {address} of home {id} on the change feed: its {which} image is of no such moment")
        };
        let before = match old {
            Some(old) => find(old, after),
            // A new home has only its first change as new.
            None => (after == 0).then_some(0),
        };
        let before = before.ok_or_else(|| refused("old"))?;
        after = find(new, before + 1).ok_or_else(|| refused("new"))?;
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use stoop_domain::{Address, Currency, Listing, Minor, Purpose, Time};

    use super::*;

    fn asks(at_day: i64, seen_day: i64, price: i64) -> Observation {
        let address = Address { city: Some("Agadir".into()), country: Some("MA".into()), ..Address::default() };
        let mut listing = Listing::new(Purpose::Sale, Currency::MAD, address);
        listing.list_price = Some(Minor(price * 100));
        let at = |day: i64| Time::from_ms(1_768_392_000_000).plus_ms(day * Time::DAY_MS);
        let mut seen = Observation::new("avito", "1", at(at_day), listing);
        (seen.seen, seen.versioned) = (at(seen_day), true);
        seen
    }

    #[test]
    fn an_alert_is_right_in_the_order_of_the_lake_or_of_the_sightings_only() {
        let rules = Rules::default();
        let [first, cut, late] = [asks(1, 1, 700_000), asks(3, 3, 500_000), asks(2, 4, 900_000)];
        let reported = |observations: &[&Observation]| {
            let mut home = Home::default();
            for observation in observations {
                home.apply(observation);
            }
            rules.standing(&home_id(&first), &home)
        };
        // Sent before the price in between was known.
        let alerts = reported(&[&first, &cut]);
        assert_eq!(alerts.len(), 1);
        assert_ne!(reported(&[&first, &late, &cut]), alerts);
        let all = [first.clone(), late.clone(), cut.clone()];
        assert_eq!(check_alert(&alerts[0], &rules, &[first.clone(), cut, late.clone()]), Ok(()));
        assert_eq!(check_alert(&alerts[0], &rules, &all), Ok(()), "Firehose brought the late one before");
        let other_cut = asks(3, 3, 510_000);
        check_alert(&alerts[0], &rules, &[first, other_cut, late]).unwrap_err();
    }
}
