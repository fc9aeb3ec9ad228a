//! Lists as CSV, areas as a person writes them, and the quarantine.

use stoop_domain::{Reason, Reject};
use stoop_pipeline::ports::Quarantine;
use stoop_serve::api::{ApiRequest, ApiResponse, Grant};

use crate::api_documents::unreported;
use crate::small_town::{Town, block_on, header, json, now};

fn get(town: &Town, target: &str, accept: Option<&str>) -> ApiResponse {
    let (path, query) = target.split_once('?').unwrap_or((target, ""));
    let request = ApiRequest { method: "GET", path, query, accept, ..ApiRequest::default() };
    block_on(town.api().answer(request, Grant::Read, now(), now()))
}

/// The rows of a CSV, with the header first.
fn rows(response: &ApiResponse) -> Vec<Vec<String>> {
    assert_eq!(header(response, "content-type"), Some("text/csv; charset=utf-8"));
    let mut reader = csv::ReaderBuilder::new().has_headers(false).from_reader(&response.body[..]);
    reader.records().map(|row| row.unwrap().iter().map(str::to_owned).collect()).collect()
}

#[test]
fn every_list_has_the_same_values_as_csv() {
    let town = Town::new();
    let lists = [
        ("/api/v1/areas?area=king", "areas", "path"),
        ("/api/v1/markets", "markets", "id"),
        ("/api/v1/markets?area=king", "markets", "id"),
        ("/api/v1/markets?level=region&change=7", "markets", "id"),
        ("/api/v1/homes?area=king", "homes", "id"),
        ("/api/v1/homes/kc/1001", "intervals", "first_seen"),
        ("/api/v1/alerts?suspects=true", "alerts", "id"),
        ("/api/v1/runs", "runs", "id"),
        ("/api/v1/searches", "searches", "search"),
        ("/api/v1/catalogue", "figures", "name"),
    ];
    for (target, member, key) in lists {
        let plain = json(&get(&town, target, None));
        let values: Vec<&str> =
            plain[member].as_array().unwrap().iter().map(|row| row[key].as_str().unwrap()).collect();
        let answer = get(&town, target, Some("text/csv"));
        assert_eq!(header(&answer, "vary"), Some("accept"), "{target}");
        let rows = rows(&answer);
        let column = rows[0].iter().position(|name| name == key).unwrap_or_else(|| panic!("{target}: {:?}", rows[0]));
        let shown: Vec<&str> = rows[1..].iter().map(|row| row[column].as_str()).collect();
        assert_eq!(shown, values, "{target}");
    }
}

#[test]
fn an_area_as_csv_is_its_days_and_a_comparison_its_figures() {
    let town = Town::new();
    let days = rows(&get(&town, "/api/v1/markets/98178?days=2", Some("text/csv")));
    let plain = json(&get(&town, "/api/v1/markets/98178?days=2", None));
    let column = |name: &str| days[0].iter().position(|known| known == name).unwrap();
    assert_eq!(days.len(), 3);
    for (row, day) in days[1..].iter().zip(plain["markets"][0]["days"].as_array().unwrap()) {
        assert_eq!(row[column("day")], day["day"].as_str().unwrap());
        assert_eq!(row[column("market")], "us/wa/king/seattle/98178:sale:USD");
        assert_eq!(row[column("median_price")].parse::<f64>().ok(), day["median_price"].as_f64());
        assert_eq!(row[column("active")], day["active"].to_string());
    }
    let target = "/api/v1/compare?area=98178&area=98103&figures=median_price,cut_share";
    let compared = rows(&get(&town, target, Some("text/csv")));
    assert_eq!(compared[0], ["area", "figure", "window", "part", "value", "sample", "thin"]);
    assert_eq!(compared[1], ["us/wa/king/seattle/98178:sale:USD", "median_price", "", "", "497347.13", "2", "true"]);
    assert_eq!(compared.len(), 5);
}

#[test]
fn a_page_names_the_next_one_in_a_header() {
    let town = Town::new();
    for accept in [None, Some("text/csv")] {
        let first = get(&town, "/api/v1/homes?area=king&sort=price&limit=1", accept);
        let link = header(&first, "link").unwrap();
        let target = link.strip_prefix('<').and_then(|link| link.strip_suffix(">; rel=\"next\"")).unwrap();
        let next = get(&town, target, None);
        assert_eq!(next.status, 200, "{target}");
        assert_ne!(
            json(&next)["homes"],
            json(&get(&town, "/api/v1/homes?area=king&sort=price&limit=1", None))["homes"]
        );
    }
    let all = get(&town, "/api/v1/homes?area=king", None);
    assert_eq!(header(&all, "link"), None, "there is no more");
}

#[test]
fn a_problem_and_health_are_json_whatever_is_preferred() {
    let town = Town::new();
    let problem = get(&town, "/api/v1/markets/98179", Some("text/csv"));
    assert_eq!((problem.status, header(&problem, "content-type")), (404, Some("application/problem+json")));
    assert_eq!(header(&get(&town, "/health", Some("text/csv")), "content-type"), Some("application/json"));
}

#[test]
fn a_text_is_one_area_or_several_or_similar_to_others() {
    let town = Town::new();
    let areas = |text: &str| {
        let answer = json(&get(&town, &format!("/api/v1/areas?area={text}"), None));
        assert_eq!(unreported("/api/v1/areas", &answer), None);
        answer
    };
    let king = areas("king+county");
    assert_eq!((&king["found"], &king["areas"][0]["path"]), (&true.into(), &"us/wa/king".into()));
    assert_eq!(king["areas"][0]["name"], "King County, Washington, United States");
    let elsewhere = areas("98104");
    assert_eq!((&elsewhere["found"], &elsewhere["areas"][0]["path"]), (&false.into(), &"us/wa/king/seattle".into()));
    let similar = areas("98179");
    assert_eq!((similar["areas"].as_array().unwrap().len(), &similar["similar"][0]), (0, &"98178".into()));
    assert_eq!(get(&town, "/api/v1/areas", None).status, 400);
}

#[test]
fn the_quarantine_has_counts_and_the_newest_rejects() {
    let town = Town::new();
    let reject = |location: &str| Reject {
        source: "kc".into(),
        at: now(),
        location: location.into(),
        reason: Reason::Unreadable,
        detail: "no number".into(),
        raw: "=1+1".into(),
        rows: 1,
        values: 0,
    };
    block_on(Quarantine::put(&*town.database, &[reject("a.csv:1"), reject("a.csv:2")])).unwrap();
    let answer = json(&get(&town, "/api/v1/quarantine?limit=1", None));
    assert_eq!(unreported("/api/v1/quarantine", &answer), None);
    assert_eq!((&answer["counts"][0]["rows"], answer["rejects"].as_array().unwrap().len()), (&2.into(), 1));
    let csv = rows(&get(&town, "/api/v1/quarantine", Some("text/csv")));
    assert_eq!(csv[1][5], "'=1+1", "a spreadsheet does not evaluate it");
}
