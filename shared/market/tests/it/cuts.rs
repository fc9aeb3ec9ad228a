//! Cuts and relists of a plain home, in the last 7 days before 1 March 2026.

use stoop_domain::Status;

use crate::balance::Step;
use crate::sales::figures;

#[test]
fn each_spell_has_a_first_cut() {
    let home: [Step<'_>; 6] = [
        ("2025-06-01", &|_| ()),
        ("2025-06-11", &|home| home.price = Some(45_000_000)),
        ("2025-07-01", &|home| home.status = Status::Gone),
        ("2025-12-01", &|home| {
            home.status = Status::Active;
            home.price = Some(48_000_000);
        }),
        ("2026-02-26", &|home| home.price = Some(44_000_000)),
        ("2026-02-28", &|home| home.price = Some(43_000_000)),
    ];
    let got = figures(&home, ["first_cuts", "median_days_to_first_cut", "homes_cut", "homes_cut_share"]);
    assert_eq!(got, [Some(1.0), Some(87.0), Some(1.0), Some(1.0)]);
}

#[test]
fn a_home_with_a_cut_counts_once_for_each_number_of_bedrooms() {
    let home: [Step<'_>; 4] = [
        ("2026-01-01", &|home| home.bedrooms = Some(2)),
        ("2026-02-26", &|home| home.price = Some(48_000_000)),
        ("2026-02-27", &|home| home.bedrooms = Some(3)),
        ("2026-02-28", &|home| home.price = Some(46_000_000)),
    ];
    assert_eq!(figures(&home, ["homes_cut", "first_cuts"]), [Some(2.0), Some(1.0)]);
}

#[test]
fn a_home_is_relisted_lower_if_it_asks_less_than_it_last_did() {
    for (price, lower) in [(50_000_000, 0.0), (47_000_000, 0.0), (46_999_999, 1.0)] {
        let back = move |home: &mut crate::support::State| {
            home.status = Status::Active;
            home.price = Some(price);
        };
        let home: [Step<'_>; 4] = [
            ("2025-06-01", &|_| ()),
            ("2025-06-11", &|home| home.price = Some(47_000_000)),
            ("2025-07-01", &|home| home.status = Status::Gone),
            ("2026-02-26", &back),
        ];
        assert_eq!(figures(&home, ["relisted_lower", "relist_rate"]), [Some(lower), Some(1.0)], "for {price}");
    }
}
