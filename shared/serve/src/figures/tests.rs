use serde_json::{Value, json};
use stoop_domain::{Address, Area, Facts, History, Listing, Minor, Purpose, Sighting, Status};
use stoop_market::{Cells, Zones, contribution};

use super::*;

fn terms(currency: Currency, unit: AreaUnit) -> Terms {
    Terms { currency, unit }
}

#[test]
fn money_is_shown_in_major_units_rounded_to_the_minor_one() {
    let [dollars, yen] = ["USD", "JPY"].map(|code| terms(Currency::parse(code).unwrap(), AreaUnit::SquareMeters));
    assert_eq!(dollars.shown(Unit::Money, 45_000_012.4), 450_000.12);
    assert_eq!(dollars.shown(Unit::Money, 45_000_012.6), 450_000.13);
    assert_eq!(yen.shown(Unit::Money, 45_000_012.6), 45_000_013.0);
}

#[test]
fn money_per_area_is_shown_in_the_unit_of_the_country() {
    let [feet, metres] = [AreaUnit::SquareFeet, AreaUnit::SquareMeters].map(|unit| terms(Currency::USD, unit));
    assert_eq!(metres.shown(Unit::MoneyPerArea, 500_000.0), 5_000.0);
    // A square foot is 0.09290304 square metres.
    assert_eq!(feet.shown(Unit::MoneyPerArea, 500_000.0), 464.52);
}

#[test]
fn shares_have_four_digits_and_months_two() {
    let terms = terms(Currency::USD, AreaUnit::SquareFeet);
    let shown = |unit, value| terms.shown(unit, value);
    assert_eq!((shown(Unit::Share, 2.0 / 3.0), shown(Unit::Share, 0.000_04)), (0.6667, 0.0));
    assert_eq!((shown(Unit::Months, 2.0 / 3.0), shown(Unit::Months, 12.0)), (0.67, 12.0));
    assert_eq!((shown(Unit::Days, 10.5), shown(Unit::Homes, 3.0), shown(Unit::Events, 0.0)), (10.5, 3.0, 0.0));
}

/// A home of 100 square metres, listed on 1 March 2026 for 500,000 dollars and sold on 10 March for 450,000.
fn sold() -> Cells {
    let address = Address {
        postal_code: Some("98178".into()),
        region: Some("WA".into()),
        country: Some("US".into()),
        ..Address::default()
    };
    let mut listing = Listing::new(Purpose::Sale, Currency::USD, address);
    listing.list_price = Some(Minor(50_000_000));
    listing.living_area = Some(Area::of(100, AreaUnit::SquareMeters));
    let mut history = History::default();
    let mut see = |day: &str, listing: &Listing| {
        let at = Time::parse(&format!("{day}T20:00:00Z")).unwrap();
        history.apply(Sighting::at(at), &Facts::of(listing).unwrap(), None);
    };
    see("2026-03-01", &listing);
    listing.status = Status::Closed;
    listing.close_price = Some(Minor(45_000_000));
    see("2026-03-10", &listing);
    let mut cells = Cells::default();
    for (_, delta) in contribution(&history, &mut Zones::default()).into_deltas() {
        cells.add(&delta);
    }
    cells
}

fn view(unit: AreaUnit) -> FiguresView {
    let now = Time::parse("2026-03-12T20:00:00Z").unwrap();
    let zone = TimeZone::get("America/Los_Angeles").unwrap();
    FiguresView::of(Sum::Whole(&sold()), now, Currency::USD, unit, &zone)
}

#[test]
fn figures_of_the_catalogue_are_shown_in_their_units() {
    let view = view(AreaUnit::SquareFeet);
    let week = view.window(Window::Days7).unwrap();
    let get = |name: &str| week.values.get(name);
    assert_eq!((get("sales_priced"), get("median_sale_price")), (Some(1.0), Some(450_000.0)));
    assert_eq!((get("median_sale_to_list"), get("sold_above_list")), (Some(0.9), Some(0.0)));
    assert_eq!(get("median_days_on_market"), Some(9.0));
    assert_eq!((get("homes_cut_share"), get("no such figure")), (Some(0.0), None));
    assert_eq!((view.values.get("stays_90_days"), view.values.get("pending_ratio")), (Some(1.0), None));
    // To a thousandth: 4,500 dollars per square metre.
    let per_area = get("median_sale_price_per_area").unwrap();
    assert!((per_area / 418.06 - 1.0).abs() < 0.001_1, "{per_area} dollars per square foot");
    assert!(view.window(Window::Hours24).is_none(), "it has flows only");
}

#[test]
fn numbers_of_homes_are_whole_in_json_and_unknown_figures_are_null() {
    let json = serde_json::to_value(view(AreaUnit::SquareMeters)).unwrap();
    let week = &json["last_7_days"];
    assert_eq!((&week["sold"], &week["sales_priced"]), (&json!(1), &json!(1)));
    assert_eq!((&week["median_sale_price"], &week["absorption_rate"]), (&json!(450_000.0), &Value::Null));
    assert_eq!((&json["pending_stock"], &json["thin"]), (&json!(0), &json!(true)));
    assert!(week.as_object().unwrap()["median_price_cut"].is_null() && json["last_24_hours"]["sales_priced"].is_null());
}

#[test]
fn every_figure_has_a_value_or_null_where_it_belongs() {
    let json = serde_json::to_value(view(AreaUnit::SquareMeters)).unwrap();
    for figure in Definition::all() {
        let windows = figure.windows().iter().map(|window| &json[window.as_str()]);
        let objects: Vec<&Value> = if figure.is_of_windows() { windows.collect() } else { vec![&json] };
        for object in objects {
            assert!(object.as_object().unwrap().contains_key(figure.name), "{} is missing", figure.name);
        }
    }
}

#[test]
fn a_view_without_values_has_stock_and_flows_only() {
    let view = view(AreaUnit::SquareMeters);
    let flows = view.last_7_days.flows;
    let small = view.without_values();
    assert_eq!((small.last_7_days.flows, flows.sold), (flows, 1));
    let json = serde_json::to_value(&small).unwrap();
    let has = |name: &str| json["last_7_days"].as_object().unwrap().contains_key(name);
    assert!(has("sold") && !has("sales_priced") && !json.as_object().unwrap().contains_key("pending_stock"));
}
