//! One module per listing API: builds requests and reads answers. No I/O, no clock.
//!
//! The poller drives a [`Source`]: [`Source::begin`] returns the first [`Request`] of a scan, and [`Source::read`]
//! turns each answer into listings, rejects and the [`Next`] step. The poller owns HTTP, limits, retries and
//! checkpoints; a source only interprets bytes.

mod avito;
mod body;
mod capabilities;
mod contradictions;
pub mod declared;
mod distrust;
mod fields;
mod grant;
mod html;
mod limit;
mod link;
mod mubawab;
mod params;
mod port;
mod raws;
mod realtor;
mod registry;
mod rentcast;
mod reso;
pub mod settings;
pub mod text;
mod zillow;

pub use capabilities::Capabilities;
pub use contradictions::{Contradiction, ContradictionCount, Contradictions, DISTRUST_ROWS_MIN};
pub use distrust::{Distrust, POLLED_ROWS_MIN};
pub use grant::{ClientCredentials, Grant};
pub use limit::{Limit, LimitError, Metered};
pub use link::origin;
pub use params::Param;
pub use port::{
    Coverage, CrawlPolicy, Cursor, Method, Next, Page, Params, ReadError, Request, Row, SearchError, SeenListing,
    Source, SourceAnswer,
};
pub use registry::{SourceKind, build};

/// All built-in source kinds.
pub const KINDS: &[SourceKind] = &[
    SourceKind {
        name: "reso",
        summary: "an MLS through the RESO Web API (OData v4)",
        params: reso::Reso::PARAMS,
        capabilities: reso::Reso::CAPABILITIES,
        build: |params| Ok(Box::new(reso::Reso::from_params(params)?)),
    },
    SourceKind {
        name: "zillow",
        summary: "Zillow through RapidAPI: zillow-com1 or zillow56",
        params: zillow::Zillow::PARAMS,
        capabilities: zillow::Zillow::CAPABILITIES,
        build: |params| Ok(Box::new(zillow::Zillow::from_params(params)?)),
    },
    SourceKind {
        name: "realtor",
        summary: "realtor.com through RapidAPI's realty-in-us or us-real-estate",
        params: realtor::Realtor::PARAMS,
        capabilities: realtor::Realtor::CAPABILITIES,
        build: |params| Ok(Box::new(realtor::Realtor::from_params(params)?)),
    },
    SourceKind {
        name: "rentcast",
        summary: "RentCast's sale or long-term rental listings",
        params: rentcast::RentCast::PARAMS,
        capabilities: rentcast::RentCast::CAPABILITIES,
        build: |params| Ok(Box::new(rentcast::RentCast::from_params(params)?)),
    },
    SourceKind {
        name: "avito",
        summary: "Avito.ma's result pages (scraped: off until enabled)",
        params: avito::Avito::PARAMS,
        capabilities: avito::Avito::CAPABILITIES,
        build: |params| Ok(Box::new(avito::Avito::from_params(params)?)),
    },
    SourceKind {
        name: "mubawab",
        summary: "Mubawab.ma's result pages (scraped: off until enabled)",
        params: mubawab::Mubawab::PARAMS,
        capabilities: mubawab::Mubawab::CAPABILITIES,
        build: |params| Ok(Box::new(mubawab::Mubawab::from_params(params)?)),
    },
];
