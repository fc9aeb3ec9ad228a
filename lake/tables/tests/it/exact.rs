use stoop_domain::{Area, AreaUnit, Currency, Day, HomeValue, Minor, Observation};
use stoop_lake_tables::Lake;

use crate::support::{chunk, ingest, line, observation, rows, run};

fn row(change: impl FnOnce(&mut Observation)) -> std::collections::BTreeMap<String, String> {
    let mut observation = observation(0);
    change(&mut observation);
    let folder = tempfile::tempdir().unwrap();
    let chunks = [("one".to_owned(), chunk("one", &[line(&observation)]))];
    run(ingest(&Lake::folder(folder.path()).unwrap(), &chunks)).unwrap();
    let rows = rows(folder.path(), "observations");
    assert_eq!(rows.len(), 1, "{:?}", crate::support::rows(folder.path(), "quarantine"));
    rows.into_values().next().unwrap()
}

#[test]
fn prices_are_exact_in_every_minor_unit() {
    for (currency, minor, major) in [
        ("USD", 22_190_001, "221900.010"),
        ("JPY", 48_000_001, "48000001.000"),
        ("KWD", 185_000_999, "185000.999"),
        ("MAD", 120_000_050, "1200000.500"),
        ("USD", 99_999_999_999_999_999, "999999999999999.990"),
    ] {
        let row = row(|o| {
            o.listing.currency = Currency::parse(currency).unwrap();
            o.listing.list_price = Some(Minor(minor));
            o.listing.association_fee = Some(Minor(minor));
        });
        assert_eq!((row["list_price"].as_str(), row["association_fee"].as_str()), (major, major), "{currency}");
        assert_eq!(row["currency"], currency);
    }
}

#[test]
fn areas_are_exact_in_square_metres() {
    // 0.09290304 m² and 4,046.8564224 m² by definition.
    for (ten_thousandths, unit, own, metric) in [
        (10_000, AreaUnit::SquareFeet, "1.0000", "0.092903040000"),
        (1, AreaUnit::SquareFeet, "0.0001", "0.000009290304"),
        (19_825_001, AreaUnit::SquareFeet, "1982.5001", "184.180286090304"),
        (10_000, AreaUnit::Acres, "1.0000", "4046.856422400000"),
        (2_501, AreaUnit::Acres, "0.2501", "1012.118791242240"),
        (845_000, AreaUnit::SquareMeters, "84.5000", "84.500000000000"),
    ] {
        let row = row(|o| {
            o.listing.living_area = Some(Area { ten_thousandths, unit });
            o.listing.lot_area = Some(Area { ten_thousandths, unit });
        });
        assert_eq!((row["living_area"].as_str(), row["living_area_m2"].as_str()), (own, metric));
        assert_eq!((row["lot_area"].as_str(), row["lot_area_m2"].as_str()), (own, metric));
        assert_eq!(row["living_area_unit"], format!("{unit:?}"));
    }
}

#[test]
fn every_field_of_the_home_has_a_column() {
    let row = row(|o| {
        for field in &stoop_domain::HOME_FIELDS {
            use stoop_domain::HomeKind;
            let value = match field.kind {
                HomeKind::PropertyType => HomeValue::PropertyType(stoop_domain::PropertyType::Condominium),
                HomeKind::Count => HomeValue::Count(3),
                HomeKind::Hundredths => HomeValue::Hundredths(250),
                HomeKind::Area => HomeValue::Area(Area::of(7, AreaUnit::Acres)),
                HomeKind::Year => HomeValue::Year(1987),
                HomeKind::Fee => HomeValue::Fee(Minor(12_345)),
                HomeKind::Flag => HomeValue::Flag(false),
            };
            (field.set)(&mut o.listing, value);
        }
        o.listing.close_date = Some(Day(20_000));
        o.listing.address.latitude_e6 = Some(-33_868_820);
    });
    for (name, value) in [
        ("bedrooms", "3"),
        ("bathrooms", "2.50"),
        ("year_built", "1987"),
        ("property_type", "Condominium"),
        ("association_fee", "123.450"),
        ("display", "false"),
        ("close_date", "2024-10-04"),
        ("latitude", "-33.868820"),
        ("market", "us/wa/king/seattle/-:sale:USD"),
        ("area", "us/wa/king/seattle/-"),
        ("city", "seattle"),
        ("zone", "America/Los_Angeles"),
        ("observed_at", "2026-01-05T00:00:00Z"),
        ("line_version", "3"),
    ] {
        assert_eq!(row.get(name).map(String::as_str), Some(value), "{name}");
    }
    assert!(stoop_domain::HOME_FIELDS.iter().all(|field| row.contains_key(field.name)));
    assert!(!row.contains_key("area_name"), "an unknown level is no value");
}
