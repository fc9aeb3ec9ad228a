//! The API at its function URL, with the token from Secrets Manager.

use reqwest::Method;
use serde_json::Value;
use stoop_domain::Time;
use stoop_pipeline::Clock;
use stoop_pipeline::ports::RunOutcome;
use stoop_runtime::SystemClock;
use stoop_tests::local::EmulatorKind;

use crate::figures::assert_figures;
use crate::raw::form_of;
use crate::state::number;
use crate::town::SOURCE;
use crate::whole_way::lake_has_what_the_portal_served;
use crate::world::{SEARCH, World, eventually};

/// The API serves the stored figures, and only with the token.
pub(crate) async fn served(world: &World) {
    world.polled_once().await;
    let secret = world.clients.secrets().get_secret_value().secret_id(world.output("ApiTokenSecretArn"));
    let token = secret.send().await.unwrap().secret_string.unwrap();
    let url = world.function_url();
    let get = async |path: &str, token: Option<&str>| world.raw.get(&url, path, token).await.unwrap();

    // Not at the URL: `/health` is a path of MiniStack itself, on any host.
    let event = include_str!("../../../events/api-health.json");
    let health =
        world.raw.invoke(world.output("ApiFunctionName"), &serde_json::from_str(event).unwrap()).await.unwrap();
    assert_eq!(health["statusCode"], 200, "{health}");
    assert_eq!(serde_json::from_str::<Value>(text(&health["body"])).unwrap()["status"], "ok");
    for wrong in [None, Some("not-the-token-of-this-stack-at-all")] {
        for path in ["/api/v1/markets", "/api/v1/alerts", "/api/v1/homes/sim/SIM00000001", "/api/v2"] {
            let refused = get(path, wrong).await;
            assert_eq!((refused.status, &refused.body["code"]), (401, &"unauthorized".into()), "{path}");
        }
    }
    let get = async |path: &str| {
        let answer = get(path, Some(&token)).await;
        assert_eq!(answer.status, 200, "{path}: {}", answer.body);
        answer.body
    };

    let seen_at = lake_has_what_the_portal_served(world).await;
    let markets = get("/api/v1/markets?limit=1000").await;
    let ids: Vec<&str> = markets["markets"].as_array().unwrap().iter().map(|market| text(&market["id"])).collect();
    for market in world.town.answer(world.began, &seen_at).markets.keys().map(ToString::to_string) {
        assert!(ids.contains(&market.as_str()), "{market} is not among {ids:?}");
        let message = get(&format!("/api/v1/markets/{market}?days=3")).await;
        let message = &message["markets"][0];
        assert_eq!(text(&message["id"]), market);
        let as_of = Time::parse(text(&message["as_of"])).unwrap();
        let answer = world.town.answer(as_of, &seen_at);
        assert_figures(&market, message, &answer.markets[&market.parse().unwrap()]);
    }
    assert_eq!(markets["total"].as_u64(), Some(ids.len() as u64));

    for (id, item) in world.state.homes_of(SOURCE).await.iter().step_by(7) {
        let home = get(&format!("/api/v1/homes/{id}")).await;
        assert_eq!(text(&home["id"]), id);
        assert_eq!(home["price"].as_f64(), Some(number(item, "list_price") as f64 / 100.0), "{home}");
        assert_eq!(home["status"].as_str(), item["status"].as_s().ok().map(String::as_str));
    }

    let ledger = world.state.alerts().await;
    let message = get("/api/v1/alerts?limit=500").await;
    let message = message["alerts"].as_array().unwrap();
    let mut ids: Vec<&str> = message.iter().map(|alert| text(&alert["id"])).collect();
    ids.sort_unstable();
    assert_eq!(ids, ledger.keys().map(String::as_str).collect::<Vec<_>>());
}

/// A browser logs in, and reads the pages of the stack: those of homes come from the index `open`, those of runs from
/// `by_kind`.
pub(crate) async fn pages(world: &World) {
    world.polled_once().await;
    let secret = world.clients.secrets().get_secret_value().secret_id(world.output("ApiTokenSecretArn"));
    let token = secret.send().await.unwrap().secret_string.unwrap();
    let url = world.function_url();
    let (home, item) = world.state.homes_of(SOURCE).await.into_iter().next().unwrap();
    let market = item["market"].as_s().unwrap().clone();
    let area = market.split(':').next().unwrap().to_owned();
    let locked = world.raw.browse(&url, &format!("/areas/{area}"), "").await.unwrap();
    assert_eq!(locked.status(), 303);
    assert!(locked.headers()["location"].to_str().unwrap().starts_with("/login?to=%2Fareas%2F"));
    let form = [("token", &*token), ("to", "/runs")];
    let cookie = match world.kind {
        // LocalStack does not pass on the cookies of a response; MiniStack takes a POST to /login for one to Cognito.
        EmulatorKind::LocalStack | EmulatorKind::MiniStack => invoked_login(world, &form).await,
        EmulatorKind::Given => {
            let answer = world.raw.send_form(&url, "/login", &form).await.unwrap();
            assert_eq!(answer.status(), 303, "{}", answer.text().await.unwrap());
            assert_eq!(answer.headers()["location"], "/runs");
            answer.headers()["set-cookie"].to_str().unwrap().to_owned()
        }
    };
    assert!(cookie.ends_with("; HttpOnly; SameSite=Strict; Secure"), "{cookie}");
    let cookie = cookie.split(';').next().unwrap().to_owned();
    let open: Vec<String> = world
        .state
        .homes_of(SOURCE)
        .await
        .into_iter()
        .filter(|(_, item)| item.get("open_in").and_then(|value| value.as_s().ok()) == Some(&market))
        // The page lists homes on offer; the index has those under contract, too.
        .filter(|(_, item)| item["status"].as_s().is_ok_and(|status| status == "Active"))
        .map(|(id, _)| id)
        .collect();
    for (path, parts) in [
        ("/".to_owned(), vec!["<h1>Markets for".to_owned()]),
        (format!("/areas/{area}?sort=price"), open.iter().take(50).map(|id| format!("/homes/{id}\"")).collect()),
        (format!("/homes/{home}"), vec!["<h1>".to_owned()]),
        ("/runs".to_owned(), vec!["complete".to_owned()]),
        ("/definitions".to_owned(), vec!["<h1>Definitions".to_owned()]),
    ] {
        let answer = world.raw.browse(&url, &path, &cookie).await.unwrap();
        let (status, page) = (answer.status(), answer.text().await.unwrap());
        assert_eq!(status, 200, "{path}: {page}");
        let missing: Vec<&String> = parts.iter().filter(|part| !page.contains(&***part)).collect();
        assert!(missing.is_empty(), "{path}: {missing:?} are not in {page}");
    }
}

/// Who may write pauses a search, which the planner then leaves out, and asks for a poll, which it sends.
pub(crate) async fn controls(world: &World) {
    const WRITER: &str = "a-writer-of-the-stack-test";
    world.polled_once().await;
    let secrets = world.clients.secrets();
    let id = world.output("ApiTokenSecretArn");
    let alone = secrets.get_secret_value().secret_id(id).send().await.unwrap().secret_string.unwrap();
    let keep = async |text: String| secrets.put_secret_value().secret_id(id).secret_string(text).send().await.unwrap();
    let url = world.function_url();
    let ask = async |token: &str, action: &str| {
        let path = format!("/api/v1/searches/{SEARCH}/{action}");
        world.raw.send(Method::POST, &url, &path, Some(token)).await.unwrap()
    };
    let refused = ask(&alone, "pause").await;
    assert_eq!((refused.status, &refused.body["code"]), (403, &"only_reads".into()), "one token alone may read");
    keep(format!("ann read {alone}\nbob write {WRITER}")).await;
    // The function reads the secret again for a token that it does not know, but not for every one.
    eventually("the new token is known", || async {
        let paused = ask(WRITER, "pause").await;
        (paused.status == 202 && paused.body["asked_by"] == "bob").then_some(()).ok_or_else(|| paused.body.to_string())
    })
    .await;
    let answer = world.tick().await;
    let sent = answer["sent"].as_array().unwrap();
    assert!(answer["paused"] == 1 && !sent.contains(&SEARCH.into()), "{answer}");

    let asked_at = SystemClock.now();
    let asked = ask(WRITER, "poll").await;
    assert_eq!(asked.status, 202, "{}", asked.body);
    eventually("the poll that was asked for ends", || async {
        world.tick().await;
        let runs = world.runs(SEARCH).await;
        let ended = runs.iter().any(|run| run.began_at >= asked_at && run.outcome != RunOutcome::Running);
        ended.then_some(()).ok_or_else(|| format!("{runs:?}"))
    })
    .await;
    let listed = world.raw.get(&url, "/api/v1/searches", Some(WRITER)).await.unwrap();
    let search = listed.body["searches"].as_array().unwrap().iter().find(|search| search["search"] == SEARCH).unwrap();
    assert!(search["paused_at"].is_string() && search["poll_asked_at"].is_null(), "{search}");
    assert_eq!(ask(WRITER, "resume").await.body["paused_at"], Value::Null);
    keep(alone).await;
}

/// The cookie of a login, by invoking the function.
async fn invoked_login(world: &World, form: &[(&str, &str)]) -> String {
    let mut event: Value = serde_json::from_str(include_str!("../../../events/api-health.json")).unwrap();
    event["rawPath"] = "/login".into();
    event["requestContext"]["http"]["method"] = "POST".into();
    event["requestContext"]["http"]["path"] = "/login".into();
    event["headers"]["sec-fetch-site"] = "same-origin".into();
    event["body"] = form_of(form).into();
    let answer = world.raw.invoke(world.output("ApiFunctionName"), &event).await.unwrap();
    assert_eq!((&answer["statusCode"], &answer["headers"]["location"]), (&303.into(), &"/runs".into()), "{answer}");
    text(&answer["cookies"][0]).to_owned()
}

fn text(value: &Value) -> &str {
    value.as_str().unwrap_or_else(|| panic!("no text: {value}"))
}
