use stoop_domain::{Time, Verdict};
use stoop_embedded::AlertFilter;
use stoop_market::{Segment, closes, first_day};

use super::{Derived, amount, unread};
use crate::cells::TableCell;
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
            TableCell::Text(&alert.id.0),
            TableCell::Text(&alert.rule),
            TableCell::Text(verdict),
            TableCell::text(why),
            TableCell::Text(alert.home.as_str()),
            TableCell::Time(alert.at),
            amount(Some(alert.from), currency),
            amount(Some(alert.to), currency),
            TableCell::Int(i32::try_from(alert.drop_bp).unwrap_or(i32::MAX)),
            TableCell::Text(currency.code()),
            TableCell::Text(&market),
            TableCell::Text(alert.market.area.as_str()),
            TableCell::text(alert.title.as_deref()),
            TableCell::text(alert.line.as_deref()),
            TableCell::text(alert.url.as_deref()),
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
            TableCell::of(minor, |minor| TableCell::Number(minor / 10_f64.powi(currency.minor_digits().cast_signed())))
        };
        for close in closes(&cells, Segment::All, first, today) {
            let mut row = vec![
                TableCell::Text(&name),
                TableCell::Text(market.area.as_str()),
                TableCell::Text(market.purpose.as_str()),
                TableCell::Text(currency.code()),
                TableCell::Date(close.day.0),
                TableCell::Long(close.active),
                TableCell::Long(close.unconfirmed),
                TableCell::Long(close.priced),
                major(close.median_price),
                major(close.mean_price),
            ];
            row.extend(flows_of(&close.flows).into_values().map(TableCell::Long));
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
            TableCell::Text(&run.id),
            TableCell::Text(&run.kind),
            TableCell::Text(&run.subject),
            TableCell::Time(run.began_at),
            TableCell::of(run.ended_at, TableCell::Time),
            TableCell::Text(run.outcome.as_str()),
            TableCell::text(run.message.as_deref()),
            TableCell::Text(&counts),
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
        let cells = [
            TableCell::Text(run),
            TableCell::Int(number),
            TableCell::Text(source),
            TableCell::Time(seen),
            TableCell::Text(&path),
        ];
        table.push(&cells).await?;
    }
    table.end().await
}

pub(super) async fn rejects(derived: &Derived<'_>, mut table: Replacement) -> Result<Replaced, LakeError> {
    for reject in derived.database.quarantined(usize::MAX).map_err(unread)?.into_iter().rev() {
        let cells = [
            TableCell::Text(&reject.source),
            TableCell::Time(reject.at),
            TableCell::Text(&reject.location),
            TableCell::Text(reject.reason.as_str()),
            TableCell::Text(&reject.detail),
            TableCell::Text(&reject.raw),
            TableCell::Long(reject.rows.cast_signed()),
        ];
        table.push(&cells).await?;
    }
    table.end().await
}
