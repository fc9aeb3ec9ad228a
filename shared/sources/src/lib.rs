//! One module per listing API: what to request, and how to read the answer. No I/O, no clock.
//!
//! A [`Source`] is driven by the poller: [`Source::begin`] gives the first [`Request`] of a scan; each
//! answer goes to [`Source::read`], which gives the listings understood, the rejects, and what to do
//! [`Next`]. The poller owns HTTP, limits, retries and checkpoints; a source owns nothing but the
//! meaning of bytes.

mod avito;
mod body;
mod capabilities;
mod contradictions;
pub mod declared;
mod distrust;
pub mod draft;
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
pub use params::Param;
pub use port::{
    Answer, Coverage, CrawlPolicy, Cursor, Found, Method, Next, Page, Params, ReadError, Request, Row, SearchError,
    Source,
};
pub use registry::{KINDS, Kind, build};
