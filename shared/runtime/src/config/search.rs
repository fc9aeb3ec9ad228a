//! `[[search]]`: what to poll, how often, and with which parameters.

use std::collections::BTreeMap;
use std::path::Path;

use stoop_pipeline::{DisplayTerms, FileSet, OnDrift, Origin, Search};
use stoop_sources::settings::{Mistakes, Section};
use stoop_sources::{Limit, Params, Source};

use super::SearchConfig;
use super::environment::{Environment, Platform};
use super::files::{self, WrittenFiles};
use super::params::{Lacking, Written, file_path};
use super::values::{HOUR_MS, duration_ms, every_max_ms, percent_bp, required};

/// The longest name of a search on AWS, in characters: SQS takes 128 for a message's deduplication ID, which holds the
/// name and the time when the search was due.
const NAME_MAX: usize = 100;

/// More limits than any API has.
const LIMITS_MAX: usize = 8;

/// Which searches are read, and how completely.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Scope<'a> {
    /// All, ready to be polled.
    Everything,
    /// All, with stand-ins for secrets: for planning, never for polling.
    Plan,
    /// Only the one of this name.
    Search(&'a str),
    /// Only the one of this name, even if it is disabled.
    Check(&'a str),
    /// All, including disabled ones, for display: only maps are read.
    Outline,
}

impl Scope<'_> {
    /// Whether a disabled search is read like an enabled one.
    fn reads_what_is_off(self) -> bool {
        matches!(self, Self::Check(_) | Self::Outline)
    }
}

/// The searches of a configuration.
#[derive(Default)]
pub(super) struct Searches {
    /// The enabled ones, in the order of the file.
    pub(super) on: Vec<SearchConfig>,
    /// The names of the disabled ones.
    pub(super) off: Vec<String>,
}

enum Switched {
    On(SearchConfig),
    Off(String),
}

/// The context for reading a search.
struct SearchReader<'a> {
    file_name: &'a str,
    scope: Scope<'a>,
    environment: &'a dyn Environment,
}

/// Reads every `[[search]]` in the scope.
pub(super) fn searches(
    root: &Section<'_>,
    file_name: &str,
    scope: Scope<'_>,
    environment: &dyn Environment,
    mistakes: &mut Mistakes<'_>,
) -> Searches {
    let reader = SearchReader { file_name, scope, environment };
    let mut searches = Searches::default();
    let mut lines = BTreeMap::new();
    for section in root.tables("search", mistakes) {
        let name = section.value("name", mistakes);
        let name = name.and_then(|name| Some((name.value.as_str()?.to_owned(), name.line)));
        if let Scope::Search(wanted) | Scope::Check(wanted) = scope
            && name.as_ref().is_none_or(|(name, _)| name != wanted)
        {
            continue;
        }
        let before = mistakes.len();
        let search = reader.search(&section, mistakes);
        if let Some((name, line)) = name
            && let Some(first) = lines.insert(name.clone(), line)
        {
            let problem = format!("{name:?} is the name of the search on line {first} as well");
            mistakes.add(line, section.key("name"), problem);
        }
        match search {
            Some(Switched::On(search)) => searches.on.push(search),
            Some(Switched::Off(name)) => searches.off.push(name),
            None => debug_assert!(mistakes.len() > before, "a search is refused with a mistake"),
        }
    }
    searches
}

impl SearchReader<'_> {
    fn search(&self, section: &Section<'_>, mistakes: &mut Mistakes<'_>) -> Option<Switched> {
        let keys = [
            "name",
            "source",
            "files",
            "coverage",
            "every",
            "every_max",
            "full_scan_every",
            "limits",
            "max_rejects",
            "drift",
            "display",
            "enabled",
            "params",
        ];
        section.only(&keys, mistakes);
        let platform = self.environment.platform();
        let name = required(section, "name", "a name of your choice", mistakes);
        let kinds = stoop_sources::KINDS.iter().map(|kind| kind.name).collect::<Vec<_>>().join(", ");
        let accepted = format!("{kinds}, or the path of a map with an [http] table or, with `files`, of any map");
        let kind = required(section, "source", &accepted, mistakes);
        let every_ms = duration_ms(section, "every", HOUR_MS, mistakes);
        let every_max_ms = every_max_ms(section, every_ms, mistakes);
        let full_scan_every_ms = duration_ms(section, "full_scan_every", 24 * HOUR_MS, mistakes);
        let limits = limits(section, mistakes);
        let on_drift = on_drift(section, mistakes);
        let display = display_terms(section, mistakes);
        let max_rejects = percent_bp(section, "max_rejects", mistakes).map(|bp| f64::from(bp) / 100.0);
        let enabled = section.boolean("enabled", mistakes);
        let files = files::files(section, platform, mistakes);
        let known = kind.as_deref().unwrap_or_default();
        let params = section.table("params", mistakes).map(|table| Written::walk(known, &table, platform, mistakes));
        if let Some(problem) = name.as_deref().and_then(|name| name_problem(name, platform)) {
            let line = section.value("name", mistakes).map_or(section.line(), |name| name.line);
            mistakes.add(line, section.key("name"), problem);
        }
        let (name, kind) = (name?, kind.as_deref()?);
        if enabled == Some(false) && !self.scope.reads_what_is_off() {
            return Some(Switched::Off(name));
        }
        let full_scan_every_ms = i64::try_from(full_scan_every_ms).unwrap_or(i64::MAX);
        let on = |source, switched_off| {
            let search =
                Search { name: name.clone(), source, on_drift, full_scan_every_ms, max_rejects, display, limits };
            Some(Switched::On(SearchConfig { search, kind: kind.to_owned(), switched_off, every_ms, every_max_ms }))
        };
        if let Some(files) = files {
            let set = self.file_set(section, kind, files?, mistakes)?;
            return on(Origin::Files(set), enabled == Some(false));
        }
        let params = params.unwrap_or_else(|| Written::none(kind));
        let kept = mistakes.len();
        let switched_on = enabled == Some(true) || self.scope.reads_what_is_off();
        let Some(source) = self.source(section, kind, &params, switched_on, mistakes) else {
            // A disabled search may be incomplete; it is shown anyway.
            let is_spared = enabled == Some(false) && self.scope == Scope::Outline;
            return is_spared.then(|| {
                mistakes.truncate(kept);
                Switched::Off(name)
            });
        };
        let is_off = |source: &dyn Source| !enabled.unwrap_or(!source.crawl_policy().off_by_default);
        match source {
            Some(source) => {
                let switched_off = is_off(&*source);
                on(source.into(), switched_off)
            }
            None => Some(Switched::Off(name)),
        }
    }

    /// The files of a search, and the map that reads them.
    fn file_set(
        &self,
        section: &Section<'_>,
        kind: &str,
        files: WrittenFiles,
        mistakes: &mut Mistakes<'_>,
    ) -> Option<FileSet> {
        let problem = if is_map(kind) {
            match self.map(kind) {
                Ok(map) => return Some(FileSet { map, pattern: files.pattern, coverage: files.coverage }),
                Err(problem) => problem,
            }
        } else {
            format!("{kind:?} reads no files; accepted with `files`: the path of a map, like maps/mls.toml")
        };
        let line = section.value("source", mistakes).map_or(section.line(), |value| value.line);
        mistakes.add(line, section.key("source"), problem);
        None
    }

    /// The source of an enabled search; `Some(None)` if its kind is disabled until `switched_on`.
    fn source(
        &self,
        section: &Section<'_>,
        kind: &str,
        params: &Written<'_>,
        switched_on: bool,
        mistakes: &mut Mistakes<'_>,
    ) -> Option<Option<Box<dyn Source>>> {
        let map = if is_map(kind) {
            let map = self.map(kind).and_then(|map| if map.has_http() { Ok(map) } else { Err(reads_files(kind)) });
            map.map(Some).map_err(|problem| vec![problem])
        } else {
            Ok(None)
        };
        let build = |params: &Params| -> Result<Box<dyn Source>, Vec<String>> {
            match map.as_ref().map_err(Clone::clone)? {
                Some(map) => match stoop_sources::declared::HttpSource::new(map, params) {
                    Ok(source) => Ok(Box::new(source)),
                    Err(errors) => Err(errors.0),
                },
                None => stoop_sources::build(kind, params).map_err(|errors| errors.0),
            }
        };
        // This finds out whether it is disabled before any value is read: a disabled search may lack its secret.
        let tried = build(&params.with_stand_ins());
        if let Ok(source) = &tried
            && source.crawl_policy().off_by_default
            && !switched_on
        {
            return Some(None);
        }
        let (taken, lacking) = match self.scope {
            Scope::Outline => (params.with_stand_ins(), Vec::new()),
            _ => params.take(self.environment, self.scope != Scope::Plan),
        };
        let built = if lacking.is_empty() { build(&taken) } else { tried };
        let complete = lacking.is_empty();
        for Lacking(line, key, problem) in lacking {
            mistakes.add(line, key, problem);
        }
        match built {
            Ok(source) => complete.then_some(Some(source)),
            Err(problems) => {
                for problem in problems {
                    mistakes.add(section.line(), section.key("params"), params.redacted(problem));
                }
                None
            }
        }
    }

    fn map(&self, path: &str) -> Result<stoop_sources::declared::Map, String> {
        let path = file_path(path, self.environment.platform())?;
        let folder = Path::new(self.file_name).parent().unwrap_or(Path::new(""));
        let shown = folder.join(&path).display().to_string();
        let text = self.environment.file(&path).map_err(|why| format!("the map {shown} cannot be read: {why}"))?;
        stoop_sources::declared::Map::parse(&text, &shown).map_err(|errors| errors.to_string())
    }
}

fn is_map(kind: &str) -> bool {
    Path::new(kind).extension().is_some_and(|ext| ext == "toml")
}

fn reads_files(map: &str) -> String {
    format!("the map {map} has no [http]: it reads files; accepted: `files`, such as files = \"exports/\"")
}

/// The limits of a search's account, if they differ from the source's own. A single limit may be written without a
/// list.
fn limits(section: &Section<'_>, mistakes: &mut Mistakes<'_>) -> Option<Vec<Limit>> {
    let texts = section.texts("limits", mistakes)?;
    let line = section.value("limits", mistakes).map_or(section.line(), |value| value.line);
    if texts.is_empty() || texts.len() > LIMITS_MAX {
        let problem = format!("names {} limits; accepted: 1 to {LIMITS_MAX}, or no `limits`", texts.len());
        mistakes.add(line, section.key("limits"), problem);
    }
    let mut limits: Vec<Limit> = Vec::with_capacity(texts.len());
    for (text, line) in texts {
        match text.parse::<Limit>() {
            Ok(limit) if limits.iter().any(|known| (known.of, known.per_ms) == (limit.of, limit.per_ms)) => {
                let problem = format!("{text:?} has the same kind and time as another limit; accepted: one of them");
                mistakes.add(line, section.key("limits"), problem);
            }
            Ok(limit) => limits.push(limit),
            Err(error) => mistakes.add(line, section.key("limits"), format!("{text:?} is not a limit; {error}")),
        }
    }
    Some(limits)
}

/// What of its listings may be shown.
fn display_terms(section: &Section<'_>, mistakes: &mut Mistakes<'_>) -> DisplayTerms {
    let Some(terms) = section.table("display", mistakes) else { return DisplayTerms::default() };
    terms.only(&["address", "estimate", "expired", "history"], mistakes);
    let mut term = |key: &str| terms.boolean(key, mistakes);
    DisplayTerms {
        address: term("address"),
        estimate: term("estimate"),
        expired: term("expired"),
        history: term("history"),
    }
}

/// What to do when the source stops filling a field.
fn on_drift(section: &Section<'_>, mistakes: &mut Mistakes<'_>) -> OnDrift {
    let Some((text, line)) = section.text("drift", mistakes) else { return OnDrift::default() };
    match text {
        "evolve" => OnDrift::Evolve,
        "warn" => OnDrift::Warn,
        "freeze" => OnDrift::Freeze,
        _ => {
            let problem = format!("{text:?} is not an answer to drift; accepted: evolve, warn, freeze");
            mistakes.add(line, section.key("drift"), problem);
            OnDrift::default()
        }
    }
}

/// Why a search cannot have this name. On AWS the name is the message group, part of an object's key, and the key of
/// records; the laptop accepts any visible name.
fn name_problem(name: &str, platform: Platform) -> Option<String> {
    if name.trim().is_empty() {
        return Some(format!("{name:?} is blank; accepted: a name of your choice"));
    }
    let fits = name.len() <= NAME_MAX && name.bytes().all(|b| b.is_ascii_alphanumeric() || b"-_.".contains(&b));
    (platform == Platform::Aws && !fits).then(|| {
        format!(
            "{name:?} is not a name for a queue's messages; accepted on AWS: 1 to {NAME_MAX} of a-z, A-Z, 0-9, -, _ and ."
        )
    })
}
