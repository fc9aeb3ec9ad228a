mod alerts;
mod files;
mod planner;
mod secrets;

use stoop_domain::{Currency, Minor};
use stoop_pipeline::{DisplayTerms, OnDrift, Origin};
use stoop_sources::Limit;

use super::*;
use crate::Address;

/// A laptop with one variable and no files.
struct Laptop;

impl Environment for Laptop {
    fn platform(&self) -> Platform {
        Platform::Laptop
    }

    fn env(&self, name: &str) -> Option<String> {
        (name == "TOKEN").then(|| "t0ken".to_owned())
    }

    fn file(&self, _: &str) -> Result<String, String> {
        Err("no such file".to_owned())
    }

    fn secret(&self, _: &str) -> Result<String, String> {
        panic!("the laptop is not asked for secrets by name")
    }

    fn area(&self, text: &str) -> Result<String, String> {
        area::find(text)
    }
}

const MAP: &str = include_str!("../../../../maps/example-http.toml");

fn config(text: &str) -> Result<Config, String> {
    parse_config(text, "stoop.toml", &Laptop).map_err(|errors| errors.to_string())
}

fn refused(text: &str) -> String {
    config(text).err().expect("refused")
}

/// A stack with these secrets and the example's map.
fn stack(secrets: &[(&str, &str)]) -> Fetched {
    let mut fetched = Fetched::files([("maps/x.toml".to_owned(), MAP.to_owned())]);
    fetched.secrets = secrets.iter().map(|(name, value)| ((*name).to_owned(), Ok((*value).to_owned()))).collect();
    fetched
}

fn on_aws(text: &str, stack: &Fetched) -> Result<Config, String> {
    parse_config(text, "config/stoop.toml", stack).map_err(|errors| errors.to_string())
}

fn plan(text: &str) -> Result<PlanConfig, String> {
    parse_plan(text, "config/stoop.toml", &stack(&[])).map_err(|errors| errors.to_string())
}

#[track_caller]
fn contains(message: &str, parts: &[&str]) {
    for part in parts {
        assert!(message.contains(part), "{part} is not in:\n{message}");
    }
}

#[test]
fn a_search_is_read_with_its_secret_from_the_environment() {
    let config = config(
        "database = 'x.db'\n[alerts]\ndrop_percent = 12.5\ndrop_amount = { USD = 25000 }\n\
         [[search]]\nname = 'seattle'\nsource = 'reso'\nevery = '15m'\n\
         params = { url = 'https://api.example.com/odata', token = { env = 'TOKEN' } }\n",
    )
    .unwrap();
    assert_eq!(config.database, Some(PathBuf::from("x.db")));
    assert_eq!(config.alerts.rules.drops[0].share_bp_min, Some(1_250));
    assert_eq!(config.alerts.rules.drops[0].amount_min[&Currency::USD], Minor(2_500_000));
    let [SearchConfig { search, every_ms, .. }] = &config.searches[..] else { panic!("one search") };
    assert_eq!((search.name.as_str(), *every_ms), ("seattle", 900_000));
    let source = search.source.http().unwrap();
    let request = source.request(&source.begin(None));
    assert!(request.headers.iter().any(|(_, value)| value == "Bearer t0ken"));
}

#[test]
fn a_search_may_have_other_limits_than_its_source() {
    let with = |line: &str| {
        let params = "params = { url = 'https://api.example.com/odata' }";
        let mut config = config(&format!("[[search]]\nname = 'a'\nsource = 'reso'\n{line}\n{params}\n"))?;
        Ok::<_, String>(config.searches.remove(0).search.limits)
    };
    let limits = with("limits = ['2/s', '500/mo', '4 GB/h']").unwrap().unwrap();
    assert_eq!(limits, [Limit::per_second(2), Limit::per_month(500), Limit::bytes_per_hour(4_000_000_000)]);
    assert_eq!(with("limits = '30/m'").unwrap().unwrap(), [Limit::per_minute(30)]);
    assert_eq!(with("").unwrap(), None, "those of the source");
    let message = with("limits = [\n  '2/s',\n  '5/w',\n  '3/s',\n]").unwrap_err();
    contains(&message, &["stoop.toml:6: search[0].limits: \"5/w\" is not a limit; accepted: ", "7200/h", "50/mo"]);
    contains(&message, &["stoop.toml:7: search[0].limits: \"3/s\" has the same kind and time as another limit"]);
    contains(&with("limits = []").unwrap_err(), &["stoop.toml:4: search[0].limits: names 0 limits; accepted: 1 to 8"]);
    contains(&with("limits = 3").unwrap_err(), &["3 is integer; accepted: a text or a list of texts"]);
    contains(&with("limits = [true]").unwrap_err(), &["true is boolean; accepted: texts only in this list"]);
}

#[test]
fn a_search_says_what_may_be_shown() {
    let with = |line: &str| {
        let params = "params = { url = 'https://api.example.com/odata' }";
        let mut config = config(&format!("[[search]]\nname = 'a'\nsource = 'reso'\n{line}\n{params}\n"))?;
        Ok::<_, String>(config.searches.remove(0).search.display)
    };
    assert_eq!(with(""), Ok(DisplayTerms::default()));
    let terms = DisplayTerms { address: Some(false), expired: Some(true), ..DisplayTerms::default() };
    assert_eq!(with("display = { address = false, expired = true }"), Ok(terms));
    let message = with("display = { adress = false, history = 'no' }").unwrap_err();
    contains(&message, &["stoop.toml:4: search[0].display.adress: there is no such key", "address"]);
    contains(&message, &["stoop.toml:4: search[0].display.history", "true or false"]);
    contains(&with("display = false").unwrap_err(), &["stoop.toml:4: search[0].display"]);
}

#[test]
fn a_search_warns_of_drift_by_default() {
    let with = |line: &str| {
        let params = "params = { url = 'https://api.example.com/odata' }";
        let mut config = config(&format!("[[search]]\nname = 'a'\nsource = 'reso'\n{line}\n{params}\n"))?;
        Ok::<_, String>(config.searches.remove(0).search.on_drift)
    };
    for (line, on_drift) in [
        ("", OnDrift::Warn),
        ("drift = 'warn'", OnDrift::Warn),
        ("drift = 'evolve'", OnDrift::Evolve),
        ("drift = 'freeze'", OnDrift::Freeze),
    ] {
        assert_eq!(with(line), Ok(on_drift));
    }
    let message = with("drift = 'stop'").unwrap_err();
    contains(
        &message,
        &["stoop.toml:4: search[0].drift: \"stop\" is not an answer to drift; accepted: evolve, warn, freeze"],
    );
    contains(&with("drift = true").unwrap_err(), &["stoop.toml:4: search[0].drift"]);
}

#[test]
fn on_the_laptop_every_path_is_relative_to_the_file() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("stoop.toml");
    std::fs::write(folder.path().join("token"), "t0ken\n").unwrap();
    std::fs::write(folder.path().join("x.toml"), "nme = 'x'").unwrap();
    let reso = "[[search]]\nname = 'a'\nsource = 'reso'\n\
                params = { url = 'https://x.example/odata', token = { file = 'token' } }\n";
    std::fs::write(&path, format!("database = 'x.db'\ndata = '/data'\n{reso}")).unwrap();
    let config = read_config(&path).unwrap();
    assert_eq!((config.database, config.data), (Some(folder.path().join("x.db")), Some(PathBuf::from("/data"))));
    let source = config.searches[0].search.source.http().unwrap();
    assert!(source.request(&source.begin(None)).headers.iter().any(|(_, value)| value == "Bearer t0ken"));

    std::fs::write(&path, "[[search]]\nname = 'a'\nsource = 'x.toml'\n").unwrap();
    let message = read_config(&path).err().expect("refused").to_string();
    contains(&message, &[&format!("{}:1: nme: there is no such key", folder.path().join("x.toml").display())]);
}

#[test]
fn every_mistake_is_named_at_once_with_its_line() {
    let errors = refused(
        "databse = 'x'\n[alerts]\ndrop_percent = 120\nwebhook = 'example'\n\
         [[search]]\nname = 'a'\nsource = 'reso'\nevery = 'often'\n\
         params = { url = 'https://x.example/odata', token = 'in the open' }\n\
         [[search]]\nsource = 'nowhere'\n",
    );
    let parts = [
        "stoop.toml:1",
        "databse",
        "database",
        "stoop.toml:3",
        "120 is not a percentage",
        "stoop.toml:4",
        "not a URL",
        "stoop.toml:8",
        "15m",
        "stoop.toml:9",
        "a secret does not belong in this file",
        "search[1].name",
        "missing",
    ];
    contains(&errors, &parts);
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
fn two_searches_of_one_name_are_a_mistake() {
    let text = "[[search]]\nname = 'a'\nsource = 'avito'\nenabled = true\n";
    let twice = format!("{text}{text}");
    let message = parse_search(&twice, "s.toml", "a", &stack(&[])).err().expect("refused").to_string();
    contains(&message, &["s.toml:6: search[1].name: \"a\" is the name of the search on line 2 as well"]);
}

#[test]
fn the_laptop_accepts_any_visible_name() {
    let named = |name: &str| format!("[[search]]\nname = '{name}'\nsource = 'avito'\nenabled = true\n");
    for name in ["Marché d'été".replace('\'', ""), "Lincoln Park".into(), "x".repeat(300)] {
        assert_eq!(config(&named(&name)).unwrap().searches[0].search.name, name);
        contains(&plan(&named(&name)).unwrap_err(), &["config/stoop.toml:2: search[0].name: ", "1 to 100"]);
    }
    contains(&refused(&named(" ")), &["\" \" is blank"]);
    let longest = format!("a.B-9_{}", "x".repeat(94));
    assert_eq!(plan(&named(&longest)).unwrap().searches[0].name, longest);
}

#[test]
fn keep_is_read_with_units_and_every_mistake_is_reported() {
    let read = config(
        "[keep]\nraw_pages = '14d'\nraw_pages_size = '2GB'\nruns = '366d'\nquarantine_rows = 5\nfree_size = '64MB'\n",
    )
    .unwrap();
    let keep = KeepSettings {
        raw_pages_ms: Some(14 * 24 * 3_600_000),
        raw_pages_bytes: Some(2_000_000_000),
        runs_ms: Some(366 * 24 * 3_600_000),
        quarantine_ms: None,
        quarantine_rows: Some(5),
        free_bytes: Some(64_000_000),
    };
    assert_eq!(read.keep, keep);
    assert_eq!(config("").unwrap().keep, KeepSettings::default());
    contains(
        &refused("[keep]\nraw_pages = 'for ever'\nfree_size = '3'\nlake = '1d'\n"),
        &[
            "keep.raw_pages: \"for ever\" is not a time span; accepted: 90s, 15m, 6h, 2d",
            "keep.free_size: \"3\" is not a size; accepted: 500MB, 10GB, 1TB",
            "keep.lake: there is no such key",
        ],
    );
}
