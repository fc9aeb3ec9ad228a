//! `GET /odata/Property`, as the standard has it and as Trestle, MLS Grid, Bridge and Spark have it: docs/sources/reso.md
//! tells them apart.

use std::borrow::Cow;

use stoop_domain::{Phase, Time};

use super::{Page, Turn};
use crate::home::{Home, Offer};
use crate::site::exchange::Asked;

mod page;
mod query;
mod replication;

use query::{Clock, Query};
pub(crate) use replication::Replications;

/// A RESO Web API.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ResoSite {
    /// Whose.
    pub vendor: Vendor,
    /// How many rows a page has when `$top` is not given.
    pub page_size: usize,
    /// How many rows a page has at most.
    pub page_size_max: usize,
    /// How one page leads to the next.
    pub paging: Paging,
    /// So many milliseconds after it was sold or taken off the market, a listing is withdrawn: MLS Grid says so
    /// (`MlgCanView: false`) for 7 days, others show it no more. `None`: never.
    pub withdraws_after_ms: Option<i64>,
}

/// Who serves a RESO Web API.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Vendor {
    /// The standard and nothing else.
    Plain,
    /// With `replication=true`: one address that gives page after page until one is empty.
    Trestle,
    /// One `OriginatingSystemName` a request, in the order of time; says what is withdrawn.
    MlsGrid,
    /// With a time of its own, and `/Property/replication` that leads on by the `Link` header until a page is empty.
    Bridge,
    /// In the order of keys.
    Spark,
}

/// How one page leads to the next.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Paging {
    /// A `$skiptoken` names the last listing shown: stable while the market moves.
    SkipToken,
    /// A `$skip` counts listings: what is modified between two pages moves all that follow by one.
    Skip,
}

/// MLS Grid shows withdrawn rows for so long.
const WITHDRAWN_SHOWN_MS: i64 = 7 * Time::DAY_MS;

const PROPERTY: &str = "/odata/Property";
const REPLICATION: &str = "/odata/Property/replication";

/// A listing as the server has it.
pub(crate) struct Listed<'a> {
    home: &'a Home,
    offer: Cow<'a, Offer>,
    /// When the server last changed the row, by its own clock.
    served_at: Time,
    withdrawn: bool,
}

/// A place in the order of a page's rows: time, then home; no time where keys alone order.
pub(crate) type Position = (Time, u32);

impl ResoSite {
    /// 100 rows a page where none are asked for, and at most as many as the vendor has.
    #[must_use]
    pub const fn new(vendor: Vendor) -> Self {
        let (page_size_max, paging) = match vendor {
            Vendor::Plain | Vendor::Trestle | Vendor::Spark => (1_000, Paging::SkipToken),
            Vendor::MlsGrid => (5_000, Paging::Skip),
            Vendor::Bridge => (200, Paging::Skip),
        };
        Self { vendor, page_size: 100, page_size_max, paging, withdraws_after_ms: None }
    }

    pub(super) fn knows(&self, asked: &Asked<'_>) -> Result<(), String> {
        let replicates = matches!(self.vendor, Vendor::Trestle | Vendor::Bridge);
        match (asked.method, asked.path) {
            ("GET", PROPERTY) => Ok(()),
            ("GET", REPLICATION) if replicates => Ok(()),
            _ => Err(format!("there is only GET {PROPERTY}")),
        }
    }

    pub(super) fn answer(&self, turn: &Turn<'_>, replications: &mut Replications) -> Result<Page, String> {
        if self.vendor == Vendor::Trestle && turn.asked.path == REPLICATION {
            return replications.go_on(self, turn);
        }
        let query = Query::parse(turn.asked.query)?;
        self.check(&query)?;
        let mut listed = self.listed(turn);
        listed.retain(|row| query.matches(row));
        if self.by_key(&query) {
            listed.sort_unstable_by_key(|row| row.home.index);
        } else {
            listed.sort_by_key(|row| (self.time(row, &query), row.home.index));
        }
        if self.vendor == Vendor::Trestle && query.replication {
            return Ok(replications.begin(self, turn, &query, &listed));
        }
        Ok(page::write(self, turn, &query, &listed))
    }

    /// Refuses what the vendor would refuse.
    fn check(&self, query: &Query) -> Result<(), String> {
        if self.vendor == Vendor::MlsGrid {
            if !query.names_system() {
                return Err("$filter: OriginatingSystemName eq '...' is required".into());
            }
            if query.order.is_some() {
                return Err("$orderby is not supported".into());
            }
        } else if query.viewable.is_some() {
            return Err("$filter: cannot filter by MlgCanView".into());
        }
        let bridges =
            query.order == Some(Clock::Bridge) || query.since.is_some_and(|since| since.clock == Clock::Bridge);
        if bridges && self.vendor != Vendor::Bridge {
            return Err("$filter: cannot filter by BridgeModificationTimestamp".into());
        }
        Ok(())
    }

    /// Every listing as this vendor has it now.
    fn listed<'a>(&self, turn: &Turn<'a>) -> Vec<Listed<'a>> {
        let now = turn.market.now();
        let rows = turn.remembered().filter_map(|(home, offer)| {
            let served_at = match self.vendor {
                Vendor::Bridge => turn.market.shown_at(home.index)?,
                _ => offer.modified_at,
            };
            let off = matches!(offer.status.phase(), Phase::Closed | Phase::Off);
            let withdrawn_at = self.withdraws_after_ms.filter(|_| off).map(|ms| offer.status_changed_at.plus_ms(ms));
            let Some(at) = withdrawn_at.filter(|at| *at <= now) else {
                return Some(Listed { home, offer: Cow::Borrowed(offer), served_at, withdrawn: false });
            };
            if self.vendor != Vendor::MlsGrid || now.ms() - at.ms() >= WITHDRAWN_SHOWN_MS {
                return None;
            }
            let at = at.max(offer.modified_at);
            let offer = Cow::Owned(Offer { modified_at: at, ..offer.clone() });
            Some(Listed { home, offer, served_at: at, withdrawn: true })
        });
        rows.collect()
    }

    /// Whether rows come in the order of keys.
    fn by_key(&self, query: &Query) -> bool {
        let replication = self.vendor == Vendor::Trestle && query.replication;
        self.vendor == Vendor::Spark || replication || query.order == Some(Clock::None)
    }

    /// The time that orders rows.
    fn time(&self, row: &Listed<'_>, query: &Query) -> Time {
        if query.order == Some(Clock::Bridge) { row.served_at } else { row.offer.modified_at }
    }

    fn position(&self, row: &Listed<'_>, query: &Query) -> Position {
        let time = if self.by_key(query) { Time::from_ms(0) } else { self.time(row, query) };
        (time, row.home.index)
    }
}

/// A page of replication is larger.
const REPLICATION_TOP_MAX: usize = 2_000;

impl ResoSite {
    fn size(&self, query: &Query, replication: bool) -> usize {
        let most = if replication { REPLICATION_TOP_MAX } else { self.page_size_max };
        query.top.unwrap_or(self.page_size).min(most)
    }
}
