//! A cut of one home on two portals is one piece of news.

use super::*;

/// Records the alerts of one home's listings, that ask 500,000 and then these prices, and returns those that are sent.
fn sent(cuts: &[(&str, i64, i64)]) -> Vec<String> {
    let folder = tempfile::TempDir::new().unwrap();
    let database = open(folder.path());
    let asks = |source: &str, minute: i64, price: i64| {
        let mut listing = asks("1", minute, price).listing;
        listing.address.line = Some("12 Rue des Orangers".into());
        Observation::new(source, "1", Time::from_ms(1_768_003_200_000 + minute * 60_000), listing)
    };
    database.set_rules(&Rules::default()).unwrap();
    measure(&database, &[asks("avito", 0, 500_000), asks("mubawab", 5, 500_000)]);
    database.begin_merging(&Merging::default()).unwrap();
    let [a, b] = ["avito/1", "mubawab/1"].map(|id| HomeId(id.into()));
    database.rule_on_pair(&a, &b, Some(PairRuling::OneHome), "local", Time::from_ms(0)).unwrap();
    merge(&database);
    assert_eq!(merged(&database).homes, 1);
    for (source, day, price) in cuts {
        measure(&database, &[asks(source, day * 1_440 + 10, *price)]);
        judge(&database, &Rules::default());
    }
    let rows = database.alerts_after(0, 10).unwrap();
    assert_eq!(rows.len(), cuts.len(), "each listing has its alert");
    let is_repeated = |(position, alert): &(i64, Result<Alert, PortError>)| {
        let alert = alert.as_ref().unwrap();
        now(database.repeated(*position, alert)).unwrap().map(|_| alert.id.clone())
    };
    let repeated: Vec<AlertId> = rows.iter().filter_map(is_repeated).collect();
    let listed = database.alerts(AlertFilter::Sent, 10).unwrap();
    assert!(listed.iter().all(|alert| !repeated.contains(&alert.id)));
    assert_eq!(listed.len() + repeated.len(), rows.len());
    let newest = database.alerts(AlertFilter::Sent, 1).unwrap();
    assert_eq!(newest, listed[..1], "a repeat takes no place in a list");
    let news: Vec<AlertId> =
        database.news_after(0, 1).unwrap().into_iter().map(|(_, alert)| alert.unwrap().id).collect();
    assert_eq!(news, listed.last().map(|alert| alert.id.clone()).into_iter().collect::<Vec<_>>());
    // Each names the other listing with what it asks.
    for alert in &listed {
        let [other] = alert.other_listings.as_slice() else { panic!("{alert:?}") };
        let cut = cuts.iter().rfind(|(source, ..)| other.listing.as_str().starts_with(source));
        let asked = cut.map_or(500_000, |(_, _, price)| *price);
        assert_eq!(other.list_price, Some(Minor(asked * 100)), "{alert:?}");
        assert_ne!(other.listing, alert.home);
    }
    // Where each listing counts, each alert is sent.
    database.end_merging().unwrap();
    assert_eq!(database.alerts(AlertFilter::Sent, 10).unwrap().len(), rows.len());
    listed.iter().rev().map(|alert| format!("{} {}", alert.home, alert.to.0 / 100)).collect()
}

#[test]
fn a_cut_of_one_home_on_two_portals_is_sent_once() {
    assert_eq!(sent(&[("avito", 1, 400_000), ("mubawab", 2, 400_000)]), ["avito/1 400000"]);
    // A deeper cut is news, a smaller one is not.
    assert_eq!(sent(&[("avito", 1, 400_000), ("mubawab", 2, 380_000)]), ["avito/1 400000", "mubawab/1 380000"]);
    assert_eq!(sent(&[("avito", 1, 400_000), ("mubawab", 2, 410_000)]), ["avito/1 400000"]);
    // So is one that comes weeks later.
    assert_eq!(sent(&[("avito", 1, 400_000), ("mubawab", 16, 400_000)]), ["avito/1 400000", "mubawab/1 400000"]);
}

#[test]
fn an_alert_names_no_listing_whose_source_does_not_let_it_be_shown() {
    let folder = tempfile::TempDir::new().unwrap();
    let database = open(folder.path());
    let asks = |source: &str, minute: i64, price: i64, hides: bool| {
        let mut listing = asks("1", minute, price).listing;
        listing.display_history = hides.then_some(false);
        Observation::new(source, "1", Time::from_ms(1_768_003_200_000 + minute * 60_000), listing)
    };
    database.set_rules(&Rules::default()).unwrap();
    let [open_source, hiding] = ["avito/1", "mubawab/1"].map(|id| HomeId(id.into()));
    measure(&database, &[asks("avito", 0, 500_000, false), asks("mubawab", 5, 500_000, true)]);
    database.begin_merging(&Merging::default()).unwrap();
    database.rule_on_pair(&open_source, &hiding, Some(PairRuling::OneHome), "local", Time::from_ms(0)).unwrap();
    merge(&database);
    measure(&database, &[asks("avito", 1_450, 400_000, false), asks("mubawab", 1_451, 300_000, true)]);
    judge(&database, &Rules::default());
    let alerts = database.alerts(AlertFilter::Sent, 10).unwrap();
    assert_eq!(alerts.len(), 2);
    assert!(alerts.iter().all(|alert| alert.other_listings.is_empty()), "{alerts:?}");
}
