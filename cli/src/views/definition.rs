//! An area's month as Redfin, Zillow or Realtor.com would count it.

use std::collections::BTreeSet;
use std::process::ExitCode;

use serde::Serialize;
use stoop_domain::{AreaPath, Market};
use stoop_embedded::Database;
use stoop_serve::{DefinedFigure, DefinedMarket, FoundArea, Month, Period, Provider, Tallies};

use super::market::Area;
use super::{View, area, each_home, give, moment, open, rows};
use crate::args::{MarketArgs, StoreArgs};
use crate::failure::usage;
use crate::show::{self, Column, Csv, Look, Page, SafeText, Table, UNKNOWN};

/// A provider's figures of a month, beside ours.
#[derive(Serialize)]
pub(super) struct Defined {
    path: String,
    name: String,
    /// Whose: `redfin`.
    definition: &'static str,
    /// The document with the definitions.
    source: &'static str,
    month: Month,
    /// The first and the last day that count; the last one so far if the month is not over.
    from: String,
    until: String,
    month_is_over: bool,
    /// The first observed day; `None` if it is long before the month.
    observed_since: Option<String>,
    /// What of the provider's way cannot be followed.
    not_followed: &'static str,
    markets: Vec<DefinedMarket>,
    /// Whether each home counts once: here by the listing that speaks for it now.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    counts_homes: bool,
    #[serde(skip)]
    provider: Provider,
}

/// A figure in CSV.
#[derive(Serialize)]
struct DefinitionRow<'a> {
    market: &'a str,
    definition: &'static str,
    month: Month,
    #[serde(flatten)]
    figure: &'a DefinedFigure,
}

/// `stoop market AREA --definition WHOSE`.
pub(crate) fn definition(store: &StoreArgs, args: &MarketArgs, provider: Provider) -> anyhow::Result<ExitCode> {
    let database = open(store)?;
    let view = Defined::read(&database, &args.area, provider, args.definition.month)?;
    give(&view, &args.format)
}

impl Defined {
    pub(super) fn read(
        database: &Database,
        query: &str,
        provider: Provider,
        month: Option<Month>,
    ) -> anyhow::Result<Self> {
        // The homes and our figures must show the same state.
        database.reading(|| {
            let found = area(database, query)?;
            let now = moment(database, None)?.unwrap_or_default();
            let zone = found.country().zone;
            let today = now.day_in(&zone);
            let since = Area::read(database, query, Some(now), 0)?.view.markets;
            let since: Option<String> = since.into_iter().map(|market| market.watched_since).min().flatten();
            let month = chosen(month, Month::of(today), since.as_deref(), &found)?;
            let whole = month.period();
            let period = Period { until: whole.until.min(today), ..whole };
            let tallies = count(database, &found, period)?;
            // A month has 31 days at most.
            let days = u16::try_from(period.until.0 - period.from.0 + 1)?;
            let ours = Area::read(database, query, Some(period.last_moment(&zone)), days)?.view.markets;
            Ok(Self {
                markets: provider.markets(&found.path, &tallies.sums(), period, &ours),
                path: found.path.clone(),
                name: found.name.clone(),
                definition: provider.as_str(),
                source: provider.source(),
                month,
                from: period.from.to_string(),
                until: period.until.to_string(),
                month_is_over: whole.until < today,
                observed_since: since,
                not_followed: provider.not_followed(),
                counts_homes: database.merging()?.is_some(),
                provider,
            })
        })
    }
}

/// The month asked for if it was observed, otherwise the last one that is over, or the current one if nothing was
/// observed before.
fn chosen(asked: Option<Month>, current: Month, since: Option<&str>, found: &FoundArea) -> anyhow::Result<Month> {
    let is_observed = |month: &Month| since.is_none_or(|since| since <= month.period().until.to_string().as_str());
    let Some(month) = asked else {
        return Ok(Some(current.before()).filter(is_observed).unwrap_or(current));
    };
    if month > current {
        return Err(usage(format!("nothing is known of {month} yet; accepted: a month up to {current}")));
    }
    if !is_observed(&month) {
        let since = since.unwrap_or(UNKNOWN);
        return Err(usage(format!("nothing was observed in {} in {month}; it is since {since}", found.path)));
    }
    Ok(month)
}

/// Counts every home whose last market is in the area, in one pass; of merged listings the one that speaks.
fn count<'a>(database: &Database, found: &'a FoundArea, period: Period) -> anyhow::Result<Tallies<'a>> {
    let mut tallies = Tallies::new(&found.markets, period);
    let areas: BTreeSet<&AreaPath> = found.markets.iter().map(|market| &market.area).collect();
    // A home that is for rent now may have been for sale.
    let markets: Vec<Market> =
        database.market_ids()?.into_iter().filter(|market| areas.contains(&market.area)).collect();
    for market in &markets {
        each_home(|after, limit| database.merged_homes_of(market, after, limit), |_, home| tallies.add(&home.history))?;
    }
    Ok(tallies)
}

impl View for Defined {
    fn draw(&self, look: Look) -> Page {
        let mut page = Page::new(look);
        let whose = self.provider.name();
        for (at, market) in self.markets.iter().enumerate() {
            if at > 0 {
                page.gap();
            }
            let heading = format!("{} · for {} · {}", self.name, market.purpose, market.currency);
            let under = format!("{}, {} as {whose} counts, {} to {}", self.path, self.month, self.from, self.until);
            page.line([SafeText::from(heading).bold()]).line([SafeText::from(under).dim()]).gap();
            let mut table = Table::new([
                Column::left("figure"),
                Column::right(whose),
                Column::left("our nearest"),
                Column::right("ours"),
            ]);
            for figure in &market.figures {
                let ours = format!("{}{}", figure.our_figure.replace('_', " "), window(figure.our_window));
                table.row([
                    figure.figure.replace('_', " ").into(),
                    value(figure.value, figure.is_share, figure.thin),
                    ours.into(),
                    value(figure.ours, figure.is_share, figure.ours_thin),
                ]);
            }
            page.table(table).gap();
            for figure in &market.figures {
                page.hung(4, [format!("  {}: {}", figure.figure.replace('_', " "), figure.note).into()]);
            }
        }
        page.gap();
        for remark in self.remarks() {
            page.hung(4, [SafeText::from(format!("  {remark}")).dim()]);
        }
        page
    }

    fn csv(&self) -> anyhow::Result<Csv> {
        let mut all = Vec::new();
        for market in &self.markets {
            let row =
                |figure| DefinitionRow { market: &market.id, definition: self.definition, month: self.month, figure };
            all.extend(market.figures.iter().map(row));
        }
        let columns = [
            "market",
            "definition",
            "month",
            "figure",
            "value",
            "is_share",
            "sample",
            "thin",
            "our_figure",
            "our_window",
            "ours",
            "ours_thin",
            "note",
        ];
        Ok(Csv::plain(columns, rows(&all)?))
    }
}

impl Defined {
    fn remarks(&self) -> Vec<String> {
        let mut remarks = Vec::new();
        if !self.month_is_over {
            remarks.push(format!("{} is not over", self.month));
        }
        if let Some(since) = self.observed_since.as_ref().filter(|since| **since >= self.from) {
            remarks.push(format!("observed since {since} only: the days before it count as empty"));
        }
        if self.counts_homes {
            remarks.push("a home with several listings counts by the one that speaks for it now".to_owned());
        }
        if self.markets.iter().flat_map(|market| &market.figures).any(|figure| figure.thin || figure.ours_thin) {
            remarks.push("dim: of fewer than 10 homes".to_owned());
        }
        remarks.push(self.not_followed.to_owned());
        remarks.push("homes that have moved out of the area since are left out".to_owned());
        remarks.push(format!("definitions: {}", self.source));
        remarks
    }
}

/// What our figure is taken over, where it is not the month.
fn window(window: &str) -> &'static str {
    match window {
        "close" => ", last day",
        "last_28_days" => ", 28 days",
        _ => "",
    }
}

fn value(value: Option<f64>, is_share: bool, is_thin: bool) -> SafeText {
    match value {
        None => SafeText::from(UNKNOWN).dim(),
        Some(share) if is_share && is_thin => SafeText::from(show::percent(share)).dim(),
        Some(share) if is_share => show::percent(share).into(),
        #[expect(clippy::cast_possible_truncation, reason = "a number of homes")]
        // A mean has a decimal only while that says much.
        Some(homes) if homes.fract() == 0.0 || homes >= 100.0 => show::whole(homes.round() as i64).into(),
        Some(mean) => format!("{mean:.1}").into(),
    }
}
