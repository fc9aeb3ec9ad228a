//! The page of `stoop sources new --open`.

#![cfg(target_os = "linux")]

use std::os::unix::fs::PermissionsExt;

use crate::support::{Outcome, Room, until};

#[test]
fn a_draft_can_be_looked_at_in_a_browser() {
    let room = Room::new();
    room.write("xdg-open", "#!/bin/sh\nprintf %s \"$1\" >opened.new && mv opened.new opened\n");
    std::fs::set_permissions(room.path("xdg-open"), PermissionsExt::from_mode(0o755)).unwrap();
    room.write("s.csv", "id,price,beds,area,city\n1,300000,2,80,Gr<b>az\n2,310000,2,90,Graz\n3,320000,3,85,Graz\n");
    let new = |more: &[&str]| {
        let args = ["sources", "new", "graz", "--from", "s.csv", "--country", "AT", "--purpose", "sale", "--open"];
        let path = format!("{}:{}", room.path("").display(), std::env::var("PATH").unwrap());
        Outcome::of(room.command(&[&args[..], more].concat()).env("PATH", path))
    };
    let message = new(&["--json"]).ok().json();
    assert_eq!(message["page"], "graz.html");
    let opened = until("an opened page", || std::fs::read_to_string(room.path("opened")).ok());
    assert!(opened.starts_with('/') && opened.ends_with("/graz.html"), "{opened}");
    let page = room.read("graz.html");
    for part in [
        "s.csv",
        "3 of 3 rows were understood.",
        "list_price",
        "300000 EUR",
        "{ from = &quot;price&quot; }",
        "Gr&lt;b&gt;az",
    ] {
        assert!(page.contains(part), "{part} is not in {page}");
    }
    assert!(page.contains(&room.read("graz.toml").lines().next().unwrap().replace('"', "&quot;")), "{page}");
    std::fs::remove_file(room.path("graz.toml")).unwrap();
    new(&[]).refused(&["graz.html exists already"]);
    assert!(!room.path("graz.toml").exists(), "nothing half-done");
    new(&["--force"]).ok();
}
