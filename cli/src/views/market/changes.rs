//! How an area changed, and what is unusual for it.

use stoop_market::THIN_SAMPLE;
use stoop_pipeline::serve::{ChangeView, MarketView};

use crate::show::{self, Column, Page, SafeText, Table, UNKNOWN, or_unknown};

/// The changes since earlier days.
pub(super) fn changes(market: &MarketView, page: &mut Page) {
    if market.changes.is_empty() {
        return;
    }
    let mut table = Table::new([
        Column::left("since"),
        Column::right("days"),
        Column::right("active then"),
        Column::right("change"),
        Column::right("median then"),
        Column::right("change"),
        Column::right("priced then").optional(1),
    ]);
    for ChangeView { days, since, active, active_change, priced, median_price, median_price_change, thin } in
        &market.changes
    {
        let price = or_unknown(median_price.map(|price| show::price(price, market.currency)));
        let price = SafeText::from(price);
        let dim = |text: String| if *thin { SafeText::from(text).dim() } else { text.into() };
        table.row([
            since.as_str().into(),
            days.to_string().into(),
            show::whole(*active).into(),
            dim(signed(*active_change)),
            if *priced < THIN_SAMPLE { price.dim() } else { price },
            dim(signed(*median_price_change)),
            show::whole(*priced).into(),
        ]);
    }
    page.heading("Change").table(table);
}

/// What of the last week is unusual, in words.
pub(super) fn unusual(market: &MarketView, page: &mut Page) {
    if market.unusual.is_empty() {
        return;
    }
    page.heading("Unusual for this area");
    for unusual in &market.unusual {
        let line = SafeText::from(format!("  {}", unusual.sentence()));
        let is_thin = unusual.figure == "median_price_change" && market.figures.thin;
        page.hung(4, [if is_thin { line.dim() } else { line }]);
    }
}

/// A relative change with its sign: `+3.2 %`.
pub(crate) fn signed(change: Option<f64>) -> String {
    change.map_or_else(
        || UNKNOWN.to_owned(),
        |change| {
            let sign = if change > 0.0 { "+" } else { "" };
            format!("{sign}{}", show::percent(change))
        },
    )
}
