//! How an area changed, and what is unusual for it.

use stoop_market::THIN_SAMPLE;
use stoop_pipeline::serve::{ChangeView, MarketView};

use crate::show::{self, Column, Page, SafeText, Table, UNKNOWN, or_unknown};

/// The changes since earlier days.
pub(super) fn changes(market: &MarketView, page: &mut Page) {
    if market.changes.is_empty() {
        return;
    }
    let has_mix = market.changes.iter().any(|change| change.mix_adjusted_change.is_some());
    let mix = [Column::right("mix-adjusted"), Column::right("compared").optional(2)];
    let columns = [
        Column::left("since"),
        Column::right("days"),
        Column::right("active then"),
        Column::right("change"),
        Column::right("median then"),
        Column::right("change"),
    ];
    let columns = columns.into_iter().chain(mix.into_iter().filter(|_| has_mix));
    let mut table = Table::new(columns.chain([Column::right("priced then").optional(1)]));
    for change in &market.changes {
        let ChangeView { days, since, active, active_change, priced, median_price, median_price_change, .. } = change;
        let ChangeView { mix_adjusted_change, mix_matched_share, thin, .. } = change;
        let price = or_unknown(median_price.map(|price| show::price(price, market.currency)));
        let price = SafeText::from(price);
        let dim = |text: String| if *thin { SafeText::from(text).dim() } else { text.into() };
        let mix = [dim(signed(*mix_adjusted_change)), or_unknown(mix_matched_share.map(show::percent)).into()];
        let cells = [
            since.as_str().into(),
            days.to_string().into(),
            show::whole(*active).into(),
            dim(signed(*active_change)),
            if *priced < THIN_SAMPLE { price.dim() } else { price },
            dim(signed(*median_price_change)),
        ];
        let cells = cells.into_iter().chain(mix.into_iter().filter(|_| has_mix));
        table.row(cells.chain([show::whole(*priced).into()]));
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
