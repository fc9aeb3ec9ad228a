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
    Answer, Coverage, CrawlPolicy, Cursor, Found, Method, Next, Page, Params, ReadError, Request, Row, SearchError,
    Source,
};
pub use registry::{KINDS, Kind, build};
