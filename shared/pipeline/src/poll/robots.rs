use stoop_sources::{Method, Request};

use super::address::origin_and_path;
use super::fetch::Fetcher;
use super::{PollError, USER_AGENT};

/// What a site's `robots.txt` says, asked once a run.
#[derive(Default)]
pub(super) struct Robots {
    asked: Option<(String, Policy)>,
}

enum Policy {
    Rules(String),
    AllowsAll,
    AllowsNothing,
}

impl Robots {
    /// Says whether a request may be made; `None` when the run is to end first.
    ///
    /// # Errors
    /// When it may not.
    pub(super) async fn ask(&mut self, request: &Request, fetcher: &mut Fetcher<'_>) -> Result<Option<()>, PollError> {
        let Some((origin, path)) = origin_and_path(&request.url) else {
            return Err(PollError::Source("an address without a host has no robots.txt".into()));
        };
        if self.asked.as_ref().is_none_or(|(asked, _)| *asked != origin) {
            let Some(policy) = fetch(&origin, fetcher).await? else { return Ok(None) };
            self.asked = Some((origin.clone(), policy));
        }
        let allowed = match &self.asked {
            Some((_, Policy::Rules(rules))) => allows(rules, USER_AGENT, &path),
            Some((_, Policy::AllowsAll)) => true,
            Some((_, Policy::AllowsNothing)) | None => false,
        };
        let refusal = || PollError::Source(format!("robots.txt of {origin} does not let us fetch {path}"));
        if allowed { Ok(Some(())) } else { Err(refusal()) }
    }
}

/// RFC 9309: a file that is not there allows all; one that cannot be had allows nothing.
async fn fetch(origin: &str, fetcher: &mut Fetcher<'_>) -> Result<Option<Policy>, PollError> {
    let url = format!("{origin}/robots.txt");
    let request = Request { method: Method::Get, url, headers: Vec::new(), body: None, granted: false };
    Ok(Some(match fetcher.try_once(&request).await {
        Ok(None) => return Ok(None),
        Ok(Some(answer)) if answer.status == 200 => Policy::Rules(String::from_utf8_lossy(&answer.body).into_owned()),
        Ok(Some(answer)) if (400..500).contains(&answer.status) => Policy::AllowsAll,
        Ok(Some(_)) | Err(PollError::Source(_)) => Policy::AllowsNothing,
        Err(other) => return Err(other),
    }))
}

/// Whether a `robots.txt` lets us fetch a path: RFC 9309. Of the groups that name us (else of the group
/// for everybody) the longest matching rule decides; a tie goes to allow; no rule allows.
fn allows(robots: &str, agent: &str, path: &str) -> bool {
    let (mut ours, mut everybodys): (Vec<Rule<'_>>, Vec<Rule<'_>>) = (Vec::new(), Vec::new());
    let (mut names_us, mut names_all, mut seen_ours) = (false, false, false);
    let mut in_rules = false;
    for line in robots.lines().take(LINES_MAX) {
        let line = line.split('#').next().unwrap_or("").trim();
        let Some((key, value)) = line.split_once(':') else { continue };
        let value = value.trim();
        match key.trim().to_ascii_lowercase().as_str() {
            "user-agent" => {
                if in_rules {
                    (names_us, names_all, in_rules) = (false, false, false);
                }
                names_all |= value == "*";
                names_us |= value != "*" && agent.to_ascii_lowercase().starts_with(&value.to_ascii_lowercase());
                seen_ours |= names_us;
            }
            kind @ ("allow" | "disallow") => {
                in_rules = true;
                let rule = Rule { allow: kind == "allow", pattern: value };
                if !value.is_empty() && names_us {
                    ours.push(rule);
                } else if !value.is_empty() && names_all {
                    everybodys.push(rule);
                }
            }
            _ => {}
        }
    }
    let rules = if seen_ours { ours } else { everybodys };
    let best = rules.iter().filter(|rule| rule.matches(path)).max_by_key(|rule| (rule.pattern.len(), rule.allow));
    best.is_none_or(|rule| rule.allow)
}

/// Crawlers must read at least 500 KiB of a robots.txt; this many lines is about that.
const LINES_MAX: usize = 20_000;

struct Rule<'a> {
    allow: bool,
    pattern: &'a str,
}

impl Rule<'_> {
    /// `*` stands for any text, `$` at the end for the end.
    fn matches(&self, path: &str) -> bool {
        let (pattern, anchored) = match self.pattern.strip_suffix('$') {
            Some(pattern) => (pattern, true),
            None => (self.pattern, false),
        };
        let mut parts = pattern.split('*');
        let Some(mut rest) = path.strip_prefix(parts.next().unwrap_or("")) else { return false };
        let parts: Vec<&str> = parts.collect();
        for (i, part) in parts.iter().enumerate() {
            if anchored && i + 1 == parts.len() {
                return rest.ends_with(part);
            }
            match rest.find(part) {
                Some(at) => rest = &rest[at + part.len()..],
                None => return false,
            }
        }
        !anchored || rest.is_empty()
    }
}

#[cfg(test)]
mod tests {
    use super::allows;

    const AGENT: &str = "stoop/0.1.0 (property market figures)";

    #[test]
    fn the_longest_rule_decides_and_a_tie_allows() {
        let robots = "User-agent: *\nDisallow: /fr/\nAllow: /fr/maroc/\nDisallow: /x\nAllow: /x\n";
        assert!(!allows(robots, AGENT, "/fr/compte"));
        assert!(allows(robots, AGENT, "/fr/maroc/appartements"));
        assert!(allows(robots, AGENT, "/x"));
        assert!(allows(robots, AGENT, "/anything"));
    }

    #[test]
    fn a_group_that_names_us_replaces_the_one_for_everybody() {
        let robots = "User-agent: *\nDisallow:\n\nUser-agent: other\nUser-agent: Stoop\nDisallow: /\n";
        assert!(!allows(robots, AGENT, "/a"));
        assert!(allows("User-agent: other\nDisallow: /\n", AGENT, "/a"));
        assert!(allows("User-agent: *\nDisallow: /\nUser-agent: stoop\nDisallow:\n", AGENT, "/a"));
    }

    #[test]
    fn wildcards_and_ends_are_understood() {
        let robots = "User-agent: *\nDisallow: /*?o=\nDisallow: /*.pdf$\n";
        assert!(!allows(robots, AGENT, "/fr/appartements?o=2"));
        assert!(!allows(robots, AGENT, "/a/b.pdf"));
        assert!(allows(robots, AGENT, "/a/b.pdf?x"));
    }

    #[test]
    fn rubbish_allows() {
        assert!(allows("<html>not found</html>", AGENT, "/a"));
        assert!(allows("", AGENT, "/a"));
    }
}
