use stoop_domain::{Day, Hour};

use crate::kind::{CounterKind, Quantity};
use crate::segment::Cell;

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

/// The code of no cell, for coordinates of a whole area.
pub(crate) const WHOLE_AREA: u16 = u16::MAX;

impl Key {
    /// Days before 1880 and after 2059 are clamped to that range.
    pub(crate) fn new(cell: Cell, quantity: Quantity, kind: CounterKind, day: Day, bucket: i32) -> Self {
        let time = (day.0.clamp(-TIME_OFFSET, TIME_OFFSET - 1) + TIME_OFFSET).cast_unsigned();
        let bucket = (bucket.clamp(-BUCKET_OFFSET, BUCKET_OFFSET - 1) + BUCKET_OFFSET).cast_unsigned();
        let measure = (quantity as u64) << QUANTITY | (kind as u64) << KIND;
        Self(u64::from(cell.code()) << CELL | measure | u64::from(time) << TIME | u64::from(bucket))
    }

    /// The coordinate of the events of an hour.
    pub(crate) fn hour(cell: Cell, kind: CounterKind, hour: Hour) -> Self {
        Self::new(cell, Quantity::Hour, kind, Day(hour.0.div_euclid(24)), hour.0.rem_euclid(24))
    }

    /// The coordinate of a whole area, in no cell.
    pub(crate) fn of_area(quantity: Quantity, kind: CounterKind, day: Day, bucket: i32) -> Self {
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

    /// The largest group.
    pub(crate) const GROUP_MAX: u64 = u64::MAX >> KIND;

    /// Cell, quantity and kind.
    pub(crate) fn group(self) -> u64 {
        self.0 >> KIND
    }

    /// The day, offset so that it is not negative.
    pub(crate) fn time(self) -> u16 {
        (self.0 >> TIME) as u16
    }

    /// The key of a [`Key::group`], [`Key::time`] and bucket. `None` if no key has this bucket.
    pub(crate) fn of_group(group: u64, time: u16, bucket: i32) -> Option<Self> {
        let bucket = u64::try_from(i64::from(bucket) + i64::from(BUCKET_OFFSET)).ok().filter(|it| *it <= BUCKET_MAX)?;
        Some(Self(group << KIND | u64::from(time) << TIME | bucket))
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
    pub(crate) fn kind(self) -> Option<CounterKind> {
        CounterKind::of_number((self.0 >> KIND) as u8 & 0b1_1111)
    }

    pub(crate) fn day(self) -> i32 {
        ((self.0 >> TIME) & 0xffff) as i32 - TIME_OFFSET
    }

    pub(crate) fn bucket(self) -> i32 {
        (self.0 & BUCKET_MAX) as i32 - BUCKET_OFFSET
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

#[cfg(test)]
mod tests {
    use stoop_domain::PropertyType;

    use super::*;

    const CONDO: Cell = Cell { property_type: Some(PropertyType::Condominium), bedrooms: Some(3) };
    const UNKNOWN: Cell = Cell { property_type: None, bedrooms: None };

    #[test]
    fn keys_sort_by_cell_quantity_kind_time_bucket_and_round_trip() {
        let mut keys = [
            Key::new(CONDO, Quantity::Price, CounterKind::New, Day(-5), 7),
            Key::new(UNKNOWN, Quantity::Price, CounterKind::New, Day(20_000), -3),
            Key::new(UNKNOWN, Quantity::Count, CounterKind::Sold, Day(20_000), 4),
            Key::new(UNKNOWN, Quantity::Price, CounterKind::New, Day(-20_000), 9_000),
            Key::new(UNKNOWN, Quantity::Price, CounterKind::Initial, Day(20_001), 4),
        ];
        keys.sort();
        let read: Vec<_> =
            keys.iter().map(|k| (k.cell().unwrap(), k.quantity(), k.kind().unwrap(), k.day(), k.bucket())).collect();
        let expected = [
            (UNKNOWN, Quantity::Count, CounterKind::Sold, 20_000, 4),
            (UNKNOWN, Quantity::Price, CounterKind::Initial, 20_001, 4),
            (UNKNOWN, Quantity::Price, CounterKind::New, -20_000, 9_000),
            (UNKNOWN, Quantity::Price, CounterKind::New, 20_000, -3),
            (CONDO, Quantity::Price, CounterKind::New, -5, 7),
        ];
        assert_eq!(read, expected);
        let opening = keys[3].opening(12);
        assert_eq!((opening.kind(), opening.day(), opening.bucket()), (Some(CounterKind::Opening), 12, -3));
        assert_eq!((opening.cell(), opening.quantity()), (Some(UNKNOWN), Quantity::Price));
    }

    #[test]
    fn an_hour_round_trips() {
        for hour in [0, 1, 23, 24, -1, -24, -25, 490_000] {
            assert_eq!(Key::hour(CONDO, CounterKind::Gone, Hour(hour)).hour_of(), hour);
        }
    }
}
