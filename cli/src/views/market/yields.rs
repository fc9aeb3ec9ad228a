//! The gross yields of an area.

use stoop_embedded::Database;
use stoop_pipeline::serve::{AreaView, MarketView, YIELD_SAMPLE, YieldView, needs_wider};

use super::Area;
use crate::show::{self, Column, Page, SafeText, Table, UNKNOWN};

/// The yields of an area's homes for sale, from rents in the area or around it.
pub(super) fn read(database: &Database, area: &AreaView) -> anyhow::Result<Vec<YieldView>> {
    if !area.markets.iter().any(|market| market.purpose == "sale" && market.figures.priced > 0) {
        return Ok(Vec::new());
    }
    let read = |path: &str| Ok::<_, anyhow::Error>(Area::read(database, path, Some(area.as_of), 0)?.view);
    // A query such as `98178:sale` leaves out the rents.
    let has_rents = area.markets.iter().any(|market| market.purpose == "rent");
    let mut levels = vec![if has_rents { area.clone() } else { read(&area.path)? }];
    let mut path = area.path.as_str();
    while needs_wider(&levels)
        && let Some((around, _)) = path.rsplit_once('/')
    {
        path = around;
        // An unknown level has no name to look for.
        if !path.ends_with("/-") {
            levels.push(read(&format!("{path}/"))?);
        }
    }
    Ok(stoop_pipeline::serve::yields(&levels))
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
        table.row([
            kind.label.as_str().into(),
            show::percent(kind.gross_yield).into(),
            format!("{:.1}", kind.price_to_rent).into(),
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
