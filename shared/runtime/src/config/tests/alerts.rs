//! `[alerts]`: rules, their areas and the webhook.

use super::*;

#[test]
fn alerts_are_read_alone() {
    let text = "[alerts]\ndrop_percent = 20\n[[search]]\nname = 'a'\nsource = 'nowhere'\n";
    assert_eq!(parse_alerts(text, "s.toml", 1_200).unwrap().rules.drops[0].share_bp_min, Some(2_000));
    assert_eq!(parse_alerts("", "s.toml", 1_200).unwrap().rules.drops[0].share_bp_min, Some(1_200));
    let message = parse_alerts(&text.replace("20", "200"), "s.toml", 1_200).unwrap_err().to_string();
    assert_eq!(message, "s.toml:2: alerts.drop_percent: 200 is not a percentage; accepted: a number from 0 to 100");
}

const AREAS: &str = "[alerts]\ndrop_percent = 20\n\n[[alerts.areas]]\narea = 'austin tx'\ndrop_percent = 10\n\n\
                     [[alerts.areas]]\narea = 'us/wa'\ndrop_amount = { USD = 50_000 }\n";

#[test]
fn an_area_may_have_thresholds_of_its_own() {
    let alerts = config(AREAS).unwrap().alerts;
    let rules: Vec<_> = alerts.rules.drops.iter().map(|rule| (rule.area.as_deref(), rule.share_bp_min)).collect();
    assert_eq!(rules, [(None, Some(2_000)), (Some("us/tx/travis/austin"), Some(1_000)), (Some("us/wa"), None)]);
    assert_eq!(alerts.rules.drops[2].amount_min[&Currency::USD], Minor(5_000_000));
    // On AWS there is no gazetteer.
    let message = plan(AREAS).unwrap_err();
    contains(
        &message,
        &["stoop.toml:5: alerts.areas[0].area: \"austin tx\" is not a path of an area; accepted: one like us/tx"],
    );
    let paths = AREAS.replace("austin tx", "us/tx/travis/austin");
    assert_eq!(parse_alerts(&paths, "stoop.toml", 1_500).unwrap(), alerts);
}

#[test]
fn an_area_that_is_not_clear_is_refused() {
    for (area, problem) in [
        ("area = 'springfield'\ndrop_percent = 5", "\"springfield\" is the name of several places; say which: "),
        ("area = 'seatle wa'\ndrop_percent = 5", "did you mean us/wa/king/seattle"),
        ("area = 'us/wa'", "alerts.areas[0]: names no threshold; accepted: drop_percent, drop_amount or both"),
        ("drop_percent = 5", "alerts.areas[0].area: is missing; accepted: a place like \"austin tx\""),
        ("area = 'us/wa'\ndrop_percent = 5\nnoise_percent = 1", "alerts.areas[0].noise_percent: there is no such key"),
        (
            "area = 'us/wa'\ndrop_percent = 5\n[[alerts.areas]]\narea = 'washington state'\ndrop_percent = 6",
            "us/wa has its thresholds above; accepted: each area once",
        ),
    ] {
        contains(&refused(&format!("[alerts]\n[[alerts.areas]]\n{area}\n")), &[problem]);
    }
}

#[test]
fn a_webhook_may_be_taken_from_elsewhere_and_judging_ignores_it() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("stoop.toml");
    std::fs::write(folder.path().join("hook"), " https://hooks.example/key\n").unwrap();
    std::fs::write(&path, "[alerts]\nwebhook = { file = 'hook' }\nwebhook_past = true\n").unwrap();
    let alerts = read_alerts(&path).unwrap();
    assert_eq!(alerts.webhook, Address::parse("https://hooks.example/key"));
    assert!(alerts.webhook_past && !format!("{alerts:?}").contains("hooks.example"));
    assert_eq!(read_config(&path).unwrap().alerts, alerts);
    // Displaying a configuration, or judging by it, reads no values.
    let text = "[alerts]\nwebhook = { env = 'STOOP_TEST_ABSENT' }\ndrop_percent = 20\n";
    std::fs::write(&path, text).unwrap();
    assert_eq!(read_outline(&path).unwrap().alerts.webhook, None);
    let judged = parse_alerts(text, "stoop.toml", 1_500).unwrap();
    assert_eq!((judged.webhook, judged.rules.drops[0].share_bp_min), (None, Some(2_000)));
    let errors = refused(text);
    contains(&errors, &["stoop.toml:2: alerts.webhook: the environment has no variable STOOP_TEST_ABSENT"]);
    contains(&refused("[alerts]\nwebhook = 7\n"), &["stoop.toml:2: alerts.webhook"]);
    contains(&refused("[alerts]\nwebhook = { env = 'A', file = 'b' }\n"), &["names 2 sources"]);
}
