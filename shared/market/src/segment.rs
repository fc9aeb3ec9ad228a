use stoop_domain::{Facts, PropertyType};

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

const BEDROOMS_MAX: u8 = 10;

impl Cell {
    /// The cell in which a home with these facts is counted.
    #[must_use]
    pub fn of(facts: &Facts) -> Self {
        Self { property_type: facts.property_type, bedrooms: facts.bedrooms.map(|n| n.min(BEDROOMS_MAX)) }
    }

    /// Two bytes: 0 for unknown, otherwise one more than the index of the type or than the number.
    pub(crate) fn code(self) -> u16 {
        let kind = self.property_type.map_or(0, |kind| kind as u16 + 1);
        let bedrooms = self.bedrooms.map_or(0, |n| u16::from(n.min(BEDROOMS_MAX)) + 1);
        kind << 8 | bedrooms
    }

    pub(crate) fn from_code(code: u16) -> Option<Self> {
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

    /// The name in data: `all`, `SingleFamilyResidence`, `3 bedrooms`, `SingleFamilyResidence, 3 bedrooms`.
    #[must_use]
    pub fn label(self) -> String {
        self.named(PropertyType::as_str)
    }

    /// The name for people: `Single family, 3 bedrooms`.
    #[must_use]
    pub fn words(self) -> String {
        self.named(PropertyType::words)
    }

    fn named(self, of_type: fn(PropertyType) -> &'static str) -> String {
        match self {
            Self::All => "all".into(),
            Self::Type(Some(kind)) => of_type(kind).into(),
            Self::Type(None) => "unknown type".into(),
            Self::Bedrooms(Some(0)) => "studio".into(),
            Self::Bedrooms(Some(1)) => "1 bedroom".into(),
            Self::Bedrooms(Some(n)) if n >= BEDROOMS_MAX => format!("{BEDROOMS_MAX}+ bedrooms"),
            Self::Bedrooms(Some(n)) => format!("{n} bedrooms"),
            Self::Bedrooms(None) => "unknown bedrooms".into(),
            Self::Cell(Cell { property_type, bedrooms }) => {
                format!("{}, {}", Self::Type(property_type).named(of_type), Self::Bedrooms(bedrooms).label())
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

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
