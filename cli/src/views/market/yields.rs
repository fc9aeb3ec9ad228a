//! The gross yields of an area.

use stoop_embedded::Database;
use stoop_market::THIN_SAMPLE;
use stoop_pipeline::serve::{AreaView, MarketView, YIELD_SAMPLE, YieldSearch, YieldView};

use super::Area;
use crate::show::{self, Column, Page, SafeText, Table, UNKNOWN};

/// The yields of an area's homes for sale, from rents in the area or around it.
pub(super) fn read(database: &Database, area: &AreaView) -> anyhow::Result<Vec<YieldView>> {
    let known = database.market_ids()?;
    let mut search = YieldSearch::of(area, &known);
    while let Some(found) = search.wanted() {
        search.add(Area::of(database, &found, area.as_of, 0)?.view);
    }
    Ok(search.yields())
}

pub(super) fn yields(market: &MarketView, yields: &[YieldView], page: &mut Page) {
    let yields: Vec<&YieldView> = yields.iter().filter(|kind| kind.currency == market.currency).collect();
    if market.purpose != "sale" || yields.is_empty() {
        return;
    }
    let mut table = Table::new([
        Column::left("kind"),
        Column::right("gross yield"),
        Column::right("years of rent"),
        Column::right("median price").optional(3),
        Column::right("median rent").optional(2),
        Column::right("for sale").optional(4),
        Column::right("for rent").optional(5),
        Column::left("matched in").optional(1),
    ]);
    let price = |price: Option<f64>| price.map_or_else(|| UNKNOWN.to_owned(), |it| show::price(it, market.currency));
    for kind in yields {
        let is_thin = kind.sale_homes.min(kind.rent_homes) < THIN_SAMPLE;
        let dim = |text: String| if is_thin { SafeText::from(text).dim() } else { text.into() };
        table.row([
            kind.label.as_str().into(),
            dim(show::percent(kind.gross_yield)),
            dim(format!("{:.1}", kind.price_to_rent)),
            price(kind.median_price).into(),
            price(kind.median_rent).into(),
            show::whole(kind.sale_homes).into(),
            show::whole(kind.rent_homes).into(),
            kind.matched_in.as_deref().unwrap_or_default().into(),
        ]);
    }
    let note = format!(
        "  twelve months of the median rent asked, as a share of the median price asked, before all costs; both from the \
         first area with {YIELD_SAMPLE} homes of the kind for sale and for rent"
    );
    page.heading("Yield").table(table).hung(4, [SafeText::from(note).dim()]);
}
