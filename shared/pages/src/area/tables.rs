//! Changes, speed, yields, parts and reference series of an area.

use maud::{Markup, html};
use stoop_serve::{SegmentView, area_name};

use super::AreaPage;
use crate::text;

/// The shares that leave within some days.
const WITHIN: [(&str, &str, &str); 4] = [
    ("7 days", "pending_within_7_days", "off_market_within_7_days"),
    ("14 days", "pending_within_14_days", "off_market_within_14_days"),
    ("30 days", "pending_within_30_days", "off_market_within_30_days"),
    ("60 days", "pending_within_60_days", "off_market_within_60_days"),
];

pub(super) fn tables(shown: &AreaPage<'_>) -> Markup {
    let market = shown.market;
    html! {
        (changes(shown))
        (speed(shown))
        (reference(shown))
        (parts("Bedrooms", &market.bedrooms, shown))
        (parts("Type", &market.property_types, shown))
    }
}

fn changes(shown: &AreaPage<'_>) -> Markup {
    let market = shown.market;
    html! {
        section class="card" {
            h2 { "Change" }
            @if market.changes.is_empty() { p class="empty" { "Not observed long enough." } }
            @else {
                div class="scroll" tabindex="0" role="region" aria-label="Change" {
                    table {
                        thead { tr { th class="l" scope="col" { "Against" } th scope="col" title="Asking prices at a constant mix of types and bedrooms" { "Same mix" } th scope="col" { "Median" } th scope="col" { "Change" } th scope="col" { "Homes" } th scope="col" { "Change" } } }
                        tbody {
                            @for change in market.changes.iter() {
                                tr class=[change.thin.then_some("thin")] {
                                    th class="l" scope="row" title=(change.since) { (change.days) " d before" }
                                    td { (text::noisy_change(change.mix_adjusted_change, change.mix_adjusted_change_interval)) (text::margin(change.mix_adjusted_change_interval)) }
                                    td { (text::price(change.median_price, market.currency)) }
                                    td { (text::noisy_change(change.median_price_change, change.median_price_change_interval)) (text::margin(change.median_price_change_interval)) }
                                    td { (stoop_show::whole(change.active)) }
                                    td { (text::change(change.active_change)) }
                                }
                            }
                        }
                    }
                }
                p class="note" { "± is the reach of chance in 19 of 20 cases. " span class="noise" { "Grey" } ": no clear change." }
            }
        }
    }
}

fn speed(shown: &AreaPage<'_>) -> Markup {
    let figures = &shown.market.figures;
    html! {
        section class="card" {
            header { h2 { "How fast homes go" } p class="note" { "listed in the last 90 days; those still there are counted as such (Kaplan–Meier)" } }
            div class="scroll" tabindex="0" role="region" aria-label="How fast homes go" {
                table {
                    thead { tr { th class="l" scope="col" { "Within" } th scope="col" { "under contract" } th scope="col" { "off the market" } } }
                    tbody {
                        @for (name, pending, off) in WITHIN {
                            tr { th class="l" scope="row" { (name) } td { (text::percent(figures.values.get(pending))) } td { (text::percent(figures.values.get(off))) } }
                        }
                    }
                }
            }
            p class="note" { (stoop_show::or_unknown(figures.values.get("stays_90_days").map(|stays| format!("{stays:.0}")))) " homes." }
        }
    }
}

/// The yields of the area and of its kinds of homes.
pub(super) fn yields(shown: &AreaPage<'_>) -> Markup {
    html! {
        @if !shown.yields.is_empty() {
            section class="card" {
                header { h2 { "Gross yield" } p class="note" { "twelve months of the median rent asked, before all costs" } }
                div class="scroll" tabindex="0" role="region" aria-label="Gross yield" {
                    table {
                        thead { tr { th class="l" scope="col" { "Kind" } th scope="col" { "Yield" } th scope="col" { "Years of rent" } th scope="col" { "Price" } th scope="col" { "Rent" } th scope="col" { "Homes" } th class="l" scope="col" { "Made of" } } }
                        tbody {
                            @for kind in &shown.yields {
                                tr {
                                    th class="l" scope="row" { (kind.words) }
                                    td { (stoop_show::percent(kind.gross_yield)) " " span class="note" { (text::range(kind.gross_yield_interval, stoop_show::percent)) } }
                                    td { (format!("{:.1}", kind.price_to_rent)) }
                                    td { (text::price(kind.median_price, kind.currency)) }
                                    td { (text::price(kind.median_rent, kind.currency)) }
                                    td { (stoop_show::whole(kind.sale_homes)) " / " (stoop_show::whole(kind.rent_homes)) }
                                    td class="l" { (text::levels(&kind.levels)) }
                                }
                            }
                        }
                    }
                }
            }
        }
    }
}

fn reference(shown: &AreaPage<'_>) -> Markup {
    html! {
        @if !shown.market.reference.is_empty() {
            section class="card" {
                h2 { "Reference series" }
                div class="scroll" tabindex="0" role="region" aria-label="Reference series" {
                    table {
                        thead { tr { th class="l" scope="col" { "Series" } th scope="col" { "Value" } th scope="col" title="The median list price divided by the value" { "Price / value" } th class="l" scope="col" { "Of" } th class="l" scope="col" { "On" } } }
                        tbody {
                            @for series in &shown.market.reference {
                                tr { th class="l" scope="row" { (series.name) } td { (series.text()) } td { (stoop_show::or_unknown(series.price_ratio.map(|ratio| format!("{ratio:.2}")))) } td class="l" { (area_name(&series.of)) } td class="l" { (series.date) } }
                            }
                        }
                    }
                }
            }
        }
    }
}

fn parts(heading: &str, parts: &[SegmentView], shown: &AreaPage<'_>) -> Markup {
    let market = shown.market;
    let parts: Vec<&SegmentView> = parts.iter().filter(|part| part.figures.active > 0).collect();
    html! {
        @if parts.len() > 1 {
            section class="card" {
                h2 { "By " (heading.to_lowercase()) }
                div class="scroll" tabindex="0" role="region" aria-label=(format!("By {}", heading.to_lowercase())) {
                    table {
                        thead { tr { th class="l" scope="col" { (heading) } th scope="col" { "Homes" } th scope="col" { "Median" } th scope="col" { "By area" } th scope="col" { "Cut" } th scope="col" { "Age" } } }
                        tbody {
                            @for SegmentView { segment, figures, .. } in parts {
                                tr class=[figures.thin.then_some("thin")] {
                                    th class="l" scope="row" { (segment.words()) }
                                    td { (stoop_show::whole(figures.active)) }
                                    td { (text::price(figures.median_price, market.currency)) }
                                    td { (stoop_show::or_unknown(figures.median_price_per_area.map(|price| stoop_show::price_per_area(price, market.currency, market.area_unit)))) }
                                    td { (text::percent(figures.cut_share)) }
                                    td { (stoop_show::or_unknown(figures.median_age_days.map(|days| format!("{days:.0} d")))) }
                                }
                            }
                        }
                    }
                }
            }
        }
    }
}
