//! Wide areas on DynamoDB and S3 equal those of SQLite for the same homes.

use std::sync::Arc;

use stoop_aws::StackAreas;
use stoop_domain::{Address, Currency, Listing, Market, Minor, Observation, PropertyType, Purpose, Status, Time};
use stoop_embedded::Database;
use stoop_market::Segment;
use stoop_pipeline::ports::{PortError, ShownWide, Views, WideAreas};
use stoop_pipeline::{Measurer, RolledUp, WideArea, WideLevel, roll_up, roll_up_all};
use stoop_serve::MergedId;
use stoop_tests::{conformance, made};

use crate::dynamo::{MemoryLake, Tables};
use crate::services::Bucket;

/// Two counties of a region, one of them with two cities, one without a known county, and another country.
const PLACES: [[Option<&str>; 5]; 6] = [
    [Some("US"), Some("WA"), Some("King"), Some("Seattle"), Some("98103")],
    [Some("US"), Some("WA"), Some("King"), Some("Seattle"), Some("98178")],
    [Some("US"), Some("WA"), Some("King"), Some("Renton"), Some("98055")],
    [Some("US"), Some("WA"), None, Some("Little Nowhere"), None],
    [Some("US"), Some("IL"), Some("Cook"), Some("Chicago"), Some("60614")],
    [Some("MA"), None, None, Some("Agadir"), None],
];

struct World {
    tables: Tables,
    bucket: Bucket,
    areas: StackAreas,
    lake: Arc<MemoryLake>,
    database: Arc<Database>,
    _folder: tempfile::TempDir,
}

impl World {
    async fn new() -> Self {
        let (tables, bucket) = (Tables::new().await, Bucket::create().await);
        let areas = StackAreas::new(tables.client.clone(), bucket.client.clone(), &tables.markets, &bucket.name);
        let folder = tempfile::tempdir().unwrap();
        let database = Database::open(&folder.path().join("stoop.db"), &folder.path().join("data")).unwrap();
        Self { tables, bucket, areas, lake: Arc::default(), database, _folder: folder }
    }

    /// Measures homes in both stores.
    async fn measure(&self, batch: &[Observation]) {
        Measurer::new(&*self.tables.store(&self.lake)).measure(batch).await.unwrap();
        Measurer::new(&*self.database).measure(batch).await.unwrap();
    }

    async fn markets(&self) -> Vec<Market> {
        let mut markets = self.tables.views().market_ids().await.unwrap();
        markets.sort_unstable();
        markets
    }

    async fn roll(&self, now: Time) -> RolledUp {
        roll_up(&self.areas, now, &|| false).await.unwrap()
    }

    async fn shown(&self, area: &WideArea, now: Time) -> Option<ShownWide> {
        let markets = self.markets().await;
        let count = markets.iter().filter(|market| WideArea::of(market, area.level()) == *area).count();
        self.areas.wide(area, count, now).await.unwrap()
    }

    /// Asserts that each area equals that of SQLite, alone and in a list.
    async fn all_are_alike(&self, now: Time) {
        let markets = self.markets().await;
        for level in WideLevel::ALL {
            let mut expected = Vec::new();
            let visit = |area, wide| {
                expected.push((area, wide));
                Ok::<(), PortError>(())
            };
            self.database.each_wide(level, now, visit).unwrap();
            let mut listed = Vec::new();
            self.areas.each(level, &markets, now, &mut |area, shown| listed.push((area, shown))).await.unwrap();
            listed.sort_unstable_by(|(a, _), (b, _)| a.cmp(b));
            assert_eq!(listed.len(), expected.len(), "{level:?}");
            for ((area, shown), (of, wide)) in listed.into_iter().zip(expected) {
                assert_eq!(area, of);
                let (shown, wide) = (shown.unwrap_or_else(|| panic!("{area} has no sum")), wide.unwrap());
                assert_eq!(shown.rolled_up, None, "{area}");
                let zone = area.country().zone;
                for segment in [Segment::All].into_iter().chain(wide.segments()) {
                    let [got, expected] = [&shown.sum, &wide].map(|sum| sum.figures(segment, now, &zone));
                    assert_eq!(got, expected, "{area} {segment:?}");
                }
                if level != WideLevel::City {
                    let whole = self.shown(&area, now).await.unwrap();
                    let expected = self.database.wide(&area, now).unwrap().unwrap();
                    let until = now.day_in(&zone);
                    let from = stoop_domain::Day(until.0 - 400);
                    assert_eq!(whole.sum.closes(from, until), expected.closes(from, until), "{area}");
                }
            }
        }
    }

    async fn delete(self) {
        self.tables.delete().await;
        self.bucket.delete().await;
    }
}

fn day(day: i64) -> Time {
    Time::parse("2026-01-01T00:00:00Z").unwrap().plus_ms(day * Time::DAY_MS)
}

fn area(id: &str) -> WideArea {
    let (path, terms) = id.split_once(':').unwrap();
    WideArea::new(path, terms.parse::<MergedId>().unwrap()).unwrap()
}

/// Home `home` has a new price at each sighting, and is gone now and then.
fn sighting(home: usize, seen: i64) -> Observation {
    let [country, region, county, city, postal_code] = PLACES[home % PLACES.len()].map(|name| name.map(str::to_owned));
    let currency = if country.as_deref() == Some("MA") { Currency::MAD } else { Currency::USD };
    let address = Address { country, region, county, city, postal_code, ..Address::default() };
    let purpose = if home.is_multiple_of(13) { Purpose::Rent } else { Purpose::Sale };
    let mut listing = Listing::new(purpose, currency, address);
    let price = 40_000_000 + i64::try_from(home).unwrap() * 999_999 - seen * 12_345;
    listing.list_price = Some(Minor(price));
    listing.property_type = Some(PropertyType::Condominium).filter(|_| home.is_multiple_of(2));
    listing.status = if (seen + i64::try_from(home).unwrap()) % 7 == 0 { Status::Gone } else { Status::Active };
    Observation::new("mls", format!("h{home}"), day(seen).plus_ms(i64::try_from(home).unwrap() * 60_000), listing)
}

fn homes(homes: std::ops::Range<usize>, seen: i64) -> Vec<Observation> {
    homes.map(|home| sighting(home, seen)).collect()
}

#[tokio::test]
async fn areas_equal_those_of_sqlite() {
    let world = World::new().await;
    // Over two years, so that there are bases, tails and archives; with late rows of long ago.
    for seen in [0, 100, 200, 300, 399, 400] {
        world.measure(&homes(0..80, seen)).await;
        world.measure(&homes(0..9, seen - 77)).await;
    }
    assert_eq!(world.shown(&area("us/wa:sale:USD"), day(401)).await, None, "nothing was rolled up yet");
    let all = world.markets().await.len();
    let first = world.roll(day(401)).await;
    assert_eq!((first.markets, first.left, first.failed), (all, 0, 0));
    world.all_are_alike(day(401)).await;
    world.all_are_alike(day(405)).await;
    assert_eq!(world.roll(day(401)).await, RolledUp::default(), "nothing changed");

    // One home of Seattle changes: until it is rolled up the sums report their time.
    world.measure(&homes(0..1, 402)).await;
    let behind = world.shown(&area("us:rent:USD"), day(402)).await.unwrap();
    assert_eq!(behind.rolled_up, Some(day(401)));
    let elsewhere = world.shown(&area("ma:sale:MAD"), day(402)).await.unwrap();
    assert_eq!(elsewhere.rolled_up, None, "nothing of it changed");
    let done = world.roll(day(402)).await;
    assert_eq!((done.markets, done.written), (1, 3), "its county, region and country");
    world.all_are_alike(day(402)).await;

    // A new market exists before any sum includes it.
    world.measure(&[sighting(PLACES.len() * 14, 403), sighting(13 * 2, 403)]).await;
    let done = world.roll(day(403)).await;
    assert!(done.markets >= 1, "{done:?}");
    world.all_are_alike(day(403)).await;
    world.delete().await;
}

#[tokio::test]
async fn the_stack_has_wide_areas() {
    let world = World::new().await;
    let store = world.tables.store(&world.lake);
    let roll = async |now| {
        world.roll(now).await;
    };
    conformance::wide_areas_conformance(&world.areas, &*store, roll).await;
    world.delete().await;
}

#[tokio::test]
async fn the_stack_can_be_rolled_up() {
    let world = World::new().await;
    let store = world.tables.store(&world.lake);
    let spoil = async |area: &WideArea| {
        let body = aws_sdk_s3::primitives::ByteStream::from_static(b"something else");
        let request = world.bucket.client.put_object().bucket(&world.bucket.name).key(world.areas.key(area).unwrap());
        request.body(body).send().await.unwrap();
        assert_eq!(world.shown(area, made::minute(0)).await, None, "it is not shown");
    };
    conformance::roll_ups_conformance(&world.areas, &*store, spoil).await;
    world.delete().await;
}

#[tokio::test]
async fn sums_that_were_lost_are_made_again() {
    let world = World::new().await;
    world.measure(&homes(0..30, 0)).await;
    world.roll(day(1)).await;
    for lost in ["us/wa/king:sale:USD", "us/wa:sale:USD", "us:sale:USD"] {
        let lost = area(lost);
        let key = world.areas.key(&lost).unwrap();
        world.bucket.client.delete_object().bucket(&world.bucket.name).key(key).send().await.unwrap();
        assert_eq!(world.shown(&lost, day(1)).await, None);
        world.measure(&homes(1..2, 2)).await;
        let done = roll_up_all(&world.areas, day(2), &|| false).await.unwrap();
        assert_eq!((done.failed, done.left), (0, 0));
        world.all_are_alike(day(2)).await;
    }
    world.delete().await;
}

#[tokio::test]
async fn every_area_has_its_own_valid_key() {
    let world = World::new().await;
    let long = "x".repeat(900);
    let ids = [
        "us:sale:USD".to_owned(),
        "us:rent:USD".to_owned(),
        "us/wa:sale:USD".to_owned(),
        "us/wa/-:sale:USD".to_owned(),
        "us/wa/~back-of-beyond:sale:USD".to_owned(),
        format!("us/wa/{long}:sale:USD"),
        format!("us/wa/{long}y:sale:USD"),
    ];
    let keys: std::collections::BTreeSet<String> = ids.iter().map(|id| world.areas.key(&area(id)).unwrap()).collect();
    assert_eq!(keys.len(), ids.len());
    assert!(keys.iter().all(|key| key.len() <= 1_024 && key.starts_with("rollups/")), "{keys:?}");
    world.delete().await;
}
