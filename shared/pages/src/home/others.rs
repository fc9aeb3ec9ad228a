//! The other listings of a home, and those that may be.

use maud::{Markup, html};
use stoop_domain::HomeId;
use stoop_serve::{
    ANSWER_LISTINGS_MAX, DoubtfulListing, HomeSummary, ListingPair, NotCompared, OtherListings, join_bits,
};

use crate::request::Visitor;
use crate::ruling::{DIFFERENT, SAME};
use crate::text;

/// Nothing if there are none; where they were not looked for, why.
pub(super) fn draw(others: &OtherListings, id: &HomeId, visitor: Visitor<'_>) -> Markup {
    let same: Vec<&HomeSummary> = others.of_the_same_home(id).collect();
    html! {
        @if let Some(why) = others.not_compared {
            section class="card" {
                h2 { "Other listings of this home" }
                p class="empty" { "Not looked for: " (words(why)) "." }
            }
        }
        @if let Some(home) = others.home.as_ref().filter(|_| !same.is_empty()) {
            section class="card" {
                header { h2 { "Other listings of this home" } p class="note" {
                    "on offer in its area; "
                    @if others.counts_once { "figures count the home once" } @else { "in figures each counts as a home" }
                } }
                (table("Other listings of this home", &same, id, visitor, &[OTHER_HOME]))
                ul class="evidence note" {
                    @for pair in home.surest() { li { (evidence(pair, same.len() > 1)) } }
                    li { (rule()) }
                }
            }
        }
        @if !others.doubtful.is_empty() {
            section class="card" {
                header { h2 { "May be the same home" } p class="note" { "too little speaks for it, or too much against it, to be sure" } }
                (table("May be the same home", &others.doubtful.iter().map(|doubtful| &doubtful.listing).collect::<Vec<_>>(), id, visitor, &[SAME_HOME, OTHER_HOME]))
                ul class="evidence note" {
                    @for DoubtfulListing { evidence: pair, .. } in &others.doubtful { li { (evidence(pair, others.doubtful.len() > 1)) } }
                    @if others.doubtful_found > others.doubtful.len() {
                        li { "The likeliest " (others.doubtful.len()) " of " (others.doubtful_found) "." }
                    }
                    @if same.is_empty() { li { (rule()) } }
                }
            }
        }
    }
}

fn words(why: NotCompared) -> String {
    match why {
        NotCompared::TooManyListings => format!(
            "its area has more than {} listings on offer, the most that are compared for a page",
            stoop_show::count(ANSWER_LISTINGS_MAX as u64)
        ),
        NotCompared::NotDisplayed => {
            "the source does not let its address or its earlier prices be shown, which they may tell".to_owned()
        }
    }
}

fn rule() -> String {
    format!(
        "Each bit doubles the odds that two listings are of one home. They are joined from {:.1} on, if nothing excludes it.",
        join_bits()
    )
}

/// A ruling that a button makes: the word of its address, and what the button says.
type Button = (&'static str, &'static str);

const SAME_HOME: Button = (SAME, "The same home");
const OTHER_HOME: Button = (DIFFERENT, "Another home");

fn table(name: &str, listings: &[&HomeSummary], home: &HomeId, visitor: Visitor<'_>, buttons: &[Button]) -> Markup {
    let buttons = if visitor.may_rule { buttons } else { &[] };
    html! {
        div class="scroll" tabindex="0" role="region" aria-label=(name) {
            table {
                thead { tr {
                    th class="l" scope="col" { "Source" } th class="l" scope="col" { "ID" } th class="l" scope="col" { "Status" } th scope="col" { "Price" }
                    th scope="col" { "Days" } th class="l" scope="col" { "At the source" }
                    @if !buttons.is_empty() { th class="l" scope="col" { "It is" } }
                } }
                tbody { @for listing in listings { (row(listing, home, visitor, buttons)) } }
            }
        }
    }
}

fn row(listing: &HomeSummary, home: &HomeId, visitor: Visitor<'_>, buttons: &[Button]) -> Markup {
    let id = listing.id.as_str();
    let (source, native) = id.split_once('/').unwrap_or(("", id));
    html! {
        tr {
            td class="l" { (source) }
            td class="l id" { a href=(text::home_href(&listing.id)) { (native) } }
            td class="l wrap" { (listing.status) " " (text::offer(listing.market.purpose.as_str())) }
            td { (stoop_show::or_unknown(listing.asked.map(|price| stoop_show::money(price, listing.currency)))) }
            td { (stoop_show::or_unknown(listing.days_on_market.map(|days| days.to_string()))) }
            td class="l" {
                @if let Some(url) = &listing.url { a href=(url) rel="noopener noreferrer nofollow" aria-label=(format!("the listing {id}")) { "the listing" } }
                @else { (stoop_show::UNKNOWN) }
            }
            @if !buttons.is_empty() {
                td class="l controls" {
                    @for (word, label) in buttons {
                        form method="post" action=(format!("{}/{word}", text::home_href(home))) {
                            @if let Some(token) = visitor.form_token { input type="hidden" name="form" value=(token); }
                            input type="hidden" name="other" value=(id);
                            button type="submit" aria-label=(format!("{label}: {id}")) { (label) }
                        }
                    }
                }
            }
        }
    }
}

/// What speaks for a pair and against it; `is_named` if there are several pairs.
fn evidence(pair: &ListingPair, is_named: bool) -> String {
    if is_named { format!("{} and {}, {pair}", pair.a, pair.b) } else { pair.to_string() }
}
