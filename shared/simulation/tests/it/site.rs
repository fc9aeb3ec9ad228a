//! Access, limits and faults of a site, with equal results on loopback.

use std::io::{Read, Write};
use std::sync::{Arc, Mutex};

use stoop_domain::Time;
use stoop_simulation::{
    Access, Answered, Chaos, Dialect, Fault, JsonSite, Limits, Outage, Pages, Portal, PortalRequest, Quota,
    QuotaHeaders, Reaction, Simulation, SimulationConfig, Site, SiteConfig, Suspension,
};

const HOST: &str = "https://site.test";
const HOMES: &str = "/homes";
const HOUR_MS: i64 = Time::HOUR_MS;

fn start() -> Time {
    Time::parse("2026-01-05T00:00:00Z").unwrap()
}

fn at(ms: i64) -> Time {
    start().plus_ms(ms)
}

fn market() -> Arc<Mutex<Simulation>> {
    let config = SimulationConfig { morocco: true, ..SimulationConfig::new(5, start(), 300, 18).lively() };
    Arc::new(Mutex::new(Simulation::new(config)))
}

/// A generic JSON site with changes.
fn site(change: impl FnOnce(&mut SiteConfig)) -> Site {
    let mut config = SiteConfig::new(Dialect::Json(JsonSite::new(Pages::Offset)));
    change(&mut config);
    Site::new(market(), config)
}

fn get(site: &Site, path: &str, headers: &[(&str, &str)], now: Time) -> Reaction {
    let headers: Vec<(String, String)> =
        headers.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect();
    let url = format!("{HOST}{path}");
    site.answer(&PortalRequest::get(&url, &headers).unwrap(), now)
}

fn status(site: &Site, headers: &[(&str, &str)], now: Time) -> u16 {
    get(site, HOMES, headers, now).answer.map_or(0, |answer| answer.status)
}

#[test]
fn a_key_is_required() {
    let open = site(|_| {});
    assert_eq!(status(&open, &[], start()), 200);
    let keyed = site(|config| config.access = Access::Key { header: "x-api-key".into(), value: "k".into() });
    assert_eq!(status(&keyed, &[], start()), 401);
    assert_eq!(status(&keyed, &[("x-api-key", "other")], start()), 401);
    assert_eq!(status(&keyed, &[("x-api-key", "k")], start()), 200);
    let token = site(|config| config.access = Access::Token("t".into()));
    assert_eq!(status(&token, &[("authorization", "t")], start()), 401);
    assert_eq!(status(&token, &[("authorization", "Bearer t")], start()), 200);
    assert_eq!((keyed.served().unauthorized, token.served().unauthorized), (2, 1));
    assert!(!format!("{:?}", token.config()).contains("\"t\""), "a token is never shown");
}

#[test]
fn a_token_with_too_many_requests_is_suspended() {
    let site = site(|config| {
        config.limits = Limits {
            quotas: vec![Quota::requests(2, 1_000), Quota::requests(100, HOUR_MS).sliding()],
            retry_after: false,
            suspension: Some(Suspension { after_refusals: 3, for_ms: HOUR_MS }),
            ..Limits::default()
        };
    });
    let statuses: Vec<u16> = (0..6).map(|i| status(&site, &[], at(i * 10))).collect();
    assert_eq!(statuses, [200, 200, 429, 429, 429, 429]);
    assert_eq!((site.served().over_quota, site.served().suspended), (3, 1));
    assert_eq!(get(&site, HOMES, &[], at(HOUR_MS / 2)).answer.unwrap().header("retry-after"), None);
    assert_eq!(status(&site, &[], at(HOUR_MS + 40)), 200);
}

#[test]
fn answers_have_quota_headers_and_refusals_retry_after() {
    let site = site(|config| {
        config.limits = Limits { headers: QuotaHeaders::RapidApi, ..Limits::requests(3, &[(1, HOUR_MS)]) };
    });
    let first = get(&site, HOMES, &[], start()).answer.unwrap();
    assert_eq!((first.status, first.header("x-ratelimit-requests-remaining")), (200, Some("0")));
    let reset: i64 = first.header("x-ratelimit-requests-reset").unwrap().parse().unwrap();
    let second = get(&site, HOMES, &[], start()).answer.unwrap();
    assert_eq!((second.status, second.header("retry-after")), (429, Some(&*reset.to_string())));
    assert_eq!(status(&site, &[], at(reset * 1_000)), 200);
    assert!(reset < 3_600, "its hour differs from the clock hour");
}

#[test]
fn bytes_are_limited() {
    let bytes = get(&site(|_| {}), HOMES, &[], start()).answer.unwrap().body.len() as u64;
    let site = site(|config| config.limits.quotas.push(Quota::bytes(2 * bytes - 1, HOUR_MS)));
    let statuses: Vec<u16> = (0..3).map(|_| status(&site, &[], start())).collect();
    assert_eq!(statuses, [200, 200, 429]);
}

#[test]
fn robots_txt_is_optional_and_free_of_quota() {
    let one_request = |config: &mut SiteConfig| config.limits.quotas.push(Quota::requests(1, HOUR_MS));
    let without = site(one_request);
    assert_eq!(get(&without, "/robots.txt", &[], start()).answer.unwrap().status, 404);
    let rules = "User-agent: *\nDisallow: /";
    let with = site(|config| {
        one_request(config);
        config.robots = Some(rules.into());
    });
    let answer = get(&with, "/robots.txt", &[], start()).answer.unwrap();
    assert_eq!((answer.status, &*answer.body), (200, rules.as_bytes()));
    assert_eq!(status(&with, &[], start()), 200);
}

#[test]
fn an_outage_lasts_for_hours_and_ends() {
    for (fault, dead) in [(Fault::Drop, None), (Fault::ServerError, Some(500)), (Fault::Hang { ms: 60_000 }, Some(200))]
    {
        let outage = Outage { from: at(HOUR_MS), until: at(4 * HOUR_MS), fault };
        let site = site(|config| config.chaos.outages.push(outage));
        let result = |ms: i64| {
            let reaction = get(&site, HOMES, &[], at(ms));
            (reaction.answer.map(|answer| answer.status), reaction.after_ms, reaction.fault)
        };
        assert_eq!(result(0), (Some(200), 0, None));
        let waits = if let Fault::Hang { ms } = fault { ms } else { 0 };
        assert_eq!(result(HOUR_MS), (dead, waits, Some(fault)));
        assert_eq!(result(4 * HOUR_MS - 1), (dead, waits, Some(fault)));
        assert_eq!(result(4 * HOUR_MS), (Some(200), 0, None));
    }
}

#[test]
fn random_faults_depend_on_the_seed_and_end() {
    let faults = |seed: u64| -> Vec<Option<Fault>> {
        let faults = vec![Fault::Drop, Fault::Html, Fault::WrongTotal];
        let until = Some(at(500));
        let site = site(|config| config.chaos = Chaos { seed, permille: 100, faults, until, ..Chaos::default() });
        (0..1_000).map(|ms| get(&site, HOMES, &[], at(ms)).fault).collect()
    };
    assert_eq!(faults(1), faults(1));
    assert_ne!(faults(1), faults(2));
    let (during, after) = (faults(1), faults(1).split_off(500));
    let met = during.iter().flatten().count();
    assert!((25..=80).contains(&met), "{met} of 500");
    assert!(after.iter().all(Option::is_none));
}

#[test]
fn a_truncated_body_shows_nothing() {
    let site = site(|_| {});
    let whole = get(&site, HOMES, &[], start());
    site.faults().plan(Fault::TruncatedJson, 1);
    let broken = get(&site, HOMES, &[], start());
    let (whole, broken_off) = (whole.answer.unwrap().body, broken.answer.unwrap().body);
    assert!(whole.starts_with(&broken_off) && broken_off.len() < whole.len() && broken.shown.is_empty());
}

#[test]
fn a_portal_answers_like_its_site() {
    let realtor = br#"{"city": "Chicago", "state_code": "IL", "limit": 5, "offset": 5, "status": ["for_sale"]}"#;
    for (dialect, path, body) in [
        (Dialect::reso(), "/odata/Property?$top=5&$count=true", None),
        (Dialect::zillow(), "/propertyExtendedSearch?location=Chicago%2C%20IL&page=1", None),
        (Dialect::Realtor, "/properties/v3/list", Some(&realtor[..])),
        (Dialect::RentCast, "/listings/sale?city=Chicago&state=IL&limit=5&includeTotalCount=true", None),
        (Dialect::Avito { data: true }, "/fr/maroc/appartements-%C3%A0_vendre?o=2", None),
        (Dialect::Mubawab, "/fr/sc/appartements-a-vendre:p:2", None),
        (Dialect::Json(JsonSite::new(Pages::LinkHeader)), "/homes?limit=5", None),
    ] {
        let site = || Site::new(market(), SiteConfig::new(dialect.clone()));
        let portal = Portal::serve(Arc::new(site()), start).unwrap();
        let (status, headers, text) = over_loopback(portal.url(), path, body);
        let url = format!("{}{path}", portal.url());
        let asked = match body {
            Some(body) => PortalRequest::post(&url, &[], body),
            None => PortalRequest::get(&url, &[]),
        };
        let reaction = site().answer(&asked.unwrap(), start());
        assert!(reaction.shown.len() >= 5, "{dialect:?} shows {}", reaction.shown.len());
        let Answered { status: wanted, headers: expected_headers, body } = reaction.answer.unwrap();
        assert_eq!((status, text.as_bytes()), (wanted, &*body), "{dialect:?}");
        for (name, value) in expected_headers {
            assert!(headers.contains(&format!("{name}: {value}")), "{dialect:?}: {name} {value} in {headers:?}");
        }
    }
}

/// Status, headers and body of an answer over its own connection.
fn over_loopback(base: &str, path: &str, body: Option<&[u8]>) -> (u16, Vec<String>, String) {
    let host = base.strip_prefix("http://").unwrap();
    let mut stream = stoop_waits::connected(host).unwrap();
    let (method, length) = body.map_or(("GET", 0), |body| ("POST", body.len()));
    let head =
        format!("{method} {path} HTTP/1.1\r\nHost: {host}\r\nConnection: close\r\nContent-Length: {length}\r\n\r\n");
    stream.write_all(&[head.as_bytes(), body.unwrap_or_default()].concat()).unwrap();
    let mut text = String::new();
    stream.read_to_string(&mut text).unwrap();
    let (head, body) = text.split_once("\r\n\r\n").unwrap();
    let mut lines = head.lines().map(str::to_owned);
    let status = lines.next().unwrap().split(' ').nth(1).unwrap().parse().unwrap();
    (status, lines.collect(), body.to_owned())
}
