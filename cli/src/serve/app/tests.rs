use std::sync::mpsc;

use axum::body::to_bytes;
use stoop_waits::PATIENCE;

use super::super::readers::ReadBounds;
use super::*;

const PEER: Peer = ConnectInfo(SocketAddr::new(std::net::IpAddr::V4(std::net::Ipv4Addr::LOCALHOST), 1));

/// A server for everyone on this computer, over an empty database, with these bounds of answers.
fn app(bounds: ReadBounds) -> (tempfile::TempDir, Arc<App>) {
    let folder = tempfile::tempdir().unwrap();
    let (file, data) = (folder.path().join("stoop.db"), folder.path().join("stoop-data"));
    drop(Database::open(&file, &data).unwrap());
    let open = || Database::open_read(&file, &data).unwrap();
    let handles = Handles {
        answers: Readers::of((0..bounds.readers).map(|_| open()).collect(), bounds),
        metrics: Readers::of(vec![open()], ReadBounds::OF_METRICS),
        events: open(),
    };
    let versions = watch::channel(Look { version: 0, at: Instant::now(), newest_alert: 0 }).1;
    let address = "127.0.0.1:8317".parse().unwrap();
    (folder, App::new(handles, versions, address, ServerAccess::Everyone, Arc::default()))
}

fn headers() -> HeaderMap {
    HeaderMap::from_iter([(header::HOST, HeaderValue::from_static("127.0.0.1:8317"))])
}

async fn get(app: &Arc<App>, path: &str) -> (u16, Option<String>, String) {
    let uri = Uri::try_from(path).unwrap();
    let answered = async {
        match path {
            "/metrics" => metrics(State(Arc::clone(app)), PEER, uri, headers()).await,
            _ => answer(State(Arc::clone(app)), PEER, Method::GET, uri, headers(), Bytes::new()).await,
        }
    };
    let answered = tokio::time::timeout(PATIENCE, answered).await.expect("an answer");
    let retry = answered.headers().get(header::RETRY_AFTER).map(|value| value.to_str().unwrap().to_owned());
    let status = answered.status().as_u16();
    let body = to_bytes(answered.into_body(), usize::MAX).await.unwrap();
    (status, retry, String::from_utf8(body.to_vec()).unwrap())
}

#[tokio::test]
async fn while_the_readers_are_busy_pages_are_refused_and_the_rest_is_answered() {
    let (_folder, app) = app(ReadBounds { readers: 1, waiting: 0, patience: Duration::ZERO });
    let (status, _, overview) = get(&app, "/").await;
    assert_eq!(status, 200);
    let style = overview.split("href=\"").find(|rest| rest.starts_with("/static/")).unwrap();
    let style = style.split('"').next().unwrap();

    let (begun, begins) = tokio::sync::oneshot::channel();
    let (end, ends) = mpsc::channel::<()>();
    let readers = Arc::clone(&app.handles.answers);
    let blocked = tokio::spawn(async move {
        let read = readers.read(move |_| {
            begun.send(()).unwrap();
            assert!(ends.recv_timeout(PATIENCE).is_err(), "the sender is dropped");
        });
        read.await.unwrap();
    });
    begins.await.unwrap();
    for path in ["/runs", "/api/v1/runs", "/areas/us"] {
        let (status, retry, body) = get(&app, path).await;
        assert_eq!((status, retry.as_deref()), (503, Some("1")), "{path}: {body}");
        assert!(body.contains("\"busy\""), "{path}: {body}");
    }
    assert_eq!(get(&app, "/").await.0, 200, "it is remembered");
    assert_eq!(get(&app, "/health").await.0, 200);
    assert_eq!(get(&app, style).await.0, 200, "{style}");
    let (status, _, metrics) = get(&app, "/metrics").await;
    assert!(status == 200 && metrics.contains("\nstoop_http_refused_total 3\n"), "{metrics}");

    drop(end);
    tokio::time::timeout(PATIENCE, blocked).await.unwrap().unwrap();
    assert_eq!(get(&app, "/runs").await.0, 200);
}
