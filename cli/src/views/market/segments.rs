//! The figures of a market's parts.

use stoop_domain::Currency;
use stoop_serve::{MarketView, SegmentView};

use super::catalogue::dimmed;
use super::number;
use crate::show::{self, Column, Table, or_unknown};

/// The segments that have homes now; `--json` also has those that had some.
pub(super) fn by_segment(heading: &'static str, segments: &[SegmentView], market: &MarketView) -> Table {
    let mut table = Table::new([
        Column::left(heading),
        Column::right("active"),
        Column::right("median"),
        Column::right("p25–p75").optional(4),
        Column::right("per area").optional(1),
        Column::right("age").optional(3),
        Column::right("share cut"),
        Column::right("new 28 d").optional(5),
        Column::right("cuts 28 d").optional(6),
    ]);
    let currency: Currency = market.currency;
    let mut living = segments.iter().filter(|segment| segment.figures.active != 0).peekable();
    // If all homes are of unknown kind, the table says nothing.
    if living.peek().is_some_and(|first| first.label.starts_with("unknown")) {
        return table;
    }
    for SegmentView { segment, figures, .. } in living {
        let quartiles = figures.p25_price.zip(figures.p75_price);
        let quartiles = quartiles.map(|(low, high)| format!("{}–{}", show::short(low), show::short(high)));
        let per_area = figures.median_price_per_area;
        table.row([
            segment.words().into(),
            show::whole(figures.active).into(),
            dimmed(or_unknown(figures.median_price.map(|price| show::price(price, currency))), "median_price", figures),
            dimmed(or_unknown(quartiles), "p25_price", figures),
            dimmed(
                or_unknown(per_area.map(|price| show::price_per_area(price, currency, market.area_unit))),
                "median_price_per_area",
                figures,
            ),
            dimmed(or_unknown(figures.median_age_days.map(|days| format!("{days:.0} d"))), "median_age_days", figures),
            dimmed(or_unknown(figures.cut_share.map(show::percent)), "cut_share", figures),
            number(figures.last_28_days.flows.new),
            number(figures.last_28_days.flows.price_cuts),
        ]);
    }
    table
}
