//! Metrics of functions, as lines in CloudWatch's embedded metric format.
//!
//! ```
//! use stoop_domain::Time;
//! use stoop_emf::Meter;
//! let meter = Meter::new("stoop-prod", "poller");
//! meter.count("ListingsSeen", 40);
//! meter.count("ListingsSeen", 2);
//! let [line] = &meter.take(Time::from_ms(0))[..] else { panic!("one line") };
//! assert!(line.contains(r#""ListingsSeen":42"#));
//! ```
//!
//! No call of AWS is made. The names of metrics are not checked here: `docs/OPERATIONS.md` lists them.

use std::collections::BTreeMap;
use std::io::Write;
use std::sync::{Mutex, PoisonError};

use serde_json::{Map, Value, json};
use stoop_domain::Time;

/// The namespace of all of Stoop's metrics.
pub const NAMESPACE: &str = "Stoop";

/// CloudWatch accepts a hundred metrics per line, and a hundred values per metric.
const METRICS_MAX: usize = 100;
const VALUES_MAX: usize = 100;

/// Collects metrics while an event is handled and prints them as one line in CloudWatch's embedded metric format, which
/// CloudWatch Logs turns into metrics. No call is made, so none can fail.
///
/// Each metric has the single dimension `Stack`: CloudWatch bills each name with each dimension value, for each hour in
/// which it is written. So a name means the same in all functions, and a count of 0 is not written. The line also has
/// `Function`, for queries of the logs.
///
/// Counts are added up; a gauge keeps its last value; durations and sizes keep every value, so that CloudWatch can
/// compute percentiles.
#[derive(Debug)]
pub struct Meter {
    stack: String,
    function: &'static str,
    collected: Mutex<Collected>,
}

/// The environment does not name the stack.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("the environment has no variable STOOP_STACK")]
pub struct NoStack;

type Collected = BTreeMap<&'static str, (MetricUnit, Vec<u64>)>;

/// The recorded values of a metric.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum MetricUnit {
    Count,
    Gauge,
    Milliseconds,
    Bytes,
}

impl MetricUnit {
    /// Its unit, as named by CloudWatch.
    fn unit(self) -> &'static str {
        match self {
            Self::Count | Self::Gauge => "Count",
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

    /// A meter of a function in the stack named by `STOOP_STACK`.
    ///
    /// # Errors
    ///
    /// The variable is not set.
    pub fn from_env(function: &'static str) -> Result<Self, NoStack> {
        let stack = std::env::var("STOOP_STACK").ok().filter(|name| !name.is_empty());
        Ok(Self::new(&stack.ok_or(NoStack)?, function))
    }

    /// Adds `n` to a count. Adding 0 writes nothing: a metric costs for each hour in which it is written, and an alarm
    /// treats a missing count as 0.
    pub fn count(&self, name: &'static str, n: u64) {
        if n == 0 {
            return;
        }
        self.note(name, MetricUnit::Count, |values| match values.first_mut() {
            Some(sum) => *sum = sum.saturating_add(n),
            None => values.push(n),
        });
    }

    /// Sets the current value of a gauge. It is written even if it is 0, so that an alarm can end; only the last value
    /// of an invocation counts.
    pub fn gauge(&self, name: &'static str, value: u64) {
        self.note(name, MetricUnit::Gauge, |values| *values = vec![value]);
    }

    /// Records a duration in milliseconds.
    pub fn milliseconds(&self, name: &'static str, ms: u64) {
        self.note(name, MetricUnit::Milliseconds, |values| values.push(ms));
    }

    /// Records a size in bytes.
    pub fn bytes(&self, name: &'static str, bytes: u64) {
        self.note(name, MetricUnit::Bytes, |values| values.push(bytes));
    }

    fn note(&self, name: &'static str, kind: MetricUnit, note: impl FnOnce(&mut Vec<u64>)) {
        let mut collected = self.collected.lock().unwrap_or_else(PoisonError::into_inner);
        let (known, values) = collected.entry(name).or_insert((kind, Vec::new()));
        debug_assert_eq!(*known, kind, "{name} is of another kind");
        note(values);
    }

    /// Prints what was collected since the last flush to standard output, where Lambda's logs come from. `at` is the
    /// time of the metrics. Prints nothing if nothing was collected.
    pub fn flush(&self, at: Time) {
        let mut out = std::io::stdout().lock();
        for line in self.take(at) {
            if let Err(error) = writeln!(out, "{line}") {
                tracing::error!(%error, "metrics could not be printed");
            }
        }
    }

    /// The lines that [`Meter::flush`] prints: one, unless there are more metrics or values than one line may hold.
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
        let left = collected.iter().filter_map(|(name, (kind, values))| {
            values.chunks(VALUES_MAX).nth(round).map(|values| (*name, *kind, values))
        });
        let left: Vec<_> = left.collect();
        lines.extend(left.chunks(METRICS_MAX).map(|metrics| line(stack, function, at, metrics)));
    }
    lines
}

fn line(stack: &str, function: &str, at: Time, metrics: &[(&str, MetricUnit, &[u64])]) -> String {
    let directive = json!({
        "Namespace": NAMESPACE,
        "Dimensions": [["Stack"]],
        "Metrics": metrics.iter().map(|(name, kind, _)| json!({"Name": name, "Unit": kind.unit()})).collect::<Vec<_>>(),
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
        meter.gauge("SearchesOverdue", 4);
        meter.gauge("SearchesOverdue", 0);
        meter.milliseconds("EventLagMs", 70);
        meter.milliseconds("EventLagMs", 90);
        let lines = meter.take(Time::from_ms(1_768_392_000_000));
        let expected = json!({
            "_aws": {
                "Timestamp": 1_768_392_000_000_i64,
                "CloudWatchMetrics": [{
                    "Namespace": "Stoop",
                    "Dimensions": [["Stack"]],
                    "Metrics": [
                        {"Name": "Duplicates", "Unit": "Count"},
                        {"Name": "EventLagMs", "Unit": "Milliseconds"},
                        {"Name": "SearchesOverdue", "Unit": "Count"},
                    ],
                }],
            },
            "Stack": "stoop",
            "Function": "metrics",
            "Duplicates": 5,
            "EventLagMs": [70, 90],
            "SearchesOverdue": 0,
        });
        assert_eq!(parsed(&lines), [expected]);
        assert!(!lines[0].contains('\n'));
        assert_eq!(meter.take(Time::from_ms(0)), Vec::<String>::new(), "each is written once");
    }

    #[test]
    fn a_count_of_zero_is_not_written_and_a_gauge_always_is() {
        let meter = Meter::new("stoop", "planner");
        meter.count("SearchesPlanned", 0);
        assert_eq!(meter.take(Time::from_ms(0)), Vec::<String>::new());
        meter.gauge("SearchesOverdue", 0);
        meter.count("SearchesPlanned", 0);
        let [line] = &parsed(&meter.take(Time::from_ms(0)))[..] else { panic!("one line") };
        assert_eq!(line["SearchesOverdue"], 0);
        assert!(line.get("SearchesPlanned").is_none(), "{line}");
        assert_eq!(meter.take(Time::from_ms(0)), Vec::<String>::new(), "it is set again in each invocation");
    }

    #[test]
    fn more_than_a_line_may_hold_goes_on_another() {
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
