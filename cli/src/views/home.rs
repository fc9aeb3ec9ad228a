mod by_address;

use std::process::ExitCode;

use serde::Serialize;
use stoop_domain::{EventKind, FACTS_MAX, FACTS_PER_DAY_MAX, Home, HomeId, Time};
use stoop_embedded::Database;
use stoop_serve::{
    Allowance, AreaListings, DoubtfulListing, DuplicateHome, HomeView, INTERVAL_COLUMNS, Nearest, NotCompared,
    OtherListings, with_values,
};

use super::duplicates::{each_listing, evidence, listed, one_pair};
use super::{View, empty, give, moment, more, open, plural, read};
use crate::args::{HomeArgs, StoreArgs};
use crate::failure::usage;
use crate::show::{self, Column, Csv, Look, Page, SafeText, Table, UNKNOWN, or_unknown};

/// A home's card and its whole history.
#[derive(Serialize)]
pub(super) struct HomePage {
    #[serde(flatten)]
    view: HomeView,
    /// Other listings of the home, with the evidence.
    #[serde(skip_serializing_if = "Option::is_none")]
    duplicates: Option<DuplicateHome>,
    /// Listings that may be of the home, the likeliest first.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    doubtful: Vec<DoubtfulListing>,
    /// How many these are; `doubtful` may hold fewer.
    #[serde(skip)]
    doubtful_found: usize,
    /// In an area with more listings, which this one has, other ones of the home are not looked for.
    #[serde(skip)]
    compared_at_most: Option<usize>,
}

/// How many ids are read at once in the search for one by its end.
const PAGE_IDS: usize = 10_000;
const CANDIDATES_MAX: usize = 5;
/// The fields that make up the line `home`. Every other field has a line of its own.
const OF_HOME_LINE: [&str; 3] = ["property_type", "bedrooms", "living_area"];

/// `stoop home ID`.
pub(crate) fn home(store: &StoreArgs, args: &HomeArgs) -> anyhow::Result<ExitCode> {
    let database = open(store)?;
    let view = match args.as_known.as_known {
        None => HomePage::read(&database, &args.id)?,
        Some(known) => HomePage::read_as_known(&database, &args.id, known)?,
    };
    give(&view, &args.format)
}

impl HomePage {
    pub(super) fn read(database: &Database, id: &str) -> anyhow::Result<Self> {
        let (id, home) = find(database, id)?;
        let now = moment(database, None)?.unwrap_or_default();
        let most = Allowance::unlimited().listings();
        let others = other_listings(database, &id, &home, now, most)?;
        Ok(Self {
            duplicates: others.home,
            doubtful: others.doubtful,
            doubtful_found: others.doubtful_found,
            compared_at_most: others.not_compared.map(|_| most),
            ..Self::of(database, &id, &home, now)?
        })
    }

    /// The home as it was known at a moment.
    fn read_as_known(database: &Database, id: &str, known: Time) -> anyhow::Result<Self> {
        let (id, _) = find(database, id)?;
        let home = database.home_as_known(&id, known)?;
        let home = home.ok_or_else(|| usage(format!("nobody had seen the home {id} until {}", show::time(known))))?;
        Self::of(database, &id, &home, known)
    }

    fn of(database: &Database, id: &HomeId, home: &Home, now: Time) -> anyhow::Result<Self> {
        let comparables = match home.history.current() {
            Some(facts) => {
                let (market, all) = (std::slice::from_ref(&facts.market), database.market_ids()?);
                read(database, async |reader| Ok(reader.comparables(market, &all, now).await?))?
            }
            None => Vec::new(),
        };
        let view = HomeView::of(id.clone(), home, comparables.first(), now).ok_or_else(|| match home.history.is_overfull() {
            true => anyhow::anyhow!(
                "{id} has too many different facts to be one home ({FACTS_MAX} at most, {FACTS_PER_DAY_MAX} on a day): does \
                 the map read the right column for the ID?"
            ),
            false => anyhow::anyhow!("the home {id} is stored without observations"),
        })?;
        Ok(Self { view, duplicates: None, doubtful: Vec::new(), doubtful_found: 0, compared_at_most: None })
    }
}

/// The other listings of a home among those of its area, also if they are no longer on offer; of an area with more than `most`
/// none. Pages and API read fewer: those on offer, which may be shown.
pub(super) fn other_listings(
    database: &Database,
    id: &HomeId,
    home: &Home,
    now: Time,
    most: usize,
) -> anyhow::Result<OtherListings> {
    let mut listings = AreaListings::ruled_by(database.pair_rulings()?);
    let area = home.history.current().map(|facts| &facts.market.area);
    let is_complete = database.reading(|| {
        let mut markets = database.market_ids()?;
        markets.retain(|market| Some(&market.area) == area);
        each_listing(database, &markets, most, |id, home| listings.add(id, home))
    })?;
    Ok(match is_complete {
        true => listings.others_of(id, now),
        false => OtherListings::not_compared(NotCompared::TooManyListings),
    })
}

impl View for HomePage {
    fn draw(&self, look: Look) -> Page {
        let name = self.view.summary.words().map(show::plain);
        let id = show::plain(self.view.summary.id.as_str());
        let heading = name.map_or_else(|| id.clone(), |name| format!("{name} · {id}"));
        let mut page = Page::new(look);
        page.line([SafeText::from(heading).bold()]).facts(self.card()).gap();
        let count = plural(self.view.intervals.len() as u64, "interval");
        let heading = SafeText::from(format!("Seen in {count}")).bold();
        page.line([heading, SafeText::from(", times in UTC").dim()]).gap().table(self.seen());
        if !self.view.events.is_empty() {
            page.heading("What happened").table(self.happened());
        }
        if let Some(most) = self.compared_at_most {
            let note =
                format!("Other listings of this home were not looked for: its area has more than {most} listings.");
            page.gap().line([SafeText::from(note).dim()]);
        }
        if let Some(home) = &self.duplicates {
            page.heading("Listings of this home").table(listed(&home.listings));
            for line in evidence(home) {
                page.line([line]);
            }
        }
        for (at, other) in self.doubtful.iter().enumerate() {
            match at {
                0 => page.heading("May be the same home"),
                _ => page.gap(),
            };
            page.table(listed([&other.listing])).line([one_pair(&other.evidence)]);
        }
        more(&mut page, self.doubtful.len(), self.doubtful_found);
        page
    }

    /// Its intervals.
    fn csv(&self) -> anyhow::Result<Csv> {
        let id = self.view.summary.id.as_str();
        Ok(Csv::new(INTERVAL_COLUMNS, with_values(&self.view.intervals, &[("id", id)])?))
    }
}

impl HomePage {
    fn card(&self) -> Vec<(String, SafeText)> {
        let summary = &self.view.summary;
        let versus = summary.versus_market.map(|share| format!(" ({} against its kind)", show::change(share)));
        let per_area = summary.price_per_area.map(|price| {
            show::price_per_area(price, summary.currency, summary.area_unit) + &versus.unwrap_or_default()
        });
        let rooms = summary.bedrooms.map(|beds| plural(beds.into(), "bedroom"));
        let area = summary.living_area.map(|area| show::area(area, summary.area_unit));
        let kind: Vec<String> =
            [summary.property_type.map(|kind| kind.words().to_owned()), rooms, area].into_iter().flatten().collect();
        let opened = summary.opened_at.zip(summary.days_on_market);
        let opened = opened
            .map(|(at, days)| format!("{}, since {}", plural(u64::from(days.unsigned_abs()), "day"), show::date(at)));
        let title = summary.title.as_deref().filter(|_| summary.line.is_some()).map(show::plain);
        let above = [
            ("title", title),
            ("market", Some(summary.market.to_string())),
            ("status", Some(summary.status.to_owned())),
            ("price", Some(or_unknown(summary.asked.map(|price| show::money(price, summary.currency))))),
            ("per area", per_area),
            ("home", Some(kind.join(", ")).filter(|kind| !kind.is_empty())),
        ];
        let fields = summary.fields.known().filter(|(field, _)| !OF_HOME_LINE.contains(&field.name));
        let fields = fields.map(|(field, value)| (field.name.replace('_', " "), summary.fields.text(value).into()));
        let below = [
            ("on market", opened),
            ("listed", self.view.listed_at.map(show::date)),
            ("page", summary.url.as_deref().map(show::plain)),
        ];
        let line = |(name, value): (&str, Option<String>)| Some((name.to_owned(), value?.into()));
        above.into_iter().filter_map(line).chain(fields).chain(below.into_iter().filter_map(line)).collect()
    }

    fn seen(&self) -> Table {
        let mut table = Table::new([
            Column::left("first seen"),
            Column::left("last seen"),
            Column::left("status"),
            Column::right("price"),
            Column::right("change").optional(1),
            Column::cut("market").optional(2),
        ]);
        let mut market = None;
        for interval in &self.view.intervals {
            let moved = market.replace(&interval.market) != Some(&interval.market);
            table.row([
                show::time(interval.first_seen).into(),
                show::time(interval.last_seen).into(),
                match interval.doubtful {
                    Some(why) => format!("{}, price doubtful: {why}", interval.status).into(),
                    None => interval.status.into(),
                },
                or_unknown(interval.asked.map(|price| show::money(price, interval.currency))).into(),
                changed(interval.change),
                SafeText::from(if moved { interval.market.to_string() } else { String::new() }).dim(),
            ]);
        }
        table
    }

    fn happened(&self) -> Table {
        let mut table = Table::new([
            Column::left("when"),
            Column::left("what"),
            Column::right("change").optional(1),
            Column::left("price"),
        ]);
        for happened in &self.view.events {
            let currency = happened.market.currency;
            let prices = happened
                .event
                .change
                .map(|change| format!("{} → {}", show::money(change.from, currency), show::money(change.to, currency)));
            table.row([
                show::time(happened.at).into(),
                in_words(happened.event.kind).into(),
                changed(happened.change),
                prices.unwrap_or_default().into(),
            ]);
        }
        table
    }
}

fn changed(share: Option<f64>) -> SafeText {
    share.map_or_else(|| SafeText::from(UNKNOWN).dim(), SafeText::change)
}

fn in_words(kind: EventKind) -> String {
    kind.as_str().replace('_', " ")
}

/// The home with this id, or the only one whose id ends so behind the source's name.
fn find(database: &Database, id: &str) -> anyhow::Result<(HomeId, Home)> {
    let whole = HomeId(id.trim().into());
    if let Some(found) = database.home(&whole)? {
        return Ok((whole, found.value));
    }
    let wanted = whole.as_str();
    let mut found: Vec<HomeId> = Vec::new();
    let mut any = false;
    each_id(database, |known| {
        any = true;
        if native_of(known.as_str()) == Some(wanted) && found.len() <= CANDIDATES_MAX {
            found.push(known);
        }
    })?;
    match found.as_slice() {
        [only] => {
            let home = database.home(only)?.ok_or_else(|| anyhow::anyhow!("the home {only} is gone"))?;
            Ok((only.clone(), home.value))
        }
        [] if !any => Err(usage(empty(database))),
        // No source's id is known to have spaces, but one that has was looked for first.
        [] if wanted.contains(char::is_whitespace) => by_address::find(database, wanted),
        [] => {
            let nearest = nearest(database, wanted)?;
            let mean = match nearest.is_empty() {
                true => String::new(),
                false => format!("did you mean {}? ", nearest.join(", ")),
            };
            Err(usage(format!("there is no home {whole}; {mean}`stoop homes AREA` lists those of an area")))
        }
        several => {
            let ids: Vec<&str> = several.iter().take(CANDIDATES_MAX).map(HomeId::as_str).collect();
            Err(usage(format!("several sources have a home {whole}; say which: {}", ids.join(", "))))
        }
    }
}

/// The ids whose own part is most like that of one that is not there.
fn nearest(database: &Database, wanted: &str) -> anyhow::Result<Vec<String>> {
    let mut nearest = Nearest::to(native_of(wanted).unwrap_or(wanted));
    each_id(database, |known| {
        let known = known.as_str();
        nearest.offer_as(native_of(known).unwrap_or(known), known);
    })?;
    Ok(nearest.names())
}

/// Visits the id of every home, a page at a time.
fn each_id(database: &Database, mut visit: impl FnMut(HomeId)) -> anyhow::Result<()> {
    let mut after: Option<HomeId> = None;
    loop {
        let page = database.home_ids_after(after.as_ref(), PAGE_IDS)?;
        let Some(last) = page.last() else { return Ok(()) };
        after = Some(last.clone());
        page.into_iter().for_each(&mut visit);
    }
}

/// The source's own part of a home's id.
fn native_of(id: &str) -> Option<&str> {
    id.split_once('/').map(|(_, native)| native)
}
