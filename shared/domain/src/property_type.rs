use serde::{Deserialize, Serialize};

/// The type of a home, after RESO `PropertySubType`, but coarse enough for every source.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub enum PropertyType {
    /// A flat in a building of one owner, or any flat if the source does not distinguish them.
    Apartment,
    /// A flat with its own owner.
    Condominium,
    /// A row house.
    Townhouse,
    /// A detached house.
    SingleFamilyResidence,
    /// A house with several homes in it.
    MultiFamily,
    /// A factory-built home.
    ManufacturedHome,
    /// A room in a shared home.
    Room,
    /// Land without a home.
    Land,
    Farm,
    /// Offices, shops, warehouses.
    Commercial,
    Other,
}

impl PropertyType {
    /// Every type, in the order of the enum.
    pub const ALL: [Self; 11] = [
        Self::Apartment,
        Self::Condominium,
        Self::Townhouse,
        Self::SingleFamilyResidence,
        Self::MultiFamily,
        Self::ManufacturedHome,
        Self::Room,
        Self::Land,
        Self::Farm,
        Self::Commercial,
        Self::Other,
    ];

    /// The name in maps and tables.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Apartment => "Apartment",
            Self::Condominium => "Condominium",
            Self::Townhouse => "Townhouse",
            Self::SingleFamilyResidence => "SingleFamilyResidence",
            Self::MultiFamily => "MultiFamily",
            Self::ManufacturedHome => "ManufacturedHome",
            Self::Room => "Room",
            Self::Land => "Land",
            Self::Farm => "Farm",
            Self::Commercial => "Commercial",
            Self::Other => "Other",
        }
    }

    /// The name for people: `Single family`.
    #[must_use]
    pub fn words(self) -> &'static str {
        match self {
            Self::SingleFamilyResidence => "Single family",
            Self::MultiFamily => "Multi-family",
            Self::ManufacturedHome => "Manufactured",
            other => other.as_str(),
        }
    }

    /// Parses a name in the format of [`PropertyType::as_str`], in any case.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|kind| kind.as_str().eq_ignore_ascii_case(text.trim()))
    }
}
