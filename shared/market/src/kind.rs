//! What a coordinate of a market's state counts, and what happened to the home.

use crate::segment::Segment;

/// What a coordinate counts. The numbers are part of the stored format: never reuse one.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Quantity {
    /// Homes; for kinds that do not change the stock, events.
    Count = 0,
    /// Homes, by price bucket in minor units.
    Price = 1,
    /// The sum of prices modulo 2^32, in minor units.
    PriceSum = 2,
    /// The sum of prices divided by 2^32. Both parts together are exact, and neither overflows 64 bits.
    PriceSumHigh = 3,
    /// Homes, by bucket of the price in minor units per square metre.
    PricePerArea = 4,
    /// Homes, by the day on which their spell began.
    Opened = 5,
    /// Homes below their original price, by bucket of the cut in basis points.
    Cut = 6,
    /// Events, by UTC hour.
    Hour = 7,
    /// Homes that are unconfirmed.
    Unconfirmed = 8,
    /// Sales, by the closing price in basis points of the asking price: of the last one ([`CounterKind::Sold`]) or of the
    /// first one of the spell ([`CounterKind::SoldOriginal`]).
    Ratio = 9,
    /// Events, by days since their spell opened: first cuts of a spell; in the sums of a wide area also entries and
    /// exits.
    Age = 10,
    /// Homes under contract.
    PendingStock = 11,
    /// Price cuts, by days since the home's last one in the same market and cell; [`NO_CUT_BEFORE`] if there is none.
    CutGap = 12,
    /// In the sums of wide areas: homes with a price (bucket 0), and the sum of the numbers of their price buckets
    /// (bucket 1), which are logarithms.
    PriceLog = 13,
    /// Pairs of first asking prices of a home, by the number of months between them.
    Repeat = 14,
    /// A quantity that this program does not know.
    Unknown = 15,
}

/// The bucket of [`Quantity::CutGap`] of a home's first cut: longer than any gap in days.
pub(crate) const NO_CUT_BEFORE: i32 = 1 << 20;

/// What happened to a home. The numbers are part of the stored format: never reuse one.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum CounterKind {
    /// The sum of everything before the first single day.
    Opening = 0,
    Initial = 1,
    New = 2,
    Relisted = 3,
    BackOnMarket = 4,
    /// From another market.
    MovedIn = 5,
    /// From another property type of the same market.
    TypeIn = 6,
    BedroomsIn = 7,
    CellIn = 8,
    Pending = 9,
    Closed = 10,
    Gone = 11,
    MovedOut = 13,
    TypeOut = 14,
    BedroomsOut = 15,
    CellOut = 16,
    PriceCut = 17,
    PriceRise = 18,
    /// A value changed other than the price and the cell.
    Amended = 19,
    Sold = 20,
    Expired = 21,
    /// A sale, compared with the first price of its spell.
    SoldOriginal = 22,
    /// A cut, by its size ([`Quantity::Cut`]); [`CounterKind::PriceCut`] is the change of the stock.
    CutStep = 23,
    /// Relisted at a lower price than was last asked.
    RelistedLower = 24,
    /// A new home by its first price, in the sums of wide areas; elsewhere [`CounterKind::New`] shows it.
    Asked = 25,
    /// The first asking prices of two spells, on the day of the second one: their number ([`Quantity::Repeat`]).
    Pair = 26,
    /// The sum of the logarithms of their ratios, in millionths.
    PairChange = 27,
}

/// The effect of a kind on the stock.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Role {
    Opening,
    Entry,
    Exit,
    /// The home stays in stock with another price.
    InPlace,
    /// The stock does not change.
    NoStock,
}

impl CounterKind {
    /// Indexed by number.
    const ALL: [Option<Self>; 28] = [
        Some(Self::Opening),
        Some(Self::Initial),
        Some(Self::New),
        Some(Self::Relisted),
        Some(Self::BackOnMarket),
        Some(Self::MovedIn),
        Some(Self::TypeIn),
        Some(Self::BedroomsIn),
        Some(Self::CellIn),
        Some(Self::Pending),
        Some(Self::Closed),
        Some(Self::Gone),
        None,
        Some(Self::MovedOut),
        Some(Self::TypeOut),
        Some(Self::BedroomsOut),
        Some(Self::CellOut),
        Some(Self::PriceCut),
        Some(Self::PriceRise),
        Some(Self::Amended),
        Some(Self::Sold),
        Some(Self::Expired),
        Some(Self::SoldOriginal),
        Some(Self::CutStep),
        Some(Self::RelistedLower),
        Some(Self::Asked),
        Some(Self::Pair),
        Some(Self::PairChange),
    ];

    /// The kind of this number. `None` for one that this program does not know.
    pub(crate) fn of_number(number: u8) -> Option<Self> {
        Self::ALL.get(usize::from(number)).copied().flatten()
    }

    pub(crate) fn role(self) -> Role {
        match self {
            Self::Opening => Role::Opening,
            Self::Initial | Self::New | Self::Relisted | Self::BackOnMarket => Role::Entry,
            Self::MovedIn | Self::TypeIn | Self::BedroomsIn | Self::CellIn => Role::Entry,
            Self::Pending | Self::Closed | Self::Gone | Self::Expired => Role::Exit,
            Self::MovedOut | Self::TypeOut | Self::BedroomsOut | Self::CellOut => Role::Exit,
            Self::PriceCut | Self::PriceRise | Self::Amended => Role::InPlace,
            Self::Sold | Self::SoldOriginal | Self::CutStep | Self::RelistedLower | Self::Asked => Role::NoStock,
            Self::Pair | Self::PairChange => Role::NoStock,
        }
    }

    /// Whether a home that moves between two cells of a market enters or leaves this segment.
    pub(crate) fn crosses(self, segment: Segment) -> bool {
        match (self, segment) {
            (Self::TypeIn | Self::TypeOut, Segment::Type(_) | Segment::Cell(_)) => true,
            (Self::BedroomsIn | Self::BedroomsOut, Segment::Bedrooms(_) | Segment::Cell(_)) => true,
            (Self::CellIn | Self::CellOut, segment) => segment != Segment::All,
            (Self::TypeIn | Self::TypeOut | Self::BedroomsIn | Self::BedroomsOut, _) => false,
            _ => true,
        }
    }
}

impl Quantity {
    /// Indexed by number.
    pub(crate) const ALL: [Self; 16] = [
        Self::Count,
        Self::Price,
        Self::PriceSum,
        Self::PriceSumHigh,
        Self::PricePerArea,
        Self::Opened,
        Self::Cut,
        Self::Hour,
        Self::Unconfirmed,
        Self::Ratio,
        Self::Age,
        Self::PendingStock,
        Self::CutGap,
        Self::PriceLog,
        Self::Repeat,
        Self::Unknown,
    ];

    /// The quantities with the figures of civil days: all but hours and what only price indices need.
    pub(crate) const OF_DAYS: [Self; 12] = [
        Self::Count,
        Self::Price,
        Self::PriceSum,
        Self::PriceSumHigh,
        Self::PricePerArea,
        Self::Opened,
        Self::Cut,
        Self::Unconfirmed,
        Self::Ratio,
        Self::Age,
        Self::PendingStock,
        Self::CutGap,
    ];

    /// A bound above every coordinate of a real market, so that no sum overflows: a thousand billion homes, or prices
    /// of sixteen million homes in halves below 2^32.
    pub(crate) fn value_max(self) -> u64 {
        match self {
            Self::PriceSum | Self::PriceSumHigh | Self::PriceLog | Self::Repeat => 1 << 56,
            _ => 1 << 40,
        }
    }

    /// Whether a coordinate of this quantity and kind changes the stock, so that the past can be summed up. Otherwise
    /// it counts events of its day.
    pub(crate) fn is_stock(self, kind: CounterKind) -> bool {
        match (self, kind.role()) {
            (Self::Hour | Self::Ratio | Self::Age | Self::CutGap | Self::Repeat | Self::Unknown, _) => false,
            (_, Role::NoStock) | (Self::Count, Role::InPlace) => false,
            (_, Role::Opening | Role::Entry | Role::Exit | Role::InPlace) => true,
        }
    }
}

#[cfg(test)]
#[test]
fn every_kind_and_quantity_has_the_index_of_its_number() {
    for (number, kind) in CounterKind::ALL.into_iter().enumerate() {
        assert!(kind.is_none_or(|kind| kind as usize == number), "{kind:?}");
    }
    let known = Quantity::ALL.into_iter().enumerate().filter(|(_, quantity)| *quantity != Quantity::Unknown);
    assert!(known.clone().all(|(number, quantity)| quantity as usize == number));
    let others = [Quantity::Hour, Quantity::PriceLog, Quantity::Repeat];
    let of_days: Vec<Quantity> = known.map(|(_, quantity)| quantity).filter(|it| !others.contains(it)).collect();
    assert_eq!(of_days, Quantity::OF_DAYS);
}
