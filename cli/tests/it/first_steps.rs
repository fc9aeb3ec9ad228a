//! The first steps: a configuration, completions, the manual.

use serde_json::Value;

use crate::support::{Room, list, text};

const KINDS: [&str; 8] = ["reso", "zillow", "realtor", "rentcast", "avito", "mubawab", "map", "files"];

/// The searches of the configuration, and whether they are enabled.
fn searches(room: &Room) -> Vec<(String, bool)> {
    let message: Value = room.json(&["sources"]);
    let search = |search: &Value| (text(&search["name"]).to_owned(), search["enabled"] == true);
    list(&message["searches"]).iter().map(search).collect()
}

#[test]
fn init_writes_a_configuration_of_the_chosen_source() {
    for kind in KINDS {
        let room = Room::new();
        let message = room.stoop(&["init", "--source", kind]).ok().stdout;
        assert!(message.starts_with("Wrote stoop.toml.\n") && message.contains("\nNext\n"), "{message}");
        let searches = searches(&room);
        assert_eq!(searches.len(), 1, "{kind}: {searches:?}");
        assert_eq!(searches[0].1, !["avito", "mubawab"].contains(&kind), "scraped sites stay off: {kind}");
        assert!(message.contains(&format!("stoop sources check {}", searches[0].0)), "{message}");
        let written = room.read("stoop.toml");
        assert!(written.contains("\n# ") && written.contains("[alerts]"), "it is commented: {written}");
    }
}

#[test]
fn init_without_a_terminal_asks_nothing_and_keeps_an_existing_file() {
    let room = Room::new();
    let message = room.stoop(&["init"]).ok().stdout;
    assert!(message.contains("stoop sources"), "{message}");
    let all = searches(&room);
    assert_eq!(all.len(), KINDS.len());
    assert!(all.iter().all(|(_, on)| !on), "{all:?}");
    room.stoop(&["init", "--source", "reso"]).refused(&["stoop.toml exists already", "--to names another"]);
    assert_eq!(searches(&room), all);
    let message = room.stoop(&["init", "--source", "reso", "--to", "mls.toml"]).ok().stdout;
    assert!(message.contains("stoop run --config mls.toml"), "{message}");
    room.stoop(&["init", "--source", "ebay", "--to", "b.toml"]).refused(&["[possible values: reso, zillow"]);
}

#[test]
fn completions_and_manual_cover_every_command() {
    let room = Room::new();
    for shell in ["bash", "zsh", "fish", "powershell", "elvish"] {
        let script = room.stoop(&["completions", shell]).ok().stdout;
        assert!(script.contains("quarantine") && script.contains("csv"), "{shell}: {script}");
    }
    room.stoop(&["completions", "cmd"]).refused(&["possible values: bash"]);
    assert!(room.stoop(&["man"]).ok().stdout.contains(".TH stoop 1"));
    room.stoop(&["man", "--to", "man/man1"]).ok();
    assert!(room.read("man/man1/stoop-homes.1").contains("min\\-price"));
    assert!(room.read("man/man1/stoop.1").contains("stoop\\-homes(1)"));
}
