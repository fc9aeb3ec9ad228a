use serde::{Deserialize, Serialize};

use crate::money::{MoneyError, parse_decimal};

/// A unit of floor or lot area (RESO `AreaUnits`, `LotSizeUnits`).
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub enum AreaUnit {
    SquareMeters,
    /// Exactly 0.09290304 m² (international foot, 1959).
    SquareFeet,
    /// 43,560 square feet: exactly 4,046.8564224 m².
    Acres,
}

/// A floor or lot area as the source gives it, in ten-thousandths of its unit.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct Area {
    /// Ten-thousandths of `unit`.
    pub ten_thousandths: i64,
    pub unit: AreaUnit,
}

impl AreaUnit {
    /// The size of one unit in square metres.
    #[must_use]
    pub fn square_metres(self) -> f64 {
        match self {
            Self::SquareMeters => 1.0,
            Self::SquareFeet => 0.092_903_04,
            Self::Acres => 4_046.856_422_4,
        }
    }
}

impl Area {
    /// Parses a plain decimal number of `unit`s. Zero and negative numbers give `None`: they mean that the area is
    /// unknown.
    ///
    /// # Errors
    /// If the text is not a decimal number.
    pub fn parse(text: &str, unit: AreaUnit) -> Result<Option<Self>, MoneyError> {
        let ten_thousandths = parse_decimal(text, 4)?;
        Ok((ten_thousandths > 0).then_some(Self { ten_thousandths, unit }))
    }

    /// An area of `whole` units.
    #[must_use]
    pub fn of(whole: u32, unit: AreaUnit) -> Self {
        Self { ten_thousandths: i64::from(whole) * 10_000, unit }
    }

    /// This area in square metres.
    #[must_use]
    pub fn square_metres(self) -> f64 {
        self.in_unit(AreaUnit::SquareMeters)
    }

    /// Converts the area to `unit`, for display.
    #[must_use]
    #[expect(clippy::cast_precision_loss, reason = "areas are far below 2^53")]
    pub fn in_unit(self, unit: AreaUnit) -> f64 {
        self.ten_thousandths as f64 / 10_000.0 * (self.unit.square_metres() / unit.square_metres())
    }
}
