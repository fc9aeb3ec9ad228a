//! The roll-up function: from a tick to updated sums, on working and failing ports.

use std::sync::Mutex;
use std::sync::atomic::{AtomicUsize, Ordering};

use async_trait::async_trait;
use stoop_domain::{Day, Home, HomeId, Market, Time};
use stoop_emf::Meter;
use stoop_market::Cells;
use stoop_pipeline::ports::{
    CommitError, CountyRecord, MarketChange, MergedMarket, MergedMarkets, MergingTerms, PortError, RollUps, StoredSum,
    Versioned, WholeMarket,
};
use stoop_pipeline::{AreaSum, WideArea};
use stoop_rollup::{Generation, RollUpHandler, RollUpResponse};
use stoop_tests::made::minute;

use super::bench::{StandingClock, count_of, counted};

/// One changed market whose sums are all stored at once; or a table that fails.
#[derive(Default)]
struct Table {
    is_shut: bool,
    is_settled: Mutex<bool>,
    /// How many full checks there were.
    listed: AtomicUsize,
    /// Whether sums are refused.
    is_full: bool,
    /// Whether listings cannot be read.
    is_mute: bool,
    /// The marks of the county.
    marks: AtomicUsize,
}

fn market() -> Market {
    "us/wa/king/seattle/98103:sale:USD".parse().unwrap()
}

fn refused() -> PortError {
    PortError::unavailable("ask the table", "a made-up fault")
}

#[async_trait]
impl RollUps for Table {
    async fn changed(&self) -> Result<Vec<Market>, PortError> {
        if self.is_shut {
            return Err(refused());
        }
        Ok(if *self.is_settled.lock().unwrap() { Vec::new() } else { vec![market()] })
    }

    async fn markets(&self) -> Result<Vec<Market>, PortError> {
        self.listed.fetch_add(1, Ordering::SeqCst);
        Ok(vec![market()])
    }

    async fn whole(&self, markets: &[Market], _: Day) -> Result<Vec<Option<WholeMarket>>, PortError> {
        let whole = WholeMarket { version: 3, committed: minute(1), ..WholeMarket::default() };
        Ok(markets.iter().map(|_| Some(whole.clone())).collect())
    }

    async fn settle(&self, markets: &[(Market, u64)]) -> Result<(), PortError> {
        *self.is_settled.lock().unwrap() = markets == [(market(), 3)];
        Ok(())
    }

    async fn sum(&self, _: &WideArea) -> Result<StoredSum, PortError> {
        Ok(StoredSum::default())
    }

    async fn put(&self, _: &WideArea, _: &AreaSum, _: &StoredSum) -> Result<bool, PortError> {
        if self.is_full { Err(refused()) } else { Ok(true) }
    }
}

/// Merges nothing.
#[async_trait]
impl MergedMarkets for Table {
    async fn counties(&self) -> Result<Vec<CountyRecord>, PortError> {
        let changes = self.marks.load(Ordering::SeqCst) as u64;
        let county = CountyRecord { county: "us/wa/king".into(), changes, ..CountyRecord::default() };
        Ok(if changes > 0 { vec![county] } else { Vec::new() })
    }

    async fn mark(&self, _: &str) -> Result<(), PortError> {
        self.marks.fetch_add(1, Ordering::SeqCst);
        Ok(())
    }

    async fn settle(&self, _: &CountyRecord) -> Result<(), PortError> {
        self.marks.store(0, Ordering::SeqCst);
        Ok(())
    }

    async fn listings(&self, _: &[Market], _: usize) -> Result<Option<Vec<(HomeId, Home)>>, PortError> {
        if self.is_mute { Err(refused()) } else { Ok(Some(Vec::new())) }
    }

    async fn merged(&self, _: &Market) -> Result<MergedMarket, PortError> {
        Ok(MergedMarket::default())
    }

    async fn whole(&self, _: &Market) -> Result<Option<(Versioned<Cells>, MergedMarket)>, PortError> {
        Ok(None)
    }

    async fn replace(&self, change: &MarketChange<'_>, _: &MergedMarket) -> Result<(), CommitError> {
        panic!("{} has nothing to merge", change.market)
    }
}

async fn tick(app: &RollUpHandler<'_>, deadline: Time) -> Result<RollUpResponse, String> {
    app.handle(deadline).await.map_err(|error| stoop_pipeline::with_causes(&error))
}

fn app<'a>(tables: &[&'a Table], clock: &'a StandingClock, meter: &'a Meter) -> RollUpHandler<'a> {
    let named = |(index, table): (usize, &&'a Table)| Generation {
        table: format!("markets-{index}"),
        areas: *table,
        merged: *table,
    };
    let tables = tables.iter().enumerate().map(named).collect();
    RollUpHandler { tables, terms: None, clock, meter, checked_on: <_>::default(), marked_on: <_>::default() }
}

#[tokio::test]
async fn listings_that_cannot_be_merged_are_an_error_and_stop_no_roll_up() {
    let (table, meter) = (Table { is_mute: true, ..Table::default() }, Meter::new("stoop", "rollup"));
    let clock = StandingClock::at(minute(4));
    let app = RollUpHandler { terms: Some(MergingTerms::default()), ..app(&[&table], &clock, &meter) };
    let failed = tick(&app, minute(9)).await.unwrap_err();
    assert_eq!(failed, "the listings of 1 counties of the table markets-0 could not be merged");
    assert!(*table.is_settled.lock().unwrap());
    let cured = Table { is_mute: false, marks: AtomicUsize::new(1), ..Table::default() };
    let app =
        RollUpHandler { tables: vec![Generation { table: "markets-0".into(), areas: &cured, merged: &cured }], ..app };
    tick(&app, minute(9)).await.unwrap();
    assert_eq!(cured.marks.load(Ordering::SeqCst), 0);
}

#[tokio::test]
async fn changes_are_rolled_up_in_every_table_and_counted() {
    let (a, b, meter) = (Table::default(), Table::default(), Meter::new("stoop", "rollup"));
    let clock = StandingClock::at(minute(4));
    let app = app(&[&a, &b], &clock, &meter);
    let answer = tick(&app, minute(9)).await.unwrap();
    assert_eq!(answer, RollUpResponse { rolled_up: 2, left: 0 });
    let metrics = counted(&meter);
    assert_eq!((metrics.len(), count_of(&metrics, "RollUpLagMs")), (1, 2), "one metric is paid for: {metrics:?}");
    assert_eq!(tick(&app, minute(9)).await.unwrap(), RollUpResponse::default(), "nothing changed since");
    assert_eq!(a.listed.load(Ordering::SeqCst), 1, "everything is checked once a day");
}

#[tokio::test]
async fn a_failing_table_is_an_error_and_does_not_block_the_others() {
    let shut = Table { is_shut: true, ..Table::default() };
    let (open, meter) = (Table::default(), Meter::new("stoop", "rollup"));
    let failed = tick(&app(&[&shut, &open], &StandingClock::at(minute(4)), &meter), minute(9)).await.unwrap_err();
    assert_eq!(
        failed,
        "the changed markets of the table markets-0 could not be listed: ask the table: a made-up fault"
    );
    assert!(*open.is_settled.lock().unwrap());
}

#[tokio::test]
async fn an_area_that_cannot_be_stored_is_an_error_and_left_to_the_next_tick() {
    let full = Table { is_full: true, ..Table::default() };
    let (open, meter) = (Table::default(), Meter::new("stoop", "rollup"));
    let failed = tick(&app(&[&full, &open], &StandingClock::at(minute(4)), &meter), minute(9)).await.unwrap_err();
    assert_eq!(failed, "1 areas of the table markets-0 could not be rolled up");
    assert!(!*full.is_settled.lock().unwrap() && *open.is_settled.lock().unwrap());
}

#[tokio::test]
async fn with_no_time_left_nothing_is_begun() {
    let (table, meter) = (Table::default(), Meter::new("stoop", "rollup"));
    let answer = tick(&app(&[&table], &StandingClock::at(minute(4)), &meter), minute(5)).await.unwrap();
    assert_eq!(answer, RollUpResponse { rolled_up: 0, left: 1 });
}
