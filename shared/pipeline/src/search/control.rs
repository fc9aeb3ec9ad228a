//! When a search is polled next, and what people ask of it: to pause it, or to poll it now.

use serde::{Deserialize, Serialize};
use stoop_domain::Time;

/// When a search is polled next, as the scheduler decided: the planner on AWS, `stoop run` on a laptop.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct NextPoll {
    /// The search's name.
    pub search: String,
    /// For when it was last sent to be polled, or when its last poll began.
    pub sent_at: Time,
    /// When it is due again.
    pub next_at: Time,
    /// The time between two polls, in milliseconds.
    pub every_ms: u64,
    /// What makes this longer than its configured interval, if anything does.
    pub slowed_by: Option<String>,
    /// The last [`SearchControl::poll_asked_at`] for which it was polled.
    pub answered: Option<Time>,
}

/// What people ask of a search. [`SearchControl::of`] asks for nothing.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct SearchControl {
    /// The search's name.
    pub search: String,
    /// Since when it is not polled at its interval; `None` if it is.
    pub paused_at: Option<Time>,
    /// When somebody last asked for a poll. It is also polled if it is paused.
    pub poll_asked_at: Option<Time>,
    /// Who asked last: the name of a token, or `local` for somebody at the computer itself.
    pub by: String,
}

/// What can be asked of a search.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ControlAction {
    /// Poll it as soon as possible, once.
    Poll,
    /// Do not poll it at its interval.
    Pause,
    /// Poll it at its interval again.
    Resume,
}

impl ControlAction {
    /// All of them.
    pub const ALL: [Self; 3] = [Self::Poll, Self::Pause, Self::Resume];

    /// Its name: `poll`, `pause`, `resume`.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Poll => "poll",
            Self::Pause => "pause",
            Self::Resume => "resume",
        }
    }

    /// The action with this name.
    #[must_use]
    pub fn parse(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|action| action.as_str() == name)
    }
}

impl SearchControl {
    /// Nothing is asked of this search.
    #[must_use]
    pub fn of(search: &str) -> Self {
        Self { search: search.to_owned(), paused_at: None, poll_asked_at: None, by: String::new() }
    }

    /// What is asked after somebody asked for this, too. A search that is paused again stays paused since the first
    /// time.
    #[must_use]
    pub fn after(self, action: ControlAction, by: &str, now: Time) -> Self {
        let Self { search, paused_at, poll_asked_at, .. } = self;
        let by = by.to_owned();
        match action {
            ControlAction::Poll => Self { search, paused_at, poll_asked_at: Some(now), by },
            ControlAction::Pause => Self { search, paused_at: paused_at.or(Some(now)), poll_asked_at, by },
            ControlAction::Resume => Self { search, paused_at: None, poll_asked_at, by },
        }
    }

    /// Whether a poll was asked for that the scheduler has not answered. Times are compared for equality only: the
    /// clocks of whoever asks and of the scheduler may differ.
    #[must_use]
    pub fn is_asked(&self, answered: Option<Time>) -> bool {
        self.poll_asked_at.is_some() && self.poll_asked_at != answered
    }
}
