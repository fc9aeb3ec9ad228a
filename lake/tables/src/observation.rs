use std::collections::HashMap;

use deltalake::arrow::array::RecordBatch;
use stoop_domain::{
    Area, AreaPath, AreaUnit, Currency, HOME_FIELDS, HomeField, HomeKind, HomeValue, Minor, Observation, Reason, Time,
    home_id, market_of,
};

use crate::cells::{RowBuilder, TableCell};
use crate::error::LakeError;
use crate::newer::unknown_field;
use crate::specs::{self, TABLE_SCHEMA};

/// Decimals of an amount of money.
const MONEY_DECIMALS: u32 = 3;
/// The first number that has too many digits for an amount or an area.
const NUMBER_END: i128 = 1_000_000_000_000_000_000;
/// The first number that has too many digits for square metres.
const SQUARE_METRES_END: i128 = 10_000_000_000_000_000_000_000_000_000;
/// The days of the years 1 to 9999.
const DAYS: std::ops::RangeInclusive<i32> = -719_162..=2_932_896;
/// Areas whose time zone is kept. Most areas come repeatedly.
const ZONES_MAX: usize = 1 << 14;

/// Why an observation is not a row: the reason, the field and what is wrong.
pub(crate) type LineRefusal = (Reason, &'static str, String);

/// The name of an observation: the beginning of a hash of its line. The number of the line's format is left out, so
/// that the same observation has the same name in any format.
#[must_use]
pub fn observation_id(observation: &Observation, line: &mut Vec<u8>) -> u128 {
    line.clear();
    stoop_wire::encode(observation, line);
    let said = line.iter().position(|byte| *byte == b',').map_or(&line[..], |comma| &line[comma..]);
    hash_of(said)
}

/// The first 16 bytes of the hash of some bytes.
pub(crate) fn hash_of(bytes: &[u8]) -> u128 {
    let hash = blake3::hash(bytes);
    hash.as_bytes().iter().take(16).fold(0, |number, byte| number << 8 | u128::from(*byte))
}

/// A hash as text: 32 hexadecimal digits.
pub(crate) fn hex(hash: u128) -> String {
    format!("{hash:032x}")
}

/// The outcome of a line.
pub(crate) enum Pushed {
    /// It is a row.
    Row,
    /// Its values do not fit the columns.
    Refused(LineRefusal),
    /// It has this field, which this program does not know.
    Newer(String),
}

/// Collects rows of the table `observations`.
pub struct ObservationRows {
    rows: RowBuilder,
    ids: Vec<u128>,
    line: Vec<u8>,
    zones: HashMap<AreaPath, String>,
}

/// Where and when a line was read.
#[derive(Clone, Copy)]
pub(crate) struct LineOrigin<'a> {
    pub(crate) object: &'a str,
    pub(crate) at: Time,
    pub(crate) line_version: u32,
}

impl Default for ObservationRows {
    fn default() -> Self {
        let rows = RowBuilder::new(&specs::observations().columns);
        Self { rows, ids: Vec::new(), line: Vec::new(), zones: HashMap::new() }
    }
}

impl ObservationRows {
    /// Adds the observation of a line, unless it does not fit the columns or the line says more.
    pub(crate) fn push(
        &mut self,
        observation: &Observation,
        line: &[u8],
        origin: LineOrigin<'_>,
    ) -> Result<Pushed, LakeError> {
        let numbers = match Numbers::of(observation) {
            Ok(numbers) => numbers,
            Err(refusal) => return Ok(Pushed::Refused(refusal)),
        };
        let id = observation_id(observation, &mut self.line);
        // Lines of older formats have other fields.
        if origin.line_version == stoop_wire::VERSION
            && let Some(field) = unknown_field(line, &self.line)
        {
            return Ok(Pushed::Newer(field));
        }
        let market = market_of(&observation.listing);
        let zone = market.as_ref().map(|market| {
            if self.zones.len() >= ZONES_MAX {
                self.zones.clear();
            }
            let named = |area: &AreaPath| area.country().zone.iana_name().unwrap_or("UTC").to_owned();
            self.zones.entry(market.area.clone()).or_insert_with(|| named(&market.area)).as_str()
        });
        let listing_id = home_id(observation);
        let [id_text, month, market_text] =
            [hex(id), month_of(observation.at), market.as_ref().map(ToString::to_string).unwrap_or_default()];
        let listing = &observation.listing;
        let mut cells = Vec::with_capacity(80);
        cells.extend([
            TableCell::Text(&id_text),
            TableCell::Text(&month),
            TableCell::Text(&observation.source),
            TableCell::Text(&observation.native_id),
            TableCell::Text(listing_id.as_str()),
            TableCell::Time(observation.at),
            TableCell::Time(observation.seen),
            TableCell::Int(numbers.seq),
            TableCell::Flag(observation.versioned),
            TableCell::Flag(observation.initial),
            TableCell::Text(observation.watch.as_str()),
            TableCell::Text(listing.purpose.as_str()),
            TableCell::Text(listing.status.as_str()),
            TableCell::Text(listing.currency.code()),
        ]);
        cells.extend(numbers.prices.map(|price| TableCell::of(price, TableCell::Decimal)));
        cells.extend([
            TableCell::of(listing.close_date, |day| TableCell::Date(day.0)),
            TableCell::of(listing.price_changed_at, TableCell::Time),
            TableCell::of(listing.listed_at, TableCell::Time),
            TableCell::text(market.as_ref().map(|_| market_text.as_str())),
            TableCell::text(market.as_ref().map(|market| market.area.as_str())),
        ]);
        let levels = market.as_ref().map(|market| market.area.levels());
        cells.extend(
            (0..5).map(|level| TableCell::text(levels.map(|levels| levels[level]).filter(|name| *name != "-"))),
        );
        cells.push(TableCell::text(zone));
        numbers.home.iter().for_each(|home| home.push(&mut cells));
        push_address(observation, &mut cells);
        cells.extend([
            TableCell::Text(origin.object),
            TableCell::Time(origin.at),
            TableCell::Int(origin.line_version.cast_signed()),
            TableCell::Int(TABLE_SCHEMA.cast_signed()),
        ]);
        self.rows.push(&cells)?;
        self.ids.push(id);
        Ok(Pushed::Row)
    }

    /// The number of rows.
    #[must_use]
    pub fn len(&self) -> usize {
        self.rows.len()
    }

    /// Whether there is no row.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.rows.is_empty()
    }

    /// Takes the rows out, with their names.
    ///
    /// # Errors
    /// If they cannot be made a batch.
    pub fn take(&mut self) -> Result<(RecordBatch, Vec<u128>), LakeError> {
        Ok((self.rows.take()?, std::mem::take(&mut self.ids)))
    }
}

fn push_address<'a>(observation: &'a Observation, cells: &mut Vec<TableCell<'a>>) {
    let address = &observation.listing.address;
    let texts = [
        &address.line,
        &address.neighbourhood,
        &address.postal_code,
        &address.city,
        &address.county,
        &address.region,
        &address.country,
    ];
    cells.extend(texts.map(|text| TableCell::text(text.as_deref())));
    cells.extend(
        [address.latitude_e6, address.longitude_e6]
            .map(|degrees| TableCell::of(degrees, |e6| TableCell::Decimal(e6.into()))),
    );
    let details = &observation.listing.details;
    let texts = [&details.title, &details.description, &details.seller, &details.agency, &details.url];
    cells.extend(texts.map(|text| TableCell::text(text.as_deref())));
    cells.extend([TableCell::Texts(&details.images), TableCell::Texts(&details.amenities)]);
}

/// The month of a moment in UTC: `2026-03`.
pub(crate) fn month_of(at: Time) -> String {
    let mut text = at.to_string();
    text.truncate(7);
    text
}

/// The numbers of an observation, as its columns have them.
struct Numbers {
    seq: i32,
    prices: [Option<i128>; 4],
    home: Vec<HomeCells>,
}

impl Numbers {
    fn of(observation: &Observation) -> Result<Self, LineRefusal> {
        let listing = &observation.listing;
        let bad = |field, detail| (Reason::BadValue, field, detail);
        let Ok(seq) = i32::try_from(observation.seq) else {
            return Err(bad("seq", format!("seq is {}, at most {}", observation.seq, i32::MAX)));
        };
        let named = [
            ("list_price", listing.list_price, true),
            ("original_list_price", listing.original_list_price, true),
            ("previous_list_price", listing.previous_list_price, false),
            ("close_price", listing.close_price, true),
        ];
        let mut prices = [None; 4];
        for ((name, price, must_be_positive), into) in named.into_iter().zip(&mut prices) {
            *into = price.map(|price| money(name, price, listing.currency)).transpose()?;
            if must_be_positive && into.is_some_and(|price| price <= 0) {
                let minor = price.unwrap_or_default().0;
                return Err((Reason::PriceNotPositive, name, format!("{name} is {minor} minor units")));
            }
        }
        let degrees = [("latitude_e6", listing.address.latitude_e6), ("longitude_e6", listing.address.longitude_e6)];
        for (name, degrees) in degrees {
            // Nine digits: the column's.
            if degrees.is_some_and(|e6| e6.unsigned_abs() >= 1_000_000_000) {
                let detail = format!("{name} is {}", degrees.unwrap_or_default());
                return Err((Reason::CoordinatesOutOfRange, name, detail));
            }
        }
        if listing.close_date.is_some_and(|day| !DAYS.contains(&day.0)) {
            let days = listing.close_date.unwrap_or_default().0;
            return Err(bad("close_date", format!("close_date is {days} days after 1970, not in the years 1 to 9999")));
        }
        let times = [
            ("at", Some(observation.at)),
            ("seen", Some(observation.seen)),
            ("price_changed_at", listing.price_changed_at),
            ("listed_at", listing.listed_at),
        ];
        for (name, time) in times {
            // `from_ms` keeps what is in the years that a time can be written in.
            if let Some(time) = time.filter(|time| Time::from_ms(time.ms()) != *time) {
                return Err(bad(name, format!("{name} is {} ms after 1970, not in the years 1 to 9999", time.ms())));
            }
        }
        let values = HOME_FIELDS.map(|field| (field.get)(listing));
        let home = HOME_FIELDS.iter().zip(values).map(|(field, value)| HomeCells::of(field, value, listing.currency));
        let home = home.collect::<Result<_, _>>()?;
        Ok(Self { seq, prices, home })
    }
}

/// The cells of a field of the home: one, or three for an area.
pub(crate) enum HomeCells {
    One(TableCell<'static>),
    Area(Option<(i128, &'static str, i128)>),
}

impl HomeCells {
    pub(crate) fn of(field: &HomeField, value: Option<HomeValue>, currency: Currency) -> Result<Self, LineRefusal> {
        Ok(match (field.kind, value) {
            (HomeKind::Area, Some(HomeValue::Area(area))) => Self::Area(Some(area_cells(field.name, area)?)),
            (HomeKind::Area, _) => Self::Area(None),
            (_, None) => Self::One(TableCell::Null),
            (_, Some(value)) => Self::One(home_cell(field.name, value, currency)?),
        })
    }

    /// The cells of a field without a value.
    #[cfg(feature = "database")]
    pub(crate) fn none(field: &HomeField) -> Self {
        if field.kind == HomeKind::Area { Self::Area(None) } else { Self::One(TableCell::Null) }
    }

    pub(crate) fn push(&self, cells: &mut Vec<TableCell<'_>>) {
        match self {
            Self::One(cell) => cells.push(*cell),
            Self::Area(None) => cells.extend([TableCell::Null; 3]),
            Self::Area(Some((own, unit, metric))) => {
                cells.extend([TableCell::Decimal(*own), TableCell::Text(unit), TableCell::Decimal(*metric)]);
            }
        }
    }
}

fn home_cell(name: &'static str, value: HomeValue, currency: Currency) -> Result<TableCell<'static>, LineRefusal> {
    Ok(match value {
        HomeValue::PropertyType(kind) => TableCell::Text(kind.as_str()),
        HomeValue::Count(count) => TableCell::Int(count.into()),
        HomeValue::Hundredths(hundredths) => TableCell::Decimal(hundredths.into()),
        HomeValue::Year(year) => TableCell::Int(year.into()),
        HomeValue::Fee(fee) => TableCell::Decimal(money(name, fee, currency)?),
        HomeValue::Flag(flag) => TableCell::Flag(flag),
        HomeValue::Area(_) => TableCell::Null,
    })
}

/// An amount in thousandths of the major unit.
pub(crate) fn money(name: &'static str, amount: Minor, currency: Currency) -> Result<i128, LineRefusal> {
    let missing = MONEY_DECIMALS.saturating_sub(currency.minor_digits());
    let thousandths = i128::from(amount.0) * 10_i128.pow(missing);
    if thousandths.abs() < NUMBER_END {
        return Ok(thousandths);
    }
    Err((Reason::PriceAbsurd, name, format!("{name} is {} minor units of {currency}, at most 15 digits", amount.0)))
}

/// An area in its unit and exactly in square metres. See [`AreaUnit`].
pub(crate) fn area_cells(name: &'static str, area: Area) -> Result<(i128, &'static str, i128), LineRefusal> {
    let own = i128::from(area.ten_thousandths);
    // In units of 10⁻¹² m² for each ten-thousandth.
    let (unit, factor) = match area.unit {
        AreaUnit::SquareMeters => ("SquareMeters", 100_000_000),
        AreaUnit::SquareFeet => ("SquareFeet", 9_290_304),
        AreaUnit::Acres => ("Acres", 404_685_642_240),
    };
    let metric = own * factor;
    if own.abs() < NUMBER_END && metric.abs() < SQUARE_METRES_END {
        return Ok((own, unit, metric));
    }
    Err((Reason::BadValue, name, format!("{name} is {own} ten-thousandths of {unit}, too large an area")))
}
