//! A month as others count it.

use stoop_serve::{Month, Provider};

use super::super::definition::Defined;
use super::*;

fn read(query: &str, provider: Provider, month: Option<&str>) -> anyhow::Result<Defined> {
    Defined::read(&world().database, query, provider, month.map(|month| month.parse::<Month>().unwrap()))
}

/// The value of a figure and ours, in the first market.
fn beside(view: &Defined, name: &str) -> (serde_json::Value, serde_json::Value) {
    let value = serde_json::to_value(view).unwrap();
    let figures = value["markets"][0]["figures"].as_array().unwrap();
    let figure = figures.iter().find(|figure| figure["figure"] == name).unwrap();
    (figure["value"].clone(), figure["ours"].clone())
}

/// Seven homes of King County until January 13: one is under contract, one is sold, one was cut, one was raised.
#[test]
fn a_month_is_counted_as_each_provider_does() {
    let view = read("us/wa", Provider::Redfin, None).unwrap();
    assert_snapshot!("definition_redfin", view.draw(SCREEN));
    assert_eq!(beside(&view, "inventory"), (5.0.into(), 5.0.into()));
    assert_eq!(beside(&view, "active_listings").0, 7.0);
    let view = read("us/wa", Provider::Zillow, None).unwrap();
    assert_snapshot!("definition_zillow", view.draw(NARROW));
    assert_eq!(beside(&view, "newly_pending_listings"), (1.0.into(), 1.0.into()));
    let view = read("agadir", Provider::Realtor, Some("2026-01")).unwrap();
    assert_snapshot!("definition_realtor_json", json(&view));
    let rows = view.csv().unwrap().text().unwrap();
    assert_eq!(rows.lines().count(), 1 + 2 * 6, "a row for each figure for sale and for rent");
}

#[test]
fn a_month_fits_on_a_narrow_screen() {
    for provider in Provider::ALL {
        let page = read("agadir", provider, None).unwrap().draw(Look { colours: false, width: 60 }).to_string();
        let wide = page.lines().find(|line| line.chars().count() > 60);
        assert_eq!(wide, None, "{provider:?}");
    }
}

#[test]
fn a_month_that_was_not_observed_is_refused() {
    let error = is_usage(read("us/wa", Provider::Redfin, Some("2025-12")));
    assert_eq!(error, "nothing was observed in us/wa in 2025-12; it is since 2026-01-02");
    let error = is_usage(read("us/wa", Provider::Redfin, Some("2026-02")));
    assert_eq!(error, "nothing is known of 2026-02 yet; accepted: a month up to 2026-01");
    is_usage(read("nowhere at all", Provider::Redfin, None));
}
