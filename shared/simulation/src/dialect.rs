//! The protocols of the sites: requests and answers of each kind of listing API.

use stoop_domain::{Phase, Purpose, Time};

use crate::exchange::{Answered, PortalRequest, ShownListing};
use crate::faults::Fault;
use crate::home::{Home, Offer};
use crate::simulation::Simulation;

mod avito;
mod json;
mod mubawab;
mod realtor;
mod rentcast;
mod reso;
mod words;
mod zillow;

pub use json::{JsonSite, Pages};
pub use reso::{Paging, ResoSite, Vendor};

/// The protocol of a site, modelled on a real API. The listings are those of the simulation.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Dialect {
    /// `GET /odata/Property`: RESO Web API, standard or of a vendor. Shows everything that was ever listed.
    Reso(ResoSite),
    /// `GET /propertyExtendedSearch` like zillow-com1, and `GET /search` like zillow56: at most 20 numbered pages of
    /// what is on the market.
    Zillow {
        /// Rows per page; the real API has 41.
        page_size: usize,
    },
    /// realty-in-us (`POST /properties/v3/list`) and us-real-estate (`GET /v3/for-sale` and `/v3/for-rent`): paged by
    /// offset, what is on the market.
    Realtor,
    /// `GET /listings/sale` and `/listings/rental/long-term`: a bare array of what is on the market; 404 if there is
    /// nothing.
    RentCast,
    /// HTML result pages with data in `__NEXT_DATA__`: Moroccan homes on the market, newest first.
    Avito {
        /// Whether the page contains the data; otherwise it has only cards.
        data: bool,
    },
    /// HTML result pages (`:p:2` and so on): Moroccan homes on the market, newest first.
    Mubawab,
    /// A generic JSON API with RESO field names.
    Json(JsonSite),
}

/// The input of a dialect.
pub(crate) struct Turn<'a> {
    pub(crate) market: &'a Simulation,
    pub(crate) asked: &'a PortalRequest<'a>,
    pub(crate) now: Time,
    /// A fault that changes the page, if the dialect supports it.
    pub(crate) twist: Option<Fault>,
}

/// State of the dialects between requests.
#[derive(Debug, Default)]
pub(crate) struct Memory {
    replications: reso::Replications,
}

/// The answer of a dialect.
pub(crate) struct DialectPage {
    pub(crate) answer: Answered,
    pub(crate) shown: Vec<ShownListing>,
}

/// A home and its offer.
pub(crate) type OfferRow<'a> = (&'a Home, &'a Offer);

/// The part of a list that a page shows.
pub(crate) struct ListSlice<'a> {
    pub(crate) rows: &'a [OfferRow<'a>],
    /// The total number according to the page.
    pub(crate) total: usize,
}

impl Dialect {
    /// RESO Web API, standard only.
    #[must_use]
    pub fn reso() -> Self {
        Self::Reso(ResoSite::new(Vendor::Plain))
    }

    /// zillow-com1 and zillow56.
    #[must_use]
    pub const fn zillow() -> Self {
        Self::Zillow { page_size: 41 }
    }

    /// Whether there is an endpoint at this path.
    ///
    /// # Errors
    /// Describes the available endpoints.
    pub(crate) fn knows(&self, asked: &PortalRequest<'_>) -> Result<(), String> {
        let at = |method: &str, paths: &[&str]| {
            let known = asked.method == method && paths.contains(&asked.path);
            if known { Ok(()) } else { Err(format!("the only endpoint is {method} {}", paths.join(" and "))) }
        };
        match self {
            Self::Reso(site) => site.knows(asked),
            Self::Zillow { .. } => at("GET", &["/propertyExtendedSearch", zillow::SEARCH56]),
            Self::Realtor if asked.method == "POST" => at("POST", &["/properties/v3/list"]),
            Self::Realtor => at("GET", &["/v3/for-sale", "/v3/for-rent"]),
            Self::RentCast => at("GET", &["/listings/sale", "/listings/rental/long-term"]),
            Self::Avito { .. } | Self::Mubawab if asked.method == "GET" && asked.path.starts_with("/fr/") => Ok(()),
            Self::Avito { .. } | Self::Mubawab => Err("the only endpoint is GET /fr/...".into()),
            Self::Json(_) => at("GET", &["/homes"]),
        }
    }

    /// Answers a request to a known endpoint.
    ///
    /// # Errors
    /// Describes what is wrong with the request, for a 400.
    pub(crate) fn answer(&self, turn: &Turn<'_>, memory: &mut Memory) -> Result<DialectPage, String> {
        match self {
            Self::Reso(site) => site.answer(turn, &mut memory.replications),
            Self::Zillow { page_size } => zillow::answer(turn, *page_size),
            Self::Realtor => realtor::answer(turn),
            Self::RentCast => rentcast::answer(turn),
            Self::Avito { data } => avito::answer(turn, *data),
            Self::Mubawab => mubawab::answer(turn),
            Self::Json(site) => site.answer(turn),
        }
    }

    /// The ID of a home in a dialect: the second half of the home's ID.
    #[must_use]
    pub fn native_id(&self, home: &Home) -> String {
        match self {
            Self::Reso(_) | Self::Json(_) => home.listing_key(),
            Self::Zillow { .. } => zillow::zpid(home).to_string(),
            Self::Realtor => for_rent(realtor::property_id(home), home),
            Self::RentCast => for_rent(rentcast::id(home), home),
            Self::Avito { .. } => avito::list_id(home).to_string(),
            Self::Mubawab => mubawab::ad_id(home).to_string(),
        }
    }
}

/// A home may be for sale and for rent at the same time, so sources distinguish both.
fn for_rent(id: String, home: &Home) -> String {
    if home.purpose == Purpose::Rent { format!("{id}:rent") } else { id }
}

impl<'a> Turn<'a> {
    /// Every home that can be shown, except those that the site forgets.
    pub(crate) fn remembered(&self) -> impl Iterator<Item = OfferRow<'a>> + use<'a> {
        let twist = self.twist;
        self.market.shown_after(None).filter(move |(home, _)| match twist {
            Some(Fault::Empty) => false,
            Some(Fault::HalfForgotten) => home.index % 2 == 0,
            _ => true,
        })
    }

    /// Homes on offer or under contract, ordered by their numbers.
    pub(crate) fn on_market(&self) -> Vec<OfferRow<'a>> {
        let is_live = |offer: &Offer| matches!(offer.status.phase(), Phase::Active | Phase::Pending);
        let mut rows: Vec<OfferRow<'a>> = self.remembered().filter(|(_, offer)| is_live(offer)).collect();
        rows.sort_unstable_by_key(|(home, _)| home.index);
        rows
    }

    /// The same, latest on the market first.
    pub(crate) fn newest_first(&self) -> Vec<OfferRow<'a>> {
        let mut rows = self.on_market();
        rows.sort_by_key(|(home, offer)| (std::cmp::Reverse(offer.on_market_at), home.index));
        rows
    }

    /// `size` rows of a list from index `from` on, possibly changed by a fault.
    pub(crate) fn cut<'r>(&self, list: &'r [OfferRow<'a>], from: usize, size: usize) -> ListSlice<'r> {
        let from = if self.twist == Some(Fault::RepeatedPage) { from.saturating_sub(size) } else { from };
        let from = from.min(list.len());
        let more = if self.twist == Some(Fault::WrongTotal) { list.len() / 10 + 1 } else { 0 };
        ListSlice { rows: &list[from..list.len().min(from.saturating_add(size))], total: list.len() + more }
    }

    /// Whether the row at this index of the page has text instead of a price.
    pub(crate) fn is_garbage(&self, index: usize) -> bool {
        index == 0 && self.twist == Some(Fault::GarbageRow)
    }

    /// The rows of a page.
    pub(crate) fn shown(&self, rows: &[OfferRow<'_>]) -> Vec<ShownListing> {
        let shown = rows.iter().enumerate().map(|(index, (home, offer))| ShownListing {
            home: home.index,
            offer: (*offer).clone(),
            withdrawn: false,
            unpriced: self.is_garbage(index),
        });
        shown.collect()
    }
}

/// The price text of a garbage row.
pub(crate) const GARBAGE: &str = "call for price";
