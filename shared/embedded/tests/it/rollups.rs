//! What is read of wide areas always equals the plain sum of their homes, whatever was rolled up, when, and by whom.

mod check;
mod readers;

use std::collections::BTreeMap;
use std::io::Write;
use std::path::Path;
use std::process::{Command, Stdio};
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use rusqlite::Connection;
use stoop_dice::Dice;
use stoop_domain::{
    Address, Currency, Home, HomeId, Listing, Minor, Observation, PropertyType, Purpose, Status, Time, Watch, home_id,
};
use stoop_embedded::Database;
use stoop_market::{Cells, Figures, Segment, Wide, Zones, closes, contribution};
use stoop_pipeline::ports::PortError;
use stoop_pipeline::{WideArea, WideLevel};
use stoop_waits::{Lines, PATIENCE, ended};

use crate::support::{lake, open, paths};
use crate::verify::{measure, verify};

const CHILD: &str = "STOOP_ROLL_UP_CHILD";

/// 2026-01-01, midnight UTC.
const START: i64 = 1_767_225_600_000;

/// Two cities of a county, one without a county, an unknown city, and another country, with two currencies.
const ADDRESSES: [[Option<&str>; 5]; 7] = [
    [Some("US"), Some("WA"), Some("King"), Some("Seattle"), Some("98103")],
    [Some("US"), Some("WA"), Some("King"), Some("Seattle"), Some("98178")],
    [Some("US"), Some("WA"), Some("King"), Some("Renton"), Some("98055")],
    [Some("US"), Some("WA"), None, Some("Little Nowhere"), None],
    [Some("US"), Some("WA"), None, None, Some("98110")],
    [Some("US"), Some("IL"), Some("Cook"), Some("Chicago"), Some("60614")],
    [Some("MA"), None, None, Some("Agadir"), None],
];

fn day(day: i64) -> Time {
    Time::from_ms(START + day * Time::DAY_MS)
}

/// One of sixty homes, seen on about this day or long ago. It may have moved, gone, come back, be for rent, or cost
/// more.
fn sighting(random: &mut Dice, today: i64) -> Observation {
    let home = random.below(60);
    let late = if random.one_in(6) { random.below(900) } else { random.below(3) };
    let address = ADDRESSES[usize::try_from(if random.one_in(8) { random.below(7) } else { home % 7 }).unwrap()];
    let [country, region, county, city, postal_code] = address.map(|name| name.map(str::to_owned));
    let currency = if country.as_deref() == Some("MA") { Currency::MAD } else { Currency::USD };
    let address = Address { country, region, county, city, postal_code, ..Address::default() };
    let purpose = if home % 11 == 0 { Purpose::Rent } else { Purpose::Sale };
    let mut listing = Listing::new(purpose, currency, address);
    let states = [Status::Active, Status::Active, Status::Active, Status::Active, Status::Pending, Status::Gone];
    listing.status = states[usize::try_from(random.below(6)).unwrap()];
    listing.list_price = Some(Minor(30_000_000 + home * 777_777 + random.below(4) * 1_000_000));
    listing.property_type = [None, Some(PropertyType::Condominium)][usize::try_from(home % 2).unwrap()];
    listing.bedrooms = Some(u8::try_from(if random.one_in(9) { 9 } else { home % 4 }).unwrap());
    let at = day(today - late).plus_ms(random.below(Time::DAY_MS));
    let mut seen = Observation::new("mls", format!("h{home}"), at, listing);
    seen.watch = [Watch::Repeated, Watch::Complete, Watch::Once][usize::try_from(home % 3).unwrap()];
    seen
}

/// Every wide area as the plain sum of its homes: from the lake alone, without folding.
fn plain(database: &Database) -> BTreeMap<WideArea, Cells> {
    let mut homes: BTreeMap<HomeId, Home> = BTreeMap::new();
    for seen in lake(database) {
        homes.entry(home_id(&seen)).or_default().apply(&seen);
    }
    let mut sums: BTreeMap<WideArea, Cells> = BTreeMap::new();
    for home in homes.values() {
        for (market, delta) in contribution(&home.history, &mut Zones::default()).into_deltas() {
            for level in WideLevel::ALL {
                drop(sums.entry(WideArea::of(&market, level)).or_default().add(&delta));
            }
        }
    }
    sums
}

#[track_caller]
fn is_the_sum(area: &WideArea, wide: &Wide, plain: &Cells, now: Time) {
    let zone = area.country().zone;
    for segment in [Segment::All].into_iter().chain(plain.segments()) {
        let (got, expected) = (wide.figures(segment, now, &zone), Figures::of(plain, segment, now, &zone));
        assert_eq!(got, expected.stored(segment), "{area} {segment:?} on {now}");
    }
    let today = now.day_in(&zone);
    let from = stoop_domain::Day(today.0 - 426);
    assert_eq!(wide.closes(from, today), closes(plain, Segment::All, from, today), "{area}");
}

/// Compares each area of each level with the sum of its homes at this moment.
#[track_caller]
fn all_are_sums(database: &Database, now: Time) {
    let plain = plain(database);
    for (area, plain) in &plain {
        let wide = database.wide(area, now).unwrap().unwrap_or_else(|| panic!("{area} has no sum on {now}"));
        is_the_sum(area, &wide, plain, now);
    }
    let nothing = Cells::default();
    for level in WideLevel::ALL {
        let mut listed = Vec::new();
        let visit = |area: WideArea, wide: Option<Wide>| {
            let zone = area.country().zone;
            let figures = wide.unwrap().figures(Segment::All, now, &zone);
            // No home counts there any more: it was first seen there under contract, and for sale elsewhere.
            let Some(cells) = plain.get(&area) else {
                let none = Figures::of(&nothing, Segment::All, now, &zone);
                assert_eq!(figures, none, "{area}");
                return Ok::<(), PortError>(());
            };
            assert_eq!(figures.active, Figures::of(cells, Segment::All, now, &zone).active, "{area}");
            listed.push(area);
            Ok(())
        };
        database.each_wide(level, now, visit).unwrap();
        let expected: Vec<WideArea> = plain.keys().filter(|area| area.level() == level).cloned().collect();
        assert_eq!(listed, expected);
    }
}

fn rolled(folder: &Path) -> Vec<String> {
    let connection = Connection::open(paths(folder).0).unwrap();
    let sql = "SELECT path || terms || coalesce(first, '') || hex(now) || hex(series) FROM areas ORDER BY 1";
    let mut statement = connection.prepare(sql).unwrap();
    statement.query_map([], |row| row.get(0)).unwrap().map(Result::unwrap).collect()
}

/// Homes that move, go, come back and are seen late, over two years; rolled up now and then, sometimes days later.
#[test]
fn an_area_is_always_the_sum_of_its_homes() {
    for seed in 0..3 {
        let folder = tempfile::TempDir::new().unwrap();
        let database = open(folder.path());
        let mut random = Dice::new(seed);
        let (mut today, mut rolls) = (0, 0);
        for _ in 0..30 {
            today += if random.one_in(6) { random.below(120) } else { random.below(4) };
            let batch: Vec<Observation> = (0..=random.below(12)).map(|_| sighting(&mut random, today)).collect();
            measure(&database, &batch);
            if random.one_in(3) {
                rolls += database.roll_up(day(today + random.below(2)), &|| false).unwrap();
            }
            // As far ahead as a sum reaches, and beyond.
            for ahead in [1, random.below(20)] {
                all_are_sums(&database, day(today + ahead));
            }
        }
        assert!(rolls > 20, "{rolls} cities are too few for the test");
        database.roll_up(day(today), &|| false).unwrap();
        all_are_sums(&database, day(today + 1));
        assert_eq!(verify(folder.path()).differences, Vec::<String>::new());
    }
}

#[test]
fn a_rolled_up_city_waits_until_its_days_end() {
    let folder = tempfile::TempDir::new().unwrap();
    let database = open(folder.path());
    let mut random = Dice::new(1);
    measure(&database, &(0..200).map(|_| sighting(&mut random, 100)).collect::<Vec<_>>());
    let cities = database.roll_up(day(101), &|| false).unwrap();
    assert!(cities > 6, "{cities}");
    let before = rolled(folder.path());
    for later in [101, 100, 103, 105] {
        assert_eq!(database.roll_up(day(later), &|| false).unwrap(), 0, "on day {later}");
        assert_eq!(rolled(folder.path()), before);
    }
    // A confirmation changes the expiry of a home only, in one city.
    let again = sighting(&mut Dice::new(5), 102);
    measure(&database, std::slice::from_ref(&again));
    let moved = database.roll_up(day(102), &|| false).unwrap();
    assert!((1..=2).contains(&moved), "{moved}: the city that it is in, and the one that it left");
    assert_eq!(
        database.roll_up(day(106), &|| false).unwrap(),
        cities,
        "their days end soon, also where something was added"
    );
    assert_eq!(database.roll_up(day(106), &|| false).unwrap(), 0);
    all_are_sums(&database, day(106));
    // A clock that was months ahead and was corrected.
    assert!(database.roll_up(day(300), &|| false).unwrap() >= cities);
    assert_eq!(database.wide(&area("us:sale:USD"), day(106)).unwrap(), None, "it has no day before its first");
    assert!(database.roll_up(day(106), &|| false).unwrap() >= cities);
    all_are_sums(&database, day(106));
}

/// A row of long ago goes into the archive of a market whose state hardly grows.
#[test]
fn a_late_row_of_a_large_market_is_in_its_areas() {
    let folder = tempfile::TempDir::new().unwrap();
    let database = open(folder.path());
    let mut random = Dice::new(4);
    let in_one_market = |mut seen: Observation, home: i64, at: Time| {
        seen.native_id = format!("h{home}");
        (seen.listing.status, seen.listing.purpose) = (Status::Active, Purpose::Sale);
        let [country, region, county, city, postal_code] = ADDRESSES[0].map(|name| name.map(str::to_owned));
        seen.listing.address = Address { country, region, county, city, postal_code, ..Address::default() };
        seen.listing.currency = Currency::USD;
        (seen.at, seen.seen) = (at, at);
        seen
    };
    for today in [480, 490, 500] {
        let homes =
            (0..400).map(|home| in_one_market(sighting(&mut random, today), home, day(today))).collect::<Vec<_>>();
        measure(&database, &homes);
    }
    assert!(database.roll_up(day(501), &|| false).unwrap() > 0);
    let (mut homes, mut tails) = (400, 0);
    // Alone, and together with an observation that moves the horizon, as one of these days does.
    for today in 500..532 {
        let before = rolled_bases(folder.path());
        let late = in_one_market(sighting(&mut random, 500), homes, day(today - 416 - homes % 9));
        let now = in_one_market(sighting(&mut random, 500), homes % 7, day(today));
        measure(&database, &[late, now]);
        all_are_sums(&database, day(today));
        assert_eq!(database.roll_up(day(today), &|| false).unwrap(), 1);
        all_are_sums(&database, day(today));
        (homes, tails) = (homes + 1, tails + usize::from(rolled_bases(folder.path()) == before));
    }
    assert!(tails > 25, "{tails} of them went into tails");
}

/// A home that leaves an area, or that was elsewhere before, as a late observation shows. Under contract all the time that it was
/// there, it leaves an area without any home.
#[test]
fn an_area_that_its_only_home_leaves_is_a_sum() {
    let states = [Status::Active, Status::Pending, Status::Gone];
    let cases = states.into_iter().flat_map(|there| states.map(|elsewhere| (there, elsewhere)));
    for ((there, elsewhere), on) in cases.flat_map(|case| [(case, 99), (case, 101)]) {
        let folder = tempfile::TempDir::new().unwrap();
        let database = open(folder.path());
        let seen = |place: usize, status: Status, on: i64| {
            let [country, region, county, city, postal_code] = ADDRESSES[place].map(|name| name.map(str::to_owned));
            let address = Address { country, region, county, city, postal_code, ..Address::default() };
            let mut listing = Listing::new(Purpose::Sale, Currency::USD, address);
            (listing.status, listing.list_price) = (status, Some(Minor(30_000_000)));
            Observation::new("mls", "h1", day(on), listing)
        };
        measure(&database, &[seen(5, there, 100)]);
        measure(&database, &[seen(0, elsewhere, on)]);
        all_are_sums(&database, day(102));
        database.roll_up(day(102), &|| false).unwrap();
        all_are_sums(&database, day(102));
        let different = verify(folder.path()).differences;
        assert_eq!(different, Vec::<String>::new(), "{there:?} on day 100, {elsewhere:?} elsewhere on day {on}");
    }
}

fn rolled_bases(folder: &Path) -> Vec<(String, i64)> {
    let connection = Connection::open(paths(folder).0).unwrap();
    let mut statement = connection.prepare("SELECT market, version FROM bases ORDER BY 1").unwrap();
    statement.query_map([], |row| Ok((row.get(0)?, row.get(1)?))).unwrap().map(Result::unwrap).collect()
}

fn area(id: &str) -> WideArea {
    let (path, terms) = id.split_once(':').unwrap();
    WideArea::new(path, terms.parse().unwrap()).unwrap()
}

/// Hours, and windows of ninety days, are not available for a moment long ago.
#[test]
fn a_moment_long_ago_has_no_sums() {
    let folder = tempfile::TempDir::new().unwrap();
    let database = open(folder.path());
    let mut random = Dice::new(2);
    measure(&database, &(0..50).map(|_| sighting(&mut random, 100)).collect::<Vec<_>>());
    for is_rolled in [false, true] {
        assert_eq!(database.wide(&area("us/wa:sale:USD"), day(60)).unwrap(), None);
        assert!(database.wide(&area("us/wa:sale:USD"), day(101)).unwrap().is_some());
        assert_eq!(database.wide(&area("fr/paris:sale:EUR"), day(101)).unwrap(), Some(Wide::default()), "{is_rolled}");
        database.roll_up(day(100), &|| false).unwrap();
    }
}

/// Others write and read during a roll-up; each read sees one moment.
#[test]
fn writers_readers_and_roll_ups_run_concurrently() {
    let folder = tempfile::TempDir::new().unwrap();
    drop(open(folder.path()));
    let written = AtomicBool::new(false);
    let write = |seed: u64| {
        let database = open(folder.path());
        let mut random = Dice::new(seed);
        for step in 0..30 {
            measure(&database, &(0..5).map(|_| sighting(&mut random, 100 + step / 4)).collect::<Vec<_>>());
        }
    };
    let roll = || {
        let database = open(folder.path());
        let mut cities = 0;
        let began = Instant::now();
        while !written.load(Ordering::SeqCst) {
            // Nobody says that all is written when a reader has panicked.
            assert!(began.elapsed() < PATIENCE, "waited {PATIENCE:?} in vain for the writers");
            cities += database.roll_up(day(110), &|| false).unwrap();
        }
        cities
    };
    let (cities, reads) = std::thread::scope(|scope| {
        let rolling = [scope.spawn(roll), scope.spawn(roll)];
        let writing = [scope.spawn(|| write(1)), scope.spawn(|| write(2))];
        let (path, data) = paths(folder.path());
        let reader = Database::open_read(&path, &data).unwrap();
        let mut reads = 0;
        let began = Instant::now();
        while !writing.iter().all(std::thread::ScopedJoinHandle::is_finished) {
            assert!(began.elapsed() < PATIENCE, "waited {PATIENCE:?} in vain for the writers");
            let read = || {
                all_are_sums(&reader, day(110));
                Ok::<(), PortError>(())
            };
            reader.reading(read).unwrap();
            reads += 1;
        }
        written.store(true, Ordering::SeqCst);
        writing.into_iter().for_each(|writer| writer.join().unwrap());
        (rolling.into_iter().map(|rolling| rolling.join().unwrap()).sum::<u64>(), reads)
    });
    assert!(cities > 0 && reads > 0);
    let database = open(folder.path());
    database.roll_up(day(111), &|| false).unwrap();
    all_are_sums(&database, day(111));
    assert_eq!(verify(folder.path()).differences, Vec::<String>::new());
}

/// Not a test: the child process runs this until it is killed.
#[test]
fn child() {
    let Ok(folder) = std::env::var(CHILD) else { return };
    let database = open(Path::new(&folder));
    let mut random = Dice::new(u64::from(std::process::id()));
    let mut stdout = std::io::stdout();
    loop {
        measure(&database, &(0..6).map(|_| sighting(&mut random, 100)).collect::<Vec<_>>());
        writeln!(stdout, "\nmeasured").unwrap();
        stdout.flush().unwrap();
        database.roll_up(day(101), &|| false).unwrap();
    }
}

#[test]
fn areas_are_the_sums_of_their_homes_after_a_kill_at_any_moment() {
    let folder = tempfile::TempDir::new().unwrap();
    let mut waiting = 0;
    for round in 0..20_u64 {
        let mut child = Command::new(std::env::current_exe().unwrap())
            .args(["--exact", "rollups::child", "--nocapture"])
            .env(CHILD, folder.path())
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()
            .unwrap();
        let lines = Lines::of(child.stdout.take().unwrap());
        let lines = std::iter::from_fn(|| lines.next("a measurement of the child"));
        lines.filter(|line| line == "measured").nth(usize::try_from(round % 4).unwrap()).unwrap();
        std::thread::sleep(Duration::from_micros(round * 7_919 % 30_000));
        child.kill().unwrap();
        ended(&mut child, "the end of the killed child", PATIENCE).unwrap();
        let database = open(folder.path());
        all_are_sums(&database, day(101));
        assert_eq!(verify(folder.path()).differences, Vec::<String>::new(), "round {round}");
        let connection = Connection::open(paths(folder.path()).0).unwrap();
        let sql = "SELECT count(*) FROM markets WHERE version <> rolled";
        waiting += connection.query_row(sql, [], |row| row.get::<_, i64>(0)).unwrap();
    }
    assert!(waiting > 0, "none of them was killed before it was done");
}

/// With these seeds, a market is committed before and after its horizon advances, and not rolled up in between.
#[test]
fn several_commits_between_two_roll_ups_lose_no_day() {
    for seed in [110, 126, 178, 265] {
        let folder = tempfile::TempDir::new().unwrap();
        let database = open(folder.path());
        let mut random = Dice::new(seed);
        for step in 0..60 {
            measure(&database, &(0..6).map(|_| sighting(&mut random, 100)).collect::<Vec<_>>());
            if random.one_in(3) {
                continue;
            }
            database.roll_up(day(101), &|| false).unwrap();
            if step % 10 > 6 {
                assert_eq!(verify(folder.path()).differences, Vec::<String>::new(), "seed {seed}, step {step}");
            }
        }
    }
}
