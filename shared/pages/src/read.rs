//! Finds the area that a text means, or says what may have been meant.

use stoop_serve::{AreaError, FoundArea, Reader, find_area};

use crate::problem::Problem;

/// The area that a text means; other markets than those of the terms are left out.
pub(crate) async fn find(reader: &Reader<'_>, query: &str) -> Result<FoundArea, Problem> {
    let markets = reader.markets().await?;
    find_area(query, &markets).map_err(|error| not_found(query, error))
}

fn not_found(query: &str, error: AreaError) -> Problem {
    let mut problem = Problem::missing(error.to_string());
    query.clone_into(&mut problem.query);
    match error {
        AreaError::Ambiguous { query, candidates } => {
            problem.status = 300;
            problem.title = "Several areas have this name";
            problem.message = format!("{query:?} is the name of several areas.");
            problem.candidates = candidates;
        }
        AreaError::NoSuchArea { query, nearest } => {
            problem.message = format!("There is no area {query:?} here.");
            problem.similar = nearest;
        }
        AreaError::NotWatched { nearest, .. } => problem.candidates = nearest.into_iter().collect(),
        AreaError::NoSuchTerm { .. } => problem.status = 400,
    }
    problem
}
