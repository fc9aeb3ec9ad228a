//! `stoop.toml`: the searches to poll, the alert rules, where to store data.
//!
//! Parsing is pure: values from elsewhere come from an [`Environment`]. On AWS these need requests, so [`wanted`] lists
//! beforehand what to fetch.

mod alerts;
mod area;
mod environment;
mod files;
mod keep;
mod params;
mod search;
mod values;
mod wanted;

#[cfg(test)]
mod tests;

use std::path::{Path, PathBuf};

use stoop_pipeline::{Cadence, PlannedSearch, Search};
use stoop_sources::Source;
use stoop_sources::settings::{MapErrors, Mistakes, Section, parse};

pub use alerts::AlertSettings;
use environment::Folder;
pub use environment::{Environment, Fetched, Platform};
pub use keep::KeepSettings;
use search::{Scope, Searches};
pub use wanted::{Wanted, Wanting, wanted};

/// A checked configuration.
pub struct Config {
    /// The database file, if the configuration names one.
    pub database: Option<PathBuf>,
    /// The folder of the lake and raw pages, if the configuration names one.
    pub data: Option<PathBuf>,
    /// `[alerts]`.
    pub alerts: AlertSettings,
    /// `[keep]`: how long data is kept.
    pub keep: KeepSettings,
    /// The enabled searches, in the order of the file.
    pub searches: Vec<SearchConfig>,
    /// The names of the disabled searches.
    pub switched_off: Vec<String>,
}

/// A search to poll.
pub struct SearchConfig {
    /// The search itself.
    pub search: Search,
    /// The value of `source`: a kind, or the path of a map.
    pub kind: String,
    /// Whether it is disabled and was read anyway: see [`read_outline`] and [`read_search`].
    pub switched_off: bool,
    /// How often to poll, in milliseconds.
    pub every_ms: u64,
    /// The longest poll interval in milliseconds, for a search that is polled less often while it is quiet.
    pub every_max_ms: Option<u64>,
}

/// The part of a configuration that the planner needs.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct PlanConfig {
    /// The enabled searches, in the order of the file.
    pub searches: Vec<PlannedSearch>,
    /// The names of the disabled searches.
    pub switched_off: Vec<String>,
}

/// Reads and checks a configuration file on the laptop. Its paths are relative to its folder.
///
/// # Errors
///
/// All mistakes at once, each with file, line, key and what would be accepted.
pub fn read_config(path: &Path) -> Result<Config, MapErrors> {
    let (text, file_name) = read(path)?;
    let folder = Folder::of(path);
    let config = parse_config(&text, &file_name, &folder)?;
    let below = |path: PathBuf| folder.0.join(path);
    Ok(Config { database: config.database.map(below), data: config.data.map(below), ..config })
}

/// Reads a configuration file on the laptop for display. It includes disabled searches, except those that are disabled
/// and incomplete, whose names are in [`Config::switched_off`]. No secret is read, so its sources cannot be polled.
///
/// # Errors
///
/// As for [`read_config`], except for secrets.
pub fn read_outline(path: &Path) -> Result<Config, MapErrors> {
    let (text, file_name) = read(path)?;
    let folder = Folder::of(path);
    let config = whole(&text, &file_name, Scope::Outline, &folder)?;
    let below = |path: PathBuf| folder.0.join(path);
    Ok(Config { database: config.database.map(below), data: config.data.map(below), ..config })
}

/// Reads the search of this name from a configuration file on the laptop, even if it is disabled, and nothing else.
/// `None` if there is none of this name.
///
/// # Errors
///
/// All mistakes in this search at once; invalid TOML.
pub fn read_search(path: &Path, name: &str) -> Result<Option<SearchConfig>, MapErrors> {
    let (text, file_name) = read(path)?;
    document(&text, &file_name, |root, mistakes| {
        search::searches(root, &file_name, Scope::Check(name), &Folder::of(path), mistakes).on.pop()
    })
}

/// The text of a configuration file, and its name in error messages.
fn read(path: &Path) -> Result<(String, String), MapErrors> {
    let file_name = path.display().to_string();
    match std::fs::read_to_string(path) {
        Ok(text) => Ok((text, file_name)),
        Err(error) => {
            let mut mistakes = Mistakes::new(&file_name, "");
            mistakes.add(1, "", format!("cannot be read: {error}"));
            Err(mistakes.into_errors())
        }
    }
}

/// Checks a configuration. `file_name` is its name in error messages; `database` and `data` stay as written.
///
/// # Errors
///
/// All mistakes at once, each with file, line, key and what would be accepted; never with a secret.
pub fn parse_config(text: &str, file_name: &str, environment: &dyn Environment) -> Result<Config, MapErrors> {
    whole(text, file_name, Scope::Everything, environment)
}

/// Checks a configuration without reading secrets; each counts as valid.
///
/// # Errors
///
/// As for [`parse_config`].
pub fn parse_plan(text: &str, file_name: &str, environment: &dyn Environment) -> Result<PlanConfig, MapErrors> {
    let config = whole(text, file_name, Scope::Plan, environment)?;
    let cadences = config.cadences();
    let planned = |(config, cadence): (SearchConfig, Cadence)| PlannedSearch { name: config.search.name, cadence };
    let searches = config.searches.into_iter().zip(cadences).map(planned).collect();
    Ok(PlanConfig { searches, switched_off: config.switched_off })
}

impl Config {
    /// How often each search may be polled, in the order of the searches. Searches of one account share its limits
    /// equally. Without secrets, all searches of one server count as one account.
    #[must_use]
    pub fn cadences(&self) -> Vec<Cadence> {
        // Files have no account and no limits.
        let account = |config: &SearchConfig| config.search.source.http().map(Source::account);
        let accounts: Vec<Option<String>> = self.searches.iter().map(account).collect();
        let sharers = |account: &Option<String>| match account {
            Some(_) => accounts.iter().filter(|other| *other == account).count() as u64,
            None => 1,
        };
        let cadence = |(config, account): (&SearchConfig, &Option<String>)| Cadence {
            every_ms: config.every_ms,
            every_max_ms: config.every_max_ms,
            limits: config.search.limits(),
            sharers: sharers(account),
        };
        self.searches.iter().zip(&accounts).map(cadence).collect()
    }
}

/// Reads the search of this name and nothing else, so that a mistake in another search, or its missing secret, does not
/// stop this one. `None` if there is none of this name, or it is disabled.
///
/// # Errors
///
/// All mistakes in this search at once; invalid TOML.
pub fn parse_search(
    text: &str,
    file_name: &str,
    name: &str,
    environment: &dyn Environment,
) -> Result<Option<SearchConfig>, MapErrors> {
    document(text, file_name, |root, mistakes| {
        search::searches(root, file_name, Scope::Search(name), environment, mistakes).on.pop()
    })
}

/// Reads `[alerts]` and nothing else. `drop_bp` is the default of `drop_percent`, in basis points.
///
/// # Errors
///
/// All mistakes in it at once; invalid TOML.
pub fn parse_alerts(text: &str, file_name: &str, drop_bp: u32) -> Result<AlertSettings, MapErrors> {
    document(text, file_name, |root, mistakes| {
        let section = root.table("alerts", mistakes);
        section.map_or_else(
            || AlertSettings::of_drop(drop_bp),
            |section| alerts::alert_settings(&section, drop_bp, None, &area::path, mistakes),
        )
    })
}

/// Reads `[alerts]` from a configuration file on the laptop, and nothing else.
///
/// # Errors
///
/// All mistakes in it at once; invalid TOML.
pub fn read_alerts(path: &Path) -> Result<AlertSettings, MapErrors> {
    let (text, file_name) = read(path)?;
    let folder = Folder::of(path);
    document(&text, &file_name, |root, mistakes| {
        let section = root.table("alerts", mistakes);
        let settings = section
            .map(|section| alerts::alert_settings(&section, alerts::DROP_BP, Some(&folder), &area::find, mistakes));
        settings.unwrap_or_default()
    })
}

fn whole(text: &str, file_name: &str, scope: Scope<'_>, environment: &dyn Environment) -> Result<Config, MapErrors> {
    document(text, file_name, |root, mistakes| {
        root.only(&["database", "data", "alerts", "keep", "search"], mistakes);
        let mut path = |key| root.text(key, mistakes).map(|(text, _)| PathBuf::from(text));
        let (database, data) = (path("database"), path("data"));
        let section = root.table("alerts", mistakes);
        let asks = scope == Scope::Everything && environment.platform() == Platform::Laptop;
        let asked = asks.then_some(environment);
        let alerts = section
            .as_ref()
            .map(|section| {
                alerts::alert_settings(section, alerts::DROP_BP, asked, &|text| environment.area(text), mistakes)
            })
            .unwrap_or_default();
        if environment.platform() == Platform::Aws
            && let Some(section) = section
            && let Some(webhook) = section.value("webhook", mistakes)
        {
            let problem = "there is no webhook on AWS; subscribe the URL to the stack's topic instead";
            mistakes.add(webhook.line, section.key("webhook"), problem);
        }
        let section = root.table("keep", mistakes);
        let keep = section.as_ref().map(|section| keep::keep_settings(section, mistakes)).unwrap_or_default();
        if environment.platform() == Platform::Aws
            && let Some(section) = section
        {
            let problem = "there is no [keep] on AWS; use the stack's parameters and its bucket's lifecycle";
            mistakes.add(section.line(), "keep", problem);
        }
        let Searches { on, off } = search::searches(root, file_name, scope, environment, mistakes);
        Config { database, data, alerts, keep, searches: on, switched_off: off }
    })
}

/// The result of `read` on a document, if it finds no mistake.
fn document<T>(
    text: &str,
    file_name: &str,
    read: impl FnOnce(&Section<'_>, &mut Mistakes<'_>) -> T,
) -> Result<T, MapErrors> {
    let mut mistakes = Mistakes::new(file_name, text);
    let Some(document) = parse(text, &mut mistakes) else { return Err(mistakes.into_errors()) };
    let found = read(&Section::root(document.get_ref()), &mut mistakes);
    if mistakes.is_empty() { Ok(found) } else { Err(mistakes.into_errors()) }
}
