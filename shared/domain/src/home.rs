use crate::facts::Facts;
use crate::history::{Applied, History};
use crate::home_field::{FieldPlace, HOME_FIELDS, HomeValue};
use crate::observation::Observation;
use crate::reported::{ReportedChange, ReportedChanges};
use crate::sighting::Sighting;
use crate::status::{Phase, Status};
use crate::time::Time;

mod events;

/// The latest value of a field with its sighting. Merging takes the greatest sighting, then the greatest value, so
/// order does not matter. An observation without the field does not change it.
pub type Last<T> = Option<(Sighting, T)>;

/// Fields of a home that are not part of its [`Facts`](crate::Facts). None of them begins an interval or enters a
/// figure.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Attributes {
    /// Headline.
    pub title: Last<String>,
    /// Street, number and unit.
    pub line: Last<String>,
    /// URL of the listing's page.
    pub url: Last<String>,
    /// `Latitude` and `Longitude`, in millionths of a degree.
    pub coordinates: Last<(i32, i32)>,
    /// In the order of [`HOME_FIELDS`]. Those that are facts stay empty.
    pub others: [Last<HomeValue>; HOME_FIELDS.len()],
}

/// A home: its history, other attributes and reported price changes.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Home {
    /// The facts over time, from which figures are computed.
    pub history: History,
    /// The latest values of all other fields.
    pub attributes: Attributes,
    /// Price changes that the source reports. They enter no figure.
    pub reported: ReportedChanges,
}

impl Home {
    /// Applies one observation. An observation outside every market (see [`Facts::of`]) is [`Applied::Refused`].
    pub fn apply(&mut self, observation: &Observation) -> Applied {
        let Some(facts) = Facts::of(&observation.listing) else { return Applied::Refused };
        let (sighting, listed_at) = (observation.sighting(), observation.listing.listed_at);
        match self.history.apply_watched(sighting, &facts, listed_at, observation.watch) {
            Applied::Overfull => {
                (self.attributes, self.reported) = Default::default();
                Applied::Overfull
            }
            Applied::Refused => Applied::Refused,
            // The facts are known but other fields are new and must be stored.
            Applied::Duplicate if self.take_rest(observation) => Applied::Unchanged,
            Applied::Duplicate => Applied::Duplicate,
            applied => {
                self.take_rest(observation);
                applied
            }
        }
    }

    /// Takes everything but the facts from an observation. Returns whether anything changed.
    fn take_rest(&mut self, observation: &Observation) -> bool {
        let reported = ReportedChange::of(observation);
        // `|`, not `||`: both calls must run.
        self.attributes.take(observation) | reported.is_some_and(|reported| self.reported.take(reported))
    }

    /// The latest value of each field that describes the home, in the order of [`HOME_FIELDS`].
    #[must_use]
    pub fn values(&self) -> [Option<HomeValue>; HOME_FIELDS.len()] {
        let facts = self.history.current();
        let mut values = self.attributes.others.map(|known| known.map(|(_, value)| value));
        for (value, field) in values.iter_mut().zip(&HOME_FIELDS) {
            if field.kept == FieldPlace::Fact {
                *value = facts.and_then(field.of_facts);
            }
        }
        values
    }

    /// Whether pages and API may show it: unless its newest word on that is no, or it is no longer on offer and may then not
    /// be shown. It counts in figures all the same.
    #[must_use]
    pub fn may_be_shown(&self) -> bool {
        self.allows("display")
            && (self.allows("display_expired") || is_on_market(self.history.current().map(|facts| facts.status)))
    }

    /// Whether they may show it at `now`: a home that nobody saw for long has expired by then.
    #[must_use]
    pub fn may_be_shown_at(&self, now: Time) -> bool {
        self.may_be_shown() && (self.allows("display_expired") || is_on_market(self.history.status_at(now)))
    }

    /// Whether pages and API may show its earlier prices and what happened to it.
    #[must_use]
    pub fn history_may_be_shown(&self) -> bool {
        self.may_be_shown() && self.allows("display_history")
    }

    /// Whether pages and API may show which other listings are of this home: these may tell its address and its earlier prices.
    #[must_use]
    pub fn others_may_be_shown(&self) -> bool {
        self.may_show_address() && self.history_may_be_shown()
    }

    /// Whether what it would cost by other homes may be shown beside its price.
    #[must_use]
    pub fn estimate_may_be_shown(&self) -> bool {
        self.allows("display_estimate")
    }

    fn allows(&self, what: &str) -> bool {
        self.attributes.flag(what) != Some(false)
    }

    /// Whether its address may be shown.
    fn may_show_address(&self) -> bool {
        self.may_be_shown() && self.allows("display_address")
    }

    /// Headline; `None` if it may not be shown.
    #[must_use]
    pub fn title(&self) -> Option<&str> {
        self.attributes.title.as_ref().filter(|_| self.may_show_address()).map(|(_, title)| title.as_str())
    }

    /// Street, number and unit; `None` if they may not be shown.
    #[must_use]
    pub fn line(&self) -> Option<&str> {
        self.attributes.line.as_ref().filter(|_| self.may_show_address()).map(|(_, line)| line.as_str())
    }

    /// `Latitude` and `Longitude`, in millionths of a degree; `None` if they may not be shown.
    #[must_use]
    pub fn coordinates(&self) -> Option<(i32, i32)> {
        self.attributes.coordinates.filter(|_| self.may_show_address()).map(|(_, coordinates)| coordinates)
    }

    /// URL of the listing's page; `None` if it may not be shown.
    #[must_use]
    pub fn url(&self) -> Option<&str> {
        self.attributes.url.as_ref().filter(|_| self.may_show_address()).map(|(_, url)| url.as_str())
    }
}

fn is_on_market(status: Option<Status>) -> bool {
    status.is_some_and(|status| matches!(status.phase(), Phase::Before | Phase::Active | Phase::Pending))
}

impl Attributes {
    /// The latest value of one of [`HOME_FIELDS`] that is yes or no.
    fn flag(&self, name: &str) -> Option<bool> {
        let at = HOME_FIELDS.iter().position(|field| field.name == name)?;
        match self.others[at] {
            Some((_, HomeValue::Flag(value))) => Some(value),
            _ => None,
        }
    }

    /// Takes the attributes of an observation. Returns whether anything changed.
    fn take(&mut self, observation: &Observation) -> bool {
        let sighting = observation.sighting();
        let listing = &observation.listing;
        let (address, details) = (&listing.address, &listing.details);
        let coordinates = address.latitude_e6.zip(address.longitude_e6);
        let mut others = false;
        for (known, field) in self.others.iter_mut().zip(&HOME_FIELDS) {
            if field.kept != FieldPlace::Fact {
                others |= take(known, sighting, (field.get)(listing));
            }
        }
        // `|`, not `||`: all calls must run.
        take_text(&mut self.title, sighting, details.title.as_deref())
            | take_text(&mut self.line, sighting, address.line.as_deref())
            | take_text(&mut self.url, sighting, details.url.as_deref())
            | take(&mut self.coordinates, sighting, coordinates)
            | others
    }
}

fn take<T: Copy + Ord>(known: &mut Last<T>, sighting: Sighting, new: Option<T>) -> bool {
    let new = new.map(|value| (sighting, value));
    let is_later = new > *known;
    if is_later {
        *known = new;
    }
    is_later
}

fn take_text(known: &mut Last<String>, sighting: Sighting, new: Option<&str>) -> bool {
    let Some(new) = new else { return false };
    match known {
        Some((at, text)) if (sighting, new) <= (*at, text.as_str()) => false,
        Some((at, text)) => {
            *at = sighting;
            // Avoids a copy: most listings repeat the same text for weeks.
            if text != new {
                new.clone_into(text);
            }
            true
        }
        None => {
            *known = Some((sighting, new.to_owned()));
            true
        }
    }
}
