use crate::area::Area;
use crate::history::{Applied, Facts, History};
use crate::observation::Observation;
use crate::reported::{ReportedChange, ReportedChanges};
use crate::sighting::Sighting;

/// The last that was said of something, and when: joined by the greatest sighting, then the greatest value, so that order does
/// not matter. What a later observation leaves out stays as it was.
pub type Last<T> = Option<(Sighting, T)>;

/// What is known of a home beside its facts. None of it opens a interval or enters a figure.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Attributes {
    /// Headline.
    pub title: Last<String>,
    /// Street, number, unit.
    pub line: Last<String>,
    /// The listing's page.
    pub url: Last<String>,
    /// Bathrooms in hundredths: 2.5 baths are 250.
    pub bathrooms_hundredths: Last<u16>,
    /// `LotSizeArea`.
    pub lot_area: Last<Area>,
    /// `YearBuilt`.
    pub year_built: Last<i16>,
    /// `AssociationFee`, per month, in the minor unit of the listing's currency.
    pub association_fee: Last<i64>,
    /// `Latitude` and `Longitude` in millionths of a degree.
    pub coordinates: Last<(i32, i32)>,
}

/// A home: its history and what is known of it beside that.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Home {
    /// What enters the arithmetic.
    pub history: History,
    /// What does not.
    pub attributes: Attributes,
    /// What its source told of earlier prices. It enters no figure either.
    pub reported: ReportedChanges,
}

impl Home {
    /// Takes up one observation. One outside every market (see [`Facts::of`]) is [`Applied::Refused`]: it cannot be counted.
    pub fn apply(&mut self, observation: &Observation) -> Applied {
        let Some(facts) = Facts::of(&observation.listing) else { return Applied::Refused };
        let (sighting, listed_at) = (observation.sighting(), observation.listing.listed_at);
        match self.history.apply_watched(sighting, &facts, listed_at, observation.watch) {
            Applied::Overfull => {
                (self.attributes, self.reported) = Default::default();
                Applied::Overfull
            }
            Applied::Refused => Applied::Refused,
            // The facts were known, the rest was not: it is to be kept as well.
            Applied::Duplicate if self.take_rest(observation) => Applied::Unchanged,
            Applied::Duplicate => Applied::Duplicate,
            applied => {
                self.take_rest(observation);
                applied
            }
        }
    }

    /// Takes up what an observation says beside the facts. Says whether anything moved.
    fn take_rest(&mut self, observation: &Observation) -> bool {
        let reported = ReportedChange::of(observation);
        // No short circuit: both are to be taken.
        self.attributes.take(observation) | reported.is_some_and(|reported| self.reported.take(reported))
    }

    /// Headline.
    #[must_use]
    pub fn title(&self) -> Option<&str> {
        self.attributes.title.as_ref().map(|(_, title)| title.as_str())
    }

    /// Street, number, unit.
    #[must_use]
    pub fn line(&self) -> Option<&str> {
        self.attributes.line.as_ref().map(|(_, line)| line.as_str())
    }

    /// The listing's page.
    #[must_use]
    pub fn url(&self) -> Option<&str> {
        self.attributes.url.as_ref().map(|(_, url)| url.as_str())
    }
}

impl Attributes {
    /// Takes up what an observation says. Says whether anything moved.
    fn take(&mut self, observation: &Observation) -> bool {
        let sighting = observation.sighting();
        let listing = &observation.listing;
        let (address, details) = (&listing.address, &listing.details);
        let coordinates = address.latitude_e6.zip(address.longitude_e6);
        let association_fee = listing.association_fee.map(|fee| fee.0);
        // No short circuit: all of them are to be taken.
        take_text(&mut self.title, sighting, details.title.as_deref())
            | take_text(&mut self.line, sighting, address.line.as_deref())
            | take_text(&mut self.url, sighting, details.url.as_deref())
            | take(&mut self.bathrooms_hundredths, sighting, listing.bathrooms_hundredths)
            | take(&mut self.lot_area, sighting, listing.lot_area)
            | take(&mut self.year_built, sighting, listing.year_built)
            | take(&mut self.association_fee, sighting, association_fee)
            | take(&mut self.coordinates, sighting, coordinates)
    }
}

fn take<T: Copy + Ord>(known: &mut Last<T>, sighting: Sighting, said: Option<T>) -> bool {
    let said = said.map(|value| (sighting, value));
    let is_later = said > *known;
    if is_later {
        *known = said;
    }
    is_later
}

fn take_text(known: &mut Last<String>, sighting: Sighting, said: Option<&str>) -> bool {
    let Some(said) = said else { return false };
    match known {
        Some((at, text)) if (sighting, said) <= (*at, text.as_str()) => false,
        Some((at, text)) => {
            *at = sighting;
            // Most listings say the same for weeks: then nothing is copied.
            if text != said {
                said.clone_into(text);
            }
            true
        }
        None => {
            *known = Some((sighting, said.to_owned()));
            true
        }
    }
}
