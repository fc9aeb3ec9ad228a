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
        if applied != Applied::Stale && observation.at >= self.card.at {
            let listing = &observation.listing;
            let (title, line, url) = (&listing.details.title, &listing.place.line, &listing.details.url);
            let newer = observation.at > self.card.at
                || (title, line, url) > (&self.card.title, &self.card.line, &self.card.url);
            if newer || applied == Applied::New {
                self.card = Card { at: observation.at, title: title.clone(), line: line.clone(), url: url.clone() };
            }
        }
        applied
    }
}
