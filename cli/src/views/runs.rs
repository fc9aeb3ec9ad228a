use std::collections::BTreeMap;
use std::process::ExitCode;

use serde::Serialize;
use stoop_domain::Time;
use stoop_embedded::Database;
use stoop_pipeline::ports::{RunOutcome, RunRecord};

use super::{more, open, plural, rfc3339, rfc3339_or_null};
use crate::args::{RunsArgs, StoreArgs};
use crate::show::{self, Cell, Column, Look, Table, or_unknown, print, print_json};

/// Polls, replays and the like, newest first.
#[derive(Serialize)]
pub(super) struct Runs {
    /// How many there are, of which `runs` may show fewer.
    total: u64,
    runs: Vec<RunRow>,
}

#[derive(Serialize)]
struct RunRow {
    id: String,
    kind: String,
    subject: String,
    #[serde(serialize_with = "rfc3339")]
    began_at: Time,
    #[serde(serialize_with = "rfc3339_or_null")]
    ended_at: Option<Time>,
    outcome: RunOutcome,
    message: Option<String>,
    counts: BTreeMap<String, u64>,
}

/// The longest subject that is shown whole.
const SUBJECT_MAX: usize = 28;

/// `stoop runs`.
pub(crate) fn runs(store: &StoreArgs, args: &RunsArgs) -> anyhow::Result<ExitCode> {
    let view = Runs::read(&*open(store)?, args.limit)?;
    if args.json.json {
        print_json(&view)?
    } else {
        print(&view.draw(Look::of_stdout()))?
    }
    Ok(ExitCode::SUCCESS)
}

impl Runs {
    pub(super) fn read(database: &Database, limit: usize) -> anyhow::Result<Self> {
        let total = database.counts()?.runs;
        Ok(Self { total, runs: database.runs(limit)?.into_iter().map(RunRow::of).collect() })
    }

    pub(super) fn draw(&self, look: Look) -> String {
        let heading = look.bold(&plural(self.total, "run"));
        if self.runs.is_empty() {
            return heading + "\n";
        }
        let messages = self.runs.iter().any(|run| run.message.is_some());
        let mut columns = vec![
            Column::left("when"),
            Column::left("kind"),
            Column::left("subject"),
            Column::left("outcome"),
            Column::right("took"),
            Column::wrapped("counts"),
        ];
        if messages {
            columns.push(Column::wrapped("message"));
        }
        let mut table = Table::new(columns);
        for run in &self.runs {
            let mut cells = run.cells();
            if messages {
                cells.push(run.message.as_deref().map(show::plain).unwrap_or_default().into());
            }
            table.row(cells);
        }
        let total = usize::try_from(self.total).unwrap_or(usize::MAX);
        let remark = look.dim(", newest first, times in UTC");
        format!("{heading}{remark}\n\n{}{}", table.draw(look), more(self.runs.len(), total))
    }
}

impl RunRow {
    fn of(run: RunRecord) -> Self {
        let RunRecord { id, kind, subject, began_at, ended_at, outcome, message, counts } = run;
        Self { id, kind, subject, began_at, ended_at, outcome, message, counts }
    }

    fn cells(&self) -> Vec<Cell> {
        let outcome = match self.outcome {
            // A run that was killed cannot say so.
            RunOutcome::Running => Cell::from("unfinished").yellow(),
            RunOutcome::Complete => Cell::from("complete").green(),
            RunOutcome::Partial => Cell::from("partial").yellow(),
            RunOutcome::Failed => Cell::from("failed").red(),
        };
        let counts = self.counts.iter().filter(|(_, count)| **count > 0);
        // A number stays beside its name where the line is broken.
        let counts: Vec<String> = counts.map(|(name, count)| format!("{name}\u{a0}{}", show::count(*count))).collect();
        vec![
            show::time(self.began_at).into(),
            self.kind.as_str().into(),
            show::tail(&self.subject, SUBJECT_MAX).into(),
            outcome,
            or_unknown(self.ended_at.map(|ended| show::span(ended.ms() - self.began_at.ms()))).into(),
            counts.join(", ").into(),
        ]
    }
}
