use std::process::ExitCode;

use serde::Serialize;
use stoop_domain::{Reason, Reject, Time};
use stoop_embedded::{Database, RejectCount};

use super::{View, as_text, give, more, open, plural, rows};
use crate::args::{QuarantineArgs, StoreArgs};
use crate::show::{self, Column, Csv, Look, Page, SafeText, Table};

/// Rejects: counts by source and reason, and the newest ones.
#[derive(Serialize)]
pub(super) struct Quarantined {
    /// The number of refused rows.
    total: u64,
    /// The number of refused values, whose rows were kept.
    values: u64,
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
    values: u64,
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
    /// The number of refused rows it stands for.
    rows: u64,
    /// The number of refused values it stands for.
    values: u64,
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
            .map(|RejectCount { source, reason, count, values }| Count { source, reason, count, values })
            .collect();
        let rejects = database.quarantined(limit)?.into_iter().map(RejectRow::of).collect();
        let kept = database.counts()?.quarantined;
        let values = counts.iter().map(|count| count.values).sum();
        Ok(Self { kept, total: counts.iter().map(|count| count.count).sum(), values, counts, rejects })
    }
}

impl View for Quarantined {
    fn draw(&self, look: Look) -> Page {
        let mut page = Page::new(look);
        let mut line = vec![SafeText::from(format!("{} in quarantine", plural(self.total, "row"))).bold()];
        if self.values > 0 {
            line.push(format!(", {} whose homes are counted without them", plural(self.values, "value")).into());
        }
        page.line(line);
        if self.total + self.values == 0 {
            return page;
        }
        let mut columns = vec![Column::left("source"), Column::left("reason"), Column::right("rows")];
        columns.extend((self.values > 0).then(|| Column::right("values")));
        let mut counts = Table::new(columns);
        for count in &self.counts {
            let (source, reason) = (show::plain(&count.source), count.reason.replace('_', " "));
            let mut cells = vec![source.into(), reason.into(), show::count(count.count).into()];
            cells.extend((self.values > 0).then(|| show::count(count.values).into()));
            counts.row(cells);
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
        let Reject { source, at, location, reason, detail, raw, rows, values } = reject;
        Self { source, at, location, reason, detail, raw, rows, values }
    }
}
