//! The searches: when each is polled next, and what people ask of it.

use std::collections::BTreeMap;

use serde::Serialize;
use stoop_domain::Time;

use super::{Nearest, as_text_or_null};
use stoop_pipeline::ports::{Browse, PortError, SearchControls};
use stoop_pipeline::{ControlAction, NextPoll, SearchControl};

/// A search that was due this long before another was sent was removed from the configuration.
const GONE_AFTER_MS: i64 = 7 * Time::DAY_MS;

/// A search for people and programs: times are RFC 3339.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct SearchView {
    /// The search's name.
    pub search: String,
    /// When its last poll was sent or began; `None` if it never was.
    #[serde(serialize_with = "as_text_or_null")]
    pub sent_at: Option<Time>,
    /// When it is polled next; `None` if it is paused or never was polled.
    #[serde(serialize_with = "as_text_or_null")]
    pub next_at: Option<Time>,
    /// The seconds between two polls.
    pub every_seconds: Option<u64>,
    /// What makes this longer than the configured interval, if anything does.
    pub slowed_by: Option<String>,
    /// Since when it is paused; `None` if it is not.
    #[serde(serialize_with = "as_text_or_null")]
    pub paused_at: Option<Time>,
    /// Since when a poll is asked for that has not begun; `None` if none is.
    #[serde(serialize_with = "as_text_or_null")]
    pub poll_asked_at: Option<Time>,
    /// Who asked for this last: the name of a token, or `local`; `None` if nobody ever asked for anything.
    pub asked_by: Option<String>,
}

impl SearchView {
    /// A search, with what is known of it.
    #[must_use]
    pub fn of(next: Option<NextPoll>, control: SearchControl) -> Self {
        let answered = next.as_ref().and_then(|next| next.answered);
        let is_asked = control.is_asked(answered);
        let SearchControl { search, paused_at, poll_asked_at, by } = control;
        Self {
            search,
            sent_at: next.as_ref().map(|next| next.sent_at),
            next_at: next.as_ref().filter(|_| paused_at.is_none()).map(|next| next.next_at),
            every_seconds: next.as_ref().map(|next| next.every_ms / 1_000),
            slowed_by: next.and_then(|next| next.slowed_by),
            paused_at,
            poll_asked_at: poll_asked_at.filter(|_| is_asked),
            asked_by: Some(by).filter(|by| !by.is_empty()),
        }
    }
}

/// The searches that are scheduled or paused, by name.
///
/// # Errors
/// If they cannot be read.
pub async fn searches(
    browse: &dyn Browse,
    controls: Option<&dyn SearchControls>,
) -> Result<Vec<SearchView>, PortError> {
    let asked = match controls {
        Some(controls) => controls.controls().await?,
        None => Vec::new(),
    };
    let mut known: BTreeMap<String, (Option<NextPoll>, SearchControl)> = BTreeMap::new();
    for control in asked {
        known.insert(control.search.clone(), (None, control));
    }
    let next_polls = browse.next_polls().await?;
    let last_sent_at = next_polls.iter().map(|next| next.sent_at).max().unwrap_or_default();
    for next in next_polls {
        let name = next.search.clone();
        let entry = known.entry(name).or_insert_with_key(|name| (None, SearchControl::of(name)));
        entry.0 = Some(next);
    }
    let is_known = |next: &Option<NextPoll>, control: &SearchControl| {
        let is_scheduled = next.as_ref().is_some_and(|next| last_sent_at.ms() - next.next_at.ms() < GONE_AFTER_MS);
        is_scheduled || control.paused_at.is_some()
    };
    let known = known.into_values().filter(|(next, control)| is_known(next, control));
    Ok(known.map(|(next, control)| SearchView::of(next, control)).collect())
}

/// Why nothing was asked of a search.
#[derive(Debug, thiserror::Error)]
pub enum ControlError {
    /// It was never polled at an interval.
    #[error("there is no search {search:?} that was polled at an interval; accepted: {}", accepted(.nearest))]
    NoSuchSearch {
        /// The name.
        search: String,
        /// The most similar names.
        nearest: Vec<String>,
    },
    /// It cannot be read or stored.
    #[error(transparent)]
    Port(#[from] PortError),
}

fn accepted(nearest: &[String]) -> String {
    if nearest.is_empty() { "the name of a search in the list".to_owned() } else { nearest.join(", ") }
}

/// Asks this of a search, in the name of `by`.
///
/// # Errors
/// There is no such search, or it cannot be read or stored.
pub async fn control_search(
    browse: &dyn Browse,
    controls: &dyn SearchControls,
    search: &str,
    action: ControlAction,
    by: &str,
    clock: Time,
) -> Result<SearchView, ControlError> {
    let next_polls = browse.next_polls().await?;
    let known = controls.controls().await?.into_iter().find(|control| control.search == search);
    if known.is_none() && next_polls.iter().all(|next| next.search != search) {
        let mut nearest = Nearest::to(search);
        next_polls.iter().for_each(|next| nearest.offer(&next.search));
        return Err(ControlError::NoSuchSearch { search: search.to_owned(), nearest: nearest.names() });
    }
    let control = known.unwrap_or_else(|| SearchControl::of(search)).after(action, by, clock);
    controls.keep(&control).await?;
    let next = next_polls.into_iter().find(|next| next.search == search);
    Ok(SearchView::of(next, control))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(minutes: i64) -> Time {
        Time::from_ms(1_768_392_000_000 + minutes * 60_000)
    }

    fn next(search: &str, answered: Option<Time>) -> NextPoll {
        NextPoll {
            search: search.into(),
            sent_at: at(0),
            next_at: at(15),
            every_ms: 900_000,
            slowed_by: None,
            answered,
        }
    }

    #[test]
    fn a_paused_search_has_no_next_poll_until_it_is_resumed() {
        let paused = SearchControl::of("graz").after(ControlAction::Pause, "ann", at(1));
        let view = SearchView::of(Some(next("graz", None)), paused.clone());
        assert_eq!((view.next_at, view.paused_at, view.asked_by.as_deref()), (None, Some(at(1)), Some("ann")));
        let again = paused.after(ControlAction::Pause, "bob", at(2));
        assert_eq!((again.paused_at, again.by.as_str()), (Some(at(1)), "bob"), "since the first time");
        let view = SearchView::of(Some(next("graz", None)), again.after(ControlAction::Resume, "ann", at(3)));
        assert_eq!((view.next_at, view.paused_at), (Some(at(15)), None));
    }

    #[test]
    fn a_poll_is_asked_for_until_it_is_answered() {
        let asked = SearchControl::of("graz").after(ControlAction::Poll, "local", at(1));
        let asked_at = |answered| SearchView::of(Some(next("graz", answered)), asked.clone()).poll_asked_at;
        assert_eq!(asked_at(None), Some(at(1)));
        assert_eq!(asked_at(Some(at(0))), Some(at(1)), "an earlier one was answered");
        assert_eq!(asked_at(Some(at(1))), None);
        assert_eq!(SearchView::of(Some(next("graz", None)), SearchControl::of("graz")).poll_asked_at, None);
    }
}
