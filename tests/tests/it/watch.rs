//! Which alarm reports which failure, and how soon: the template's alarms, under CloudWatch's rules, on the metrics of
//! each failure. docs/OPERATIONS.md says how soon each alarm rings, which is checked here.

mod alarm;
mod failures;
mod stack;

use std::collections::{BTreeMap, BTreeSet};
use std::fs;

use serde_json::{Value, json};

use crate::template::document::{Template, root};
use alarm::{Alarm, Metrics, Minute, State};
use failures::{BLIPS, FAILURES, Failure};
use stack::{Fault, ROLLUPS, Run, measured};

/// The allowed schedules, in minutes.
const RATES: [usize; 3] = [1, 2, 5];

/// A failure may begin at any minute; this one is between two ticks of any schedule, and before the next poll of each.
const FAILS_FROM: usize = 311;
const DAY: usize = 1_440;

fn alarms(template: &Template) -> Vec<Alarm> {
    template.of("AWS::CloudWatch::Alarm").map(|resource| Alarm::read(&resource)).collect()
}

/// For each minute, whether an alarm is up for all of CloudWatch's possible ranges, and whether for some.
type Up = Vec<(bool, bool)>;

/// The alarms that are ever up.
fn up(alarms: &[Alarm], metrics: &Metrics, minutes: usize) -> BTreeMap<String, Up> {
    let mut ups = BTreeMap::new();
    for alarm in alarms {
        let periods = alarm.periods(metrics, minutes);
        if !alarm.may_ring(&periods) {
            continue;
        }
        let mut up = vec![(true, false); minutes];
        for range in alarm.ranges() {
            for ((all, any), state) in up.iter_mut().zip(alarm.states(&periods, range)) {
                *all &= state == State::Alarm;
                *any |= state == State::Alarm;
            }
        }
        if up.iter().any(|(_, any)| *any) {
            ups.insert(alarm.id.clone(), up);
        }
    }
    ups
}

/// A run of a stack with a failure.
fn run_of(failure: &Failure, alarms: &[Alarm], cadence: usize, rate: usize) -> Run {
    let daily = usize::from(cadence == DAY) * DAY;
    let fails_from = FAILS_FROM + daily;
    let mended_at = fails_from + daily + failure.lasts_hours * 60;
    let is_held = |alarm: &Alarm| alarm.is_held() && failure.rings.contains(&alarm.id.as_str());
    // Alarms held for a day, or for two if CloudWatch looks back that far, are over at the end.
    let after = if alarms.iter().any(is_held) { 2 * DAY } else { daily };
    let cadences = vec![cadence, 15, DAY];
    Run { minutes: mended_at + after + 120, rate, cadences, fault: failure.fault, fails_from, mended_at }
}

/// The errors in the report of a failure, and after how many minutes each alarm fires at the latest.
fn message(alarms: &[Alarm], failure: &Failure, wrong: &mut Vec<String>) -> BTreeMap<String, usize> {
    let mut latest: BTreeMap<String, usize> = BTreeMap::new();
    for (cadence, rate) in failure.cadences.iter().flat_map(|cadence| RATES.map(|rate| (*cadence, rate))) {
        let run = run_of(failure, alarms, cadence, rate);
        let (metrics, wrong_at) = measured(&run);
        let mut say = |what: String| wrong.push(format!("{} ({cadence} min, tick of {rate}): {what}", failure.what));
        let (well, _) = measured(&Run { fault: Fault::default(), ..run.clone() });
        for name in failure.moves.iter().filter(|name| !moves(&well, &metrics, name)) {
            say(format!("{name} does not move"));
        }
        let up = up(alarms, &metrics, run.minutes);
        let rang: BTreeSet<&str> = up.keys().map(String::as_str).collect();
        let expected: BTreeSet<&str> = failure.rings.iter().copied().collect();
        if rang != expected {
            say(format!("{rang:?} ring, and not {expected:?}"));
        }
        let mut first = usize::MAX;
        for (id, up) in &up {
            let Some(begins) = up.iter().position(|(all, _)| *all) else {
                say(format!("{id} rings for some ranges only"));
                continue;
            };
            let after = (begins + 1).saturating_sub(wrong_at);
            first = first.min(after);
            let known = latest.entry(id.clone()).or_default();
            *known = after.max(*known);
            if up[..wrong_at].iter().any(|(_, any)| *any) {
                say(format!("{id} rings before anything is wrong"));
            }
            if !up[begins..run.mended_at].iter().all(|(all, _)| *all) {
                say(format!("{id} does not stay until it is corrected"));
            }
            if up[run.minutes - 1].1 {
                say(format!("{id} stays for ever"));
            }
        }
        if first > failure.within_minutes && !up.is_empty() {
            say(format!("the first rings after {first} minutes, not within {}", failure.within_minutes));
        }
    }
    latest
}

/// Whether any metric of a name differs.
fn moves(well: &Metrics, ill: &Metrics, name: &str) -> bool {
    let named = |metric: &str| metric.split(' ').nth(1) == Some(name);
    let mut names = well.keys().chain(ill.keys()).filter(|metric| named(metric));
    names.any(|metric| well.get(metric) != ill.get(metric))
}

/// The alarms that fire for a transient fault.
fn rings_of_a_blip(alarms: &[Alarm], wrong: &mut Vec<String>) {
    for (what, cadences, fault, lasts) in BLIPS {
        for (cadence, rate) in cadences.iter().flat_map(|cadence| RATES.map(|rate| (*cadence, rate))) {
            // At the search's own poll, otherwise the fault would pass unnoticed.
            let fails_from = if cadence == DAY { DAY } else { 360 };
            let (minutes, mended_at) = (fails_from + 360, fails_from + lasts);
            let run = Run { minutes, rate, cadences: vec![cadence, 15, DAY], fault: *fault, fails_from, mended_at };
            let rang = up(alarms, &measured(&run).0, run.minutes);
            wrong.extend(rang.into_keys().map(|id| format!("{what} ({cadence} min, tick of {rate}): {id} rings")));
        }
    }
}

/// The alarms that fire for idle stacks.
fn rings_of_nothing(alarms: &[Alarm], wrong: &mut Vec<String>) {
    for rate in RATES {
        let fault = Fault::default();
        let run = Run { minutes: DAY, rate, cadences: Vec::new(), fault, fails_from: 0, mended_at: 0 };
        let rang = up(alarms, &measured(&run).0, run.minutes);
        wrong.extend(rang.into_keys().map(|id| format!("a stack without a search: {id} rings")));
    }
    let while_off: Vec<Alarm> = alarms.iter().filter(|alarm| !alarm.only_while_polling).cloned().collect();
    // The roll-up's schedule continues.
    let mut rollups = vec![Minute::default(); DAY];
    rollups.iter_mut().for_each(|minute| minute.add(1.0));
    let rang = up(&while_off, &Metrics::from([(ROLLUPS, rollups)]), DAY);
    wrong.extend(rang.into_keys().map(|id| format!("a stack with polling off: {id} rings")));
}

#[test]
fn each_failure_is_reported_until_it_is_corrected() {
    let alarms = alarms(&Template::load());
    let mut wrong = Vec::new();
    let message = FAILURES.iter().flat_map(|failure| message(&alarms, failure, &mut wrong).into_keys());
    let message: BTreeSet<String> = message.collect();
    wrong.extend(
        alarms.iter().filter(|alarm| !message.contains(&alarm.id)).map(|alarm| format!("{} is idle", alarm.id)),
    );
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn transient_faults_raise_no_alarm() {
    let alarms = alarms(&Template::load());
    let mut wrong = Vec::new();
    rings_of_a_blip(&alarms, &mut wrong);
    rings_of_nothing(&alarms, &mut wrong);
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

/// The findings after a value below `Resources` was replaced, or, with `null`, removed; for the changed alarm.
fn caught(pointer: &str, value: Value, what: &str) {
    let mut template = Template::load();
    let id = pointer.split('/').next().unwrap();
    let pointer = format!("/Resources/{pointer}");
    let (parent, key) = pointer.rsplit_once('/').unwrap();
    let parent = template.0.pointer_mut(parent).and_then(Value::as_object_mut).unwrap();
    assert!(!value.is_null() || parent.contains_key(key), "{pointer} is not in the template");
    if value.is_null() {
        drop(parent.remove(key))
    } else {
        drop(parent.insert(key.to_owned(), value))
    }
    let alarms: Vec<Alarm> = alarms(&template).into_iter().filter(|alarm| alarm.id == id).collect();
    let mut wrong = Vec::new();
    for failure in FAILURES.iter().filter(|failure| failure.rings.contains(&id)) {
        // Only this alarm is checked.
        let of_it: &[&str] = failure.rings.iter().position(|it| *it == id).map_or(&[], |at| &failure.rings[at..=at]);
        message(&alarms, &Failure { rings: of_it, ..*failure }, &mut wrong);
    }
    rings_of_a_blip(&alarms, &mut wrong);
    rings_of_nothing(&alarms, &mut wrong);
    assert!(wrong.iter().any(|found| found.contains(what)), "{pointer}: no {what:?} among {wrong:#?}");
}

#[test]
fn an_alarm_that_is_gone_is_missed() {
    for alarm in alarms(&Template::load()) {
        caught(&alarm.id, Value::Null, &format!("and not {{{:?}}}", alarm.id));
    }
}

#[test]
fn an_alarm_that_is_too_slow_or_too_eager_is_caught() {
    for (pointer, value, what) in [
        // A breaker that skips, or a silent planner, must not look like the end of the failure.
        ("SearchesOverdue/Properties/MetricName", json!("PollsFailed"), "{} ring, and not"),
        ("SearchesOverdue/Properties/EvaluationPeriods", json!(3), "a poll fails, and the next succeeds"),
        ("SearchesOverdue/Properties/EvaluationPeriods", json!(7), "not within 60"),
        ("SearchesOverdue/Properties/Dimensions/0/Name", json!("Function"), "{} ring, and not"),
        ("PlannerSilent/Properties/TreatMissingData", json!("notBreaching"), "{} ring, and not"),
        ("PlannerSilent/Condition", Value::Null, "polling off: PlannerSilent"),
        ("PlannerSilent/Properties/EvaluationPeriods", json!(3), "nothing (1 min, tick of 5): PlannerSilent"),
        // Over five minutes after each poll, it would be an OK while nothing is corrected.
        ("Quarantined/Properties/EvaluationPeriods", json!(1), "Quarantined does not stay"),
        ("MetricsGaveUp/Properties/Period", json!(300), "MetricsGaveUp does not stay"),
        ("ConfigInvalid/Properties/Period", json!(60), "ConfigInvalid does not stay"),
        ("LambdaThrottles/Properties/EvaluationPeriods", json!(1), "a burst of throttles"),
        ("LakeDeliveryFailed/Properties/Statistic", json!("Maximum"), "{} ring, and not"),
        ("RecordsFailed/Properties/EvaluationPeriods", json!(1), "a batch is given back twice"),
        ("RollUpSilent/Properties/TreatMissingData", json!("notBreaching"), "{} ring, and not"),
        ("RollUpSilent/Properties/EvaluationPeriods", json!(3), "no roll-up for five minutes"),
        ("RollUpErrors/Properties/EvaluationPeriods", json!(1), "a county of it, fails for two minutes"),
        // One failing area is one error a minute.
        ("RollUpErrors/Properties/Threshold", json!(5), "{} ring, and not"),
        ("RollUpLag/Properties/EvaluationPeriods", json!(1), "markets wait after an outage"),
        ("RollUpLag/Properties/Threshold", json!(15_000), "nothing (1 min"),
    ] {
        caught(pointer, value, what);
    }
}

/// The table of alarms of docs/OPERATIONS.md: each alarm, and after how many minutes it rings at the latest.
fn explained() -> BTreeMap<String, usize> {
    let text = fs::read_to_string(root().join("docs/OPERATIONS.md")).unwrap();
    let (_, section) = text.split_once("\n## Alarms\n").unwrap();
    let (_, table) = section.split_once("| alarm | minutes | it means | what to do |\n").unwrap();
    let mut explained = BTreeMap::new();
    for line in table.split_once("\n\n").unwrap().0.lines().skip(1) {
        let cells: Vec<&str> = line.split('|').collect();
        let ids: Vec<&str> = cells[1].split('`').skip(1).step_by(2).collect();
        let minutes: Vec<usize> = cells[2].split(',').map(|minutes| minutes.trim().parse().unwrap()).collect();
        assert_eq!(ids.len(), minutes.len(), "{line}");
        explained.extend(ids.into_iter().map(str::to_owned).zip(minutes));
    }
    explained
}

#[test]
fn operations_says_how_soon_each_alarm_rings() {
    let alarms = alarms(&Template::load());
    let mut latest: BTreeMap<String, usize> = BTreeMap::new();
    for (id, after) in FAILURES.iter().flat_map(|failure| message(&alarms, failure, &mut Vec::new())) {
        let known = latest.entry(id).or_default();
        *known = after.max(*known);
    }
    assert_eq!(explained(), latest, "left: docs/OPERATIONS.md; right: what follows from the template");
}

#[test]
fn operations_explains_each_alarm() {
    let explained: BTreeSet<String> = explained().into_keys().collect();
    let template = Template::load();
    let there: BTreeSet<String> = template.of("AWS::CloudWatch::Alarm").map(|alarm| alarm.id.to_owned()).collect();
    assert_eq!(explained, there, "left: the alarms of docs/OPERATIONS.md; right: the alarms of the template");
}
