use super::*;
use crate::link::one::link_one;

/// The homes that are found with these rulings.
fn ruled<'a>(listings: &'a [ListingTraits], rulings: &[(&str, &str, PairRuling)]) -> Vec<Vec<&'a str>> {
    let mut all = PairRulings::default();
    for (a, b, ruling) in rulings {
        all.rule(HomeId((*a).into()), HomeId((*b).into()), *ruling);
    }
    let linked = link_ruled(listings, &all);
    for of in 0..listings.len() {
        assert_eq!(link_one(listings, of, &all), of_one(&linked, of));
    }
    linked.homes.iter().map(|home| home.iter().map(|at| listings[*at].id.as_str()).collect()).collect()
}

#[test]
fn a_ruling_counts_more_than_all_findings_and_vetoes() {
    let listings = [
        listing("a/1", "12 N Main St Apt 4", |_| ()),
        listing("b/7", "12 North Main Street #4", |_| ()),
        listing("c/3", "12 N Main St Apt 5", |_| ()),
        listing("d/9", "900 Elsewhere Rd Apt 1", |it| it.coordinates = None),
    ];
    assert_eq!(ruled(&listings, &[]), [["a/1", "b/7"]]);
    assert_eq!(ruled(&listings, &[("b/7", "a/1", PairRuling::TwoHomes)]), none());
    // Another unit, and another street that shares no block.
    assert_eq!(
        ruled(&listings, &[("c/3", "a/1", PairRuling::OneHome)]),
        [["a/1", "b/7", "c/3"]],
        "b/7 is of the home of a/1, whatever c/3 says"
    );
    assert_eq!(ruled(&listings, &[("d/9", "a/1", PairRuling::OneHome)]), [["a/1", "b/7", "d/9"]]);
    // A later ruling on a pair replaces the one before, whichever is named first; others have no effect here.
    let pair = |ruling| ("b/7", "a/1", ruling);
    assert_eq!(ruled(&listings, &[pair(PairRuling::TwoHomes), ("a/1", "b/7", PairRuling::OneHome)]), [["a/1", "b/7"]]);
    assert_eq!(
        ruled(&listings, &[("x/1", "a/1", PairRuling::OneHome), ("a/1", "a/1", PairRuling::OneHome)]),
        [["a/1", "b/7"]]
    );
}

#[test]
fn of_rulings_that_contradict_each_other_two_homes_holds() {
    let listings = [
        listing("a/1", "12 N Main St Apt 4", |_| ()),
        listing("b/7", "12 N Main St Apt 4", |_| ()),
        listing("c/3", "12 N Main St Apt 4", |_| ()),
    ];
    let rulings = [
        ("a/1", "b/7", PairRuling::OneHome),
        ("b/7", "c/3", PairRuling::OneHome),
        ("a/1", "c/3", PairRuling::TwoHomes),
    ];
    let found = ruled(&listings, &rulings);
    assert_eq!(found.len(), 1);
    assert!(!found[0].contains(&"a/1") || !found[0].contains(&"c/3"), "{found:?}");
    let reversed: Vec<ListingTraits> = listings.iter().rev().cloned().collect();
    assert_eq!(ruled(&reversed, &rulings), found, "in any order");
}

#[test]
fn a_group_of_too_many_alike_is_joined_by_rulings_too() {
    let alike = |at: usize| {
        listing(&format!("s{at}/{at:03}"), "", |it| {
            (it.street, it.title) = (None, vec!["lakeview".into(), "loft".into()]);
        })
    };
    let listings: Vec<ListingTraits> = (0..COMPONENT_MAX + 8).map(alike).collect();
    assert_eq!(ruled(&listings, &[]), none());
    assert_eq!(ruled(&listings, &[("s3/003", "s7/007", PairRuling::OneHome)]), [["s3/003", "s7/007"]]);
}

#[test]
fn a_ruling_on_two_homes_joins_all_their_listings() {
    let listings = [
        listing("a/1", "12 N Main St Apt 4", |_| ()),
        listing("a/2", "12 N Main St Apt 5", |_| ()),
        listing("b/1", "12 N Main St Apt 4", |_| ()),
        listing("b/2", "12 N Main St Apt 5", |_| ()),
        listing("c/3", "12 N Main St Apt 6", |_| ()),
    ];
    assert_eq!(ruled(&listings, &[]), [["a/1", "b/1"], ["a/2", "b/2"]]);
    assert_eq!(ruled(&listings, &[("a/1", "a/2", PairRuling::OneHome)]), [["a/1", "a/2", "b/1", "b/2"]]);
    // Rulings chain, though the ends have a veto; a ruling that they are two homes counts more.
    let chain = [("a/1", "a/2", PairRuling::OneHome), ("a/2", "c/3", PairRuling::OneHome)];
    assert_eq!(ruled(&listings, &chain), [["a/1", "a/2", "b/1", "b/2", "c/3"]]);
    let but = [chain[0], chain[1], ("b/1", "c/3", PairRuling::TwoHomes)];
    assert_eq!(ruled(&listings, &but), [["a/1", "a/2", "b/2", "c/3"]]);
}
