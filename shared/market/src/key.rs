use stoop_domain::{Day, EventKind, Hour, PropertyType};

use crate::histogram::Bucket;

/// A part of a market whose figures are kept by themselves.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Segment {
    /// Every home.
    All,
    /// Homes of one property type; `None`: of unknown type.
    Type(Option<PropertyType>),
    /// Homes with this many bedrooms, 10 standing for 10 and more; `None`: unknown.
    Bedrooms(Option<u8>),
}

/// What a coordinate counts. The numbers are part of the stored format: never reuse one.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Measure {
    /// Change of the number of active homes at the close of a day.
    Active = 0,
    /// The same, by price bucket.
    Price = 1,
    /// Change of the sum of their prices, in minor units.
    PriceSum = 2,
    /// The same as `Price`, by bucket of price in minor units per square metre.
    PricePerArea = 3,
    /// The same, by the day on which the spell on the market opened.
    Opened = 4,
    /// The same, for homes now below their first price, by bucket of the cut in hundredths of a percent.
    Cut = 5,
    /// Events on a day, by kind.
    FlowDay = 6,
    /// Events in an hour of UTC, by kind.
    FlowHour = 7,
}

/// A coordinate, packed so that the order of keys is segment, measure, time, bucket:
/// 8 bits, 8 bits, 24 bits offset by 2^23, 24 bits offset by 2^23.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) struct Key(pub(crate) u64);

const OFFSET: i32 = 1 << 23;
const BEDROOMS_MAX: u8 = 10;
const TYPE_BASE: u8 = 1;
const TYPE_UNKNOWN: u8 = 63;
const BEDROOMS_BASE: u8 = 64;
const BEDROOMS_UNKNOWN: u8 = 127;

impl Key {
    pub(crate) fn stock(segment: Segment, measure: Measure, day: Day, bucket: i32) -> Self {
        Self::pack(segment, measure, day.0, bucket)
    }

    pub(crate) fn flow_day(segment: Segment, day: Day, kind: EventKind) -> Self {
        Self::pack(segment, Measure::FlowDay, day.0, bucket_of(kind))
    }

    pub(crate) fn flow_hour(segment: Segment, hour: Hour, kind: EventKind) -> Self {
        Self::pack(segment, Measure::FlowHour, hour.0, bucket_of(kind))
    }

    fn pack(segment: Segment, measure: Measure, time: i32, bucket: i32) -> Self {
        let field = |value: i32| u64::from((value.clamp(-OFFSET, OFFSET - 1) + OFFSET).cast_unsigned());
        Self(u64::from(segment.code()) << 56 | (measure as u64) << 48 | field(time) << 24 | field(bucket))
    }

    /// The first key of a segment's measure; with [`Key::end`], its range.
    pub(crate) fn start(segment: Segment, measure: Measure) -> Self {
        Self(u64::from(segment.code()) << 56 | (measure as u64) << 48)
    }

    /// The last key of a segment's measure up to and including `time`.
    pub(crate) fn end(segment: Segment, measure: Measure, time: i32) -> Self {
        Self(Self::pack(segment, measure, time, OFFSET - 1).0)
    }

    /// The first key of a segment's measure at `time`.
    pub(crate) fn at(segment: Segment, measure: Measure, time: i32) -> Self {
        Self::pack(segment, measure, time, -OFFSET)
    }

    pub(crate) fn segment_code(self) -> u8 {
        (self.0 >> 56) as u8
    }

    pub(crate) fn measure_code(self) -> u8 {
        (self.0 >> 48) as u8
    }

    pub(crate) fn time(self) -> i32 {
        ((self.0 >> 24) & 0xff_ffff) as i32 - OFFSET
    }

    pub(crate) fn bucket(self) -> i32 {
        (self.0 & 0xff_ffff) as i32 - OFFSET
    }

    pub(crate) fn with_time(self, time: i32) -> Self {
        let field = u64::from((time.clamp(-OFFSET, OFFSET - 1) + OFFSET).cast_unsigned());
        Self(self.0 & !(0xff_ffff << 24) | field << 24)
    }
}

impl Measure {
    /// Whether this measure tells of the stock, whose past can be folded, and not of a flow.
    pub(crate) fn is_stock(code: u8) -> bool {
        code <= Self::Cut as u8
    }
}

impl Segment {
    pub(crate) fn code(self) -> u8 {
        match self {
            Self::All => 0,
            Self::Type(Some(kind)) => TYPE_BASE + kind as u8,
            Self::Type(None) => TYPE_UNKNOWN,
            Self::Bedrooms(Some(n)) => BEDROOMS_BASE + n.min(BEDROOMS_MAX),
            Self::Bedrooms(None) => BEDROOMS_UNKNOWN,
        }
    }

    pub(crate) fn from_code(code: u8) -> Option<Self> {
        match code {
            0 => Some(Self::All),
            TYPE_UNKNOWN => Some(Self::Type(None)),
            BEDROOMS_UNKNOWN => Some(Self::Bedrooms(None)),
            code if code >= BEDROOMS_BASE => {
                let n = code - BEDROOMS_BASE;
                (n <= BEDROOMS_MAX).then_some(Self::Bedrooms(Some(n)))
            }
            code => PropertyType::ALL.get(usize::from(code - TYPE_BASE)).map(|kind| Self::Type(Some(*kind))),
        }
    }

    /// The name shown in tables: `all`, `Condominium`, `3 bedrooms`.
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
        }
    }
}

/// Every kind of event, each at its bucket. The order is part of the stored format: never change it.
const EVENTS: [EventKind; 7] = [
    EventKind::New,
    EventKind::BackOnMarket,
    EventKind::PriceCut,
    EventKind::PriceRise,
    EventKind::Pending,
    EventKind::Closed,
    EventKind::Gone,
];

fn bucket_of(kind: EventKind) -> i32 {
    EVENTS.iter().zip(0..).find(|(known, _)| **known == kind).map_or(i32::MAX, |(_, bucket)| bucket)
}

/// The kind of event that a flow's bucket stands for.
pub(crate) fn event_of(bucket: i32) -> Option<EventKind> {
    usize::try_from(bucket).ok().and_then(|place| EVENTS.get(place)).copied()
}

impl From<Bucket> for i32 {
    fn from(bucket: Bucket) -> Self {
        bucket.0
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keys_are_ordered_by_segment_measure_time_bucket_and_read_back() {
        let key = |segment, day, bucket| Key::stock(segment, Measure::Price, Day(day), bucket);
        let mut keys = [
            key(Segment::Bedrooms(Some(3)), -5, 7),
            key(Segment::All, 20_000, -3),
            key(Segment::All, -20_000, 9_000),
            key(Segment::All, 20_000, 4),
        ];
        keys.sort();
        let read: Vec<_> = keys.iter().map(|k| (k.segment_code(), k.time(), k.bucket())).collect();
        assert_eq!(read, [(0, -20_000, 9_000), (0, 20_000, -3), (0, 20_000, 4), (67, -5, 7)]);
        assert!(keys.iter().all(|k| k.measure_code() == 1));
        assert_eq!(keys[0].with_time(3).time(), 3);
        assert_eq!(keys[0].with_time(3).bucket(), 9_000);
    }

    #[test]
    fn every_segment_has_a_code_of_its_own() {
        let types = PropertyType::ALL.map(|kind| Segment::Type(Some(kind)));
        let bedrooms = (0..=10).map(|n| Segment::Bedrooms(Some(n)));
        let all = [Segment::All, Segment::Type(None), Segment::Bedrooms(None)].into_iter().chain(types).chain(bedrooms);
        for segment in all {
            assert_eq!(Segment::from_code(segment.code()), Some(segment));
        }
    }
}
