use std::process::ExitCode;

use serde::Serialize;
use stoop_domain::{Home, HomeId, Time};
use stoop_embedded::Database;
use stoop_serve::{
    COMPARED_LISTINGS_MAX, ComparedListings, DuplicateHome, Duplicates, FoundArea, HomeSummary, ListingPair,
};

use super::{View, area, as_text, each_home, give, moment, more, open, plural};
use crate::args::{DuplicatesArgs, StoreArgs};
use crate::failure::usage;
use crate::show::{self, Column, Csv, Field, Look, Page, SafeText, Table, UNKNOWN, or_unknown};

/// The listings of an area that are of one home.
#[derive(Serialize)]
pub(super) struct DuplicatesPage {
    path: String,
    name: String,
    #[serde(serialize_with = "as_text")]
    as_of: Time,
    #[serde(flatten)]
    duplicates: Duplicates,
    #[serde(skip)]
    limit: usize,
    #[serde(skip)]
    shows_doubtful: bool,
}

/// A listing, as a row of CSV.
#[derive(Serialize)]
struct ListingRow<'a> {
    home: &'a HomeId,
    #[serde(flatten)]
    listing: &'a HomeSummary,
}

/// `stoop duplicates AREA`.
pub(crate) fn duplicates(store: &StoreArgs, args: &DuplicatesArgs) -> anyhow::Result<ExitCode> {
    let database = open(store)?;
    give(&DuplicatesPage::read(&database, args)?, &args.format)
}

impl DuplicatesPage {
    pub(super) fn read(database: &Database, args: &DuplicatesArgs) -> anyhow::Result<Self> {
        let found = area(database, &args.area)?;
        let as_of = moment(database, None)?.unwrap_or_default();
        let mut listings = ComparedListings::default();
        database.reading(|| {
            each_listing(database, &found, |id, home| {
                listings.add(id, &home, as_of);
                listings.len()
            })
        })?;
        let (limit, shows_doubtful) = (args.limit, args.doubtful);
        Ok(Self {
            path: found.path,
            name: found.name,
            as_of,
            duplicates: listings.duplicates(args.all),
            limit,
            shows_doubtful,
        })
    }
}

/// Visits the listings of an area. `visit` returns how many there are so far.
pub(super) fn each_listing(
    database: &Database,
    found: &FoundArea,
    mut visit: impl FnMut(HomeId, Home) -> usize,
) -> anyhow::Result<()> {
    let mut count = 0;
    found.markets.iter().try_for_each(|market| {
        each_home(|after, limit| database.homes_of(market, after, limit), |id, home| count = visit(id, home))?;
        match count {
            0..=COMPARED_LISTINGS_MAX => Ok(()),
            _ => Err(usage(format!(
                "{} has more than {COMPARED_LISTINGS_MAX} listings, the most that are compared; accepted: a smaller area, like a city",
                found.path
            ))),
        }
    })
}

impl View for DuplicatesPage {
    fn draw(&self, look: Look) -> Page {
        let Duplicates { listings_open, homes_open, homes, doubtful, .. } = &self.duplicates;
        let counts =
            format!("{} on offer, of {}", plural(*listings_open as u64, "listing"), plural(*homes_open as u64, "home"));
        let under = format!("{}, as of {} UTC", self.path, show::time(self.as_of));
        let mut page = Page::new(look);
        page.line([SafeText::from(format!("{} · {counts}", self.name)).bold()]).line([SafeText::from(under).dim()]);
        if self.shows_doubtful {
            if doubtful.is_empty() {
                page.gap().line(["No pair of listings is doubtful.".into()]);
            }
            for pair in doubtful.iter().take(self.limit) {
                page.gap()
                    .line([format!("{} and {}", show::plain(pair.a.as_str()), show::plain(pair.b.as_str())).into()]);
                page.line([evidence(pair)]);
            }
            more(&mut page, doubtful.len().min(self.limit), doubtful.len());
            return page;
        }
        if homes.is_empty() {
            page.gap().line(["No two listings are of one home.".into()]);
        }
        for home in homes.iter().take(self.limit) {
            page.gap().table(listed(home));
            page.line(home.evidence.first().map(evidence));
        }
        more(&mut page, homes.len().min(self.limit), homes.len());
        if !doubtful.is_empty() {
            let pairs = plural(doubtful.len() as u64, "pair");
            page.gap().line([SafeText::from(format!("{pairs} more may be of one home: --doubtful lists them")).dim()]);
        }
        let note =
            "Figures count each listing; `stoop market AREA --merge-duplicates` counts each home once (docs/HOMES.md)";
        page.gap().line([SafeText::from(note).dim()]);
        page
    }

    fn csv(&self) -> anyhow::Result<Csv> {
        if self.shows_doubtful {
            let columns = ["a", "b", "bits", "findings"].map(Field::Plain);
            return Ok(Csv::of(columns, &self.duplicates.doubtful)?);
        }
        let rows = self.duplicates.homes.iter();
        let rows = rows.flat_map(|home| home.listings.iter().map(|listing| ListingRow { home: &home.id, listing }));
        let rows: Vec<ListingRow<'_>> = rows.collect();
        Ok(Csv::of(std::iter::once(Field::Plain("home")).chain(stoop_serve::home_columns()), &rows)?)
    }
}

pub(super) fn listed(home: &DuplicateHome) -> Table {
    let mut table = Table::new([
        Column::left("listing"),
        Column::left("status"),
        Column::right("price"),
        Column::right("beds").optional(3),
        Column::right("area").optional(2),
        Column::right("days").optional(1),
        Column::cut("home"),
    ]);
    for listing in &home.listings {
        table.row([
            SafeText::from(show::plain(listing.id.as_str())),
            listing.status.into(),
            or_unknown(listing.asked.map(|price| show::money(price, listing.currency))).into(),
            or_unknown(listing.bedrooms.map(|beds| beds.to_string())).into(),
            or_unknown(listing.living_area.map(|area| show::area(area, listing.area_unit))).into(),
            or_unknown(listing.days_on_market.map(|days| days.to_string())).into(),
            SafeText::from(show::plain(listing.words().unwrap_or(UNKNOWN))),
        ]);
    }
    table
}

pub(super) fn evidence(pair: &ListingPair) -> SafeText {
    SafeText::from(format!("{:.1} bits: {}", pair.bits, pair.findings.join(", "))).dim()
}
