//! Attributes of a home other than its facts.

use proptest::prelude::*;
use stoop_domain::{Address, Applied, Currency, Home, Listing, Minor, Observation, Purpose, Status, Time, Watch};

use crate::support::sighting;

fn observation() -> impl Strategy<Value = Observation> {
    let address = prop_oneof![9 => Just(Some("Alfama")), 1 => Just(None)];
    let words = prop::option::of(prop::sample::select(vec!["a", "b", "c"]));
    let numbers = (prop::option::of(1_u16..4), prop::option::of(1900_i16..1903), prop::option::of(0_i32..3));
    (sighting(), address, words, numbers, 1_i64..3).prop_map(
        |(sighting, area, words, (baths, year, latitude), price)| {
            let address = Address {
                neighbourhood: area.map(Into::into),
                country: Some("PT".into()),
                line: words.map(str::to_uppercase),
                latitude_e6: latitude,
                longitude_e6: latitude.map(|it| it + 1),
                ..Address::default()
            };
            let mut listing = Listing::new(Purpose::Sale, Currency::EUR, address);
            listing.list_price = Some(Minor(price));
            listing.bathrooms_hundredths = baths;
            listing.year_built = year;
            listing.details.title = words.map(Into::into);
            Observation::new("t", "1", sighting.at, listing).with_sighting(sighting)
        },
    )
}

fn home(observations: &[Observation]) -> Home {
    let mut home = Home::default();
    for observation in observations {
        home.apply(observation);
    }
    home
}

proptest! {
    #[test]
    fn a_home_is_a_function_of_the_set_of_its_observations(
        (observations, shuffled) in prop::collection::vec(observation(), 1..16)
            .prop_flat_map(|all| (Just(all.clone()), Just([all.clone(), all].concat()).prop_shuffle())),
    ) {
        prop_assert_eq!(home(&observations), home(&shuffled));
    }

    #[test]
    fn only_observations_that_change_a_home_need_storing(observations in prop::collection::vec(observation(), 1..16)) {
        let mut home = Home::default();
        for observation in &observations {
            let before = home.clone();
            let applied = home.apply(observation);
            prop_assert_eq!(matches!(applied, Applied::Duplicate | Applied::Refused), home == before, "{:?}", applied);
            prop_assert_eq!(applied == Applied::Refused, observation.listing.address.neighbourhood.is_none());
        }
    }

    /// The latest value counts; an observation without the field does not change it.
    #[test]
    fn the_latest_value_counts(observations in prop::collection::vec(observation(), 1..16)) {
        let home = home(&observations);
        let counted = observations.iter().filter(|one| one.listing.address.neighbourhood.is_some());
        let titles = counted.filter_map(|one| Some((one.sighting(), one.listing.details.title.clone()?)));
        prop_assert_eq!(home.attributes.title, titles.max());
    }
}

/// A word that arrives late does not undo a newer one.
#[test]
fn the_newest_word_says_what_may_be_shown() {
    let seen = |day: i64, display: Option<bool>, display_address: Option<bool>| {
        let address = Address {
            country: Some("US".into()),
            postal_code: Some("60601".into()),
            line: Some("1 Main St".into()),
            latitude_e6: Some(1),
            longitude_e6: Some(2),
            ..Address::default()
        };
        let mut listing = Listing::new(Purpose::Sale, Currency::USD, address);
        listing.details.title = Some("Home".into());
        listing.details.url = Some("https://homes.example/1".into());
        (listing.display, listing.display_address) = (display, display_address);
        Observation::new("t", "1", Time::from_ms(day * Time::DAY_MS), listing)
    };
    let shown = |home: &Home| {
        let words = [home.line(), home.title(), home.url()].map(|word| word.is_some());
        assert!(words.iter().all(|is_shown| *is_shown == home.coordinates().is_some()), "{words:?}");
        (home.may_be_shown(), words[0])
    };
    assert_eq!(shown(&home(&[seen(1, None, None)])), (true, true), "nobody forbade it");
    assert_eq!(shown(&home(&[seen(1, Some(true), Some(false))])), (true, false));
    assert_eq!(shown(&home(&[seen(1, Some(false), Some(true))])), (false, false));
    let (yes, no) = (seen(1, Some(true), Some(true)), seen(5, Some(false), Some(false)));
    for order in [[yes.clone(), no.clone()], [no.clone(), yes.clone()]] {
        assert_eq!(shown(&home(&order)), (false, false));
    }
    assert_eq!(shown(&home(&[yes.clone(), no.clone(), seen(9, Some(true), None)])), (true, false));
    assert_eq!(shown(&home(&[no, seen(9, None, None)])), (false, false), "silence takes nothing back");
}

/// Nobody has to say that it is off the market: silence is enough.
#[test]
fn a_home_that_may_not_be_shown_off_the_market_is_hidden_when_it_was_sold_or_expired() {
    let seen = |day: i64, status: Status| {
        let address = Address { postal_code: Some("60601".into()), country: Some("US".into()), ..Address::default() };
        let mut listing = Listing::new(Purpose::Sale, Currency::USD, address);
        (listing.status, listing.display_expired) = (status, Some(false));
        Observation { watch: Watch::Repeated, ..Observation::new("t", "1", Time::from_ms(day * Time::DAY_MS), listing) }
    };
    let at = |day: i64| Time::from_ms(day * Time::DAY_MS);
    let active = home(&[seen(1, Status::Active)]);
    assert_eq!([at(2), at(90)].map(|now| active.may_be_shown_at(now)), [true, false]);
    let sold = home(&[seen(1, Status::Active), seen(5, Status::Closed)]);
    assert!(!sold.may_be_shown() && !sold.history_may_be_shown());
    assert!(home(&[seen(1, Status::Active), seen(5, Status::Pending)]).may_be_shown_at(at(6)));
}
