use proptest::prelude::*;
use serde_json::Value;
use stoop_domain::{
    Address, Area, AreaUnit, Currency, Day, Details, Minor, PropertyType, Purpose, Reason, Status, Time,
};
use stoop_sources::SeenListing;

use super::*;

/// A row with a price if `priced`, and with bedrooms if `bedded`.
fn row(id: usize, priced: bool, bedded: bool) -> Row {
    let mut listing = Listing::new(Purpose::Sale, Currency::USD, Address::default());
    listing.list_price = priced.then_some(Minor(100));
    listing.bedrooms = bedded.then_some(2);
    Row::Found(Box::new(SeenListing {
        native_id: format!("h{id}"),
        at: None,
        versioned: false,
        listing,
        refused: Vec::new(),
    }))
}

fn refused() -> Row {
    Row::Refused { reason: Reason::BadValue, detail: "price is {}".into(), raw: String::new(), native_id: None }
}

fn page(rows: usize, make: impl Fn(usize) -> Row) -> Vec<Row> {
    (0..rows).map(make).collect()
}

fn taught(pages: &[Vec<Row>]) -> Profile {
    let mut profile = Profile::default();
    let mut watch = DriftCheck::default();
    for page in pages {
        assert_eq!(watch.page(page, &profile), [], "nothing is compared before it is settled");
    }
    watch.last(&profile);
    watch.teach(&mut profile);
    profile
}

fn usual() -> Profile {
    taught(&vec![page(40, |id| row(id, id % 10 != 0, id % 2 == 0)); 3])
}

#[test]
fn a_field_that_vanishes_is_noticed_on_the_first_page() {
    let drifts = DriftCheck::default().page(&page(40, |id| row(id, false, id % 2 == 0)), &usual());
    assert_eq!(drifts.len(), 1, "{drifts:?}");
    assert_eq!(drifts[0].to_string(), "list_price: 0 % of 40 rows, never below 90 % before (none in h0)");
}

#[test]
fn a_type_that_changes_is_noticed_by_the_rows_that_are_refused() {
    let rows = page(40, |id| if id < 2 { row(id, true, true) } else { refused() });
    let drifts = DriftCheck::default().page(&rows, &usual());
    assert_eq!(drifts[0].to_string(), "rows understood: 5 % of 40 rows, never below 100 % before");
    assert_eq!(drifts[0].field, UNDERSTOOD);
    let none = DriftCheck::default().page(&page(40, |_| refused()), &usual());
    assert_eq!(none.len(), 1, "of rows that were not understood nothing else is known: {none:?}");
}

#[test]
fn what_some_page_of_the_past_had_little_of_may_be_scarce_again() {
    let mut pages = vec![page(40, |id| row(id, true, true)); 5];
    pages.push(page(40, |id| row(id, true, false)));
    let profile = taught(&pages);
    assert_eq!(DriftCheck::default().page(&page(40, |id| row(id, true, false)), &profile), []);
}

#[test]
fn small_pages_are_taken_together() {
    let mut watch = DriftCheck::default();
    let profile = usual();
    assert_eq!(watch.page(&page(12, |id| row(id, false, true)), &profile), []);
    assert_eq!(watch.page(&page(12, |id| row(id, false, true)), &profile).len(), 1);
    assert_eq!(watch.page(&page(9, |id| row(id, false, true)), &profile), []);
    assert_eq!(watch.last(&profile), [], "nine rows say nothing");
    watch.page(&page(12, |id| row(id, false, true)), &profile);
    assert_eq!(watch.last(&profile).len(), 0, "the nine and the twelve made a window, which was reported then");
}

#[test]
fn an_odd_page_is_forgotten_in_time() {
    let mut profile = taught(&[
        page(40, |id| row(id, true, true)),
        page(40, |id| row(id, true, true)),
        page(40, |id| row(id, true, false)),
    ]);
    let scans = (0..60).take_while(|_| {
        let mut watch = DriftCheck::default();
        watch.page(&page(40, |id| row(id, true, true)), &profile);
        watch.teach(&mut profile);
        DriftCheck::default().page(&page(40, |id| row(id, true, false)), &profile).is_empty()
    });
    let scans = scans.count();
    assert!((1..10).contains(&scans), "{scans}");
}

#[test]
fn a_field_that_was_never_filled_does_not_drift() {
    let drifts = DriftCheck::default().page(&page(40, |id| row(id, true, id % 2 == 0)), &usual());
    assert_eq!(drifts, []);
}

proptest! {
    /// Random variation of the same source is not drift.
    #[test]
    fn chance_is_no_drift(shares in prop::array::uniform2(0.0..=1.0_f64), seeds in prop::collection::vec(any::<[u32; 2]>(), 400)) {
        let hit = |seed: u32, share: f64| f64::from(seed) < share * f64::from(u32::MAX);
        let rows: Vec<Row> = seeds.iter().enumerate()
            .map(|(id, [a, b])| row(id, hit(*a, shares[0]), hit(*b, shares[1])))
            .collect();
        let profile = taught(&rows[..200].chunks(20).map(<[Row]>::to_vec).collect::<Vec<_>>());
        let mut watch = DriftCheck::default();
        for chunk in rows[200..].chunks(20) {
            prop_assert_eq!(watch.page(chunk, &profile), []);
        }
    }

    /// A field that every row had and no row has is detected, whatever the other fields.
    #[test]
    fn a_whole_field_never_goes_unnoticed(size in 20_usize..200, bedded in any::<bool>()) {
        let profile = taught(&vec![page(size, |id| row(id, true, bedded)); 3]);
        let drifts = DriftCheck::default().page(&page(size, |id| row(id, false, bedded)), &profile);
        prop_assert!(drifts.iter().any(|drift| drift.field == "list_price"));
    }
}

/// A listing with all fields, as JSON. The compiler asks for a new field here.
fn whole() -> Value {
    let text = || Some("a".to_owned());
    let area = Some(Area::of(1, AreaUnit::Acres));
    let address = Address {
        line: text(),
        neighbourhood: text(),
        city: text(),
        county: text(),
        region: text(),
        postal_code: text(),
        country: text(),
        latitude_e6: Some(0),
        longitude_e6: Some(0),
        derived: false,
    };
    let details = Details {
        title: text(),
        description: text(),
        seller: text(),
        agency: text(),
        images: vec!["a".to_owned()],
        amenities: vec!["a".to_owned()],
        url: text(),
    };
    let listing = Listing {
        purpose: Purpose::Sale,
        status: Status::Closed,
        currency: Currency::USD,
        list_price: Some(Minor(5)),
        original_list_price: Some(Minor(6)),
        previous_list_price: Some(Minor(7)),
        close_price: Some(Minor(4)),
        close_date: Some(Day(20_000)),
        price_changed_at: Some(Time::from_ms(1)),
        address,
        property_type: Some(PropertyType::Land),
        bedrooms: Some(0),
        bathrooms_hundredths: Some(0),
        living_area: area,
        lot_area: area,
        year_built: Some(1900),
        association_fee: Some(Minor(1)),
        display: Some(true),
        display_address: Some(false),
        display_estimate: Some(false),
        display_history: Some(true),
        display_expired: Some(true),
        listed_at: Some(Time::from_ms(2)),
        details,
    };
    serde_json::to_value(listing).unwrap()
}

#[test]
fn every_field_that_a_listing_may_lack_is_watched() {
    const ALWAYS_THERE: [&str; 3] = ["purpose", "status", "currency"];
    let has = |listing: &Value| -> Vec<(&str, bool)> {
        let listing: Listing = serde_json::from_value(listing.clone()).unwrap();
        fields(&listing).map(|(name, value)| (name, value.is_some())).collect()
    };
    assert!(has(&whole()).iter().all(|(_, has)| *has));
    // Removes each field on its own.
    let mut lacked = Vec::new();
    for part in ["", "/address", "/details"] {
        let members = whole().pointer(part).unwrap().as_object().unwrap().clone();
        for name in members
            .keys()
            .filter(|name| ![&ALWAYS_THERE[..], &["address", "details"]].concat().contains(&name.as_str()))
        {
            let mut listing = whole();
            listing.pointer_mut(part).unwrap().as_object_mut().unwrap().remove(name);
            let missed: Vec<&str> = has(&listing).into_iter().filter(|(_, has)| !has).map(|(name, _)| name).collect();
            assert_eq!(missed.len(), 1, "{name}");
            lacked.extend(missed);
        }
    }
    lacked.sort_unstable();
    let listing = serde_json::from_value(whole()).unwrap();
    let mut names: Vec<&str> = fields(&listing).map(|(name, _)| name).collect();
    names.sort_unstable();
    assert_eq!(lacked, names);
}

/// Scans of a search whose listings have a price, and of which this many of 40 have bedrooms.
fn noted(bedded: &[usize]) -> Profile {
    let mut profile = Profile::default();
    for bedded in bedded {
        let mut watch = DriftCheck::default();
        for ids in [0..25, 25..40] {
            let rows: Vec<Row> = ids.map(|id| row(id, true, id < *bedded)).collect();
            watch.page(&rows, &profile);
        }
        watch.last(&profile);
        watch.note_shares(&mut profile);
        watch.teach(&mut profile);
    }
    profile
}

fn of(profile: &Profile, field: &str) -> Option<(f64, Option<f64>)> {
    profile.shares.of(field).map(|FieldShare { share, earlier }| (share, earlier))
}

#[test]
fn the_share_of_each_field_is_that_of_the_last_scan_beside_the_mean_of_those_before() {
    assert_eq!((of(&noted(&[]), "bedrooms"), noted(&[]).shares.listings()), (None, 0));
    assert_eq!(of(&noted(&[30]), "bedrooms"), Some((0.75, None)));
    assert_eq!(of(&noted(&[30, 20]), "bedrooms"), Some((0.5, Some(0.75))));
    // The mean moves an eighth of the way: 750, then 750 - 250 / 8.
    let later = noted(&[30, 20, 40]);
    assert_eq!((of(&later, "bedrooms"), later.shares.listings()), (Some((1.0, Some(0.719))), 40));
    assert_eq!(of(&later, "list_price"), Some((1.0, Some(1.0))));
    assert_eq!(of(&later, "living_area"), Some((0.0, None)), "no scan had it");
    assert_eq!(of(&later, "native_id"), None, "a listing cannot lack it");
    assert!(later.shares.fields().all(|(name, _)| name != "living_area"));
    assert_eq!(of(&noted(&[0, 40]), "bedrooms"), Some((1.0, Some(0.0))), "new in the second scan");
}

#[test]
fn a_scan_of_few_rows_is_noted_and_one_that_was_not_understood_is_not() {
    let mut profile = Profile::default();
    let mut few = DriftCheck::default();
    few.page(&page(3, |id| row(id, id == 0, true)), &profile);
    few.note_shares(&mut profile);
    assert_eq!((of(&profile, "list_price"), profile.shares.listings()), (Some((0.333, None)), 3));
    let mut refusing = DriftCheck::default();
    refusing.page(&page(30, |_| refused()), &profile);
    refusing.note_shares(&mut profile);
    assert_eq!((of(&profile, "list_price"), profile.shares.listings()), (Some((0.333, None)), 3));
    let stored = serde_json::to_string(&profile).unwrap();
    assert_eq!(serde_json::from_str::<Profile>(&stored).unwrap(), profile);
    let older = serde_json::json!({ "windows": 3, "lowest": { "list_price": 900 } });
    assert_eq!(serde_json::from_value::<Profile>(older).unwrap().shares, FieldShares::default());
}
