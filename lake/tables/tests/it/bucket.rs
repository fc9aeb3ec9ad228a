//! What can be said of buckets without one. The stack's test (`tests/tests/stack/lake.rs`) has one.

use std::error::Error as _;

use stoop_lake_tables::{Lake, LakeTable};

use crate::support::run;

#[test]
fn one_thread_is_too_few_for_a_bucket() {
    let lake = Lake::s3("s3://bucket").unwrap();
    let refused = run(LakeTable::read(&lake, "observations")).err().unwrap();
    assert_eq!(refused.source().unwrap().to_string(), "a bucket needs a runtime with several threads");
}

#[test]
fn a_url_that_names_no_bucket_is_refused() {
    for url in ["bucket", "s3:///folder", "https://bucket/"] {
        let refused = Lake::s3(url).unwrap_err();
        assert!(refused.to_string().contains(url), "{url}: {refused}");
    }
}
