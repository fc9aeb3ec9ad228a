use serde::Serialize;
use stoop_domain::Time;
use stoop_show::{Csv, Field};

use super::Api;
use super::answer::RouteAnswer;
use super::error::ApiError;
use super::params::Params;
use crate::{AreaError, NamedArea, find_area, full_name};

/// The areas that a text may mean.
#[derive(Serialize)]
pub(super) struct AreaList {
    /// The area if the text means one; otherwise those that share the name, likeliest first, or the nearest around a
    /// place without homes.
    areas: Vec<NamedArea>,
    /// Whether the text means the one area.
    found: bool,
    /// Texts that are similar and find something; empty if there are areas.
    similar: Vec<String>,
}

impl RouteAnswer for AreaList {
    fn csv(&self) -> Result<Option<Csv>, ApiError> {
        Ok(Some(Csv::of(["path", "name", "markets"].map(Field::Plain), &self.areas)?))
    }
}

impl Api<'_> {
    /// `GET /api/v1/areas`
    pub(super) async fn list_areas(&self, query: &str, now: Time) -> Result<AreaList, ApiError> {
        let mut params = Params::read(query, &["area"]);
        let area = params.area();
        if area.is_none() {
            params.mistake("area: not given; accepted: a path like us/wa/king or a name");
        }
        params.done()?;
        let markets = self.known.all(self.reader.views, now).await?;
        let none = AreaList { areas: Vec::new(), found: false, similar: Vec::new() };
        Ok(match find_area(&area.unwrap_or_default(), &markets) {
            Ok(found) => {
                let named = NamedArea { name: full_name(&found.path), markets: found.markets.len(), path: found.path };
                AreaList { areas: vec![named], found: true, ..none }
            }
            Err(AreaError::Ambiguous { candidates, .. }) => AreaList { areas: candidates, ..none },
            Err(AreaError::NotWatched { nearest, .. }) => AreaList { areas: nearest.into_iter().collect(), ..none },
            Err(AreaError::NoSuchArea { nearest, .. }) => AreaList { similar: nearest, ..none },
            Err(error @ AreaError::NoSuchTerm { .. }) => return Err(error.into()),
        })
    }
}
