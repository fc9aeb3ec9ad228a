use proptest::prelude::*;
use stoop_dice::Dice;
use stoop_domain::{AreaPath, Currency, HomeId, Minor, PropertyType, Purpose, Time};
use stoop_simulation::adverts::{AddressCustom, Adverts};

use super::*;
use crate::street::StreetAddress;

mod rulings;

/// A listing of a condominium in Chicago, as `change` makes it.
fn listing(id: &str, line: &str, change: impl FnOnce(&mut ListingTraits)) -> ListingTraits {
    let mut listing = ListingTraits {
        id: HomeId(id.into()),
        purpose: Purpose::Sale,
        currency: Currency::USD,
        area: AreaPath::parse("us/il/cook/chicago/60614").unwrap(),
        street: StreetAddress::parse(line, "US"),
        coordinates: Some((41_922_000, -87_653_000)),
        property_type: Some(PropertyType::Condominium),
        bedrooms: Some(2),
        bathrooms: Some(200),
        living_area: Some(9_754),
        lot_area: None,
        year_built: Some(1998),
        first_price: Some(Minor(45_790_000)),
        listed: Some(20_000),
        title: Vec::new(),
        reference: None,
        on_market: vec![(Time::from_ms(0), Time::from_ms(30 * Time::DAY_MS))],
    };
    change(&mut listing);
    listing
}

fn house(listing: &mut ListingTraits) {
    listing.property_type = Some(PropertyType::SingleFamilyResidence);
}

/// The IDs of the homes with several listings.
fn homes(listings: &[ListingTraits]) -> Vec<Vec<&str>> {
    let linked = link(listings);
    linked.homes.iter().map(|home| home.iter().map(|at| listings[*at].id.as_str()).collect()).collect()
}

fn none() -> Vec<Vec<&'static str>> {
    Vec::new()
}

#[test]
fn a_home_on_three_portals_is_one() {
    let listings = [
        listing("a/1", "12 N Main St Apt 4", |_| ()),
        listing("b/7", "12 North Main Street #4", |it| it.living_area = None),
        listing("c/3", "12 N. MAIN ST. UNIT 4", |it| it.coordinates = None),
        listing("c/4", "14 N. MAIN ST. UNIT 4", |it| it.coordinates = None),
    ];
    assert_eq!(homes(&listings), [["a/1", "b/7", "c/3"]]);
}

#[test]
fn units_of_a_building_are_homes_of_their_own() {
    // Equal in all but the unit, and on one coordinate.
    let units: Vec<_> = ["A", "B", "C", "D"]
        .iter()
        .map(|unit| listing(&format!("a/{unit}"), &format!("FLAT {unit}, 12 High Street"), |_| ()))
        .collect();
    assert_eq!(homes(&units), none());
    let floors =
        ["1st", "2nd"].map(|floor| listing(&format!("s{floor}/1"), &format!("12 High Street, {floor} floor"), |_| ()));
    assert_eq!(homes(&floors), none());
}

#[test]
fn a_unit_that_is_not_said_matches_none() {
    // Two flats of one building, of which nobody says which: their source shows them at the same time.
    let two = |price: i64| {
        [listing("a/1", "12 High St", |_| ()), listing("a/2", "12 High St", |it| it.first_price = Some(Minor(price)))]
    };
    assert_eq!(homes(&two(47_500_000)), none());
    // On two portals, with another size: not sure enough.
    let sizes =
        [listing("a/1", "12 High St", |_| ()), listing("b/2", "12 High St", |it| it.living_area = Some(11_200))];
    assert_eq!(homes(&sizes), none());
}

#[test]
fn plots_of_a_new_development_stay_apart() {
    // One source, the same days, the same layout, no number yet, the coordinates of the sales office.
    let plots: Vec<_> = (0..40)
        .map(|plot| {
            listing(&format!("a/{plot}"), &format!("Plot {plot}, Fernbank Drive"), |it| {
                house(it);
                it.first_price = Some(Minor(30_000_000 + 50_000 * plot));
            })
        })
        .collect();
    assert_eq!(homes(&plots), none());
}

#[test]
fn an_address_on_request_is_no_address() {
    let listings = ["a/1", "b/2", "c/3"].map(|id| {
        listing(id, "Address on request", |it| (it.living_area, it.first_price, it.year_built) = (None, None, None))
    });
    assert!(listings[0].street.is_none());
    assert_eq!(homes(&listings), none());
}

#[test]
fn coordinates_of_a_postal_code_tell_no_homes_apart() {
    // Fifty houses without an address, all at the middle of their postal code.
    let mut dice = Dice::new(3);
    let listings: Vec<_> = (0..50)
        .map(|at| {
            listing(&format!("s{}/{at}", at % 5), "", |it| {
                house(it);
                it.living_area = Some(9_000 + dice.below(6_000_u64));
                it.first_price = Some(Minor(100_000 * (3_000 + dice.below(3_000_i64))));
                it.year_built = None;
                it.listed = None;
            })
        })
        .collect();
    assert_eq!(homes(&listings), none());
}

#[test]
fn other_addresses_are_other_homes_whatever_else_agrees() {
    let lines = ["101 Oak Way", "12 Elm Ct", "7 Birch Ln", "101 Oak Ct", "101 N Oak Way", "101 S Oak Way"];
    let listings: Vec<_> =
        lines.iter().enumerate().map(|(at, line)| listing(&format!("s{at}/1"), line, house)).collect();
    // A street without its direction may be either.
    let joined = homes(&listings);
    assert!(joined.iter().all(|home| home.len() == 2 && home.contains(&"s0/1")), "{joined:?}");
}

#[test]
fn a_source_that_shows_both_in_one_file_has_two() {
    let moment = Time::from_ms(5 * Time::DAY_MS);
    let flats: Vec<_> = (0..6)
        .map(|at| {
            listing(&format!("a/{at}"), "", |it| {
                it.on_market = vec![(moment, moment)];
                it.first_price = Some(Minor(150_000_000 + at * 2_000_000));
            })
        })
        .collect();
    assert_eq!(homes(&flats), none());
}

#[test]
fn a_type_that_is_not_said_excludes_nothing() {
    let with = |kind: Option<PropertyType>| {
        homes(&[
            listing("a/1", "12 Main St Apt 4", |it| it.property_type = Some(PropertyType::Land)),
            listing("b/2", "12 Main St Apt 4", |it| it.property_type = kind),
        ])
        .len()
    };
    assert_eq!((with(None), with(Some(PropertyType::Condominium))), (1, 0));
}

#[test]
fn streets_of_one_name_in_two_towns_are_two() {
    let listings = [
        listing("a/1", "12 Main St", |it| {
            house(it);
            it.coordinates = None;
        }),
        listing("b/2", "12 Main St", |it| {
            house(it);
            it.coordinates = None;
            it.area = AreaPath::parse("us/il/cook/evanston/60201").unwrap();
        }),
    ];
    assert_eq!(homes(&listings), none());
}

#[test]
fn vetoes_stop_everything_else() {
    let with = |change: fn(&mut ListingTraits)| {
        let listings = [
            listing("a/1", "12 Main St Apt 4", |it| it.reference = Some((String::new(), "4711".into()))),
            listing("b/2", "12 Main St Apt 4", change),
        ];
        homes(&listings).len()
    };
    assert_eq!(with(|_| ()), 1);
    assert_eq!(with(|it| it.first_price = Some(Minor(70_000_000))), 0);
    assert_eq!(with(|it| (it.first_price, it.bedrooms) = (Some(Minor(54_500_000)), Some(3))), 0);
    assert_eq!(with(|it| it.property_type = Some(PropertyType::Commercial)), 0);
    assert_eq!(with(|it| it.reference = Some((String::new(), "4712".into()))), 0);
    // A rent is not compared with a price: they are two offers of one home.
    assert_eq!(with(|it| (it.purpose, it.first_price) = (Purpose::Rent, Some(Minor(240_000)))), 1);
}

#[test]
fn no_chain_joins_what_a_veto_parts() {
    // The one without a unit fits both, and must not make them one.
    let listings = [
        listing("a/1", "12 Main St Apt 4", |_| ()),
        listing("b/2", "12 Main St", |_| ()),
        listing("c/3", "12 Main St Apt 5", |_| ()),
    ];
    let joined = homes(&listings);
    assert!(joined.iter().all(|home| !(home.contains(&"a/1") && home.contains(&"c/3"))), "{joined:?}");
}

#[test]
fn a_crowd_is_joined_by_addresses_alone() {
    // Forty adverts of one flat: more than a component may have by weaker evidence.
    let crowd: Vec<_> = (0..40).map(|at| listing(&format!("s{at}/1"), "12 Main St Apt 4", |_| ())).collect();
    let linked = link(&crowd);
    assert_eq!((linked.oversized, linked.homes.len()), (1, 0));
}

#[test]
fn a_size_and_a_price_of_too_many_listings_join_none_and_are_counted() {
    // Flats of one plan, of which nobody says the address: 64 share their blocks, 65 are too many.
    let flats = |count: usize| -> Vec<ListingTraits> {
        let flat = |at: usize| {
            let mut flat = listing(&format!("s{at}/1"), "", |it| it.coordinates = None);
            flat.listed = None;
            flat
        };
        (0..count).map(flat).collect()
    };
    let linked = |count| {
        let linked = link(&flats(count));
        (linked.compared, linked.void_blocks)
    };
    assert_eq!(linked(64), (64 * 63 / 2, 0));
    // Its two steps of size, and its price.
    assert_eq!(linked(65), (0, 3));
}

/// What [`link_one`] must find of a listing.
fn of_one(linked: &Linked, of: usize) -> LinkedListing {
    let home = linked.homes.iter().find(|home| home.contains(&of)).cloned().unwrap_or_default();
    let is_its = |edge: &&Edge| {
        let (a, b) = edge.pair;
        a == of || b == of || (home.contains(&a) && home.contains(&b))
    };
    LinkedListing { edges: linked.edges.iter().filter(is_its).cloned().collect(), home }
}

#[test]
fn one_listing_of_a_crowd_has_the_home_that_all_of_them_have() {
    // Three say their address; thirty-eight, which only have their size and price, hang together with them.
    let flat = |at: usize| {
        let mut flat = listing(&format!("s{at}/1"), if at < 3 { "12 Main St Apt 4" } else { "" }, |_| ());
        flat.listed = None;
        flat
    };
    let crowd: Vec<_> = (0..41).map(flat).collect();
    let linked = link(&crowd);
    assert_eq!((linked.oversized, &linked.homes), (1, &vec![vec![0, 1, 2]]));
    for of in 0..crowd.len() {
        assert_eq!(link_one(&crowd, of, &PairRulings::default()), of_one(&linked, of), "{of}");
    }
    // And of seventy, whose blocks are too large.
    let crowd: Vec<_> = (0..70).map(|at| flat(at + 3)).collect();
    assert_eq!((link(&crowd).compared, link_one(&crowd, 7, &PairRulings::default())), (0, LinkedListing::default()));
}

/// Listings of a simulated country.
fn simulated(seed: u64, custom: AddressCustom, homes: u32) -> (Vec<u32>, Vec<ListingTraits>) {
    let adverts = Adverts::of(seed, custom, homes);
    let traits = adverts.iter().map(|advert| {
        let mut home = stoop_domain::Home::default();
        for observation in &advert.observations {
            home.apply(observation);
        }
        ListingTraits::of(&stoop_domain::home_id(&advert.observations[0]), &home)
            .expect("the gazetteer knows the place")
    });
    (adverts.iter().map(|advert| advert.home).collect(), traits.collect())
}

#[test]
fn precision_and_recall_are_those_of_the_documents() {
    for (custom, precision, recall) in [(AddressCustom::Numbered, 0.995, 0.95), (AddressCustom::Quarter, 0.98, 0.55)] {
        let (truth, listings) = simulated(211, custom, 3_000);
        let linked = link(&listings);
        let pairs = |count: usize| count * (count - 1) / 2;
        let joined: usize = linked.homes.iter().map(|home| pairs(home.len())).sum();
        let mut right = 0;
        for home in &linked.homes {
            for (at, one) in home.iter().enumerate() {
                right += home[at + 1..].iter().filter(|other| truth[**other] == truth[*one]).count();
            }
        }
        let mut sizes: BTreeMap<u32, usize> = BTreeMap::new();
        truth.iter().for_each(|home| *sizes.entry(*home).or_default() += 1);
        let all: usize = sizes.values().map(|size| pairs(*size)).sum();
        #[expect(clippy::cast_precision_loss, reason = "counts are small")]
        let (found_precision, found_recall) = (right as f64 / joined as f64, right as f64 / all as f64);
        assert!(found_precision >= precision, "{custom:?}: precision {found_precision}");
        assert!(found_recall >= recall, "{custom:?}: recall {found_recall}");
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(24))]

    #[test]
    fn order_changes_nothing_and_no_home_has_a_veto_in_it(seed in 0_u64..1_000_000) {
        let (_, listings) = simulated(seed, if seed % 2 == 0 { AddressCustom::Numbered } else { AddressCustom::Quarter }, 150);
        let ids = |listings: &[ListingTraits]| -> Vec<Vec<HomeId>> {
            let linked = link(listings);
            linked.homes.iter().map(|home| home.iter().map(|at| listings[*at].id.clone()).collect()).collect()
        };
        let expected = ids(&listings);
        let mut shuffled = listings.clone();
        let mut dice = Dice::new(seed);
        for at in (1..shuffled.len()).rev() {
            shuffled.swap(at, dice.below(at + 1));
        }
        prop_assert_eq!(ids(&shuffled), expected);
        for pair in listings.windows(2) {
            let common = Common::default();
            prop_assert_eq!(Comparison::of(&pair[0], &pair[1], common), Comparison::of(&pair[1], &pair[0], common));
        }
        let linker = Linker::new(&listings, JOIN_WEIGHT, &PairRulings::default());
        let linked = link(&listings);
        let mut seen = std::collections::BTreeSet::new();
        for home in &linked.homes {
            for (at, one) in home.iter().enumerate() {
                prop_assert!(seen.insert(*one), "a listing is of one home");
                for other in &home[at + 1..] {
                    prop_assert_eq!(linker.compare(*one, *other).veto, None);
                }
            }
        }
    }

    #[test]
    fn one_listing_has_the_home_that_all_of_them_have(seed in 0_u64..1_000_000, is_numbered: bool) {
        let custom = if is_numbered { AddressCustom::Numbered } else { AddressCustom::Quarter };
        let (_, listings) = simulated(seed, custom, 120);
        let linked = link(&listings);
        prop_assert!(linked.homes.len() > 20 && linked.edges.len() > 20);
        for of in (0..listings.len()).step_by(11) {
            prop_assert_eq!(link_one(&listings, of, &PairRulings::default()), of_one(&linked, of));
        }
    }

    #[test]
    fn an_address_is_read_from_any_text(line in "\\PC{0,60}", country in prop::sample::select(vec!["US", "CA", "AU", "AT", "NL", "FR"])) {
        if let Some(address) = StreetAddress::parse(&line, country) {
            prop_assert!(!address.name.is_empty());
            prop_assert_eq!(StreetAddress::parse(&line.to_uppercase().to_lowercase(), country).is_some(), true);
        }
    }
}
