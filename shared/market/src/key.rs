use stoop_domain::{Day, Facts, Hour, PropertyType};

use crate::kind::{Kind, Quantity};

/// A part of a market with figures of its own.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Segment {
    /// Every home.
    All,
    /// Homes of one property type; `None`: unknown type.
    Type(Option<PropertyType>),
    /// Homes with this many bedrooms; 10 means 10 or more; `None`: unknown.
    Bedrooms(Option<u8>),
    Cell(Cell),
}

/// Property type and number of bedrooms. Each home is counted in one cell, and every segment is a sum of cells.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Cell {
    /// `None`: unknown.
    pub property_type: Option<PropertyType>,
    /// 10 means 10 or more; `None`: unknown.
    pub bedrooms: Option<u8>,
}

/// A coordinate, packed so that keys sort by cell, quantity, kind, time, bucket: 16 bits, 4 bits, 5 bits, 16 bits
/// offset by 2^15 (days), 23 bits offset by 2^22.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) struct Key(pub(crate) u64);

const TIME_OFFSET: i32 = 1 << 15;
const BUCKET_OFFSET: i32 = 1 << 22;
const BUCKET_MAX: u64 = (1 << 23) - 1;

/// The first bit of each part of a key.
const CELL: u32 = 48;
const QUANTITY: u32 = 44;
const KIND: u32 = 39;
const TIME: u32 = 23;
const BEDROOMS_MAX: u8 = 10;

/// The code of no cell, for coordinates of a whole area.
pub(crate) const WHOLE_AREA: u16 = u16::MAX;

impl Key {
    /// Days before 1880 and after 2059 are clamped to that range.
    pub(crate) fn new(cell: Cell, quantity: Quantity, kind: Kind, day: Day, bucket: i32) -> Self {
        let time = (day.0.clamp(-TIME_OFFSET, TIME_OFFSET - 1) + TIME_OFFSET).cast_unsigned();
        let bucket = (bucket.clamp(-BUCKET_OFFSET, BUCKET_OFFSET - 1) + BUCKET_OFFSET).cast_unsigned();
        let measure = (quantity as u64) << QUANTITY | (kind as u64) << KIND;
        Self(u64::from(cell.code()) << CELL | measure | u64::from(time) << TIME | u64::from(bucket))
    }

    /// The coordinate of the events of an hour.
    pub(crate) fn hour(cell: Cell, kind: Kind, hour: Hour) -> Self {
        Self::new(cell, Quantity::Hour, kind, Day(hour.0.div_euclid(24)), hour.0.rem_euclid(24))
    }

    /// The coordinate of a whole area, in no cell.
    pub(crate) fn of_area(quantity: Quantity, kind: Kind, day: Day, bucket: i32) -> Self {
        let key = Self::new(Cell { property_type: None, bedrooms: None }, quantity, kind, day, bucket);
        Self(key.0 | u64::from(WHOLE_AREA) << CELL)
    }

    /// The smallest key of a cell and quantity.
    pub(crate) fn first_of(cell: u16, quantity: Quantity) -> Self {
        Self(u64::from(cell) << CELL | (quantity as u64) << QUANTITY)
    }

    /// The smallest key of a cell and quantity.
    pub(crate) fn new_first(cell: Cell, quantity: Quantity) -> Self {
        Self::first_of(cell.code(), quantity)
    }

    /// Whether both keys have the same cell and quantity.
    pub(crate) fn is_of(self, other: Self) -> bool {
        self.0 >> QUANTITY == other.0 >> QUANTITY
    }

    pub(crate) fn cell_code(self) -> u16 {
        (self.0 >> CELL) as u16
    }

    pub(crate) fn cell(self) -> Option<Cell> {
        Cell::from_code(self.cell_code())
    }

    pub(crate) fn quantity(self) -> Quantity {
        Quantity::ALL[usize::from((self.0 >> QUANTITY) as u8 & 0b1111)]
    }

    /// `None` for a kind that this program does not know.
    pub(crate) fn kind(self) -> Option<Kind> {
        Kind::of_number((self.0 >> KIND) as u8 & 0b1_1111)
    }

    pub(crate) fn day(self) -> i32 {
        ((self.0 >> TIME) & 0xffff) as i32 - TIME_OFFSET
    }

    pub(crate) fn bucket(self) -> i32 {
        (self.0 & BUCKET_MAX) as i32 - BUCKET_OFFSET
    }

    /// The same key with another bucket.
    pub(crate) fn in_bucket(self, bucket: i32) -> Self {
        let bucket = (bucket.clamp(-BUCKET_OFFSET, BUCKET_OFFSET - 1) + BUCKET_OFFSET).cast_unsigned();
        Self(self.0 & !BUCKET_MAX | u64::from(bucket))
    }

    /// The UTC hour of a coordinate of [`Quantity::Hour`].
    pub(crate) fn hour_of(self) -> i32 {
        self.day() * 24 + self.bucket()
    }

    /// The same key in the opening of the day after `day`.
    pub(crate) fn opening(self, day: i32) -> Self {
        let time = (day.clamp(-TIME_OFFSET, TIME_OFFSET - 1) + TIME_OFFSET).cast_unsigned();
        Self(self.0 & !(0b1_1111 << KIND | 0xffff << TIME) | u64::from(time) << TIME)
    }
}

impl Cell {
    /// The cell in which a home with these facts is counted.
    #[must_use]
    pub fn of(facts: &Facts) -> Self {
        Self { property_type: facts.property_type, bedrooms: facts.bedrooms.map(|n| n.min(BEDROOMS_MAX)) }
    }

    /// Two bytes: 0 for unknown, otherwise one more than the index of the type or than the number.
    fn code(self) -> u16 {
        let kind = self.property_type.map_or(0, |kind| kind as u16 + 1);
        let bedrooms = self.bedrooms.map_or(0, |n| u16::from(n.min(BEDROOMS_MAX)) + 1);
        kind << 8 | bedrooms
    }

    fn from_code(code: u16) -> Option<Self> {
        let [kind, bedrooms] = code.to_be_bytes();
        let property_type = match kind.checked_sub(1) {
            None => None,
            Some(index) => Some(*PropertyType::ALL.get(usize::from(index))?),
        };
        let bedrooms = bedrooms.checked_sub(1);
        bedrooms.is_none_or(|n| n <= BEDROOMS_MAX).then_some(Self { property_type, bedrooms })
    }
}

impl Segment {
    /// Whether the segment contains homes of this cell.
    #[must_use]
    pub fn contains(self, cell: Cell) -> bool {
        match self {
            Self::All => true,
            Self::Type(kind) => cell.property_type == kind,
            Self::Bedrooms(bedrooms) => cell.bedrooms == bedrooms,
            Self::Cell(one) => cell == one,
        }
    }

    /// The segments that contain a cell, including the whole market.
    #[must_use]
    pub fn of(cell: Cell) -> [Self; 4] {
        [Self::All, Self::Type(cell.property_type), Self::Bedrooms(cell.bedrooms), Self::Cell(cell)]
    }

    /// The name in tables: `all`, `Condominium`, `3 bedrooms`, `Condominium, 3 bedrooms`.
    #[must_use]
    pub fn label(self) -> String {
        match self {
            Self::All => "all".into(),
            Self::Type(Some(kind)) => kind.as_str().into(),
            Self::Type(None) => "unknown type".into(),
            Self::Bedrooms(Some(0)) => "studio".into(),
            Self::Bedrooms(Some(1)) => "1 bedroom".into(),
            Self::Bedrooms(Some(n)) if n >= BEDROOMS_MAX => format!("{BEDROOMS_MAX}+ bedrooms"),
            Self::Bedrooms(Some(n)) => format!("{n} bedrooms"),
            Self::Bedrooms(None) => "unknown bedrooms".into(),
            Self::Cell(Cell { property_type, bedrooms }) => {
                format!("{}, {}", Self::Type(property_type).label(), Self::Bedrooms(bedrooms).label())
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const CONDO: Cell = Cell { property_type: Some(PropertyType::Condominium), bedrooms: Some(3) };
    const UNKNOWN: Cell = Cell { property_type: None, bedrooms: None };

    #[test]
    fn keys_sort_by_cell_quantity_kind_time_bucket_and_round_trip() {
        let mut keys = [
            Key::new(CONDO, Quantity::Price, Kind::New, Day(-5), 7),
            Key::new(UNKNOWN, Quantity::Price, Kind::New, Day(20_000), -3),
            Key::new(UNKNOWN, Quantity::Count, Kind::Sold, Day(20_000), 4),
            Key::new(UNKNOWN, Quantity::Price, Kind::New, Day(-20_000), 9_000),
            Key::new(UNKNOWN, Quantity::Price, Kind::Initial, Day(20_001), 4),
        ];
        keys.sort();
        let read: Vec<_> =
            keys.iter().map(|k| (k.cell().unwrap(), k.quantity(), k.kind().unwrap(), k.day(), k.bucket())).collect();
        let expected = [
            (UNKNOWN, Quantity::Count, Kind::Sold, 20_000, 4),
            (UNKNOWN, Quantity::Price, Kind::Initial, 20_001, 4),
            (UNKNOWN, Quantity::Price, Kind::New, -20_000, 9_000),
            (UNKNOWN, Quantity::Price, Kind::New, 20_000, -3),
            (CONDO, Quantity::Price, Kind::New, -5, 7),
        ];
        assert_eq!(read, expected);
        let opening = keys[3].opening(12);
        assert_eq!((opening.kind(), opening.day(), opening.bucket()), (Some(Kind::Opening), 12, -3));
        assert_eq!((opening.cell(), opening.quantity()), (Some(UNKNOWN), Quantity::Price));
    }

    #[test]
    fn an_hour_round_trips() {
        for hour in [0, 1, 23, 24, -1, -24, -25, 490_000] {
            assert_eq!(Key::hour(CONDO, Kind::Gone, Hour(hour)).hour_of(), hour);
        }
    }

    #[test]
    fn every_cell_has_a_unique_code() {
        let types = PropertyType::ALL.into_iter().map(Some).chain([None]);
        for property_type in types {
            for bedrooms in (0..=10).map(Some).chain([None]) {
                let cell = Cell { property_type, bedrooms };
                assert_eq!(Cell::from_code(cell.code()), Some(cell));
                assert!(Segment::of(cell).into_iter().all(|segment| segment.contains(cell)));
            }
        }
    }
}
