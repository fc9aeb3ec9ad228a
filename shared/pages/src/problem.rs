//! Pages for what cannot be shown.

use maud::{Markup, html};
use stoop_pipeline::ports::PortError;
use stoop_serve::{NamedArea, ReadError, TooWide, area_name};

use crate::layout::{Head, Room, page};
use crate::text;

/// Why there is no page.
#[derive(Debug)]
pub(crate) struct Problem {
    /// The status of the response.
    pub(crate) status: u16,
    pub(crate) title: &'static str,
    pub(crate) message: String,
    /// Areas that may have been meant.
    pub(crate) candidates: Vec<NamedArea>,
    /// Searches that find something.
    pub(crate) similar: Vec<String>,
    /// What was looked for.
    pub(crate) query: String,
}

impl Problem {
    fn new(status: u16, title: &'static str, message: String) -> Self {
        Self { status, title, message, candidates: Vec::new(), similar: Vec::new(), query: String::new() }
    }

    /// The request has a value that is not accepted.
    pub(crate) fn asked(message: String) -> Self {
        Self::new(400, "This cannot be shown", message)
    }

    /// Nothing is there.
    pub(crate) fn missing(message: String) -> Self {
        Self::new(404, "Not found", message)
    }

    /// The page.
    pub(crate) fn page(&self) -> String {
        let content = html! {
            div class="head" { h1 { (self.title) } }
            section class="card message" { p { (self.message) } }
            (self.suggestions())
        };
        page(&Head { title: self.title, room: Room::Elsewhere, now: None, query: &self.query }, &content)
    }

    fn suggestions(&self) -> Markup {
        html! {
            @if !self.candidates.is_empty() {
                section class="card" {
                    h2 { "Which one?" }
                    ul class="plain" {
                        @for NamedArea { path, name, markets } in self.candidates.iter().take(20) {
                            li { a href=(format!("/areas/{}", text::encoded(path.trim_end_matches('/')))) { (name) } span { (text::plural(*markets, "market")) } }
                        }
                    }
                }
            }
            @if !self.similar.is_empty() {
                section class="card" {
                    h2 { "Did you mean" }
                    ul class="plain" {
                        @for similar in &self.similar {
                            @if similar.contains('/') {
                                li { a href=(format!("/areas/{}", text::encoded(similar))) { (area_name(similar)) } span { (similar) } }
                            } @else {
                                li { a href=(format!("/search?q={}", text::encoded(similar))) { (similar) } span {} }
                            }
                        }
                    }
                }
            }
        }
    }
}

impl From<ReadError> for Problem {
    fn from(error: ReadError) -> Self {
        match error {
            ReadError::Port(error) => Self::from(error),
            ReadError::TooWide(TooWide { path, markets, left, as_of }) => {
                let message = format!(
                    "{} has {} here, more than the {} that are added up for a page, and its stored sums do not reach \
                     back to {}. Choose a narrower area, or a time of the last days; the command stoop market adds up as \
                     many as there are.",
                    area_name(&path),
                    text::plural(markets, "market"),
                    stoop_show::whole(i64::try_from(left).unwrap_or(i64::MAX)),
                    stoop_show::time(as_of),
                );
                Self::new(422, "This area is too wide for that time", message)
            }
        }
    }
}

/// The details are in the log: they name files and tables.
impl From<PortError> for Problem {
    fn from(error: PortError) -> Self {
        let kind = error.kind();
        tracing::error!(error = stoop_pipeline::with_causes(&error), kind = kind.as_str(), "a page cannot be read");
        if kind.may_pass() {
            let message = "The state could not be read. Try again in a moment.";
            return Self::new(503, "Not available at the moment", message.to_owned());
        }
        let message = "The state could not be read, and trying again does not help. The server's log has the cause.";
        Self::new(500, "Not available", message.to_owned())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_reader_is_asked_to_try_again_only_if_that_may_help() {
        let of = |error: PortError| Problem::from(error);
        let busy = of(PortError::unavailable("read the market", "database is locked"));
        assert_eq!((busy.status, busy.message.contains("Try again")), (503, true));
        for error in [PortError::damaged("read the market", "bytes"), PortError::refused("GetItem", "AccessDenied")] {
            let lasting = of(error);
            assert_eq!((lasting.status, lasting.message.contains("trying again does not help")), (500, true));
            assert!(!lasting.message.contains("AccessDenied"));
        }
    }
}
