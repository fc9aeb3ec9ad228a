//! The repeat-listing index of an area.

use stoop_market::REPEAT_PAIRS_MIN;
use stoop_serve::{MarketView, RepeatMonthView};

use crate::show::{Column, Page, SafeText, Table, or_unknown};

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
