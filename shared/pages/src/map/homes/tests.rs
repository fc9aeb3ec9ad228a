use proptest::prelude::*;
use stoop_domain::{Address, Currency, Home, HomeId, Listing, Minor, Observation, Purpose};

use super::*;
use crate::map::projection::{HEIGHT, WIDTH};

fn day(day: i64) -> Time {
    Time::from_ms(1_767_225_600_000 + day * Time::DAY_MS)
}

/// A home in Chicago that was seen at these days and prices.
fn home(n: usize, coordinates: Option<(i32, i32)>, seen: &[(i64, i64)]) -> HomeSummary {
    home_in("60601", n, coordinates, seen)
}

fn home_in(postal_code: &str, n: usize, coordinates: Option<(i32, i32)>, seen: &[(i64, i64)]) -> HomeSummary {
    let mut home = Home::default();
    for (at, price) in seen {
        let mut listing = Listing::new(
            Purpose::Sale,
            Currency::USD,
            Address {
                country: Some("US".to_owned()),
                postal_code: Some(postal_code.to_owned()),
                line: Some(format!("{n} <Main> St")),
                latitude_e6: coordinates.map(|(latitude, _)| latitude),
                longitude_e6: coordinates.map(|(_, longitude)| longitude),
                ..Address::default()
            },
        );
        listing.list_price = Some(Minor(price * 100));
        home.apply(&Observation::new("made", n.to_string(), day(*at), listing));
    }
    HomeSummary::of(HomeId(format!("made/{n}").into()), &home, day(40), None).unwrap()
}

fn chicago() -> Option<Bounds> {
    super::super::land::around("us/il/cook/chicago").map(|outline| outline.bounds)
}

#[test]
fn a_home_is_a_link_at_its_place_with_its_words() {
    let homes = [
        home(1, Some((41_880_000, -87_630_000)), &[(0, 400_000), (30, 380_000)]),
        home(2, Some((41_900_000, -87_640_000)), &[(0, 500_000), (2, 450_000)]),
        home(3, Some((41_900_000, -87_650_000)), &[(0, 500_000), (30, 550_000)]),
    ];
    let located = LocatedHomes::of(&homes, chicago(), day(40));
    assert_eq!((located.points.len(), located.cut(), located.without, located.elsewhere), (3, 1, 0, 0));
    let projection = Projection::fit(Bounds::around(located.points.iter().map(|point| point.at)).unwrap());
    let page = located.draw(&projection).into_string();
    let (x, y) = projection.place((-87.63, 41.88));
    let expected = format!(
        "<a href=\"/homes/made/1\" class=\"cut\" tabindex=\"-1\"><title>1 &lt;Main&gt; St, $380,000, −5.0 % on \
         2026-01-31</title><path d=\"M{x:.1} {y:.1}h0.01\"></path></a>"
    );
    assert!(page.ends_with(&expected), "{page}");
    // An older cut, and a rise.
    assert!(
        page.contains("$450,000, −10.0 % on 2026-01-03") && page.contains("$550,000, +10.0 % on 2026-01-31"),
        "{page}"
    );
    assert_eq!(page.matches("<a ").count(), 3, "{page}");
}

#[test]
fn homes_without_coordinates_and_homes_elsewhere_are_counted() {
    let at = |coordinates| home(1, coordinates, &[(0, 400_000)]);
    let nowhere = [None, Some((0, 0)), Some((30_260_000, -97_740_000)), Some((95_000_000, -87_630_000))].map(at);
    let located = LocatedHomes::of(&nowhere, chicago(), day(40));
    assert_eq!((located.points.len(), located.without, located.elsewhere), (0, 2, 2));
    // Without an outline nothing says where an area ends.
    assert_eq!(LocatedHomes::of(&nowhere, None, day(40)).points.len(), 2);
}

#[test]
fn many_homes_are_counted_in_squares() {
    let place = |n: usize| (41_700_000 + (n * 7_919 % 200_000) as i32, -87_800_000 + (n * 104_729 % 200_000) as i32);
    let homes: Vec<HomeSummary> = (0..=POINTS_MAX).map(|n| home(n, Some(place(n)), &[(0, 400_000)])).collect();
    let points = LocatedHomes::of(&homes[1..], chicago(), day(40));
    let all = LocatedHomes::of(&homes, chicago(), day(40));
    assert!(!points.are_many() && all.are_many());
    let projection = Projection::fit(Bounds::around(all.points.iter().map(|point| point.at)).unwrap());
    let page = all.draw(&projection).into_string();
    assert!(!page.contains("<a "), "{page}");
    let counted: usize =
        page.split("<title>").skip(1).filter_map(|title| title.split(' ').next()?.parse::<usize>().ok()).sum();
    assert_eq!(counted, homes.len());
}

#[test]
fn shades_have_the_limits_that_the_keys_name() {
    assert_eq!([1, 2, 3, 9, 10, 49, 50, 5_000].map(shade), [0, 0, 1, 1, 2, 2, 3, 3]);
    let many = LocatedHomes { points: Vec::new(), ..LocatedHomes::default() };
    assert!(many.keys().into_string().contains("Cut in the last 28 days"));
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(16))]
    #[test]
    fn every_home_is_counted_once_and_drawn_on_the_map(
        places in prop::collection::vec(prop::option::of((30_000_000..50_000_000, -90_000_000..-80_000_000)), 1..40),
    ) {
        let homes: Vec<HomeSummary> =
            places.iter().enumerate().map(|(n, place)| home(n, *place, &[(0, 400_000)])).collect();
        let located = LocatedHomes::of(&homes, chicago(), day(40));
        prop_assert_eq!(located.points.len() + located.without + located.elsewhere, homes.len());
        let Some(bounds) = Bounds::around(located.points.iter().map(|point| point.at)) else { return Ok(()) };
        let projection = Projection::fit(bounds);
        let page = located.draw(&projection).into_string();
        let drawn: Vec<(f64, f64)> = page
            .split(" d=\"M")
            .skip(1)
            .filter_map(|d| d.split_once('h')?.0.split_once(' '))
            .map(|(x, y)| (x.parse().unwrap(), y.parse().unwrap()))
            .collect();
        prop_assert_eq!(drawn.len(), located.points.len());
        prop_assert!(drawn.iter().all(|(x, y)| (0.0..=WIDTH).contains(x) && (0.0..=HEIGHT).contains(y)), "{drawn:?}");
    }
}

#[test]
fn areas_are_named_above_their_homes() {
    let at = |latitude, longitude| Some((latitude, longitude));
    let homes = [
        home_in("60601", 1, at(41_880_000, -87_620_000), &[(0, 400_000)]),
        home_in("60601", 2, at(41_890_000, -87_640_000), &[(0, 400_000)]),
        home_in("60610", 3, at(41_900_000, -87_630_000), &[(0, 400_000)]),
    ];
    let located = LocatedHomes::of(&homes, chicago(), day(1));
    let projection = Projection::fit(Bounds::around(located.points.iter().map(|point| point.at)).unwrap());
    let names = |area| {
        let labels = located.areas(area, &projection).into_iter();
        labels.map(|label| (label.name, label.x.round(), label.y.round())).collect::<Vec<_>>()
    };
    let (first, second) = (projection.place((-87.63, 41.89)), projection.place((-87.63, 41.9)));
    let above = |(x, y): (f64, f64)| (x.round(), (y - ABOVE).max(ABOVE).round());
    let expected = [("60601", above(first)), ("60610", above(second))].map(|(name, (x, y))| (name.to_owned(), x, y));
    assert_eq!(names("us/il/cook/chicago"), expected);
    // One name says nothing.
    assert!(names("us/il/cook").is_empty() && names("us/il/cook/chicago/60601").is_empty());
}
