//! What tests of maps share: a map of a few fields, and what it makes of a row.

use stoop_domain::{Observation, Reason, Time};
use stoop_sources::declared::{Map, RowBytes, RowError, RowOutcome};

/// The beginning of a map of homes for rent, up to its fields.
pub(crate) const HEAD: &str =
    "name = \"t\"\ncountry = \"AT\"\ncurrency = \"EUR\"\npurpose = \"rent\"\n[fields]\nnative_id = { from = \"id\" }\n";

/// The map with these fields as well.
pub(crate) fn map(fields: &str) -> Map {
    Map::parse(&format!("{HEAD}{fields}"), "t.toml").unwrap_or_else(|errors| panic!("{errors}"))
}

/// The mistakes of a map.
pub(crate) fn mistakes(toml: &str) -> Vec<String> {
    Map::parse(toml, "t.toml").unwrap_err().0.iter().map(ToString::to_string).collect()
}

/// When rows are read.
pub(crate) fn now() -> Time {
    Time::parse("2026-01-14T12:00:00Z").unwrap()
}

/// What a map makes of a JSON row.
pub(crate) fn outcome(map: &Map, row: &str) -> Result<RowOutcome, RowError> {
    map.bind_json().read(RowBytes::Json(row.as_bytes()), "poll_2026-01-13.jsonl", now())
}

/// The observation of a JSON row read with these fields.
pub(crate) fn json(fields: &str, row: &str) -> Observation {
    match outcome(&map(fields), row) {
        Ok(RowOutcome::Observation(observation, _)) => observation,
        other => panic!("{other:?}"),
    }
}

/// The reasons and details of the values that are left out of a JSON row read with these fields.
pub(crate) fn left_out(fields: &str, row: &str) -> Vec<(Reason, String)> {
    match outcome(&map(fields), row) {
        Ok(RowOutcome::Observation(_, values)) => {
            values.into_iter().map(|value| (value.reason, value.detail)).collect()
        }
        other => panic!("{other:?}"),
    }
}

/// Why a JSON row is refused with these fields.
pub(crate) fn refused(fields: &str, row: &str) -> (Reason, String) {
    let error = outcome(&map(fields), row).unwrap_err();
    (error.reason, error.detail)
}
