//! The homes of an area: filtered, sorted, page by page.

use maud::{Markup, html};
use stoop_domain::{Market, PropertyType};
use stoop_serve::{AREA_HOMES_MAX, FoundArea, HomeSort, HomeSummary, MergedId, Reader, WantedHomes};

use super::AreaPage;
use crate::map;
use crate::problem::Problem;
use crate::query::Query;
use crate::text;

const ON_A_PAGE: usize = 50;
/// Each order with its name in the address and in words.
const ORDERS: [(&str, &str, HomeSort, bool); 5] = [
    ("newest", "newest event first", HomeSort::Event, true),
    ("cut", "deepest cut first", HomeSort::Cut, true),
    ("price", "cheapest first", HomeSort::Price, false),
    ("value", "furthest below the market first", HomeSort::VsMarket, false),
    ("days", "longest on the market first", HomeSort::Age, true),
];

/// Which homes are wanted.
struct HomesFilter {
    order: &'static str,
    homes: WantedHomes,
    page: usize,
}

impl HomesFilter {
    fn of(query: &Query) -> Result<Self, Problem> {
        let types = PropertyType::ALL.map(|kind| kind.as_str());
        let order = query.word("sort", &ORDERS.map(|(name, ..)| name))?.unwrap_or("newest");
        let [first, ..] = ORDERS;
        let (order, _, sort, desc) = ORDERS.into_iter().find(|(name, ..)| *name == order).unwrap_or(first);
        let kind = query.word("type", &types)?.and_then(PropertyType::parse);
        let homes = WantedHomes {
            types: kind.into_iter().collect(),
            beds: query.count("beds")?.map(|least| least..=u8::MAX),
            max_price: query.number("max_price")?,
            sort,
            desc,
            ..WantedHomes::default()
        };
        Ok(Self { order, homes, page: query.page()? })
    }

    fn kind(&self) -> Option<PropertyType> {
        self.homes.types.first().copied()
    }

    fn least_beds(&self) -> Option<u8> {
        self.homes.beds.as_ref().map(|beds| *beds.start())
    }
}

fn change(home: &HomeSummary) -> Option<f64> {
    home.last_change.as_ref().map(|change| change.share)
}

pub(super) async fn section(
    reader: &Reader<'_>,
    shown: &AreaPage<'_>,
    all: &[Market],
    query: &Query,
) -> Result<Markup, Problem> {
    let wanted = HomesFilter::of(query)?;
    let markets = shown.found.markets.iter().filter(|market| {
        let id = MergedId::of(market);
        id.purpose.as_str() == shown.market.purpose && id.currency == shown.market.currency
    });
    let found = FoundArea { markets: markets.cloned().collect(), ..shown.found.clone() };
    // The whole number of homes is in the figures: too many need not be read.
    let is_too_wide = usize::try_from(shown.market.figures.active).is_ok_and(|active| active > AREA_HOMES_MAX);
    let read = match is_too_wide {
        true => None,
        false => reader.homes(&found, all, shown.as_of, |home| wanted.homes.fits(home)).await?,
    };
    let Some(mut homes) = read else { return Ok(too_many()) };
    homes.sort_by(|a, b| wanted.homes.compare(a, b));
    let pages = homes.len().div_ceil(ON_A_PAGE).max(1);
    let page = wanted.page.min(pages);
    let on_page = homes.iter().skip((page - 1) * ON_A_PAGE).take(ON_A_PAGE);
    Ok(html! {
        section class="card" id="homes" data-live {
            header {
                h2 { (text::plural(homes.len(), "home")) " on offer" }
            }
            (form(shown, &wanted))
            (map::draw(&shown.found.path, &shown.found.name, &homes, shown.as_of))
            @if homes.is_empty() { p class="empty" { "No home here is like that." } }
            @else {
                div class="scroll" tabindex="0" role="region" aria-label="Homes on offer" {
                    table {
                        thead { tr {
                            th class="l" scope="col" { "Home" } th scope="col" { "Price" } th scope="col" { "Last change" } th scope="col" { "Beds" }
                            th scope="col" { "Size" } th scope="col" title="Price by area against homes of its type and number of bedrooms" { "Against its kind" } th scope="col" { "Days" } th class="l" scope="col" { "Where" }
                        } }
                        tbody { @for home in on_page { (row(home)) } }
                    }
                }
                (pager(shown, &wanted, page, pages))
            }
        }
    })
}

/// Instead of homes of an area that has too many.
fn too_many() -> Markup {
    html! {
        section class="card" id="homes" {
            p class="empty" { "More than " (stoop_show::count(AREA_HOMES_MAX as u64)) " homes are on offer here. A narrower area lists its homes." }
        }
    }
}

/// Instead of homes on a page of the past: only their present state is stored by market.
pub(super) fn not_of_the_past() -> Markup {
    html! { section class="card" id="homes" { p class="empty" { "Homes are listed as they are now only, not as of an earlier time." } } }
}

fn form(shown: &AreaPage<'_>, wanted: &HomesFilter) -> Markup {
    let number = |number: Option<f64>| number.map(|number| number.to_string()).unwrap_or_default();
    html! {
        form class="switch" action=(format!("/areas/{}#homes", text::encoded(&shown.found.path))) {
            input type="hidden" name="for" value=(shown.market.purpose);
            input type="hidden" name="currency" value=(shown.market.currency);
            input type="hidden" name="days" value=(shown.days);
            label { "At most " input name="max_price" inputmode="numeric" size="9" maxlength="15" value=(number(wanted.homes.max_price)); }
            label { "Beds, at least " input name="beds" inputmode="numeric" size="2" maxlength="3" value=(number(wanted.least_beds().map(f64::from))); }
            label { "Type " select name="type" {
                option value="" { "any" }
                @for kind in PropertyType::ALL { option value=(kind.as_str()) selected[wanted.kind() == Some(kind)] { (kind.words()) } }
            } }
            label { "Order " select name="sort" {
                @for (name, words, ..) in ORDERS { option value=(name) selected[wanted.order == name] { (words) } }
            } }
            button type="submit" { "Show" }
        }
    }
}

fn row(home: &HomeSummary) -> Markup {
    let money = home.asked.map(|price| stoop_show::money(price, home.currency));
    let event = home.last_event_at.map(|at| format!("{}@{at}", home.id));
    html! {
        tr data-fresh=[event] {
            td class="words" { a href=(text::home_href(&home.id)) { (home.words().unwrap_or(home.id.as_str())) } }
            td { (stoop_show::or_unknown(money)) }
            td { (text::change(change(home))) @if let Some(change) = &home.last_change { " " (text::time(change.at, true)) } }
            td { (stoop_show::or_unknown(home.bedrooms.map(|beds| beds.to_string()))) }
            td { (stoop_show::or_unknown(home.living_area.map(|area| stoop_show::area(area, home.area_unit)))) }
            td title=[home.compared_with.as_ref().map(text::compared_with)] { (text::change(home.versus_market)) }
            td { (stoop_show::or_unknown(home.days_on_market.map(|days| days.to_string()))) }
            td class="l" { (home.market.area.name()) }
        }
    }
}

fn pager(shown: &AreaPage<'_>, wanted: &HomesFilter, page: usize, pages: usize) -> Markup {
    let href = |page: usize| {
        let mut query = url::form_urlencoded::Serializer::new(String::new());
        query.append_pair("for", shown.market.purpose).append_pair("currency", shown.market.currency.code());
        query.append_pair("days", &shown.days.to_string()).append_pair("sort", wanted.order);
        let numbers = [("max_price", wanted.homes.max_price), ("beds", wanted.least_beds().map(f64::from))];
        for (name, number) in numbers.into_iter().filter_map(|(name, number)| Some((name, number?))) {
            query.append_pair(name, &number.to_string());
        }
        if let Some(kind) = wanted.kind() {
            query.append_pair("type", kind.as_str());
        }
        query.append_pair("page", &page.to_string());
        format!("/areas/{}?{}#homes", text::encoded(&shown.found.path), query.finish())
    };
    html! {
        @if pages > 1 {
            nav aria-label="Pages of homes" {
                ul class="switch" {
                    @if page > 1 { li { a href=(href(page - 1)) rel="prev" { "Previous" } } }
                    li { "Page " (page) " of " (pages) }
                    @if page < pages { li { a href=(href(page + 1)) rel="next" { "Next" } } }
                }
            }
        }
    }
}
