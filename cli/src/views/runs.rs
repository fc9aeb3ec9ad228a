use std::process::ExitCode;

use serde::Serialize;
use stoop_embedded::Database;
use stoop_pipeline::ports::RunOutcome;
use stoop_pipeline::{LEFT_BY_SERVER, LEFT_OF};
use stoop_serve::{RUN_COLUMNS, RunView};

use super::{View, give, more, open, plural};
use crate::args::{RunsArgs, StoreArgs};
use crate::show::{self, Column, Csv, Look, Page, SafeText, Table, or_unknown};

/// Polls, replays and other runs, newest first.
#[derive(Serialize)]
pub(super) struct Runs {
    /// The total number; `runs` may hold fewer.
    total: u64,
    runs: Vec<RunView>,
}

/// The counts shown first; the others follow by name.
const COUNTS: [&str; 8] = ["requests", "pages", "rows", "listings", "observations", "new", "changed", "gone"];

/// `stoop runs`.
pub(crate) fn runs(store: &StoreArgs, args: &RunsArgs) -> anyhow::Result<ExitCode> {
    give(&Runs::read(&*open(store)?, args.limit)?, &args.format)
}

impl Runs {
    pub(super) fn read(database: &Database, limit: usize) -> anyhow::Result<Self> {
        let total = database.counts()?.runs;
        Ok(Self { total, runs: database.runs(limit)?.into_iter().map(RunView::from).collect() })
    }
}

impl View for Runs {
    fn draw(&self, look: Look) -> Page {
        let mut page = Page::new(look);
        let heading = SafeText::from(plural(self.total, "run")).bold();
        if self.runs.is_empty() {
            page.line([heading]);
            return page;
        }
        let mut table = Table::new([
            Column::left("when"),
            Column::left("kind").optional(1),
            Column::cut_before("subject"),
            Column::left("outcome"),
            Column::right("took").optional(2),
            Column::wrapped("counts"),
        ]);
        for run in &self.runs {
            table.row(cells(run));
        }
        let total = usize::try_from(self.total).unwrap_or(usize::MAX);
        page.line([heading, SafeText::from(", newest first, times in UTC").dim()]).gap().table(table);
        more(&mut page, self.runs.len(), total);
        page
    }

    fn csv(&self) -> anyhow::Result<Csv> {
        Ok(Csv::of(RUN_COLUMNS, &self.runs)?)
    }
}

fn cells(run: &RunView) -> [SafeText; 6] {
    let outcome = SafeText::from(run.outcome.as_str());
    let outcome = match run.outcome {
        RunOutcome::Running => outcome,
        RunOutcome::Complete => outcome.green(),
        RunOutcome::Partial | RunOutcome::Skipped => outcome.yellow(),
        RunOutcome::Failed | RunOutcome::Killed => outcome.red(),
    };
    let rank = |name: &str| COUNTS.iter().position(|known| *known == name).unwrap_or(COUNTS.len());
    // For what is left of a limit, 0 is information too.
    let is_left = |name: &str| name == LEFT_BY_SERVER || name.starts_with(LEFT_OF);
    let mut counts: Vec<_> = run.counts.iter().filter(|(name, count)| **count > 0 || is_left(name)).collect();
    counts.sort_by_key(|(name, _)| rank(name));
    // A number stays next to its name when the line is broken.
    let words = counts.into_iter().map(|(name, count)| match is_left(name) {
        true => format!("{}\u{a0}{name}", show::count(*count)),
        false => format!("{name}\u{a0}{}", show::count(*count)),
    });
    let counts = words.collect::<Vec<_>>().join(", ");
    let message = run.message.as_deref().map(show::plain);
    let lines: Vec<String> =
        [message, Some(counts).filter(|counts| !counts.is_empty())].into_iter().flatten().collect();
    [
        show::time(run.began_at).into(),
        run.kind.as_str().into(),
        show::plain(&run.subject).into(),
        outcome,
        or_unknown(run.ended_at.map(|ended| show::span(ended.ms() - run.began_at.ms()))).into(),
        SafeText::lines(&lines),
    ]
}
