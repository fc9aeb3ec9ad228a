//! The definitions of the tables.

mod derived;

use std::borrow::Cow;

use stoop_domain::{HOME_FIELDS, HomeKind, Status};

#[cfg(feature = "database")]
pub(crate) use self::derived::flows_of;
pub use self::derived::{
    alerts, derived, homes, listing_history, market_days, price_changes, raw_pages, rejects, runs,
};
use crate::columns::{Column, Kind};

/// The version of the tables' columns. It is raised when a column or a constraint gets another meaning or goes away; a new
/// column alone needs no new version, as older programs leave it empty. A table of another version is refused.
pub const TABLE_SCHEMA: u32 = 2;

/// An amount of money in major units.
pub const MONEY: Kind = Kind::Decimal(18, 3);
/// A floor or lot area in its own unit.
pub const AREA: Kind = Kind::Decimal(18, 4);
/// A floor or lot area in square metres. Exact: a ten-thousandth of a square foot has twelve decimals.
pub const SQUARE_METRES: Kind = Kind::Decimal(28, 12);

/// How a table is defined.
#[derive(Clone, Debug)]
pub struct Spec {
    /// The name, which is also its folder below `tables/`.
    pub name: Cow<'static, str>,
    /// What a row is.
    pub meaning: &'static str,
    /// The columns.
    pub columns: Vec<Column>,
    /// The column by whose values files are separated.
    pub partition: Option<&'static str>,
    /// The column that names a row, if rows are only ever added, each once.
    pub key: Option<&'static str>,
    /// A column of times that every row has and that the key decides: two rows of one key have one time. A file whose times
    /// are all other ones is not searched for a key.
    pub moment: Option<&'static str>,
    /// The columns by which rows of a file are sorted.
    pub order: &'static [&'static str],
    /// What each row fulfils: name and condition.
    pub constraints: Vec<(&'static str, String)>,
}

impl Spec {
    /// The position of a column. `None` if there is none of this name.
    #[must_use]
    pub fn position(&self, name: &str) -> Option<usize> {
        self.columns.iter().position(|column| column.name == name)
    }
}

/// All tables, in the order of documents.
#[must_use]
pub fn all() -> Vec<Spec> {
    let mut specs = vec![observations(), quarantine(), bronze(), versions()];
    specs.extend(derived());
    specs
}

/// Every observation, each once.
#[must_use]
pub fn observations() -> Spec {
    Spec {
        name: "observations".into(),
        meaning: "One row for each observation: a source showed a listing in this state at this time",
        columns: observation_columns(),
        partition: Some("month"),
        key: Some("observation_id"),
        moment: Some("seen_at"),
        order: &["month", "area", "listing_id", "observed_at"],
        constraints: vec![
            ("list_price_is_positive", "list_price IS NULL OR list_price > 0".to_owned()),
            ("close_price_is_positive", "close_price IS NULL OR close_price > 0".to_owned()),
            ("status_is_known", one_of("status", &Status::ALL.map(Status::as_str))),
        ],
    }
}

fn one_of(column: &str, names: &[&str]) -> String {
    let names: Vec<String> = names.iter().map(|name| format!("'{name}'")).collect();
    format!("{column} IN ({})", names.join(", "))
}

fn observation_columns() -> Vec<Column> {
    use Kind::{Date, Decimal, Flag, Int, Text, Texts, Time};
    let mut columns = vec![
        Column::required("observation_id", Text, "Names the observation: a hash of all that it says"),
        Column::required("month", Text, "Month of observed_at in UTC, such as 2026-03; files are separated by it"),
        Column::required("source", Text, "Name of the source"),
        Column::required("native_id", Text, "The source's own ID of the listing"),
        Column::required("listing_id", Text, "ID of the home: source/native_id"),
        Column::required("observed_at", Time, "Since when the listing has been in this state, by the source's clock"),
        Column::required("seen_at", Time, "When it was fetched, or the time that a file describes"),
        Column::required("seq", Int, "Position among differing rows of one moment"),
        Column::required("versioned", Flag, "Whether observed_at is a version of the listing"),
        Column::required("initial", Flag, "Whether it was there when its search began"),
        Column::required("watch", Text, "How it is checked again: once, repeated or complete"),
        Column::required("purpose", Text, "sale or rent"),
        Column::required("status", Text, "RESO StandardStatus, or Gone"),
        Column::required("currency", Text, "ISO 4217 code of all amounts"),
        Column::new("list_price", MONEY, "Asking price in major units; for rent, per month"),
        Column::new("original_list_price", MONEY, "First asking price according to the source"),
        Column::new("previous_list_price", MONEY, "Price before the last change according to the source"),
        Column::new("close_price", MONEY, "Price of the sale or letting"),
        Column::new("close_date", Date, "Day of the sale or letting"),
        Column::new("price_changed_at", Time, "When the price last changed according to the source"),
        Column::new("listed_at", Time, "When the listing came on the market according to the source"),
        Column::new("market", Text, "Area, purpose and currency, such as us/wa/king/seattle/98178:sale:USD"),
        Column::new("area", Text, "Narrowest known area as a path; `~` marks a name that only the source gives"),
        Column::new("country", Text, "First level of area"),
        Column::new("region", Text, "Second level of area"),
        Column::new("county", Text, "Third level of area"),
        Column::new("city", Text, "Fourth level of area"),
        Column::new("area_name", Text, "Fifth level of area: a postal code or quarter"),
        Column::new("zone", Text, "IANA time zone of area, whose midnight ends the day"),
    ];
    columns.extend(home_columns());
    columns.extend([
        Column::new("address_line", Text, "Street, number and unit, as the source says"),
        Column::new("neighbourhood", Text, "Quarter or district, as the source says"),
        Column::new("postal_code", Text, "Postal code, as the source says"),
        Column::new("address_city", Text, "City, as the source says"),
        Column::new("address_county", Text, "County, as the source says"),
        Column::new("address_region", Text, "State or province, as the source says"),
        Column::new("address_country", Text, "Country, as the source says"),
        Column::new("latitude", Decimal(9, 6), "Degrees, north positive"),
        Column::new("longitude", Decimal(9, 6), "Degrees, east positive"),
        Column::new("title", Text, "Headline"),
        Column::new("description", Text, "Description"),
        Column::new("seller", Text, "Name of the seller"),
        Column::new("agency", Text, "Name of the agency"),
        Column::new("url", Text, "URL of the listing's page"),
        Column::new("images", Texts, "URLs of pictures"),
        Column::new("amenities", Texts, "Amenities as the source writes them"),
        Column::required("ingested_from", Text, "The file of bronze, or `outbox`"),
        Column::required("ingested_at", Time, "When it came into this table"),
        Column::required("line_version", Int, "Version of the line's format"),
        Column::required("table_schema", Int, "Version of the table's columns"),
    ]);
    columns
}

/// The columns of the fields that describe a home.
pub(crate) fn home_columns() -> Vec<Column> {
    use Kind::{Decimal, Flag, Int, Text};
    let mut columns = Vec::new();
    for field in &HOME_FIELDS {
        match field.kind {
            HomeKind::PropertyType => columns.push(Column::new(field.name, Text, field.meaning)),
            HomeKind::Count | HomeKind::Year => columns.push(Column::new(field.name, Int, field.meaning)),
            HomeKind::Hundredths => columns.push(Column::new(field.name, Decimal(9, 2), field.meaning)),
            HomeKind::Fee => {
                columns.push(Column::new(field.name, MONEY, format!("{}, per month", field.meaning)));
            }
            HomeKind::Flag => columns.push(Column::new(field.name, Flag, field.meaning)),
            HomeKind::Area => columns.extend([
                Column::new(field.name, AREA, format!("{}, in its unit", field.meaning)),
                Column::new(format!("{}_unit", field.name), Text, "SquareMeters, SquareFeet or Acres"),
                Column::new(
                    format!("{}_m2", field.name),
                    SQUARE_METRES,
                    format!("{}, exactly in square metres", field.meaning),
                ),
            ]),
        }
    }
    columns
}

/// Lines of bronze that cannot be rows of `observations`.
#[must_use]
pub fn quarantine() -> Spec {
    Spec {
        name: "quarantine".into(),
        meaning: "One row for each line of bronze that is no observation or does not fit the columns",
        columns: vec![
            Column::required("line_id", Kind::Text, "Names the line: a hash of its bytes"),
            Column::required("reason", Kind::Text, "Why it is refused, such as bad_value"),
            Column::new("field", Kind::Text, "The field that is wrong, if one is"),
            Column::required("detail", Kind::Text, "What is wrong with it"),
            Column::new("line", Kind::Text, "The line; empty if it is not UTF-8"),
            Column::new("bytes", Kind::Bytes, "The line, if it is not UTF-8"),
            Column::required("ingested_from", Kind::Text, "The file of bronze, or `outbox`"),
            Column::required("ingested_at", Kind::Time, "When it came into this table"),
            Column::required("table_schema", Kind::Int, "Version of the table's columns"),
        ],
        partition: None,
        key: Some("line_id"),
        moment: None,
        order: &["ingested_from", "line_id"],
        constraints: Vec::new(),
    }
}

/// Files of bronze that were taken.
#[must_use]
pub fn bronze() -> Spec {
    Spec {
        name: "bronze".into(),
        meaning: "One row for each file of bronze whose lines are all in observations or quarantine",
        columns: vec![
            Column::required("object", Kind::Text, "The path of the file"),
            Column::required("lines", Kind::Long, "The number of its lines"),
            Column::required("taken_at", Kind::Time, "When it was taken"),
            Column::required("table_schema", Kind::Int, "Version of the table's columns"),
            Column::new("observations_id", Kind::Text, "ID, in its log, of the table observations that has its lines"),
        ],
        partition: None,
        key: Some("object"),
        moment: None,
        order: &["object"],
        constraints: Vec::new(),
    }
}

/// The versions of all other tables.
#[must_use]
pub fn versions() -> Spec {
    Spec {
        name: "versions".into(),
        meaning: "One row for each version of every other table, for engines that read a version by its number only",
        columns: vec![
            Column::required("version_id", Kind::Text, "Names the version: its table, number and time"),
            Column::required("table_name", Kind::Text, "The table"),
            Column::required("version", Kind::Long, "Number of the version, counted from 0"),
            Column::required("committed_at", Kind::Time, "When it was committed"),
            Column::required("operation", Kind::Text, "What was done, in Delta's words: WRITE, OPTIMIZE, ADD COLUMN"),
            Column::required("rows_added", Kind::Long, "Rows that it added"),
            Column::required("rows_removed", Kind::Long, "Rows that it took away, or wrote anew into other files"),
            Column::required("files_added", Kind::Long, "Files that it added"),
            Column::required("files_removed", Kind::Long, "Files that it took away"),
        ],
        partition: None,
        key: Some("version_id"),
        moment: Some("committed_at"),
        order: &["table_name", "committed_at", "version"],
        constraints: Vec::new(),
    }
}
