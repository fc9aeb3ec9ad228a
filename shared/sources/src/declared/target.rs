/// A field of a listing that a map can fill.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Target {
    NativeId,
    ObservedAt,
    Purpose,
    Currency,
    Status,
    ListPrice,
    OriginalListPrice,
    PreviousListPrice,
    ClosePrice,
    CloseDate,
    PriceChangedAt,
    ListedAt,
    PropertyType,
    Bedrooms,
    Bathrooms,
    LivingArea,
    LotArea,
    YearBuilt,
    AssociationFee,
    Line,
    Neighbourhood,
    City,
    County,
    Region,
    PostalCode,
    Country,
    Latitude,
    Longitude,
    Title,
    Description,
    Seller,
    Agency,
    Images,
    Amenities,
    Url,
}

/// The type of a field: decides how its text is parsed and which keys its table accepts.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Kind {
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
    Status,
    PropertyType,
    Purpose,
    Currency,
}

impl Target {
    pub(super) const COUNT: usize = Self::TABLE.len();

    /// In the order of the enum: the name in maps, and the type.
    const TABLE: [(Self, &'static str, Kind); 35] = [
        (Self::NativeId, "native_id", Kind::Text),
        (Self::ObservedAt, "observed_at", Kind::Time),
        (Self::Purpose, "purpose", Kind::Purpose),
        (Self::Currency, "currency", Kind::Currency),
        (Self::Status, "status", Kind::Status),
        (Self::ListPrice, "list_price", Kind::Money),
        (Self::OriginalListPrice, "original_list_price", Kind::Money),
        (Self::PreviousListPrice, "previous_list_price", Kind::Money),
        (Self::ClosePrice, "close_price", Kind::Money),
        (Self::CloseDate, "close_date", Kind::Day),
        (Self::PriceChangedAt, "price_changed_at", Kind::Time),
        (Self::ListedAt, "listed_at", Kind::Time),
        (Self::PropertyType, "property_type", Kind::PropertyType),
        (Self::Bedrooms, "bedrooms", Kind::Count),
        (Self::Bathrooms, "bathrooms", Kind::Hundredths),
        (Self::LivingArea, "living_area", Kind::Area),
        (Self::LotArea, "lot_area", Kind::Area),
        (Self::YearBuilt, "year_built", Kind::Year),
        (Self::AssociationFee, "association_fee", Kind::Fee),
        (Self::Line, "line", Kind::Text),
        (Self::Neighbourhood, "neighbourhood", Kind::Text),
        (Self::City, "city", Kind::Text),
        (Self::County, "county", Kind::Text),
        (Self::Region, "region", Kind::Text),
        (Self::PostalCode, "postal_code", Kind::Text),
        (Self::Country, "country", Kind::Text),
        (Self::Latitude, "latitude", Kind::Degrees),
        (Self::Longitude, "longitude", Kind::Degrees),
        (Self::Title, "title", Kind::Text),
        (Self::Description, "description", Kind::Text),
        (Self::Seller, "seller", Kind::Text),
        (Self::Agency, "agency", Kind::Text),
        (Self::Images, "images", Kind::List),
        (Self::Amenities, "amenities", Kind::List),
        (Self::Url, "url", Kind::Text),
    ];

    pub(super) fn parse(name: &str) -> Option<Self> {
        Self::TABLE.iter().find(|(_, n, _)| *n == name).map(|(target, ..)| *target)
    }

    pub(super) fn names() -> impl Iterator<Item = &'static str> + Clone {
        Self::TABLE.iter().map(|(_, name, _)| *name)
    }

    pub(super) fn name(self) -> &'static str {
        Self::TABLE[self as usize].1
    }

    pub(super) fn kind(self) -> Kind {
        Self::TABLE[self as usize].2
    }

    /// Whether an unreadable value of this field always refuses its row, even if `lenient`: without it the row would
    /// have another meaning.
    pub(super) fn is_vital(self) -> bool {
        matches!(
            self,
            Self::NativeId | Self::ObservedAt | Self::Purpose | Self::Currency | Self::Status | Self::ListPrice
        )
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_table_is_in_the_order_of_the_enum() {
        for (i, (target, name, _)) in Target::TABLE.iter().enumerate() {
            assert_eq!(*target as usize, i);
            assert_eq!(Target::parse(name), Some(*target));
        }
    }
}
