use clap::{Args, ValueEnum};
use stoop_serve::{Month, MonthError, Provider};

#[derive(Args)]
pub(crate) struct DefinitionArgs {
    /// Count a month as this provider does, beside our figures
    #[arg(long, value_name = "WHOSE", conflicts_with_all = ["as_of", "as_known", "days"])]
    pub(crate) definition: Option<Whose>,
    /// The month to count [default: the last one that is over; the current one if nothing was observed before]
    #[arg(long, value_name = "MONTH", requires = "definition", value_parser = month)]
    pub(crate) month: Option<Month>,
}

/// Whose definitions.
#[derive(Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum Whose {
    /// Redfin's Data Center
    Redfin,
    /// Zillow Research
    Zillow,
    /// Realtor.com's data library
    Realtor,
}

impl From<Whose> for Provider {
    fn from(whose: Whose) -> Self {
        match whose {
            Whose::Redfin => Self::Redfin,
            Whose::Zillow => Self::Zillow,
            Whose::Realtor => Self::Realtor,
        }
    }
}

fn month(text: &str) -> Result<Month, MonthError> {
    text.parse()
}
