//! Figures of merged homes beside those of the homes of a simulation.

use super::*;

#[test]
fn the_stock_is_that_of_the_homes_within_the_measured_error() {
    let (folder, adverts) = (tempfile::TempDir::new().unwrap(), Adverts::of(42, AddressCustom::Numbered, 700));
    let database = open(folder.path());
    let mut observations: Vec<Observation> = adverts.iter().flat_map(|advert| &advert.observations).cloned().collect();
    observations.sort_by_key(|observation| observation.at);
    let middle = observations[observations.len() / 2].at;
    measure(&database, &observations);
    let active = || -> i64 {
        let figures = |(market, cells): &(Market, Cells)| {
            let zone = market.area.country().zone;
            Figures::of(cells, Segment::All, middle, &zone).active
        };
        states(&database).iter().map(figures).sum()
    };
    let of_listings = active();
    database.begin_merging(&Merging::default()).unwrap();
    merge(&database);
    let of_homes = active();

    // The truth, as rulings: on all pairs of a home, and on all pairs that were joined in error.
    let mut home_of: HashMap<HomeId, u32> = HashMap::new();
    let mut listings: BTreeMap<u32, BTreeSet<HomeId>> = BTreeMap::new();
    for (home, observation) in adverts.iter().flat_map(|advert| advert.observations.iter().map(|it| (advert.home, it)))
    {
        home_of.insert(home_id(observation), home);
        listings.entry(home).or_default().insert(home_id(observation));
    }
    let connection = Connection::open(paths(folder.path()).0).unwrap();
    let sql = "SELECT a.listing, b.listing FROM merged_listings a JOIN merged_listings b USING(county, home)
               WHERE a.listing < b.listing";
    let mut statement = connection.prepare(sql).unwrap();
    let id = |row: &rusqlite::Row<'_>, column| HomeId(row.get::<_, String>(column).unwrap().as_str().into());
    let joined: Vec<(HomeId, HomeId)> =
        statement.query_map([], |row| Ok((id(row, 0), id(row, 1)))).unwrap().map(Result::unwrap).collect();
    let at = Time::from_ms(0);
    for (a, b) in joined.iter().filter(|(a, b)| home_of[a] != home_of[b]) {
        database.rule_on_pair(a, b, Some(PairRuling::TwoHomes), "local", at).unwrap();
    }
    for of_home in listings.values() {
        for (a, b) in of_home.iter().zip(of_home.iter().skip(1)) {
            // A wrong postal code can be in another county: such a pair is counted as two.
            drop(database.rule_on_pair(a, b, Some(PairRuling::OneHome), "local", at));
        }
    }
    merge(&database);
    let truth = active();
    let error = |stock: i64| (stock - truth).abs() as f64 / truth as f64;
    assert!(truth > 100, "{truth}");
    assert!(error(of_listings) > 0.25, "{of_listings} listings of {truth} homes");
    assert!(error(of_homes) < 0.03, "{of_homes} homes found of {truth}, shown by {of_listings} listings");
}
