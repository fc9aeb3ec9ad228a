//! The gross yields of an area.

use stoop_serve::{MarketView, YieldView, area_name};

use crate::show::{self, Column, Page, SafeText, Table, UNKNOWN};

pub(super) fn yields(market: &MarketView, yields: &[YieldView], page: &mut Page) {
    let yields: Vec<&YieldView> = yields.iter().filter(|kind| kind.currency == market.currency).collect();
    if market.purpose != "sale" || yields.is_empty() {
        return;
    }
    let mut table = Table::new([
        Column::left("kind"),
        Column::right("gross yield"),
        Column::right("95 %").optional(1),
        Column::right("years of rent"),
        Column::right("median price").optional(3),
        Column::right("median rent").optional(4),
        Column::right("for sale").optional(4),
        Column::right("for rent").optional(5),
        Column::left("made of").optional(2),
    ]);
    let price = |price: Option<f64>| price.map_or_else(|| UNKNOWN.to_owned(), |it| show::price(it, market.currency));
    for kind in yields {
        let [low, high] = [kind.gross_yield_interval.low, kind.gross_yield_interval.high].map(show::percent);
        table.row([
            kind.words.as_str().into(),
            show::percent(kind.gross_yield).into(),
            format!("{low} to {high}").into(),
            format!("{:.1}", kind.price_to_rent).into(),
            price(kind.median_price).into(),
            price(kind.median_rent).into(),
            show::whole(kind.sale_homes).into(),
            show::whole(kind.rent_homes).into(),
            made_of(kind).into(),
        ]);
    }
    let note = "  twelve months of the median rent asked, as a share of the median price asked, before all costs. Few homes of \
                a kind lean on those of the city and county: \"made of\" says how much";
    page.heading("Yield").table(table).hung(4, [SafeText::from(note).dim()]);
}

/// `98101 40 %, Seattle 35 %, King County 25 %`.
fn made_of(kind: &YieldView) -> String {
    let levels = kind.levels.iter().filter(|level| level.weight > 0.0);
    let words = levels.map(|level| format!("{} {:.0} %", area_name(&level.area), level.weight * 100.0));
    words.collect::<Vec<String>>().join(", ")
}
