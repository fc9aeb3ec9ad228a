//! `stoop sources`, `stoop sources check` and `stoop sources new`, against servers on loopback.

#![cfg(unix)]

use std::io::{BufRead, BufReader, Write};
use std::net::{TcpListener, TcpStream};
use std::sync::{Arc, Mutex};

use crate::support::{Outcome, Room, list, number, says, text};
use serde_json::{Value, json};
use stoop_domain::Time;
use stoop_simulation::{Portal, PortalConfig, Simulation, SimulationConfig};
use stoop_sources::KINDS;

const TOKEN: &str = "a-token-of-the-test";
const TOKEN_ENV: &str = "STOOP_TEST_TOKEN";

fn portal() -> Portal {
    let start = Time::parse("2025-03-03T00:00:00Z").unwrap();
    let simulation = Arc::new(Mutex::new(Simulation::new(SimulationConfig::new(11, start, 300, 8).lively())));
    let config = PortalConfig { token: Some(TOKEN.into()), ..PortalConfig::new(move || start) };
    Portal::start(simulation, config).unwrap()
}

/// A room whose configuration has the search `mls` of a portal.
fn room(portal: &Portal, more: &str) -> Room {
    let room = Room::new();
    let config = format!(
        "[[search]]\nname = \"mls\"\nsource = \"reso\"\n{more}\n[search.params]\nurl = \"{}/odata\"\ntop = 100\n\
         token = {{ env = \"{TOKEN_ENV}\" }}\n",
        portal.url()
    );
    room.write("stoop.toml", config);
    room
}

fn check(room: &Room, search: &str, more: &[&str]) -> Outcome {
    let args: Vec<&str> = ["sources", "check", search].iter().chain(more).copied().collect();
    Outcome::of(room.command(&args).env(TOKEN_ENV, TOKEN))
}

#[track_caller]
fn field<'v>(message: &'v Value, name: &str) -> &'v Value {
    list(&message["fields"])
        .iter()
        .find(|field| field["name"] == name)
        .unwrap_or_else(|| panic!("no {name} in {message}"))
}

/// Files in the room that the test did not write.
fn files(room: &Room) -> Vec<String> {
    let entries = room.path("").read_dir().unwrap();
    let mut names: Vec<String> = entries.map(|entry| entry.unwrap().file_name().into_string().unwrap()).collect();
    names.sort();
    names
}

#[test]
fn every_kind_is_listed_with_what_it_reports() {
    let room = Room::new();
    let shown = room.stoop(&["sources"]).ok().stdout;
    let message = room.json(&["sources"]);
    for kind in KINDS {
        assert!(shown.contains(kind.name) && shown.contains(kind.summary), "{shown}");
        let row = list(&message["kinds"]).iter().find(|row| row["name"] == kind.name).unwrap();
        says(row, &json!({ "price_changes": kind.capabilities.price_changes, "gone": kind.capabilities.gone }));
        assert_eq!(list(&row["params"]).len(), kind.params.len());
    }
    assert!(message.get("searches").is_none(), "there is no configuration: {message}");
    assert!(files(&room).is_empty());
}

#[test]
fn searches_are_listed_without_secrets_even_disabled_ones() {
    let room = Room::new();
    room.write(
        "stoop.toml",
        "[[search]]\nname = \"chicago\"\nsource = \"zillow\"\nevery = \"6h\"\n\
         params = { location = \"Chicago, IL\", key = { env = \"STOOP_TEST_NO_SUCH\" } }\n\
         [[search]]\nname = \"agadir\"\nsource = \"avito\"\nevery = \"2h\"\n\
         [[search]]\nname = \"later\"\nsource = \"reso\"\nenabled = false\n",
    );
    let message = room.json(&["sources"]);
    let searches = list(&message["searches"]);
    let part = |name: &str| searches.iter().map(|search| search[name].clone()).collect::<Vec<_>>();
    assert_eq!(part("name"), [json!("chicago"), json!("agadir"), json!("later")]);
    assert_eq!(part("enabled"), [json!(true), json!(false), json!(false)]);
    assert_eq!(part("source"), [json!("zillow"), json!("avito"), Value::Null]);
    assert_eq!(part("every_ms")[..2], [json!(21_600_000), json!(7_200_000)]);
    assert!(!list(&searches[0]["limits"]).is_empty() && searches[1]["robots"] == true, "{message}");
    let shown = room.stoop(&["sources"]).ok().stdout;
    for part in ["chicago", "agadir", "later", "robots.txt", "lacks something"] {
        assert!(shown.contains(part), "{part}: {shown}");
    }
}

#[test]
fn a_bad_configuration_does_not_hide_the_source_kinds() {
    let room = Room::new();
    room.write("stoop.toml", "[[search]]\nname = \"x\"\nsource = \"redfin\"\n");
    let message = room.stoop(&["sources"]);
    assert!(message.stdout.contains("zillow"), "{}", message.stdout);
    message.refused(&["redfin", "no kind of source"]);
    room.stoop(&["sources", "--config", "none.toml"]).refused(&["none.toml", "cannot be read"]);
}

#[test]
fn a_check_makes_one_request_stores_nothing_and_shows_every_field() {
    let portal = portal();
    let room = room(&portal, "");
    let message = check(&room, "mls", &["--json"]).ok().json();
    says(
        &message,
        &json!({ "search": "mls", "source": "reso", "enabled": true, "requests": 1, "rows": 100, "listings": 100, "next": "page" }),
    );
    assert_eq!(portal.served().requests, 1);
    assert_eq!(files(&room), ["stoop.toml"], "neither database nor pages");
    says(field(&message, "native_id"), &json!({ "filled": 100, "share": 1.0 }));
    says(field(&message, "list_price"), &json!({ "filled": 100 }));
    assert!(text(&field(&message, "list_price")["example"]).ends_with(" USD"), "{message}");
    assert_eq!(field(&message, "details.images")["filled"], 0);
    let counted: f64 = field(&message, "status")["values"].as_object().unwrap().values().map(number).sum();
    assert!((counted - 100.0).abs() < 0.1, "{message}");
    assert_eq!(list(&message["refused"]), &[] as &[Value]);

    let shown = check(&room, "mls", &[]).ok().stdout;
    for part in
        ["nothing is stored", "100 of 100 rows were understood.", "list_price", "100 %", "there is another page"]
    {
        assert!(shown.contains(part), "{part}: {shown}");
    }
    assert!(!shown.contains(TOKEN), "{shown}");
}

#[test]
fn a_search_that_is_off_can_be_checked_and_stays_off() {
    let portal = portal();
    let room = room(&portal, "enabled = false");
    let message = check(&room, "mls", &["--json"]).ok().json();
    says(&message, &json!({ "enabled": false, "listings": 100 }));
    let shown = check(&room, "mls", &[]).ok().stdout;
    assert!(shown.contains("switched off, and stays so"), "{shown}");
    let unknown = check(&room, "mlss", &[]);
    unknown.refused(&["\"mlss\" is not configured; there are: mls"]);
}

#[test]
fn with_a_database_a_check_counts_against_the_limits_of_polls() {
    let portal = portal();
    let room = room(&portal, "limits = [\"50/h\"]");
    Outcome::of(room.command(&["poll", "mls"]).env(TOKEN_ENV, TOKEN)).ok();
    let runs = room.json(&["runs"]);
    let message = check(&room, "mls", &["--json"]).ok().json();
    says(&message["left"][0], &json!({ "limit": "50 requests an hour", "left": 50 - portal.served().requests }));
    assert_eq!(room.json(&["runs"]), runs, "a check is not a run");
    // No request is left for another check, which says so instead of waiting for an hour.
    let config = room.read("stoop.toml").replace("50/h", &format!("{}/h", portal.served().requests));
    room.write("stoop.toml", config);
    let held = check(&room, "mls", &[]);
    assert_eq!(held.code, Some(1), "{}", held.stdout);
    assert!(held.stderr.contains("is not to be asked before"), "{}", held.stderr);
}

#[test]
fn a_check_that_fails_says_why() {
    let portal = portal();
    let room = room(&portal, "");
    room.stoop(&["sources", "check", "mls"]).refused(&["the environment has no variable", TOKEN_ENV]);
    let wrong = Outcome::of(room.command(&["sources", "check", "mls"]).env(TOKEN_ENV, "another"));
    assert_eq!(wrong.code, Some(1), "{}", wrong.stderr);
    assert!(wrong.stderr.contains("status 401") && !wrong.stderr.contains("another"), "{}", wrong.stderr);

    // A map that misreads every row understands none.
    let map = format!(
        "name = \"odd\"\ncountry = \"US\"\ncurrency = \"USD\"\n[read]\nrows = \"/value\"\n[http]\nurl = \"{}/odata/Property\"\n\
         [http.headers]\nAuthorization = \"Bearer {{token}}\"\n[fields]\nnative_id = {{ from = \"ListingKey\" }}\n\
         city = {{ from = \"City\" }}\npurpose = {{ from = \"PropertyType\", lookup = {{ \"None\" = \"sale\" }} }}\n",
        portal.url()
    );
    room.write("odd.toml", map);
    let config = format!(
        "[[search]]\nname = \"odd\"\nsource = \"odd.toml\"\nparams = {{ token = {{ env = \"{TOKEN_ENV}\" }} }}\n"
    );
    room.write("stoop.toml", config);
    let message = check(&room, "odd", &["--json"]);
    assert_eq!(message.code, Some(1), "{}", message.stderr);
    let message = message.json();
    says(&message, &json!({ "listings": 0, "fields": [] }));
    let refused = &list(&message["refused"])[0];
    says(refused, &json!({ "reason": "bad_value", "rows": message["rows"] }));
    assert!(
        text(&refused["detail"]).contains("purpose") && text(&refused["excerpt"]).contains("ListingKey"),
        "{message}"
    );
    let shown = check(&room, "odd", &[]).stdout;
    assert!(shown.contains("0 of") && shown.contains("bad value"), "{shown}");
}

/// A server that answers each path with a status and a body, and records the requests.
struct Site {
    address: String,
    asked: Arc<Mutex<Vec<String>>>,
}

impl Site {
    fn new(pages: &'static [(&'static str, u16, &'static str)]) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = format!("http://{}", listener.local_addr().unwrap());
        let asked: Arc<Mutex<Vec<String>>> = Arc::default();
        let notes = Arc::clone(&asked);
        std::thread::spawn(move || {
            for stream in listener.incoming() {
                answer(stream.unwrap(), pages, &notes);
            }
        });
        Self { address, asked }
    }

    fn asked(&self) -> Vec<String> {
        self.asked.lock().unwrap().clone()
    }
}

fn answer(mut stream: TcpStream, pages: &[(&str, u16, &str)], notes: &Mutex<Vec<String>>) {
    let mut lines = BufReader::new(stream.try_clone().unwrap()).lines().map_while(Result::ok);
    let path = lines.next().unwrap_or_default().split(' ').nth(1).unwrap_or_default().to_owned();
    let agent = lines.take_while(|line| !line.is_empty()).find(|line| line.to_lowercase().starts_with("user-agent"));
    assert!(agent.unwrap_or_default().contains("stoop/"), "it identifies itself");
    let page = pages.iter().find(|(known, ..)| path.starts_with(known));
    let (status, body) = page.map_or((404, "nothing"), |(_, status, body)| (*status, *body));
    notes.lock().unwrap().push(path);
    let head = format!("HTTP/1.1 {status} X\r\nContent-Length: {}\r\nConnection: close\r\n\r\n", body.len());
    stream.write_all((head + body).as_bytes()).unwrap();
}

#[test]
fn a_scraped_site_is_asked_for_its_robots_txt_first_and_obeyed() {
    let site = Site::new(&[("/robots.txt", 200, "User-agent: *\nDisallow: /fr/\n")]);
    let room = Room::new();
    room.write(
        "stoop.toml",
        format!("[[search]]\nname = \"maroc\"\nsource = \"avito\"\nparams = {{ url = \"{}\" }}\n", site.address),
    );
    let message = room.stoop(&["sources", "check", "maroc"]);
    assert_eq!(message.code, Some(1), "{}", message.stderr);
    assert!(message.stderr.contains("robots.txt") && message.stderr.contains("does not let us"), "{}", message.stderr);
    assert!(message.stdout.contains("switched off") && message.stdout.contains("terms"), "{}", message.stdout);
    assert_eq!(site.asked(), ["/robots.txt"], "nothing else was asked for");
}

const SAMPLE: &str = r#"{"meta": {"total": 3, "next": "/homes?page=2"}, "homes": [
    {"id": "h1", "price": {"amount": 250000, "currency": "EUR"}, "stadt": "Graz", "plz": "8010", "wohnflaeche_m2": 71.5,
     "schlafzimmer": 2, "typ": "wohnung", "link": "https://www.example.at/h1", "wetter": "gut"},
    {"id": "h2", "price": {"amount": 410000, "currency": "EUR"}, "stadt": "Graz", "plz": "8020", "wohnflaeche_m2": 112,
     "schlafzimmer": null, "typ": "haus", "link": "https://www.example.at/h2", "wetter": "gut"}]}"#;

#[test]
fn a_draft_of_an_answer_is_written_tested_and_polls() {
    let site = Site::new(&[("/homes", 200, SAMPLE)]);
    let room = Room::new();
    room.write("sample.json", SAMPLE);
    let url = format!("{}/homes?page=1&token=s3cr3t", site.address);
    let args =
        ["sources", "new", "graz", "--from", "sample.json", "--url", &url, "--country", "AT", "--purpose", "sale"];
    let message = room.json(&args);
    says(
        &message,
        &json!({ "name": "graz", "file": "graz.toml", "rows_at": "/homes", "rows": 2, "listings": 2, "params": ["key"] }),
    );
    says(field(&message, "list_price"), &json!({ "filled": 2, "example": "250000 EUR" }));
    says(field(&message, "bedrooms"), &json!({ "filled": 1, "share": 0.5 }));
    says(field(&message, "living_area"), &json!({ "example": "71.5 m²" }));
    assert_eq!(site.asked(), [] as [&str; 0], "a draft makes no request");
    let map = room.read("graz.toml");
    assert!(!map.contains("s3cr3t"), "{map}");
    assert!(map.contains("next = \"/meta/next\"") && map.contains("native_id = { from = \"id\" }"), "{map}");

    room.stoop(&args).refused(&["graz.toml exists already; --force"]);
    let again = room.stoop(&[&args[..], &["--force"]].concat()).ok().stdout;
    for part in ["Wrote graz.toml", "2 of 2 rows were understood", "stoop sources check graz"] {
        assert!(again.contains(part), "{part}: {again}");
    }
    assert_eq!(room.read("graz.toml"), map, "the same sample gives the same draft");

    let config = format!(
        "[[search]]\nname = \"graz\"\nsource = \"graz.toml\"\nparams = {{ key = {{ env = \"{TOKEN_ENV}\" }} }}\n"
    );
    room.write("stoop.toml", config);
    let checked = check(&room, "graz", &["--json"]).ok().json();
    says(&checked, &json!({ "rows": 2, "listings": 2, "total": 3, "next": "page" }));
    assert_eq!(site.asked(), [format!("/homes?token={TOKEN}")]);
}

#[test]
fn a_draft_of_a_file_replays_it() {
    let room = Room::new();
    room.write(
        "homes_2026-01-13.csv",
        "Référence;Prix;Ville;Surface habitable;Type de bien\nAB1;1 700 000 DH;Rabat;83 m²;Appartement\n\
         AB2;Prix à consulter;Salé;140 m²;Villa\nAB3;959 600 DH;Rabat;61 m²;Château\n",
    );
    let message = room.json(&["sources", "new", "maroc", "--from", "homes_2026-01-13.csv", "--purpose", "sale"]);
    says(&message, &json!({ "rows": 3, "listings": 3, "rows_at": null, "params": [] }));
    says(&field(&message, "property_type")["values"], &json!({ "Apartment": 1, "SingleFamilyResidence": 1 }));
    says(field(&message, "observed_at"), &json!({ "filled": 3, "example": "2026-01-13T00:00:00Z" }));
    let replayed = room.replay("maroc.toml", &["homes_2026-01-13.csv"]);
    says(&replayed, &json!({ "observations": 3, "quarantined": 0, "homes": 3 }));
}

#[test]
fn a_draft_that_lacks_something_says_so_and_writes_nothing() {
    let room = Room::new();
    room.write("a.json", r#"[{"id": 1, "price": 5000}, {"id": 2, "price": 6000}]"#);
    room.stoop(&["sources", "new", "x", "--from", "a.json"]).refused(&["a.json", "--purpose", "--currency"]);
    room.write("error.json", r#"{"status": 400, "message": "no"}"#);
    room.stoop(&["sources", "new", "x", "--from", "error.json"]).refused(&["no id"]);
    room.write("broken.json", r#"{"homes": [{"id": 1"#);
    room.stoop(&["sources", "new", "x", "--from", "broken.json"]).refused(&["broken.json"]);
    room.stoop(&["sources", "new", "x", "--from", "none.json"]).refused(&["there is no such file"]);
    room.stoop(&["sources", "new", "X y", "--from", "a.json"]).refused(&["a to z"]);
    room.stoop(&["sources", "new", "x", "--from", "a.json", "--url", "ftp://x"]).refused(&["accepted"]);
    assert_eq!(files(&room), ["a.json", "broken.json", "error.json"]);
}

#[test]
fn a_trial_shows_what_was_chosen_and_what_is_doubtful_and_writes_nothing() {
    let site = Site::new(&[("/homes", 200, SAMPLE), ("/closed", 403, "no key\u{1b}[2J")]);
    let room = Room::new();
    let url = format!("{}/homes?token=s3cr3t", site.address);
    let given = ["--country", "AT", "--purpose", "sale"];
    let message = room.json(&[&["sources", "try", &url][..], &given].concat());
    says(&message, &json!({ "rows": 2, "listings": 2 }));
    let price = list(&message["chosen"]).iter().find(|row| row["field"] == "list_price").unwrap();
    says(
        price,
        &json!({ "certain": true, "filled": 1.0, "rule": "{ from = \"/price/amount\" }", "value": "250000 EUR" }),
    );
    assert!(!message.to_string().contains("s3cr3t"), "{message}");
    assert_eq!(site.asked(), ["/homes?token=s3cr3t"], "one request");

    room.write(
        "rents.csv",
        "id,city,weekly_rent,price_zorkmid,agency_address\n1,Graz,250,9,Ring 1\n2,Graz,300,8,Ring 1\n",
    );
    let shown = room.stoop(&["sources", "try", "rents.csv", "--country", "AT"]).ok().stdout;
    for part in ["2 of 2 rows were understood", "per = \"week\"", "zorkmid", "agency_address (line): \"agency\" says"] {
        assert!(shown.contains(part), "{part}: {shown}");
    }
    room.write("bare.csv", "id,city,worth\n1,Graz,much\n2,Graz,more\n");
    let bare = room.stoop(&[&["sources", "try", "bare.csv"][..], &given].concat()).ok().stdout;
    assert!(bare.contains("Warning: no listing has a price"), "{bare}");
    assert_eq!(files(&room), ["bare.csv", "rents.csv"]);

    let closed = format!("{}/closed?token=s3cr3t", site.address);
    let refused = room.stoop(&["sources", "try", &closed]);
    refused.refused(&["status 403: no key"]);
    assert!(!refused.stderr.contains("s3cr3t") && !refused.stderr.contains('\u{1b}'), "{}", refused.stderr);
    room.stoop(&["sources", "try", "rents.csv", "--id", "gnu"]).refused(&["gnu"]);
    room.stoop(&["sources", "try", &closed, "--header", "x"]).refused(&["Name: value"]);
}

#[test]
fn a_replay_without_any_price_says_so() {
    let room = Room::new();
    room.write("bare.csv", "id,city,worth\n1,Graz,much\n2,Graz,more\n");
    room.stoop(&["sources", "new", "bare", "--from", "bare.csv", "--country", "AT", "--purpose", "sale"]).ok();
    let replayed = room.stoop(&["replay", "--map", "bare.toml", "bare.csv"]).ok().stdout;
    assert!(replayed.starts_with("Warning: no row has a price."), "{replayed}");
}
