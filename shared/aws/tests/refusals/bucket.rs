use std::sync::{Arc, Mutex};

use axum::http::Method;
use stoop_aws::{S3Configuration, S3Index, S3Pages, S3Quarantine};
use stoop_domain::{Reason, Reject, Time};
use stoop_pipeline::ports::{Configuration, IndexChanges, IndexManifest, Pages, Quarantine, SearchIndex, SearchState};
use stoop_pipeline::with_causes;

use crate::service::{Answer, ReceivedRequest, Service};

const KEY: &str = "/bucket/index/avito/agadir.json.zst";

fn stored(etag: &str) -> Answer {
    Answer::new(200, "").with("etag", etag)
}

fn index(service: &Service) -> S3Index {
    S3Index::new(service.clients.s3(), "bucket")
}

fn state(version: u64) -> SearchState {
    SearchState { version, source: "avito".into(), ..SearchState::default() }
}

/// The stored manifest of an empty index.
fn manifest(version: u64) -> Vec<u8> {
    let save =
        IndexManifest::default().next(&state(version - 1), &IndexChanges::none(), "other".into(), &(0..=0)).unwrap();
    save.manifest.encode().unwrap()
}

#[tokio::test]
async fn a_save_is_conditional_on_what_was_loaded_or_saved() {
    let service = Service::start(|index, asked| match (index, &asked.method) {
        (0 | 1, &Method::PUT) => stored(&format!("\"e{index}\"")),
        (2, &Method::PUT) => Answer::s3_error(412, "PreconditionFailed"),
        (3, &Method::HEAD) => stored("\"other\""),
        (_, &Method::GET) => stored("\"other\"").body(manifest(3)),
        _ => panic!("{index}: {asked:?}"),
    })
    .await;
    let index = index(&service);
    assert!(index.save("agadir", &state(0), &IndexChanges::none()).await.unwrap());
    assert!(index.save("agadir", &state(1), &IndexChanges::none()).await.unwrap());
    assert!(!index.save("agadir", &state(2), &IndexChanges::none()).await.unwrap(), "another writer was faster");
    assert!(!index.save("agadir", &state(1), &IndexChanges::none()).await.unwrap(), "outdated, as its manifest shows");
    let asked = service.asked();
    assert!(asked.iter().all(|asked| asked.path.starts_with(KEY)), "{asked:?}");
    let condition = |asked: &ReceivedRequest| {
        (asked.header("if-none-match").map(str::to_owned), asked.header("if-match").map(str::to_owned))
    };
    assert_eq!(condition(&asked[0]), (Some("*".into()), None));
    assert_eq!(condition(&asked[1]), (None, Some("\"e0\"".into())));
    assert_eq!(condition(&asked[2]), (None, Some("\"e1\"".into())));
    let methods: Vec<Method> = asked.iter().map(|asked| asked.method.clone()).collect();
    assert_eq!(methods, [Method::PUT, Method::PUT, Method::PUT, Method::HEAD, Method::GET]);
}

#[tokio::test]
async fn a_save_whose_response_was_lost_is_recognised() {
    for (status, code) in [(412, "PreconditionFailed"), (409, "ConditionalRequestConflict")] {
        let writer = Arc::new(Mutex::new(String::new()));
        let service = Service::start(move |index, asked| match index {
            // Stored, then the connection breaks; the SDK sends it again.
            0 => {
                *writer.lock().unwrap() = asked.header("x-amz-meta-stoop-writer").unwrap().to_owned();
                Answer::s3_error(500, "InternalError")
            }
            1 => Answer::s3_error(status, code),
            2 => stored("\"ours\"").with("x-amz-meta-stoop-writer", writer.lock().unwrap().clone()),
            _ => stored("\"next\""),
        })
        .await;
        let index = index(&service);
        assert!(index.save("agadir", &state(0), &IndexChanges::none()).await.unwrap(), "{status}");
        assert!(index.save("agadir", &state(1), &IndexChanges::none()).await.unwrap());
        let asked = service.asked();
        assert_eq!(asked[3].header("if-match"), Some("\"ours\""), "and the next save builds on it");
        let writers = [0, 3].map(|index| asked[index].header("x-amz-meta-stoop-writer").unwrap().to_owned());
        assert_ne!(writers[0], writers[1], "each write has its own name");
    }
}

#[tokio::test]
async fn a_save_after_a_delete_or_a_race_is_refused() {
    let deleted = Service::start(|_, asked| match asked.method {
        Method::HEAD => stored("\"e\"").with("x-amz-meta-stoop-writer", "other"),
        Method::GET => stored("\"e\"").body(manifest(4)),
        _ => Answer::s3_error(404, "NoSuchKey"),
    });
    assert!(!index(&deleted.await).save("agadir", &state(4), &IndexChanges::none()).await.unwrap());
    let raced = Service::start(|_, asked| match asked.method {
        Method::HEAD => stored("\"e\"").with("x-amz-meta-stoop-writer", "other"),
        _ => Answer::s3_error(409, "ConditionalRequestConflict"),
    });
    assert!(!index(&raced.await).save("agadir", &state(0), &IndexChanges::none()).await.unwrap());
}

#[tokio::test]
async fn a_missing_or_forbidden_bucket_is_not_a_new_search() {
    for (status, code) in [(404, "NoSuchBucket"), (403, "AccessDenied")] {
        let service = Service::start(move |_, _| Answer::s3_error(status, code)).await;
        let index = index(&service);
        let error = index.load("agadir", "avito").await.unwrap_err();
        assert_eq!(
            with_causes(&error),
            format!("GetObject s3://bucket/index/avito/agadir.json.zst: {code}: as documented")
        );
        let error = index.save("agadir", &state(0), &IndexChanges::none()).await.unwrap_err();
        assert_eq!(
            with_causes(&error),
            format!("PutObject s3://bucket/index/avito/agadir.json.zst: {code}: as documented")
        );
    }
}

/// A listing of one object, or of none.
fn listing(key: Option<&str>) -> Answer {
    let contents = key.map(|key| format!("<Contents><Key>{key}</Key></Contents>")).unwrap_or_default();
    Answer::new(200, format!("<?xml version=\"1.0\"?><ListBucketResult>{contents}</ListBucketResult>"))
}

/// A bucket that refuses every read and write, and returns this listing.
async fn refusing(listed: Option<&'static str>) -> Service {
    let answer = move |_: usize, asked: &ReceivedRequest| {
        if asked.path.contains("list-type=2") { listing(listed) } else { Answer::s3_error(403, "AccessDenied") }
    };
    Service::start(answer).await
}

#[tokio::test]
async fn a_listing_of_the_key_distinguishes_missing_from_forbidden() {
    // S3 reports a missing object as a 403. The second listing has another object, with a longer key.
    for listed in [None, Some("index/avito/agadir.json.zst.old")] {
        let service = refusing(listed).await;
        assert_eq!(index(&service).load("agadir", "avito").await.unwrap(), SearchState::default());
        let asked = service.asked();
        let of_the_key = |asked: &ReceivedRequest| asked.path.contains("prefix=index%2Favito%2Fagadir.json.zst");
        assert!(asked.len() == 2 && of_the_key(&asked[1]) && asked[1].path.contains("max-keys=1"), "{asked:?}");
        // Loaded by another process and deleted since: HEAD says as little as GET.
        assert!(!index(&service).save("agadir", &state(4), &IndexChanges::none()).await.unwrap());
    }
    // It exists, and may not be read.
    let service = refusing(Some("index/avito/agadir.json.zst")).await;
    assert!(index(&service).save("agadir", &state(4), &IndexChanges::none()).await.is_err());
    let error = index(&service).load("agadir", "avito").await.unwrap_err();
    assert_eq!(with_causes(&error), "GetObject s3://bucket/index/avito/agadir.json.zst: AccessDenied: as documented");
}

#[tokio::test]
async fn an_index_deleted_since_it_was_read_is_outdated_whatever_s3_returns() {
    let service = Service::start(|index, asked| match (index, &asked.method) {
        (0, &Method::PUT) => stored("\"e0\""),
        (1, &Method::PUT) => Answer::s3_error(403, "AccessDenied"),
        (_, &Method::HEAD) => Answer::new(403, ""),
        _ => listing(None),
    })
    .await;
    let index = index(&service);
    assert!(index.save("agadir", &state(0), &IndexChanges::none()).await.unwrap());
    assert!(!index.save("agadir", &state(1), &IndexChanges::none()).await.unwrap());
    assert_eq!(service.asked()[1].header("if-match"), Some("\"e0\""));
}

#[tokio::test]
async fn a_missing_configuration_is_none_and_a_forbidden_one_an_error() {
    let accepted = async |service: Service| S3Configuration::new(service.clients.s3(), "bucket").accepted().await;
    assert_eq!(accepted(refusing(None).await).await.unwrap(), None);
    let missing = Service::start(|_, _| Answer::s3_error(404, "NoSuchKey")).await;
    assert_eq!(accepted(missing).await.unwrap(), None);
    for service in [
        refusing(Some("accepted/config.json")).await,
        Service::start(|_, _| Answer::s3_error(403, "AccessDenied")).await,
    ] {
        let error = accepted(service).await.unwrap_err();
        assert_eq!(with_causes(&error), "GetObject s3://bucket/accepted/config.json: AccessDenied: as documented");
    }
}

#[tokio::test]
async fn a_damaged_index_is_an_error_with_its_key() {
    let service = Service::start(|_, _| stored("\"e\"").body("not zstd")).await;
    let error = index(&service).load("agadir", "avito").await.unwrap_err();
    assert!(
        with_causes(&error).starts_with("read s3://bucket/index/avito/agadir.json.zst: "),
        "{}",
        with_causes(&error)
    );
}

#[tokio::test]
async fn a_throttling_bucket_is_retried_within_bounds() {
    let service =
        Service::start(|index, _| if index < 2 { Answer::s3_error(503, "SlowDown") } else { stored("\"e\"") });
    let service = service.await;
    S3Pages::new(service.clients.s3(), "bucket").put("run 1", 0, b"page").await.unwrap();
    assert_eq!(service.asked().len(), 3);
    assert!(service.asked()[0].path.starts_with("/bucket/pages/run%21201/0.zst"), "{}", service.asked()[0].path);

    let always = Service::start(|_, _| Answer::s3_error(503, "SlowDown")).await;
    let error = S3Pages::new(always.clients.s3(), "bucket").put("run", 0, b"page").await.unwrap_err();
    assert_eq!(with_causes(&error), "PutObject s3://bucket/pages/run/0.zst: SlowDown: as documented");
    assert_eq!(always.asked().len(), 3);
}

fn reject(location: &str) -> Reject {
    Reject::new("avito", Time::from_ms(0), location.into(), Reason::BadValue, "odd".into(), b"raw")
}

#[tokio::test]
async fn a_stored_reject_is_not_new() {
    let service = Service::start(|_, asked| {
        assert_eq!(asked.header("if-none-match"), Some("*"));
        let location = asked.json()["location"].as_str().unwrap().to_owned();
        if location == "old" { Answer::s3_error(412, "PreconditionFailed") } else { stored("\"e\"") }
    })
    .await;
    let quarantine = S3Quarantine::new(service.clients.s3(), "bucket");
    let rejects = [reject("old"), reject("new"), reject("new"), reject("newer")];
    assert_eq!(quarantine.put(&rejects).await.unwrap(), 2);
    assert_eq!(service.asked().len(), 3, "one round trip for each");
}

#[tokio::test]
async fn a_raced_reject_is_retried_and_a_failed_one_is_an_error() {
    let race = || Answer::s3_error(409, "ConditionalRequestConflict");
    let service = Service::start(move |index, _| if index == 0 { race() } else { stored("\"e\"") }).await;
    assert_eq!(S3Quarantine::new(service.clients.s3(), "bucket").put(&[reject("a")]).await.unwrap(), 1);
    let service = Service::start(move |_, _| race()).await;
    let error = S3Quarantine::new(service.clients.s3(), "bucket").put(&[reject("a")]).await.unwrap_err();
    assert!(with_causes(&error).contains("another write to it was under way 3 times"), "{}", with_causes(&error));
    let service = Service::start(|_, _| Answer::s3_error(403, "AccessDenied")).await;
    let rejects: Vec<Reject> = (0..100).map(|i| reject(&i.to_string())).collect();
    let error = S3Quarantine::new(service.clients.s3(), "bucket").put(&rejects).await.unwrap_err();
    assert!(with_causes(&error).contains("AccessDenied"), "{}", with_causes(&error));
    assert!(service.asked().len() <= 32, "no more are begun after the first failure");
}
