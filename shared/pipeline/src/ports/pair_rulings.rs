use async_trait::async_trait;
use stoop_domain::{HomeId, Time};
use stoop_identity::PairRuling;

use super::PortError;

/// Takes what people rule on pairs of listings.
#[async_trait]
pub trait PairRulingLedger: Send + Sync {
    /// Stores a ruling on two listings at `now`, in the name of `by` and in place of an earlier one; `None` takes that back.
    /// Where each home counts once, figures follow. Returns whether that changed anything. Refused if a listing is not stored,
    /// if they are the same one, or if they are in two counties.
    async fn rule_pair(
        &self,
        listings: (&HomeId, &HomeId),
        ruling: Option<PairRuling>,
        by: &str,
        now: Time,
    ) -> Result<bool, PortError>;
}
