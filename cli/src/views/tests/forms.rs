//! The views on narrow screens, and as CSV.

use stoop_domain::{FieldPlace, HOME_FIELDS, HomeKind, HomeValue};
use stoop_serve::Figure;

use super::*;

/// Every view of the small market, on a screen of this width.
fn all_views(width: u16) -> String {
    let world = world();
    let database = &*world.database;
    let look = Look { colours: false, width };
    let pages = [
        ("markets", Markets::read(database, None, None, &WantedMarkets::default(), 40).unwrap().draw(look)),
        ("market 98178", AreaView::read(database, "98178", None, 30).unwrap().draw(look)),
        ("homes us/wa --all", Homes::read(database, "us/wa", &every(), 40).unwrap().draw(look)),
        ("home kc/1001", HomePage::read(database, "kc/1001").unwrap().draw(look)),
        ("home avito/54401684", HomePage::read(database, "avito/54401684").unwrap().draw(look)),
        ("alerts", Alerts::read(database, None, false, 40).unwrap().draw(look)),
        ("alerts --suspect", Alerts::read(database, None, true, 40).unwrap().draw(look)),
        ("runs", Runs::read(database, 20).unwrap().draw(look)),
        ("quarantine", Quarantined::read(database, 20).unwrap().draw(look)),
    ];
    pages.iter().map(|(command, page)| format!("$ stoop {command}\n{page}\n")).collect()
}

#[test]
fn every_view_fits_on_the_screen() {
    for width in [40, 60, 80, 120] {
        let views = all_views(width);
        let widest = views.lines().max_by_key(|line| line.chars().count()).unwrap();
        assert!(widest.chars().count() <= usize::from(width), "{width}: {widest}");
        if width > 40 {
            assert_snapshot!(format!("all_views_{width}"), views);
        }
    }
}

/// Checks that each column of a CSV has a value in the JSON, under its own name.
#[track_caller]
fn same_names(view: &impl View, optional: &[&str]) {
    let csv = view.csv().unwrap();
    let (fields, rows) = csv.fields();
    assert!(!rows.is_empty());
    for field in fields {
        let parent = field.path().split('.').next().unwrap();
        let known = rows.iter().all(|row| row.as_object().unwrap().contains_key(parent));
        assert!(known, "{} is not in every row", field.path());
        let filled = rows.iter().any(|row| !field.value(row).is_null());
        let is_optional = optional.contains(&field.path()) || field.path().contains("interval");
        assert!(filled || is_optional, "{} is filled in no row", field.path());
    }
    let text = csv.text().unwrap();
    let header = text.lines().next().unwrap();
    let stable = |name: &str| name.bytes().all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'_');
    assert!(header.split(',').all(stable), "{header}");
}

#[test]
fn csv_has_the_names_of_the_json() {
    let world = world();
    let database = &*world.database;
    let of_catalogue = Figure::all().filter(|figure| figure.definition().is_value()).map(Figure::path);
    let of_catalogue: Vec<&str> = of_catalogue.collect();
    same_names(&Markets::read(database, None, None, &WantedMarkets::default(), 40).unwrap(), &of_catalogue);
    same_names(
        &AreaView::read(database, "98178", None, 30).unwrap(),
        &["median_price_28_days", "median_price_91_days", "price_index"],
    );
    let attributes = HOME_FIELDS.iter().filter(|field| field.kept != FieldPlace::Fact).map(|field| field.name);
    // Too few homes are alike to be compared.
    let optional: Vec<&str> = attributes.chain(["versus_market"]).collect();
    same_names(&Homes::read(database, "us/wa", &every(), 40).unwrap(), &optional);
    same_names(&HomePage::read(database, "kc/1001").unwrap(), &["doubtful"]);
    same_names(&Alerts::read(database, None, false, 40).unwrap(), &["why_suspect", "withdrawn_at"]);
    same_names(&Alerts::read(database, None, true, 40).unwrap(), &["withdrawn_at"]);
    same_names(&Runs::read(database, 20).unwrap(), &[]);
    same_names(&Quarantined::read(database, 20).unwrap(), &[]);
    assert_snapshot!("home_csv", HomePage::read(database, "kc/1001").unwrap().csv().unwrap().text().unwrap());
    let homes = Homes::read(database, "us/wa", &every(), 1).unwrap().csv().unwrap().text().unwrap();
    assert_snapshot!("homes_csv", homes);
}

#[test]
fn a_home_shows_each_of_its_fields() {
    let world = nothing();
    let mut home = seen(
        &house("1", "Seattle", "98178", 3, 1_180, "5500 S Norfolk St"),
        &[("2026-01-02T18:00:00Z", 1, Status::Active)],
    )
    .remove(0);
    for field in &HOME_FIELDS {
        let value = match field.kind {
            HomeKind::PropertyType => HomeValue::PropertyType(PropertyType::Farm),
            HomeKind::Count => HomeValue::Count(3),
            HomeKind::Hundredths => HomeValue::Hundredths(225),
            HomeKind::Area => HomeValue::Area(Area::of(1, AreaUnit::Acres)),
            HomeKind::Year => HomeValue::Year(1962),
            HomeKind::Fee => HomeValue::Fee(Minor(31_250)),
            HomeKind::Flag => HomeValue::Flag(false),
        };
        (field.set)(&mut home.listing, value);
    }
    block_on(Measurer::new(&*world.database).measure(&[home])).unwrap();
    let page = HomePage::read(&world.database, "kc/1").unwrap().draw(SCREEN).as_str().to_owned();
    let line = |name: &str| page.lines().find_map(|line| line.trim_start().strip_prefix(name)).map(str::trim);
    assert_eq!(line("home "), Some("Farm, 3 bedrooms, 43,560 sqft"));
    for field in &HOME_FIELDS {
        let shown = match (field.name, field.kind) {
            ("property_type" | "bedrooms" | "living_area", _) => continue,
            (_, HomeKind::PropertyType) => "Farm",
            (_, HomeKind::Count) => "3",
            (_, HomeKind::Hundredths) => "2.25",
            (_, HomeKind::Area) => "43,560 sqft",
            (_, HomeKind::Year) => "1962",
            (_, HomeKind::Fee) => "$312.50 per month",
            (_, HomeKind::Flag) => "no",
        };
        assert_eq!(line(&field.name.replace('_', " ")), Some(shown), "{page}");
    }
}
