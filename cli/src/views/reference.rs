//! The list of reference series.

use std::process::ExitCode;

use serde::Serialize;
use stoop_embedded::{Database, StoredReference};

use super::{View, give, open, plural, rows};
use crate::args::{FormatArgs, StoreArgs};
use crate::show::{self, Column, Csv, Look, Page, SafeText, Table};

/// All reference series.
#[derive(Serialize)]
pub(super) struct References {
    series: Vec<StoredReference>,
}

/// `stoop reference list`.
pub(crate) fn references(store: &StoreArgs, format: &FormatArgs) -> anyhow::Result<ExitCode> {
    give(&References::read(&*open(store)?)?, format)
}

impl References {
    pub(super) fn read(database: &Database) -> anyhow::Result<Self> {
        Ok(Self { series: database.references()? })
    }
}

impl View for References {
    fn draw(&self, look: Look) -> Page {
        let mut page = Page::new(look);
        page.line([SafeText::from(format!("{} reference series", show::count(self.series.len() as u64))).bold()]);
        if self.series.is_empty() {
            page.line(["load one with `stoop reference load FILE --map MAP`".into()]);
            return page;
        }
        let mut table = Table::new([
            Column::left("name"),
            Column::left("unit"),
            Column::right("areas"),
            Column::right("values").optional(2),
            Column::left("from"),
            Column::left("to"),
            Column::left("loaded").optional(1),
            Column::left("file").optional(3),
        ]);
        for series in &self.series {
            table.row([
                series.name.as_str().into(),
                series.unit.to_string().into(),
                show::count(series.areas).into(),
                show::count(series.values).into(),
                series.from.to_string().into(),
                series.to.to_string().into(),
                show::time(series.loaded_at).into(),
                show::plain(&series.source).into(),
            ]);
        }
        page.gap().table(table);
        let outdated = self.series.iter().filter(|series| series.is_outdated).count();
        if outdated > 0 {
            let what = format!("{} for other areas: load again to show", plural(outdated as u64, "series is stored"));
            page.gap().line([what.into()]);
        }
        page
    }

    fn csv(&self) -> anyhow::Result<Csv> {
        let columns = ["name", "unit", "areas", "values", "from", "to", "loaded_at", "source", "is_outdated"];
        Ok(Csv::plain(columns, rows(&self.series)?))
    }
}
