mod wanted;

use std::collections::BTreeSet;
use std::process::ExitCode;

use serde::Serialize;
use stoop_domain::{Currency, Time};
use stoop_embedded::Database;
use stoop_serve::{FirstHomes, FoundArea, HomeSummary, home_columns};

use super::{View, area, as_text, each_home, give, moment, more, open, plural, read};
use crate::args::{HomesArgs, StoreArgs, WantedArgs};
use crate::failure::usage;
use crate::show::{self, Column, Csv, Look, Page, SafeText, Table, UNKNOWN, or_unknown};

/// The homes of an area, limited and sorted as requested.
#[derive(Serialize)]
pub(super) struct Homes {
    path: String,
    name: String,
    #[serde(serialize_with = "as_text")]
    as_of: Time,
    /// The total number; `homes` may hold fewer.
    total: usize,
    homes: Vec<HomeSummary>,
    #[serde(skip)]
    order: String,
    /// Whether homes that are not active may be listed.
    #[serde(skip)]
    all: bool,
}

/// `stoop homes AREA`.
pub(crate) fn homes(store: &StoreArgs, args: &HomesArgs) -> anyhow::Result<ExitCode> {
    let database = open(store)?;
    let view = Homes::read(&database, &args.area, &args.wanted, args.limit)?;
    give(&view, &args.format)
}

impl Homes {
    pub(super) fn read(database: &Database, query: &str, wanted: &WantedArgs, limit: usize) -> anyhow::Result<Self> {
        let found = area(database, query)?;
        comparable(query, &found, wanted)?;
        let as_of = moment(database, None)?.unwrap_or_default();
        let which = wanted.wanted();
        let mut firsts = FirstHomes::new(&which, None, limit);
        // All pages must show the same state: otherwise a home that changes in between may come twice.
        database.reading(|| {
            let all = database.market_ids()?;
            let comparables =
                read(database, async |reader| Ok(reader.comparables(&found.markets, &all, as_of).await?))?;
            found.markets.iter().zip(&comparables).try_for_each(|(market, comparables)| {
                each_home(
                    |after, limit| database.merged_homes_of(market, after, limit),
                    |id, home| {
                        if let Some(home) = HomeSummary::of(id, &home, as_of, Some(comparables)) {
                            firsts.take(home);
                        }
                    },
                )
            })
        })?;
        let total = firsts.total();
        let (homes, order, all) = (firsts.into_homes(), wanted.order(), wanted.shows_status());
        Ok(Self { path: found.path, name: found.name, as_of, total, homes, order, all })
    }
}

/// Checks the options: amounts compare in one currency only, and the least price must not exceed the greatest.
fn comparable(query: &str, found: &FoundArea, wanted: &WantedArgs) -> anyhow::Result<()> {
    if let (Some(min), Some(max)) = (wanted.min_price, wanted.max_price)
        && min > max
    {
        return Err(usage(format!("--min-price {min} is more than --max-price {max}; accepted: at most as much")));
    }
    let currencies: BTreeSet<Currency> = found.markets.iter().map(|market| market.currency).collect();
    if currencies.len() > 1 && wanted.wanted().compares_amounts() {
        let accepted: Vec<String> = currencies.iter().map(|currency| format!("{query}:{currency}")).collect();
        let accepted = accepted.join(", ");
        return Err(usage(format!("{query} has prices in several currencies, which don't compare; say {accepted}")));
    }
    Ok(())
}

impl View for Homes {
    fn draw(&self, look: Look) -> Page {
        let what = if self.all { "home" } else { "active home" };
        let heading = format!("{} · {}", self.name, plural(self.total as u64, what));
        let under = format!("{}, as of {} UTC, {}", self.path, show::time(self.as_of), self.order);
        let mut page = Page::new(look);
        page.line([SafeText::from(heading).bold()]).line([SafeText::from(under).dim()]).gap();
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
            Column::right("vs kind").optional(1),
            Column::right("days").optional(3),
            Column::cut("home"),
        ]);
        let mut table = Table::new(columns);
        for home in &self.homes {
            table.row(row(home, self.all, mixed));
        }
        page.table(table);
        more(&mut page, self.homes.len(), self.total);
        let note =
            "vs kind: price per area against homes of the same type and number of bedrooms, there and in the county";
        page.gap().line([SafeText::from(note).dim()]);
        page
    }

    fn csv(&self) -> anyhow::Result<Csv> {
        Ok(Csv::of(home_columns(), &self.homes)?)
    }
}

fn row(home: &HomeSummary, all: bool, mixed: bool) -> Vec<SafeText> {
    let change = home.last_change.as_ref();
    let changed = change.map_or_else(|| SafeText::from(UNKNOWN).dim(), |change| SafeText::change(change.share));
    let mut cells: Vec<SafeText> = vec![show::plain(home.id.as_str()).into()];
    if all {
        cells.push(home.status.into());
    }
    if mixed {
        cells.push(home.market.purpose.as_str().into());
    }
    cells.extend([
        or_unknown(home.asked.map(|price| show::money(price, home.currency))).into(),
        changed,
        SafeText::from(change.map(|change| show::date(change.at)).unwrap_or_default()),
        or_unknown(home.bedrooms.map(|beds| beds.to_string())).into(),
        or_unknown(home.living_area.map(|area| show::area(area, home.area_unit))).into(),
        or_unknown(home.versus_market.map(show::change)).into(),
        or_unknown(home.days_on_market.map(|days| days.to_string())).into(),
        SafeText::from(show::plain(home.words().unwrap_or(UNKNOWN))),
    ]);
    cells
}
