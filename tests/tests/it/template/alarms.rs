//! Which failures must raise an alarm. `watch` computes whether and how soon they do.

use std::collections::BTreeSet;

use serde_json::{Value, json};
use stoop_pipeline::ErrorCode;

use super::document::{Template, listed, reference, root};
use super::rules::{Findings, findings, keeps_what_fails};
use super::{assert_caught, caught, sources};

/// Our own metrics for problems that a person must correct.
const OURS: [&str; 7] =
    ["ConfigInvalid", "FieldsDrifted", "LossesHeld", "Quarantined", "RecordsFailed", "RollUpLagMs", "SearchesOverdue"];

/// Whether an alarm watches a metric with this single dimension, which refers to `of`, or, with `None`, without
/// dimensions.
fn watched(template: &Template, namespace: &str, metric: &str, dimension: Option<(&str, &str)>) -> bool {
    let expected: Vec<_> = dimension.into_iter().map(|(name, of)| (Some(name), Some(of))).collect();
    template.of("AWS::CloudWatch::Alarm").any(|alarm| {
        let dimensions = listed(&alarm.properties["Dimensions"]).into_iter();
        let dimensions = dimensions.map(|dimension| (dimension["Name"].as_str(), reference(&dimension["Value"])));
        alarm.properties["Namespace"] == namespace
            && alarm.properties["MetricName"] == metric
            && dimensions.collect::<Vec<_>>() == expected
    })
}

/// Every dead-letter queue.
fn dead_letter_queues(template: &Template) -> BTreeSet<&str> {
    let of_queues =
        template.of("AWS::SQS::Queue").map(|queue| &queue.properties["RedrivePolicy"]["deadLetterTargetArn"]);
    let schedules = template.of("AWS::Scheduler::Schedule");
    let of_schedules = schedules.map(|schedule| &schedule.properties["Target"]["DeadLetterConfig"]["Arn"]);
    let of_functions = template
        .functions()
        .map(|function| &function.properties["EventInvokeConfig"]["DestinationConfig"]["OnFailure"]["Destination"]);
    of_queues.chain(of_schedules).chain(of_functions).filter_map(reference).collect()
}

pub(crate) fn failures_have_alarms(template: &Template, findings: &mut Findings) {
    let mut expect = |namespace, metric, dimension: Option<(&str, &str)>| {
        let of = dimension.map_or("the account", |(_, of)| of);
        findings.unless(watched(template, namespace, metric, dimension), || format!("{of}: no alarm watches {metric}"));
    };
    // A scheduled function has a heartbeat, and a failure there or between queue and function ends in dead letters, if
    // it has any.
    let function_of = |value| template.named(value).map(|function| function.id);
    for schedule in template.of("AWS::Scheduler::Schedule") {
        let function = function_of(&schedule.properties["Target"]["Arn"]).unwrap_or_default();
        expect("AWS/Lambda", "Invocations", Some(("FunctionName", function)));
    }
    let queued = template.mappings(false).filter_map(|mapping| function_of(&mapping.properties["FunctionName"]));
    let with_dead_letters = template.of("AWS::Scheduler::Schedule").filter(|it| keeps_what_fails(template, it));
    let with_dead_letters = with_dead_letters.filter_map(|it| function_of(&it.properties["Target"]["Arn"]));
    let reported_elsewhere: BTreeSet<&str> = queued.chain(with_dead_letters).collect();
    for function in template.functions().filter(|it| !reported_elsewhere.contains(it.id)) {
        expect("AWS/Lambda", "Errors", Some(("FunctionName", function.id)));
    }
    for metric in ["Throttles", "DestinationDeliveryFailures"] {
        expect("AWS/Lambda", metric, None);
    }
    // A function that reads two feeds reports the greater of their ages.
    let readers = template.mappings(true).map(|mapping| reference(&mapping.properties["FunctionName"]).unwrap());
    for function in readers.collect::<BTreeSet<_>>() {
        expect("AWS/Lambda", "IteratorAge", Some(("FunctionName", function)));
    }
    for mapping in template.mappings(true) {
        let given_up = "OnFailureDestinationDeliveredEventCount";
        expect("AWS/Lambda", given_up, Some(("EventSourceMappingUUID", mapping.id)));
    }
    for queue in dead_letter_queues(template) {
        expect("AWS/SQS", "ApproximateNumberOfMessagesVisible", Some(("QueueName", queue)));
    }
    for delivery in template.of("AWS::KinesisFirehose::DeliveryStream") {
        for metric in ["DeliveryToS3.Success", "DeliveryToS3.DataFreshness"] {
            expect("AWS/Firehose", metric, Some(("DeliveryStreamName", delivery.id)));
        }
    }
    for metric in OURS {
        expect("Stoop", metric, Some(("Stack", "AWS::StackName")));
    }
    for mapping in template.mappings(true) {
        // Without this Lambda does not publish the metric that the alarm on the failure destination watches.
        let counts = listed(&mapping.properties["MetricsConfig"]["Metrics"]).iter().any(|name| **name == "EventCount");
        findings.unless(counts, || format!("{}: MetricsConfig does not have EventCount", mapping.id));
    }
}

pub(crate) fn alarms_are_heard(template: &Template, findings: &mut Findings) {
    let while_polling = json!({ "Fn::Equals": [{ "Ref": "Polling" }, "ENABLED"] });
    for alarm in template.of("AWS::CloudWatch::Alarm") {
        let actions = listed(&alarm.properties["AlarmActions"]);
        let message =
            actions.iter().any(|action| template.named(action).is_some_and(|it| it.kind == "AWS::SNS::Topic"));
        findings.unless(message, || format!("{}: AlarmActions names no topic of this template", alarm.id));
        let condition = alarm.condition.map(|condition| &template.0["Conditions"][condition]);
        findings.unless(condition.is_none_or(|condition| *condition == while_polling), || {
            format!("{}: it is there on another condition than that polling is on", alarm.id)
        });
        // An alarm that treats missing data as breaching, or ignores it, may only exist while there is data.
        let missing = &alarm.properties["TreatMissingData"];
        let calm = missing == "notBreaching"
            || condition.is_some() && (missing == "breaching" || missing == "ignore")
            || missing == "breaching" && is_always_heard(template, alarm.properties);
        findings.unless(calm, || {
            format!("{}: TreatMissingData is not notBreaching, and an idle stack would be alarmed", alarm.id)
        });
        findings.unless(alarm.properties["AlarmDescription"].is_string(), || format!("{}: no description", alarm.id));
        // A disabled function reports nothing; MiniStack refuses metric math, so no alarm may need it.
        findings
            .unless(alarm.properties["ActionsEnabled"] != Value::Bool(false), || format!("{}: it is off", alarm.id));
        findings.unless(alarm.properties["Metrics"].is_null(), || format!("{}: it needs metric math", alarm.id));
    }
}

/// The description of an alarm ends with the code of `docs/ERRORS.md` that has its name, and with no other word in
/// parentheses.
pub(crate) fn alarms_name_their_codes(template: &Template, findings: &mut Findings) {
    let camel = |code: &str| code.split('_').map(|word| word[..1].to_uppercase() + &word[1..]).collect::<String>();
    for alarm in template.of("AWS::CloudWatch::Alarm") {
        let description = alarm.properties["AlarmDescription"].as_str().unwrap_or_default();
        let named = description.rsplit_once(" (").and_then(|(_, end)| end.strip_suffix(")."));
        let own = ErrorCode::ALL.map(ErrorCode::as_str).into_iter().find(|code| camel(code) == alarm.id);
        findings.unless(named == own, || format!("{}: its code is {own:?}, and it names {named:?}", alarm.id));
    }
}

/// Whether an alarm watches a schedule that no parameter can switch off.
fn is_always_heard(template: &Template, alarm: &Value) -> bool {
    let function = listed(&alarm["Dimensions"]).first().and_then(|dimension| reference(&dimension["Value"]));
    alarm["MetricName"] == "Invocations"
        && template.of("AWS::Scheduler::Schedule").any(|schedule| {
            reference(&schedule.properties["Target"]["Arn"]) == function && schedule.properties["State"] == "ENABLED"
        })
}

/// The minutes of `rate(5 minutes)`.
fn rate_minutes(expression: &Value) -> Option<u64> {
    let rate = expression.as_str()?.strip_prefix("rate(")?.strip_suffix(')')?;
    let (number, unit) = rate.split_once(' ')?;
    matches!(unit, "minute" | "minutes").then(|| number.parse().ok())?
}

pub(crate) fn a_heartbeat_waits_for_two_ticks(template: &Template, findings: &mut Findings) {
    for schedule in template.of("AWS::Scheduler::Schedule") {
        let expression = &schedule.properties["ScheduleExpression"];
        let of_parameter = reference(expression).map(|name| &template.0["Parameters"][name]["AllowedValues"]);
        let rates = listed(of_parameter.unwrap_or(expression)).into_iter().map(rate_minutes);
        let rates: Option<Vec<u64>> = rates.collect();
        let longest = rates.and_then(|rates| rates.into_iter().max());
        let target = reference(&schedule.properties["Target"]["Arn"]);
        let of_target = |dimensions: &Value| listed(dimensions).iter().any(|it| reference(&it["Value"]) == target);
        let heartbeats = template.of("AWS::CloudWatch::Alarm").filter(|alarm| {
            alarm.properties["MetricName"] == "Invocations" && of_target(&alarm.properties["Dimensions"])
        });
        for heartbeat in heartbeats {
            let number = |name: &str| heartbeat.properties[name].as_u64().unwrap_or_default();
            let waits = number("Period") * number("EvaluationPeriods");
            findings.unless(longest.is_some_and(|longest| waits >= 2 * 60 * longest), || {
                format!("{}: it waits for {waits} s, and {expression} may be longer than half of it", heartbeat.id)
            });
        }
    }
}

#[test]
fn a_schedule_that_is_slower_than_its_heartbeat_is_caught() {
    const RULE: &str = "a heartbeat waits for two ticks";
    caught("PlannerSilent/Properties/EvaluationPeriods", json!(9), RULE, &["PlannerSilent"]);
    for allowed in [json!(["rate(1 minute)", "rate(6 minutes)"]), json!(["rate(1 hour)"]), Value::Null] {
        let mut template = Template::load();
        template.0["Parameters"]["PlannerRate"]["AllowedValues"] = allowed;
        assert_caught(&findings(&template), RULE, &["PlannerSilent"]);
    }
    caught("RollUpSilent/Properties/EvaluationPeriods", json!(1), RULE, &["RollUpSilent"]);
    for expression in ["rate(6 minutes)", "cron(* * * * ? *)"] {
        caught("RollupSchedule/Properties/ScheduleExpression", json!(expression), RULE, &["RollUpSilent"]);
    }
}

#[test]
fn an_alarm_without_its_code_or_with_another_is_caught() {
    const RULE: &str = "alarms name their codes";
    for (alarm, description) in [
        ("LossesHeld", "A loss is held back."),
        ("LossesHeld", "A loss is held back (quarantined)."),
        ("PlannerSilent", "It is silent (planner_silent)."),
    ] {
        caught(&format!("{alarm}/Properties/AlarmDescription"), json!(description), RULE, &[alarm]);
    }
}

#[test]
fn alarms_and_dashboard_use_metrics_with_only_the_stack_dimension() {
    let template = Template::load();
    let text = sources(&root().join("functions"));
    let counted = |name: &str| text.contains(&format!("\"{name}\""));
    let of_us = template.of("AWS::CloudWatch::Alarm").filter(|alarm| alarm.properties["Namespace"] == "Stoop");
    for alarm in of_us {
        let name = alarm.properties["MetricName"].as_str().unwrap();
        assert!(counted(name), "{}: nothing counts {name}", alarm.id);
    }
    let dashboards: Vec<_> = template.of("AWS::CloudWatch::Dashboard").collect();
    assert_eq!(dashboards.len(), 1);
    let body = dashboards[0].properties["DashboardBody"]["Fn::Sub"].as_str().unwrap();
    let body: Value = serde_json::from_str(body).expect("the dashboard is JSON");
    let widgets = body["widgets"].as_array().unwrap().iter();
    let shown: Vec<&Value> = widgets.flat_map(|widget| listed(&widget["properties"]["metrics"])).collect();
    // A dashboard of more than fifty metrics is not among the free ones.
    assert!((30..=50).contains(&shown.len()), "{} metrics", shown.len());
    for metric in shown.into_iter().filter(|metric| metric[0] == "Stoop") {
        let name = metric[1].as_str().unwrap();
        assert!(counted(name), "nothing counts {name}");
        assert_eq!((&metric[2], &metric[3]), (&json!("Stack"), &json!("${AWS::StackName}")), "{name}");
        assert!(metric[4].is_null() || metric[4].is_object(), "{name} has another dimension: {metric}");
    }
}
