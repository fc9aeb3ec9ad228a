use crate::history::History;
use crate::market::Market;
use crate::price_change::PriceChange;
use crate::status::Phase;
use crate::steps::{Entry, Exit, Step};
use crate::time::Time;

/// The kind of an [`Event`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum EventKind {
    /// See [`Entry::Initial`].
    Initial,
    /// See [`Entry::New`].
    New,
    /// See [`Entry::Relisted`].
    Relisted,
    /// See [`Entry::BackOnMarket`].
    BackOnMarket,
    /// See [`Entry::MovedIn`].
    MovedIn,
    /// See [`Exit::Pending`].
    Pending,
    /// See [`Exit::Closed`].
    Closed,
    /// See [`Exit::Gone`].
    Gone,
    /// See [`Exit::MovedOut`].
    MovedOut,
    /// See [`Exit::Expired`].
    Expired,
    PriceCut,
    PriceRise,
    /// The home was sold or let.
    Sold,
    /// The source reports a cut that no sighting shows. See [`crate::Home::events`].
    ReportedCut,
    /// The source reports a rise that no sighting shows.
    ReportedRise,
}

/// One event of a home, computed from its history.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Event {
    /// When the event was first seen; for a reported change, when it happened according to the source. An expiry may
    /// lie in the future.
    pub at: Time,
    pub kind: EventKind,
    /// The market in which the event counts.
    pub market: Market,
    /// The prices of a cut or rise.
    pub change: Option<PriceChange>,
}

impl History {
    /// The events that sightings show, in order of time. [`crate::Home::events`] adds the changes that the source
    /// reports.
    #[must_use]
    pub fn events(&self) -> Vec<Event> {
        events_of(&self.steps())
    }
}

/// The events at these steps, in order of time.
#[must_use]
pub fn events_of(steps: &[Step<'_>]) -> Vec<Event> {
    let mut events = Vec::new();
    let mut market: Option<&Market> = None;
    for step in steps {
        let at = step.interval.first;
        let mut happened = |kind, market: &Market, change| {
            events.push(Event { at, kind, market: market.clone(), change });
        };
        let here = &step.interval.facts.market;
        if let Some(exit) = step.exit {
            happened(exit.into(), market.unwrap_or(here), None);
        }
        if let Some(entry) = step.entry {
            happened(entry.into(), here, None);
        }
        if let Some(change) = step.change {
            let kind = if change.to < change.from { EventKind::PriceCut } else { EventKind::PriceRise };
            happened(kind, here, Some(change));
        }
        if step.sold.is_some() {
            happened(EventKind::Sold, here, None);
        }
        if let Some(at) = step.interval.expires
            && step.interval.facts.status.phase() == Phase::Active
        {
            events.push(Event { at, kind: Exit::Expired.into(), market: here.clone(), change: None });
        }
        market = Some(here);
    }
    events
}

impl Event {
    /// Whether the event has happened by the end of the day of `now`, in the market's time zone. An expiry may lie in
    /// the future.
    #[must_use]
    pub fn has_come(&self, now: Time) -> bool {
        self.kind != EventKind::Expired || {
            let zone = self.market.area.country().zone;
            self.at.day_in(&zone) <= now.day_in(&zone)
        }
    }
}

impl From<Entry> for EventKind {
    fn from(entry: Entry) -> Self {
        match entry {
            Entry::Initial => Self::Initial,
            Entry::New => Self::New,
            Entry::Relisted => Self::Relisted,
            Entry::BackOnMarket => Self::BackOnMarket,
            Entry::MovedIn => Self::MovedIn,
        }
    }
}

impl From<Exit> for EventKind {
    fn from(exit: Exit) -> Self {
        match exit {
            Exit::Pending => Self::Pending,
            Exit::Closed => Self::Closed,
            Exit::Gone => Self::Gone,
            Exit::MovedOut => Self::MovedOut,
            Exit::Expired => Self::Expired,
        }
    }
}

impl EventKind {
    /// The name in tables and JSON.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Initial => "initial",
            Self::New => "new",
            Self::Relisted => "relisted",
            Self::BackOnMarket => "back_on_market",
            Self::MovedIn => "moved_in",
            Self::Pending => "pending",
            Self::Closed => "closed",
            Self::Gone => "gone",
            Self::MovedOut => "moved_out",
            Self::Expired => "expired",
            Self::PriceCut => "price_cut",
            Self::PriceRise => "price_rise",
            Self::Sold => "sold",
            Self::ReportedCut => "reported_cut",
            Self::ReportedRise => "reported_rise",
        }
    }
}
