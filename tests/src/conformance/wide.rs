use std::collections::{BTreeMap, BTreeSet};

use stoop_domain::{Day, Home, HomeId, Market, Observation, Time};
use stoop_market::{Cells, Figures, Segment, Zones, contribution};
use stoop_pipeline::ports::{RollUps, ShownWide, Store, StoredSum, WideAreas};
use stoop_pipeline::{AreaSum, Measurer, WideArea, WideLevel};

use crate::made;

/// The contract of [`WideAreas`], over a new store. `roll` rolls up what has changed, at a time.
pub async fn wide_areas_conformance(areas: &dyn WideAreas, store: &dyn Store, roll: impl AsyncFn(Time)) {
    let mut seen: Vec<Observation> = Vec::new();
    for (city, homes) in [("Agadir", 7), ("Rabat", 5), ("Tata", 3)] {
        seen.extend((0..homes).map(|home| made::observation_in(city, &format!("{city}{home}"), home, 800_000 + home)));
    }
    measure(store, &seen).await;
    let (now, all) = (made::minute(60), Sums::of(&seen));
    for area in all.areas() {
        if let Some(shown) = areas.wide(&area, all.markets(&area).len(), now).await.unwrap() {
            assert_eq!(
                (figures(&area, &shown, now), shown.rolled_up),
                (all.figures(&area, now), None),
                "not rolled up yet"
            );
        }
    }
    roll(now).await;
    for at in [now, now.plus_ms(2 * Time::DAY_MS)] {
        all_are_shown(areas, &all, at).await;
    }

    let changed =
        [made::observation_in("Agadir", "Agadir0", 120, 1), made::observation_in("Agadir", "new", 121, 900_000)];
    measure(store, &changed).await;
    seen.extend(changed);
    let (later, newer) = (made::minute(180), Sums::of(&seen));
    let [agadir, morocco] =
        [WideLevel::Region, WideLevel::Country].map(|level| WideArea::of(&made::market_in("Agadir"), level));
    for area in [&agadir, &morocco] {
        let markets = newer.markets(area).len();
        let shown = areas.wide(area, markets, later).await.unwrap().unwrap();
        let expected =
            if areas.may_lag() { (all.figures(area, later), Some(now)) } else { (newer.figures(area, later), None) };
        assert_eq!((figures(area, &shown, later), shown.rolled_up), expected, "{area}: behind, and says so; or not");
    }
    let rabat = WideArea::of(&made::market_in("Rabat"), WideLevel::Region);
    let shown = areas.wide(&rabat, 1, later).await.unwrap().unwrap();
    assert_eq!((figures(&rabat, &shown, later), shown.rolled_up), (newer.figures(&rabat, later), None), "unchanged");
    roll(later).await;
    all_are_shown(areas, &newer, later).await;
    if areas.may_lag() {
        let more = newer.markets(&morocco).len() + 1;
        assert_eq!(areas.wide(&morocco, more, later).await.unwrap(), None, "it has not all markets");
        assert_eq!(areas.now(&morocco, more, later).await.unwrap(), None);
    }
}

/// Asserts that every area is shown as the sum of its homes, alone and in a list.
async fn all_are_shown(areas: &dyn WideAreas, all: &Sums, now: Time) {
    for area in all.areas() {
        let markets = all.markets(&area).len();
        for (shown, what) in
            [(areas.wide(&area, markets, now).await, "whole"), (areas.now(&area, markets, now).await, "now")]
        {
            match shown.unwrap() {
                Some(shown) => {
                    let shown = (figures(&area, &shown, now), shown.rolled_up);
                    assert_eq!(shown, (all.figures(&area, now), None), "{area} {what}");
                }
                // Then its markets are added up.
                None => assert_eq!(area.level(), WideLevel::City, "{area} {what}"),
            }
        }
    }
    for level in WideLevel::ALL {
        let some: Vec<Market> = all.0.keys().cloned().collect();
        let expected: BTreeSet<WideArea> = some.iter().map(|market| WideArea::of(market, level)).collect();
        let mut listed = BTreeMap::new();
        let mut visits = 0;
        let visit = &mut |area: WideArea, shown: Option<ShownWide>| {
            visits += 1;
            let shown = shown.unwrap_or_else(|| panic!("{area} has no sum"));
            listed.insert(area.clone(), (figures(&area, &shown, now), shown.rolled_up));
        };
        areas.each(level, &some, now, visit).await.unwrap();
        assert_eq!(visits, expected.len(), "{level:?}: each once");
        let expected = expected.into_iter().map(|area| {
            let figures = all.figures(&area, now);
            (area, (figures, None))
        });
        assert_eq!(listed, expected.collect(), "{level:?}");
    }
    let one = made::market_in("Rabat");
    let mut listed = Vec::new();
    areas.each(WideLevel::City, std::slice::from_ref(&one), now, &mut |area, _| listed.push(area)).await.unwrap();
    assert_eq!(listed, [WideArea::of(&one, WideLevel::City)], "only those of these markets");
}

/// The contract of [`RollUps`], over a new store. `spoil` overwrites the stored bytes of an area's sum with others.
pub async fn roll_ups_conformance(areas: &dyn RollUps, store: &dyn Store, spoil: impl AsyncFn(&WideArea)) {
    a_market_is_changed_until_its_version_is_settled(areas, store).await;
    a_sum_is_replaced_only_if_it_is_the_one_that_was_read(areas, spoil).await;
}

async fn a_market_is_changed_until_its_version_is_settled(areas: &dyn RollUps, store: &dyn Store) {
    assert_eq!((areas.changed().await.unwrap(), areas.markets().await.unwrap()), (vec![], vec![]));
    let seen = |at| ["Agadir", "Rabat", "Tata"].map(|city| made::observation_in(city, city, at, 900_000 + at));
    measure(store, &seen(0)).await;
    let mut all = ["Agadir", "Rabat", "Tata"].map(made::market_in);
    all.sort_unstable();
    assert_eq!(areas.changed().await.unwrap(), all);
    assert_eq!(areas.markets().await.unwrap(), all);
    let sums = Sums::of(&seen(0));
    let read = areas.whole(&all, Day(0)).await.unwrap();
    for (market, whole) in all.iter().zip(&read) {
        let mut whole = whole.clone().unwrap();
        whole.state.merge(&whole.archive);
        // A state has a horizon, and a sum of homes has none.
        let [got, expected] = [&whole.state, &sums.0[market]].map(Cells::cells);
        assert_eq!(got, expected, "{market}");
    }
    let [market, ..] = &all;
    let version = read[0].as_ref().unwrap().version;
    for other in [version - 1, version + 1] {
        areas.settle(&[(market.clone(), other)]).await.unwrap();
        assert_eq!(areas.changed().await.unwrap(), all, "version {other} is not the stored one");
    }
    for _ in 0..2 {
        areas.settle(&[(market.clone(), version)]).await.unwrap();
        assert_eq!(areas.changed().await.unwrap(), all[1..], "once and once more");
    }
    measure(store, &seen(1)).await;
    assert_eq!(areas.changed().await.unwrap(), all, "it changed");
    let nowhere = made::market_in("Fes");
    let read = areas.whole(&[nowhere.clone(), market.clone()], Day(0)).await.unwrap();
    assert!(read[0].is_none() && read[1].as_ref().is_some_and(|whole| whole.version > version), "in their order");
    areas.settle(&[(nowhere, 1)]).await.unwrap();
    assert_eq!(areas.markets().await.unwrap(), all, "it is none by that");
}

async fn a_sum_is_replaced_only_if_it_is_the_one_that_was_read(areas: &dyn RollUps, spoil: impl AsyncFn(&WideArea)) {
    let [area, other] = ["Agadir", "Rabat"].map(|city| WideArea::of(&made::market_in(city), WideLevel::Region));
    let none = areas.sum(&area).await.unwrap();
    assert!(none.sum.is_none() && none.tag.is_none());
    let mut sum = AreaSum::default();
    sum.stamp(1);
    assert!(areas.put(&area, &sum, &none).await.unwrap());
    assert!(!areas.put(&area, &sum, &none).await.unwrap(), "somebody was faster");
    let read = areas.sum(&area).await.unwrap();
    assert_eq!(read.sum, Some(sum.clone()));
    sum.stamp(2);
    assert!(areas.put(&area, &sum, &read).await.unwrap());
    assert!(!areas.put(&area, &sum, &read).await.unwrap(), "it is another by now");
    assert_eq!(areas.sum(&area).await.unwrap().sum, Some(sum.clone()));
    let gone = StoredSum { tag: Some("\"0123456789abcdef\"".into()), ..read };
    assert!(!areas.put(&other, &sum, &gone).await.unwrap(), "it is not there");
    spoil(&area).await;
    let damaged = areas.sum(&area).await.unwrap();
    assert!(damaged.sum.is_none() && damaged.tag.is_some(), "it counts as missing");
    assert!(areas.put(&area, &sum, &damaged).await.unwrap(), "and may be replaced");
    assert_eq!(areas.sum(&area).await.unwrap().sum, Some(sum));
}

async fn measure(store: &dyn Store, observations: &[Observation]) {
    Measurer::new(store).measure(observations).await.unwrap();
}

fn figures(area: &WideArea, shown: &ShownWide, now: Time) -> Figures {
    shown.sum.figures(Segment::All, now, &area.country().zone)
}

/// What each market is the sum of, by these observations.
struct Sums(BTreeMap<Market, Cells>);

impl Sums {
    fn of(observations: &[Observation]) -> Self {
        let mut homes: BTreeMap<HomeId, Home> = BTreeMap::new();
        for observation in observations {
            homes.entry(stoop_domain::home_id(observation)).or_default().apply(observation);
        }
        let mut sums: BTreeMap<Market, Cells> = BTreeMap::new();
        for home in homes.values() {
            for (market, delta) in contribution(&home.history, &mut Zones::default()).into_deltas() {
                drop(sums.entry(market).or_default().add(&delta));
            }
        }
        Self(sums)
    }

    fn areas(&self) -> BTreeSet<WideArea> {
        let areas = |market| WideLevel::ALL.map(|level| WideArea::of(market, level));
        self.0.keys().flat_map(areas).collect()
    }

    fn markets(&self, area: &WideArea) -> Vec<&Cells> {
        let of_area = |(market, _): &(&Market, &Cells)| WideArea::of(market, area.level()) == *area;
        self.0.iter().filter(of_area).map(|(_, cells)| cells).collect()
    }

    fn figures(&self, area: &WideArea, now: Time) -> Figures {
        let mut sum = Cells::default();
        self.markets(area).into_iter().for_each(|cells| sum.merge(cells));
        Figures::of(&sum, Segment::All, now, &area.country().zone)
    }
}
