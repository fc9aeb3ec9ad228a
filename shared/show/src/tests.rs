use super::*;

fn currency(code: &str) -> Currency {
    Currency::parse(code).unwrap()
}

#[test]
fn amounts_are_exact_and_show_cents_only_where_there_are_some() {
    assert_eq!(money(Minor(125_000_000), Currency::USD), "$1,250,000");
    assert_eq!(money(Minor(125_000_000), Currency::MAD), "MAD 1,250,000");
    assert_eq!(money(Minor(139_285), Currency::EUR), "€1,392.85");
    assert_eq!(money(Minor(139_205), Currency::EUR), "€1,392.05");
    assert_eq!(money(Minor(-5), Currency::USD), "-$0.05");
    assert_eq!(money(Minor(25_000_000), currency("JPY")), "JPY 25,000,000");
    assert_eq!(money(Minor(1_500_250), currency("TND")), "TND 1,500.250");
}

#[test]
fn statistics_have_only_significant_digits() {
    assert_eq!(price(449_873.12, Currency::USD), "$450,000");
    assert_eq!(price(1_189_299.63, Currency::MAD), "MAD 1,190,000");
    assert_eq!(price(9_999.6, Currency::USD), "$10,000");
    assert_eq!(price(1_392.85, Currency::EUR), "€1,392");
    assert_eq!(price(14.302, Currency::EUR), "€14.30");
    assert_eq!(price(14.0, Currency::EUR), "€14");
    assert_eq!(price(99.999, Currency::EUR), "€100");
    assert_eq!(price_per_area(243.4, Currency::USD, "sqft"), "$243/sqft");
    assert_eq!(price_per_area(12_345.6, Currency::MAD, "m2"), "MAD 12,340/m²");
    assert_eq!(area(1_230.4, "sqft"), "1,230 sqft");
}

#[test]
fn short_prices_have_three_digits() {
    let shown = [950.0, 999.6, 1_392.85, 45_000.0, 321_500.0, 999_600.0, 1_250_000.0, 12_500_000.0, 2e9].map(short);
    assert_eq!(shown, ["950", "1.00k", "1.39k", "45.0k", "322k", "1.00M", "1.25M", "12.5M", "2.00G"]);
}

#[test]
fn numbers_are_grouped_by_three() {
    assert_eq!([0, 999, 1_000, 1_234_567].map(count), ["0", "999", "1,000", "1,234,567"]);
    assert_eq!([-1, -1_000, 12].map(whole), ["-1", "-1,000", "12"]);
}

#[test]
fn changes_have_a_sign_shares_have_none() {
    assert_eq!(percent(0.1234), "12.3 %");
    assert_eq!([1.0, 0.999, 0.5, 0.001, 0.0].map(whole_percent), ["100 %", "99 %", "50 %", "1 %", "0 %"]);
    assert_eq!([0.003, -0.052, -0.000_04, 0.0].map(change), ["+0.3 %", "-5.2 %", "0.0 %", "0.0 %"]);
}

#[test]
fn moments_are_shown_to_the_minute_in_utc() {
    let at = Time::parse("2026-01-13T11:51:42.5+01:00").unwrap();
    assert_eq!(time(at), "2026-01-13 10:51");
    assert_eq!(date(at), "2026-01-13");
}

#[test]
fn spans_are_shown_in_two_units() {
    let shown = [420, 9_990, 42_000, 200_000, 7_500_000, 273_600_000].map(span);
    assert_eq!(shown, ["0.4 s", "9.9 s", "42 s", "3 min 20 s", "2 h 5 min", "3 d 4 h"]);
}

#[test]
fn an_interval_has_no_part_that_is_zero() {
    let shown = [1, 10, 60, 90, 900, 3_600, 5_400, 7_200, 86_400, 90_000, 3_153_600].map(interval);
    let expected =
        ["1 s", "10 s", "1 min", "1 min 30 s", "15 min", "1 h", "1 h 30 min", "2 h", "1 d", "1 d 1 h", "36 d 12 h"];
    assert_eq!(shown, expected);
}
