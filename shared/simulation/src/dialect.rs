//! What a site speaks: how each kind of listing API asks and answers.

use stoop_domain::{Phase, Purpose, Time};

use crate::home::{Home, Offer};
use crate::simulation::Simulation;
use crate::site::Fault;
use crate::site::exchange::{Answered, Asked, Shown};

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

/// How a site asks and answers, in the shape of the API that it stands for. Listings are those of the simulation.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Dialect {
    /// `GET /odata/Property`: RESO Web API, as the standard or a vendor has it. Shows everything that ever was.
    Reso(ResoSite),
    /// `GET /propertyExtendedSearch`, as zillow-com1, and `GET /search`, as zillow56: pages by number, 20 of them at most,
    /// what is on the market.
    Zillow {
        /// Rows on a page; there they are 41.
        page_size: usize,
    },
    /// realty-in-us (`POST /properties/v3/list`) and us-real-estate (`GET /v3/for-sale` and `/v3/for-rent`): an offset,
    /// what is on the market.
    Realtor,
    /// `GET /listings/sale` and `/listings/rental/long-term`: a bare array, what is on the market; 404 where that is none.
    RentCast,
    /// Result pages in HTML with their data in `__NEXT_DATA__`: Moroccan homes on the market, the newest first.
    Avito {
        /// Whether the page carries the data; without, there are only cards.
        data: bool,
    },
    /// Result pages in HTML, `:p:2` and so on: Moroccan homes on the market, the newest first.
    Mubawab,
    /// A plain JSON API of nobody's, with RESO's field names.
    Json(JsonSite),
}

/// What a dialect answers from.
pub(crate) struct Turn<'a> {
    pub(crate) market: &'a Simulation,
    pub(crate) asked: &'a Asked<'a>,
    pub(crate) now: Time,
    /// How the page is to be wrong, as far as this dialect can be so.
    pub(crate) twist: Option<Fault>,
}

/// What dialects remember from one request to the next.
#[derive(Debug, Default)]
pub(crate) struct Memory {
    replications: reso::Replications,
}

/// What a dialect answers.
pub(crate) struct Page {
    pub(crate) answer: Answered,
    pub(crate) shown: Vec<Shown>,
}

/// A home and what is said of it.
pub(crate) type Row<'a> = (&'a Home, &'a Offer);

/// A part of a list, as a page shows it.
pub(crate) struct Cut<'a> {
    pub(crate) rows: &'a [Row<'a>],
    /// How many there are, as the page says.
    pub(crate) total: usize,
}

impl Dialect {
    /// RESO Web API, the standard alone.
    #[must_use]
    pub fn reso() -> Self {
        Self::Reso(ResoSite::new(Vendor::Plain))
    }

    /// zillow-com1 and zillow56.
    #[must_use]
    pub const fn zillow() -> Self {
        Self::Zillow { page_size: 41 }
    }

    /// Whether there is something at this address.
    ///
    /// # Errors
    /// What there is instead, in words.
    pub(crate) fn knows(&self, asked: &Asked<'_>) -> Result<(), String> {
        let at = |method: &str, paths: &[&str]| {
            let known = asked.method == method && paths.contains(&asked.path);
            if known { Ok(()) } else { Err(format!("there is only {method} {}", paths.join(" and "))) }
        };
        match self {
            Self::Reso(site) => site.knows(asked),
            Self::Zillow { .. } => at("GET", &["/propertyExtendedSearch", zillow::SEARCH56]),
            Self::Realtor if asked.method == "POST" => at("POST", &["/properties/v3/list"]),
            Self::Realtor => at("GET", &["/v3/for-sale", "/v3/for-rent"]),
            Self::RentCast => at("GET", &["/listings/sale", "/listings/rental/long-term"]),
            Self::Avito { .. } | Self::Mubawab if asked.method == "GET" && asked.path.starts_with("/fr/") => Ok(()),
            Self::Avito { .. } | Self::Mubawab => Err("there is only GET /fr/...".into()),
            Self::Json(_) => at("GET", &["/homes"]),
        }
    }

    /// Answers a request to an address that it knows.
    ///
    /// # Errors
    /// What is wrong with the request, in words, for a 400.
    pub(crate) fn answer(&self, turn: &Turn<'_>, memory: &mut Memory) -> Result<Page, String> {
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

    /// The id under which a dialect shows a home: the second half of the home's id.
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

/// One home can be for sale and for rent at a time: the sources tell its rent from its price.
fn for_rent(id: String, home: &Home) -> String {
    if home.purpose == Purpose::Rent { format!("{id}:rent") } else { id }
}

impl<'a> Turn<'a> {
    /// Every home that there is anything to show of, but for those that the site forgets.
    pub(crate) fn remembered(&self) -> impl Iterator<Item = Row<'a>> + use<'a> {
        let twist = self.twist;
        self.market.shown_after(None).filter(move |(home, _)| match twist {
            Some(Fault::Empty) => false,
            Some(Fault::HalfForgotten) => home.index % 2 == 0,
            _ => true,
        })
    }

    /// What is on offer or under contract, in the order of the homes' numbers.
    pub(crate) fn on_market(&self) -> Vec<Row<'a>> {
        let is_live = |offer: &Offer| matches!(offer.status.phase(), Phase::Active | Phase::Pending);
        let mut rows: Vec<Row<'a>> = self.remembered().filter(|(_, offer)| is_live(offer)).collect();
        rows.sort_unstable_by_key(|(home, _)| home.index);
        rows
    }

    /// The same, what came on the market last first.
    pub(crate) fn newest_first(&self) -> Vec<Row<'a>> {
        let mut rows = self.on_market();
        rows.sort_by_key(|(home, offer)| (std::cmp::Reverse(offer.on_market_at), home.index));
        rows
    }

    /// `size` rows of a list from the place `from` on, or what a fault makes of them.
    pub(crate) fn cut<'r>(&self, list: &'r [Row<'a>], from: usize, size: usize) -> Cut<'r> {
        let from = if self.twist == Some(Fault::RepeatedPage) { from.saturating_sub(size) } else { from };
        let from = from.min(list.len());
        let more = if self.twist == Some(Fault::WrongTotal) { list.len() / 10 + 1 } else { 0 };
        Cut { rows: &list[from..list.len().min(from.saturating_add(size))], total: list.len() + more }
    }

    /// Whether the row at this place of the page is to have words for a price.
    pub(crate) fn is_garbage(&self, place: usize) -> bool {
        place == 0 && self.twist == Some(Fault::GarbageRow)
    }

    /// The rows of a page that can be understood.
    pub(crate) fn shown(&self, rows: &[Row<'_>]) -> Vec<Shown> {
        let understood = rows.iter().enumerate().filter(|(place, _)| !self.is_garbage(*place));
        let shown =
            understood.map(|(_, (home, offer))| Shown { home: home.index, offer: (*offer).clone(), withdrawn: false });
        shown.collect()
    }
}

/// What a garbage row has for a price.
pub(crate) const GARBAGE: &str = "call for price";
