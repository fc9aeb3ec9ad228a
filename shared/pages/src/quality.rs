//! How far figures can be trusted: what is verified, what is not confirmed, thin or late, and what was refused.

mod areas;

use maud::{Markup, html};
use stoop_domain::{Reason, Time};
use stoop_pipeline::ports::{MergedCounts, Quarantined, RunOutcome, RunRecord};
use stoop_serve::{MergedId, Quality, Reader};

use crate::layout::{self, Head, Room};
use crate::overview::switch;
use crate::problem::Problem;
use crate::query::Query;
use crate::text;

/// Rejects that are shown.
const EXAMPLES: usize = 20;
/// The letters of a rejected row that are shown.
const RAW_LETTERS: usize = 120;
/// A result of `stoop verify` that is older says little about today.
const STALE_DAYS: i64 = 7;

/// What the page shows.
struct QualityPage {
    quality: Quality,
    quarantine: Option<Quarantined>,
}

/// The page at `now`.
pub(crate) async fn page(reader: &Reader<'_>, query: &Query, now: Time) -> Result<String, Problem> {
    let (purpose, currency) = (query.purpose()?, query.currency()?);
    let asked = |id: &MergedId| {
        purpose.is_none_or(|purpose| id.purpose == purpose) && currency.is_none_or(|currency| id.currency == currency)
    };
    let quality = Quality::read(reader, asked, now).await?;
    let quarantine = reader.browse.quarantine(EXAMPLES).await?;
    let content = QualityPage { quality, quarantine }.draw(now);
    Ok(layout::page(&Head { title: "Quality", room: Room::Quality, now: Some(now), query: "" }, &content))
}

impl QualityPage {
    fn draw(&self, now: Time) -> Markup {
        let Quality { ids, id, areas, is_lag_left_out, verified, merged } = &self.quality;
        html! {
            div class="head" {
                h1 { "Quality" }
                p { (layout::as_of(now)) }
                @if let (Some(id), true) = (id, ids.len() > 1) { (switch("/quality", ids, *id)) }
            }
            div class="row three" {
                (verdict(verified.as_ref(), now))
                (areas::unconfirmed(areas))
                (areas::balance(areas))
            }
            @if let Some(merged) = merged { (counted_once(*merged)) }
            (areas::table(areas, *is_lag_left_out))
            (refused(self.quarantine.as_ref()))
        }
    }
}

/// That figures count homes, and how many listings these have.
fn counted_once(merged: MergedCounts) -> Markup {
    let MergedCounts { homes, listings, counties_waiting } = merged;
    html! {
        section class="card" id="merged" data-live {
            header {
                h2 { "Listings of one home" }
                p class="note" { "Each home counts once, as far as listings can be distinguished. The figures here are of homes, and the counts of sources and runs are of listings." }
            }
            p {
                (stoop_show::plural(homes, "home")) @if homes == 1 { " has" } @else { " have" } " more than one listing: "
                (stoop_show::count(listings)) " in all, " (stoop_show::count(listings - homes)) " of which are counted through another one. Listings that have left the market are among them."
                @if counties_waiting > 0 {
                    " Changes in " (stoop_show::count(counties_waiting)) @if counties_waiting == 1 { " county" } @else { " counties" }
                    " are not merged yet."
                }
            }
        }
    }
}

/// The last word of `stoop verify`.
fn verdict(run: Option<&RunRecord>, now: Time) -> Markup {
    let count = |run: &RunRecord, name: &str| run.counts.get(name).copied();
    html! {
        section class="card answer" data-answer="verify" {
            h2 { "Do figures follow from observations?" }
            @match run {
                None => {
                    p class="big" { "Not verified yet" }
                    p class="sub" { code { "stoop verify" } " computes everything anew from the stored observations and compares; of a stack, in a pulled copy." }
                }
                Some(run) => {
                    p class="big" {
                        @match (run.outcome, count(run, "different")) {
                            (RunOutcome::Complete, _) => { "Yes" }
                            (_, Some(different)) => { "No: " (text::plural(usize::try_from(different).unwrap_or(usize::MAX), "difference")) }
                            _ => { "Not known: the check did not end" }
                        }
                        @if now.ms() - run.began_at.ms() > STALE_DAYS * Time::DAY_MS { " " span class="flag" { "long ago" } }
                    }
                    p class="sub" {
                        @if let (Some(observations), Some(homes)) = (count(run, "observations"), count(run, "homes")) {
                            (stoop_show::count(observations)) " observations and " (stoop_show::count(homes)) " homes were compared at "
                        } @else { "Tried at " }
                        (text::time(run.began_at, false)) "."
                        @if let Some(unchecked) = count(run, "alerts_unchecked").filter(|unchecked| *unchecked > 0) {
                            " " (stoop_show::count(unchecked)) " alerts were not checked: their rules are not known."
                        }
                        @if let Some(message) = &run.message { " " (message) }
                    }
                }
            }
        }
    }
}

/// The quarantine: how much and why, and the newest examples.
fn refused(quarantine: Option<&Quarantined>) -> Markup {
    html! {
        section class="card" id="quarantine" data-live {
            header {
                h2 { "Quarantine" }
                p class="note" { "Rows that could not be read, and are in no figure, and values that could not be, whose homes are counted without them. A corrected map reads them in the next complete scan." }
            }
            @match quarantine {
                None => { p class="empty" { "This server does not list its quarantine: its files are under " code { "quarantine/" } " in the data bucket." } }
                Some(quarantine) if quarantine.counts.is_empty() => { p class="empty" { "Nothing was refused." } }
                Some(quarantine) => { (counts(quarantine)) }
            }
        }
        @if let Some(quarantine) = quarantine.filter(|quarantine| !quarantine.newest.is_empty()) { (examples(quarantine)) }
    }
}

fn counts(quarantine: &Quarantined) -> Markup {
    html! {
        div class="scroll" tabindex="0" role="region" aria-label="Quarantine by source and reason" {
            table {
                thead { tr { th class="l" scope="col" { "Source" } th class="l" scope="col" { "Reason" } th scope="col" { "Rows" } th scope="col" { "Values" } th class="l" scope="col" { "It means" } } }
                tbody {
                    @for count in &quarantine.counts {
                        tr {
                            th class="l" scope="row" { (count.source) }
                            td class="l" { (count.reason.as_str().replace('_', " ")) }
                            td { (stoop_show::count(count.rows)) }
                            td { (stoop_show::count(count.values)) }
                            td class="words" { (meaning(count.reason)) }
                        }
                    }
                }
            }
        }
    }
}

fn examples(quarantine: &Quarantined) -> Markup {
    html! {
        section class="card" {
            header { h2 { "Newest rejects" } p class="note" { "All: " code { "stoop quarantine" } } }
            div class="scroll" tabindex="0" role="region" aria-label="Newest rejects" {
                table {
                    thead { tr { th class="l" scope="col" { "When" } th class="l" scope="col" { "Where" } th class="l" scope="col" { "Why" } th class="l" scope="col" { "Excerpt" } } }
                    tbody {
                        @for reject in &quarantine.newest {
                            tr {
                                td class="l" { (text::time(reject.at, false)) }
                                td class="words" { (reject.source) " " (reject.location) }
                                td class="words" { (reject.reason.as_str().replace('_', " ")) ": " (reject.detail) @if reject.rows > 1 { " (and as many as " (stoop_show::count(reject.rows)) " rows)" } }
                                td class="words" { code { (excerpt(&reject.raw)) } }
                            }
                        }
                    }
                }
            }
        }
    }
}

/// The beginning of a rejected row. Letters that would control what is shown are replaced.
fn excerpt(raw: &str) -> String {
    let mut letters = raw.chars().map(|letter| if letter.is_control() { ' ' } else { letter });
    let text: String = letters.by_ref().take(RAW_LETTERS).collect();
    if letters.next().is_some() { text + "…" } else { text }
}

fn meaning(reason: Reason) -> &'static str {
    match reason {
        Reason::Unreadable => "It is not in the expected format.",
        Reason::NotUtf8 => "It is not UTF-8 text.",
        Reason::TooLong => "It is longer than a row may be.",
        Reason::Truncated => "The input ended in the middle of it.",
        Reason::MissingField => "A field that every listing needs is missing.",
        Reason::BadValue => "A field has a value that cannot be read.",
        Reason::PriceNotPositive => "The price is zero or less.",
        Reason::PriceAbsurd => "No home has such a price.",
        Reason::ForeignCurrency => "The currency is not that of the market.",
        Reason::CoordinatesOutOfRange => "There is no such latitude or longitude.",
        Reason::DateInFuture => "Its time is in the future.",
        Reason::NewerVersion => "A newer Stoop wrote it.",
        Reason::Repeated => "The same snapshot shows the listing twice.",
        Reason::Overfull => "The listing has more different facts than one home can have.",
        Reason::Drifted => "The source no longer fills a field that it filled before.",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_listings_of_merged_homes_are_counted() {
        let text = counted_once(MergedCounts { homes: 395, listings: 790, counties_waiting: 1 }).into_string();
        assert!(text.contains("395 homes have more than one listing: 790 in all, 395 of which"), "{text}");
        assert!(text.contains("Changes in 1 county are not merged yet."), "{text}");
        let text = counted_once(MergedCounts { homes: 1, listings: 2, counties_waiting: 0 }).into_string();
        assert!(text.contains("1 home has more than one listing") && !text.contains("not merged yet"), "{text}");
    }

    #[test]
    fn an_excerpt_is_short_and_controls_nothing() {
        assert_eq!(excerpt("a\u{1b}[31m\nb"), "a [31m b");
        let long = "é".repeat(RAW_LETTERS + 1);
        assert_eq!(excerpt(&long).chars().count(), RAW_LETTERS + 1);
        assert!(!excerpt(&long[..RAW_LETTERS * 2]).ends_with('…'));
    }
}
