//! Random lives of homes.

use proptest::prelude::*;
use stoop_domain::{
    Address, Area, AreaUnit, Currency, Day, Facts, History, Listing, Market, Minor, PropertyType, Purpose, Sighting,
    Status, Time, Watch, market_of,
};

const MINUTE: i64 = 60_000;
const DAY: i64 = 24 * 60 * MINUTE;

/// 2019-03-01, midnight UTC.
const START: i64 = 1_551_398_400_000;

pub(crate) fn at(text: &str) -> Time {
    Time::parse(text).unwrap()
}

/// A home for sale in Seattle with a price in dollars (0: unknown) and a living area in square metres.
pub(crate) fn for_sale(status: Status, dollars: i64, metres: Option<u32>) -> Listing {
    let address = Address {
        postal_code: Some("98178".into()),
        region: Some("WA".into()),
        country: Some("US".into()),
        ..Address::default()
    };
    let mut listing = Listing::new(Purpose::Sale, Currency::USD, address);
    listing.status = status;
    listing.list_price = (dollars > 0).then_some(Minor(dollars * 100));
    listing.living_area = metres.map(|metres| Area::of(metres, AreaUnit::SquareMeters));
    listing
}

/// The state of a home at a time.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct State {
    pub(crate) zip: &'static str,
    pub(crate) rent: bool,
    pub(crate) currency: Currency,
    pub(crate) status: Status,
    pub(crate) price: Option<i64>,
    pub(crate) original: Option<i64>,
    pub(crate) close_price: Option<i64>,
    pub(crate) close_day: Option<i32>,
    pub(crate) kind: Option<PropertyType>,
    pub(crate) bedrooms: Option<u8>,
    pub(crate) feet: Option<u32>,
}

/// One sighting of a home.
#[derive(Clone, Debug)]
pub(crate) struct MadeSighting {
    pub(crate) at: i64,
    /// The position among the rows of this time.
    pub(crate) seq: u32,
    pub(crate) state: State,
    pub(crate) listed: Option<i64>,
    pub(crate) initial: bool,
    pub(crate) watch: Watch,
}

impl State {
    fn listing(&self) -> Listing {
        let region = match self.zip {
            "98178" => "WA",
            "96701" => "HI",
            _ => "IL",
        };
        let address = Address {
            postal_code: Some(self.zip.into()),
            region: Some(region.into()),
            country: Some("US".into()),
            ..Address::default()
        };
        let purpose = if self.rent { Purpose::Rent } else { Purpose::Sale };
        let mut listing = Listing::new(purpose, self.currency, address);
        listing.status = self.status;
        listing.list_price = self.price.map(Minor);
        listing.original_list_price = self.original.map(Minor);
        listing.close_price = self.close_price.map(Minor);
        listing.close_date = self.close_day.map(Day);
        listing.property_type = self.kind;
        listing.bedrooms = self.bedrooms;
        listing.living_area = self.feet.map(|feet| Area::of(feet, AreaUnit::SquareFeet));
        listing
    }

    pub(crate) fn facts(&self) -> Facts {
        Facts::of(&self.listing()).unwrap()
    }

    pub(crate) fn market(&self) -> Market {
        market_of(&self.listing()).unwrap()
    }

    pub(crate) fn square_metres(&self) -> Option<f64> {
        self.feet.map(|feet| f64::from(feet) * 0.092_903_04)
    }
}

impl MadeSighting {
    pub(crate) fn apply_to(&self, history: &mut History) {
        let Self { at, seq, initial, .. } = *self;
        let sighting = Sighting { seq, initial, ..Sighting::at(Time::from_ms(at)) };
        history.apply_watched(sighting, &self.state.facts(), self.listed.map(Time::from_ms), self.watch);
    }
}

pub(crate) fn history(seen: &[MadeSighting]) -> History {
    let mut history = History::default();
    for one in seen {
        one.apply_to(&mut history);
    }
    history
}

/// A home for sale in Seattle.
pub(crate) fn plain() -> State {
    State {
        zip: "98178",
        rent: false,
        currency: Currency::USD,
        status: Status::Active,
        price: Some(50_000_000),
        original: None,
        close_price: None,
        close_day: None,
        kind: None,
        bedrooms: None,
        feet: None,
    }
}

/// A change of a home.
#[derive(Clone, Debug)]
enum Change {
    Status(Status),
    Price(Option<i64>),
    Original(Option<i64>),
    /// Sold for this many basis points of the list price; `None` for ten dollars.
    ClosePrice(Option<i64>),
    NoClosePrice,
    CloseDay(i64),
    /// Sold, without date and price.
    Closed,
    /// A price that is this many times the last one.
    Times(i64),
    /// A tenth of the price.
    Tenth,
    /// No price, but an original one.
    OnlyOriginal(i64),
    Kind(Option<PropertyType>),
    Bedrooms(Option<u8>),
    Feet(Option<u32>),
    Zip(&'static str),
    Rent(bool),
    Currency(Currency),
    Nothing,
}

impl Change {
    fn make(&self, state: &mut State, at: i64) {
        match self {
            Self::Status(status) => state.status = *status,
            Self::Price(price) => state.price = *price,
            Self::Original(original) => state.original = *original,
            Self::ClosePrice(points) => {
                state.status = Status::Closed;
                let asked = state.price.unwrap_or(50_000_000);
                state.close_price = Some(points.map_or(1_000, |points| asked / 10_000 * points + asked % 10_000));
            }
            Self::NoClosePrice => state.close_price = None,
            Self::CloseDay(days) => {
                state.status = Status::Closed;
                state.close_day = i32::try_from(at.div_euclid(DAY) + days).ok();
            }
            Self::Closed => {
                (state.status, state.close_day, state.close_price) = (Status::Closed, None, None);
            }
            Self::Times(times) => state.price = state.price.map(|price| price.saturating_mul(*times)),
            Self::Tenth => state.price = state.price.map(|price| price / 10).filter(|price| *price > 0),
            Self::OnlyOriginal(original) => (state.price, state.original) = (None, Some(*original)),
            Self::Kind(kind) => state.kind = *kind,
            Self::Bedrooms(bedrooms) => state.bedrooms = *bedrooms,
            Self::Feet(feet) => state.feet = *feet,
            Self::Zip(zip) => state.zip = zip,
            Self::Rent(rent) => state.rent = *rent,
            Self::Currency(currency) => state.currency = *currency,
            Self::Nothing => {}
        }
    }
}

/// Some exceed 32 bits, some are placeholders.
fn price() -> impl Strategy<Value = i64> {
    let placeholders = vec![1_234_500, 12_345_600, 11_111_100, 99_999_900, 999_999_900, 5_555_500];
    prop_oneof![
        3 => (1_i64..40).prop_map(|it| it * 1_234_567),
        3 => (30_i64..60).prop_map(|it| it * 1_000_000),
        1 => (1_i64..40).prop_map(|it| it * 1_234_567_890_123),
        1 => prop::sample::select(placeholders),
    ]
}

/// Basis points of the list price: below it, at it, above it, and far from it.
fn close_share() -> impl Strategy<Value = i64> {
    prop_oneof![
        2 => 9_000_i64..11_000,
        2 => prop::sample::select(vec![9_999_i64, 10_000, 10_000, 10_001]),
        1 => prop::sample::select(vec![1_i64, 100, 1_000_000, 10_000_000]),
    ]
}

fn change() -> impl Strategy<Value = Change> {
    let kinds = vec![None, Some(PropertyType::Condominium), Some(PropertyType::Townhouse)];
    prop_oneof![
        6 => prop::sample::select(Status::ALL.to_vec()).prop_map(Change::Status),
        6 => Just(Change::Status(Status::Active)),
        3 => Just(Change::Status(Status::Gone)),
        2 => prop::sample::select(vec![Status::ComingSoon, Status::Incomplete]).prop_map(Change::Status),
        1 => Just(Change::Closed),
        1 => Just(Change::Times(10)),
        1 => Just(Change::Tenth),
        1 => price().prop_map(Change::OnlyOriginal),
        6 => prop::option::weighted(0.9, price()).prop_map(Change::Price),
        1 => prop::option::of(price()).prop_map(Change::Original),
        2 => prop::option::weighted(0.9, close_share()).prop_map(Change::ClosePrice),
        1 => Just(Change::NoClosePrice),
        1 => prop::sample::select(vec![-20_000_i64, -500, -40, -31, -1, 0, 1, 2]).prop_map(Change::CloseDay),
        2 => prop::sample::select(kinds).prop_map(Change::Kind),
        2 => prop::sample::select(vec![None, Some(0), Some(2), Some(10), Some(14)]).prop_map(Change::Bedrooms),
        1 => prop::option::of(400_u32..4_000).prop_map(Change::Feet),
        2 => prop::sample::select(vec!["98178", "60614", "96701"]).prop_map(Change::Zip),
        1 => any::<bool>().prop_map(Change::Rent),
        1 => prop::sample::select(vec![Currency::USD, Currency::EUR]).prop_map(Change::Currency),
        1 => Just(Change::Nothing),
    ]
}

/// Time until the next sighting: within the day, some days, or close to the limit of a definition.
fn gap() -> impl Strategy<Value = i64> {
    let about = |days: i64| (-1_i64..=1).prop_map(move |ms| days * DAY + ms);
    prop_oneof![
        4 => 25 * 60 * MINUTE..6 * DAY,
        2 => 6 * DAY..80 * DAY,
        1 => prop::sample::select(vec![7_i64, 8, 23, 24, 30, 31]).prop_flat_map(about),
        1 => about(90),
        1 => about(121),
        1 => 91 * DAY..360 * DAY,
        1 => about(365),
        1 => 366 * DAY..1_600 * DAY,
    ]
}

/// Mostly some days, so that much happens in one window.
fn short_gap() -> impl Strategy<Value = i64> {
    prop_oneof![6 => 25 * 60 * MINUTE..12 * DAY, 2 => 12 * DAY..40 * DAY, 1 => 85 * DAY..100 * DAY]
}

/// The sightings of a home in order, over years, at most two a day.
pub(crate) fn home() -> impl Strategy<Value = Vec<MadeSighting>> {
    home_with(gap())
}

fn home_with(gap: impl Strategy<Value = i64>) -> impl Strategy<Value = Vec<MadeSighting>> {
    let changes = prop::collection::vec(change(), 1..4);
    // Another row: of the same moment, or soon after.
    let again = prop::option::weighted(0.25, (prop_oneof![Just(0), 5 * MINUTE..120 * MINUTE], change()));
    let listed = prop::option::weighted(0.3, prop::sample::select(vec![-400_i64, -100, -8, -7, -1, 0, 3, -20_000]));
    // Seen in the same state once more, the day after.
    let confirmed = prop::bool::weighted(0.4);
    // Mostly unchanged.
    let otherwise = prop::option::weighted(0.2, watch());
    let step = (gap, changes, (again, confirmed), (listed, otherwise));
    let begin =
        ((0_i64..40 * DAY, watch()), prop::bool::weighted(0.3), prop::sample::select(vec!["98178", "98178", "60614"]));
    (begin, prop::collection::vec(step, 1..9)).prop_map(|(((mut at, mut watch), initial, zip), steps)| {
        at += START;
        let mut state = State { zip, ..plain() };
        let mut seen = Vec::new();
        for (gap, changes, (again, confirmed), (listed, other)) in steps {
            watch = other.unwrap_or(watch);
            for change in &changes {
                change.make(&mut state, at);
            }
            let listed = listed.map(|days| at + days * DAY);
            let first = initial && seen.is_empty();
            seen.push(MadeSighting { at, seq: 0, state: state.clone(), listed, initial: first, watch });
            if let Some((later, change)) = again {
                at += later;
                change.make(&mut state, at);
                let seq = u32::from(later == 0);
                seen.push(MadeSighting { at, seq, state: state.clone(), listed: None, initial: false, watch });
            }
            if confirmed {
                seen.push(MadeSighting {
                    at: at + DAY,
                    seq: 0,
                    state: state.clone(),
                    listed: None,
                    initial: false,
                    watch,
                });
            }
            at += gap;
        }
        seen
    })
}

fn watch() -> impl Strategy<Value = Watch> {
    prop::sample::select(vec![Watch::Once, Watch::Repeated, Watch::Repeated, Watch::Complete])
}

pub(crate) fn homes() -> impl Strategy<Value = Vec<Vec<MadeSighting>>> {
    prop::collection::vec(home(), 1..6)
}

/// More homes, within some months.
pub(crate) fn homes_of_a_season() -> impl Strategy<Value = Vec<Vec<MadeSighting>>> {
    prop::collection::vec(home_with(short_gap()), 3..10)
}

/// Many homes of two kinds in one market, half of them always active, so that the prices of a kind can be compared.
pub(crate) fn homes_of_two_kinds() -> impl Strategy<Value = Vec<Vec<MadeSighting>>> {
    prop::collection::vec(home_with(short_gap()), 24..40).prop_map(|mut homes| {
        for (number, home) in homes.iter_mut().enumerate() {
            for State { zip, rent, currency, status, kind, bedrooms, .. } in home.iter_mut().map(|seen| &mut seen.state)
            {
                (*zip, *rent, *currency) = ("98178", false, Currency::USD);
                *bedrooms = bedrooms.filter(|bedrooms| *bedrooms > 5);
                *kind = Some(PropertyType::Condominium).filter(|_| kind.is_none() || bedrooms.is_some());
                if number % 2 == 0 {
                    *status = Status::Active;
                }
            }
        }
        homes
    })
}
