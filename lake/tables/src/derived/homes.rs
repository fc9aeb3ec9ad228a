use stoop_domain::{Doubt, EventKind, HOME_FIELDS, Home, HomeId, Phase, PriceChange, Step, Time};

use super::amount;
use crate::cells::TableCell;
use crate::error::LakeError;
use crate::observation::{HomeCells, area_cells};
use crate::replace::Replacement;

pub(super) async fn push_intervals(table: &mut Replacement, id: &HomeId, home: &Home) -> Result<(), LakeError> {
    let steps = home.history.steps();
    for (at, step) in steps.iter().enumerate() {
        let (interval, facts) = (&step.interval, step.interval.facts);
        let (market, currency) = (facts.market.to_string(), facts.market.currency);
        let event = event_of(step);
        let area = facts.living_area.and_then(|area| area_cells("living_area", area).ok());
        let number = i32::try_from(at + 1).unwrap_or(i32::MAX);
        let cells = [
            TableCell::Text(id.as_str()),
            TableCell::Int(number),
            TableCell::Time(interval.first),
            TableCell::of(steps.get(at + 1).map(|next| next.interval.first), TableCell::Time),
            TableCell::Time(interval.last),
            TableCell::of(interval.expires, TableCell::Time),
            TableCell::Text(facts.status.as_str()),
            TableCell::Flag(facts.status.phase() == Phase::Active),
            TableCell::Text(facts.market.purpose.as_str()),
            TableCell::Text(currency.code()),
            amount(facts.list_price, currency),
            TableCell::text(step.doubtful.map(Doubt::as_str)),
            amount(facts.original_list_price, currency),
            amount(facts.close_price, currency),
            TableCell::of(facts.close_date, |day| TableCell::Date(day.0)),
            TableCell::Text(&market),
            TableCell::Text(facts.market.area.as_str()),
            TableCell::text(facts.property_type.map(stoop_domain::PropertyType::as_str)),
            TableCell::of(facts.bedrooms, |count| TableCell::Int(count.into())),
            TableCell::of(area, |(_, _, metric)| TableCell::Decimal(metric)),
            TableCell::Time(step.spell.opened_at),
            TableCell::text(Some(event.as_str()).filter(|event| !event.is_empty())),
        ];
        table.push(&cells).await?;
    }
    Ok(())
}

/// What happened when the interval began.
fn event_of(step: &Step<'_>) -> String {
    let change = step.change.map(|PriceChange { from, to }| match to < from {
        true => EventKind::PriceCut,
        false => EventKind::PriceRise,
    });
    let sold = step.sold.map(|_| EventKind::Sold);
    let events = [step.exit.map(EventKind::from), step.entry.map(EventKind::from), change, sold];
    events.into_iter().flatten().map(EventKind::as_str).collect::<Vec<_>>().join(",")
}

pub(super) async fn push_home(table: &mut Replacement, id: &HomeId, home: &Home, now: Time) -> Result<(), LakeError> {
    let (Some(facts), Some((first, last)), Some(status)) =
        (home.history.current(), home.history.seen(), home.history.status_at(now))
    else {
        return Ok(());
    };
    let (source, native_id) = id.as_str().split_once('/').unwrap_or((id.as_str(), ""));
    let (market, currency) = (facts.market.to_string(), facts.market.currency);
    let steps = home.history.steps();
    let count = |number: usize| TableCell::Int(i32::try_from(number).unwrap_or(i32::MAX));
    let changes = || steps.iter().filter_map(|step| step.change);
    let mut cells = vec![
        TableCell::Text(id.as_str()),
        TableCell::Text(source),
        TableCell::Text(native_id),
        TableCell::Time(first),
        TableCell::Time(last),
        TableCell::of(home.history.listed_at(), TableCell::Time),
        TableCell::Text(status.as_str()),
        TableCell::Flag(status.phase() == Phase::Active),
        TableCell::Text(facts.market.purpose.as_str()),
        TableCell::Text(currency.code()),
        amount(facts.list_price, currency),
        amount(facts.original_list_price, currency),
        amount(facts.close_price, currency),
        TableCell::of(facts.close_date, |day| TableCell::Date(day.0)),
        TableCell::Text(&market),
        TableCell::Text(facts.market.area.as_str()),
    ];
    cells.extend(facts.market.area.levels().map(|name| TableCell::text(Some(name).filter(|name| *name != "-"))));
    cells.extend([
        count(steps.len()),
        count(changes().filter(|change| change.to < change.from).count()),
        count(changes().filter(|change| change.to > change.from).count()),
    ]);
    let values: Vec<HomeCells> = HOME_FIELDS
        .iter()
        .zip(home.values())
        .map(|(field, value)| HomeCells::of(field, value, currency).unwrap_or_else(|_| HomeCells::none(field)))
        .collect();
    values.iter().for_each(|value| value.push(&mut cells));
    let coordinates = home.coordinates();
    cells.extend([
        TableCell::text(home.title()),
        TableCell::text(home.line()),
        TableCell::of(coordinates, |(latitude, _)| TableCell::Decimal(latitude.into())),
        TableCell::of(coordinates, |(_, longitude)| TableCell::Decimal(longitude.into())),
        TableCell::text(home.url()),
    ]);
    table.push(&cells).await
}

pub(super) async fn push_changes(table: &mut Replacement, id: &HomeId, home: &Home) -> Result<(), LakeError> {
    for event in home.events() {
        let Some(change) = event.change else { continue };
        let (market, currency) = (event.market.to_string(), event.market.currency);
        let cells = [
            TableCell::Text(id.as_str()),
            TableCell::Time(event.at),
            TableCell::Text(event.kind.as_str()),
            TableCell::Flag(matches!(event.kind, EventKind::ReportedCut | EventKind::ReportedRise)),
            amount(Some(change.from), currency),
            amount(Some(change.to), currency),
            TableCell::of(percent(change), TableCell::Decimal),
            TableCell::Text(event.market.purpose.as_str()),
            TableCell::Text(currency.code()),
            TableCell::Text(&market),
            TableCell::Text(event.market.area.as_str()),
        ];
        // Both prices are required; those that do not fit are in no figure either.
        if !cells[4..6].contains(&TableCell::Null) {
            table.push(&cells).await?;
        }
    }
    Ok(())
}

/// The change in ten-thousandths of a percent, rounded half away from zero.
fn percent(change: PriceChange) -> Option<i128> {
    let (from, to) = (i128::from(change.from.0), i128::from(change.to.0));
    if from <= 0 {
        return None;
    }
    let twice = (to - from) * 2_000_000 / from;
    let rounded = (twice + twice.signum()) / 2;
    // Eighteen digits: the column's.
    (rounded.abs() < 1_000_000_000_000_000_000).then_some(rounded)
}

#[cfg(test)]
mod tests {
    use stoop_domain::Minor;

    use super::*;

    #[test]
    fn a_change_is_rounded_to_four_decimals_of_a_percent() {
        let of = |from, to| percent(PriceChange { from: Minor(from), to: Minor(to) });
        assert_eq!(of(100, 85), Some(-150_000));
        assert_eq!(of(300, 200), Some(-333_333));
        assert_eq!(of(300, 400), Some(333_333));
        assert_eq!(of(600, 700), Some(166_667));
        assert_eq!(of(600, 500), Some(-166_667));
        assert_eq!(of(0, 5), None);
        assert_eq!(of(1, i64::MAX), None);
    }
}
