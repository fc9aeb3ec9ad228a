//! `GET /odata/Property` according to the standard, Trestle, MLS Grid, Bridge and Spark: docs/sources/reso.md lists the
//! differences.

use std::borrow::Cow;

use stoop_domain::{Phase, Time};

use super::{DialectPage, Turn};
use crate::exchange::PortalRequest;
use crate::home::{Home, Offer};

mod page;
mod query;
mod replication;

use query::{OrderClock, ResoQuery};
pub(crate) use replication::Replications;

/// A RESO Web API.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ResoSite {
    pub vendor: Vendor,
    /// Rows per page without `$top`.
    pub page_size: usize,
    /// The maximum number of rows per page.
    pub page_size_max: usize,
    /// How one page leads to the next.
    pub paging: Paging,
    /// Milliseconds after which a listing that was sold or taken off the market is withdrawn. MLS Grid then shows it as
    /// withdrawn (`MlgCanView: false`) for 7 days; others do not show it any more. `None`: never.
    pub withdraws_after_ms: Option<i64>,
}

/// The vendor of a RESO Web API.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Vendor {
    /// The standard only.
    Plain,
    /// With `replication=true`: a URL that gives page after page until one is empty.
    Trestle,
    /// Requires one `OriginatingSystemName` per request; ordered by time; shows withdrawn listings.
    MlsGrid,
    /// With its own time field, and `/Property/replication`, which continues by the `Link` header until a page is
    /// empty.
    Bridge,
    /// Ordered by key.
    Spark,
}

/// How one page leads to the next.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Paging {
    /// `$skiptoken` names the last listing of the page: stable while the market changes.
    SkipToken,
    /// `$skip` counts listings: a listing that is modified between two pages shifts all later ones by one.
    Skip,
}

/// How long MLS Grid shows withdrawn rows.
const WITHDRAWN_SHOWN_MS: i64 = 7 * Time::DAY_MS;

const PROPERTY: &str = "/odata/Property";
const REPLICATION: &str = "/odata/Property/replication";

/// A listing on the server.
pub(crate) struct ListedHome<'a> {
    home: &'a Home,
    offer: Cow<'a, Offer>,
    /// When the server last changed the row, by its own clock.
    served_at: Time,
    withdrawn: bool,
}

/// A position in the order of rows: time, then home. The time is constant if only keys order the rows.
pub(crate) type RowPosition = (Time, u32);

impl ResoSite {
    /// 100 rows per page by default, and at most the vendor's maximum.
    #[must_use]
    pub const fn new(vendor: Vendor) -> Self {
        let (page_size_max, paging) = match vendor {
            Vendor::Plain | Vendor::Trestle | Vendor::Spark => (1_000, Paging::SkipToken),
            Vendor::MlsGrid => (5_000, Paging::Skip),
            Vendor::Bridge => (200, Paging::Skip),
        };
        Self { vendor, page_size: 100, page_size_max, paging, withdraws_after_ms: None }
    }

    pub(super) fn knows(&self, asked: &PortalRequest<'_>) -> Result<(), String> {
        let replicates = matches!(self.vendor, Vendor::Trestle | Vendor::Bridge);
        match (asked.method, asked.path) {
            ("GET", PROPERTY) => Ok(()),
            ("GET", REPLICATION) if replicates => Ok(()),
            _ => Err(format!("the only endpoint is GET {PROPERTY}")),
        }
    }

    pub(super) fn answer(&self, turn: &Turn<'_>, replications: &mut Replications) -> Result<DialectPage, String> {
        if self.vendor == Vendor::Trestle && turn.asked.path == REPLICATION {
            return replications.next_page(self, turn);
        }
        let query = ResoQuery::parse(turn.asked.query)?;
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

    /// Refuses what the vendor refuses.
    fn check(&self, query: &ResoQuery) -> Result<(), String> {
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
        let bridges = query.order == Some(OrderClock::Bridge)
            || query.since.is_some_and(|since| since.clock == OrderClock::Bridge);
        if bridges && self.vendor != Vendor::Bridge {
            return Err("$filter: cannot filter by BridgeModificationTimestamp".into());
        }
        Ok(())
    }

    /// Every listing as this vendor has it now.
    fn listed<'a>(&self, turn: &Turn<'a>) -> Vec<ListedHome<'a>> {
        let now = turn.market.now();
        let rows = turn.remembered().filter_map(|(home, offer)| {
            let served_at = match self.vendor {
                Vendor::Bridge => turn.market.shown_at(home.index)?,
                _ => offer.modified_at,
            };
            let off = matches!(offer.status.phase(), Phase::Closed | Phase::Off);
            let withdrawn_at = self.withdraws_after_ms.filter(|_| off).map(|ms| offer.status_changed_at.plus_ms(ms));
            let Some(at) = withdrawn_at.filter(|at| *at <= now) else {
                return Some(ListedHome { home, offer: Cow::Borrowed(offer), served_at, withdrawn: false });
            };
            if self.vendor != Vendor::MlsGrid || now.ms() - at.ms() >= WITHDRAWN_SHOWN_MS {
                return None;
            }
            let at = at.max(offer.modified_at);
            let offer = Cow::Owned(Offer { modified_at: at, ..offer.clone() });
            Some(ListedHome { home, offer, served_at: at, withdrawn: true })
        });
        rows.collect()
    }

    /// Whether rows are ordered by key.
    fn by_key(&self, query: &ResoQuery) -> bool {
        let replication = self.vendor == Vendor::Trestle && query.replication;
        self.vendor == Vendor::Spark || replication || query.order == Some(OrderClock::None)
    }

    /// The time by which rows are ordered.
    fn time(&self, row: &ListedHome<'_>, query: &ResoQuery) -> Time {
        if query.order == Some(OrderClock::Bridge) { row.served_at } else { row.offer.modified_at }
    }

    fn position(&self, row: &ListedHome<'_>, query: &ResoQuery) -> RowPosition {
        let time = if self.by_key(query) { Time::from_ms(0) } else { self.time(row, query) };
        (time, row.home.index)
    }
}

/// The maximum number of rows of a replication page, which is larger.
const REPLICATION_TOP_MAX: usize = 2_000;

impl ResoSite {
    fn size(&self, query: &ResoQuery, replication: bool) -> usize {
        let most = if replication { REPLICATION_TOP_MAX } else { self.page_size_max };
        query.top.unwrap_or(self.page_size).min(most)
    }
}
