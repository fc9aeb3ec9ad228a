//! The page where a browser shows a token, and ends its session.

use maud::html;

use crate::layout::{Head, Room, page};

/// What the page says besides.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Notice {
    None,
    /// The text was not a token of this server.
    Refused,
}

/// The form. `to` is the page to go to then.
pub(crate) fn form(to: &str, notice: Notice) -> String {
    let content = html! {
        div class="head" { h1 { "Log in" } }
        section class="card" {
            @if notice == Notice::Refused { p role="alert" { "That is not a token of this server." } }
            form class="switch" method="post" action="/login" {
                input type="hidden" name="to" value=(to);
                label { "Token " input type="password" name="token" required autofocus autocomplete="current-password" maxlength="1024" size="40"; }
                button type="submit" { "Log in" }
            }
            p class="note" {
                "Whoever runs this server has the token. A session lasts seven days. After a link from elsewhere, "
                a href=(to) { "continue with the session" }
                " that this browser may have."
            }
        }
    };
    page(&Head { title: "Log in", room: Room::Elsewhere, now: None, query: "" }, &content)
}

/// For a browser that has a session.
pub(crate) fn logged_in(form_token: &str) -> String {
    let content = html! {
        div class="head" { h1 { "Logged in" } }
        section class="card" {
            form class="switch" method="post" action="/logout" {
                input type="hidden" name="form" value=(form_token);
                button type="submit" { "Log out" }
            }
        }
    };
    page(&Head { title: "Logged in", room: Room::Elsewhere, now: None, query: "" }, &content)
}
