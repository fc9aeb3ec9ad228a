use std::fmt;
use std::sync::Arc;

use aws_sdk_dynamodb::Client;
use stoop_pipeline::Clock;

use super::market::Heads;
use crate::lake::Lake;

/// The state on DynamoDB: a table of homes, whose stream is the change feed, and a table of markets.
///
/// A commit is one `TransactWriteItems`; each item has the condition that its version is still the one that was read.
/// The transaction holds everything that must not happen twice; the rest happens before it: observations go to the
/// lake, and a market's new base is written next to the old one.
///
/// If the response to the transaction is lost (a timeout, a broken connection) and the SDK's retries fail too,
/// [`Store::commit`] fails with a [`PortError`] although the commit may be stored. Retrying is safe: the caller reads
/// again, or gets a conflict, and finds its change already stored.
///
/// [`Store::commit`]: stoop_pipeline::ports::Store::commit
/// [`PortError`]: stoop_pipeline::ports::PortError
pub struct DynamoStore {
    pub(super) client: Client,
    pub(super) homes: String,
    pub(super) markets: String,
    pub(super) lake: Arc<dyn Lake>,
    pub(super) clock: Arc<dyn Clock>,
    pub(super) heads: Heads,
    pub(super) is_quiet: bool,
}

impl DynamoStore {
    /// A store in these two tables, with the lake for its observations. The clock dates the figures written with a
    /// market's state.
    #[must_use]
    pub fn new(
        client: Client,
        homes_table: impl Into<String>,
        markets_table: impl Into<String>,
        lake: Arc<dyn Lake>,
        clock: Arc<dyn Clock>,
    ) -> Self {
        let (homes, markets) = (homes_table.into(), markets_table.into());
        Self { client, homes, markets, lake, clock, heads: Heads::default(), is_quiet: false }
    }

    /// The same store, with commits that cause no alerts: `notable` is false in every home that it writes, so that the
    /// change feed's mapping passes none of them to the alerts function. For a state that is recomputed ([ADR
    /// 0040](../../../docs/adr/0040-generations-on-aws.md)).
    #[must_use]
    pub fn quiet(self) -> Self {
        Self { is_quiet: true, ..self }
    }
}

impl fmt::Debug for DynamoStore {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("DynamoStore")
            .field("homes", &self.homes)
            .field("markets", &self.markets)
            .field("is_quiet", &self.is_quiet)
            .finish_non_exhaustive()
    }
}
