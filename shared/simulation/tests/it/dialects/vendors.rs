//! The vendors of RESO: each is read in its own way.

use super::*;

type Pairs = Vec<(&'static str, &'static str)>;

/// The site of each vendor, and the parameters of a search of it.
fn vendors() -> Vec<(Vendor, &'static str, Pairs)> {
    let system = ("filter", "OriginatingSystemName eq 'simulated'");
    vec![
        (Vendor::Plain, "plain", vec![]),
        (Vendor::Trestle, "trestle", vec![]),
        (Vendor::Trestle, "trestle", vec![("replication", "true")]),
        (Vendor::MlsGrid, "mlsgrid", vec![system]),
        (Vendor::Bridge, "bridge", vec![]),
        (Vendor::Bridge, "bridge", vec![("replication", "true")]),
        (Vendor::Spark, "spark", vec![]),
    ]
}

fn reso(dialect: &str, more: &[(&str, &str)]) -> Box<dyn Source> {
    let plain = [("url", "https://site.test/odata"), ("dialect", dialect), ("top", "40")];
    let token: &[_] = if dialect == "plain" { &[] } else { &[("token", "t")] };
    source("reso", &[&plain[..], token, more].concat())
}

#[test]
fn every_vendor_of_reso_is_read_in_full_and_then_by_what_changed() {
    for (vendor, dialect, more) in vendors() {
        let site = site(Dialect::Reso(ResoSite::new(vendor)), 300);
        let source = reso(dialect, &more);
        let all = wanted(&site, |_, _| true);
        let full = scan(&site, &*source, None);
        assert_found(&full, &all);
        assert_eq!(full.total, Some(all.len() as u64), "{dialect} {more:?}");
        assert!(all.iter().all(|(id, (_, offer))| full.found[id].status == offer.status));

        // The next scan must find exactly the events of the next two days.
        let since = full.watermark.unwrap();
        let before = start();
        site.simulation().lock().unwrap().advance(before.plus_ms(2 * Time::DAY_MS));
        let changed = wanted(&site, |_, offer| offer.modified_at > before);
        assert!(changed.len() > 20);
        let incremental = scan(&site, &*source, Some(&since));
        assert!(incremental.found.len() < all.len() / 2, "{dialect} {more:?}: {}", incremental.found.len());
        for (id, (_, offer)) in &changed {
            let listing = incremental.found.get(id).unwrap_or_else(|| panic!("{dialect} {more:?} misses {id}"));
            assert_eq!((listing.status, listing.list_price), (offer.status, Some(offer.list_price)));
        }
    }
}

#[test]
fn mls_grid_reports_withdrawn_listings_and_others_omit_them() {
    let six_hours = Some(6 * Time::HOUR_MS);
    let is_off = |offer: &Offer| matches!(offer.status.phase(), Phase::Closed | Phase::Off);
    let long_ago = |offer: &Offer| start().ms() - offer.status_changed_at.ms() >= 6 * Time::HOUR_MS;
    for (vendor, dialect, more) in vendors() {
        let reso_site = ResoSite { withdraws_after_ms: six_hours, ..ResoSite::new(vendor) };
        let site = site(Dialect::Reso(reso_site), 300);
        let viewable = wanted(&site, |_, offer| !(is_off(offer) && long_ago(offer)));
        let full = scan(&site, &*reso(dialect, &more), None);
        assert_eq!(full.found.keys().collect::<Vec<_>>(), viewable.keys().collect::<Vec<_>>(), "{dialect} {more:?}");
        let recent = scan(&site, &*reso(dialect, &more), Some("2026-01-03T00:00:00.000Z"));
        let deleted = recent.found.values().filter(|listing| listing.status == Status::Delete).count();
        assert_eq!(deleted > 3, vendor == Vendor::MlsGrid, "{dialect} {more:?}: {deleted}");
    }
}

#[test]
fn mls_grid_requires_a_system_and_refuses_an_order() {
    let site = site(Dialect::Reso(ResoSite::new(Vendor::MlsGrid)), 50);
    let status = |query: &str| {
        let url = format!("{HOST}/odata/Property?{query}");
        site.answer(&PortalRequest::get(&url, &[]).unwrap(), start()).answer.unwrap().status
    };
    assert_eq!(status("$filter=OriginatingSystemName%20eq%20'simulated'"), 200);
    assert_eq!(status("$filter=City%20eq%20'Chicago'"), 400);
    assert_eq!(status("$filter=OriginatingSystemName%20eq%20'simulated'&$orderby=ModificationTimestamp"), 400);
}

#[test]
fn a_replication_expires_after_five_minutes() {
    let site = site(Dialect::Reso(ResoSite::new(Vendor::Trestle)), 100);
    let rest = site.simulation().lock().unwrap().homes().count() - 2 * 30;
    assert!((1..30).contains(&rest), "{rest}");
    let url = format!("{HOST}/odata/Property?$top=30&replication=true&$count=true");
    let get = |url: &str, minutes: i64| {
        let answer =
            site.answer(&PortalRequest::get(url, &[]).unwrap(), start().plus_ms(minutes * 60_000)).answer.unwrap();
        let body: serde_json::Value = serde_json::from_slice(&answer.body).unwrap();
        (answer.status, body["value"].as_array().map(Vec::len), body["@odata.nextLink"].as_str().map(str::to_owned))
    };
    let (_, rows, link) = get(&url, 0);
    let link = link.unwrap();
    assert_eq!(rows, Some(30));
    assert_eq!(get(&link, 4), (200, Some(30), Some(link.clone())), "one URL gives page after page");
    assert_eq!(get(&link, 8).1, Some(rest));
    assert_eq!(get(&link, 13).0, 400);
}

#[test]
fn a_client_is_granted_tokens_that_expire() {
    let client = Client {
        token_path: "/oidc/connect/token".into(),
        id: "stoop".into(),
        secret: "s3cret".into(),
        scope: Some("api".into()),
        expires_in_s: 3_600,
    };
    let dialect = Dialect::Reso(ResoSite::new(Vendor::Trestle));
    let site = Site::new(market(50, false), SiteConfig { access: Access::Client(client), ..SiteConfig::new(dialect) });
    let source = source(
        "reso",
        &[
            ("url", "https://site.test/odata"),
            ("dialect", "trestle"),
            ("client_id", "stoop"),
            ("client_secret", "s3cret"),
        ],
    );
    let grant = source.grant().unwrap();
    let request = source.request(&source.begin(None));
    let status = |bearer: Option<&str>, at: Time| send(&site, &request, bearer, at).unwrap().status;
    assert_eq!(status(None, start()), 401);
    let granted = send(&site, &grant, None, start()).unwrap();
    let granted = Grant::read(&granted.body).unwrap();
    assert_eq!(granted.expires_in_s, Some(3_600));
    assert_eq!(status(Some(&granted.token), start()), 200);
    assert_eq!(status(Some(&granted.token), start().plus_ms(3_599_999)), 200);
    assert_eq!(status(Some(&granted.token), start().plus_ms(3_600_000)), 401);
    let wrong =
        Request { body: Some(b"grant_type=client_credentials&client_id=stoop&client_secret=x".to_vec()), ..grant };
    assert_eq!(send(&site, &wrong, None, start()).unwrap().status, 401);
    assert_eq!((site.served().tokens, site.served().unauthorized), (1, 2));
}
