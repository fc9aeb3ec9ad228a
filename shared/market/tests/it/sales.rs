//! Sales of a plain home, compared with the prices that were asked before.

use stoop_domain::{Day, Status};
use stoop_market::{Cells, Definition, Figures, Projection, Segment, Window, first_day};

use crate::balance::{Step, life, states};
use crate::oracle::noon;
use crate::support::{State, plain};

/// 2026-03-01.
const TODAY: i32 = 20_513;

/// Figures of the last 7 days for one home with these changes.
pub(crate) fn figures<const N: usize>(changes: &[Step<'_>], names: [&str; N]) -> [Option<f64>; N] {
    let market = plain().market();
    let cells = states(&[life(changes)]).remove(&market).unwrap();
    let zone = market.area.country().zone;
    let figures = Figures::of(&cells, Segment::All, noon(TODAY, &zone), &zone);
    names.map(|name| {
        let definition = Definition::all().find(|figure| figure.name == name).unwrap();
        definition.value(&figures, Some(Window::Days7))
    })
}

fn sell(price: i64) -> impl Fn(&mut State) {
    move |home: &mut State| {
        home.status = Status::Closed;
        home.close_price = Some(price);
    }
}

const COMPARED: [&str; 3] = ["sales_compared", "median_sale_to_list", "median_sale_to_original"];

#[test]
fn a_sale_is_compared_with_the_last_and_the_first_price_of_the_spell() {
    let home: [Step<'_>; 3] = [
        ("2026-01-01", &|home| home.price = Some(50_000_000)),
        ("2026-01-10", &|home| home.price = Some(40_000_000)),
        ("2026-03-01", &sell(45_000_000)),
    ];
    assert_eq!(figures(&home, COMPARED), [Some(1.0), Some(1.125), Some(0.9)]);
}

#[test]
fn a_sale_is_compared_with_the_price_asked_on_its_own_terms() {
    let home: [Step<'_>; 4] = [
        ("2026-01-01", &|home| home.price = Some(50_000_000)),
        ("2026-01-10", &|home| {
            home.rent = true;
            home.price = Some(200_000);
        }),
        ("2026-01-20", &|home| {
            home.rent = false;
            home.status = Status::Withdrawn;
            home.price = None;
        }),
        ("2026-03-01", &sell(45_000_000)),
    ];
    assert_eq!(figures(&home, COMPARED), [Some(1.0), Some(0.9), Some(0.9)]);
}

#[test]
fn a_first_price_told_without_a_price_counts() {
    let home: [Step<'_>; 3] = [
        ("2026-01-01", &|home| home.price = Some(50_000_000)),
        ("2026-01-10", &|home| {
            home.status = Status::Pending;
            home.price = None;
            home.original = Some(60_000_000);
        }),
        ("2026-03-01", &sell(48_000_000)),
    ];
    assert_eq!(figures(&home, COMPARED), [Some(1.0), Some(0.96), Some(0.8)]);
    // A spell without any price does not hide what was asked in the one before.
    let again: [Step<'_>; 4] = [
        ("2025-01-01", &|home| home.price = Some(60_000_000)),
        ("2025-03-01", &|home| home.status = Status::Withdrawn),
        ("2026-01-01", &|home| {
            home.status = Status::Active;
            home.price = None;
        }),
        ("2026-03-01", &sell(48_000_000)),
    ];
    assert_eq!(figures(&again, COMPARED), [Some(1.0), Some(0.8), Some(0.8)]);
}

#[test]
fn a_slip_that_the_sale_disproves_is_compared_with_nothing() {
    let mended: [Step<'_>; 3] = [
        ("2026-01-01", &|home| home.price = Some(12_000_000)),
        ("2026-01-02", &|home| home.price = Some(120_000_000)),
        ("2026-03-01", &sell(119_000_000)),
    ];
    assert_eq!(figures(&mended, COMPARED), [Some(1.0), Some(0.9917), Some(0.9917)]);
    // The slip was never mended on the market, but in the row of the sale.
    let mended_late: [Step<'_>; 2] = [
        ("2026-01-01", &|home| home.price = Some(12_000_000)),
        ("2026-03-01", &|home| {
            sell(119_000_000)(home);
            home.price = Some(120_000_000);
        }),
    ];
    assert_eq!(figures(&mended_late, COMPARED), [Some(1.0), Some(0.9917), None]);
    for (price, to_list) in [(39_999_999, Some(4.0)), (40_000_000, None), (2_500_001, Some(0.25)), (2_500_000, None)] {
        let home: [Step<'_>; 2] = [("2026-01-01", &|home| home.price = Some(10_000_000)), ("2026-03-01", &sell(price))];
        let compared = Some(f64::from(u8::from(to_list.is_some())));
        assert_eq!(figures(&home, ["sales_priced"]), [Some(1.0)], "the price itself counts");
        assert_eq!(figures(&home, COMPARED), [compared, to_list, to_list], "{price}");
    }
}

#[test]
fn a_sale_that_is_told_in_two_rows_is_one_with_its_day_and_price() {
    let home: [Step<'_>; 2] = [
        ("2026-02-28", &|home| home.status = Status::Closed),
        ("2026-03-01", &|home| {
            home.close_day = Some(TODAY - 1);
            home.close_price = Some(49_000_000);
        }),
    ];
    assert_eq!(
        figures(&home, ["sales_priced", "median_sale_price", "median_sale_to_list"]),
        [Some(1.0), Some(49e6), Some(0.98)]
    );
}

#[test]
fn an_empty_market_with_sales_has_a_supply_of_nothing() {
    let home: [Step<'_>; 2] = [("2026-01-01", &|_| ()), ("2026-03-01", &sell(49_000_000))];
    let names = ["months_of_supply", "months_to_contract", "absorption_rate"];
    assert_eq!(figures(&home, names), [Some(0.0), Some(0.0), None]);
    let unsold: [Step<'_>; 2] = [("2026-01-01", &|_| ()), ("2026-03-01", &|home| home.status = Status::Withdrawn)];
    assert_eq!(figures(&unsold, names), [None; 3]);
}

#[test]
fn only_an_equal_price_is_neither_above_nor_below_the_list_price() {
    for (price, to_list, above) in [
        (49_999_999, 0.9999, 0.0),
        (50_000_000, 1.0, 0.0),
        (50_000_001, 1.0001, 1.0),
        (50_007_499, 1.0001, 1.0),
        (50_007_500, 1.0002, 1.0),
    ] {
        let home: [Step<'_>; 2] = [("2026-01-01", &|_| ()), ("2026-03-01", &sell(price))];
        let got = figures(&home, ["median_sale_to_list", "sold_above_list", "median_sale_price"]);
        #[expect(clippy::cast_precision_loss, reason = "a whole number of cents")]
        let price = price as f64;
        assert_eq!(got, [Some(to_list), Some(above), Some(price)]);
    }
}

#[test]
fn a_sale_for_a_token_price_counts_without_the_price() {
    let home: [Step<'_>; 2] = [("2026-01-01", &|_| ()), ("2026-03-01", &sell(1_000))];
    let names = ["sales_priced", "median_sale_price", "sale_volume", "sold_above_list", "months_of_supply"];
    assert_eq!(figures(&home, names), [Some(0.0), None, None, None, Some(0.0)]);
}

#[test]
fn a_sale_of_a_home_that_was_never_offered_is_compared_with_its_own_row() {
    let home: [Step<'_>; 2] = [
        ("2026-01-01", &|home| home.status = Status::Withdrawn),
        ("2026-03-01", &|home| {
            sell(45_000_000)(home);
            home.original = Some(60_000_000);
        }),
    ];
    assert_eq!(figures(&home, COMPARED), [Some(1.0), Some(0.9), Some(0.75)]);
}

#[test]
fn a_market_is_watched_from_the_first_home_in_stock_on_and_not_from_a_sale_reported_of_before() {
    let sold_before: [Step<'_>; 1] = [("2026-02-25", &|home| {
        sell(45_000_000)(home);
        home.close_day = Some(TODAY - 60);
    })];
    let on_offer: [Step<'_>; 1] = [("2026-02-20", &|_| ())];
    let watched = |homes: &[&[Step<'_>]]| {
        let homes: Vec<_> = homes.iter().map(|steps| life(steps)).collect();
        let cells = states(&homes).remove(&plain().market()).unwrap();
        let mut wide = Projection::new(Day(TODAY));
        wide.add(&cells, &Cells::default());
        let wide = wide.sum().first_day();
        assert_eq!(wide, first_day(&cells), "the stored sum of a wide area");
        wide
    };
    assert_eq!(watched(&[&sold_before, &on_offer]), Some(Day(TODAY - 9)));
    assert_eq!(watched(&[&sold_before]), None, "nothing was ever on offer");
}
