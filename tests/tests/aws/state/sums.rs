//! The sums of a stack's counties, regions and countries, as a pull checks them.

use std::sync::atomic::{AtomicUsize, Ordering};
use std::thread;

use async_trait::async_trait;
use aws_sdk_dynamodb::types::AttributeValue;
use stoop_aws::StackAreas;
use stoop_aws_cli::{Pulled, pull};
use stoop_domain::{Address, Currency, Day, Listing, Market, Minor, Observation, Purpose, Time};
use stoop_pipeline::ports::{PortError, RollUps, StoredSum, WholeMarket};
use stoop_pipeline::{AreaSum, Clock, RolledUp, Total, WideArea, WideLevel, roll_up, roll_up_all};
use stoop_runtime::SystemClock;
use stoop_serve::MergedId;

use super::town::{Town, measure, verify};
use super::{quiet, without};
use crate::dynamo::{Tables, clients};

/// Two counties of a region, one of them with two markets, another region, and another country.
const PLACES: [[&str; 5]; 5] = [
    ["US", "WA", "King", "Seattle", "98103"],
    ["US", "WA", "King", "Renton", "98055"],
    ["US", "WA", "Pierce", "Tacoma", "98402"],
    ["US", "IL", "Cook", "Chicago", "60614"],
    ["MA", "Casablanca-Settat", "Casablanca", "Casablanca", "20000"],
];
const SEATTLE: &str = "us/wa/king/seattle/98103:sale:USD";
const RENTON: &str = "us/wa/king/renton/98055:sale:USD";

/// Long before the day of the test run.
fn day(day: i64) -> Time {
    Time::parse("2024-03-01T12:00:00Z").unwrap().plus_ms(day * Time::DAY_MS)
}

fn seen_in([country, region, county, city, postal_code]: [&str; 5], id: &str, at: i64) -> Observation {
    let currency = if country == "MA" { Currency::MAD } else { Currency::USD };
    let [country, region, county, city, postal_code] =
        [country, region, county, city, postal_code].map(|name| Some(name.to_owned()));
    let address = Address { country, region, county, city, postal_code, ..Address::default() };
    let mut listing = Listing::new(Purpose::Sale, currency, address);
    let price = id.bytes().fold(40, |price, byte| price * 7 % 97 + i64::from(byte));
    listing.list_price = Some(Minor(price * 1_000_000 + at));
    Observation::new("mls", id, day(at), listing)
}

/// A different number of homes in each place, so that no two markets are equal.
fn homes() -> Vec<Observation> {
    let of_place = |address: usize| {
        (0..=address * address).map(move |home| seen_in(PLACES[address], &format!("{address}-{home}"), 0))
    };
    (0..PLACES.len()).flat_map(of_place).collect()
}

fn area(id: &str) -> WideArea {
    let (path, terms) = id.split_once(':').unwrap();
    WideArea::new(path, terms.parse::<MergedId>().unwrap()).unwrap()
}

fn areas_of(tables: &Tables, bucket: &str) -> StackAreas {
    StackAreas::new(clients().dynamodb(), clients().s3(), &tables.markets, bucket)
}

async fn roll(areas: &dyn RollUps, now: i64) -> RolledUp {
    roll_up(areas, day(now), &|| false).await.unwrap()
}

/// A pass that is killed after it has stored this many sums.
struct Killed<'a> {
    areas: &'a StackAreas,
    puts: usize,
    put: AtomicUsize,
}

#[async_trait]
impl RollUps for Killed<'_> {
    async fn changed(&self) -> Result<Vec<Market>, PortError> {
        self.areas.changed().await
    }

    async fn markets(&self) -> Result<Vec<Market>, PortError> {
        self.areas.markets().await
    }

    async fn whole(&self, markets: &[Market], covered_from: Day) -> Result<Vec<Option<WholeMarket>>, PortError> {
        self.areas.whole(markets, covered_from).await
    }

    async fn settle(&self, _: &[(Market, u64)]) -> Result<(), PortError> {
        Err(PortError::unavailable("settle", "it was killed"))
    }

    async fn sum(&self, area: &WideArea) -> Result<StoredSum, PortError> {
        self.areas.sum(area).await
    }

    async fn put(&self, area: &WideArea, sum: &AreaSum, read: &StoredSum) -> Result<bool, PortError> {
        if self.put.fetch_add(1, Ordering::Relaxed) >= self.puts {
            return Err(PortError::unavailable("put", "it was killed"));
        }
        self.areas.put(area, sum, read).await
    }
}

fn is_right(pulled: &Pulled, sums: u64, when: &str) {
    assert_eq!((pulled.wrongs.as_slice(), pulled.wrong, pulled.sums), ([].as_slice(), 0, sums), "{when}");
}

#[tokio::test]
async fn correct_sums_and_waiting_markets_are_not_errors() {
    let town = Town::of(&[homes()]).await;
    let areas = areas_of(&town.tables, &town.bucket.name);
    is_right(&town.pull().await, 0, "nothing is rolled up yet");
    assert_eq!(roll(&areas, 1).await.markets, PLACES.len());
    is_right(&town.pull().await, 9, "all is");
    let found = verify(&town.pulled());
    assert_eq!((found.differences.as_slice(), found.areas), ([].as_slice(), 14), "the folder has its own, with cities");

    // A market that changes, one that is new in its county, and one in a new county.
    let new = ["US", "WA", "King", "Seattle", "98178"];
    let elsewhere = ["US", "OR", "Lane", "Eugene", "97401"];
    let more = [seen_in(PLACES[0], "0-0", 2), seen_in(new, "new", 2), seen_in(elsewhere, "elsewhere", 2)];
    for (n, seen) in more.iter().enumerate() {
        town.take(1 + n, std::slice::from_ref(seen)).await;
    }
    is_right(&town.pull().await, 9, "three wait");
    // Where a pass begins depends on its time: on this day with the new county, and then its region.
    for (puts, sums) in [(1, 10), (1, 11), (2, 11), (9, 11)] {
        roll(&Killed { areas: &areas, puts, put: AtomicUsize::new(0) }, 4).await;
        is_right(&town.pull().await, sums, &format!("killed after {puts} sums"));
    }
    assert_eq!(roll(&areas, 4).await.markets, more.len());
    is_right(&town.pull().await, 11, "all is again");
    assert_eq!(verify(&town.pulled()).differences, Vec::<String>::new());

    // Days advance without a changed market: the pass of the next day catches up.
    let killed = Killed { areas: &areas, puts: 1, put: AtomicUsize::new(0) };
    assert_eq!(roll_up_all(&killed, SystemClock.now(), &|| false).await.unwrap().written, 1);
    is_right(&town.pull().await, 11, "killed after a county");
    town.delete().await;
}

#[tokio::test]
async fn a_roll_up_during_the_pull_is_not_an_error() {
    let town = Town::of(&[homes()]).await;
    let areas = areas_of(&town.tables, &town.bucket.name);
    roll(&areas, 1).await;
    let new = ["US", "WA", "King", "Seattle", "98178"];
    let elsewhere = ["US", "OR", "Lane", "Eugene", "97401"];
    let seen = |at| vec![seen_in(PLACES[0], "0-0", at), seen_in(new, "new", at), seen_in(elsewhere, "elsewhere", at)];
    for (at, is_rolled_up) in [(2, true), (3, false)] {
        let meanwhile = |line: &str| {
            if !line.contains(" markets of the table ") {
                return;
            }
            let live = async {
                // Rolled up, and changed again afterwards.
                measure(&quiet(&town.tables, clients().dynamodb()), &[seen(at)]).await;
                if is_rolled_up {
                    roll(&areas_of(&town.tables, &town.bucket.name), at).await;
                    measure(&quiet(&town.tables, clients().dynamodb()), &[vec![seen_in(new, "newer", at)]]).await;
                }
            };
            let run = || tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap().block_on(live);
            thread::scope(|scope| scope.spawn(run).join().unwrap());
        };
        let pulled = pull(&clients(), &town.pulled(), &town.stack(), &meanwhile).await.unwrap();
        is_right(&pulled, 11, "it continues in the meantime");
    }
    town.delete().await;
}

/// A rolled-up town in which single sums are changed.
struct Altered {
    town: Town,
    areas: StackAreas,
}

impl Altered {
    async fn sum(&self, id: &str) -> AreaSum {
        self.areas.sum(&area(id)).await.unwrap().sum.unwrap()
    }

    /// The errors of a pull when the object of an area has these bytes, or is missing; it is restored afterwards.
    async fn finds(&self, id: &str, bytes: Option<Vec<u8>>, expected: &str) {
        let key = self.areas.key(&area(id)).unwrap();
        let before = self.town.bucket.object(&key).await;
        self.put(&key, bytes).await;
        let pulled = self.town.pull().await;
        assert!(pulled.wrongs.iter().any(|wrong| wrong.contains(expected)), "{expected}: {:#?}", pulled.wrongs);
        self.put(&key, before).await;
    }

    async fn put(&self, key: &str, bytes: Option<Vec<u8>>) {
        let bucket = &self.town.bucket;
        match bytes {
            Some(bytes) => bucket.put(key, bytes).await,
            None => drop(bucket.client.delete_object().bucket(&bucket.name).key(key).send().await.unwrap()),
        }
    }
}

fn part_of(sum: &AreaSum, name: &str) -> Total {
    let part = sum.part(name).unwrap();
    Total { version: part.version, covered: part.covered, markets: part.markets, sum: part.sum().unwrap() }
}

/// The sum with a part replaced.
fn with(sum: &AreaSum, name: &str, part: &Total) -> Option<Vec<u8>> {
    let mut sum = sum.clone();
    sum.put(name, part).unwrap();
    Some(sum.to_bytes().unwrap())
}

/// The sum without a part, in the same version.
fn lacking(sum: &AreaSum, name: &str) -> Option<Vec<u8>> {
    let mut other = AreaSum::default();
    for (part, _) in sum.parts().filter(|(part, _)| *part != name) {
        other.put(part, &part_of(sum, part)).unwrap();
    }
    other.stamp(sum.version());
    Some(other.to_bytes().unwrap())
}

/// The total of one and the parts of the other.
fn total_and_parts(total: &[u8], parts: &[u8]) -> Option<Vec<u8>> {
    // The sizes of the total's two blobs come after magic, catalogue, version, days and number of markets.
    let end = |bytes: &[u8]| {
        let length = |at: usize| u32::from_le_bytes(bytes[at..at + 4].try_into().unwrap()) as usize;
        36 + length(28) + length(32)
    };
    Some([&total[..end(total)], &parts[end(parts)..]].concat())
}

const KING: &str = "us/wa/king:sale:USD";
const WASHINGTON: &str = "us/wa:sale:USD";
const COUNTRY: &str = "us:sale:USD";

async fn altered() -> Altered {
    let town = Town::of(&[homes()]).await;
    let areas = areas_of(&town.tables, &town.bucket.name);
    roll(&areas, 1).await;
    Altered { town, areas }
}

#[tokio::test]
async fn every_alteration_of_a_county_is_found() {
    let world = altered().await;
    let king = world.sum(KING).await;
    let (bytes, seattle, renton) = (king.to_bytes().unwrap(), part_of(&king, SEATTLE), part_of(&king, RENTON));
    let version = seattle.version;
    let cut = Some(bytes[..bytes.len() - 1].to_vec());
    let others = with(&king, SEATTLE, &Total { version, ..renton.clone() });
    let off = total_and_parts(others.as_ref().unwrap(), &bytes);
    let newer = with(&king, SEATTLE, &Total { version: version + 1, ..seattle.clone() });
    let older = with(&king, SEATTLE, &Total { version: version - 1, ..seattle.clone() });
    let mut days = seattle.covered;
    days.until = Day(days.until.0 + 1);
    let longer = with(&king, SEATTLE, &Total { covered: days, ..seattle.clone() });
    let two = with(&king, SEATTLE, &Total { markets: 2, ..seattle.clone() });
    let invented = with(&king, "us/wa/king/seattle/00000:sale:USD", &seattle);
    let strange = with(&king, "us/wa/pierce/tacoma/98402:sale:USD", &seattle);
    let nameless = with(&king, "somewhere", &seattle);
    let of = |what: &str| format!("the part {SEATTLE} of the sum of {KING}: {what}");
    let cases: [(Option<Vec<u8>>, String); 13] = [
        (None, format!("the sum of {KING} does not exist, and 2 of its markets are marked as rolled up")),
        (Some(b"something else".to_vec()), format!("the sum of {KING} cannot be read: it begins with")),
        (cut, format!("the sum of {KING} cannot be read: it is damaged")),
        (off, format!("the sum of {KING} is not that of its parts (stored, recomputed): ")),
        (others, of("(stored, recomputed): ")),
        (newer, of(&format!("it is of version {}, and the market of {version}", version + 1))),
        (older, of(&format!("it is of version {}, and the market is marked as rolled up", version - 1))),
        (lacking(&king, SEATTLE), of("it does not exist, and the market is marked as rolled up")),
        (longer, of("stored 1 markets and the days ")),
        (two, of("stored 2 markets and the days ")),
        (invented, "the part us/wa/king/seattle/00000:sale:USD of the sum of us/wa/king:sale:USD: there is no".into()),
        (strange, "the part us/wa/pierce/tacoma/98402:sale:USD of the sum of us/wa/king:sale:USD: it is not".into()),
        (nameless, format!("the part somewhere of the sum of {KING}: it is not a market of this county")),
    ];
    for (bytes, expected) in cases {
        world.finds(KING, bytes, &expected).await;
    }
    is_right(&world.town.pull().await, 9, "all is as it was");
    world.town.delete().await;
}

#[tokio::test]
async fn every_alteration_of_a_region_and_a_country_is_found() {
    let world = altered().await;
    let sums = [world.sum(WASHINGTON).await, world.sum(COUNTRY).await];
    let cases = [
        (WASHINGTON, "us/wa/king", KING, &sums[0], WideLevel::Region, 2, 3),
        (COUNTRY, "us/wa", WASHINGTON, &sums[1], WideLevel::Country, 3, 4),
    ];
    for (id, name, part_id, sum, level, in_part, in_all) in cases {
        let (bytes, part) = (sum.to_bytes().unwrap(), part_of(sum, name));
        let other = sum.parts().map(|(name, _)| name).find(|other| *other != name).unwrap();
        let other = part_of(sum, other);
        let others = with(sum, name, &Total { sum: other.sum, ..part.clone() });
        let newer = with(sum, name, &Total { version: part.version + 1, ..part.clone() });
        let older = with(sum, name, &Total { version: part.version - 1, ..part.clone() });
        let missing = with(sum, &format!("{}/nowhere", area(id).path()), &part);
        let strange = with(sum, "fr/idf", &part);
        let of = |what: &str| format!("the part {part_id} of the sum of {id}: {what}");
        world.finds(id, None, &format!("the sum of {id} does not exist, and {in_all} of its markets")).await;
        world.finds(id, Some(Vec::new()), &format!("the sum of {id} cannot be read")).await;
        let off = total_and_parts(others.as_ref().unwrap(), &bytes);
        world.finds(id, off, &format!("the sum of {id} is not that of its parts")).await;
        world.finds(id, others, &of("(stored, recomputed): ")).await;
        world.finds(id, newer, &of("it is of version")).await;
        world.finds(id, older, &of("it is of version")).await;
        let lacks = of(&format!("0 markets are in it, and {in_part} are marked as rolled up"));
        world.finds(id, lacking(sum, name), &lacks).await;
        world.finds(id, missing, "there is no such sum").await;
        if level == WideLevel::Country {
            world.finds(id, strange, &format!("the sum of {id} has a part \"fr/idf\", which is not in it")).await;
        }
    }
    // An object that is not of an existing area.
    let anything = Some(world.sum(KING).await.to_bytes().unwrap());
    world.finds("fr/idf:sale:EUR", anything, "fr/idf/sale-EUR.sum is not the sum of an area with markets").await;
    is_right(&world.town.pull().await, 9, "all is as it was");
    for key in world.areas.keys().await.unwrap() {
        world.put(&key, None).await;
    }
    assert_eq!(world.town.pull().await.wrongs, ["no area has a sum, and 5 markets are marked as rolled up"]);
    // The runbook's instructions.
    assert_eq!(roll_up_all(&world.areas, day(2), &|| false).await.unwrap().written, 9);
    is_right(&world.town.pull().await, 9, "everything is recomputed");
    world.town.delete().await;
}

#[tokio::test]
async fn old_sums_and_markets_that_are_not_rolled_up_are_found() {
    let world = altered().await;
    let mut before = Vec::new();
    for id in [KING, WASHINGTON, COUNTRY] {
        before.push((id, Some(world.sum(id).await.to_bytes().unwrap())));
    }
    world.town.take(1, &[seen_in(PLACES[0], "0-0", 2)]).await;
    // It is marked as rolled up, and is not.
    let table = &world.town.tables.markets;
    let heads = world.town.items(table, "market", SEATTLE).await;
    let head = heads.into_iter().find(|item| item["part"] == AttributeValue::S("head".into())).unwrap();
    world.town.put(table, without(&head, "changed").unwrap()).await;
    let wrongs = world.town.pull().await.wrongs;
    assert_eq!(wrongs.len(), 1, "{wrongs:?}");
    assert!(wrongs[0].contains("and the market is marked as rolled up in version 2"), "{wrongs:?}");
    world.town.put(table, head).await;
    roll(&world.areas, 2).await;
    is_right(&world.town.pull().await, 9, "it is rolled up");
    let expected = ["it is of version 1, and the market is marked", "for two days", "for two days"];
    for ((id, bytes), expected) in before.into_iter().zip(expected) {
        world.finds(id, bytes, expected).await;
    }
    is_right(&world.town.pull().await, 9, "all is as it was");
    world.town.delete().await;
}
