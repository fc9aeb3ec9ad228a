//! Properties of the rules over random histories, with the reference computed in another way.

use std::collections::{BTreeMap, BTreeSet};

use proptest::prelude::*;
use stoop_domain::{Address, AlertId, Currency, Facts, Home, HomeId, Listing, Minor, Purpose, Status, Time, Verdict};
use stoop_rules::{DropRule, Rules, may_raise};

const HOUR_MS: i64 = 3_600_000;
const DAY: i64 = 24;

/// A sighting of a home: the hour, the price in dollars, and whether it is on offer.
type Sighting = (i64, i64, bool);

/// Sightings in order of time, with gaps of hours, days and weeks. Few prices, so that they recur.
fn sightings(prices: Vec<i64>) -> impl Strategy<Value = Vec<Sighting>> {
    let gap = prop_oneof![1..30_i64, DAY * 12..DAY * 17, DAY * 80..DAY * 100];
    let sighting = (gap, prop::sample::select(prices), prop::bool::weighted(0.9));
    prop::collection::vec(sighting, 1..25).prop_map(|sightings| {
        let mut hour = 0;
        let at = |(gap, price, on_offer)| {
            hour += gap;
            (hour, price, on_offer)
        };
        sightings.into_iter().map(at).collect()
    })
}

fn see(home: &mut Home, (hour, dollars, on_offer): Sighting) {
    let address = Address { postal_code: Some("98178".into()), ..Address::default() };
    let mut listing = Listing::new(Purpose::Sale, Currency::USD, address);
    listing.list_price = Some(Minor(dollars * 100));
    listing.status = if on_offer { Status::Active } else { Status::Withdrawn };
    home.history.apply(stoop_domain::Sighting::at(Time::from_ms(hour * HOUR_MS)), &Facts::of(&listing).unwrap(), None);
}

fn home(sightings: &[Sighting]) -> Home {
    let mut home = Home::default();
    sightings.iter().for_each(|sighting| see(&mut home, *sighting));
    home
}

fn id() -> HomeId {
    HomeId("t/1".into())
}

fn standing(home: &Home) -> BTreeSet<AlertId> {
    Rules::default().standing(&id(), home).into_iter().map(|alert| alert.id).collect()
}

/// The IDs in a ledger that is updated after each batch of a home.
fn ledger(sightings: &[Sighting], batch: usize) -> BTreeSet<AlertId> {
    let mut ledger_ids = BTreeSet::new();
    let mut new = Home::default();
    for batch in sightings.chunks(batch) {
        let old = new.clone();
        batch.iter().for_each(|sighting| see(&mut new, *sighting));
        ledger_ids.extend(Rules::default().judge(&id(), Some(&old), &new).raised.into_iter().map(|alert| alert.id));
    }
    ledger_ids
}

/// The IDs in such a ledger that are not withdrawn.
fn ledger_without_withdrawn(sightings: &[Sighting], batch: usize) -> BTreeSet<AlertId> {
    let mut ids = BTreeSet::new();
    let mut new = Home::default();
    for batch in sightings.chunks(batch) {
        let old = new.clone();
        batch.iter().for_each(|sighting| see(&mut new, *sighting));
        let judged = Rules::default().judge(&id(), Some(&old), &new);
        ids.retain(|id| !judged.disproved.contains(id));
        ids.extend(judged.raised.into_iter().map(|alert| alert.id));
    }
    ids
}

/// A price, asked without a break.
struct PriceSpan {
    price: i64,
    from: i64,
    until: i64,
    /// The reference when it was first asked, without the price itself.
    reference: Option<i64>,
    raised_alert: bool,
}

/// The alerts of prices without mistakes, by searching all earlier prices each time.
fn naive(sightings: &[Sighting]) -> Vec<(i64, i64, i64)> {
    let mut spells: Vec<Vec<PriceSpan>> = vec![Vec::new()];
    let mut off_since = None;
    let mut asks = false;
    for &(hour, price, on_offer) in sightings {
        let spell = spells.last_mut().unwrap();
        if asks && let Some(last) = spell.last_mut() {
            last.until = hour;
        }
        if !on_offer {
            off_since.get_or_insert(hour);
            asks = false;
            continue;
        }
        if off_since.take().is_some_and(|since| hour - since > 90 * DAY) {
            spells.push(Vec::new());
        }
        let spell = spells.last_mut().unwrap();
        if !asks || spell.last().is_none_or(|last| last.price != price) {
            spell.push(PriceSpan { price, from: hour, until: hour, reference: None, raised_alert: false });
        }
        asks = true;
    }
    let mut alerts = Vec::new();
    for spell in &mut spells {
        for i in 0..spell.len() {
            let set_by = spell[..i].iter().rposition(|asked| asked.raised_alert);
            let counts = |(j, asked): (usize, &PriceSpan)| match asked.reference {
                Some(reference) if set_by.is_some_and(|set| set < j) && asked.until - asked.from < 14 * DAY => {
                    asked.price.min(reference)
                }
                _ => asked.price,
            };
            let now = spell[i].from;
            let before = spell[..i].iter().enumerate().skip(set_by.unwrap_or(0));
            let reference = before.filter(|(_, asked)| asked.until >= now - 90 * DAY).map(counts).max();
            spell[i].reference = reference;
            if let Some(reference) = reference
                && (reference - spell[i].price) * 100 >= reference * 15
            {
                spell[i].raised_alert = true;
                alerts.push((reference, spell[i].price, now));
            }
        }
    }
    alerts
}

proptest! {
    #[test]
    fn the_reference_follows_its_definition(sightings in sightings((11..=20).map(|fives| fives * 5).collect())) {
        let alerts = Rules::default().standing(&id(), &home(&sightings));
        prop_assert!(alerts.iter().all(|alert| alert.verdict == Verdict::Alert));
        let ledger_ids: Vec<_> =
            alerts.iter().map(|alert| (alert.from.0 / 100, alert.to.0 / 100, alert.at.ms() / HOUR_MS)).collect();
        prop_assert_eq!(ledger_ids, naive(&sightings));
    }

    #[test]
    fn in_order_of_time_the_ledger_equals_the_standing_alerts_for_any_batches(
        sightings in sightings(vec![10, 100, 60, 70, 80, 90, 200]),
        batch in 1_usize..6,
    ) {
        prop_assert_eq!(ledger(&sightings, batch), standing(&home(&sightings)));
    }

    #[test]
    fn in_any_order_the_same_alerts_stand_and_the_ledger_has_them(
        sightings in sightings(vec![10, 100, 60, 70, 80, 90, 200]),
        orders in prop::collection::vec(any::<u32>(), 25),
        batch in 1_usize..6,
    ) {
        let mut keyed: Vec<_> = sightings.iter().zip(orders).collect();
        keyed.sort_by_key(|(_, order)| *order);
        let shuffled: Vec<Sighting> = keyed.into_iter().map(|(sighting, _)| *sighting).collect();
        let stands = standing(&home(&sightings));
        prop_assert_eq!(&standing(&home(&shuffled)), &stands);
        prop_assert!(ledger(&shuffled, batch).is_superset(&stands));
        prop_assert_eq!(ledger_without_withdrawn(&shuffled, batch), stands);
    }

    #[test]
    fn alert_ids_are_unique(sightings in sightings(vec![10, 100, 60, 70, 80, 90, 200])) {
        let home = home(&sightings);
        prop_assert_eq!(standing(&home).len(), Rules::default().standing(&id(), &home).len());
    }

    #[test]
    fn a_home_with_one_price_has_no_alert_by_any_rules(sightings in sightings(vec![60, 100]), few in 1_usize..6) {
        let sightings = &sightings[..few.min(sightings.len())];
        let drops = vec![DropRule { name: "any".into(), area: None, share_bp_min: Some(1), amount_min: BTreeMap::new() }];
        let curious = Rules { drops, noise_bp: 0, suspect_bp: 10_000 };
        let home = home(sightings);
        let prices: BTreeSet<i64> = sightings.iter().map(|(_, price, _)| *price).collect();
        prop_assert_eq!(may_raise(&home), prices.len() > 1);
        prop_assert!(may_raise(&home) || curious.standing(&id(), &home).is_empty());
    }
}
