use std::cell::Cell;
use std::process::ExitCode;

use serde::Serialize;
use stoop_domain::{Home, HomeId, Market, Time};
use stoop_embedded::Database;
use stoop_serve::{COMPARED_LISTINGS_MAX, ComparedListings, DuplicateHome, Duplicates, HomeSummary, ListingPair};

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
    shows_doubtful: bool,
    /// Whether figures count each home once.
    counts_homes: bool,
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
        let mut listings = ComparedListings::ruled_by(database.pair_rulings()?);
        database.reading(|| {
            let visit = |id, home: Home| listings.add(id, &home, as_of);
            match each_listing(database, &found.markets, COMPARED_LISTINGS_MAX, visit)? {
                true => Ok(()),
                false => Err(too_many(&found.path, COMPARED_LISTINGS_MAX)),
            }
        })?;
        let shows_doubtful = args.doubtful;
        Ok(Self {
            path: found.path,
            name: found.name,
            as_of,
            duplicates: listings.duplicates(args.all, args.limit),
            shows_doubtful,
            counts_homes: database.merging()?.is_some(),
        })
    }
}

/// Visits the listings of these markets. `visit` returns how many there are so far; as soon as there are more than `most`, the
/// rest is not read. Returns whether all were visited.
pub(super) fn each_listing(
    database: &Database,
    markets: &[Market],
    most: usize,
    mut visit: impl FnMut(HomeId, Home) -> usize,
) -> anyhow::Result<bool> {
    let count = Cell::new(0);
    for market in markets {
        let page = |after: Option<&HomeId>, limit| match count.get() > most {
            true => Ok(Vec::new()),
            false => database.homes_of(market, after, limit),
        };
        each_home(page, |id, home| count.set(visit(id, home)))?;
    }
    Ok(count.get() <= most)
}

/// The refusal of an area with too many listings.
pub(super) fn too_many(area: &str, most: usize) -> anyhow::Error {
    usage(format!(
        "{area} has more than {most} listings, the most that are compared with each other; accepted: a smaller area"
    ))
}

impl DuplicatesPage {
    /// What may be of one home and is not joined, because too many are alike.
    fn not_compared(&self) -> Option<String> {
        let Duplicates { blocks_too_large, groups_too_large, .. } = self.duplicates;
        let blocks = (blocks_too_large > 0).then(|| {
            let shared =
                if blocks_too_large == 1 { "1 address, place or size is" } else { "addresses, places or sizes are" };
            let shared = if blocks_too_large == 1 { shared.to_owned() } else { format!("{blocks_too_large} {shared}") };
            format!("{shared} of too many listings to compare them")
        });
        let groups = (groups_too_large > 0).then(|| {
            format!(
                "{} joined by addresses alone, because too many are alike",
                plural(groups_too_large as u64, "group")
            )
        });
        let both: Vec<String> = blocks.into_iter().chain(groups).collect();
        (!both.is_empty()).then(|| format!("Homes may be missing: {}", both.join("; ")))
    }
}

impl View for DuplicatesPage {
    fn draw(&self, look: Look) -> Page {
        let Duplicates { listings_open, homes_open, homes, homes_found, doubtful, doubtful_found, join_bits, .. } =
            &self.duplicates;
        let counts = format!(
            "{} on offer or under contract, of {}",
            plural(*listings_open as u64, "listing"),
            plural(*homes_open as u64, "home")
        );
        let under = format!("{}, as of {} UTC", self.path, show::time(self.as_of));
        let mut page = Page::new(look);
        page.line([SafeText::from(format!("{} · {counts}", self.name)).bold()]).line([SafeText::from(under).dim()]);
        if self.shows_doubtful {
            if doubtful.is_empty() {
                page.gap().line(["No pair of listings is doubtful.".into()]);
            }
            for pair in doubtful {
                page.gap()
                    .line([format!("{} and {}", show::plain(pair.a.as_str()), show::plain(pair.b.as_str())).into()]);
                page.line([one_pair(pair)]);
            }
            more(&mut page, doubtful.len(), *doubtful_found);
            return page;
        }
        if homes.is_empty() {
            page.gap().line(["No two listings are of one home.".into()]);
        }
        for home in homes {
            page.gap().table(listed(&home.listings));
            for line in evidence(home) {
                page.line([line]);
            }
        }
        more(&mut page, homes.len(), *homes_found);
        if !doubtful.is_empty() {
            let pairs = plural(*doubtful_found as u64, "pair");
            page.gap().line([SafeText::from(format!("{pairs} more may be of one home: --doubtful lists them")).dim()]);
        }
        if let Some(lost) = self.not_compared() {
            page.gap().line([SafeText::from(lost).dim()]);
        }
        if !homes.is_empty() || !doubtful.is_empty() {
            let limit =
                format!("A pair is joined from {join_bits:.1} bits on, and never against a veto: see docs/HOMES.md");
            page.gap().line([SafeText::from(limit).dim()]);
        }
        let note = match self.counts_homes {
            true => {
                "Figures count each home once; `stoop merge different A B` rules that two listings are of two homes"
            }
            false => "Figures count each listing; `stoop merge on` counts each home once",
        };
        page.line([SafeText::from(note).dim()]);
        page
    }

    fn csv(&self) -> anyhow::Result<Csv> {
        if self.shows_doubtful {
            let columns = ["a", "b", "bits", "findings", "against"].map(Field::Plain);
            return Ok(Csv::of(columns, &self.duplicates.doubtful)?);
        }
        let rows = self.duplicates.homes.iter();
        let rows = rows.flat_map(|home| home.listings.iter().map(|listing| ListingRow { home: &home.id, listing }));
        let rows: Vec<ListingRow<'_>> = rows.collect();
        Ok(Csv::of(std::iter::once(Field::Plain("home")).chain(stoop_serve::home_columns()), &rows)?)
    }
}

pub(super) fn listed<'h>(listings: impl IntoIterator<Item = &'h HomeSummary>) -> Table {
    let mut table = Table::new([
        Column::left("listing"),
        Column::left("status"),
        Column::right("price"),
        Column::right("beds").optional(3),
        Column::right("area").optional(2),
        Column::right("days").optional(1),
        Column::cut("home"),
    ]);
    for listing in listings {
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

/// What speaks for a home: a line, or for more than two listings one for each of the surest pairs.
pub(super) fn evidence(home: &DuplicateHome) -> Vec<SafeText> {
    if let [pair] = home.evidence.as_slice() {
        return vec![one_pair(pair)];
    }
    let line = |pair: &ListingPair| {
        let names = format!("{} and {}, ", show::plain(pair.a.as_str()), show::plain(pair.b.as_str()));
        SafeText::from(names + &pair.to_string()).dim()
    };
    home.surest().iter().map(line).collect()
}

pub(super) fn one_pair(pair: &ListingPair) -> SafeText {
    SafeText::from(pair.to_string()).dim()
}
