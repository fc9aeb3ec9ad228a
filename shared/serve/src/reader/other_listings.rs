use futures_util::{StreamExt, TryStreamExt, stream};
use stoop_domain::{Home, HomeId, Market, Time};
use stoop_pipeline::ports::PortError;

use super::Reader;
use crate::homes::{Listed, READS_AT_ONCE, open_homes};
use crate::{Allowance, AreaListings, NotCompared, OtherListings};

impl Reader<'_> {
    /// The other listings of a home, for pages and API: those on offer or under contract in its area, to sell and to let, that may
    /// be shown beside it. `all` are all markets. No more are compared than the allowance says.
    ///
    /// # Errors
    /// If a port fails.
    pub async fn other_listings(
        &self,
        id: &HomeId,
        home: &Home,
        all: &[Market],
        now: Time,
        allowance: &Allowance,
    ) -> Result<OtherListings, PortError> {
        let Some(facts) = home.history.current() else { return Ok(OtherListings::default()) };
        let may_be_shown = |home: &Home| home.may_be_shown_at(now) && home.others_may_be_shown();
        if !may_be_shown(home) {
            return Ok(OtherListings::not_compared(NotCompared::NotDisplayed));
        }
        let most = allowance.listings();
        let markets = all.iter().filter(|market| market.area == facts.market.area);
        let read = markets.map(|market| open_homes(self.browse, market, most, Listed::Listings));
        let mut read = stream::iter(read.collect::<Vec<_>>()).buffered(READS_AT_ONCE);
        let mut listings = AreaListings::ruled_by(self.browse.pair_rulings().await?);
        let mut count = listings.add(id.clone(), home.clone());
        while let Some(homes) = read.try_next().await? {
            let others = homes.into_iter().filter(|(other, _)| other != id);
            for (other, home) in others {
                count += 1;
                if may_be_shown(&home) {
                    listings.add(other, home);
                }
            }
            if count > most {
                return Ok(OtherListings::not_compared(NotCompared::TooManyListings));
            }
        }
        Ok(OtherListings { counts_once: self.browse.merges().await?, ..listings.others_of(id, now) })
    }
}
