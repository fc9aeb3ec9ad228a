use stoop_domain::{HOME_FIELDS, HomeKind};

/// A field of a listing that a map can fill, as its index: first those of [`Target::OWN`], then [`HOME_FIELDS`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Target(usize);

/// The type of a field: decides how its text is parsed and which keys its table accepts.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum TargetKind {
    Text,
    List,
    Money,
    /// A periodic fee, stored per month.
    Fee,
    Area,
    Time,
    /// A civil day in the map's time zone.
    Day,
    /// Year of construction.
    Year,
    /// A small whole number.
    Count,
    /// A number stored in hundredths.
    Hundredths,
    /// Latitude or longitude in degrees.
    Degrees,
    /// Yes or no.
    Flag,
    Status,
    PropertyType,
    Purpose,
    Currency,
}

impl Target {
    pub(super) const NATIVE_ID: Self = Self(0);
    pub(super) const OBSERVED_AT: Self = Self(1);
    pub(super) const PURPOSE: Self = Self(2);
    pub(super) const CURRENCY: Self = Self(3);
    pub(super) const STATUS: Self = Self(4);
    pub(super) const LIST_PRICE: Self = Self(5);
    pub(super) const ORIGINAL_LIST_PRICE: Self = Self(6);
    pub(super) const PREVIOUS_LIST_PRICE: Self = Self(7);
    pub(super) const CLOSE_PRICE: Self = Self(8);
    pub(super) const CLOSE_DATE: Self = Self(9);
    pub(super) const PRICE_CHANGED_AT: Self = Self(10);
    pub(super) const LISTED_AT: Self = Self(11);
    pub(super) const LINE: Self = Self(12);
    pub(super) const NEIGHBOURHOOD: Self = Self(13);
    pub(super) const CITY: Self = Self(14);
    pub(super) const COUNTY: Self = Self(15);
    pub(super) const REGION: Self = Self(16);
    pub(super) const POSTAL_CODE: Self = Self(17);
    pub(super) const COUNTRY: Self = Self(18);
    pub(super) const LATITUDE: Self = Self(19);
    pub(super) const LONGITUDE: Self = Self(20);
    pub(super) const TITLE: Self = Self(21);
    pub(super) const DESCRIPTION: Self = Self(22);
    pub(super) const SELLER: Self = Self(23);
    pub(super) const AGENCY: Self = Self(24);
    pub(super) const IMAGES: Self = Self(25);
    pub(super) const AMENITIES: Self = Self(26);
    pub(super) const URL: Self = Self(27);

    /// Whether the field says which home it is, where, when and on which terms. A row without it is refused.
    pub(super) fn identifies(self) -> bool {
        (Self::NATIVE_ID.0..=Self::STATUS.0).contains(&self.0)
            || (Self::NEIGHBOURHOOD.0..=Self::COUNTRY.0).contains(&self.0)
    }

    pub(super) const COUNT: usize = Self::OWN.len() + HOME_FIELDS.len();

    /// In the order of the constants: the name in maps, and the type.
    const OWN: [(&'static str, TargetKind); 28] = [
        ("native_id", TargetKind::Text),
        ("observed_at", TargetKind::Time),
        ("purpose", TargetKind::Purpose),
        ("currency", TargetKind::Currency),
        ("status", TargetKind::Status),
        ("list_price", TargetKind::Money),
        ("original_list_price", TargetKind::Money),
        ("previous_list_price", TargetKind::Money),
        ("close_price", TargetKind::Money),
        ("close_date", TargetKind::Day),
        ("price_changed_at", TargetKind::Time),
        ("listed_at", TargetKind::Time),
        ("line", TargetKind::Text),
        ("neighbourhood", TargetKind::Text),
        ("city", TargetKind::Text),
        ("county", TargetKind::Text),
        ("region", TargetKind::Text),
        ("postal_code", TargetKind::Text),
        ("country", TargetKind::Text),
        ("latitude", TargetKind::Degrees),
        ("longitude", TargetKind::Degrees),
        ("title", TargetKind::Text),
        ("description", TargetKind::Text),
        ("seller", TargetKind::Text),
        ("agency", TargetKind::Text),
        ("images", TargetKind::List),
        ("amenities", TargetKind::List),
        ("url", TargetKind::Text),
    ];

    /// The field in this row of [`HOME_FIELDS`].
    pub(super) fn of_home(row: usize) -> Self {
        Self(Self::OWN.len() + row)
    }

    pub(super) fn parse(name: &str) -> Option<Self> {
        Self::names().position(|known| known == name).map(Self)
    }

    pub(super) fn names() -> impl Iterator<Item = &'static str> + Clone {
        Self::OWN.iter().map(|(name, _)| *name).chain(HOME_FIELDS.iter().map(|field| field.name))
    }

    pub(super) fn index(self) -> usize {
        self.0
    }

    pub(super) fn name(self) -> &'static str {
        match Self::OWN.get(self.0) {
            Some((name, _)) => name,
            None => HOME_FIELDS[self.0 - Self::OWN.len()].name,
        }
    }

    pub(super) fn kind(self) -> TargetKind {
        match Self::OWN.get(self.0) {
            Some((_, kind)) => *kind,
            None => HOME_FIELDS[self.0 - Self::OWN.len()].kind.into(),
        }
    }

    /// Whether an unreadable value of this field always refuses its row, even if `lenient`: without it the row would
    /// have another meaning, or be shown although it may not be.
    pub(super) fn is_vital(self) -> bool {
        let is_own = matches!(
            self,
            Self::NATIVE_ID | Self::OBSERVED_AT | Self::PURPOSE | Self::CURRENCY | Self::STATUS | Self::LIST_PRICE
        );
        is_own || matches!(self.kind(), TargetKind::Flag)
    }
}

impl From<HomeKind> for TargetKind {
    fn from(kind: HomeKind) -> Self {
        match kind {
            HomeKind::PropertyType => Self::PropertyType,
            HomeKind::Count => Self::Count,
            HomeKind::Hundredths => Self::Hundredths,
            HomeKind::Area => Self::Area,
            HomeKind::Year => Self::Year,
            HomeKind::Fee => Self::Fee,
            HomeKind::Flag => Self::Flag,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_constants_are_in_the_order_of_the_table() {
        for (target, name) in [
            (Target::NATIVE_ID, "native_id"),
            (Target::OBSERVED_AT, "observed_at"),
            (Target::PURPOSE, "purpose"),
            (Target::CURRENCY, "currency"),
            (Target::STATUS, "status"),
            (Target::LIST_PRICE, "list_price"),
            (Target::ORIGINAL_LIST_PRICE, "original_list_price"),
            (Target::PREVIOUS_LIST_PRICE, "previous_list_price"),
            (Target::CLOSE_PRICE, "close_price"),
            (Target::CLOSE_DATE, "close_date"),
            (Target::PRICE_CHANGED_AT, "price_changed_at"),
            (Target::LISTED_AT, "listed_at"),
            (Target::LINE, "line"),
            (Target::NEIGHBOURHOOD, "neighbourhood"),
            (Target::CITY, "city"),
            (Target::COUNTY, "county"),
            (Target::REGION, "region"),
            (Target::POSTAL_CODE, "postal_code"),
            (Target::COUNTRY, "country"),
            (Target::LATITUDE, "latitude"),
            (Target::LONGITUDE, "longitude"),
            (Target::TITLE, "title"),
            (Target::DESCRIPTION, "description"),
            (Target::SELLER, "seller"),
            (Target::AGENCY, "agency"),
            (Target::IMAGES, "images"),
            (Target::AMENITIES, "amenities"),
            (Target::URL, "url"),
        ] {
            assert_eq!((Target::parse(name), target.name()), (Some(target), name));
        }
        for (row, field) in HOME_FIELDS.iter().enumerate() {
            let target = Target::of_home(row);
            assert_eq!((Target::parse(field.name), target.name()), (Some(target), field.name));
        }
    }
}
