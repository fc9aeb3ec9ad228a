use crate::area::Area;
use crate::facts::Facts;
use crate::listing::Listing;
use crate::money::Minor;
use crate::property_type::PropertyType;

/// A field of a listing that describes the home itself, such as `bedrooms`. Maps, drafts, lines, stored homes,
/// reports and views treat all of them alike.
#[derive(Clone, Copy, Debug)]
pub struct HomeField {
    /// The name in maps, reports and views.
    pub name: &'static str,
    /// The name in a line of the stream: that of the field of [`Listing`].
    pub key: &'static str,
    /// The type of its values.
    pub kind: HomeKind,
    pub kept: FieldPlace,
    /// What it means, for documents: no unit, no full stop.
    pub meaning: &'static str,
    /// Its value in facts; `None` for an attribute.
    pub of_facts: fn(&Facts) -> Option<HomeValue>,
    /// Its value in a listing.
    pub get: fn(&Listing) -> Option<HomeValue>,
    /// Sets its value in a listing. A value of another kind changes nothing.
    pub set: fn(&mut Listing, HomeValue),
}

/// Where a home keeps a field.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum FieldPlace {
    /// In [`Facts`](crate::Facts): another value begins an interval.
    Fact,
    /// In [`Attributes`](crate::Attributes): the latest value counts. The mark precedes the value in a stored home;
    /// never reuse one.
    Attribute { mark: u8 },
}

/// The type of a [`HomeField`]: how its values are read, stored and shown.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum HomeKind {
    PropertyType,
    /// A small whole number.
    Count,
    /// A number with two decimals, in hundredths.
    Hundredths,
    Area,
    /// A year of construction.
    Year,
    /// An amount per month.
    Fee,
    /// Yes or no.
    Flag,
}

/// A value of a [`HomeField`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum HomeValue {
    PropertyType(PropertyType),
    Count(u8),
    Hundredths(u16),
    Area(Area),
    Year(i16),
    /// In the listing's currency.
    Fee(Minor),
    Flag(bool),
}

macro_rules! of_facts {
    (Fact, $field:ident, $kind:ident) => {
        |facts| facts.$field.map(HomeValue::$kind)
    };
    (Attribute, $field:ident, $kind:ident) => {
        |_| None
    };
}

macro_rules! table {
    ($($name:literal, $field:ident: $kind:ident, $kept:ident $({ mark: $mark:literal })?, $meaning:literal;)*) => {
        /// The rows of [`home_fields!`](crate::home_fields).
        pub const HOME_FIELDS: [HomeField; [$($name),*].len()] = [$(
            HomeField {
                name: $name,
                key: stringify!($field),
                kind: HomeKind::$kind,
                kept: FieldPlace::$kept $({ mark: $mark })?,
                meaning: $meaning,
                of_facts: of_facts!($kept, $field, $kind),
                get: |listing| listing.$field.map(HomeValue::$kind),
                set: |listing, value| {
                    if let HomeValue::$kind(value) = value {
                        listing.$field = Some(value);
                    }
                },
            },
        )*];
    };
}
crate::home_fields!(table);

/// Parses yes or no, in any case: `true`, `Y`, `0`.
#[must_use]
pub fn parse_flag(text: &str) -> Option<bool> {
    match text.trim().to_ascii_lowercase().as_str() {
        "true" | "yes" | "y" | "1" => Some(true),
        "false" | "no" | "n" | "0" => Some(false),
        _ => None,
    }
}
