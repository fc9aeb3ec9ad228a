use std::collections::BTreeMap;
use std::io::Write;
use std::sync::{Mutex, PoisonError};

use serde_json::{Map, Value, json};
use stoop_domain::Time;

use crate::clients::{MissingVariables, required};

/// The namespace of all of Stoop's metrics.
pub const NAMESPACE: &str = "Stoop";

/// CloudWatch takes a hundred metrics in a line, and a hundred values in a metric.
const METRICS_MAX: usize = 100;
const VALUES_MAX: usize = 100;

/// Collects metrics while an event is handled and prints them as one line in CloudWatch's embedded metric format,
/// which CloudWatch Logs turns into metrics: no call is made, and nothing is lost when a call would have failed.
///
/// Each has the dimensions `Stack` and `Function`. What is counted several times is added up; of a duration or a
/// size every value is kept, so that CloudWatch can tell percentiles.
///
/// ```
/// use stoop_aws::Meter;
/// use stoop_domain::Time;
/// let meter = Meter::new("stoop-prod", "poller");
/// meter.count("ListingsSeen", 40);
/// meter.count("ListingsSeen", 2);
/// let [line] = &meter.take(Time::from_ms(0))[..] else { panic!("one line") };
/// assert!(line.contains(r#""ListingsSeen":42"#));
/// ```
#[derive(Debug)]
pub struct Meter {
    stack: String,
    function: &'static str,
    collected: Mutex<Collected>,
}

type Collected = BTreeMap<&'static str, (Unit, Vec<u64>)>;

/// A metric's unit, in CloudWatch's words.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Unit {
    Count,
    Milliseconds,
    Bytes,
}

impl Unit {
    fn as_str(self) -> &'static str {
        match self {
            Self::Count => "Count",
            Self::Milliseconds => "Milliseconds",
            Self::Bytes => "Bytes",
        }
    }
}

impl Meter {
    /// A meter of a function in a stack.
    #[must_use]
    pub fn new(stack: &str, function: &'static str) -> Self {
        Self { stack: stack.to_owned(), function, collected: Mutex::default() }
    }

    /// A meter of a function in the stack that `STOOP_STACK` names.
    ///
    /// # Errors
    /// When the variable is not set.
    pub fn from_env(function: &'static str) -> Result<Self, MissingVariables> {
        Ok(Self::new(&required("STOOP_STACK")?, function))
    }

    /// Counts `n` more. Counting 0 says that there was none, which is more than nothing said.
    pub fn count(&self, name: &'static str, n: u64) {
        let mut collected = self.collected.lock().unwrap_or_else(PoisonError::into_inner);
        let (unit, values) = collected.entry(name).or_insert((Unit::Count, vec![0]));
        debug_assert_eq!(*unit, Unit::Count, "{name} is no count");
        if let Some(sum) = values.first_mut() {
            *sum = sum.saturating_add(n);
        }
    }

    /// Says how many there are now: 0 is told too, and of several values the last.
    pub fn gauge(&self, name: &'static str, value: u64) {
        let mut collected = self.collected.lock().unwrap_or_else(PoisonError::into_inner);
        collected.insert(name, (Unit::Count, vec![value]));
    }

    /// Notes a duration.
    pub fn milliseconds(&self, name: &'static str, ms: u64) {
        self.note(name, Unit::Milliseconds, ms);
    }

    /// Notes a size.
    pub fn bytes(&self, name: &'static str, bytes: u64) {
        self.note(name, Unit::Bytes, bytes);
    }

    fn note(&self, name: &'static str, unit: Unit, value: u64) {
        let mut collected = self.collected.lock().unwrap_or_else(PoisonError::into_inner);
        let (known, values) = collected.entry(name).or_insert((unit, Vec::new()));
        debug_assert_eq!(*known, unit, "{name} has another unit");
        values.push(value);
    }

    /// Prints what was collected since the last time on standard output, where Lambda's logs come from. `at` is the
    /// time of the metrics. Prints nothing where nothing was collected.
    pub fn flush(&self, at: Time) {
        let mut out = std::io::stdout().lock();
        for line in self.take(at) {
            if let Err(error) = writeln!(out, "{line}") {
                tracing::error!(%error, "metrics could not be printed");
            }
        }
    }

    /// What [`Meter::flush`] would print, line by line: one, unless there are more metrics or values than one holds.
    #[must_use]
    pub fn take(&self, at: Time) -> Vec<String> {
        let collected = std::mem::take(&mut *self.collected.lock().unwrap_or_else(PoisonError::into_inner));
        lines(&self.stack, self.function, at, &collected)
    }
}

fn lines(stack: &str, function: &str, at: Time, collected: &Collected) -> Vec<String> {
    let mut lines = Vec::new();
    let rounds = collected.values().map(|(_, values)| values.len().div_ceil(VALUES_MAX)).max().unwrap_or(0);
    for round in 0..rounds {
        let left = collected.iter().filter_map(|(name, (unit, values))| {
            values.chunks(VALUES_MAX).nth(round).map(|values| (*name, *unit, values))
        });
        let left: Vec<_> = left.collect();
        lines.extend(left.chunks(METRICS_MAX).map(|metrics| line(stack, function, at, metrics)));
    }
    lines
}

fn line(stack: &str, function: &str, at: Time, metrics: &[(&str, Unit, &[u64])]) -> String {
    let directive = json!({
        "Namespace": NAMESPACE,
        "Dimensions": [["Stack", "Function"]],
        "Metrics": metrics.iter().map(|(name, unit, _)| json!({"Name": name, "Unit": unit.as_str()})).collect::<Vec<_>>(),
    });
    let mut line = Map::new();
    line.insert("_aws".into(), json!({"Timestamp": at.ms(), "CloudWatchMetrics": [directive]}));
    line.insert("Stack".into(), stack.into());
    line.insert("Function".into(), function.into());
    for (name, _, values) in metrics {
        let value = if let [value] = values { json!(value) } else { json!(values) };
        line.insert((*name).to_owned(), value);
    }
    Value::Object(line).to_string()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parsed(lines: &[String]) -> Vec<Value> {
        lines.iter().map(|line| serde_json::from_str(line).unwrap()).collect()
    }

    #[test]
    fn a_line_is_as_cloudwatch_documents_it() {
        let meter = Meter::new("stoop", "metrics");
        meter.count("Duplicates", 2);
        meter.count("Duplicates", 3);
        meter.count("Conflicts", 0);
        meter.milliseconds("EventLagMs", 70);
        meter.milliseconds("EventLagMs", 90);
        let lines = meter.take(Time::from_ms(1_768_392_000_000));
        let expected = json!({
            "_aws": {
                "Timestamp": 1_768_392_000_000_i64,
                "CloudWatchMetrics": [{
                    "Namespace": "Stoop",
                    "Dimensions": [["Stack", "Function"]],
                    "Metrics": [
                        {"Name": "Conflicts", "Unit": "Count"},
                        {"Name": "Duplicates", "Unit": "Count"},
                        {"Name": "EventLagMs", "Unit": "Milliseconds"},
                    ],
                }],
            },
            "Stack": "stoop",
            "Function": "metrics",
            "Conflicts": 0,
            "Duplicates": 5,
            "EventLagMs": [70, 90],
        });
        assert_eq!(parsed(&lines), [expected]);
        assert!(!lines[0].contains('\n'));
        assert_eq!(meter.take(Time::from_ms(0)), Vec::<String>::new(), "each is told once");
    }

    #[test]
    fn what_one_line_cannot_hold_goes_on_another() {
        let meter = Meter::new("stoop", "poller");
        for i in 0..250 {
            meter.bytes("PageBytes", i);
        }
        for i in 0..150 {
            meter.count(Box::leak(format!("Count{i}").into_boxed_str()), 1);
        }
        let lines = parsed(&meter.take(Time::from_ms(0)));
        let metrics = |line: &Value| line["_aws"]["CloudWatchMetrics"][0]["Metrics"].as_array().unwrap().len();
        assert!(lines.iter().all(|line| metrics(line) <= 100));
        assert_eq!(lines.iter().map(metrics).sum::<usize>(), 150 + 3);
        let values = lines.iter().filter_map(|line| line["PageBytes"].as_array());
        let values: Vec<u64> = values.flatten().map(|value| value.as_u64().unwrap()).collect();
        assert_eq!(values, (0..250).collect::<Vec<_>>());
    }
}
