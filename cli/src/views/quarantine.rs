use std::process::ExitCode;

use serde::Serialize;
use stoop_domain::{Reason, Reject, Time};
use stoop_embedded::Database;

use super::{as_text, more, open, plural};
use crate::args::{QuarantineArgs, StoreArgs};
use crate::show::{self, Cell, Column, Look, Table, print, print_json};

/// What was refused: how much of it by source and reason, and the newest of it.
#[derive(Serialize)]
pub(super) struct Quarantined {
    /// How many rows were refused.
    total: u64,
    /// How many rejects are kept of them, of which `rejects` may show fewer.
    kept: u64,
    counts: Vec<Count>,
    rejects: Vec<RejectRow>,
}

#[derive(Serialize)]
struct Count {
    source: String,
    reason: String,
    count: u64,
}

#[derive(Serialize)]
struct RejectRow {
    source: String,
    #[serde(serialize_with = "as_text")]
    at: Time,
    location: String,
    reason: Reason,
    detail: String,
    raw: String,
    /// How many rows it stands for.
    rows: u64,
}

/// The longest place that is shown whole.
const LOCATION_MAX: usize = 32;

/// `stoop quarantine`.
pub(crate) fn quarantine(store: &StoreArgs, args: &QuarantineArgs) -> anyhow::Result<ExitCode> {
    let view = Quarantined::read(&*open(store)?, args.limit)?;
    if args.json.json {
        print_json(&view)?
    } else {
        print(&view.draw(Look::of_stdout()))?
    }
    Ok(ExitCode::SUCCESS)
}

impl Quarantined {
    pub(super) fn read(database: &Database, limit: usize) -> anyhow::Result<Self> {
        let counts: Vec<Count> = database
            .quarantine_counts()?
            .into_iter()
            .map(|found| Count { source: found.source, reason: found.reason, count: found.count })
            .collect();
        let rejects = database.quarantined(limit)?.into_iter().map(RejectRow::of).collect();
        let kept = database.counts()?.quarantined;
        Ok(Self { kept, total: counts.iter().map(|count| count.count).sum(), counts, rejects })
    }

    pub(super) fn draw(&self, look: Look) -> String {
        let heading = look.bold(&format!("{} in quarantine", plural(self.total, "row")));
        if self.total == 0 {
            return heading + "\n";
        }
        let mut counts = Table::new([Column::left("source"), Column::left("reason"), Column::right("rows")]);
        for count in &self.counts {
            let source = show::plain(&count.source);
            counts.row([source.into(), count.reason.replace('_', " ").into(), show::count(count.count).into()]);
        }
        let mut text = format!("{heading}\n\n{}", counts.draw(look));
        if self.rejects.is_empty() {
            return text;
        }
        let names = [Column::left("where"), Column::left("reason"), Column::cut("detail"), Column::cut("excerpt")];
        let mut rows = Table::new(names);
        for reject in &self.rejects {
            rows.row([
                show::tail(&format!("{} {}", reject.source, reject.location), LOCATION_MAX).into(),
                reject.reason.as_str().replace('_', " ").into(),
                show::plain(&reject.detail).into(),
                Cell::from(show::plain(&reject.raw)).dim(),
            ]);
        }
        let total = usize::try_from(self.kept).unwrap_or(usize::MAX);
        text += &format!("\n{}\n\n{}", look.bold("The newest"), rows.draw(look));
        text + &more(self.rejects.len(), total)
    }
}

impl RejectRow {
    fn of(reject: Reject) -> Self {
        let Reject { source, at, location, reason, detail, raw, rows } = reject;
        Self { source, at, location, reason, detail, raw, rows }
    }
}
