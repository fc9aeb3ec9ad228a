//! How an area changed, and what is unusual for it.

use stoop_market::THIN_SAMPLE;
use stoop_serve::{ChangeView, ConfidenceInterval, MarketView};

use crate::show::{self, Column, Page, SafeText, Table, UNKNOWN, or_unknown};

/// The changes since earlier days.
pub(super) fn changes(market: &MarketView, page: &mut Page) {
    if market.changes.is_empty() {
        return;
    }
    let has_mix = market.changes.iter().any(|change| change.mix_adjusted_change.is_some());
    let mix = [Column::right("same mix"), Column::right("compared").optional(3)];
    let columns = [Column::left("since"), Column::right("days")];
    let columns = columns.into_iter().chain(mix.into_iter().filter(|_| has_mix));
    let mut table = Table::new(columns.chain([
        Column::right("median then"),
        Column::right("change"),
        Column::right("active then"),
        Column::right("change"),
        Column::right("priced then").optional(2),
    ]));
    for change in &market.changes {
        let ChangeView { days, since, active, active_change, priced, median_price, median_price_change, .. } = change;
        let ChangeView { mix_adjusted_change, mix_matched_share, thin, .. } = change;
        let price = or_unknown(median_price.map(|price| show::price(price, market.currency)));
        let price = SafeText::from(price);
        let dim = |text: String| if *thin { SafeText::from(text).dim() } else { text.into() };
        let mix = [
            noisy(*mix_adjusted_change, change.mix_adjusted_change_interval, *thin),
            or_unknown(mix_matched_share.map(show::percent)).into(),
        ];
        let cells = [since.as_str().into(), days.to_string().into()];
        let cells = cells.into_iter().chain(mix.into_iter().filter(|_| has_mix));
        table.row(cells.chain([
            if *priced < THIN_SAMPLE { price.dim() } else { price },
            noisy(*median_price_change, change.median_price_change_interval, *thin),
            show::whole(*active).into(),
            dim(signed(*active_change)),
            show::whole(*priced).into(),
        ]));
    }
    let note = "  same mix: asking prices at a constant mix of types and bedrooms. ±: the reach of chance in 19 of 20 cases; dim: \
                no clear change, or a thin sample";
    page.heading("Change").table(table).hung(4, [SafeText::from(note).dim()]);
}

/// A change with the reach of chance, dimmed if it may be none, or if the sample is thin: `-1.2 % ± 0.8`.
pub(crate) fn noisy(change: Option<f64>, interval: Option<ConfidenceInterval>, is_thin: bool) -> SafeText {
    let reach = interval.map(|interval| format!(" ± {:.1}", interval.reach() * 100.0)).unwrap_or_default();
    let text = SafeText::from(signed(change) + &reach);
    if is_thin || interval.is_some_and(|interval| interval.contains(0.0)) { text.dim() } else { text }
}

/// What of the last week is unusual, in words.
pub(super) fn unusual(market: &MarketView, page: &mut Page) {
    if market.comparisons.is_empty() {
        return;
    }
    page.heading("Unusual for this area");
    if market.unusual.is_empty() {
        page.line(["  nothing unusual this week".into()]);
    }
    for unusual in &market.unusual {
        let line = SafeText::from(format!("  {}", unusual.sentence()));
        page.hung(4, [line]);
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
