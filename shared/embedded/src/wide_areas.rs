//! Wide areas for pages and the API.

use std::collections::BTreeSet;

use async_trait::async_trait;
use stoop_domain::{Market, Time};
use stoop_pipeline::ports::{PortError, ShownWide, VisitWide, WideAreas};
use stoop_pipeline::{WideArea, WideLevel};

use crate::database::Database;

/// Reads include all commits: they are never behind.
#[async_trait]
impl WideAreas for Database {
    async fn wide(&self, area: &WideArea, _markets: usize, now: Time) -> Result<Option<ShownWide>, PortError> {
        Ok(Self::wide(self, area, now)?.map(|sum| ShownWide { sum, rolled_up: None }))
    }

    async fn now(&self, area: &WideArea, _markets: usize, now: Time) -> Result<Option<ShownWide>, PortError> {
        let sum = self.reading(|| self.wide_now(area, now))?;
        Ok(sum.map(|sum| ShownWide { sum, rolled_up: None }))
    }

    fn may_lag(&self) -> bool {
        false
    }

    async fn each(
        &self,
        level: WideLevel,
        markets: &[Market],
        now: Time,
        visit: &mut VisitWide<'_>,
    ) -> Result<(), PortError> {
        let areas: BTreeSet<WideArea> = markets.iter().map(|market| WideArea::of(market, level)).collect();
        self.reading(|| {
            for area in &areas {
                let sum = self.wide_now(area, now)?;
                visit(area.clone(), sum.map(|sum| ShownWide { sum, rolled_up: None }));
            }
            Ok(())
        })
    }
}
