use std::process::ExitCode;

use serde::Serialize;
use stoop_domain::Alert;
use stoop_embedded::{AlertFilter, Database};
use stoop_serve::{ALERT_COLUMNS, AlertView};

use super::{View, area, give, more, open, plural};
use crate::args::{AlertsArgs, StoreArgs};
use crate::show::{self, Column, Csv, Look, Page, SafeText, Table, UNKNOWN};

/// Price drops that were sent or held back, newest first.
#[derive(Serialize)]
pub(super) struct Alerts {
    /// `sent` or `suspect`.
    which: &'static str,
    /// The total number; `alerts` may hold fewer.
    total: u64,
    alerts: Vec<AlertRow>,
    #[serde(skip)]
    suspects: u64,
    /// The path of the requested area.
    #[serde(skip)]
    area: Option<String>,
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
    let view = Alerts::read(&*open(store)?, args.area.as_deref(), args.suspect, args.limit)?;
    give(&view, &args.format)
}

impl Alerts {
    pub(super) fn read(
        database: &Database,
        area_asked: Option<&str>,
        suspect: bool,
        limit: usize,
    ) -> anyhow::Result<Self> {
        let which = if suspect { "suspect" } else { "sent" };
        let filter = if suspect { AlertFilter::Suspect } else { AlertFilter::Sent };
        let Some(query) = area_asked else {
            let counts = database.counts()?;
            let mut alerts = database.alerts(filter, if database.merging()?.is_some() { usize::MAX } else { limit })?;
            let total = match database.merging()? {
                // Without those that repeat others.
                Some(_) => alerts.len() as u64,
                None if suspect => counts.suspects,
                None => counts.alerts,
            };
            alerts.truncate(limit);
            let alerts = alerts.into_iter().map(AlertRow::of).collect();
            return Ok(Self { which, total, alerts, suspects: counts.suspects, area: None });
        };
        let found = area(database, query)?;
        let there = |filter| -> anyhow::Result<Vec<Alert>> {
            let mut alerts = database.alerts(filter, usize::MAX)?;
            alerts.retain(|alert| found.markets.binary_search(&alert.market).is_ok());
            Ok(alerts)
        };
        let alerts = there(filter)?;
        let (total, suspects) = (alerts.len() as u64, there(AlertFilter::Suspect)?.len() as u64);
        let alerts = alerts.into_iter().take(limit).map(AlertRow::of).collect();
        Ok(Self { which, total, alerts, suspects, area: Some(found.path) })
    }
}

impl View for Alerts {
    fn draw(&self, look: Look) -> Page {
        let suspect = self.which == "suspect";
        let what = if suspect { "held back as suspect" } else { "sent" };
        let there = self.area.as_ref().map(|path| format!(" of homes in {path}")).unwrap_or_default();
        let heading = format!("{} {what}{there}", plural(self.total, "alert"));
        let others = match self.suspects {
            0 => None,
            _ if suspect => None,
            held => Some(SafeText::from(format!("{} held back as suspect: --suspect", show::count(held))).dim()),
        };
        let mut page = Page::new(look);
        let heading = SafeText::from(heading).bold();
        if self.alerts.is_empty() {
            page.line([heading]);
            others.map(|others| page.line([others]));
            return page;
        }
        let last = if suspect { Column::wrapped("why") } else { Column::cut("page or id").optional(4) };
        let mut table = Table::new([
            Column::left("when"),
            Column::right("drop"),
            Column::right("from").optional(3),
            Column::right("to"),
            Column::left("area").optional(1),
            Column::cut("home"),
            last,
        ]);
        for row in &self.alerts {
            table.row(row.cells(suspect));
        }
        let total = usize::try_from(self.total).unwrap_or(usize::MAX);
        page.line([heading, SafeText::from(", newest first, times in UTC").dim()]).gap().table(table);
        more(&mut page, self.alerts.len(), total);
        others.map(|others| page.gap().line([others]));
        page
    }

    fn csv(&self) -> anyhow::Result<Csv> {
        Ok(Csv::of(ALERT_COLUMNS, &self.alerts)?)
    }
}

impl AlertRow {
    fn of(alert: Alert) -> Self {
        Self { view: AlertView::of(&alert), alert }
    }

    fn cells(&self, suspect: bool) -> [SafeText; 7] {
        let Self { view, alert } = self;
        let words = view.line.as_deref().or(view.title.as_deref()).unwrap_or(&view.home);
        let drop = SafeText::from(show::percent(view.drop));
        let page = view.url.as_deref().unwrap_or(&view.home);
        let last = match &alert.withdrawn {
            Some(at) => format!("withdrawn {}: disproved by rows that came later", show::date(*at)),
            None if suspect => view.why_suspect.clone().unwrap_or_else(|| UNKNOWN.to_owned()),
            None => page.to_owned(),
        };
        [
            show::time(alert.at).into(),
            if suspect { drop.yellow() } else { drop.green() },
            show::money(alert.from, alert.market.currency).into(),
            show::money(alert.to, alert.market.currency).into(),
            alert.market.area.name().into(),
            show::plain(words).into(),
            SafeText::from(show::plain(&last)).dim(),
        ]
    }
}
