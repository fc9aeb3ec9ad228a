//! The repeat-listing index of an area.

use stoop_embedded::Database;
use stoop_market::{Cells, REPEAT_PAIRS_MIN, WIDE_SERIES_DAYS};
use stoop_pipeline::WideArea;
use stoop_pipeline::serve::{
    AreaView, FoundArea, Hours, MarketView, MergedId, RepeatMonthView, Sum, merged, repeat_days,
};

use super::states;
use crate::show::{Column, Page, SafeText, Table, or_unknown};

/// Adds the index to the markets of an area, from homes listed again in the last days.
pub(super) fn add(database: &Database, found: &FoundArea, view: &mut AreaView, days: u16) -> anyhow::Result<()> {
    let as_of = view.as_of;
    for market in &mut view.markets {
        let is_of = |id: &MergedId| id.purpose.as_str() == market.purpose && id.currency == market.currency;
        let Some(id) = found.markets.iter().map(MergedId::of).find(is_of) else { continue };
        if days <= WIDE_SERIES_DAYS
            && let Some(area) = WideArea::new(&found.path, id)
            && let Some(wide) = database.wide(&area, as_of)?
        {
            market.add_repeat_index(Sum::Wide(&wide, Hours::Known), days);
            continue;
        }
        let of_id = found.markets.iter().filter(|market| MergedId::of(market) == id).cloned();
        let found = FoundArea { markets: of_id.collect(), ..found.clone() };
        let sums = merged(states(database, &found, as_of, repeat_days(days))?);
        let sum = sums.into_iter().next().map_or_else(Cells::default, |(_, cells)| cells);
        market.add_repeat_index(Sum::Whole(&sum), days);
    }
    Ok(())
}

pub(super) fn repeat(market: &MarketView, page: &mut Page) {
    let Some(months) = &market.repeat_index else { return };
    page.heading("First asking prices of homes listed again");
    if months.is_empty() {
        page.line([format!("  fewer than {REPEAT_PAIRS_MIN} homes were listed again: no index").into()]);
        return;
    }
    let mut table = Table::new([Column::left("month"), Column::right("index"), Column::right("pairs")]);
    for RepeatMonthView { month, index, pairs, thin } in months {
        let index = or_unknown(index.map(|index| format!("{index:.1}")));
        let cells = [month.clone(), index, pairs.to_string()].map(SafeText::from);
        table.row(if *thin { cells.map(SafeText::dim) } else { cells });
    }
    page.table(table);
}
