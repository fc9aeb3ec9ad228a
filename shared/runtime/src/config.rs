//! `stoop.toml`: which searches to poll, what to alert on, where to keep things.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use stoop_domain::{Currency, Minor, Time};
use stoop_rules::{DropRule, Rules};
use stoop_sources::settings::{MapErrors, Mistakes, Section, parse};
use stoop_sources::{Params, Source};

/// A configuration, checked.
pub struct Config {
    /// The database file, where the configuration names one.
    pub database: Option<PathBuf>,
    /// The folder of lake and raw pages, where the configuration names one.
    pub data: Option<PathBuf>,
    /// Alerts.
    pub alerts: AlertSettings,
    /// The searches that are switched on, in the order of the file.
    pub searches: Vec<SearchConfig>,
    /// The names of searches that are switched off.
    pub switched_off: Vec<String>,
}

/// What to alert on and whom to tell.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct AlertSettings {
    /// The rules.
    pub rules: Rules,
    /// Where to POST alerts.
    pub webhook: Option<String>,
}

/// A search to poll.
pub struct SearchConfig {
    /// Its name.
    pub name: String,
    /// The source.
    pub source: Box<dyn Source>,
    /// How often to poll, in milliseconds.
    pub every_ms: u64,
    /// How often an incremental search asks for everything, in milliseconds.
    pub full_scan_every_ms: i64,
}

const HOUR_MS: u64 = Time::HOUR_MS.cast_unsigned();

/// Names of parameters that are secrets: never written in the configuration itself.
const SECRETS: [&str; 5] = ["key", "token", "password", "secret", "api_key"];

/// Reads and checks a configuration file. Paths in it are relative to its folder.
///
/// # Errors
/// All mistakes at once, each with file, line, key and what would be accepted.
pub fn read_config(path: &Path) -> Result<Config, MapErrors> {
    let file = path.display().to_string();
    let text = match std::fs::read_to_string(path) {
        Ok(text) => text,
        Err(error) => {
            let mut mistakes = Mistakes::new(&file, "");
            mistakes.add(1, "", format!("cannot be read: {error}"));
            return Err(mistakes.into_errors());
        }
    };
    let folder = path.parent().unwrap_or(Path::new("."));
    let env = |name: &str| std::env::var(name).ok();
    parse_config(&text, &file, folder, &env)
}

fn parse_config(
    text: &str,
    file: &str,
    folder: &Path,
    env: &dyn Fn(&str) -> Option<String>,
) -> Result<Config, MapErrors> {
    let mut mistakes = Mistakes::new(file, text);
    let Some(document) = parse(text, &mut mistakes) else { return Err(mistakes.into_errors()) };
    let root = Section::root(document.get_ref());
    root.only(&["database", "data", "alerts", "search"], &mut mistakes);
    let path = |key, mistakes: &mut Mistakes<'_>| root.text(key, mistakes).map(|(text, _)| folder.join(text));
    let database = path("database", &mut mistakes);
    let data = path("data", &mut mistakes);
    let alerts = root.table("alerts", &mut mistakes).map(|section| alert_settings(&section, &mut mistakes));
    let mut searches: Vec<SearchConfig> = Vec::new();
    let mut switched_off = Vec::new();
    let mut names = BTreeMap::new();
    for section in root.tables("search", &mut mistakes) {
        let before = mistakes.len();
        let search = search(&section, folder, env, &mut mistakes);
        if let Some((name, line)) = section.text("name", &mut mistakes)
            && let Some(first) = names.insert(name.to_owned(), line)
        {
            mistakes.add(
                line,
                section.key("name"),
                format!("{name:?} is the name of the search on line {first} as well"),
            );
        }
        match search {
            Some(Switched::On(search)) => searches.push(search),
            Some(Switched::Off(name)) => switched_off.push(name),
            None => debug_assert!(mistakes.len() > before, "a search is refused with a mistake"),
        }
    }
    if mistakes.is_empty() {
        Ok(Config { database, data, alerts: alerts.unwrap_or_default(), searches, switched_off })
    } else {
        Err(mistakes.into_errors())
    }
}

fn alert_settings(section: &Section<'_>, mistakes: &mut Mistakes<'_>) -> AlertSettings {
    section.only(&["drop_percent", "drop_amount", "noise_percent", "suspect_percent", "webhook"], mistakes);
    let mut rules = Rules::default();
    let mut rule = DropRule { name: "price-drop".into(), share_bp_min: Some(1_500), amount_min: BTreeMap::new() };
    if let Some(bp) = percent_bp(section, "drop_percent", mistakes) {
        rule.share_bp_min = Some(bp);
    }
    if let Some(bp) = percent_bp(section, "noise_percent", mistakes) {
        rules.noise_bp = bp;
    }
    if let Some(bp) = percent_bp(section, "suspect_percent", mistakes) {
        rules.suspect_bp = bp;
    }
    if let Some(amounts) = section.table("drop_amount", mistakes) {
        for (code, line) in amounts.keys(mistakes) {
            let accepted = "an amount per currency, like { USD = 25000 }";
            match (Currency::parse(code), number_text(&amounts, code, mistakes)) {
                (Ok(currency), Some(text)) => match Minor::parse_major(&text, currency) {
                    Ok(amount) if amount.0 > 0 => {
                        rule.amount_min.insert(currency, amount);
                    }
                    _ => mistakes.add(line, amounts.key(code), format!("{text} is no amount; accepted: {accepted}")),
                },
                _ => mistakes.add(line, amounts.key(code), format!("accepted: {accepted}")),
            }
        }
    }
    rules.drops = vec![rule];
    let webhook = section.text("webhook", mistakes).and_then(|(url, line)| {
        let known = url.starts_with("https://") || url.starts_with("http://");
        if !known {
            mistakes.add(line, section.key("webhook"), format!("{url:?} is no address; accepted: https://..."));
        }
        known.then(|| url.to_owned())
    });
    AlertSettings { rules, webhook }
}

/// A number of percent as hundredths of a percent, from 0 to 100.
fn percent_bp(section: &Section<'_>, key: &str, mistakes: &mut Mistakes<'_>) -> Option<u32> {
    let line = section.value(key, mistakes)?.line;
    let text = number_text(section, key, mistakes).unwrap_or_default();
    let bp =
        stoop_domain::parse_decimal(&text, 2).ok().and_then(|bp| u32::try_from(bp).ok()).filter(|bp| *bp <= 10_000);
    if bp.is_none() {
        mistakes.add(line, section.key(key), format!("{text} is no percentage; accepted: a number from 0 to 100"));
    }
    bp
}

fn number_text(section: &Section<'_>, key: &str, mistakes: &Mistakes<'_>) -> Option<String> {
    let value = section.value(key, mistakes)?.value;
    let text =
        value.as_integer().map(|n| n.as_str().to_owned()).or_else(|| value.as_float().map(|n| n.as_str().to_owned()));
    text.map(|text| text.replace('_', ""))
}

enum Switched {
    On(SearchConfig),
    Off(String),
}

fn search(
    section: &Section<'_>,
    folder: &Path,
    env: &dyn Fn(&str) -> Option<String>,
    mistakes: &mut Mistakes<'_>,
) -> Option<Switched> {
    section.only(&["name", "source", "every", "full_scan_every", "enabled", "params"], mistakes);
    let name = required(section, "name", "a name of your choice", mistakes);
    let kinds = stoop_sources::KINDS.iter().map(|kind| kind.name).collect::<Vec<_>>().join(", ");
    let accepted = format!("{kinds}, or the path of a map with an [http] table");
    let source = required(section, "source", &accepted, mistakes);
    let every_ms = duration_ms(section, "every", HOUR_MS, mistakes);
    let full_scan_every_ms = duration_ms(section, "full_scan_every", 24 * HOUR_MS, mistakes);
    let enabled = section.boolean("enabled", mistakes);
    let params =
        section.table("params", mistakes).map(|table| params(&table, folder, env, enabled != Some(false), mistakes));
    let (name, source_kind) = (name?, source?);
    if enabled == Some(false) {
        return Some(Switched::Off(name));
    }
    let params = params.unwrap_or_default();
    let line = section.line();
    let built = if Path::new(&source_kind).extension().is_some_and(|ext| ext == "toml") {
        declared(&folder.join(&source_kind), &params)
    } else {
        stoop_sources::build(&source_kind, &params).map_err(|errors| errors.0)
    };
    match built {
        Err(problems) => {
            for problem in problems {
                mistakes.add(line, section.key("params"), problem);
            }
            None
        }
        Ok(source) if source.manners().off_by_default && enabled != Some(true) => {
            drop(source);
            Some(Switched::Off(name))
        }
        Ok(source) => Some(Switched::On(SearchConfig {
            name,
            source,
            every_ms,
            full_scan_every_ms: i64::try_from(full_scan_every_ms).unwrap_or(i64::MAX),
        })),
    }
}

fn declared(path: &Path, params: &Params) -> Result<Box<dyn Source>, Vec<String>> {
    let file = path.display().to_string();
    let text =
        std::fs::read_to_string(path).map_err(|error| vec![format!("the map {file} cannot be read: {error}")])?;
    let map = stoop_sources::declared::Map::parse(&text, &file).map_err(|errors| vec![errors.to_string()])?;
    let source = stoop_sources::declared::HttpSource::new(&map, params).map_err(|errors| errors.0)?;
    Ok(Box::new(source))
}

/// Parameters: a text or a number as it is; `{ env = "NAME" }` and `{ file = "path" }` for secrets.
fn params(
    table: &Section<'_>,
    folder: &Path,
    env: &dyn Fn(&str) -> Option<String>,
    needed: bool,
    mistakes: &mut Mistakes<'_>,
) -> Params {
    let mut params = Params::new();
    for (key, line) in table.keys(mistakes) {
        let Some(value) = table.value(key, mistakes) else { continue };
        let secret = SECRETS.contains(&key.to_ascii_lowercase().as_str());
        let from = "accepted: { env = \"NAME\" } or { file = \"path\" }";
        if value.value.as_table().is_some() {
            let Some(inner) = table.table(key, mistakes) else { continue };
            inner.only(&["env", "file"], mistakes);
            let found = if let Some((name, _)) = inner.text("env", mistakes) {
                env(name).ok_or_else(|| format!("the environment has no variable {name}"))
            } else if let Some((file, _)) = inner.text("file", mistakes) {
                std::fs::read_to_string(folder.join(file))
                    .map_err(|error| format!("the file {file} cannot be read: {error}"))
            } else {
                Err(from.to_owned())
            };
            match found {
                Ok(text) => {
                    params.insert(key.to_owned(), text.trim().to_owned());
                }
                // A search that is switched off may lack its key.
                Err(_) if !needed => {}
                Err(problem) => mistakes.add(line, table.key(key), problem),
            }
        } else if secret {
            mistakes.add(line, table.key(key), format!("a secret does not belong in this file; {from}"));
        } else if let Some(text) = value.value.as_str().map(str::to_owned).or_else(|| number_text(table, key, mistakes))
        {
            params.insert(key.to_owned(), text);
        } else {
            mistakes.add(line, table.key(key), format!("neither text nor number; {from}"));
        }
    }
    params
}

fn required(section: &Section<'_>, key: &str, accepted: &str, mistakes: &mut Mistakes<'_>) -> Option<String> {
    if !section.has(key) {
        mistakes.add(section.line(), section.key(key), format!("missing; accepted: {accepted}"));
    }
    section.text(key, mistakes).map(|(text, _)| text.to_owned())
}

/// A time span like `90s`, `15m`, `6h`, `2d`.
fn duration_ms(section: &Section<'_>, key: &str, default: u64, mistakes: &mut Mistakes<'_>) -> u64 {
    let Some((text, line)) = section.text(key, mistakes) else { return default };
    let units = [("s", 1_000), ("m", 60_000), ("h", HOUR_MS), ("d", 24 * HOUR_MS)];
    let parsed = units.iter().find_map(|(unit, ms)| {
        let count: u64 = text.strip_suffix(unit)?.trim().parse().ok()?;
        count.checked_mul(*ms).filter(|ms| (1_000..=366 * 24 * HOUR_MS).contains(ms))
    });
    parsed.unwrap_or_else(|| {
        mistakes.add(line, section.key(key), format!("{text:?} is no time span; accepted: 90s, 15m, 6h, 2d"));
        default
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn config(text: &str) -> Result<Config, String> {
        let env = |name: &str| (name == "TOKEN").then(|| "t0ken".to_owned());
        parse_config(text, "stoop.toml", Path::new("."), &env).map_err(|errors| errors.to_string())
    }

    #[test]
    fn a_search_is_read_with_its_secret_from_the_environment() {
        let config = config(
            "database = 'x.db'\n[alerts]\ndrop_percent = 12.5\ndrop_amount = { USD = 25000 }\n\
             [[search]]\nname = 'seattle'\nsource = 'reso'\nevery = '15m'\n\
             params = { url = 'https://api.example.com/odata', token = { env = 'TOKEN' } }\n",
        )
        .unwrap();
        assert_eq!(config.database, Some(PathBuf::from("./x.db")));
        assert_eq!(config.alerts.rules.drops[0].share_bp_min, Some(1_250));
        assert_eq!(config.alerts.rules.drops[0].amount_min[&Currency::USD], Minor(2_500_000));
        let [search] = &config.searches[..] else { panic!("one search") };
        assert_eq!((search.name.as_str(), search.every_ms), ("seattle", 900_000));
    }

    #[test]
    fn every_mistake_is_named_at_once_with_its_line() {
        let Err(errors) = config(
            "databse = 'x'\n[alerts]\ndrop_percent = 120\nwebhook = 'example'\n\
             [[search]]\nname = 'a'\nsource = 'reso'\nevery = 'often'\n\
             params = { url = 'https://x.example/odata', token = 'in the open' }\n\
             [[search]]\nsource = 'nowhere'\n",
        ) else {
            panic!("refused")
        };
        for part in [
            "stoop.toml:1",
            "databse",
            "database",
            "stoop.toml:3",
            "120 is no percentage",
            "stoop.toml:4",
            "no address",
            "stoop.toml:8",
            "15m",
            "stoop.toml:9",
            "a secret does not belong in this file",
            "search[1].name",
            "missing",
        ] {
            assert!(errors.contains(part), "{part} is not in:\n{errors}");
        }
        assert!(!errors.contains("in the open"), "a secret is never shown");
    }

    #[test]
    fn a_scraped_site_is_off_until_switched_on() {
        let off = config("[[search]]\nname = 'ma'\nsource = 'avito'\n").unwrap();
        assert_eq!((off.searches.len(), off.switched_off), (0, vec!["ma".to_owned()]));
        let on = config("[[search]]\nname = 'ma'\nsource = 'avito'\nenabled = true\n").unwrap();
        assert_eq!(on.searches.len(), 1);
    }

    #[test]
    fn a_search_that_is_off_may_lack_its_key() {
        let text =
            "[[search]]\nname = 'z'\nsource = 'zillow'\nenabled = false\nparams = { key = { env = 'ABSENT' } }\n";
        assert_eq!(config(text).unwrap().switched_off, ["z"]);
        assert!(config(&text.replace("enabled = false\n", "")).is_err());
    }
}
