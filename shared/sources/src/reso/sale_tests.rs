//! Sales, the building and its fee, and times.

use stoop_domain::{Minor, Reason};

use super::tests::{found, row};

#[test]
fn only_closed_rows_report_a_sale() {
    let message = r#""ListPrice": 300000, "ClosePrice": 310000, "CloseDate": "2026-01-09""#;
    let closed = found(&format!(r#""StandardStatus": "Closed", {message}"#)).listing;
    assert_eq!((closed.list_price, closed.close_price), (Some(Minor(30_000_000)), Some(Minor(31_000_000))));
    assert_eq!(closed.close_date.unwrap().to_string(), "2026-01-09");
    for status in ["Active", "Pending", "Withdrawn"] {
        let other = found(&format!(r#""StandardStatus": "{status}", {message}"#)).listing;
        assert_eq!((other.close_price, other.close_date), (None, None), "{status}: an earlier sale, or expected");
    }
    let undisclosed = found(r#""StandardStatus": "Closed", "ClosePrice": 0, "CloseDate": null"#).listing;
    assert_eq!((undisclosed.close_price, undisclosed.close_date), (None, None));
    let undated = row(r#""StandardStatus": "Closed", "CloseDate": "soon""#).left_out();
    assert_eq!(undated, (Reason::BadValue, "CloseDate is soon".into()));
}

#[test]
fn a_fee_is_by_the_month_or_unknown() {
    let fee = |frequency: &str| {
        found(&format!(r#""AssociationFee": 1200.00, "AssociationFeeFrequency": {frequency}"#)).listing.association_fee
    };
    for (frequency, dollars) in [
        ("Monthly", 1_200),
        ("Annually", 100),
        ("Quarterly", 400),
        ("Semi-Annually", 200),
        ("SemiAnnually", 200),
        ("Bi-Monthly", 600),
        ("Semi-Monthly", 2_400),
        ("Weekly", 5_200),
        ("Bi-Weekly", 2_600),
        ("Daily", 36_500),
    ] {
        assert_eq!(fee(&format!("{frequency:?}")), Some(Minor(dollars * 100)), "{frequency}");
    }
    for frequency in ["\"One Time\"", "\"Seasonal\"", "\"See Remarks\"", "null", "5"] {
        assert_eq!(fee(frequency), None, "{frequency}");
    }
    let cents = found(r#""AssociationFee": "100", "AssociationFeeFrequency": "Annually""#).listing;
    assert_eq!(cents.association_fee, Some(Minor(833)));
    let none = found(r#""AssociationFee": 0, "AssociationFeeFrequency": "Monthly""#).listing;
    assert_eq!(none.association_fee, None);
}

#[test]
fn the_year_is_one_in_which_something_can_have_been_built() {
    let year = |value: &str| found(&format!(r#""YearBuilt": {value}"#)).listing.year_built;
    assert_eq!((year("1925"), year("\"1925\""), year("2027")), (Some(1925), Some(1925), Some(2027)));
    for value in ["0", "19", "9999", "\"unknown\"", "null", "99999999"] {
        assert_eq!(year(value), None, "{value}");
    }
}

#[test]
fn the_time_of_modification_is_a_version() {
    let dated = found("");
    assert!(dated.at.is_some() && dated.versioned);
    let undated = found(r#""ModificationTimestamp": null"#);
    assert!(undated.at.is_none() && !undated.versioned, "a row without a time has no version");
}
