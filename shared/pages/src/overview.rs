//! The first page: which market cools, what was just cut, and whether that is unusual.

use std::collections::BTreeMap;

use maud::{Markup, html};
use stoop_domain::{Alert, Purpose, Time};
use stoop_market::THIN_SAMPLE;
use stoop_serve::{
    Allowance, AreaCard, AreaRequest, ChangeView, Comparisons, ConfidenceInterval, MergedId, Reader, YieldView,
    areas_of, listed_level, terms_of,
};

use crate::alerts;
use crate::chart::sparkline;
use crate::drops::{depth, prices, words};
use crate::layout::{self, Head, Room};
use crate::problem::Problem;
use crate::query::Query;
use crate::text;

/// The days of a sparkline, and of the change beside it.
const DAYS: u16 = 28;
const ALERTS: usize = 200;
const CUTS_SHOWN: usize = 8;
const UNUSUAL_SHOWN: usize = 6;
/// A drop is compared with this many price cuts, or not at all.
const CUTS_LEAST: i64 = 30;

/// The page of an empty state.
pub(crate) fn empty() -> String {
    let content = html! {
        div class="head" { h1 { "Nothing is watched yet" } }
        section class="card" {
            p { "This database has no observations. Fill it, and this page shows its markets:" }
            ul class="plain" {
                li { code { "stoop demo" } span { "a simulated portal" } }
                li { code { "stoop replay --map MAP FILE" } span { "files of listings" } }
                li { code { "stoop run" } span { "the searches of stoop.toml" } }
            }
        }
    };
    layout::page(&Head { title: "Overview", room: Room::Overview, now: None, query: "" }, &content)
}

/// What the page shows.
struct Overview {
    id: MergedId,
    ids: Vec<MergedId>,
    /// The name of the level of the areas.
    level: &'static str,
    /// The largest first.
    cards: Vec<AreaCard>,
    /// The gross yield of areas with homes for sale and for rent, by path.
    yields: BTreeMap<String, YieldView>,
    /// The newest first.
    alerts: Vec<Alert>,
}

/// The page at `now`.
pub(crate) async fn page(reader: &Reader<'_>, query: &Query, now: Time) -> Result<String, Problem> {
    let Some(overview) = Overview::read(reader, query, now).await? else { return Ok(empty()) };
    let content = overview.draw(now);
    Ok(layout::page(&Head { title: "Overview", room: Room::Overview, now: Some(now), query: "" }, &content))
}

impl Overview {
    async fn read(reader: &Reader<'_>, query: &Query, now: Time) -> Result<Option<Self>, Problem> {
        let markets = reader.markets().await?;
        let ids = terms_of(&markets);
        let (purpose, currency) = (query.purpose()?, query.currency()?);
        let asked = |id: &&MergedId| {
            purpose.is_none_or(|purpose| id.purpose == purpose)
                && currency.is_none_or(|currency| id.currency == currency)
        };
        let Some(id) = ids.iter().find(asked).or(ids.first()).copied() else { return Ok(None) };
        let level = listed_level(id, &markets);
        let mut cards = Vec::new();
        let mut yields = BTreeMap::new();
        let mut allowance = Allowance::of_answer();
        for (area, own) in areas_of(level, id, &markets) {
            cards.push(reader.card(&area, &own, AreaRequest::at(now, DAYS), &mut allowance).await?);
            if id.purpose == Purpose::Sale {
                let of_area = reader.yields(area.path(), &markets, now, &mut allowance).await?;
                let whole = of_area.into_iter().find(|it| it.matched_share.is_some() && it.currency == id.currency);
                yields.extend(whole.map(|whole| (area.path().to_owned(), whole)));
            }
        }
        cards.sort_by_key(|card| (std::cmp::Reverse(active(card)), card.row.id.clone()));
        let alerts = reader.views.alerts(false, ALERTS).await?;
        let is_here = |alert: &Alert| alert.at <= now && MergedId::of(&alert.market) == id && alert.withdrawn.is_none();
        let alerts = alerts.into_iter().filter(is_here).collect();
        Ok(Some(Self { id, ids, level: level.as_str(), cards, yields, alerts }))
    }

    fn draw(&self, now: Time) -> Markup {
        html! {
            div class="head" {
                h1 { "Markets " (text::offer(self.id.purpose.as_str())) }
                p { (layout::as_of(now)) }
                @if self.ids.len() > 1 { (switch("/", &self.ids, self.id)) }
            }
            div class="row three" {
                (self.cooling())
                (self.latest())
                (self.unusual())
            }
            (self.table())
            div class="row two" { (self.cuts(now)) (self.unusual_weeks()) }
        }
    }

    /// The area whose prices fell most in four weeks, of those where they clearly fell.
    fn coolest(&self) -> Option<(&AreaCard, Cooling)> {
        let coolings = self.cards.iter().filter_map(|card| Some((card, Cooling::of(card)?)));
        coolings.filter(|(_, cooling)| cooling.is_clear()).min_by(|(_, a), (_, b)| a.change.total_cmp(&b.change))
    }

    fn cooling(&self) -> Markup {
        let known = self.cards.iter().filter_map(Cooling::of).count();
        html! {
            section class="card answer" data-answer="cooling" {
                h2 { "Cooling most" }
                @match self.coolest() {
                    Some((card, cooling)) => {
                        p class="big" { (area_link(card)) ", " (text::change(Some(cooling.change))) }
                        p class="sub" {
                            "Asking prices in 28 days at the same mix of types and bedrooms, " (text::reach(cooling.interval))
                            "; the median is now " (median(card)) (pressure(card))
                        }
                    }
                    None if known > 0 => {
                        p class="big" { "No market clearly is" }
                        p class="sub" {
                            "In none of " (text::plural(known, self.level).replace("ys", "ies")) " did asking prices at the same mix \
                             fall in 28 days by more than chance explains."
                        }
                    }
                    None => {
                        p class="big" { "Not known yet" }
                        p class="sub" { "A change at the same mix needs 56 observed days." }
                    }
                }
            }
        }
    }

    fn latest(&self) -> Markup {
        html! {
            section class="card answer" data-answer="cut" data-live {
                h2 { "Latest price-drop alert" }
                @match self.alerts.first() {
                    Some(alert) => {
                        p class="big" { a href=(text::home_href(&alert.home)) { (words(alert)) } ", " (text::change(Some(-depth(alert)))) }
                        p class="sub" { (prices(alert)) " in " (alert.market.area.name()) ", " (text::time(alert.at, true)) " · " a href=(alerts::href(&alert.id)) { "why" } }
                    }
                    None => {
                        p class="big" { "No alert yet" }
                        p class="sub" { "An alert is raised when a price falls far enough below its reference." }
                    }
                }
            }
        }
    }

    /// Whether the latest cut is unusual.
    fn unusual(&self) -> Markup {
        html! {
            section class="card answer" data-answer="unusual" {
                h2 { "Is that cut unusual?" }
                @match self.is_latest_unusual() {
                    Some((is, why)) => { p class="big" { (is) } p class="sub" { (why) } }
                    None => { p class="big" { "Not known yet" } p class="sub" { "There are fewer than " (CUTS_LEAST) " price cuts of 90 days to compare it with." } }
                }
            }
        }
    }

    /// What is unusual in each area by its own past, the least probable first.
    fn unusual_weeks(&self) -> Markup {
        let unusual = Comparisons::of_all(self.cards.iter().map(|card| &card.comparisons));
        let compared: usize = self.cards.iter().map(|card| card.comparisons.len()).sum();
        html! {
            section class="card" {
                h2 { "Unusual this week" }
                @if compared == 0 { p class="empty" { "Not known yet: that needs some seventeen weeks of the past." } }
                @else if unusual.is_empty() { p class="empty" { "Nothing unusual." } }
                ul class="plain" {
                    @for (at, unusual) in unusual.iter().take(UNUSUAL_SHOWN) {
                        li { span { (area_link(&self.cards[*at])) ": " (text::minus(&unusual.sentence())) } span {} }
                    }
                }
                @if compared > 0 { p class="note" { (unusual_rule(compared)) } }
            }
        }
    }

    /// The latest drop beside the price cuts of 90 days in its area.
    fn is_latest_unusual(&self) -> Option<(String, String)> {
        let alert = self.alerts.first()?;
        let card = self.cards.iter().find(|card| alert.market.area.lies_in(&card.row.path))?;
        let window = &card.row.figures.as_ref()?.last_90_days;
        let cuts = window.flows.price_cuts;
        let usual = window.values.get("median_price_cut").filter(|usual| *usual > 0.0 && cuts >= CUTS_LEAST)?;
        let times = depth(alert) / usual;
        let is = match times {
            times if times >= 2.0 => format!("Yes, {times:.0} times the usual cut"),
            times if times >= 1.25 => "Deeper than most".to_owned(),
            _ => "No, others cut as much".to_owned(),
        };
        let why = format!(
            "It is {} below its reference. The median of the {} of 90 days in {} is {}.",
            stoop_show::percent(depth(alert)),
            text::plural(usize::try_from(cuts).unwrap_or_default(), "price cut"),
            card.row.name,
            stoop_show::percent(usual),
        );
        Some((is, why))
    }

    fn table(&self) -> Markup {
        html! {
            section class="card" {
                header {
                    h2 { "Areas" }
                    p class="note" { (text::plural(self.cards.len(), self.level).replace("ys", "ies")) ", the largest first" }
                }
                div class="scroll" tabindex="0" role="region" aria-label="Areas and their figures" {
                    table {
                        thead {
                            tr {
                                th class="l" scope="col" { "Area" }
                                th scope="col" { (text::defined("median_price", "Median")) }
                                th scope="col" class="l" { "28 days" }
                                th scope="col" title="The change of asking prices at a constant mix of types and bedrooms" { "Same mix" }
                                th scope="col" title="The change of the median, which also moves with what is on offer" { "Median" }
                                th scope="col" { (text::defined("active", "Homes")) }
                                th scope="col" { "Change" }
                                th scope="col" { (text::defined("months_of_supply", "Supply")) }
                                th scope="col" { (text::defined("cut_share", "Cut")) }
                                th scope="col" { (text::defined("median_days_to_pending", "To contract")) }
                                @if !self.yields.is_empty() { th scope="col" { a href="/definitions#gross_yield" title="Twelve months of rent as a share of the price, before all costs" { "Yield" } } }
                                th scope="col" { (text::defined("new", "New, 7 d")) }
                            }
                        }
                        tbody { @for card in &self.cards { (self.row(card)) } }
                    }
                }
                p class="note" { "Changes are against 28 days before. " span class="noise" { "Grey" } ": no clear change, chance may have made it. " span class="thin" { "Italic" } ": fewer than " (THIN_SAMPLE) " homes, or one of the first observed days." }
            }
        }
    }

    fn row(&self, card: &AreaCard) -> Markup {
        let (change, figures) = (card.change(28), card.row.figures.as_ref());
        let is_thin = figures.is_none_or(|figures| figures.thin);
        let changed = |of: fn(&ChangeView) -> (Option<f64>, Option<ConfidenceInterval>)| {
            let is_thin = change.is_none_or(|change| change.thin);
            let (value, interval) = change.map(of).unwrap_or_default();
            html! { td class=[is_thin.then_some("thin")] { (text::noisy_change(value, interval)) } }
        };
        let value = |name: &str| figures.and_then(|figures| figures.values.get(name));
        let days: Vec<Option<f64>> = card.days.iter().map(|day| day.median_price).collect();
        let window = |name: &str| figures.and_then(|figures| figures.last_28_days.values.get(name));
        html! {
            tr {
                th class="l" scope="row" { (area_link(card)) }
                td class=[is_thin.then_some("thin")] { (median(card)) }
                td class="l spark" { (sparkline(&days)) }
                (changed(|it| (it.mix_adjusted_change, it.mix_adjusted_change_interval)))
                (changed(|it| (it.median_price_change, it.median_price_change_interval)))
                td { (stoop_show::whole(active(card))) }
                td { (text::change(change.and_then(|change| change.active_change))) }
                td { (stoop_show::or_unknown(window("months_of_supply").map(|months| format!("{months:.1} mo")))) }
                td class=[is_thin.then_some("thin")] { (text::percent(figures.and_then(|figures| figures.cut_share))) }
                td { (stoop_show::or_unknown(value("median_days_to_pending").map(|days| format!("{days:.0} d")))) }
                @if !self.yields.is_empty() { td { (text::percent(self.yields.get(&card.row.path).map(|it| it.gross_yield))) } }
                td { (stoop_show::or_unknown(figures.map(|figures| stoop_show::whole(figures.last_7_days.flows.new)))) }
            }
        }
    }

    fn cuts(&self, now: Time) -> Markup {
        let mut day: Vec<&Alert> = self.alerts.iter().filter(|alert| now.ms() - alert.at.ms() < Time::DAY_MS).collect();
        day.sort_by_key(|alert| std::cmp::Reverse(alert.drop_bp));
        html! {
            section class="card" {
                header {
                    h2 { "Biggest drops of the last 24 hours" }
                    p class="note" { a href="/alerts" { "All alerts" } }
                }
                @if day.is_empty() { p class="empty" { "None." } }
                ul class="plain" {
                    @for alert in day.iter().take(CUTS_SHOWN) {
                        li data-fresh=(alert.id) {
                            span { (text::change(Some(-depth(alert)))) " " a href=(text::home_href(&alert.home)) { (words(alert)) } }
                            span { (prices(alert)) ", " (alert.market.area.name()) ", " (text::time(alert.at, true)) }
                        }
                    }
                }
            }
        }
    }
}

/// How far prices of an area changed in 28 days at a constant mix of types and bedrooms. A median is no measure of that: it
/// moves with what is on offer, too.
struct Cooling {
    change: f64,
    interval: ConfidenceInterval,
}

impl Cooling {
    /// `None` if it is not known.
    fn of(card: &AreaCard) -> Option<Self> {
        let change = card.change(28)?;
        Some(Self { change: change.mix_adjusted_change?, interval: change.mix_adjusted_change_interval? })
    }

    /// Whether prices fell, whatever chance did.
    fn is_clear(&self) -> bool {
        self.interval.high < 0.0
    }
}

/// How many flags come by chance.
pub(crate) fn unusual_rule(compared: usize) -> String {
    format!(
        "{} figures are compared with their past. Without news, one would be flagged in ten weeks.",
        stoop_show::whole(i64::try_from(compared).unwrap_or(i64::MAX))
    )
}

/// Links from the page at `path` to its other purposes and currencies.
pub(crate) fn switch(path: &str, ids: &[MergedId], shown: MergedId) -> Markup {
    html! {
        ul class="switch" {
            @for id in ids {
                li {
                    a href=(format!("{path}?for={}&currency={}", id.purpose.as_str(), id.currency)) aria-current=[(*id == shown).then_some("page")] {
                        (text::offer(id.purpose.as_str())) " · " (id.currency)
                    }
                }
            }
        }
    }
}

fn active(card: &AreaCard) -> i64 {
    card.row.figures.as_ref().map_or(0, |figures| figures.active)
}

fn median(card: &AreaCard) -> String {
    text::price(card.row.figures.as_ref().and_then(|figures| figures.median_price), card.row.currency)
}

fn area_link(card: &AreaCard) -> Markup {
    html! { a href=(text::area_href(&card.row.path, card.row.purpose, card.row.currency)) { (card.row.name) } }
}

/// What else speaks of a cooling market.
fn pressure(card: &AreaCard) -> String {
    let cut = card.row.figures.as_ref().and_then(|figures| figures.cut_share);
    cut.map(|share| format!("; {} of the homes ask less than at first", stoop_show::percent(share))).unwrap_or_default()
}
