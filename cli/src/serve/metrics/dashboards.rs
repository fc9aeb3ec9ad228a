//! `infra/grafana` has a dashboard for a laptop, one for a stack, and the table of all metrics, made from the list.
//! `UPDATE_DOCS=1` writes them.

use std::path::Path;

use serde_json::{Value, json};

use super::list::{METRICS, Metric, MetricKind};

/// The panels in the order of the list.
fn panels() -> Vec<&'static str> {
    let mut panels: Vec<&str> = Vec::new();
    for metric in METRICS.iter().filter(|metric| !metric.panel.is_empty()) {
        if !panels.contains(&metric.panel) {
            panels.push(metric.panel);
        }
    }
    panels
}

/// The unit in Grafana.
fn unit(metric: &Metric) -> &'static str {
    match metric.kind {
        MetricKind::Bytes | MetricKind::BytesTotal => "bytes",
        MetricKind::Milliseconds | MetricKind::Seconds | MetricKind::SecondsTotal => "s",
        _ => "short",
    }
}

/// What Prometheus is asked for: the growth of a counter, the value of a gauge.
fn prometheus(metric: &Metric, at: usize) -> Value {
    let name = metric.prometheus();
    let expr = match metric.kind.type_name() {
        "counter" => format!("increase({name}[$__rate_interval])"),
        _ => name,
    };
    let labels: String = metric.labels().iter().map(|label| format!(" {{{{{label}}}}}")).collect();
    json!({"refId": letter(at), "expr": expr, "legendFormat": format!("{}{labels}", metric.name), "range": true})
}

fn cloudwatch(metric: &Metric, at: usize) -> Value {
    let statistic = match metric.kind {
        MetricKind::Counter => "Sum",
        _ => "Maximum",
    };
    json!({
        "refId": letter(at), "id": format!("m{at}"), "namespace": "Stoop", "metricName": metric.name,
        "dimensions": {"Stack": "$stack"}, "matchExact": true, "statistic": statistic, "period": "300",
        "region": "default", "queryMode": "Metrics", "metricQueryType": 0, "metricEditorMode": 0, "label": metric.name,
    })
}

/// A to Z: no panel has more.
fn letter(at: usize) -> String {
    char::from(b'A' + u8::try_from(at).expect("a panel has few metrics")).to_string()
}

/// A dashboard with a panel for each group that has metrics there.
fn dashboard(
    (title, uid, kind): (&str, &str, &str),
    variables: &[Value],
    is_there: fn(&Metric) -> bool,
    query: fn(&Metric, usize) -> Value,
) -> Value {
    let mut drawn = Vec::new();
    for title in panels() {
        let metrics: Vec<&Metric> = METRICS.iter().filter(|metric| metric.panel == title && is_there(metric)).collect();
        let Some(first) = metrics.first() else { continue };
        let help: Vec<String> = metrics.iter().map(|metric| format!("{}: {}", metric.name, metric.help)).collect();
        let overrides: Vec<Value> = metrics
            .iter()
            .enumerate()
            .filter(|(_, metric)| unit(metric) != unit(first))
            .map(|(at, metric)| {
                let unit = json!({"id": "unit", "value": unit(metric)});
                json!({"matcher": {"id": "byFrameRefID", "options": letter(at)}, "properties": [unit]})
            })
            .collect();
        let place = drawn.len();
        let is_ms = kind == "cloudwatch" && unit(first) == "s";
        drawn.push(json!({
            "id": place + 1, "type": "timeseries", "title": title, "description": help.join("\n"),
            "datasource": {"type": kind, "uid": "${datasource}"},
            "gridPos": {"x": (place % 2) * 12, "y": (place / 2) * 8, "w": 12, "h": 8},
            "fieldConfig": {"defaults": {"unit": if is_ms { "ms" } else { unit(first) }, "min": 0}, "overrides": overrides},
            "options": {"legend": {"displayMode": "list", "placement": "bottom"}, "tooltip": {"mode": "multi"}},
            "targets": metrics.iter().enumerate().map(|(at, metric)| query(metric, at)).collect::<Vec<_>>(),
        }));
    }
    let source = json!({"name": "datasource", "type": "datasource", "query": kind, "label": "Source"});
    let variables: Vec<Value> = std::iter::once(source).chain(variables.iter().cloned()).collect();
    json!({
        "title": title, "uid": uid, "schemaVersion": 39, "version": 1, "editable": true, "refresh": "1m",
        "time": {"from": "now-24h", "to": "now"}, "tags": ["stoop"], "timezone": "browser",
        "templating": {"list": variables}, "panels": drawn,
    })
}

fn laptop() -> Value {
    dashboard(("Stoop", "stoop", "prometheus"), &[], Metric::is_on_laptop, prometheus)
}

fn stack() -> Value {
    let stack = json!({
        "name": "stack", "type": "textbox", "label": "Stack", "query": "stoop",
        "current": {"text": "stoop", "value": "stoop"}, "options": [{"text": "stoop", "value": "stoop", "selected": true}],
    });
    dashboard(("Stoop on AWS", "stoop-aws", "cloudwatch"), &[stack], Metric::is_on_aws, cloudwatch)
}

fn table() -> String {
    let mut table = String::from("\n| CloudWatch | Prometheus | meaning |\n| --- | --- | --- |\n");
    for metric in METRICS {
        let aws = if metric.is_on_aws() { format!("`{}`", metric.name) } else { String::new() };
        let laptop = if metric.is_on_laptop() { format!("`{}`", metric.prometheus()) } else { String::new() };
        table += &format!("| {aws} | {laptop} | {} |\n", metric.help);
    }
    table
}

/// Compares a file with what it should be, or writes it.
#[track_caller]
fn check(name: &str, expected: impl Fn(&str) -> String) {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../infra/grafana").join(name);
    let text = std::fs::read_to_string(&path).unwrap_or_default();
    let expected = expected(&text);
    if text == expected {
        return;
    }
    assert!(std::env::var_os("UPDATE_DOCS").is_some(), "{name} is not up to date: run this test with UPDATE_DOCS=1");
    std::fs::write(path, expected).unwrap();
}

#[test]
fn dashboards_and_their_table_have_every_metric() {
    let pretty = |value: Value| serde_json::to_string_pretty(&value).unwrap() + "\n";
    check("stoop.json", |_| pretty(laptop()));
    check("stoop-aws.json", |_| pretty(stack()));
    check("README.md", |text| {
        let head = text.find("\n| CloudWatch").map_or(text, |at| &text[..at]);
        format!("{head}{}", table())
    });
}

#[test]
fn panels_show_each_metric_where_it_is_known() {
    let shown = |dashboard: &Value, name: &str| dashboard["panels"].to_string().contains(&format!("\"{name}"));
    for metric in METRICS.iter().filter(|metric| !metric.panel.is_empty()) {
        let named = format!("metricName\":\"{}\"", metric.name);
        assert_eq!(stack()["panels"].to_string().contains(&named), metric.is_on_aws(), "{}", metric.name);
        let expr = match metric.kind.type_name() {
            "counter" => format!("increase({}[", metric.prometheus()),
            _ => format!("{}\"", metric.prometheus()),
        };
        assert_eq!(shown(&laptop(), &expr), metric.is_on_laptop(), "{expr}");
    }
}
