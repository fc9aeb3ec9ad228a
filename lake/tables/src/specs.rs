//! The definitions of the tables.

mod derived;

use std::borrow::Cow;

use stoop_domain::{HOME_FIELDS, HomeKind, Status};

#[cfg(feature = "database")]
pub(crate) use self::derived::flows_of;
pub use self::derived::{
    alerts, derived, homes, listing_history, market_days, price_changes, raw_pages, rejects, runs,
};
use crate::columns::{ColumnType, TableColumn};

/// The version of the tables' columns. It is raised when a column or a constraint gets another meaning or goes away; a new
/// column alone needs no new version, as older programs leave it empty. A table of another version is refused.
pub const TABLE_SCHEMA: u32 = 2;

/// An amount of money in major units.
pub const MONEY: ColumnType = ColumnType::Decimal(18, 3);
/// A floor or lot area in its own unit.
pub const AREA: ColumnType = ColumnType::Decimal(18, 4);
/// A floor or lot area in square metres. Exact: a ten-thousandth of a square foot has twelve decimals.
pub const SQUARE_METRES: ColumnType = ColumnType::Decimal(28, 12);

/// How a table is defined.
#[derive(Clone, Debug)]
pub struct Spec {
    /// The name, which is also its folder below `tables/`.
    pub name: Cow<'static, str>,
    /// What a row is.
    pub meaning: &'static str,
    /// The columns.
    pub columns: Vec<TableColumn>,
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

fn observation_columns() -> Vec<TableColumn> {
    use ColumnType::{Date, Decimal, Flag, Int, Text, Texts, Time};
    let mut columns = vec![
        TableColumn::required("observation_id", Text, "Names the observation: a hash of all that it says"),
        TableColumn::required("month", Text, "Month of observed_at in UTC, such as 2026-03; files are separated by it"),
        TableColumn::required("source", Text, "Name of the source"),
        TableColumn::required("native_id", Text, "The source's own ID of the listing"),
        TableColumn::required("listing_id", Text, "ID of the home: source/native_id"),
        TableColumn::required(
            "observed_at",
            Time,
            "Since when the listing has been in this state, by the source's clock",
        ),
        TableColumn::required("seen_at", Time, "When it was fetched, or the time that a file describes"),
        TableColumn::required("seq", Int, "Position among differing rows of one moment"),
        TableColumn::required("versioned", Flag, "Whether observed_at is a version of the listing"),
        TableColumn::required("initial", Flag, "Whether it was there when its search began"),
        TableColumn::required("watch", Text, "How it is checked again: once, repeated or complete"),
        TableColumn::required("purpose", Text, "sale or rent"),
        TableColumn::required("status", Text, "RESO StandardStatus, or Gone"),
        TableColumn::required("currency", Text, "ISO 4217 code of all amounts"),
        TableColumn::new("list_price", MONEY, "Asking price in major units; for rent, per month"),
        TableColumn::new("original_list_price", MONEY, "First asking price according to the source"),
        TableColumn::new("previous_list_price", MONEY, "Price before the last change according to the source"),
        TableColumn::new("close_price", MONEY, "Price of the sale or letting"),
        TableColumn::new("close_date", Date, "Day of the sale or letting"),
        TableColumn::new("price_changed_at", Time, "When the price last changed according to the source"),
        TableColumn::new("listed_at", Time, "When the listing came on the market according to the source"),
        TableColumn::new("market", Text, "Area, purpose and currency, such as us/wa/king/seattle/98178:sale:USD"),
        TableColumn::new("area", Text, "Narrowest known area as a path; `~` marks a name that only the source gives"),
        TableColumn::new("country", Text, "First level of area"),
        TableColumn::new("region", Text, "Second level of area"),
        TableColumn::new("county", Text, "Third level of area"),
        TableColumn::new("city", Text, "Fourth level of area"),
        TableColumn::new("area_name", Text, "Fifth level of area: a postal code or quarter"),
        TableColumn::new("zone", Text, "IANA time zone of area, whose midnight ends the day"),
    ];
    columns.extend(home_columns());
    columns.extend([
        TableColumn::new("address_line", Text, "Street, number and unit, as the source says"),
        TableColumn::new("neighbourhood", Text, "Quarter or district, as the source says"),
        TableColumn::new("postal_code", Text, "Postal code, as the source says"),
        TableColumn::new("address_city", Text, "City, as the source says"),
        TableColumn::new("address_county", Text, "County, as the source says"),
        TableColumn::new("address_region", Text, "State or province, as the source says"),
        TableColumn::new("address_country", Text, "Country, as the source says"),
        TableColumn::new("latitude", Decimal(9, 6), "Degrees, north positive"),
        TableColumn::new("longitude", Decimal(9, 6), "Degrees, east positive"),
        TableColumn::new("title", Text, "Headline"),
        TableColumn::new("description", Text, "Description"),
        TableColumn::new("seller", Text, "Name of the seller"),
        TableColumn::new("agency", Text, "Name of the agency"),
        TableColumn::new("url", Text, "URL of the listing's page"),
        TableColumn::new("images", Texts, "URLs of pictures"),
        TableColumn::new("amenities", Texts, "Amenities as the source writes them"),
        TableColumn::required("ingested_from", Text, "The file of bronze, or `outbox`"),
        TableColumn::required("ingested_at", Time, "When it came into this table"),
        TableColumn::required("line_version", Int, "Version of the line's format"),
        TableColumn::required("table_schema", Int, "Version of the table's columns"),
    ]);
    columns
}

/// The columns of the fields that describe a home.
pub(crate) fn home_columns() -> Vec<TableColumn> {
    use ColumnType::{Decimal, Flag, Int, Text};
    let mut columns = Vec::new();
    for field in &HOME_FIELDS {
        match field.kind {
            HomeKind::PropertyType => columns.push(TableColumn::new(field.name, Text, field.meaning)),
            HomeKind::Count | HomeKind::Year => columns.push(TableColumn::new(field.name, Int, field.meaning)),
            HomeKind::Hundredths => columns.push(TableColumn::new(field.name, Decimal(9, 2), field.meaning)),
            HomeKind::Fee => {
                columns.push(TableColumn::new(field.name, MONEY, format!("{}, per month", field.meaning)));
            }
            HomeKind::Flag => columns.push(TableColumn::new(field.name, Flag, field.meaning)),
            HomeKind::Area => columns.extend([
                TableColumn::new(field.name, AREA, format!("{}, in its unit", field.meaning)),
                TableColumn::new(format!("{}_unit", field.name), Text, "SquareMeters, SquareFeet or Acres"),
                TableColumn::new(
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
            TableColumn::required("line_id", ColumnType::Text, "Names the line: a hash of its bytes"),
            TableColumn::required("reason", ColumnType::Text, "Why it is refused, such as bad_value"),
            TableColumn::new("field", ColumnType::Text, "The field that is wrong, if one is"),
            TableColumn::required("detail", ColumnType::Text, "What is wrong with it"),
            TableColumn::new("line", ColumnType::Text, "The line; empty if it is not UTF-8"),
            TableColumn::new("bytes", ColumnType::Bytes, "The line, if it is not UTF-8"),
            TableColumn::required("ingested_from", ColumnType::Text, "The file of bronze, or `outbox`"),
            TableColumn::required("ingested_at", ColumnType::Time, "When it came into this table"),
            TableColumn::required("table_schema", ColumnType::Int, "Version of the table's columns"),
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
            TableColumn::required("object", ColumnType::Text, "The path of the file"),
            TableColumn::required("lines", ColumnType::Long, "The number of its lines"),
            TableColumn::required("taken_at", ColumnType::Time, "When it was taken"),
            TableColumn::required("table_schema", ColumnType::Int, "Version of the table's columns"),
            TableColumn::new(
                "observations_id",
                ColumnType::Text,
                "ID, in its log, of the table observations that has its lines",
            ),
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
            TableColumn::required("version_id", ColumnType::Text, "Names the version: its table, number and time"),
            TableColumn::required("table_name", ColumnType::Text, "The table"),
            TableColumn::required("version", ColumnType::Long, "Number of the version, counted from 0"),
            TableColumn::required("committed_at", ColumnType::Time, "When it was committed"),
            TableColumn::required(
                "operation",
                ColumnType::Text,
                "What was done, in Delta's words: WRITE, OPTIMIZE, ADD COLUMN",
            ),
            TableColumn::required("rows_added", ColumnType::Long, "Rows that it added"),
            TableColumn::required(
                "rows_removed",
                ColumnType::Long,
                "Rows that it took away, or wrote anew into other files",
            ),
            TableColumn::required("files_added", ColumnType::Long, "Files that it added"),
            TableColumn::required("files_removed", ColumnType::Long, "Files that it took away"),
        ],
        partition: None,
        key: Some("version_id"),
        moment: Some("committed_at"),
        order: &["table_name", "committed_at", "version"],
        constraints: Vec::new(),
    }
}
