use std::fmt;

/// One of the five levels of a path, wide to narrow.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Level {
    /// A country: `us`.
    Country,
    /// A state, province, Land or region: `wa`.
    Region,
    /// A county, province, Bezirk or département: `king`.
    County,
    /// A city, town or commune: `seattle`.
    City,
    /// Narrower than a city: a postal code, a quarter or a district.
    Area,
}

impl Level {
    /// All levels, wide to narrow.
    pub const ALL: [Self; 5] = [Self::Country, Self::Region, Self::County, Self::City, Self::Area];

    /// The name in lower case: `country`, `region`, `county`, `city` or `area`.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Country => "country",
            Self::Region => "region",
            Self::County => "county",
            Self::City => "city",
            Self::Area => "area",
        }
    }
}

impl fmt::Display for Level {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}
