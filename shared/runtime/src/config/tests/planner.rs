//! What the planner and the poller read of the searches.

use super::*;

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
