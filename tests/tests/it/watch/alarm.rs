//! CloudWatch's rules for metric alarms, from its user guide under "Alarm evaluation" and "Configuring how CloudWatch
//! alarms treat missing data", applied to the alarms of the template.
//!
//! An alarm is evaluated every minute, over windows that end with that minute. CloudWatch retrieves more periods than
//! `EvaluationPeriods`, in case some are missing (the evaluation range): five for three in the guide's example; the
//! rule is not documented. So the range is an argument here, and the assertions about the template hold for each of
//! [`Alarm::ranges`].

use std::collections::{BTreeMap, BTreeSet};

use serde_json::Value;

use crate::template::document::{Resource, listed, reference};

/// The measurements of a metric in one minute.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub(super) struct Minute {
    pub(super) count: u32,
    pub(super) sum: f64,
    pub(super) most: f64,
}

impl Minute {
    /// Adds a measurement.
    pub(super) fn add(&mut self, value: f64) {
        self.most = if self.count == 0 { value } else { self.most.max(value) };
        self.count += 1;
        self.sum += value;
    }
}

/// Metrics by name (in the form of [`metric`]), minute by minute.
pub(super) type Metrics = BTreeMap<&'static str, Vec<Minute>>;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum State {
    Ok,
    Alarm,
    InsufficientData,
}

/// The treatment of missing data.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Treatment {
    Breaching,
    NotBreaching,
    Ignore,
    Missing,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Statistic {
    Sum,
    Average,
    Maximum,
}

#[derive(Clone, Debug)]
pub(super) struct Alarm {
    pub(super) id: String,
    pub(super) metric: String,
    /// Whether it exists only while polling is on.
    pub(super) only_while_polling: bool,
    statistic: Statistic,
    period_minutes: usize,
    evaluation_periods: usize,
    datapoints_to_alarm: usize,
    threshold: f64,
    breaches_above: bool,
    missing: Treatment,
}

/// A metric's name with its dimensions: `AWS/Lambda Errors FunctionName=PlannerFunction`.
fn metric(properties: &Value) -> String {
    let text = |value: &Value| value.as_str().expect("a text").to_owned();
    let mut parts = vec![text(&properties["Namespace"]), text(&properties["MetricName"])];
    for dimension in listed(&properties["Dimensions"]) {
        let of = reference(&dimension["Value"]).or(dimension["Value"].as_str()).expect("a reference or a text");
        parts.push(format!("{}={of}", text(&dimension["Name"])));
    }
    parts.join(" ")
}

impl Alarm {
    /// An alarm of the template.
    ///
    /// # Panics
    ///
    /// It has a property that is not supported here.
    pub(super) fn read(resource: &Resource<'_>) -> Self {
        const UNDERSTOOD: [&str; 13] = [
            "AlarmActions",
            "AlarmDescription",
            "ComparisonOperator",
            "DatapointsToAlarm",
            "Dimensions",
            "EvaluationPeriods",
            "MetricName",
            "Namespace",
            "OKActions",
            "Period",
            "Statistic",
            "Threshold",
            "TreatMissingData",
        ];
        let properties = resource.properties;
        let unknown = properties.as_object().unwrap().keys().find(|name| !UNDERSTOOD.contains(&name.as_str()));
        assert!(unknown.is_none(), "{}: {unknown:?} is not understood", resource.id);
        let number = |name: &str| properties[name].as_u64().and_then(|number| usize::try_from(number).ok());
        let evaluation_periods = number("EvaluationPeriods").expect("EvaluationPeriods");
        Self {
            id: resource.id.to_owned(),
            metric: metric(properties),
            only_while_polling: match resource.condition {
                None => false,
                Some("IsPolling") => true,
                Some(other) => panic!("{}: the condition {other} is not understood", resource.id),
            },
            statistic: match properties["Statistic"].as_str() {
                Some("Sum") => Statistic::Sum,
                Some("Average") => Statistic::Average,
                Some("Maximum") => Statistic::Maximum,
                other => panic!("{}: the statistic {other:?} is not understood", resource.id),
            },
            period_minutes: number("Period").expect("Period") / 60,
            evaluation_periods,
            datapoints_to_alarm: number("DatapointsToAlarm").unwrap_or(evaluation_periods),
            threshold: properties["Threshold"].as_f64().expect("Threshold"),
            breaches_above: match properties["ComparisonOperator"].as_str() {
                Some("GreaterThanThreshold") => true,
                Some("LessThanThreshold") => false,
                other => panic!("{}: the comparison {other:?} is not understood", resource.id),
            },
            missing: match properties["TreatMissingData"].as_str() {
                Some("breaching") => Treatment::Breaching,
                Some("notBreaching") => Treatment::NotBreaching,
                Some("ignore") => Treatment::Ignore,
                _ => Treatment::Missing,
            },
        }
    }

    /// The possible numbers of periods that CloudWatch retrieves: from those it evaluates to as many more as its
    /// example has.
    pub(super) fn ranges(&self) -> BTreeSet<usize> {
        let n = self.evaluation_periods;
        BTreeSet::from([n, n + 2, (5 * n).div_ceil(3), 2 * n])
    }

    /// For each period, by its last minute, whether it breaches; `None` without measurements.
    pub(super) fn periods(&self, metrics: &Metrics, minutes: usize) -> Vec<Option<bool>> {
        let series = metrics.get(self.metric.as_str()).map_or(&[][..], Vec::as_slice);
        (0..minutes).map(|minute| self.breaching(series, minute)).collect()
    }

    /// Whether these periods can raise it at all, which few can.
    pub(super) fn may_ring(&self, periods: &[Option<bool>]) -> bool {
        self.missing == Treatment::Breaching || periods.contains(&Some(true))
    }

    /// Whether it stays up for about a day.
    pub(super) fn is_held(&self) -> bool {
        self.period_minutes * self.evaluation_periods >= 1_440
    }

    /// The state at the end of each minute, if CloudWatch retrieves this many periods.
    pub(super) fn states(&self, periods: &[Option<bool>], range: usize) -> Vec<State> {
        let mut state = State::InsufficientData;
        let next = |minute: usize| {
            let at = |back: usize| minute.checked_sub(back * self.period_minutes).and_then(|minute| periods[minute]);
            state = self.judge((0..range).map(at), state);
            state
        };
        (0..periods.len()).map(next).collect()
    }

    /// Whether the period that ends with this minute breaches; `None` without measurements.
    fn breaching(&self, series: &[Minute], last: usize) -> Option<bool> {
        let from = (last + 1).saturating_sub(self.period_minutes);
        let window = series.get(from..series.len().min(last + 1)).unwrap_or_default();
        let (mut count, mut sum, mut most) = (0, 0.0, f64::NEG_INFINITY);
        for minute in window.iter().filter(|minute| minute.count > 0) {
            count += minute.count;
            sum += minute.sum;
            most = most.max(minute.most);
        }
        let value = match self.statistic {
            Statistic::Sum => sum,
            Statistic::Average => sum / f64::from(count),
            Statistic::Maximum => most,
        };
        let breaches = if self.breaches_above { value > self.threshold } else { value < self.threshold };
        (count > 0).then_some(breaches)
    }

    /// The state after these data points, the newest first.
    fn judge(&self, points: impl Iterator<Item = Option<bool>>, before: State) -> State {
        let (mut real, mut breaching, mut oldest_breaching) = (0, 0, 0);
        for (age, point) in points.enumerate() {
            let Some(breaches) = point else { continue };
            real += 1;
            if breaches {
                breaching += 1;
                oldest_breaching = age + 1;
            }
            if real == self.evaluation_periods {
                break;
            }
        }
        let filled = self.evaluation_periods - real;
        let enough = |breaching| if breaching >= self.datapoints_to_alarm { State::Alarm } else { State::Ok };
        match self.missing {
            _ if filled == 0 => enough(breaching),
            Treatment::Breaching => enough(breaching + filled),
            Treatment::NotBreaching => enough(breaching),
            // Nothing is filled in: the existing data decides, if it can.
            Treatment::Ignore | Treatment::Missing if breaching >= self.datapoints_to_alarm => State::Alarm,
            Treatment::Ignore | Treatment::Missing if breaching < real => State::Ok,
            Treatment::Ignore => before,
            Treatment::Missing if real > 0 && oldest_breaching >= self.datapoints_to_alarm => State::Alarm,
            Treatment::Missing => State::InsufficientData,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn alarm(evaluation_periods: usize, datapoints_to_alarm: usize, missing: Treatment) -> Alarm {
        Alarm {
            id: "A".into(),
            metric: "M".into(),
            only_while_polling: false,
            statistic: Statistic::Sum,
            period_minutes: 1,
            evaluation_periods,
            datapoints_to_alarm,
            threshold: 0.0,
            breaches_above: true,
            missing,
        }
    }

    /// The tables of the user guide: five data points with the newest on the right (`0` ok, `X` breaching, `-`
    /// missing), and the state for each treatment of missing data: missing, ignored, breaching, not breaching.
    #[test]
    fn the_tables_of_the_user_guide_hold() {
        use State::{Alarm as A, InsufficientData as I, Ok as O};
        // Kept if missing data is ignored.
        const KEPT: State = I;
        let tables = [
            (3, "0-X-X", [O, O, O, O]),
            (3, "0----", [O, O, O, O]),
            (3, "-----", [I, KEPT, A, O]),
            (3, "0XX-X", [A, A, A, A]),
            (3, "--X--", [A, KEPT, A, O]),
            (2, "0-X-X", [A, A, A, A]),
            (2, "00X0X", [A, A, A, A]),
            (2, "0-X--", [O, O, A, O]),
            (2, "----0", [O, O, A, O]),
            (2, "---X-", [A, KEPT, A, O]),
        ];
        for (datapoints, points, expected) in tables {
            let treatments = [Treatment::Missing, Treatment::Ignore, Treatment::Breaching, Treatment::NotBreaching];
            for (missing, expected) in treatments.into_iter().zip(expected) {
                let points_back = points.chars().rev().map(|point| match point {
                    '-' => None,
                    point => Some(point == 'X'),
                });
                let state = alarm(3, datapoints, missing).judge(points_back, KEPT);
                assert_eq!(state, expected, "{points} with {datapoints} of 3 and {missing:?}");
            }
        }
    }

    #[test]
    fn periods_end_with_the_minute_and_include_all_their_measurements() {
        let mut series = vec![Minute::default(); 20];
        series[7].add(2.0);
        series[7].add(4.0);
        series[9].add(0.0);
        let metrics = Metrics::from([("M", series)]);
        let up = |alarm: &Alarm| -> Vec<usize> {
            let states = alarm.states(&alarm.periods(&metrics, 20), alarm.evaluation_periods);
            (0..20).filter(|minute| states[*minute] == State::Alarm).collect()
        };
        let base = Alarm { period_minutes: 5, ..alarm(1, 1, Treatment::NotBreaching) };
        let of = |statistic, threshold| up(&Alarm { statistic, threshold, ..base.clone() });
        assert_eq!(of(Statistic::Sum, 5.5), [7, 8, 9, 10, 11]);
        assert_eq!(of(Statistic::Sum, 6.0), [0; 0], "not above");
        assert_eq!(of(Statistic::Maximum, 3.5), [7, 8, 9, 10, 11]);
        assert_eq!(of(Statistic::Average, 2.5), [7, 8], "the 0 of minute 9 counts");
        let below = Alarm { breaches_above: false, threshold: 1.0, ..base.clone() };
        assert_eq!(up(&below), [12, 13], "the 0 alone; without data it is not below");
        // Two periods of five minutes each, and one of two.
        assert_eq!(up(&Alarm { evaluation_periods: 2, datapoints_to_alarm: 2, ..base.clone() }), [0; 0]);
        let one_of_two = Alarm { evaluation_periods: 2, datapoints_to_alarm: 1, ..base };
        assert_eq!(up(&one_of_two), (7..17).collect::<Vec<_>>());
    }

    #[test]
    fn a_heartbeat_stops_when_its_last_beat_is_out_of_range() {
        let mut series = vec![Minute::default(); 60];
        (0..30).for_each(|minute| series[minute].add(1.0));
        let metrics = Metrics::from([("M", series)]);
        let heartbeat = Alarm { threshold: 1.0, breaches_above: false, ..alarm(10, 10, Treatment::Breaching) };
        let periods = heartbeat.periods(&metrics, 60);
        for range in heartbeat.ranges() {
            let states = heartbeat.states(&periods, range);
            assert_eq!(states.iter().position(|state| *state == State::Alarm), Some(29 + range), "{range}");
        }
        let ignoring = Alarm { missing: Treatment::Ignore, ..heartbeat };
        assert!(ignoring.states(&periods, 10).iter().all(|state| *state == State::Ok), "the last is kept");
    }
}
