//! An API on a small handmade market: five homes in two postal codes of King County and three in Agadir, over the first
//! two weeks of 2026, and three alerts.

#![allow(dead_code, reason = "each test uses its part")]

use std::sync::Arc;

use serde_json::Value;
use stoop_domain::{
    Address, Alert, AlertId, Area, AreaUnit, Currency, HomeId, Listing, Minor, Observation, PropertyType, Purpose,
    Status, Time, Verdict,
};
use stoop_embedded::Database;
use stoop_pages::Web;
use stoop_pipeline::Measurer;
use stoop_pipeline::ports::Ledger;
use stoop_rules::Rules;
use stoop_serve::api::{Api, ApiRequest, ApiResponse, Grant, Token};

pub(crate) const TOKEN: &str = "only-for-tests-0123456789";
pub(crate) const BEARER: &str = "Bearer only-for-tests-0123456789";

pub(crate) struct Town {
    pub(crate) database: Arc<Database>,
    /// Removed when the test ends.
    _folder: tempfile::TempDir,
}

impl Town {
    /// An empty town.
    pub(crate) fn empty() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let database = Database::open(&folder.path().join("stoop.db"), &folder.path().join("data")).unwrap();
        Self { database, _folder: folder }
    }

    pub(crate) fn new() -> Self {
        block_on(Self::measured())
    }

    pub(crate) async fn measured() -> Self {
        let town = Self::empty();
        Measurer::new(&*town.database).measure(&observations()).await.unwrap();
        Ledger::record(&*town.database, &alerts(), &Rules::default()).await.unwrap();
        town
    }

    /// Makes this process one that polls searches.
    pub(crate) fn poll(&self) {
        self.database.begin_work("stoop run", now()).unwrap();
    }

    pub(crate) fn observe(&self, observations: &[Observation]) {
        block_on(Measurer::new(&*self.database).measure(observations)).unwrap();
    }

    pub(crate) fn api(&self) -> Api<'_> {
        Api::new(&*self.database, &*self.database, &*self.database, &*self.database)
    }

    pub(crate) fn web(&self) -> Web<'_> {
        Web::new(&*self.database, &*self.database, &*self.database, &*self.database)
    }

    /// The response of an API with an empty cache, with the token.
    pub(crate) fn get(&self, target: &str) -> ApiResponse {
        get(&self.api(), target, now())
    }
}

/// The response to a request with this method and target, with the token.
pub(crate) fn ask(api: &Api<'_>, method: &str, target: &str, authorization: Option<&str>, now: Time) -> ApiResponse {
    let (path, query) = target.split_once('?').unwrap_or((target, ""));
    let request = ApiRequest { method, path, query, authorization, ..ApiRequest::default() };
    block_on(api.answer(request, grant(authorization), now, now))
}

pub(crate) fn get(api: &Api<'_>, target: &str, now: Time) -> ApiResponse {
    block_on(answer(api, target, now))
}

/// The response to a `GET` of this target, with the token.
pub(crate) async fn answer(api: &Api<'_>, target: &str, now: Time) -> ApiResponse {
    let (path, query) = target.split_once('?').unwrap_or((target, ""));
    let request = ApiRequest { method: "GET", path, query, authorization: Some(BEARER), ..ApiRequest::default() };
    api.answer(request, Grant::Read, now, now).await
}

/// What a client that presents this may do.
pub(crate) fn grant(authorization: Option<&str>) -> Grant<'static> {
    let token = Token::parse(TOKEN).unwrap();
    if authorization.is_some_and(|presented| token.opens_to(presented)) { Grant::Read } else { Grant::Refused }
}

pub(crate) fn json(response: &ApiResponse) -> Value {
    serde_json::from_slice(&response.body).unwrap()
}

pub(crate) fn header<'r>(response: &'r ApiResponse, name: &str) -> Option<&'r str> {
    response.headers.iter().find(|(known, _)| *known == name).map(|(_, value)| value.as_str())
}

/// Noon of 14 January 2026.
pub(crate) fn now() -> Time {
    at("2026-01-14T12:00:00Z")
}

pub(crate) fn at(text: &str) -> Time {
    Time::parse(text).unwrap()
}

pub(crate) fn block_on<T>(future: impl Future<Output = T>) -> T {
    tokio::runtime::Builder::new_current_thread().enable_time().build().unwrap().block_on(future)
}

fn words(text: &str) -> Option<String> {
    Some(text.to_owned())
}

/// A house in King County, for sale.
fn house(id: &str, city: &str, postal: &str, bedrooms: u8, sqft: u32, line: &str) -> Observation {
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
    listing.property_type = Some(PropertyType::SingleFamilyResidence);
    listing.bedrooms = Some(bedrooms);
    listing.living_area = Some(Area::of(sqft, AreaUnit::SquareFeet));
    listing.details.title = words("Bright home near the lake");
    listing.details.url = Some(format!("https://homes.example/{id}"));
    Observation::new("kc", id, Time::default(), listing)
}

/// A flat in Agadir.
fn flat(id: &str, purpose: Purpose, title: &str) -> Observation {
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
    Observation::new("avito", id, Time::default(), listing)
}

pub(crate) fn observations() -> Vec<Observation> {
    use Status::{Active, Pending};
    let mut all = Vec::new();
    let mut seen = |home: Observation, times: &[(&str, i64, Status)]| {
        for (time, price, status) in times {
            let mut seen = home.clone();
            (seen.at, seen.seen) = (at(time), at(time));
            // A home without a shown price has none.
            seen.listing.list_price = (*price > 0).then_some(Minor(price * 100));
            seen.listing.status = *status;
            all.push(seen);
        }
    };
    seen(
        house("1001", "Seattle", "98178", 3, 1_180, "5500 S Norfolk St"),
        &[
            ("2026-01-02T18:00:00Z", 540_000, Active),
            ("2026-01-09T18:00:00Z", 459_000, Active),
            ("2026-01-13T18:30:00Z", 390_150, Active),
        ],
    );
    seen(
        house("1002", "Seattle", "98178", 4, 2_570, "10412 Rainier Ave S"),
        &[("2026-01-02T18:00:00Z", 720_000, Active), ("2026-01-10T18:00:00Z", 720_000, Pending)],
    );
    seen(house("1004", "Renton", "98178", 3, 1_960, "13006 80th Ave S"), &[("2026-01-03T18:00:00Z", 604_000, Active)]);
    seen(
        house("1005", "Seattle", "98103", 3, 1_680, "4312 Woodland Park Ave N"),
        &[("2026-01-04T18:00:00Z", 985_000, Active)],
    );
    seen(
        house("10/06 é", "Seattle", "98103", 5, 5_420, "1 Phinney Ave N"),
        &[("2026-01-11T18:00:00Z", 1_225_000, Active)],
    );
    seen(
        flat("54401684", Purpose::Sale, "Appartement à vendre, vue sur mer"),
        &[("2026-01-03T09:00:00Z", 1_250_000, Active), ("2026-01-12T09:00:00Z", 1_190_000, Active)],
    );
    seen(flat("54401700", Purpose::Sale, "شقة للبيع في حي فونتي"), &[("2026-01-05T09:00:00Z", 0, Active)]);
    seen(flat("55100200", Purpose::Rent, "Location meublée"), &[("2026-01-07T09:00:00Z", 6_500, Active)]);
    // The source of the first home reports a cut from before the first observation.
    let first = &mut all[0].listing;
    (first.previous_list_price, first.price_changed_at) = (Some(Minor(57_500_000)), Some(at("2025-12-20T08:00:00Z")));
    all
}

pub(crate) fn alerts() -> [Alert; 3] {
    let why = "a price to a tenth";
    [
        alert("4f0c2d9a", "2026-01-09T18:00:00Z", [540_000, 459_000], Verdict::Alert),
        alert("b81e77f3", "2026-01-13T18:30:00Z", [459_000, 390_150], Verdict::Alert),
        alert("c06a51d2", "2026-01-13T20:00:00Z", [390_150, 39_015], Verdict::Suspect(why.into())),
    ]
}

fn alert(id: &str, time: &str, prices: [i64; 2], verdict: Verdict) -> Alert {
    let [from, to] = prices.map(|price| Minor(price * 100));
    Alert {
        id: AlertId(id.to_owned()),
        rule: "price-drop".into(),
        home: HomeId("kc/1001".into()),
        market: "us/wa/king/seattle/98178:sale:USD".parse().unwrap(),
        at: at(time),
        from,
        to,
        drop_bp: u32::try_from((from.0 - to.0) * 10_000 / from.0).unwrap(),
        title: words("Bright home near the lake"),
        line: words("5500 S Norfolk St"),
        url: words("https://homes.example/1001"),
        verdict,
        withdrawn: None,
        other_listings: Vec::new(),
    }
}
