//! Polls, replays and other runs: each subject with its last ones as a strip, then all, newest first.

use std::collections::BTreeMap;

use maud::{Markup, html};
use stoop_domain::Time;
use stoop_pipeline::ports::{RunOutcome, RunRecord};

use crate::layout::{self, Head, Room};
use crate::problem::Problem;
use crate::read::Reader;
use crate::text;

const RUNS: usize = 400;
/// Runs in a strip, and in the list.
const STRIP: usize = 40;
const LISTED: usize = 60;
/// The counts that are shown first.
const COUNTS: [&str; 7] = ["pages", "listings", "observations", "new", "changed", "gone", "different"];

/// The page at `now`.
pub(crate) async fn page(reader: &Reader<'_>, now: Time) -> Result<String, Problem> {
    let runs = reader.browse.runs(RUNS).await?;
    let mut subjects: BTreeMap<(&str, &str), Vec<&RunRecord>> = BTreeMap::new();
    for run in &runs {
        subjects.entry((&run.kind, &run.subject)).or_default().push(run);
    }
    let content = html! {
        div class="head" { h1 { "Runs" } p { (layout::as_of(now)) " · " a href="/quality#quarantine" { "Quarantine" } } }
        section class="card" {
            h2 { "Searches and files" }
            @if subjects.is_empty() { p class="empty" { "Nothing has run yet." } }
            @else {
                div class="scroll" tabindex="0" role="region" aria-label="Searches and files" {
                    table {
                        thead { tr { th class="l" scope="col" { "Subject" } th class="l" scope="col" { "Kind" } th class="l" scope="col" { "Last runs, newest right" } th class="l" scope="col" { "Last" } th class="l" scope="col" { "Outcome" } } }
                        tbody { @for ((kind, subject), runs) in &subjects { (subject_row(kind, subject, runs)) } }
                    }
                }
            }
        }
        @if !runs.is_empty() {
            section class="card" data-live {
                h2 { "All runs, newest first" }
                div class="scroll" tabindex="0" role="region" aria-label="All runs" {
                    table {
                        thead { tr { th class="l" scope="col" { "Began" } th class="l" scope="col" { "Subject" } th class="l" scope="col" { "Outcome" } th scope="col" { "Took" } th class="l" scope="col" { "Counts" } } }
                        tbody { @for run in runs.iter().take(LISTED) { (run_row(run)) } }
                    }
                }
            }
        }
    };
    Ok(layout::page(&Head { title: "Runs", room: Room::Runs, now: Some(now), query: "" }, &content))
}

fn subject_row(kind: &str, subject: &str, runs: &[&RunRecord]) -> Markup {
    let shown = &runs[..runs.len().min(STRIP)];
    let bad = shown.iter().filter(|run| matches!(run.outcome, RunOutcome::Failed | RunOutcome::Killed)).count();
    html! {
        tr {
            th class="l" scope="row" { (subject) }
            td class="l" { (kind) }
            td class="l" {
                span class="strip" role="img" aria-label=(format!("{}, {bad} failed", text::plural(shown.len(), "run"))) {
                    @for run in shown.iter().rev() { i class=(run.outcome.as_str()) {} }
                }
            }
            td class="l" { @if let Some(last) = runs.first() { (text::time(last.began_at, true)) } }
            td class="l" { @if let Some(last) = runs.first() { (last.outcome.as_str()) } }
        }
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
