use std::sync::{Arc, Mutex, PoisonError};

use stoop_domain::{Currency, Market, Purpose, Time};

use super::error::ApiError;
use crate::{AreaError, FoundArea, find_area};
use stoop_pipeline::ports::{PortError, Views};

/// The cached names of all markets: every request needs them, and they seldom change.
#[derive(Default)]
pub(super) struct KnownMarkets {
    read: Mutex<Option<(Time, Arc<[Market]>)>>,
}

const KEPT_MS: i64 = 60 * Time::SECOND_MS;
/// A name that is not found is searched again if the cache is older than this.
const KEPT_ON_MISS_MS: i64 = 5 * Time::SECOND_MS;
/// Some 20 MB of names. A longer list is not cached.
const KEPT_MARKETS_MAX: usize = 100_000;

impl KnownMarkets {
    /// The names of all markets, in order.
    pub(super) async fn all(&self, views: &dyn Views, now: Time) -> Result<Arc<[Market]>, PortError> {
        self.younger_than(KEPT_MS, views, now).await
    }

    /// The area that a query means.
    pub(super) async fn area(&self, views: &dyn Views, query: &str, now: Time) -> Result<FoundArea, ApiError> {
        match find_area(query, &self.younger_than(KEPT_MS, views, now).await?) {
            Err(AreaError::NoSuchArea { .. } | AreaError::NotWatched { .. }) => {
                Ok(find_area(query, &self.younger_than(KEPT_ON_MISS_MS, views, now).await?)?)
            }
            found => Ok(found?),
        }
    }

    async fn younger_than(&self, age_ms: i64, views: &dyn Views, now: Time) -> Result<Arc<[Market]>, PortError> {
        // After the clock was set back the age is negative: then they are read again.
        let young = |read: Time| (0..age_ms).contains(&(now.ms() - read.ms()));
        if let Some((_, markets)) = self.lock().as_ref().filter(|(read, _)| young(*read)) {
            return Ok(Arc::clone(markets));
        }
        let mut markets = views.market_ids().await?;
        markets.sort_unstable();
        let markets: Arc<[Market]> = markets.into();
        // A stack without markets is about to get its first one.
        let kept = !markets.is_empty() && markets.len() <= KEPT_MARKETS_MAX;
        *self.lock() = kept.then(|| (now, Arc::clone(&markets)));
        Ok(markets)
    }

    /// A panic elsewhere cannot leave a half-written list: the value is replaced whole.
    fn lock(&self) -> std::sync::MutexGuard<'_, Option<(Time, Arc<[Market]>)>> {
        self.read.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// A query with its purpose and currency, in the form that [`find_area`] takes.
pub(super) fn narrowed(area: &str, purpose: Option<Purpose>, currency: Option<Currency>) -> String {
    let purpose = purpose.map(|purpose| format!(":{}", purpose.as_str()));
    let currency = currency.map(|currency| format!(":{currency}"));
    [area, &purpose.unwrap_or_default(), &currency.unwrap_or_default()].concat()
}
