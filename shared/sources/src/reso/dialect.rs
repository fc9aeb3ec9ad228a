use crate::limit::Limit;
use crate::link;

/// A vendor's dialect of the RESO Web API. The numbers come from the vendors' documents listed in docs/sources/reso.md.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Dialect {
    /// The standard without extensions.
    Plain,
    Trestle,
    MlsGrid,
    Bridge,
    Spark,
}

/// Limits on rows per page.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Top {
    pub(super) default: u32,
    pub(super) max: u32,
}

/// Answers above 32 MiB are not read, and rows with media are twice as large.
const TOP_WITH_MEDIA: u32 = 200;

impl Dialect {
    pub(super) const NAMES: [&str; 5] = ["plain", "trestle", "mlsgrid", "bridge", "spark"];

    /// Returns the dialect of this name; plain RESO for any other.
    pub(super) fn of(name: &str) -> Self {
        match name {
            "trestle" => Self::Trestle,
            "mlsgrid" => Self::MlsGrid,
            "bridge" => Self::Bridge,
            "spark" => Self::Spark,
            _ => Self::Plain,
        }
    }

    /// The field with the time of the server's last change to a row. Bridge copies `ModificationTimestamp` from the
    /// MLS, so that a row may appear with a time before the watermark; its own field follows its database.
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
            // Keys without the replication role use this host, which serves small pages.
            Self::Spark if link::origin(base).as_deref() == Some("https://sparkapi.com") => (25, 25),
            Self::Spark => (1_000, 1_000),
        };
        Top { default: if expands { TOP_WITH_MEDIA.min(default) } else { default }, max }
    }

    pub(super) fn limits(self) -> Vec<Limit> {
        match self {
            // No published limits: polite defaults.
            Self::Plain | Self::Spark => vec![Limit::pause(500)],
            Self::Trestle => vec![Limit::per_minute(180), Limit::per_hour(7_200)],
            // Exceeding these suspends the token.
            Self::MlsGrid => vec![
                Limit::per_second(2),
                Limit::per_hour(7_200),
                Limit::per_day(40_000),
                Limit::bytes_per_hour(4_000_000_000),
            ],
            // The limit per minute is a fifteenth of that per hour.
            Self::Bridge => vec![Limit::per_minute(333), Limit::per_hour(5_000)],
        }
    }

    /// How far before its watermark an incremental scan starts. Rows may appear with times that were already read:
    /// clocks of whole seconds, slow transactions, and Spark's cache of 20 minutes. Rows that are read again have the
    /// same content and are not published again.
    pub(super) fn look_back_ms(self) -> i64 {
        let minutes = if self == Self::Spark { 20 } else { 5 };
        minutes * 60 * stoop_domain::Time::SECOND_MS
    }

    /// The token endpoint, if it follows from the service's URL.
    pub(super) fn token_url(self, base: &str) -> Option<String> {
        let root = base.strip_suffix("/odata").filter(|_| self == Self::Trestle)?;
        Some(format!("{root}/oidc/connect/token"))
    }

    /// The default OAuth scope.
    pub(super) fn scope(self) -> Option<&'static str> {
        (self == Self::Trestle).then_some("api")
    }
}
