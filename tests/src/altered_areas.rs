use async_trait::async_trait;
use stoop_domain::{Market, Time};
use stoop_pipeline::ports::{PortError, ShownWide, VisitWide, WideAreas};
use stoop_pipeline::{WideArea, WideLevel};

/// Real wide areas that `alter` changes: sums that lag, are missing or unreadable.
pub struct AlteredAreas<'a, F> {
    inner: &'a dyn WideAreas,
    alter: F,
}

impl<'a, F> AlteredAreas<'a, F>
where
    F: Fn(&WideArea, Option<ShownWide>) -> Result<Option<ShownWide>, PortError>,
{
    /// Passes each area through `alter`.
    pub fn new(inner: &'a dyn WideAreas, alter: F) -> Self {
        Self { inner, alter }
    }
}

#[async_trait]
impl<F> WideAreas for AlteredAreas<'_, F>
where
    F: Fn(&WideArea, Option<ShownWide>) -> Result<Option<ShownWide>, PortError> + Send + Sync,
{
    async fn wide(&self, area: &WideArea, markets: usize, now: Time) -> Result<Option<ShownWide>, PortError> {
        (self.alter)(area, self.inner.wide(area, markets, now).await?)
    }

    async fn now(&self, area: &WideArea, markets: usize, now: Time) -> Result<Option<ShownWide>, PortError> {
        (self.alter)(area, self.inner.now(area, markets, now).await?)
    }

    fn may_lag(&self) -> bool {
        true
    }

    async fn each(
        &self,
        level: WideLevel,
        markets: &[Market],
        now: Time,
        visit: &mut VisitWide<'_>,
    ) -> Result<(), PortError> {
        let mut failed = Ok(());
        let mut alter = |area: WideArea, shown| match (self.alter)(&area, shown) {
            Ok(shown) => visit(area, shown),
            Err(error) => failed = Err(error),
        };
        self.inner.each(level, markets, now, &mut alter).await?;
        failed
    }
}
