use std::process::ExitCode;

use serde::Serialize;
use stoop_domain::{Alert, AlertId, Currency, HomeId, Market, Time, Verdict};
use stoop_embedded::{AlertFilter, Database};

use super::{as_text, more, open, plural, rounded};
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
    id: AlertId,
    rule: String,
    #[serde(serialize_with = "as_text")]
    at: Time,
    home: HomeId,
    #[serde(serialize_with = "as_text")]
    market: Market,
    currency: Currency,
    from: f64,
    to: f64,
    /// Of the price before: 0.15 is a drop of 15 %.
    drop: f64,
    title: Option<String>,
    line: Option<String>,
    url: Option<String>,
    /// Why it was held back.
    why_suspect: Option<String>,
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
        let currency = alert.market.currency;
        let why_suspect = match &alert.verdict {
            Verdict::Alert => None,
            Verdict::Suspect(why) => Some(why.clone()),
        };
        Self {
            id: alert.id.clone(),
            rule: alert.rule.clone(),
            at: alert.at,
            home: alert.home.clone(),
            market: alert.market.clone(),
            currency,
            from: alert.from.major_f64(currency),
            to: alert.to.major_f64(currency),
            drop: rounded(f64::from(alert.drop_bp) / 10_000.0),
            title: alert.title.clone(),
            line: alert.line.clone(),
            url: alert.url.clone(),
            why_suspect,
            alert,
        }
    }

    fn cells(&self, suspect: bool) -> [Cell; 7] {
        let words = self.line.as_deref().or(self.title.as_deref()).unwrap_or(self.home.as_str());
        let drop = Cell::from(show::percent(self.drop));
        let page = self.url.as_deref().unwrap_or(self.home.as_str());
        let last = if suspect { self.why_suspect.as_deref().unwrap_or(UNKNOWN) } else { page };
        [
            show::time(self.at).into(),
            if suspect { drop.yellow() } else { drop.green() },
            show::money(self.alert.from, self.currency).into(),
            show::money(self.alert.to, self.currency).into(),
            self.market.area.name().into(),
            show::plain(words).into(),
            Cell::from(show::plain(last)).dim(),
        ]
    }
}
