//! `stoop.example.toml` is a valid configuration, and the pages of `docs/sources` describe every parameter.
#![allow(clippy::unwrap_used, reason = "a test")]

use std::path::{Path, PathBuf};
use std::process::{Command, Output};

use stoop_runtime::{Config, read_config};
use stoop_sources::KINDS;

/// The variable with the file that the child process reads.
const CHILD: &str = "STOOP_EXAMPLE_CHILD";
const SECRETS: [&str; 4] = ["STOOP_RESO_TOKEN", "STOOP_RAPIDAPI_KEY", "STOOP_RENTCAST_KEY", "STOOP_EXAMPLE_KEY"];

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../..")
}

/// Not a test of its own: the code of a child process with its own environment.
#[test]
fn child() {
    let Ok(file) = std::env::var(CHILD) else { return };
    match read_config(Path::new(&file)) {
        Ok(config) => println!("{}", message(&config)),
        Err(errors) => println!("refused: {errors}"),
    }
}

fn message(config: &Config) -> String {
    let on: Vec<String> = config
        .searches
        .iter()
        .map(|config| format!("{} from {}", config.search.name, config.search.source.name()))
        .collect();
    format!("on: {}; off: {}", on.join(", "), config.switched_off.join(", "))
}

/// The result of reading a configuration in a process with or without the secrets that the example names.
fn read(file: &Path, with_secrets: bool) -> String {
    let mut command = Command::new(std::env::current_exe().unwrap());
    command.args(["--exact", "child", "--nocapture"]).env(CHILD, file);
    for name in SECRETS {
        if with_secrets {
            command.env(name, "t0p-secret")
        } else {
            command.env_remove(name)
        };
    }
    let Output { stdout, .. } = stoop_waits::output(&mut command, stoop_waits::PATIENCE).unwrap();
    String::from_utf8(stdout).unwrap()
}

#[test]
fn the_example_is_accepted_with_the_secrets_that_it_names() {
    let message = read(&root().join("stoop.example.toml"), true);
    let want = "on: austin from reso-actris, lincoln-park from zillow, lakeview from realtor, \
                new-york-rents from rentcast, graz from example; off: agadir, marrakech-rent, exports";
    assert!(message.contains(want), "{message}");
}

#[test]
fn the_disabled_searches_are_valid_too() {
    let text = std::fs::read_to_string(root().join("stoop.example.toml")).unwrap();
    let maps = format!("\"{}/", root().join("maps").display());
    let text = text.replace("enabled = false", "enabled = true").replace("\"maps/", &maps);
    let folder = tempfile::TempDir::new().unwrap();
    let file = folder.path().join("stoop.toml");
    std::fs::write(&file, text).unwrap();
    let message = read(&file, true);
    assert!(message.contains("agadir from avito") && message.contains("marrakech-rent from mubawab"), "{message}");
    assert!(message.contains("exports from simulated"), "{message}");
    assert!(message.contains("off: \n"), "{message}");
}

#[test]
fn the_selectors_of_a_scraped_site_may_be_a_file_and_its_mistakes_are_reported() {
    let folder = tempfile::TempDir::new().unwrap();
    let file = folder.path().join("stoop.toml");
    let search = "[[search]]\nname = 'm'\nsource = 'mubawab'\nenabled = true\n";
    std::fs::write(&file, format!("{search}params = {{ selectors = {{ file = 'cards.toml' }} }}\n")).unwrap();
    let message = |selectors: &str| {
        std::fs::write(folder.path().join("cards.toml"), selectors).unwrap();
        read(&file, false)
    };
    assert!(message("[fields]\nprice = { select = '.newPrice' }\n").contains("on: m from mubawab"));
    let mistake = message("[fields]\nprise = { select = '.newPrice' }\n");
    assert!(mistake.contains("selectors:2: fields.prise: there is no such key; did you mean \"price\"?"), "{mistake}");
}

#[test]
fn every_missing_secret_is_named_at_once() {
    let message = read(&root().join("stoop.example.toml"), false);
    for name in SECRETS {
        assert!(message.contains(name), "{name} is not in:\n{message}");
    }
}

#[test]
fn the_page_of_each_source_kind_describes_every_parameter() {
    for kind in KINDS {
        let page = root().join(format!("docs/sources/{}.md", kind.name));
        let page = std::fs::read_to_string(page).unwrap();
        let (_, after) = page.split_once("\n## Parameters\n").unwrap();
        let section = after.split("\n#").next().unwrap();
        for param in kind.params {
            assert!(section.contains(&format!("`{}`", param.name)), "{} of {} is missing", param.name, kind.name);
        }
    }
}
