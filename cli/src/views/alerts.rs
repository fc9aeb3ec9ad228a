use std::process::ExitCode;

use serde::Serialize;
use stoop_domain::Alert;
use stoop_embedded::{AlertFilter, Database};
use stoop_pipeline::serve::AlertView;

use super::{more, open, plural};
use crate::args::{AlertsArgs, StoreArgs};
use crate::show::{self, Cell, Column, Look, Table, UNKNOWN, print, print_json};

/// Price drops that were told, or held back, newest first.
#[derive(Serialize)]
pub(super) struct Alerts {
    /// `told` or `suspect`.
    which: &'static str,
    /// How many there are, of which `alerts` may show fewer.
    total: u64,
    alerts: Vec<AlertRow>,
    #[serde(skip)]
    suspects: u64,
}

#[derive(Serialize)]
struct AlertRow {
    #[serde(flatten)]
    view: AlertView,
    #[serde(skip)]
    alert: Alert,
}

/// `stoop alerts`.
pub(crate) fn alerts(store: &StoreArgs, args: &AlertsArgs) -> anyhow::Result<ExitCode> {
    let view = Alerts::read(&*open(store)?, args.suspect, args.limit)?;
    if args.json.json {
        print_json(&view)?
    } else {
        print(&view.draw(Look::of_stdout()))?
    }
    Ok(ExitCode::SUCCESS)
}

impl Alerts {
    pub(super) fn read(database: &Database, suspect: bool, limit: usize) -> anyhow::Result<Self> {
        let counts = database.counts()?;
        let (which, filter, total) = if suspect {
            ("suspect", AlertFilter::Suspect, counts.suspects)
        } else {
            ("told", AlertFilter::Told, counts.alerts)
        };
        let alerts = database.alerts(filter, limit)?.into_iter().map(AlertRow::of).collect();
        Ok(Self { which, total, alerts, suspects: counts.suspects })
    }

    pub(super) fn draw(&self, look: Look) -> String {
        let suspect = self.which == "suspect";
        let what = if suspect { "held back as suspect" } else { "told" };
        let heading = format!("{} {what}", plural(self.total, "alert"));
        let others = match self.suspects {
            0 => String::new(),
            _ if suspect => String::new(),
            held => look.dim(&format!("{} held back as suspect: --suspect\n", show::count(held))),
        };
        if self.alerts.is_empty() {
            return format!("{}\n{others}", look.bold(&heading));
        }
        let last = if suspect { Column::wrapped("why") } else { Column::cut("page or id") };
        let mut table = Table::new([
            Column::left("when"),
            Column::right("drop"),
            Column::right("from"),
            Column::right("to"),
            Column::left("area"),
            Column::cut("home"),
            last,
        ]);
        for row in &self.alerts {
            table.row(row.cells(suspect));
        }
        let total = usize::try_from(self.total).unwrap_or(usize::MAX);
        let remark = look.dim(", newest first, times in UTC");
        let more = more(self.alerts.len(), total);
        let gap = if others.is_empty() { "" } else { "\n" };
        format!("{}{remark}\n\n{}{more}{gap}{others}", look.bold(&heading), table.draw(look))
    }
}

impl AlertRow {
    fn of(alert: Alert) -> Self {
        Self { view: AlertView::of(&alert), alert }
    }

    fn cells(&self, suspect: bool) -> [Cell; 7] {
        let Self { view, alert } = self;
        let words = view.line.as_deref().or(view.title.as_deref()).unwrap_or(&view.home);
        let drop = Cell::from(show::percent(view.drop));
        let page = view.url.as_deref().unwrap_or(&view.home);
        let last = if suspect { view.why_suspect.as_deref().unwrap_or(UNKNOWN) } else { page };
        [
            show::time(alert.at).into(),
            if suspect { drop.yellow() } else { drop.green() },
            show::money(alert.from, alert.market.currency).into(),
            show::money(alert.to, alert.market.currency).into(),
            alert.market.area.name().into(),
            show::plain(words).into(),
            Cell::from(show::plain(last)).dim(),
        ]
    }
}
