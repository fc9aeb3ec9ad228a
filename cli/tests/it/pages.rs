//! The pages of `stoop serve`, as a browser gets them, and what may not reach them.

#![cfg(unix)]

mod display;
mod live;
mod quality;
pub(crate) mod served;

use crate::support::{MAP, Room, list, number, text};
use served::RunningServer;
use stoop_domain::Currency;

const FIELDS: &str = "id,seen,price,city,title,link\n";
const MORE: &str = "title = { from = \"title\" }\nurl = { from = \"link\" }\nregion = { constant = \"NV\" }\n";
const HOSTILE: &str = "<script>alert(1)</script><img src=x onerror=alert(2)>\" onload=\"alert(3)";

/// A room with two weeks of two cities; one home has hostile words.
fn room() -> Room {
    let room = Room::new();
    room.write("made.toml", format!("{MAP}{MORE}"));
    let mut rows = FIELDS.to_owned();
    for day in 1..=14 {
        for home in 0..12 {
            let (city, price) = if home < 8 { ("Reno", 400_000 + 1_000 * home) } else { ("Elko", 200_000 + home) };
            let price = if home == 3 && day > 9 { 300_000 } else { price };
            let (title, link) = match home {
                3 => (HOSTILE.replace('"', "\"\""), "javascript:alert(4)"),
                _ => (format!("Home {home}"), "https://homes.example/1"),
            };
            rows += &format!("{home},2026-03-{day:02}T08:00:00Z,{price},{city},\"{title}\",{link}\n");
        }
    }
    room.replay("made.toml", &[room.write("homes.csv", rows)]);
    room
}

#[test]
fn pages_show_the_figures_of_the_command_line() {
    let room = room();
    let served = RunningServer::start(&room);
    let overview = served.page("/");
    for city in ["reno", "elko"] {
        let market = room.json(&["market", city, "--days", "90"]);
        let market = &market["markets"][0];
        let path = text(&market["path"]);
        let page = served.page(&format!("/areas/{path}"));
        let median = stoop_show::price(number(&market["median_price"]), Currency::USD);
        assert!(
            page.contains(&format!("<dd class=\"value\">{median}</dd>"))
                || page.contains(&format!("thin\">{median}</dd>")),
            "{median}: {page}"
        );
        assert!(page.contains(&format!("<dd class=\"value\">{}</dd>", market["active"])), "{page}");
        assert!(overview.contains(&format!("{median}</td>")), "{median}: {overview}");
        // Each line of the table behind the first chart is a day of the command line.
        let table = between(&page, "id=\"prices-table\"", "</table>");
        let days = list(&market["days"]);
        assert_eq!(table.matches("<tr>").count(), days.len() + 1, "{table}");
        for day in days {
            let price = stoop_show::price(number(&day["median_price"]), Currency::USD);
            let row = format!("<th scope=\"row\" class=\"l\">{}</th><td>{price}</td>", text(&day["day"]));
            assert!(table.contains(&row), "{row} is not in {table}");
        }
        // The download has the same days and amounts.
        let csv = served.get(&format!("/areas/{path}/days.csv"));
        assert_eq!((csv.status, csv.header("content-type")), (200, "text/csv; charset=utf-8"));
        assert_eq!(csv.body.lines().count(), days.len() + 1, "{}", csv.body);
        let last = days.last().unwrap();
        let line = csv.body.lines().last().unwrap();
        let days_of = format!("{path}:sale:USD,sale,USD,{},{},", text(&last["day"]), last["active"]);
        assert!(line.starts_with(&days_of), "{days_of}: {line}");
    }
    let api = served.json("/api/v1/markets/reno");
    assert_eq!(api["markets"][0]["median_price"], room.json(&["market", "reno"])["markets"][0]["median_price"]);
    let alerts = served.page("/alerts");
    assert!(alerts.contains("$403,000") && alerts.contains("$300,000") && alerts.contains("−25.6 %"), "{alerts}");
    let compared = served.page("/compare?area=reno&area=elko");
    assert!(compared.contains(">Reno</a>") && compared.contains(">Elko</a>"), "{compared}");
    assert!(served.page("/runs").contains("replay"));
    assert!(served.page("/definitions").contains("id=\"median_price\""));
    let home = served.page("/homes/made/1");
    assert!(home.contains("Home 1") && home.contains("https://homes.example/1") && home.contains("$401,000"), "{home}");
}

#[test]
fn the_first_page_has_the_yield_of_the_api() {
    let room = Room::new();
    let fields = "purpose = { from = \"for\" }\nproperty_type = { from = \"type\" }\nbedrooms = { from = \"beds\" }\n\
                  region = { constant = \"NV\" }\n";
    room.write("made.toml", format!("{}{fields}", MAP.replace("purpose = \"sale\"\n", "")));
    let mut rows = "id,seen,price,city,for,type,beds\n".to_owned();
    for home in 0..40 {
        let kind = if home % 4 == 0 { "Townhouse,3" } else { "Condominium,2" };
        rows += &format!("s{home},2026-03-01T08:00:00Z,{},Reno,sale,{kind}\n", 300_000 + 2_500 * home);
        rows += &format!("r{home},2026-03-01T08:00:00Z,{},Reno,rent,{kind}\n", 1_500 + 10 * home);
    }
    room.replay("made.toml", &[room.write("homes.csv", rows)]);
    let served = RunningServer::start(&room);
    let market = served.json("/api/v1/markets/reno?yields=true");
    let all = list(&market["yields"]).iter().find(|kind| kind["label"] == "all").unwrap();
    let shown = stoop_show::percent(number(&all["gross_yield"]));
    let overview = served.page("/");
    assert!(overview.contains(&format!("<td>{shown}</td>")), "{shown}: {overview}");
    assert!(!served.page("/?for=rent").contains(">Yield<"));
}

#[test]
fn what_a_listing_says_is_text() {
    let room = room();
    let served = RunningServer::start(&room);
    let area = room.json(&["market", "reno"]);
    for path in
        ["/".to_owned(), "/alerts".to_owned(), "/homes/made/3".to_owned(), format!("/areas/{}", text(&area["path"]))]
    {
        let page = served.page(&path);
        assert!(page.contains("&lt;script&gt;alert(1)"), "{path}: {page}");
        for live in ["<script>alert", "<img", "onload=\"", "href=\"javascript"] {
            assert!(!page.contains(live), "{live} in {path}: {page}");
        }
    }
    let refused = served.get("/search?q=%3Cscript%3Ealert(5)%3C/script%3E");
    assert_eq!(refused.status, 404);
    assert!(!refused.body.contains("<script>alert"), "{}", refused.body);
}

#[test]
fn an_area_is_found_as_a_person_writes_it() {
    let room = room();
    let served = RunningServer::start(&room);
    let path = text(&room.json(&["market", "reno"])["path"]).to_owned();
    for query in ["reno", "Reno+NV", "RENO%2C+nv"] {
        let found = served.get(&format!("/search?q={query}"));
        assert_eq!((found.status, found.header("location")), (303, &*format!("/areas/{path}")), "{query}");
    }
    assert_eq!(served.get("/search?q=made/3").header("location"), "/homes/made/3");
    assert_eq!(served.get("/search?q=+").header("location"), "/");
    let unknown = served.get("/search?q=renoo");
    assert_eq!(unknown.status, 404);
    assert!(unknown.body.contains("no area") && unknown.body.contains(&format!("/areas/{path}")), "{}", unknown.body);
    let filtered = served.page(&format!("/areas/{path}?max_price=402000&sort=price"));
    assert!(filtered.contains("4 homes on offer"), "{filtered}");
    assert!(served.page(&format!("/areas/{path}?beds=2")).contains("No home here is like that."));
}

#[test]
fn homes_are_on_the_map_where_their_source_says_and_in_the_band_of_their_price() {
    let room = Room::new();
    let more = "region = { constant = \"NV\" }\nlatitude = { from = \"lat\" }\nlongitude = { from = \"lon\" }\n";
    room.write("made.toml", format!("{MAP}{more}"));
    // The last two: without coordinates, and in another state.
    let places = ["39.53,-119.81", "39.55,-119.79", "39.50,-119.80", ",", "30.26,-97.74"];
    let rows = places.iter().enumerate().flat_map(|(home, place)| {
        let price = |day: usize| 210_000 + 40_000 * home - if home == 1 && day == 2 { 15_000 } else { 0 };
        [1, 2].map(|day| format!("{home},2026-03-0{day}T08:00:00Z,{},Reno,{place}\n", price(day)))
    });
    let rows: String = std::iter::once("id,seen,price,city,lat,lon\n".to_owned()).chain(rows).collect();
    room.replay("made.toml", &[room.write("homes.csv", rows)]);
    let served = RunningServer::start(&room);
    let path = text(&room.json(&["market", "reno"])["path"]).to_owned();
    let page = served.page(&format!("/areas/{path}"));
    let map = between(&page, "id=\"map\"", "</section>");
    let links: Vec<&str> = map.split("href=\"").skip(1).filter_map(|link| link.split('"').next()).take(3).collect();
    assert_eq!(links, ["/homes/made/0", "/homes/made/2", "/homes/made/1"], "{map}");
    assert!(map.contains("Map of Reno: 3 homes on offer, 1 cut in the last 28 days"), "{map}");
    assert!(map.contains("made/1, $235,000, −6.0 % on 2026-03-02"), "{map}");
    assert!(map.contains("1 home has no coordinates. 1 home has coordinates outside of this area."), "{map}");
    assert!(map.contains("class=\"land own\""), "{map}");
    // Each link of the distribution leads to as many homes as it says.
    let bands = between(&page, "id=\"asking\"", "</section>");
    assert!(bands.contains("5 homes with a price. The median is $290,"), "{bands}");
    let mut counts = Vec::new();
    for link in bands.split("<a href=\"").skip(1) {
        let (href, rest) = link.split_once("\">").unwrap();
        let count = rest.split('<').next().unwrap();
        let list = served.page(href.split('#').next().unwrap().replace("&amp;", "&").as_str());
        let noun = if count == "1" { "home" } else { "homes" };
        assert!(list.contains(&format!("{count} {noun} on offer")), "{count} at {href}: {list}");
        counts.push(count.parse::<usize>().unwrap());
    }
    assert!(counts.len() > 3 && counts.is_sorted() && counts.last() == Some(&5), "{counts:?}");
}

#[test]
fn a_page_of_the_past_shows_the_figures_of_then_and_no_homes_of_now() {
    let room = room();
    let served = RunningServer::start(&room);
    let path = text(&room.json(&["market", "reno"])["path"]).to_owned();
    // One home asks $300,000 since March 10.
    let then = served.page(&format!("/areas/{path}?as_of=2026-03-05T20:00:00Z"));
    assert!(then.contains("As of <time datetime=\"2026-03-05T20:00:00Z\">"), "{then}");
    assert!(then.contains("Homes are listed as they are now only") && !then.contains("$300,000"), "{then}");
    assert!(then.contains("0 homes, – less"), "{then}");
    let now = served.page(&format!("/areas/{path}"));
    assert!(now.contains("$300,000") && now.contains("1 home, "), "{now}");
    let overview = served.page("/?as_of=2026-03-05T20:00:00Z");
    assert!(overview.contains("No alert yet"), "{overview}");
}

#[test]
fn what_cannot_be_shown_says_what_is_accepted() {
    let room = room();
    let served = RunningServer::start(&room);
    for (path, status, words) in [
        ("/areas/us/nv/washoe/reno?days=1", 400, "a whole number from 2 to 400"),
        ("/areas/us/zz", 404, "no area"),
        ("/homes/made/none", 404, "No home has the ID"),
        ("/?for=swap", 400, "Accepted: sale, rent"),
        ("/?as_of=tomorrow", 400, "2026-01-13T18:30:00Z"),
        ("/nothing", 404, "no such page"),
        ("/%ff", 400, "not UTF-8"),
        ("/compare?area=a&area=b&area=c&area=d&area=e", 400, "Accepted: up to 4"),
        ("/alerts?drop=much", 400, "a number, 0 or more"),
        ("/api/v1/none", 404, "no_such_route"),
    ] {
        let answer = served.get(path);
        assert_eq!(answer.status, status, "{path}: {}", answer.body);
        assert!(answer.body.contains(words), "{words:?} is not in {path}: {}", answer.body);
    }
    assert_eq!(served.get(&format!("/?q={}", "x".repeat(5_000))).status, 414);
    let posted = format!("POST / HTTP/1.1\r\nHost: {}\r\nConnection: close\r\nContent-Length: 0\r\n\r\n", served.host);
    let posted = served.send(&posted);
    assert_eq!((posted.status, posted.header("allow")), (405, "GET, HEAD"));
}

#[test]
fn a_page_of_another_host_cannot_read() {
    let room = room();
    let served = RunningServer::start(&room);
    for (path, host) in [("/", "homes.example"), ("/events", "homes.example:80"), ("/api/v1/markets", "127.0.0.1")] {
        let answer = served.send(&format!("GET {path} HTTP/1.1\r\nHost: {host}\r\nConnection: close\r\n\r\n"));
        assert_eq!(answer.status, 421, "{path}");
        assert!(answer.body.contains("accepted") && !answer.body.contains("reno"), "{}", answer.body);
    }
    let port = served.host.split(':').nth(1).unwrap();
    let local = format!("GET / HTTP/1.1\r\nHost: localhost:{port}\r\nConnection: close\r\n\r\n");
    let answer = served.send(&local);
    assert_eq!(answer.status, 200);
    assert!(answer.header("content-security-policy").contains("default-src 'none'"));
    assert!(!answer.header("content-security-policy").contains("unsafe"));
    assert_eq!(answer.header("x-content-type-options"), "nosniff");
    assert_eq!(answer.header("access-control-allow-origin"), "");
}

#[test]
fn equal_states_give_equal_bytes_which_browsers_keep() {
    let room = room();
    let (one, other) = (RunningServer::start(&room), RunningServer::start(&room));
    let path = format!("/areas/{}", text(&room.json(&["market", "reno"])["path"]));
    for path in ["/", &*path, "/homes/made/3", "/alerts", "/definitions"] {
        let first = one.get(path);
        assert_eq!(first.body, other.get(path).body, "{path}");
        let tag = first.header("etag").to_owned();
        let again = one.get_with(path, &format!("If-None-Match: {tag}\r\n"));
        assert_eq!((again.status, again.body.len()), (304, 0), "{path}");
        let packed = one.get_with(path, "Accept-Encoding: gzip\r\n");
        assert_eq!((packed.header("content-encoding"), &packed.body), ("gzip", &first.body), "{path}");
        assert_eq!(one.get_with(path, "Accept-Encoding: br\r\n").header("content-encoding"), "br", "{path}");
    }
    let page = one.page("/");
    for asset in ["css", "js", "svg"] {
        let href = page.split('"').find(|part| part.starts_with("/static/") && part.ends_with(asset)).unwrap();
        let asset = one.get(href);
        assert_eq!(asset.status, 200, "{href}");
        assert!(asset.header("cache-control").contains("immutable"), "{href}");
    }
}

#[test]
fn a_database_that_is_missing_or_empty_is_said() {
    let room = Room::new();
    room.stoop(&["serve", "--port", "0"]).refused(&["there is no database", "stoop demo"]);
    room.write("made.toml", MAP);
    room.replay("made.toml", &[room.write("homes.csv", "id,seen,price,city\n")]);
    let served = RunningServer::start(&room);
    assert!(served.page("/").contains("Nothing is watched yet"));
    assert!(served.page("/alerts").contains("Nothing is watched yet"));
    assert!(served.page("/definitions").contains("Median price"));
    let taken = served.host.split(':').nth(1).unwrap().to_owned();
    room.stoop(&["serve", "--port", &taken]).refused(&[&format!("port {taken} of 127.0.0.1")]);
}

/// The text between two others, the first of each.
#[test]
fn with_tokens_only_who_has_one_is_answered() {
    let room = room();
    let elsewhere = room.stoop(&["serve", "--port", "0", "--bind", "192.0.2.1"]);
    elsewhere.refused(&["other computers can reach 192.0.2.1, and there is no token"]);
    room.stoop(&["serve", "--port", "0", "--require-token"]).refused(&["`stoop token new NAME` makes one"]);
    let token = |name: &str| room.stoop(&["token", "new", name]).ok().stdout.trim().to_owned();
    let (ann, bob) = (token("ann"), token("bob"));
    let kept = room.read("stoop-data/tokens.json");
    assert!(!kept.contains(&ann) && !kept.contains(&bob), "only hashes are kept");
    let listed = room.json(&["token", "list"]);
    assert_eq!(list(&listed).iter().map(|token| text(&token["name"])).collect::<Vec<_>>(), ["ann", "bob"]);
    room.stoop(&["token", "new", "ann"]).refused(&["there is a token ann"]);
    room.stoop(&["token", "new", "Ann B"]).refused(&["\"Ann B\" cannot name a token", "a-z"]);
    room.stoop(&["token", "revoke", "eve"]).refused(&["there is no token \"eve\"; accepted: ann, bob"]);

    let served = RunningServer::start_with(&room, &["--require-token"]);
    let status = |path: &str, headers: &str| served.get_with(path, headers).status;
    assert_eq!(served.get("/").header("location"), "/login?to=%2F");
    assert_eq!((status("/api/v1/markets", ""), status("/events", ""), status("/health", "")), (401, 401, 200));
    let bearer = |token: &str| format!("Authorization: Bearer {token}\r\n");
    assert_eq!((status("/", &bearer(&ann)), status("/api/v1/markets", &bearer(&bob))), (200, 200));
    assert_eq!(status("/", ""), 303, "a remembered page is not for everyone");
    assert_eq!(status("/api/v1/markets", &bearer("0123456789abcdef")), 401);
    let proxied = served.send("GET /health HTTP/1.1\r\nHost: stoop.example\r\nConnection: close\r\n\r\n");
    assert_eq!(proxied.status, 200, "a proxy may have any name");

    let post = |path: &str, headers: &str, form: &str| {
        let head = format!("POST {path} HTTP/1.1\r\nHost: {}\r\nConnection: close\r\n{headers}", served.host);
        served.send(&format!("{head}Content-Length: {}\r\n\r\n{form}", form.len()))
    };
    let origin = format!("Origin: http://{}\r\n", served.host);
    let form = format!("token={ann}&to=%2Falerts");
    assert_eq!(post("/login", "Origin: http://evil.example\r\n", &form).status, 403);
    assert_eq!(post("/login", &origin, &"x".repeat(10_000)).status, 413);
    let answer = post("/login", &origin, &form);
    assert_eq!((answer.status, answer.header("location")), (303, "/alerts"));
    let cookie = answer.header("set-cookie").to_owned();
    assert!(cookie.ends_with("; Path=/; Max-Age=604800; HttpOnly; SameSite=Strict"), "{cookie}");
    let session = format!("Cookie: {}\r\n", cookie.split(';').next().unwrap());
    assert_eq!((status("/alerts", &session), status("/api/v1/alerts", &session)), (200, 200));
    assert!(served.get_with("/login", &session).body.contains("Log out"));
    room.stoop(&["token", "revoke", "ann"]).ok();
    assert_eq!((status("/alerts", &session), status("/", &bearer(&ann))), (303, 303), "at once");
    assert_eq!(status("/alerts", &bearer(&bob)), 200);
    room.write("stoop-data/tokens.json", "{");
    assert_eq!(status("/alerts", &bearer(&bob)), 303, "tokens that cannot be read let nobody in");
    let proxied = post("/login", &format!("{origin}X-Forwarded-Proto: https\r\n"), "token=x");
    assert_eq!(proxied.status, 401);
}

fn between<'t>(whole: &'t str, from: &str, to: &str) -> &'t str {
    let begin = whole.find(from).unwrap_or_else(|| panic!("{from} is not in {whole}"));
    let length = whole[begin..].find(to).unwrap_or_else(|| panic!("{to} is not after {from}"));
    &whole[begin..begin + length]
}
