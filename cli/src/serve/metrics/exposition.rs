//! The text format: <https://prometheus.io/docs/instrumenting/exposition_formats/>, version 0.0.4.

use std::collections::BTreeMap;

use super::list::{METRICS, Metric};

/// The `Content-Type` of the text.
pub(in crate::serve) const MEDIA_TYPE: &str = "text/plain; version=0.0.4; charset=utf-8";

/// Samples by the position of their metric in the list, so that each family is in one piece.
#[derive(Default)]
pub(super) struct Exposition {
    families: BTreeMap<usize, Vec<(String, String)>>,
}

impl Exposition {
    /// The only sample of a metric.
    pub(super) fn one(&mut self, metric: &str, value: u64) {
        self.add(metric, &[], value);
    }

    /// A sample. Labels must differ between the samples of a metric.
    pub(super) fn add(&mut self, metric: &str, labels: &[(&str, &str)], value: u64) {
        self.push(metric, labels, value.to_string());
    }

    /// A sample in seconds, from milliseconds.
    pub(super) fn seconds(&mut self, metric: &str, labels: &[(&str, &str)], ms: i64) {
        let sign = if ms < 0 { "-" } else { "" };
        self.push(metric, labels, format!("{sign}{}.{:03}", ms.unsigned_abs() / 1_000, ms.unsigned_abs() % 1_000));
    }

    fn push(&mut self, metric: &str, labels: &[(&str, &str)], value: String) {
        let Some(at) = METRICS.iter().position(|known| known.name == metric && known.is_on_laptop()) else {
            // The list is the documentation: what it lacks is not shown.
            tracing::error!(metric, "a metric that is not in the list was left out");
            debug_assert!(false, "{metric} is not in the list");
            return;
        };
        debug_assert!(labels.iter().map(|(name, _)| name).eq(METRICS[at].labels()), "the labels of {metric}");
        let labels = labels.iter().map(|(name, value)| format!("{name}=\"{}\"", escaped(value)));
        let labels = labels.collect::<Vec<_>>().join(",");
        self.families.entry(at).or_default().push((labels, value));
    }

    /// The whole text.
    pub(super) fn finish(self) -> String {
        let mut text = String::new();
        for (at, samples) in self.families {
            let metric: &Metric = &METRICS[at];
            let name = metric.prometheus();
            let help = metric.help.replace('\\', "\\\\").replace('\n', "\\n");
            text += &format!("# HELP {name} {help}\n# TYPE {name} {}\n", metric.kind.type_name());
            for (labels, value) in samples {
                let labels = if labels.is_empty() { labels } else { format!("{{{labels}}}") };
                text += &format!("{name}{labels} {value}\n");
            }
        }
        text
    }
}

/// A label's value between quotes.
fn escaped(value: &str) -> String {
    value.replace('\\', "\\\\").replace('"', "\\\"").replace('\n', "\\n")
}
