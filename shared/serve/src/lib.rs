//! Answers questions about areas, markets and homes from their states: the content of `stoop market`, pages and API. Views
//! are pure: states and the time are arguments. [`api`] reads them through ports.

mod add_up;
mod address;
mod alert;
mod allowance;
pub mod api;
mod area;
mod area_view;
mod card;
mod columns;
mod comparable;
mod compare;
mod confidence;
mod days;
mod definitions;
mod duplicates;
mod explain;
mod figures;
mod home;
mod homes;

mod nearest;
mod other_listings;
mod quality;
mod ranking;
mod reader;
mod reference;
mod repeat;
mod revised;
mod run;
mod search;
mod sum;
mod text;
mod view;
mod web_address;
mod yields;

use std::fmt::Display;

use serde::Serializer;

pub use stoop_pipeline::MergedId;

pub use add_up::AddUp;
pub use address::{AddressFit, AddressQuery};
pub use alert::AlertView;
pub use allowance::{ADDED_UP_MAX, ANSWER_LISTINGS_MAX, Allowance, ReadError, TooWide};
pub use area::{AreaError, FoundArea, NamedArea, area_name, areas_called, find_area, full_name};
pub use area_view::AreaView;
pub use card::AreaCard;
pub use columns::{
    ALERT_COLUMNS, INTERVAL_COLUMNS, RUN_COLUMNS, SEARCH_COLUMNS, area_csv, home_columns, market_columns, with_values,
};
pub use comparable::{ComparableView, Comparables};
pub use compare::{
    Breakdown, CompareError, ComparedChange, ComparedFigure, ComparedValue, Comparing, Comparison, market_for,
};
pub use confidence::ConfidenceInterval;
pub use days::{ChangeView, Comparisons, DayView, FALSE_FLAGS, UnusualView, Usual};
pub use definitions::{DefinedFigure, DefinedMarket, Month, MonthError, Period, Provider, Tallies, Tally};
pub use duplicates::{
    COMPARED_LISTINGS_MAX, ComparedListings, DuplicateHome, Duplicates, ListingPair, MergedHomes, join_bits,
};
pub use explain::{AskedView, BesideView, Explanation, ReferencePrice, RuleView, explain};
pub use figures::{FiguresView, WindowView};
pub use home::{FieldsView, HappenedView, HomeSummary, HomeView, IntervalView, PriceChangeView};
pub use homes::{AREA_HOMES_MAX, FirstHomes, HomePosition, HomeSort, WantedHomes, bedrooms};

pub use nearest::Nearest;
pub use other_listings::{AreaListings, DoubtfulListing, NotCompared, OtherListings};
pub use quality::{AreaQuality, Balance, OBSERVED_MARKETS_MAX, QUALITY_DAYS, Quality};
pub use ranking::{Figure, MarketRow, Ranking, SortBy};
pub use reader::{AreaRequest, Reader, areas_of, listed_level, terms_of};
pub use reference::{ReferenceView, areas_around};
pub use repeat::{RepeatMonthView, repeat_days};
pub use revised::{Revised, revised};
pub use run::RunView;
pub use search::{ControlError, SearchView, control_search, searches};
pub use sum::{Hours, Sum};
pub use text::{figure_text, figure_title};
pub use view::{MarketView, SegmentView, covers_days, unit_name};
pub use web_address::web_address;
pub use yields::{YieldLevel, YieldLevelView, YieldView, yields};

/// Serialises times and markets as they print: RFC 3339, `us/wa/king/seattle/98178:sale:USD`.
fn as_text<S: Serializer>(value: &impl Display, serializer: S) -> Result<S::Ok, S::Error> {
    serializer.collect_str(value)
}

fn as_text_or_null<S: Serializer>(value: &Option<impl Display>, serializer: S) -> Result<S::Ok, S::Error> {
    match value {
        Some(value) => serializer.collect_str(value),
        None => serializer.serialize_none(),
    }
}

#[cfg(test)]
mod tests {
    use stoop_domain::Market;
    use stoop_domain::{
        Address, Area, AreaUnit, Currency, Facts, History, Listing, Minor, Purpose, Sighting, Time, market_of,
    };
    use stoop_market::{Cells, Horizon, Zones, contribution};

    use super::*;

    /// A market of one home, on offer from these times on, each with a price in major units.
    fn market(purpose: Purpose, postal_code: &str, listed: &str, seen: &[(&str, i64)]) -> (Market, Cells) {
        let text = |text: &str| Some(text.to_owned());
        let address = Address {
            country: text("US"),
            region: text("WA"),
            county: text("King"),
            postal_code: text(postal_code),
            ..Address::default()
        };
        let mut listing = Listing::new(purpose, Currency::USD, address);
        listing.living_area = Some(Area::of(1_000, AreaUnit::SquareFeet));
        let mut history = History::default();
        for (at, price) in seen {
            listing.list_price = Some(Minor(price * 100));
            history.apply(Sighting::at(time(at)), &Facts::of(&listing).unwrap(), Some(time(listed)));
        }
        let mut cells = Cells::default();
        for (_, delta) in contribution(&history, &mut Zones::default()).into_deltas() {
            cells.add(&delta);
        }
        (market_of(&listing).unwrap(), cells)
    }

    fn time(day: &str) -> Time {
        Time::parse(&format!("{day}T20:00:00Z")).unwrap()
    }

    fn view(query: &str, markets: Vec<(Market, Cells)>, now: &str, days: u16) -> Vec<MarketView> {
        let known: Vec<Market> = markets.iter().map(|(market, _)| market.clone()).collect();
        let area = find_area(query, &known).unwrap();
        AreaView::of(&area, &markets, time(now), days).markets
    }

    #[test]
    fn rents_are_never_added_to_prices() {
        let day = "2026-01-05";
        let markets = vec![
            market(Purpose::Rent, "98103", day, &[(day, 2_000)]),
            market(Purpose::Sale, "98103", day, &[(day, 400_000)]),
            market(Purpose::Sale, "98178", day, &[(day, 600_000)]),
        ];
        let views = view("us/wa", markets, day, 7);
        let read: Vec<_> = views.iter().map(|view| (view.id.as_str(), view.figures.active)).collect();
        assert_eq!(read, [("us/wa:sale:USD", 2), ("us/wa:rent:USD", 1)]);
        assert_eq!(views[0].figures.mean_price, Some(500_000.0));
    }

    #[test]
    fn prices_per_area_are_in_the_unit_of_the_country() {
        let day = "2026-01-05";
        let views = view("98103", vec![market(Purpose::Sale, "98103", day, &[(day, 400_000)])], day, 7);
        assert_eq!((views[0].area_unit, views[0].zone.as_str()), ("sqft", "America/Los_Angeles"));
        let per_sqft = views[0].figures.median_price_per_area.unwrap();
        assert!((per_sqft / 400.0 - 1.0).abs() < 0.001, "{per_sqft}");
    }

    #[test]
    fn the_series_begins_with_the_first_observation_not_the_listing_date() {
        let home = || market(Purpose::Sale, "98103", "2025-12-20", &[("2026-01-05", 400_000), ("2026-01-20", 380_000)]);
        let days = &view("98103", vec![home()], "2026-01-31", 60)[0].days;
        assert_eq!((days[0].day.as_str(), days.len()), ("2026-01-05", 27));
        let averages: Vec<bool> = days.iter().map(|day| day.median_price_7_days.is_some()).collect();
        assert_eq!(averages.iter().position(|known| *known), Some(6));
        let few = &view("98103", vec![home()], "2026-02-02", 3)[0].days;
        assert_eq!((few[0].day.as_str(), few.len()), ("2026-01-31", 3));
        assert!(few[0].median_price_7_days.is_some(), "the days before are known, though not shown");
        assert_eq!(few.iter().filter(|day| day.median_price_28_days.is_some()).count(), 2);
    }

    #[test]
    fn a_folded_series_begins_where_it_is_folded_to() {
        let (id, mut cells) = market(Purpose::Sale, "98103", "2026-01-05", &[("2026-01-05", 400_000)]);
        let days = time("2026-01-20").day_in(&id.area.country().zone);
        let archive = cells.fold_to(Horizon { days, hours: days });
        let message = |cells| view("98103", vec![(id.clone(), cells)], "2026-01-31", 60)[0].days.clone();
        let folded = message(cells.clone());
        assert_eq!((folded[0].day.as_str(), folded[0].active, folded.len()), ("2026-01-20", 1, 12));
        let whole = message(cells.with_archive(&archive));
        assert_eq!((whole[0].day.as_str(), whole[0].active, whole.len()), ("2026-01-05", 1, 27));
    }
}
