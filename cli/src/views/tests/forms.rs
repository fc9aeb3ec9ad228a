//! The views on narrow screens, and as CSV.

use stoop_pipeline::serve::Figure;

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
        assert!(filled || optional.contains(&field.path()), "{} is filled in no row", field.path());
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
    same_names(&Homes::read(database, "us/wa", &every(), 40).unwrap(), &[]);
    same_names(&HomePage::read(database, "kc/1001").unwrap(), &["doubtful"]);
    same_names(&Alerts::read(database, None, false, 40).unwrap(), &["why_suspect"]);
    same_names(&Alerts::read(database, None, true, 40).unwrap(), &[]);
    same_names(&Runs::read(database, 20).unwrap(), &[]);
    same_names(&Quarantined::read(database, 20).unwrap(), &[]);
    assert_snapshot!("home_csv", HomePage::read(database, "kc/1001").unwrap().csv().unwrap().text().unwrap());
    let homes = Homes::read(database, "us/wa", &every(), 1).unwrap().csv().unwrap().text().unwrap();
    assert_snapshot!("homes_csv", homes);
}
