use std::process::ExitCode;

use serde::Serialize;
use stoop_domain::{Reason, Reject, Time};
use stoop_embedded::Database;

use super::{View, as_text, give, more, open, plural, rows};
use crate::args::{QuarantineArgs, StoreArgs};
use crate::show::{self, Column, Csv, Look, Page, SafeText, Table};

/// Rejects: counts by source and reason, and the newest ones.
#[derive(Serialize)]
pub(super) struct Quarantined {
    /// The number of refused rows.
    total: u64,
    /// The number of stored rejects; `rejects` may hold fewer.
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
    /// The number of rows it stands for.
    rows: u64,
}

/// `stoop quarantine`.
pub(crate) fn quarantine(store: &StoreArgs, args: &QuarantineArgs) -> anyhow::Result<ExitCode> {
    give(&Quarantined::read(&*open(store)?, args.limit)?, &args.format)
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
}

impl View for Quarantined {
    fn draw(&self, look: Look) -> Page {
        let mut page = Page::new(look);
        page.line([SafeText::from(format!("{} in quarantine", plural(self.total, "row"))).bold()]);
        if self.total == 0 {
            return page;
        }
        let mut counts = Table::new([Column::left("source"), Column::left("reason"), Column::right("rows")]);
        for count in &self.counts {
            let source = show::plain(&count.source);
            counts.row([source.into(), count.reason.replace('_', " ").into(), show::count(count.count).into()]);
        }
        page.gap().table(counts);
        if self.rejects.is_empty() {
            return page;
        }
        let mut rows = Table::new([
            Column::cut_before("where"),
            Column::left("reason").optional(1),
            Column::cut("detail"),
            Column::cut("excerpt").optional(2),
        ]);
        for reject in &self.rejects {
            rows.row([
                show::plain(&format!("{} {}", reject.source, reject.location)).into(),
                reject.reason.as_str().replace('_', " ").into(),
                show::plain(&reject.detail).into(),
                SafeText::from(show::plain(&reject.raw)).dim(),
            ]);
        }
        let total = usize::try_from(self.kept).unwrap_or(usize::MAX);
        page.heading("The newest").table(rows);
        more(&mut page, self.rejects.len(), total);
        page
    }

    /// The stored rejects, without the counts.
    fn csv(&self) -> anyhow::Result<Csv> {
        Ok(Csv::plain(["source", "at", "location", "reason", "detail", "raw"], rows(&self.rejects)?))
    }
}

impl RejectRow {
    fn of(reject: Reject) -> Self {
        let Reject { source, at, location, reason, detail, raw, rows } = reject;
        Self { source, at, location, reason, detail, raw, rows }
    }
}
