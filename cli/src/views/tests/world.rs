//! The small market that the tests look at.

use super::*;

pub(super) struct World {
    pub(super) database: Arc<Database>,
    /// Removed when the test ends.
    _folder: tempfile::TempDir,
}

pub(super) fn at(text: &str) -> Time {
    Time::parse(text).unwrap()
}

/// A house in King County: id, city, postal code, bedrooms, square feet, street.
pub(super) fn house(id: &str, city: &str, postal: &str, bedrooms: u8, sqft: u32, line: &str) -> Observation {
    let words = |text: &str| Some(text.to_owned());
    let address = Address {
        line: words(line),
        city: words(city),
        county: words("King"),
        region: words("WA"),
        postal_code: words(postal),
        country: words("US"),
        ..Address::default()
    };
    let mut listing = Listing::new(Purpose::Sale, Currency::USD, address);
    listing.property_type =
        Some(if bedrooms < 3 { PropertyType::Condominium } else { PropertyType::SingleFamilyResidence });
    listing.bedrooms = Some(bedrooms);
    listing.living_area = Some(Area::of(sqft, AreaUnit::SquareFeet));
    listing.bathrooms_hundredths = Some(250);
    listing.lot_area = Area::parse("0.12", AreaUnit::Acres).unwrap();
    listing.year_built = Some(1962);
    listing.association_fee = Some(Minor(31_250));
    listing.details.title = words("Bright home near the lake");
    listing.details.url = Some(format!("https://homes.example/{id}"));
    Observation::new("kc", id, Time::default(), listing)
}

/// A flat in Agadir.
pub(super) fn flat(id: &str, purpose: Purpose, title: &str) -> Observation {
    let words = |text: &str| Some(text.to_owned());
    let address = Address {
        neighbourhood: words("Haut Founty"),
        city: words("Agadir"),
        country: words("MA"),
        ..Address::default()
    };
    let mut listing = Listing::new(purpose, Currency::MAD, address);
    listing.property_type = Some(PropertyType::Apartment);
    listing.living_area = Some(Area::of(95, AreaUnit::SquareMeters));
    listing.details.title = words(title);
    listing.details.url = Some(format!("https://annonces.example/{id}"));
    Observation::new("avito", id, Time::default(), listing)
}

/// Observations of the home at these times, each with a price in major units and a status.
pub(super) fn seen(home: &Observation, times: &[(&str, i64, Status)]) -> Vec<Observation> {
    let see = |(time, price, status): &(&str, i64, Status)| {
        let mut seen = home.clone();
        (seen.at, seen.seen) = (at(time), at(time));
        seen.listing.list_price = (*price > 0).then_some(Minor(price * 100));
        seen.listing.status = *status;
        seen
    };
    times.iter().map(see).collect()
}

pub(super) fn observations() -> Vec<Observation> {
    use Status::{Active, Closed, Pending};
    let mut all = Vec::new();
    let mut add = |home: &Observation, times: &[(&str, i64, Status)]| all.extend(seen(home, times));
    add(
        &house("1001", "Seattle", "98178", 3, 1_180, "5500 S Norfolk St"),
        &[
            ("2026-01-02T18:00:00Z", 540_000, Active),
            ("2026-01-05T18:00:00Z", 540_000, Active),
            ("2026-01-09T18:00:00Z", 499_900, Active),
            ("2026-01-13T18:30:00Z", 419_900, Active),
        ],
    );
    add(
        &house("1002", "Seattle", "98178", 4, 2_570, "10412 Rainier Ave S"),
        &[("2026-01-02T18:00:00Z", 720_000, Active), ("2026-01-10T18:00:00Z", 720_000, Pending)],
    );
    add(&house("1003", "Seattle", "98178", 2, 770, "11 Waters Ave S #4"), &[("2026-01-06T18:00:00Z", 310_000, Active)]);
    add(
        &house("1004", "Renton", "98178", 3, 1_960, "13006 80th Ave S"),
        &[("2026-01-03T18:00:00Z", 604_000, Active), ("2026-01-08T18:00:00Z", 615_000, Active)],
    );
    add(
        &house("1005", "Seattle", "98103", 3, 1_680, "4312 Woodland Park Ave N"),
        &[("2026-01-04T18:00:00Z", 985_000, Active)],
    );
    add(
        &house("1006", "Seattle", "98103", 5, 5_420, "1 Phinney Ave N"),
        &[("2026-01-11T18:00:00Z", 1_225_000, Active)],
    );
    add(
        &house("1007", "Seattle", "98103", 1, 640, "815 N 43rd St"),
        &[("2026-01-02T18:00:00Z", 450_000, Active), ("2026-01-12T18:00:00Z", 450_000, Closed)],
    );
    add(
        &flat("54401684", Purpose::Sale, "Appartement à vendre, 95 m², vue sur mer, résidence sécurisée avec piscine"),
        &[("2026-01-03T09:00:00Z", 1_250_000, Active), ("2026-01-12T09:00:00Z", 1_190_000, Active)],
    );
    add(&flat("54401700", Purpose::Sale, "شقة للبيع في حي فونتي"), &[("2026-01-05T09:00:00Z", 0, Active)]);
    add(&flat("55100200", Purpose::Rent, "Location \u{1b}[31mmeublée"), &[("2026-01-07T09:00:00Z", 6_500, Active)]);
    // The source of the first home reports a cut from before the first observation.
    let first = &mut all[0].listing;
    (first.previous_list_price, first.price_changed_at) = (Some(Minor(57_500_000)), Some(at("2025-12-20T08:00:00Z")));
    all
}

pub(super) fn alert(id: &str, verdict: Verdict) -> Alert {
    let market = "us/wa/king/seattle/98178:sale:USD".parse().unwrap();
    Alert {
        id: AlertId(id.to_owned()),
        rule: "price-drop".into(),
        home: HomeId("kc/1001".into()),
        market,
        at: at("2026-01-13T18:30:00Z"),
        from: Minor(49_990_000),
        to: Minor(41_990_000),
        drop_bp: 1_600,
        title: Some("Bright home near the lake".into()),
        line: Some("5500 S Norfolk St".into()),
        url: Some("https://homes.example/1001".into()),
        verdict,
        withdrawn: None,
        other_listings: Vec::new(),
    }
}

pub(super) fn run(id: &str, began: &str, ended: Option<&str>, outcome: RunOutcome) -> RunRecord {
    let counts = [("rows", 1_663), ("new", 1_184), ("rejects", 0), ("requests", 17)];
    RunRecord {
        id: id.to_owned(),
        kind: if ended.is_some() { "replay" } else { "poll" }.to_owned(),
        subject: "../listings/2026/king-county-homes-for-sale.csv".into(),
        began_at: at(began),
        ended_at: ended.map(at),
        outcome,
        message: (outcome == RunOutcome::Failed).then(|| "the portal answered 503 five times".to_owned()),
        counts: counts.into_iter().map(|(name, count)| (name.to_owned(), count)).collect(),
        raw_pages: None,
    }
}

pub(super) fn block_on<T>(future: impl Future<Output = T>) -> T {
    tokio::runtime::Builder::new_current_thread().build().unwrap().block_on(future)
}

pub(super) fn nothing() -> World {
    let folder = tempfile::tempdir().unwrap();
    let database = Database::open(&folder.path().join("stoop.db"), &folder.path().join("stoop-data")).unwrap();
    World { database, _folder: folder }
}

pub(super) fn world() -> World {
    let world = nothing();
    let database = &*world.database;
    let reject = |line: u32, reason, detail: &str| {
        let raw = format!("{line},\"$1\",98178\n{{\"id\": {line}}}");
        Reject::new(
            "kc",
            at("2026-01-13T18:31:00Z"),
            format!("homes.csv:{line}"),
            reason,
            detail.into(),
            raw.as_bytes(),
        )
    };
    let rejects = [
        reject(17, Reason::PriceNotPositive, "list_price is -100 minor units"),
        reject(40, Reason::BadValue, "beds: \"many\" is no number; accepted: whole numbers from 0 to 255"),
        reject(41, Reason::BadValue, "beds: \"few\" is no number; accepted: whole numbers from 0 to 255"),
    ];
    let why = "a rent in a sale listing";
    let alerts = [alert("a1", Verdict::Alert), alert("a2", Verdict::Alert), alert("s1", Verdict::Suspect(why.into()))];
    let runs = [
        run("r1", "2026-01-13T18:00:00Z", Some("2026-01-13T18:00:02.500Z"), RunOutcome::Complete),
        run("r2", "2026-01-13T18:10:00Z", Some("2026-01-13T18:13:20Z"), RunOutcome::Failed),
        run("r3", "2026-01-13T18:20:00Z", None, RunOutcome::Running),
    ];
    block_on(async {
        Measurer::new(database).measure(&observations()).await.unwrap();
        Quarantine::put(database, &rejects).await.unwrap();
        Ledger::record(database, &alerts, &stoop_rules::Rules::default()).await.unwrap();
        for run in &runs {
            RunLedger::record(database, run).await.unwrap();
        }
    });
    world
}
