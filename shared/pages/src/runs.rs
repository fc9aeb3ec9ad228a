//! The searches, when each is polled next, and what to do with it; then all runs, newest first.

use std::collections::BTreeMap;

use maud::{Markup, html};
use stoop_domain::Time;
use stoop_pipeline::ControlAction;
use stoop_pipeline::ports::{Polling, RunOutcome, RunRecord};
use stoop_serve::{Reader, SearchView, searches};

use crate::layout::{self, Head, Room};
use crate::problem::Problem;
use crate::request::Visitor;
use crate::text;

const RUNS: usize = 400;
/// Runs in a strip, and in the list.
const STRIP: usize = 40;
const SEARCH_STRIP: usize = 20;
const LISTED: usize = 60;
/// The counts that are shown first.
const COUNTS: [&str; 7] = ["pages", "listings", "observations", "new", "changed", "gone", "different"];

/// The page at `now`.
pub(crate) async fn page(reader: &Reader<'_>, visitor: Visitor<'_>, now: Time) -> Result<String, Problem> {
    let runs = reader.browse.runs(RUNS).await?;
    // A run that still works, or has failed, may be newer than what was observed.
    let now = runs.iter().map(|run| run.began_at).chain([now]).max().unwrap_or(now);
    let mut subjects: BTreeMap<(&str, &str), Vec<&RunRecord>> = BTreeMap::new();
    for run in &runs {
        subjects.entry((&run.kind, &run.subject)).or_default().push(run);
    }
    let searches = searches(reader.browse, reader.controls).await?;
    // Nothing is asked of searches that nothing polls, and nothing is to come.
    let polling = reader.browse.polling().await?;
    let is_still = polling == Some(Polling::Nothing);
    let took = if polling == Some(Polling::Simulation) { "Took, simulated time" } else { "Took" };
    let visitor = Visitor { may_write: visitor.may_write && !is_still, ..visitor };
    let is_search = |kind: &str, subject: &str| kind == "poll" && searches.iter().any(|known| known.search == subject);
    let others: Vec<_> = subjects.iter().filter(|((kind, subject), _)| !is_search(kind, subject)).collect();
    let content = html! {
        div class="head" { h1 { "Runs" } p { (layout::as_of(now)) " · " a href="/quality#quarantine" { "Quarantine" } } }
        @if runs.is_empty() && searches.is_empty() {
            section class="card" { p class="empty" { "Nothing has run yet." } }
        }
        @if !searches.is_empty() {
            section class="card" data-live {
                h2 { "Searches" }
                @if is_still { p class="note" { "Nothing polls at the moment: " code { "stoop run" } " polls the searches of " code { "stoop.toml" } "." } }
                div class="scroll" tabindex="0" role="region" aria-label="Searches" {
                    table {
                        thead { tr {
                            th class="l" scope="col" { "Search" }
                            @if visitor.may_write { th class="l" scope="col" { "Control" } }
                            th class="l" scope="col" { "Next poll" }
                            th class="l" scope="col" { "Every" }
                            th class="l" scope="col" { "Last polls, newest right" }
                            th class="l" scope="col" { "Last" }
                            th class="l" scope="col" { "Outcome" }
                        } }
                        tbody { @for search in &searches {
                            @let polls = subjects.get(&("poll", &search.search)).map_or(&[][..], Vec::as_slice);
                            (search_row(search, polls, visitor, is_still))
                        } }
                    }
                }
            }
        }
        @if !others.is_empty() {
            section class="card" {
                h2 { @if searches.is_empty() { "Searches and files" } @else { "Other runs" } }
                div class="scroll" tabindex="0" role="region" aria-label="Runs by subject" {
                    table {
                        thead { tr { th class="l" scope="col" { "Subject" } th class="l" scope="col" { "Kind" } th class="l" scope="col" { "Last runs, newest right" } th class="l" scope="col" { "Last" } th class="l" scope="col" { "Outcome" } } }
                        tbody { @for ((kind, subject), runs) in others { (subject_row(kind, subject, runs)) } }
                    }
                }
            }
        }
        @if !runs.is_empty() {
            section class="card" data-live {
                h2 { "All runs, newest first" }
                div class="scroll" tabindex="0" role="region" aria-label="All runs" {
                    table {
                        thead { tr { th class="l" scope="col" { "Began" } th class="l" scope="col" { "Subject" } th class="l" scope="col" { "Outcome" } th scope="col" { (took) } th class="l" scope="col" { "Counts" } } }
                        tbody { @for run in runs.iter().take(LISTED) { (run_row(run)) } }
                    }
                }
            }
        }
    };
    Ok(layout::page(&Head { title: "Runs", room: Room::Runs, now: Some(now), query: "" }, &content))
}

fn search_row(search: &SearchView, runs: &[&RunRecord], visitor: Visitor<'_>, is_still: bool) -> Markup {
    let every = search.every_seconds.map(stoop_show::interval);
    let other = if search.paused_at.is_some() { ControlAction::Resume } else { ControlAction::Pause };
    html! {
        tr {
            th class="l" scope="row" { (search.search) }
            @if visitor.may_write {
                td class="l controls" {
                    @for action in [ControlAction::Poll, other] { (control(&search.search, action, visitor)) }
                }
            }
            td class="l words" {
                @if let Some(paused_at) = search.paused_at { "paused since " (text::time(paused_at, false)) (by(search)) }
                @else if is_still { (stoop_show::UNKNOWN) }
                @else if let Some(next_at) = search.next_at { (text::next(next_at)) }
                @if search.poll_asked_at.is_some() { " (asked for now" (by(search)) ")" }
            }
            td class="l" {
                (stoop_show::or_unknown(every))
                @if let Some(limit) = &search.slowed_by { " " span class="note" { "because of " (limit) } }
            }
            (last_cells(runs, SEARCH_STRIP))
        }
    }
}

fn by(search: &SearchView) -> Markup {
    html! { @if let Some(by) = &search.asked_by { " by " (by) } }
}

/// A button that works without script.
fn control(search: &str, action: ControlAction, visitor: Visitor<'_>) -> Markup {
    let label = match action {
        ControlAction::Poll => "Poll now",
        ControlAction::Pause => "Pause",
        ControlAction::Resume => "Resume",
    };
    html! {
        form method="post" action=(format!("/searches/{}/{}", text::encoded(search), action.as_str())) {
            @if let Some(token) = visitor.form_token { input type="hidden" name="form" value=(token); }
            button type="submit" aria-label=(format!("{label}: {search}")) { (label) }
        }
    }
}

fn subject_row(kind: &str, subject: &str, runs: &[&RunRecord]) -> Markup {
    html! {
        tr {
            th class="l" scope="row" { (subject) }
            td class="l" { (kind) }
            (last_cells(runs, STRIP))
        }
    }
}

/// The last runs as a strip, the time of the last one, and its outcome.
fn last_cells(runs: &[&RunRecord], most: usize) -> Markup {
    let shown = &runs[..runs.len().min(most)];
    let bad = shown.iter().filter(|run| matches!(run.outcome, RunOutcome::Failed | RunOutcome::Killed)).count();
    html! {
        td class="l" {
            span class="strip" role="img" aria-label=(format!("{}, {bad} failed", text::plural(shown.len(), "run"))) {
                @for run in shown.iter().rev() { i class=(run.outcome.as_str()) {} }
            }
        }
        td class="l" { @if let Some(last) = runs.first() { (text::time(last.began_at, true)) } }
        td class="l" { @if let Some(last) = runs.first() { (last.outcome.as_str()) } }
    }
}

fn run_row(run: &RunRecord) -> Markup {
    let took = run.ended_at.map(|ended| stoop_show::span(ended.ms() - run.began_at.ms()));
    let counts =
        COUNTS.iter().filter_map(|name| Some((*name, *run.counts.get(*name)?))).filter(|(_, count)| *count > 0);
    let counts: Vec<String> = counts.map(|(name, count)| format!("{name} {}", stoop_show::count(count))).collect();
    html! {
        tr data-fresh=(run.id) {
            td class="l" { (text::time(run.began_at, true)) }
            td class="l" { (run.subject) }
            td class="l" { (run.outcome.as_str()) }
            td { (stoop_show::or_unknown(took)) }
            td class="words" { @if let Some(message) = &run.message { (message) " " } (counts.join(", ")) }
        }
    }
}
