use serde::Serialize;
use stoop_market::{CATALOGUE_VERSION, Definition};
use stoop_show::{Csv, Field};

use super::answer::RouteAnswer;
use super::error::ApiError;
use super::params::Params;

/// What every figure means.
#[derive(Serialize)]
pub(super) struct Catalogue {
    catalogue_version: u32,
    figures: Vec<Figure>,
}

#[derive(Serialize)]
struct Figure {
    name: &'static str,
    group: &'static str,
    unit: &'static str,
    meaning: &'static str,
    formula: &'static str,
    /// RESO fields that it needs.
    fields: &'static [&'static str],
    /// Whether it exists for the last 7, 28 and 90 days.
    of_windows: bool,
    /// The figure that counts its sample.
    sample: Option<&'static str>,
    /// With a smaller sample it is thin.
    least_sample: Option<i64>,
    /// The largest relative error that is not one of sampling.
    resolution: f64,
    /// How its confidence interval is computed.
    interval: Option<&'static str>,
    /// Whose definition it follows, and where it departs.
    follows: Option<&'static str>,
}

impl RouteAnswer for Catalogue {
    fn csv(&self) -> Result<Option<Csv>, ApiError> {
        let columns = [
            "name",
            "group",
            "unit",
            "meaning",
            "formula",
            "of_windows",
            "sample",
            "least_sample",
            "resolution",
            "interval",
            "follows",
        ];
        Ok(Some(Csv::of(columns.map(Field::Plain), &self.figures)?))
    }
}

/// `GET /api/v1/catalogue`
pub(super) fn catalogue(query: &str) -> Result<Catalogue, ApiError> {
    Params::read(query, &[]).done()?;
    let figure = |of: &'static Definition| Figure {
        name: of.name,
        group: of.group.as_str(),
        unit: of.unit.as_str(),
        meaning: of.meaning,
        formula: of.formula,
        fields: of.fields,
        of_windows: of.is_of_windows(),
        sample: of.sample.map(|(sample, _)| sample),
        least_sample: of.sample.map(|(_, least)| least),
        resolution: of.resolution,
        interval: of.interval_method(),
        follows: Some(of.follows).filter(|follows| !follows.is_empty()),
    };
    Ok(Catalogue { catalogue_version: CATALOGUE_VERSION, figures: Definition::all().map(figure).collect() })
}
