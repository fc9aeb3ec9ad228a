use std::process::ExitCode;

use serde::Serialize;
use stoop_domain::{Phase, Time};
use stoop_embedded::Database;

use super::told::{TOLD, Told, median_per_m2};
use super::{View, area, as_text, give, moment, more, open, plural, rows};
use crate::args::{HomesArgs, StoreArgs};
use crate::show::{self, Column, Csv, Look, Page, Table, UNKNOWN, Words, or_unknown};

/// The homes of an area, those with the newest events first.
#[derive(Serialize)]
pub(super) struct Homes {
    path: String,
    name: String,
    #[serde(serialize_with = "as_text")]
    as_of: Time,
    /// How many there are, of which `homes` may show fewer.
    total: usize,
    homes: Vec<Told>,
    #[serde(skip)]
    all: bool,
}

/// `stoop homes AREA`.
pub(crate) fn homes(store: &StoreArgs, args: &HomesArgs) -> anyhow::Result<ExitCode> {
    let database = open(store)?;
    let view = Homes::read(&database, &args.area, args.all, args.limit)?;
    give(&view, &args.format)
}

impl Homes {
    pub(super) fn read(database: &Database, query: &str, all: bool, limit: usize) -> anyhow::Result<Self> {
        let found = area(database, query)?;
        let as_of = moment(database, None)?.unwrap_or_default();
        let mut homes = Vec::new();
        for market in &found.markets {
            let median = median_per_m2(database, market, as_of)?;
            let told = database.homes_of(market, None, usize::MAX)?.into_iter();
            homes.extend(told.filter_map(|(id, home)| Told::of(id, &home, as_of, median)));
        }
        homes.retain(|home| all || home.phase == Some(Phase::Active));
        homes.sort_by(|a, b| b.last_event_at.cmp(&a.last_event_at).then_with(|| a.id.cmp(&b.id)));
        let total = homes.len();
        homes.truncate(limit);
        Ok(Self { path: found.path, name: found.name, as_of, total, homes, all })
    }
}

impl View for Homes {
    fn draw(&self, look: Look) -> Page {
        let what = if self.all { "home" } else { "active home" };
        let heading = format!("{} · {}", self.name, plural(self.total as u64, what));
        let under = format!("{}, as of {} UTC, newest events first", self.path, show::time(self.as_of));
        let mut page = Page::new(look);
        page.line([Words::from(heading).bold()]).line([Words::from(under).dim()]).gap();
        if self.homes.is_empty() {
            let hint = if self.all { "" } else { " --all shows those of every status." };
            page.line([format!("No {what} here.{hint}").into()]);
            return page;
        }
        let first = self.homes.first().map(|home| home.market.purpose);
        let mixed = self.homes.iter().any(|home| Some(home.market.purpose) != first);
        let mut columns = vec![Column::left("id")];
        if self.all {
            columns.push(Column::left("status"));
        }
        if mixed {
            columns.push(Column::left("for").optional(2));
        }
        columns.extend([
            Column::right("price"),
            Column::right("change"),
            Column::left("on").optional(4),
            Column::right("beds").optional(6),
            Column::right("area").optional(5),
            Column::right("vs market").optional(1),
            Column::right("days").optional(3),
            Column::cut("home"),
        ]);
        let mut table = Table::new(columns);
        for home in &self.homes {
            table.row(row(home, self.all, mixed));
        }
        page.table(table);
        more(&mut page, self.homes.len(), self.total);
        let note = "vs market: price per area against the median of the home's own market";
        page.gap().line([Words::from(note).dim()]);
        page
    }

    fn csv(&self) -> anyhow::Result<Csv> {
        Ok(Csv::new(TOLD, rows(&self.homes)?))
    }
}

fn row(home: &Told, all: bool, mixed: bool) -> Vec<Words> {
    let change = home.last_change.as_ref();
    let changed = change.map_or_else(|| Words::from(UNKNOWN).dim(), |change| Words::change(change.share));
    let mut cells: Vec<Words> = vec![show::plain(home.id.as_str()).into()];
    if all {
        cells.push(home.status.into());
    }
    if mixed {
        cells.push(home.market.purpose.as_str().into());
    }
    cells.extend([
        or_unknown(home.asked.map(|price| show::money(price, home.currency))).into(),
        changed,
        Words::from(change.map(|change| show::date(change.at)).unwrap_or_default()),
        or_unknown(home.bedrooms.map(|beds| beds.to_string())).into(),
        or_unknown(home.living_area.map(|area| show::area(area, home.area_unit))).into(),
        or_unknown(home.versus_market.map(show::change)).into(),
        or_unknown(home.days_on_market.map(|days| days.to_string())).into(),
        Words::from(show::plain(home.words().unwrap_or(UNKNOWN))),
    ]);
    cells
}
