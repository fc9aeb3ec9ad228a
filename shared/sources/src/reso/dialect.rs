use crate::limit::Limit;
use crate::link;

/// A vendor's way of serving the RESO Web API. Figures are those of the vendors' documents, as docs/sources/reso.md
/// names them.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Dialect {
    /// The standard and nothing else.
    Plain,
    Trestle,
    MlsGrid,
    Bridge,
    Spark,
}

/// How many rows a page may have.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Top {
    pub(super) default: u32,
    pub(super) max: u32,
}

/// An answer of more than 32 MiB is not read, and rows with their media are twice as large as without.
const TOP_WITH_MEDIA: u32 = 200;

impl Dialect {
    pub(super) const NAMES: [&str; 5] = ["plain", "trestle", "mlsgrid", "bridge", "spark"];

    /// The dialect of this name; the standard for any other.
    pub(super) fn of(name: &str) -> Self {
        match name {
            "trestle" => Self::Trestle,
            "mlsgrid" => Self::MlsGrid,
            "bridge" => Self::Bridge,
            "spark" => Self::Spark,
            _ => Self::Plain,
        }
    }

    /// The field that says when the server last changed a row. Bridge takes `ModificationTimestamp` from the MLS as it
    /// is, so that a row may appear under a time that lies behind a watermark; its own field moves with its database.
    pub(super) fn clock(self) -> &'static str {
        if self == Self::Bridge { "BridgeModificationTimestamp" } else { "ModificationTimestamp" }
    }

    pub(super) fn top(self, base: &str, replication: bool, expands: bool) -> Top {
        let (default, max) = match self {
            Self::Plain => (1_000, 5_000),
            Self::Trestle => (1_000, 1_000),
            Self::MlsGrid if expands => (1_000, 1_000),
            Self::MlsGrid => (1_000, 5_000),
            Self::Bridge if replication => (500, 2_000),
            Self::Bridge => (200, 200),
            // Keys without the replication role are served from this host, and get small pages there.
            Self::Spark if link::origin(base).as_deref() == Some("https://sparkapi.com") => (25, 25),
            Self::Spark => (1_000, 1_000),
        };
        Top { default: if expands { TOP_WITH_MEDIA.min(default) } else { default }, max }
    }

    pub(super) fn limits(self) -> Vec<Limit> {
        match self {
            // No figures are published: polite ones.
            Self::Plain | Self::Spark => vec![Limit::pause(500)],
            Self::Trestle => vec![Limit::per_minute(180), Limit::per_hour(7_200)],
            // Who asks for more has the token suspended.
            Self::MlsGrid => vec![
                Limit::per_second(2),
                Limit::per_hour(7_200),
                Limit::per_day(40_000),
                Limit::bytes_per_hour(4_000_000_000),
            ],
            // A minute has a fifteenth of the hour's.
            Self::Bridge => vec![Limit::per_minute(333), Limit::per_hour(5_000)],
        }
    }

    /// How far before its watermark an incremental scan begins. Rows may appear under a time at or before one that was
    /// read already: a clock of whole seconds, a transaction that was slow to commit; Spark answers from a cache for 20
    /// minutes. What is read again is known by its content and costs nothing.
    pub(super) fn look_back_ms(self) -> i64 {
        let minutes = if self == Self::Spark { 20 } else { 5 };
        minutes * 60 * stoop_domain::Time::SECOND_MS
    }

    /// Where tokens are to be had, if it follows from the service's address.
    pub(super) fn token_url(self, base: &str) -> Option<String> {
        let root = base.strip_suffix("/odata").filter(|_| self == Self::Trestle)?;
        Some(format!("{root}/oidc/connect/token"))
    }

    /// The scope that tokens are asked for in, when none is named.
    pub(super) fn scope(self) -> Option<&'static str> {
        (self == Self::Trestle).then_some("api")
    }
}
