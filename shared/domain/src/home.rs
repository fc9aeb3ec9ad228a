use serde::{Deserialize, Serialize};

use crate::history::{Applied, Facts, History};
use crate::observation::Observation;
use crate::time::Time;

/// What people are shown of a home: the newest words any observation had for it.
#[derive(Clone, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct Card {
    /// When the words were seen.
    pub at: Time,
    /// Headline.
    pub title: Option<String>,
    /// Street, number, unit.
    pub line: Option<String>,
    /// The listing's page.
    pub url: Option<String>,
}

/// A home: its history and its card.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Home {
    /// What enters the arithmetic.
    pub history: History,
    /// What does not.
    pub card: Card,
}

impl Home {
    /// Takes up one observation. The card is the greatest by time, then content, so that order does
    /// not matter. An observation outside every market (see [`Facts::of`]) is `Stale`: it cannot be counted.
    pub fn apply(&mut self, observation: &Observation) -> Applied {
        let Some(facts) = Facts::like(&observation.listing, self.history.current()) else { return Applied::Stale };
        let applied = self.history.apply(observation.at, &facts, observation.listing.listed_at);
        if applied != Applied::Stale {
            let moved = self.card.take(observation, applied == Applied::New);
            if moved && applied == Applied::Duplicate {
                // The facts were known, the words were not: it is to be kept as well.
                return Applied::Unchanged;
            }
        }
        applied
    }
}

impl Card {
    /// Becomes the words of the observation if they are later than these, or as late and greater. Says
    /// whether it did.
    fn take(&mut self, observation: &Observation, first: bool) -> bool {
        let listing = &observation.listing;
        let (title, line, url) = (&listing.details.title, &listing.place.line, &listing.details.url);
        let words = (title, line, url);
        let own = (&self.title, &self.line, &self.url);
        if !first && (observation.at, words) <= (self.at, own) {
            return false;
        }
        self.at = observation.at;
        // Most listings say the same for weeks: then nothing is copied.
        if words != own {
            self.title.clone_from(title);
            self.line.clone_from(line);
            self.url.clone_from(url);
        }
        true
    }
}
