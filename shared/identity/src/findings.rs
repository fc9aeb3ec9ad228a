//! What comparing two listings can find, and how much each finding weighs.

/// A thing that is compared. Each pair of listings has at most one finding of each.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Trait {
    Address,
    Coordinates,
    PropertyType,
    Bedrooms,
    Bathrooms,
    LivingArea,
    LotArea,
    YearBuilt,
    Price,
    Title,
    Reference,
    Listed,
    Source,
}

macro_rules! findings {
    ($($name:ident: $of:ident, $weight:literal, $meaning:literal;)*) => {
        /// What comparing two listings found of one trait.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub enum Finding {
            $(#[doc = $meaning] $name,)*
        }

        impl Finding {
            /// All findings, in the order of the documents.
            pub const ALL: &'static [Self] = &[$(Self::$name),*];

            /// The trait that it is about.
            #[must_use]
            pub fn of(self) -> Trait {
                match self { $(Self::$name => Trait::$of,)* }
            }

            /// How much it speaks for one home, in tenths of a bit: ten times the binary logarithm of how much more often
            /// it is found between listings of one home than between others that share a block.
            #[must_use]
            pub fn weight(self) -> i32 {
                match self { $(Self::$name => $weight,)* }
            }

            /// What was found, for people.
            #[must_use]
            pub fn meaning(self) -> &'static str {
                match self { $(Self::$name => $meaning,)* }
            }

            /// Its name in tables.
            #[must_use]
            pub fn name(self) -> &'static str {
                match self { $(Self::$name => stringify!($name),)* }
            }
        }
    };
}

// Fitted by `cargo run -p stoop-identity --example linking`, see docs/HOMES.md. Raise MODEL_VERSION with any change.
findings! {
    SameUnit: Address, 140, "same street, number and unit";
    SameHouse: Address, 135, "same street and number of a house";
    SameBuilding: Address, 23, "same street and number, and not both say the unit";
    MisspeltUnit: Address, 70, "nearly the same street, same number and unit";
    MisspeltHouse: Address, 70, "nearly the same street, same number of a house";
    MisspeltBuilding: Address, 20, "nearly the same street, same number, and not both say the unit";
    SameStreet: Address, 10, "same street, and not both say the number";
    OtherStreet: Address, -50, "other streets";
    Within20Metres: Coordinates, 60, "within 20 metres";
    Within100Metres: Coordinates, 30, "within 100 metres";
    Within300Metres: Coordinates, -20, "within 300 metres";
    CommonCoordinates: Coordinates, 0, "the same coordinates, which many listings have";
    Within1000Metres: Coordinates, -60, "300 to 1,000 metres apart";
    FurtherApart: Coordinates, -100, "more than 1,000 metres apart";
    SameType: PropertyType, 5, "same property type";
    KindredType: PropertyType, 0, "property types that sources confuse";
    OtherType: PropertyType, -60, "other property types";
    SameBedrooms: Bedrooms, 8, "same bedrooms";
    NearBedrooms: Bedrooms, -25, "one bedroom more";
    OtherBedrooms: Bedrooms, -60, "other bedrooms";
    SameBathrooms: Bathrooms, 17, "same bathrooms";
    NearBathrooms: Bathrooms, -35, "at most one bathroom more";
    OtherBathrooms: Bathrooms, -70, "other bathrooms";
    SameOddArea: LivingArea, 30, "same floor area, not a round number";
    SameRoundArea: LivingArea, 20, "same floor area, a round number";
    NearArea: LivingArea, -10, "floor areas within 3 %";
    SimilarArea: LivingArea, -5, "floor areas within 12 %";
    OtherArea: LivingArea, -55, "other floor areas";
    SameLot: LotArea, 49, "lots within 2 %";
    OtherLot: LotArea, -46, "other lots";
    SameYear: YearBuilt, 46, "same year of construction";
    OtherYear: YearBuilt, -47, "other years of construction";
    SameOddPrice: Price, 35, "same first price, not a round number";
    SameRoundPrice: Price, 15, "same first price, a round number";
    NearPrice: Price, 10, "first prices within 3 %";
    SimilarPrice: Price, -5, "first prices within 10 %";
    OtherPrice: Price, -50, "first prices 10 to 30 % apart";
    SameTitle: Title, 60, "same words in the headline";
    CommonTitle: Title, 5, "same words in the headline, which many listings have";
    SimilarTitle: Title, 20, "two thirds of the words of the headline are the same";
    OtherTitle: Title, -6, "other words in the headline";
    SameReference: Reference, 60, "the same number of the agency in the headline";
    ListedTogether: Listed, 40, "other sources, listed within a week of each other";
    ListedApart: Listed, -5, "other sources, listed at other times";
    OneAfterTheOther: Source, 0, "same source, one after the other";
    AtOnce: Source, -60, "same source, at the same time";
}

/// The version of the weights, the limits and the address forms. Another version may join other listings.
pub const MODEL_VERSION: u16 = 1;

/// Two listings with at least this weight, in tenths of a bit, are joined, unless others of their homes speak against it.
pub const JOIN_WEIGHT: i32 = 75;

/// Two listings with at least this weight, but less than [`JOIN_WEIGHT`], are doubtful: a person may rule on them.
pub const DOUBT_WEIGHT: i32 = 50;

impl Finding {
    /// Whether it alone tells a home from all others.
    pub(crate) fn is_strong(self) -> bool {
        matches!(self, Self::SameUnit | Self::SameHouse)
    }

    /// How many of the two things it is that a pair must have in common to be joined: what many homes of a place share, like
    /// their rooms, is none.
    pub(crate) fn identifies(self) -> u32 {
        match self {
            Self::SameUnit | Self::SameHouse | Self::SameReference => 2,
            Self::MisspeltUnit
            | Self::MisspeltHouse
            | Self::SameOddArea
            | Self::SameRoundArea
            | Self::SameOddPrice
            | Self::SameRoundPrice
            | Self::NearPrice
            | Self::SameLot
            | Self::SameTitle
            | Self::ListedTogether => 1,
            _ => 0,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_documents_have_the_weights() {
        let mut table = "| trait | finding | weight |\n| --- | --- | --- |\n".to_owned();
        for finding in Finding::ALL {
            let mut name = String::new();
            for letter in format!("{:?}", finding.of()).chars() {
                if letter.is_uppercase() && !name.is_empty() {
                    name.push(' ');
                }
                name.push(letter.to_ascii_lowercase());
            }
            table.push_str(&format!("| {name} | {} | {} |\n", finding.meaning(), finding.weight()));
        }
        assert!(include_str!("../../../docs/HOMES.md").contains(&table), "docs/HOMES.md should have:\n{table}");
    }
}
