//! Secrets and other values from elsewhere.

use super::*;

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
