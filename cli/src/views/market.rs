pub(super) mod catalogue;
pub(super) mod changes;
mod daily;
mod flows;
pub(super) mod reference;
mod repeat;
mod segments;
mod yields;

use std::process::ExitCode;

use serde::Serialize;
use serde_json::Value;
use stoop_domain::{Market, Minor, Time};
use stoop_embedded::Database;
use stoop_market::{Cells, THIN_SAMPLE, WARM_UP_DAYS};
use stoop_serve::{
    Allowance, AreaRequest, AreaView, COMPARED_LISTINGS_MAX, FiguresView, FoundArea, MarketView, MergedHomes, Revised,
    YieldView, area_csv, revised,
};

use self::catalogue::dimmed;
use super::duplicates::{each_listing, too_many};
use super::{View, area, as_text, cells_at, give, moment, open, plural, read};
use crate::args::{MarketArgs, StoreArgs};
use crate::show::{self, Csv, Look, Page, SafeText, or_unknown};
use crate::stop::Stop;

/// One area, drawn for people.
#[derive(Serialize)]
pub(super) struct Area {
    #[serde(flatten)]
    pub(super) view: AreaView,
    #[serde(flatten)]
    known: Option<AsKnown>,
    /// The gross yields of homes for sale, if homes like them are for rent.
    pub(super) yields: Vec<YieldView>,
    /// If each home counts once, though several listings show it.
    #[serde(flatten)]
    counted: Option<CountedHomes>,
    /// If homes were merged for this view alone.
    #[serde(flatten)]
    merging: Option<Merging>,
}

/// That each home counts once.
#[derive(Clone, Copy, Serialize)]
struct CountedHomes {
    counts_homes: bool,
    /// Counties with changes that are not merged yet: their figures may count a home several times.
    counties_unmerged: u64,
}

/// How many listings count through another one of their home.
#[derive(Clone, Copy, Serialize)]
struct Merging {
    merged_listings: usize,
    /// Pairs that may be of one home, and count as two.
    doubtful_pairs: usize,
}

/// That the area is shown as known at a time, and what was revised since.
#[derive(Serialize)]
struct AsKnown {
    #[serde(serialize_with = "as_text")]
    as_known: Time,
    revised: Vec<RevisedMarket>,
}

/// A figure of a market that was revised.
#[derive(Serialize)]
struct RevisedMarket {
    market: String,
    #[serde(flatten)]
    revised: Revised,
}

/// A shorter lag is not worth a word.
const LAG_SHOWN_SECONDS: i64 = 60;

/// `stoop market AREA`.
pub(crate) fn market(store: &StoreArgs, args: &MarketArgs) -> anyhow::Result<ExitCode> {
    give(&Area::asked(&*open(store)?, args)?, &args.format)
}

impl CountedHomes {
    /// `None` if each listing counts.
    fn of(database: &Database) -> anyhow::Result<Option<Self>> {
        let merged = database.merged_counts()?;
        Ok(merged.map(|merged| Self { counts_homes: true, counties_unmerged: merged.counties_waiting }))
    }
}

impl Area {
    /// The area with everything that is shown of it.
    pub(super) fn asked(database: &Database, args: &MarketArgs) -> anyhow::Result<Self> {
        let (as_of, days) = (args.as_of.as_of, args.days);
        if let Some(known) = args.as_known.as_known {
            return Self::read_as_known(database, &args.area, known, as_of, days);
        }
        let found = area(database, &args.area)?;
        let as_of = moment(database, as_of)?.unwrap_or_default();
        // Stored states have the corrections already.
        if args.merge_duplicates && database.merging()?.is_none() {
            return Self::merged(database, &found, as_of, days);
        }
        let request = AreaRequest { as_of, days, with_index: args.index };
        let mut shown = Self::of(database, &found, request)?;
        let all = database.market_ids()?;
        read(database, async |reader| {
            shown.yields = reader.yields(&found.path, &all, as_of, &mut Allowance::unlimited()).await?;
            for market in &mut shown.view.markets {
                reader.add_reference(market).await?;
            }
            Ok(())
        })?;
        Ok(shown)
    }

    pub(super) fn read(database: &Database, query: &str, as_of: Option<Time>, days: u16) -> anyhow::Result<Self> {
        let found = area(database, query)?;
        Self::of(database, &found, AreaRequest::at(moment(database, as_of)?.unwrap_or_default(), days))
    }

    /// The area with its figures only.
    fn of(database: &Database, found: &FoundArea, request: AreaRequest) -> anyhow::Result<Self> {
        let view = read(database, async |reader| {
            let mut view = reader.area(found, request, &mut Allowance::unlimited()).await?;
            for market in &mut view.markets {
                reader.add_observed(market, found, request.as_of).await?;
            }
            Ok(view)
        })?;
        let counted = CountedHomes::of(database)?;
        Ok(Self { view, known: None, yields: Vec::new(), counted, merging: None })
    }

    /// What was known at a time, which is also the time shown unless another is requested.
    fn read_as_known(
        database: &Database,
        query: &str,
        known: Time,
        as_of: Option<Time>,
        days: u16,
    ) -> anyhow::Result<Self> {
        let as_of = as_of.unwrap_or(known);
        let found = area(database, query)?;
        let now = AreaView::of(&found, &states(database, &found, as_of, days)?, as_of, days);
        let stop = Stop::on_signals();
        let states = database.cells_as_known(|market| found.markets.contains(market), known, &|| stop.is_set())?;
        let then = AreaView::of(&found, &states.into_iter().collect::<Vec<_>>(), as_of, days);
        let mut revisions = Vec::new();
        for market in &now.markets {
            // A market without observations then had no figures.
            let Some(before) = then.markets.iter().find(|before| before.id == market.id) else {
                if market.figures.active != 0 {
                    let (figure, now) = ("active".to_owned(), market.figures.active.into());
                    let revised = Revised { figure, then: Value::Null, now };
                    revisions.push(RevisedMarket { market: market.id.clone(), revised });
                }
                continue;
            };
            let revised = revised(&before.figures, &market.figures)?.into_iter();
            revisions.extend(revised.map(|revised| RevisedMarket { market: market.id.clone(), revised }));
        }
        let known = Some(AsKnown { as_known: known, revised: revisions });
        let counted = CountedHomes::of(database)?;
        Ok(Self { view: then, known, yields: Vec::new(), counted, merging: None })
    }

    /// The area with its figures only, each home counted once.
    fn merged(database: &Database, found: &FoundArea, as_of: Time, days: u16) -> anyhow::Result<Self> {
        database.reading(|| {
            let mut listings = Vec::new();
            let visit = |id, home| {
                listings.push((id, home));
                listings.len()
            };
            if !each_listing(database, &found.markets, COMPARED_LISTINGS_MAX, visit)? {
                return Err(too_many(&found.path, COMPARED_LISTINGS_MAX));
            }
            let MergedHomes { corrections, merged, doubtful } = MergedHomes::of(&listings, &database.pair_rulings()?);
            drop(listings);
            let mut states = Vec::with_capacity(found.markets.len());
            for market in &found.markets {
                let Some(cells) = database.cells(market)? else { continue };
                // A correction may be of any day.
                let mut cells = cells.with_archive(&database.archive(market)?);
                for (_, delta) in corrections.iter().filter(|(of, _)| of == market) {
                    cells.add(delta);
                }
                states.push((market.clone(), cells));
            }
            let mut view = AreaView::of(found, &states, as_of, days);
            read(database, async |reader| {
                for market in &mut view.markets {
                    reader.add_observed(market, found, as_of).await?;
                }
                Ok(())
            })?;
            let merging = Merging { merged_listings: merged, doubtful_pairs: doubtful };
            Ok(Self { view, known: None, yields: Vec::new(), counted: None, merging: Some(merging) })
        })
    }
}

/// The states of an area's markets, with their archives if needed.
fn states(database: &Database, found: &FoundArea, as_of: Time, days: u16) -> anyhow::Result<Vec<(Market, Cells)>> {
    let mut states = Vec::new();
    for market in &found.markets {
        if let Some(cells) = cells_at(database, market, as_of, days)? {
            states.push((market.clone(), cells));
        }
    }
    Ok(states)
}

impl View for Area {
    fn draw(&self, look: Look) -> Page {
        let mut page = Page::new(look);
        if let Some(Merging { merged_listings, doubtful_pairs }) = self.merging {
            let merged = match merged_listings {
                0 => "no two listings here are of one home".to_owned(),
                1 => "1 listing is counted through another one".to_owned(),
                some => format!("{} are counted through another one", plural(some as u64, "listing")),
            };
            let doubtful = match doubtful_pairs {
                0 => String::new(),
                some => format!("; {} more may be of one home", plural(some as u64, "pair")),
            };
            let note = format!(
                "Each home counts once, as far as listings can be distinguished: {merged}{doubtful} (docs/HOMES.md)"
            );
            page.line([SafeText::from(note).dim()]).gap();
        } else if let Some(CountedHomes { counties_unmerged, .. }) = self.counted {
            let note = "Each home counts once, as far as listings can be distinguished (`stoop merge`, docs/HOMES.md)";
            page.line([SafeText::from(note).dim()]);
            if counties_unmerged > 0 {
                let waiting = match counties_unmerged {
                    1 => "changes in 1 county are".to_owned(),
                    some => format!("changes in {} counties are", show::count(some)),
                };
                let note = format!("{waiting} not merged yet: homes there may still count several times");
                page.line([SafeText::from(note).yellow()]);
            }
            page.gap();
        }
        for (at, market) in self.view.markets.iter().enumerate() {
            if at > 0 {
                page.gap().gap();
            }
            self.market(market, &mut page);
        }
        if let Some(AsKnown { as_known, revised }) = &self.known {
            if self.view.markets.is_empty() {
                page.line([format!("{}: nothing was observed until then", self.view.name).into()]);
            }
            page.heading(&format!("As known on {} UTC, and since", show::time(*as_known)));
            if revised.is_empty() {
                page.line(["  no figure was revised since".into()]);
            }
            for RevisedMarket { market, revised: Revised { figure, then, now } } in revised {
                page.line([format!("  {figure} of {market}: {then} then, {now} now").into()]);
            }
        }
        page
    }

    /// The daily closes as CSV, with one more column for each reference series; or the repeat-listing index, if it was
    /// asked for.
    fn csv(&self) -> anyhow::Result<Csv> {
        Ok(area_csv(&self.view.markets)?)
    }
}

impl Area {
    fn market(&self, market: &MarketView, page: &mut Page) {
        let heading = format!("{} · for {} · {}", self.view.name, market.purpose, market.currency);
        let terms = format!(":{}:{}", market.purpose, market.currency);
        let parts = match self.view.consists_of.iter().filter(|id| id.ends_with(&terms)).count() {
            1 => String::new(),
            n => format!(", {}", plural(n as u64, "market")),
        };
        let lag = market.lag_seconds.filter(|seconds| *seconds >= LAG_SHOWN_SECONDS);
        let lag = lag.map(|seconds| format!(", newest observation {} before", show::span(seconds * Time::SECOND_MS)));
        let lag = lag.unwrap_or_default();
        let under = format!("{}{parts}, as of {} UTC{lag}", self.view.path, show::time(self.view.as_of));
        page.line([SafeText::from(heading).bold()]).line([SafeText::from(under).dim()]).gap();
        figures(market, page);
        changes::unusual(market, page);
        page.heading("What happened").table(flows::flows(&market.figures));
        for remark in remarks(market) {
            page.hung(4, [SafeText::from(format!("  {remark}")).dim()]);
        }
        catalogue::figures(market, page);
        yields::yields(market, &self.yields, page);
        reference::reference(market, page);
        for (heading, segments) in [("type", &market.property_types), ("bedrooms", &market.bedrooms)] {
            let table = segments::by_segment(heading, segments, market);
            if !table.is_empty() {
                page.heading(&format!("By {heading}")).table(table);
            }
        }
        changes::changes(market, page);
        repeat::repeat(market, page);
        daily::daily(market, page);
    }
}

/// A row of CSV, with its market.
fn figures(market: &MarketView, page: &mut Page) {
    let FiguresView { active, unconfirmed, priced, .. } = market.figures;
    let figures = &market.figures;
    let price = |price: Option<f64>| or_unknown(price.map(|price| show::price(price, market.currency)));
    let per_area =
        figures.median_price_per_area.map(|price| show::price_per_area(price, market.currency, market.area_unit));
    let parts = [(priced, active, "with a price"), (unconfirmed, 0, "unconfirmed")].into_iter();
    let parts = parts.filter(|(count, usual, _)| count != usual);
    let parts: Vec<String> = parts.map(|(count, _, what)| format!("{} {what}", show::whole(count))).collect();
    let parts = if parts.is_empty() { String::new() } else { format!(" ({})", parts.join(", ")) };
    let cut = figures.cut_share.map(|share| match figures.median_cut {
        Some(median) if share > 0.0 => {
            format!("{}, median cut {} ({})", show::percent(share), show::percent(median), show::whole(figures.cut))
        }
        _ => show::percent(share),
    });
    // The mean is exact, a sum of integers; the other figures come from a histogram.
    #[expect(clippy::cast_possible_truncation, reason = "a price, in minor units")]
    let minor = |major: f64| (major.round() * 10_f64.powi(market.currency.minor_digits().cast_signed())) as i64;
    let mean = figures.mean_price.map(|mean| show::money(Minor(minor(mean)), market.currency));
    let quartiles = format!("{} to {}", price(figures.p25_price), price(figures.p75_price));
    let age = or_unknown(figures.median_age_days.map(|days| plural(whole_days(days), "day")));
    let left = [
        ("active", format!("{}{parts}", show::whole(active)).into()),
        ("median price", dimmed(price(figures.median_price) + &between(market), "median_price", figures)),
        ("mean price", dimmed(or_unknown(mean), "mean_price", figures)),
        ("median per area", dimmed(or_unknown(per_area), "median_price_per_area", figures)),
    ];
    let right = [
        ("quartiles", dimmed(quartiles, "p25_price", figures)),
        ("range", format!("{} to {}", price(figures.min_price), price(figures.max_price)).into()),
        ("median age", dimmed(age, "median_age_days", figures)),
        ("share cut", dimmed(or_unknown(cut), "cut_share", figures)),
    ];
    two_columns(left, right, page);
}

/// Where the median may lie: ` ($398,000 to $412,000)`.
fn between(market: &MarketView) -> String {
    let interval = market.figures.intervals.get("median_price");
    let price = |price: f64| show::price(price, market.currency);
    interval.map(|interval| format!(" ({} to {})", price(interval.low), price(interval.high))).unwrap_or_default()
}

/// Facts in two columns, or in one if the screen is narrow.
fn two_columns<const N: usize>(left: [(&str, SafeText); N], right: [(&str, SafeText); N], page: &mut Page) {
    let chars = |value: &SafeText| value.text().chars().count();
    let width = left.iter().map(|(_, value)| chars(value)).max().unwrap_or(0);
    let widest = right.iter().map(|(_, value)| chars(value)).max().unwrap_or(0);
    if 2 + 15 + 2 + width + 4 + 10 + 2 + widest > page.width() {
        page.facts(left.into_iter().chain(right));
        return;
    }
    for ((name, value), (other, beside)) in left.into_iter().zip(right) {
        let gap = " ".repeat(width - chars(&value) + 4);
        page.line([format!("  {name:<15}  ").into(), value, format!("{gap}{other:<10}  ").into(), beside]);
    }
}

#[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "ages in days, never negative")]
fn whole_days(days: f64) -> u64 {
    days.round() as u64
}

/// Caveats of the figures.
fn remarks(market: &MarketView) -> Vec<String> {
    let mut remarks = Vec::new();
    if !market.day_is_over {
        remarks.push(format!("the last day of each window, {}, is not over", market.day));
    }
    if let (Some(since), Some(window)) = (&market.watched_since, market.warming_up.first()) {
        let window = window.trim_start_matches("last_").replace('_', " ");
        remarks.push(format!(
            "observed since {since} only: the first stock is initial, and windows from {window} on include its \
             first {WARM_UP_DAYS} days"
        ));
    }
    if market.figures.thin && market.figures.priced > 0 {
        let priced = plural(market.figures.priced.unsigned_abs(), "home");
        remarks.push(format!("the prices are those of {priced}: fewer than {THIN_SAMPLE} say little"));
    }
    remarks
}

/// A count, dimmed if zero.
fn number(count: i64) -> SafeText {
    let cell = SafeText::from(show::whole(count));
    if count == 0 { cell.dim() } else { cell }
}
