//! The frame around every page.

use maud::{DOCTYPE, Markup, html};
use stoop_domain::Time;
use stoop_pipeline::ports::Polling;

use crate::assets::{ICON, SCRIPT, STYLE};
use crate::text;

/// The entries of the navigation.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Room {
    Overview,
    Compare,
    Alerts,
    Runs,
    Quality,
    Definitions,
    /// None of them.
    Elsewhere,
}

/// What a page says of itself.
pub(crate) struct Head<'a> {
    pub(crate) title: &'a str,
    pub(crate) room: Room,
    /// The time of what it shows; `None` for a page that shows no state. Only pages with a time are kept current.
    pub(crate) now: Option<Time>,
    /// What stands in the search field.
    pub(crate) query: &'a str,
}

const ROOMS: [(Room, &str, &str); 6] = [
    (Room::Overview, "/", "Overview"),
    (Room::Compare, "/compare", "Compare"),
    (Room::Alerts, "/alerts", "Alerts"),
    (Room::Runs, "/runs", "Runs"),
    (Room::Quality, "/quality", "Quality"),
    (Room::Definitions, "/definitions", "Definitions"),
];

/// A whole page.
pub(crate) fn page(head: &Head<'_>, content: &Markup) -> String {
    let title = if head.title.is_empty() { "Stoop".to_owned() } else { format!("{} · Stoop", head.title) };
    let page = html! {
        (DOCTYPE)
        html lang="en" {
            head {
                meta charset="utf-8";
                meta name="viewport" content="width=device-width, initial-scale=1";
                title { (title) }
                link rel="icon" href=(ICON.href);
                link rel="stylesheet" href=(STYLE.href);
                script src=(SCRIPT.href) defer {}
            }
            body {
                a class="skip" href="#content" { "Skip to the content" }
                header class="top" {
                    div {
                        a class="brand" href="/" { "Stoop" }
                        nav aria-label="Main" {
                            ul {
                                @for (room, href, name) in ROOMS {
                                    li { a href=(href) aria-current=[(room == head.room).then_some("page")] { (name) } }
                                }
                            }
                        }
                        form class="find" action="/search" role="search" {
                            input type="search" name="q" value=(head.query) placeholder="austin tx, 78704, king county" aria-label="Find an area or a home" autocomplete="off" spellcheck="false" maxlength="200";
                            button type="submit" { "Find" }
                        }
                    }
                }
                main id="content" tabindex="-1" data-now=[head.now] { (content) }
                footer class="foot" {
                    "Figures are of asking prices, computed from what the sources show. "
                    a href="/definitions" { "Definitions" }
                    " · "
                    a href="/api" { "API" }
                }
            }
        }
    };
    // Whatever a source wrote.
    stoop_show::plain_lines(&page.into_string()).into_owned()
}

/// A page that says what polls: it must not be called live if nothing does, nor real if all is simulated.
pub(crate) fn with_polling(page: String, polling: Polling) -> String {
    let name = match polling {
        Polling::Nothing => "none",
        Polling::Searches => return page,
        Polling::Simulation => "simulation",
    };
    page.replacen("<main id=\"content\"", &format!("<main id=\"content\" data-polls=\"{name}\""), 1)
}

/// The time of a page's figures, and whether it is kept current.
pub(crate) fn as_of(now: Time) -> Markup {
    html! {
        "As of " (text::time(now, false)) " "
        span class="live" data-connection hidden {}
    }
}
