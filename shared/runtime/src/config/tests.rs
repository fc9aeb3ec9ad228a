use stoop_domain::{Currency, Minor};
use stoop_pipeline::{OnDrift, Origin};
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
fn a_search_that_is_off_may_lack_its_key() {
    let text = "[[search]]\nname = 'z'\nsource = 'zillow'\nenabled = false\nparams = { key = { env = 'ABSENT' } }\n";
    assert_eq!(config(text).unwrap().switched_off, ["z"]);
    assert!(config(&text.replace("enabled = false\n", "")).is_err());
    let by_kind = "[[search]]\nname = 'ma'\nsource = 'avito'\nparams = { url = { env = 'ABSENT' } }\n";
    assert_eq!(config(by_kind).unwrap().switched_off, ["ma"], "off by its kind, not by the file");
}

#[test]
fn a_missing_key_is_one_mistake_not_two() {
    let text = "[[search]]\nname = 'z'\nsource = 'zillow'\nparams = { location = 'x', key = { env = 'ABSENT' } }\n";
    assert_eq!(refused(text), "stoop.toml:4: search[0].params.key: the environment has no variable ABSENT");
}

#[test]
fn the_laptop_refuses_named_secrets_and_suggests_the_environment() {
    let text = "[[search]]\nname = 'z'\nsource = 'zillow'\nparams = { location = 'x', key = { secret = 'rapid' } }\n";
    contains(&refused(text), &["stoop.toml:4: search[0].params.key: ", "read on AWS; here use env or file"]);
    assert_eq!(config(&text.replace("params", "enabled = false\nparams")).unwrap().switched_off, ["z"]);
}

#[test]
fn a_value_comes_from_one_source() {
    let with = |token: &str| {
        let params = format!("params = {{ url = 'https://x.example/odata', token = {token} }}");
        refused(&format!("[[search]]\nname = 'a'\nsource = 'reso'\n{params}\n"))
    };
    contains(&with("{ env = 'TOKEN', file = 'x' }"), &["names 2 sources", "{ env = \"NAME\" } or { file = \"path\" }"]);
    contains(&with("{ }"), &["names 0 sources"]);
    contains(&with("{ env = 'TOKEN', key = 'a' }"), &["params.token.key", "with `secret` only"]);
    contains(&with("{ env = 7 }"), &["a text in quotes"]);
}

#[test]
fn a_secret_is_taken_whole_or_by_a_key_of_its_json() {
    let text = "[[search]]\nname = 'a'\nsource = 'reso'\n\
                params = { url = 'https://x.example/odata', token = { secret = 'mls/austin', key = 'token' } }\n\
                [[search]]\nname = 'b'\nsource = 'maps/x.toml'\nparams = { city = 'Graz', key = { secret = 'graz' } }\n";
    let everything = wanted(text, Wanting::Everything);
    assert_eq!(
        (everything.files, everything.secrets),
        (vec!["maps/x.toml".into()], vec!["graz".into(), "mls/austin".into()])
    );
    let stack = stack(&[("mls/austin", "{\"user\":\"u\",\"token\":\" t0ken\\n\"}"), ("graz", "k3y\n")]);
    let config = on_aws(text, &stack).unwrap();
    let sources = config.searches.iter().filter_map(|config| config.search.source.http());
    let headers: Vec<_> = sources.flat_map(|source| source.request(&source.begin(None)).headers).collect();
    for bearer in ["Bearer t0ken", "Bearer k3y"] {
        assert!(headers.iter().any(|(_, value)| value == bearer), "{bearer} is not among {headers:?}");
    }
}

#[test]
fn mistakes_in_a_secret_are_reported_without_its_value() {
    let with = |secret: &str, given: &str| {
        let text = format!(
            "[[search]]\nname = 'a'\nsource = 'reso'\n\
             params = {{ url = 'https://x.example/odata', token = {secret} }}\n"
        );
        let message = on_aws(&text, &stack(&[("s", given)])).err().expect("refused");
        assert!(!message.contains("hush"), "a secret is never shown: {message}");
        contains(&message, &["config/stoop.toml:4: search[0].params.token: "]);
        message
    };
    contains(&with("{ secret = 's', key = 'token' }", "hush"), &["the secret s is not a JSON object", "\"token\""]);
    contains(&with("{ secret = 's', key = 'token' }", "[\"hush\"]"), &["not a JSON object"]);
    contains(&with("{ secret = 's', key = 'token' }", "{\"hush\":\"hush\"}"), &["the secret s has no key token"]);
    contains(&with("{ secret = 's', key = 'token' }", "{\"token\":[\"hush\"]}"), &["neither text nor number"]);
    contains(&with("{ secret = 's' }", " \n"), &["the secret s is empty"]);
    contains(&with("{ secret = 'other' }", "hush"), &["the secret other cannot be read: it was not fetched"]);
    contains(&with("{ secret = 'a b' }", "hush"), &["is not a name of a secret", "without the prefix stoop/<stack>/"]);
    contains(&with("{ env = 'TOKEN' }", "hush"), &["a function's environment", "{ secret = \"NAME\" }"]);
    contains(&with("{ file = '../token' }", "hush"), &["names no object below config/"]);
}

#[test]
fn a_source_that_refuses_a_value_from_elsewhere_does_not_show_it() {
    let text = "[[search]]\nname = 'a'\nsource = 'reso'\n\
                params = { url = { secret = 's' }, country = { secret = 's' }, top = 'many' }\n";
    let message = on_aws(text, &stack(&[("s", "hush: accepted is hush")])).err().expect("refused");
    contains(&message, &["url = (not shown): accepted is an address", "country = (not shown)", "top = \"many\""]);
    assert!(!message.to_lowercase().contains("hush"), "{message}");
    let shown = format!("{:?}", stack(&[("s", "hush")]));
    assert!(shown.contains("\"s\"") && !shown.contains("hush") && !shown.contains("native_id"), "{shown}");
}

#[test]
fn wanted_omits_disabled_searches_and_ignores_mistakes() {
    let text = "typo = 1\n\
                [[search]]\nname = 'a'\nsource = 'zillow'\nevery = 'often'\nparams = { key = { secret = 'a' } }\n\
                [[search]]\nname = 'b'\nsource = 'zillow'\nenabled = false\nparams = { key = { secret = 'b' } }\n\
                [[search]]\nname = 'c'\nsource = 'avito'\nparams = { url = { secret = 'c' } }\n\
                [[search]]\nname = 'd'\nsource = './maps/x.toml'\nparams = { city = { file = 'city' }, key = { file = 'key' } }\n\
                [[search]]\nname = 'e'\nsource = '../x.toml'\nparams = { key = { secret = 'a' }, x = { secret = 'no name' } }\n";
    let of = |wanting| {
        let Wanted { files, secrets } = wanted(text, wanting);
        (files.join(" "), secrets.join(" "))
    };
    let pair = |files: &str, secrets: &str| (files.to_owned(), secrets.to_owned());
    assert_eq!(of(Wanting::Everything), pair("city key maps/x.toml", "a"));
    assert_eq!(of(Wanting::Plan), pair("city maps/x.toml", ""), "a secret in a file is a secret");
    assert_eq!(of(Wanting::Search("a")), pair("", "a"));
    assert_eq!(of(Wanting::Search("d")), pair("city key maps/x.toml", ""));
    assert_eq!(of(Wanting::Search("b")), pair("", ""));
    assert_eq!(wanted("[[search", Wanting::Everything), Wanted::default());
}

#[test]
fn the_planner_needs_no_secret() {
    let text = "[[search]]\nname = 'a'\nsource = 'reso'\nevery = '15m'\n\
                params = { url = { secret = 'u' }, top = { secret = 't' }, token = { secret = 's', key = 'k' } }\n\
                [[search]]\nname = 'b'\nsource = 'maps/x.toml'\nparams = { city = 'Graz', key = { file = 'key' } }\n\
                [[search]]\nname = 'c'\nsource = 'avito'\n\
                [[search]]\nname = 'd'\nsource = 'zillow'\nenabled = false\n";
    assert_eq!(wanted(text, Wanting::Plan), Wanted { files: vec!["maps/x.toml".into()], secrets: vec![] });
    let plan = plan(text).unwrap();
    let searches: Vec<_> = plan.searches.iter().map(|search| (search.name.as_str(), search.cadence.every_ms)).collect();
    assert_eq!(searches, [("a", 900_000), ("b", 3_600_000)]);
    assert_eq!(plan.switched_off, ["c", "d"]);
}

#[test]
fn a_search_may_be_polled_less_often_while_it_is_quiet() {
    let search = |keys: &str| {
        format!("[[search]]\nname = 'a'\nsource = 'reso'\n{keys}params = {{ url = 'https://x.example/o' }}\n")
    };
    let bounds = |keys: &str| {
        plan(&search(keys)).map(|plan| {
            let cadence = &plan.searches[0].cadence;
            (cadence.every_ms / 60_000, cadence.every_max_ms.map(|ms| ms / 60_000))
        })
    };
    assert_eq!(bounds(""), Ok((60, None)));
    assert_eq!(bounds("every = '15m'\nevery_max = '6h'\n"), Ok((15, Some(360))));
    assert_eq!(bounds("every_max = '1h'\n"), Ok((60, Some(60))), "which is the same as none");
    for (keys, message) in [
        (
            "every = '2h'\nevery_max = '90m'\n",
            "search[0].every_max: \"90m\" is shorter than `every`; accepted: a time span not shorter than 2h",
        ),
        ("every_max = '15m'\n", "not shorter than 1h, its default"),
        ("every_max = 'seldom'\n", "every_max: \"seldom\" is not a time span; accepted: 90s, 15m, 6h, 2d"),
        ("every_max = 6\n", "every_max"),
        ("max_every = '6h'\n", "max_every"),
    ] {
        let errors = bounds(keys).unwrap_err();
        assert_eq!(errors.lines().count(), 1, "{errors}");
        contains(&errors, &[message]);
    }
}

#[test]
fn searches_of_one_key_share_its_limits_and_without_secrets_those_of_one_server_do() {
    let search = |name: &str, key: &str| {
        format!(
            "[[search]]\nname = '{name}'\nsource = 'rentcast'\nparams = {{ zipCode = '78704', key = {{ secret = '{key}' }} }}\n"
        )
    };
    let text = search("a", "one") + &search("b", "one") + &search("c", "other");
    let stack = stack(&[("one", "1"), ("other", "2")]);
    let cadences = on_aws(&text, &stack).unwrap().cadences();
    assert_eq!(cadences.iter().map(|cadence| cadence.sharers).collect::<Vec<_>>(), [2, 2, 1]);
    assert!(cadences.iter().all(|cadence| cadence.limits.iter().any(|limit| limit.most == 50)), "{cadences:?}");
    let planned = plan(&text).unwrap().searches;
    assert_eq!(planned.iter().map(|search| search.cadence.sharers).collect::<Vec<_>>(), [3, 3, 3]);
}

#[test]
fn a_map_that_is_off_by_default_needs_no_secret() {
    let map = MAP.replace("pause_ms = 500", "pause_ms = 500\noff_by_default = true");
    let fetched = Fetched::files([("maps/x.toml".to_owned(), map)]);
    let text =
        "[[search]]\nname = 'b'\nsource = 'maps/x.toml'\nparams = { city = 'Graz', key = { secret = 'absent' } }\n";
    assert_eq!(on_aws(text, &fetched).unwrap().switched_off, ["b"]);
    assert_eq!(parse_plan(text, "config/stoop.toml", &fetched).unwrap().switched_off, ["b"]);
}

#[test]
fn the_planner_finds_every_mistake_that_needs_no_secret() {
    let errors = plan(
        "databse = 'x'\n[alerts]\nwebhook = 'https://x.example'\n[keep]\nruns = '9d'\n\
         [[search]]\nname = 'Graz west'\nsource = 'maps/absent.toml'\n\
         [[search]]\nname = 'b'\nsource = 'reso'\n\
         params = { url = 'nowhere', top = '0', token = { env = 'TOKEN' }, select = { secret = 'a b' } }\n\
         [[search]]\nname = 'b'\nsource = 'zillow'\nevery = 'often'\nparams = { key = 'in the open' }\n\
         [[search]]\nname = 'e'\nsource = 'maps/x.toml'\nparams = { town = 'x', key = { secret = 'k' } }\n",
    )
    .unwrap_err();
    let parts = [
        "config/stoop.toml:1: databse",
        "alerts.webhook: there is no webhook on AWS",
        "keep: there is no [keep] on AWS",
        "\"Graz west\" is not a name for a queue's messages; accepted on AWS: 1 to 100 of a-z",
        "the map config/maps/absent.toml cannot be read: there is no such object",
        "url = \"nowhere\"",
        "top = \"0\"",
        "TOKEN is not read there",
        "\"a b\" is not a name of a secret",
        "\"b\" is the name of the search on line",
        "\"often\" is not a time span",
        "a secret does not belong in this file",
        "location: missing",
        "there is no parameter \"town\"",
        "parameter \"city\" is missing",
    ];
    contains(&errors, &parts);
    assert!(!errors.contains("in the open") && !errors.contains("stand-in"), "{errors}");
}

#[test]
fn one_search_is_read_whatever_is_wrong_with_the_others() {
    let text = "typo = 1\n[alerts]\ndrop_percent = 'x'\n\
                [[search]]\nname = 7\n\
                [[search]]\nname = 'b'\nsource = 'zillow'\nparams = { location = 'x', key = { secret = 'absent' } }\n\
                [[search]]\nname = 'c'\nsource = 'zillow'\nparams = { location = 'x', key = { secret = 'k' } }\n\
                [[search]]\nname = 'd'\nsource = 'avito'\n";
    let stack = stack(&[("k", "hush")]);
    let one = |name| parse_search(text, "config/stoop.toml", name, &stack).map_err(|errors| errors.to_string());
    assert_eq!(one("c").unwrap().map(|config| config.search.name), Some("c".to_owned()));
    assert!(one("d").unwrap().is_none(), "switched off");
    assert!(one("e").unwrap().is_none(), "not there");
    contains(&one("b").err().expect("refused"), &["the secret absent cannot be read"]);
    assert!(on_aws(text, &stack).is_err());
}

#[test]
fn two_searches_of_one_name_are_a_mistake() {
    let text = "[[search]]\nname = 'a'\nsource = 'avito'\nenabled = true\n";
    let twice = format!("{text}{text}");
    let message = parse_search(&twice, "s.toml", "a", &stack(&[])).err().expect("refused").to_string();
    contains(&message, &["s.toml:6: search[1].name: \"a\" is the name of the search on line 2 as well"]);
}

#[test]
fn alerts_are_read_alone() {
    let text = "[alerts]\ndrop_percent = 20\n[[search]]\nname = 'a'\nsource = 'nowhere'\n";
    assert_eq!(parse_alerts(text, "s.toml", 1_200).unwrap().rules.drops[0].share_bp_min, Some(2_000));
    assert_eq!(parse_alerts("", "s.toml", 1_200).unwrap().rules.drops[0].share_bp_min, Some(1_200));
    let message = parse_alerts(&text.replace("20", "200"), "s.toml", 1_200).unwrap_err().to_string();
    assert_eq!(message, "s.toml:2: alerts.drop_percent: 200 is not a percentage; accepted: a number from 0 to 100");
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

/// A map that only reads files.
const FILES_MAP: &str = "name = 'mls'\ncountry = 'US'\ncurrency = 'USD'\npurpose = 'sale'\n[fields]\n\
                         native_id = { from = 'id' }\nlist_price = { from = 'price' }\ncity = { from = 'city' }\n";

fn files_stack() -> Fetched {
    Fetched::files([("maps/x.toml".to_owned(), MAP.to_owned()), ("maps/mls.toml".to_owned(), FILES_MAP.to_owned())])
}

#[test]
fn a_search_of_files_has_a_map_and_a_pattern() {
    let text = "[[search]]\nname = 'mls'\nsource = 'maps/mls.toml'\nfiles = 'exports/*.zip'\nevery = '15m'\n\
                [[search]]\nname = 'all'\nsource = 'maps/x.toml'\nfiles = 'all/'\ncoverage = 'snapshot'\n\
                [[search]]\nname = 'off'\nsource = 'maps/mls.toml'\nfiles = 'off/'\nenabled = false\n";
    let config = on_aws(text, &files_stack()).unwrap();
    let sets: Vec<_> = config
        .searches
        .iter()
        .map(|SearchConfig { search, every_ms, .. }| match &search.source {
            Origin::Files(set) => (search.source.name(), set.pattern.as_str(), set.coverage, *every_ms),
            Origin::Http(_) => panic!("{} reads files", search.name),
        })
        .collect();
    use stoop_sources::Coverage::{Changes, Snapshot};
    assert_eq!(sets[0], ("mls", "exports/*.zip", Changes, 900_000));
    assert_eq!((sets[1].1, sets[1].2), ("all/", Snapshot), "a map with [http] can read files as well");
    assert_eq!((sets.len(), config.switched_off), (2, vec!["off".to_owned()]));
    assert_eq!(wanted(text, Wanting::Search("mls")).files, ["maps/mls.toml"]);
    assert_eq!(parse_plan(text, "config/stoop.toml", &files_stack()).unwrap().searches.len(), 2);
    assert!(parse_search(text, "config/stoop.toml", "mls", &files_stack()).unwrap().is_some());
}

#[test]
fn keys_that_do_not_go_with_files_are_reported() {
    let message = on_aws(
        "[[search]]\nname = 'a'\nsource = 'zillow'\nfiles = 'in/'\n\
         [[search]]\nname = 'b'\nsource = 'maps/mls.toml'\n\
         [[search]]\nname = 'c'\nsource = 'maps/mls.toml'\nfiles = 'in//x'\ncoverage = 'all'\n\
         [[search]]\nname = 'd'\nsource = 'maps/mls.toml'\nfiles = 's3://other/in/'\n\
         [[search]]\nname = 'e'\nsource = 'maps/mls.toml'\nfiles = 'in/'\nparams = { a = 1 }\nfull_scan_every = '1d'\nlimits = '1/s'\n\
         [[search]]\nname = 'f'\nsource = 'avito'\nenabled = true\ncoverage = 'snapshot'\n\
         [[search]]\nname = 'g'\nsource = 'maps/nowhere.toml'\nfiles = '../in/'\n",
        &files_stack(),
    );
    contains(
        &message.err().expect("refused"),
        &[
            ":3: search[0].source: \"zillow\" reads no files; accepted with `files`: the path of a map",
            "the map maps/mls.toml has no [http]: it reads files; accepted: `files`, such as files = \"exports/\"",
            "\"in//x\" is not a path of files; accepted: a folder (exports/), a file (exports/all.csv)",
            "\"all\" is not a coverage; accepted: \"changes\"",
            "\"s3://other/in/\" is not a path of files; accepted: a folder",
            "params: does not go with `files`: files take no parameters",
            "full_scan_every: does not go with `files`",
            "limits: does not go with `files`: reading files has no limits",
            "says what each of a search's files holds; accepted with `files` only",
            "\"../in/\" leads out of files/ in the data bucket",
        ],
    );
    let text = "[[search]]\nname = 'a'\nsource = 'm.toml'\nfiles = '../in/'\n";
    let message = refused(text);
    assert!(
        message.contains("cannot be read") && !message.contains("leads out"),
        "the laptop may read any path: {message}"
    );
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

const AREAS: &str = "[alerts]\ndrop_percent = 20\n\n[[alerts.areas]]\narea = 'austin tx'\ndrop_percent = 10\n\n\
                     [[alerts.areas]]\narea = 'us/wa'\ndrop_amount = { USD = 50_000 }\n";

#[test]
fn an_area_may_have_thresholds_of_its_own() {
    let alerts = config(AREAS).unwrap().alerts;
    let rules: Vec<_> = alerts.rules.drops.iter().map(|rule| (rule.area.as_deref(), rule.share_bp_min)).collect();
    assert_eq!(rules, [(None, Some(2_000)), (Some("us/tx/travis/austin"), Some(1_000)), (Some("us/wa"), None)]);
    assert_eq!(alerts.rules.drops[2].amount_min[&Currency::USD], Minor(5_000_000));
    // On AWS there is no gazetteer.
    let message = plan(AREAS).unwrap_err();
    contains(
        &message,
        &["stoop.toml:5: alerts.areas[0].area: \"austin tx\" is not a path of an area; accepted: one like us/tx"],
    );
    let paths = AREAS.replace("austin tx", "us/tx/travis/austin");
    assert_eq!(parse_alerts(&paths, "stoop.toml", 1_500).unwrap(), alerts);
}

#[test]
fn an_area_that_is_not_clear_is_refused() {
    for (area, problem) in [
        ("area = 'springfield'\ndrop_percent = 5", "\"springfield\" is the name of several places; say which: "),
        ("area = 'seatle wa'\ndrop_percent = 5", "did you mean us/wa/king/seattle"),
        ("area = 'us/wa'", "alerts.areas[0]: names no threshold; accepted: drop_percent, drop_amount or both"),
        ("drop_percent = 5", "alerts.areas[0].area: is missing; accepted: a place like \"austin tx\""),
        ("area = 'us/wa'\ndrop_percent = 5\nnoise_percent = 1", "alerts.areas[0].noise_percent: there is no such key"),
        (
            "area = 'us/wa'\ndrop_percent = 5\n[[alerts.areas]]\narea = 'washington state'\ndrop_percent = 6",
            "us/wa has its thresholds above; accepted: each area once",
        ),
    ] {
        contains(&refused(&format!("[alerts]\n[[alerts.areas]]\n{area}\n")), &[problem]);
    }
}

#[test]
fn a_webhook_may_be_taken_from_elsewhere_and_judging_ignores_it() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("stoop.toml");
    std::fs::write(folder.path().join("hook"), " https://hooks.example/key\n").unwrap();
    std::fs::write(&path, "[alerts]\nwebhook = { file = 'hook' }\nwebhook_past = true\n").unwrap();
    let alerts = read_alerts(&path).unwrap();
    assert_eq!(alerts.webhook, Address::parse("https://hooks.example/key"));
    assert!(alerts.webhook_past && !format!("{alerts:?}").contains("hooks.example"));
    assert_eq!(read_config(&path).unwrap().alerts, alerts);
    // Displaying a configuration, or judging by it, reads no values.
    let text = "[alerts]\nwebhook = { env = 'STOOP_TEST_ABSENT' }\ndrop_percent = 20\n";
    std::fs::write(&path, text).unwrap();
    assert_eq!(read_outline(&path).unwrap().alerts.webhook, None);
    let judged = parse_alerts(text, "stoop.toml", 1_500).unwrap();
    assert_eq!((judged.webhook, judged.rules.drops[0].share_bp_min), (None, Some(2_000)));
    let errors = refused(text);
    contains(&errors, &["stoop.toml:2: alerts.webhook: the environment has no variable STOOP_TEST_ABSENT"]);
    contains(&refused("[alerts]\nwebhook = 7\n"), &["stoop.toml:2: alerts.webhook"]);
    contains(&refused("[alerts]\nwebhook = { env = 'A', file = 'b' }\n"), &["names 2 sources"]);
}
