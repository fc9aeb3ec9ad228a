//! What tests of declared APIs share: a map with requests, and what it makes of an answer.

use stoop_domain::Time;
use stoop_sources::declared::{HttpSource, Map};
use stoop_sources::{Cursor, Page, ReadError, Source, SourceAnswer};

/// A map of homes for sale with these requests, whose rows are at this place of an answer.
pub(crate) fn map(http: &str, rows: Option<&str>) -> Map {
    let rows = rows.map(|rows| format!("[read]\nrows = \"{rows}\"\n")).unwrap_or_default();
    let toml = format!(
        "name = \"t\"\ncountry = \"AT\"\ncurrency = \"EUR\"\npurpose = \"sale\"\n[fields]\nnative_id = {{ from = \"id\" }}\n\
         list_price = {{ from = \"p\" }}\ncity = {{ constant = \"Graz\" }}\n{rows}{http}"
    );
    Map::parse(&toml, "t.toml").unwrap_or_else(|errors| panic!("{errors}"))
}

/// What a source makes of an answer.
pub(crate) fn read(source: &HttpSource, cursor: &Cursor, body: &str) -> Result<Page, ReadError> {
    let answer = SourceAnswer::of(body.as_bytes());
    source.read(cursor, &answer, Time::from_ms(0))
}
