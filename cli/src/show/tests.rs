use stoop_domain::{Minor, Time};

use super::*;

#[test]
fn text_from_outside_cannot_control_the_terminal() {
    assert_eq!(plain("Nice\u{1b}[2J  home\r\n\u{202e}now "), "Nice [2J home now");
    assert_eq!(plain("شقة للبيع"), "شقة للبيع");
}

#[test]
fn an_alert_is_as_wide_as_the_screen() {
    let alert = Alert {
        id: stoop_domain::AlertId("a".into()),
        rule: "price-drop".into(),
        home: stoop_domain::HomeId("kc/1001".into()),
        market: "us/wa/king/seattle/98178:sale:USD".parse().unwrap(),
        at: Time::default(),
        from: Minor(49_990_000),
        to: Minor(41_990_000),
        drop_bp: 1_600,
        title: None,
        line: Some("5500 S Norfolk\u{1b}[2J St".into()),
        url: Some("https://homes.example/1001".into()),
        verdict: stoop_domain::Verdict::Alert,
        withdrawn: None,
        other_listings: Vec::new(),
    };
    let whole = "▼ 16.0 %  $499,900 → $419,900  Seattle 98178  5500 S Norfolk [2J St";
    assert_eq!(alert_line(&alert, 100), format!("{whole}  https://homes.example/1001"));
    assert_eq!(alert_line(&alert, 70), whole);
    assert_eq!(alert_line(&alert, 50), "▼ 16.0 %  $499,900 → $419,900  Seattle 98178  550…");
    let rent = Alert {
        market: "us/nv/washoe/reno/-:rent:USD".parse().unwrap(),
        from: Minor(245_000),
        to: Minor(195_000),
        ..alert
    };
    assert_eq!(alert_line(&rent, 60), "▼ 16.0 %  $2,450 → $1,950 a month  Reno  5500 S Norfolk [2J…");
}

#[test]
fn a_sparkline_spans_from_least_to_greatest() {
    let series = |values: &[f64]| values.iter().map(|value| Some(*value)).collect::<Vec<_>>();
    assert_eq!(sparkline(&series(&[1.0, 2.0, 3.0, 8.0]), 60), "▁▂▃█");
    assert_eq!(sparkline(&series(&[5.0, 5.0]), 60), "▄▄");
    assert_eq!(sparkline(&[Some(1.0), None, Some(2.0)], 60), "▁ █");
    assert_eq!(sparkline(&series(&[1.0, 1.0, 3.0, 3.0, 2.0]), 3), "▁█▅");
    assert_eq!(sparkline(&[], 60), "");
}
