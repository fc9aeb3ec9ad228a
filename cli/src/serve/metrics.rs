//! `/metrics`: the state of the database and of this server in Prometheus' text format 0.0.4.

#[cfg(test)]
mod dashboards;
mod exposition;
mod list;
mod server;
#[cfg(test)]
mod tests;

use stoop_domain::Time;
use stoop_embedded::{Database, Meters};
use stoop_pipeline::ports::{PortError, ShownWide, WideAreas};
use stoop_pipeline::{WideArea, WideLevel};
use stoop_serve::{Hours, MarketRow, Sum};

use exposition::Exposition;
pub(super) use exposition::MEDIA_TYPE;
pub(super) use server::{ServerMeter, Viewer};

/// The text for a database at `now`, a time of the clock, and its server.
///
/// # Errors
/// If the database cannot be read.
pub(super) async fn text(database: &Database, server: &ServerMeter, now: Time) -> Result<String, PortError> {
    let meters = database.meters()?;
    let mut text = Exposition::default();
    runs(&mut text, &meters);
    ledger(&mut text, &meters);
    stores(&mut text, &meters, now);
    accounts(&mut text, database, now)?;
    stock(&mut text, database, &meters).await?;
    server.show(&mut text);
    Ok(text.finish())
}

/// The counts of polls that are metrics on AWS, too.
const OF_POLLS: [(&str, &str); 8] = [
    ("ListingsSeen", "listings"),
    ("ObservationsConfirming", "confirmed"),
    ("ListingsHeldBack", "held_back"),
    ("PricesHeld", "prices_held"),
    ("FieldsDrifted", "drifts"),
    ("Contradictions", "contradictions"),
    ("FieldsDistrusted", "fields_distrusted"),
    ("ClockJumps", "clock_jumps"),
];

const OF_OUTCOMES: [(&str, &str); 4] = [
    ("PollsComplete", "complete"),
    ("PollsPartial", "partial"),
    ("PollsSkipped", "skipped"),
    ("PollsFailed", "failed"),
];

fn runs(text: &mut Exposition, meters: &Meters) {
    let polls = meters.runs.get("poll");
    let count = |name: &str| polls.and_then(|polls| polls.counts.get(name)).copied().unwrap_or(0);
    for (metric, outcome) in OF_OUTCOMES {
        text.one(metric, polls.and_then(|polls| polls.outcomes.get(outcome)).copied().unwrap_or(0));
    }
    for (metric, name) in OF_POLLS {
        text.one(metric, count(name));
    }
    text.one("ObservationsSent", count("sent") + count("gone"));
    text.one("LossesHeld", polls.map_or(0, |polls| polls.losses_held));
    for (metric, name) in [("Quarantined", "rejects"), ("ValuesRefused", "values_refused")] {
        text.one(metric, meters.runs.values().filter_map(|kind| kind.counts.get(name)).sum::<u64>());
    }
    for (kind, totals) in &meters.runs {
        for (outcome, runs) in &totals.outcomes {
            text.add("Runs", &[("kind", kind), ("outcome", outcome)], *runs);
        }
    }
}

fn ledger(text: &mut Exposition, meters: &Meters) {
    text.one("AlertsSent", meters.alerts);
    text.one("AlertsSuspect", meters.suspects);
    text.one("AlertsWithdrawnNow", meters.withdrawn);
    text.one("AlertsRefused", meters.dead_letters);
    for kept in &meters.quarantine {
        text.add("QuarantineKept", &[("source", &kept.source), ("reason", &kept.reason)], kept.count);
    }
}

fn stores(text: &mut Exposition, meters: &Meters, now: Time) {
    text.one("Homes", meters.homes);
    text.one("Markets", meters.markets);
    text.one("Observations", meters.observations);
    if let Some(newest) = meters.newest {
        text.seconds("NewestObservationAt", &[], newest.ms());
        // A demo's or a source's clock may be ahead.
        text.seconds("ObservationLag", &[], (now.ms() - newest.ms()).max(0));
    }
    text.one("ChangesWaiting", meters.changes);
    text.one("RecordsWaiting", meters.records);
    text.one("DatabaseBytes", meters.file_bytes);
    text.one("WriteAheadLogBytes", meters.log_bytes);
    text.one("LakeBytes", meters.lake_bytes);
}

/// Whether each account may be asked: its circuit breaker is open, or its server asked to wait.
fn accounts(text: &mut Exposition, database: &Database, now: Time) -> Result<(), PortError> {
    for (account, record) in database.accounts()? {
        text.add("AccountHeld", &[("account", &account)], u64::from(record.held(now).is_some()));
    }
    Ok(())
}

/// The stock of each country, from its stored sum.
async fn stock(text: &mut Exposition, database: &Database, meters: &Meters) -> Result<(), PortError> {
    let Some(newest) = meters.newest else { return Ok(()) };
    let markets = database.market_ids()?;
    let mut rows = Vec::new();
    let mut visit = |area: WideArea, shown: Option<ShownWide>| {
        let Some(shown) = shown else { return };
        let sum = Sum::Wide(&shown.sum, Hours::Known);
        rows.push(MarketRow::of_area(&area).with_figures(sum, newest));
    };
    WideAreas::each(database, WideLevel::Country, &markets, newest, &mut visit).await?;
    for row in rows {
        let Some(figures) = row.figures else { continue };
        let currency = row.currency.to_string();
        let labels = [("country", row.path.trim_end_matches('/')), ("purpose", row.purpose), ("currency", &currency)];
        text.add("HomesActive", &labels, figures.active.max(0).cast_unsigned());
        text.add("HomesUnconfirmed", &labels, figures.unconfirmed.max(0).cast_unsigned());
    }
    Ok(())
}
