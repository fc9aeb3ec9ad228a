mod rules;

use stoop_sources::{Method, Request};

use self::rules::Rules;
use super::address::origin_and_path;
use super::fetch::Fetcher;
use super::{PollError, USER_AGENT};

/// A site's `robots.txt`, fetched once per run.
#[derive(Default)]
pub(super) struct Robots {
    asked: Option<(String, Policy)>,
}

enum Policy {
    Rules(Rules),
    AllowsAll,
    AllowsNothing,
}

impl Robots {
    /// Checks whether a request is allowed; `None` if the run must end first.
    ///
    /// # Errors
    /// If it is not allowed.
    pub(super) async fn ask(&mut self, request: &Request, fetcher: &mut Fetcher<'_>) -> Result<Option<()>, PollError> {
        let Some((origin, path)) = origin_and_path(&request.url) else {
            return Err(PollError::Source("an address without a host has no robots.txt".into()));
        };
        if self.asked.as_ref().is_none_or(|(asked, _)| *asked != origin) {
            let Some(policy) = fetch(&origin, fetcher).await? else { return Ok(None) };
            self.asked = Some((origin.clone(), policy));
        }
        let allowed = match &self.asked {
            Some((_, Policy::Rules(rules))) => rules.allow(&path),
            Some((_, Policy::AllowsAll)) => true,
            Some((_, Policy::AllowsNothing)) | None => false,
        };
        let refusal = || PollError::Source(format!("robots.txt of {origin} does not let us fetch {path}"));
        if allowed { Ok(Some(())) } else { Err(refusal()) }
    }
}

/// RFC 9309: a missing file allows everything; an unavailable one allows nothing.
async fn fetch(origin: &str, fetcher: &mut Fetcher<'_>) -> Result<Option<Policy>, PollError> {
    let url = format!("{origin}/robots.txt");
    let request = Request { method: Method::Get, url, headers: Vec::new(), body: None, granted: false };
    Ok(Some(match fetcher.try_once(&request).await {
        Ok(None) => return Ok(None),
        Ok(Some(answer)) if answer.status == 200 => Policy::Rules(Rules::read(&answer.body, USER_AGENT)),
        Ok(Some(answer)) if (400..500).contains(&answer.status) => Policy::AllowsAll,
        Ok(Some(_)) | Err(PollError::Source(_)) => Policy::AllowsNothing,
        Err(other) => return Err(other),
    }))
}
