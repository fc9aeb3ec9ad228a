use stoop_domain::{Time, Verdict};
use stoop_embedded::AlertFilter;
use stoop_market::{Segment, closes, first_day};

use super::{Derived, amount, unread};
use crate::cells::Cell;
use crate::error::{LakeError, doing};
use crate::replace::{Replaced, Replacement};
use crate::specs::flows_of;

pub(super) async fn alerts(derived: &Derived<'_>, mut table: Replacement) -> Result<Replaced, LakeError> {
    let mut alerts = derived.database.alerts(AlertFilter::All, usize::MAX).map_err(unread)?;
    alerts.sort_by(|one, other| (one.at, &one.id.0).cmp(&(other.at, &other.id.0)));
    for alert in alerts {
        let (market, currency) = (alert.market.to_string(), alert.market.currency);
        let (verdict, why) = match &alert.verdict {
            Verdict::Alert => ("alert", None),
            Verdict::Suspect(why) => ("suspect", Some(why.as_str())),
        };
        let cells = [
            Cell::Text(&alert.id.0),
            Cell::Text(&alert.rule),
            Cell::Text(verdict),
            Cell::text(why),
            Cell::Text(alert.home.as_str()),
            Cell::Time(alert.at),
            amount(Some(alert.from), currency),
            amount(Some(alert.to), currency),
            Cell::Int(i32::try_from(alert.drop_bp).unwrap_or(i32::MAX)),
            Cell::Text(currency.code()),
            Cell::Text(&market),
            Cell::Text(alert.market.area.as_str()),
            Cell::text(alert.title.as_deref()),
            Cell::text(alert.line.as_deref()),
            Cell::text(alert.url.as_deref()),
        ];
        table.push(&cells).await?;
    }
    table.end().await
}

pub(super) async fn market_days(derived: &Derived<'_>, mut table: Replacement) -> Result<Replaced, LakeError> {
    for market in derived.database.market_ids().map_err(unread)? {
        let Some(cells) = derived.database.cells(&market).map_err(unread)? else { continue };
        let cells = cells.with_archive(&derived.database.archive(&market).map_err(unread)?);
        let Some(first) = first_day(&cells) else { continue };
        let today = derived.now.day_in(&market.area.country().zone);
        let (name, currency) = (market.to_string(), market.currency);
        let major = |minor: Option<f64>| {
            Cell::of(minor, |minor| Cell::Number(minor / 10_f64.powi(currency.minor_digits().cast_signed())))
        };
        for close in closes(&cells, Segment::All, first, today) {
            let mut row = vec![
                Cell::Text(&name),
                Cell::Text(market.area.as_str()),
                Cell::Text(market.purpose.as_str()),
                Cell::Text(currency.code()),
                Cell::Date(close.day.0),
                Cell::Long(close.active),
                Cell::Long(close.unconfirmed),
                Cell::Long(close.priced),
                major(close.median_price),
                major(close.mean_price),
            ];
            row.extend(flows_of(&close.flows).into_values().map(Cell::Long));
            table.push(&row).await?;
        }
    }
    table.end().await
}

pub(super) async fn runs(derived: &Derived<'_>, mut table: Replacement) -> Result<Replaced, LakeError> {
    // The last ones come first.
    for run in derived.database.runs(usize::MAX).map_err(unread)?.into_iter().rev() {
        let counts = serde_json::to_string(&run.counts).map_err(doing("write the counts of a run"))?;
        let cells = [
            Cell::Text(&run.id),
            Cell::Text(&run.kind),
            Cell::Text(&run.subject),
            Cell::Time(run.began_at),
            Cell::of(run.ended_at, Cell::Time),
            Cell::Text(run.outcome.as_str()),
            Cell::text(run.message.as_deref()),
            Cell::Text(&counts),
        ];
        table.push(&cells).await?;
    }
    table.end().await
}

pub(super) async fn raw_pages(derived: &Derived<'_>, mut table: Replacement) -> Result<Replaced, LakeError> {
    let runs = derived.database.runs(usize::MAX).map_err(unread)?;
    let mut pages: Vec<(&str, Time, &str, i32, &str)> = Vec::new();
    for run in &runs {
        if let Some(read) = &run.raw_pages {
            let page = |(number, seen): (i32, &Time)| (&*read.source, *seen, &*run.id, number, &*read.folder);
            pages.extend((0..).zip(&read.seen).map(page));
        }
    }
    pages.sort_unstable();
    for (source, seen, run, number, folder) in pages {
        let path = format!("{folder}/{number}.zst");
        let cells = [Cell::Text(run), Cell::Int(number), Cell::Text(source), Cell::Time(seen), Cell::Text(&path)];
        table.push(&cells).await?;
    }
    table.end().await
}

pub(super) async fn rejects(derived: &Derived<'_>, mut table: Replacement) -> Result<Replaced, LakeError> {
    for reject in derived.database.quarantined(usize::MAX).map_err(unread)?.into_iter().rev() {
        let cells = [
            Cell::Text(&reject.source),
            Cell::Time(reject.at),
            Cell::Text(&reject.location),
            Cell::Text(reject.reason.as_str()),
            Cell::Text(&reject.detail),
            Cell::Text(&reject.raw),
            Cell::Long(reject.rows.cast_signed()),
        ];
        table.push(&cells).await?;
    }
    table.end().await
}
