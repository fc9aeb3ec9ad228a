//! What both ways to draft a map need: the hints of the command line, and a warning.

use stoop_domain::Purpose;
use stoop_drafts::DraftHints;

use crate::args::HintArgs;
use crate::input::Input;

/// The warning about a draft without prices.
pub(super) const NO_PRICE: &str = "Warning: no listing has a price. Without one a home is in no figure of prices.";

/// The hints for a draft of a source of this name from a sample.
pub(super) fn hints(name: &str, url: Option<String>, args: &HintArgs, input: &Input) -> DraftHints {
    let HintArgs { country, currency, purpose, id } = args;
    DraftHints {
        name: name.to_owned(),
        sample: input.name.file_name().unwrap_or_default().to_string_lossy().into_owned(),
        url,
        country: country.clone(),
        currency: currency.clone(),
        purpose: purpose_of(purpose.as_deref()),
        id: id.clone(),
    }
}

/// The purpose of `--purpose`.
fn purpose_of(text: Option<&str>) -> Option<Purpose> {
    text.map(|purpose| if purpose == "rent" { Purpose::Rent } else { Purpose::Sale })
}
