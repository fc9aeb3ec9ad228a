//! Configurations and secrets as operators change them.

use std::sync::{Arc, Mutex};

use stoop_domain::Time;
use stoop_pipeline::Clock;
use stoop_pipeline::ports::RunOutcome;
use stoop_runtime::SystemClock;
use stoop_simulation::{Portal, PortalConfig, Simulation, SimulationConfig};

use crate::world::{SEARCH, World, eventually};

/// A configuration with mistakes changes nothing and is reported; the next valid one is accepted.
pub(crate) async fn broken_upload(world: &World) {
    world.polled_once().await;
    let accepted = world.state.objects("accepted/").await;
    let good = world.configuration();
    let broken = good.replace("drop_percent = 15", "drop_percent = 150").replace("every = \"1s\"", "every = \"soon\"");
    let uploaded_at = SystemClock.now();
    world.upload("stoop.toml", &broken).await;
    let answer = world.tick().await;
    let refused = answer["refused_configuration"].as_str().unwrap_or_else(|| panic!("it is accepted: {answer}"));
    assert!(refused.contains("drop_percent") && refused.contains("every"), "each mistake is named: {refused}");
    assert_eq!(world.state.objects("accepted/").await, accepted);
    eventually("the metric that raises the alarm is in the planner's log", || async {
        let counted = world.counted("PlannerFunctionName", "ConfigInvalid", uploaded_at).await;
        (counted > 0).then_some(()).ok_or_else(|| "it is not counted".to_owned())
    })
    .await;
    // The valid one stays in use.
    world.town.advance_by(3);
    let run = world.poll(SEARCH).await;
    assert_eq!(run.outcome, RunOutcome::Complete, "{run:?}");
    assert!(run.counts["new"] + run.counts["changed"] > 0, "{run:?}");

    world.upload("stoop.toml", &good.replace("drop_percent = 15", "drop_percent = 12")).await;
    let answer = world.tick().await;
    assert!(answer["refused_configuration"].is_null(), "{answer}");
    let taken = world.state.objects("accepted/").await;
    assert!(String::from_utf8_lossy(&taken["accepted/config.json"]).contains("drop_percent = 12"));
    world.upload("stoop.toml", &good).await;
    assert!(world.tick().await["refused_configuration"].is_null());
    assert_eq!(world.poll(SEARCH).await.outcome, RunOutcome::Complete);
}

/// A source refuses the token that the poller has cached: the new one is read at once, and the poll continues.
pub(crate) async fn rotated_secret(world: &World) {
    world.polled_once().await;
    let start = SystemClock.now().plus_ms(-30 * Time::DAY_MS);
    let config = SimulationConfig { morocco: true, ..SimulationConfig::new(9, start, 20, 2) };
    let simulation = Simulation::new(config);
    let shown = simulation.shown_after(None).count();
    let portal_config = PortalConfig { token: Some("the-new-one".into()), ..PortalConfig::new(|| SystemClock.now()) };
    let portal = Portal::start(Arc::new(Mutex::new(simulation)), portal_config).unwrap();
    world.set_secret("rotated", "the-old-one").await;
    let search = format!(
        r#"
[[search]]
name = "rotated"
source = "reso"
every = "1s"

[search.params]
url = "{}/odata"
name = "rotated"
token = {{ secret = "rotated" }}
"#,
        portal.url()
    );
    world.upload("stoop.toml", &(world.configuration() + &search)).await;
    let refused = world.poll("rotated").await;
    assert_eq!(refused.outcome, RunOutcome::Failed, "{refused:?}");
    assert!(portal.served().unauthorized > 0 && portal.served().pages == 0, "{:?}", portal.served());
    eventually("the failure is counted", || async {
        let counted = world.counted("PollerFunctionName", "PollsFailed", refused.began_at).await;
        (counted > 0).then_some(()).ok_or_else(|| "it is not counted".to_owned())
    })
    .await;

    world.set_secret("rotated", "the-new-one").await;
    // A secret is read at most every few seconds, however often it is refused.
    eventually("the poll works with the new secret", || async {
        let run = world.poll("rotated").await;
        (run.outcome == RunOutcome::Complete).then_some(()).ok_or_else(|| format!("{run:?}"))
    })
    .await;
    eventually("every home of the portal is stored", || async {
        let stored = world.state.homes_of("rotated").await.len();
        (stored == shown).then_some(()).ok_or_else(|| format!("{stored} of {shown}"))
    })
    .await;
    world.upload("stoop.toml", &world.configuration()).await;
    world.tick().await;
}
