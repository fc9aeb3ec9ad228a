//! What must wake somebody.

use std::collections::BTreeSet;

use serde_json::Value;

use super::document::{Template, listed, reference};
use super::rules::Findings;

/// The metrics of our own that stand for something that a person has to mend, with the function that counts them.
const OURS: [(&str, &str); 6] = [
    ("Quarantined", "poller"),
    ("Quarantined", "metrics"),
    ("Quarantined", "alerts"),
    ("PollsFailed", "poller"),
    ("FieldsDrifted", "poller"),
    ("ConfigInvalid", "planner"),
];

/// Whether some alarm watches a metric in which a dimension refers to the resource, or is the text, `of`.
fn watched(template: &Template, namespace: &str, metric: &str, of: &str) -> bool {
    template.of("AWS::CloudWatch::Alarm").any(|alarm| {
        let mut dimensions = listed(&alarm.properties["Dimensions"]).into_iter().map(|dimension| &dimension["Value"]);
        alarm.properties["Namespace"] == namespace
            && alarm.properties["MetricName"] == metric
            && dimensions.any(|value| reference(value) == Some(of) || value.as_str() == Some(of))
    })
}

/// Every queue in which something ends that was given up.
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

pub(crate) fn what_matters_has_an_alarm(template: &Template, findings: &mut Findings) {
    let mut expect = |namespace, metric, of: &str| {
        findings.unless(watched(template, namespace, metric, of), || format!("{of}: no alarm watches {metric}"));
    };
    for function in template.functions() {
        expect("AWS/Lambda", "Errors", function.id);
        expect("AWS/Lambda", "Throttles", function.id);
    }
    for mapping in template.mappings(true) {
        expect("AWS/Lambda", "IteratorAge", reference(&mapping.properties["FunctionName"]).unwrap());
        expect("AWS/Lambda", "OnFailureDestinationDeliveredEventCount", mapping.id);
    }
    for queue in dead_letter_queues(template) {
        expect("AWS/SQS", "ApproximateNumberOfMessagesVisible", queue);
    }
    for delivery in template.of("AWS::KinesisFirehose::DeliveryStream") {
        expect("AWS/Firehose", "DeliveryToS3.DataFreshness", delivery.id);
    }
    for (metric, function) in OURS {
        expect("Stoop", metric, function);
    }
    for mapping in template.mappings(true) {
        // Without this Lambda does not publish what the alarm on the failure destination watches.
        let counts = listed(&mapping.properties["MetricsConfig"]["Metrics"]).iter().any(|name| **name == "EventCount");
        findings.unless(counts, || format!("{}: MetricsConfig does not have EventCount", mapping.id));
    }
}

pub(crate) fn alarms_are_heard(template: &Template, findings: &mut Findings) {
    for alarm in template.of("AWS::CloudWatch::Alarm") {
        let actions = listed(&alarm.properties["AlarmActions"]);
        let told = actions.iter().any(|action| template.named(action).is_some_and(|it| it.kind == "AWS::SNS::Topic"));
        findings.unless(told, || format!("{}: AlarmActions names no topic of this template", alarm.id));
        findings.unless(alarm.properties["TreatMissingData"] == "notBreaching", || {
            format!("{}: TreatMissingData is not notBreaching, and an idle stack would be alarmed", alarm.id)
        });
        findings.unless(alarm.properties["AlarmDescription"].is_string(), || format!("{}: no description", alarm.id));
        // What is off says nothing; MiniStack refuses metric math, so that no alarm may need it.
        findings
            .unless(alarm.properties["ActionsEnabled"] != Value::Bool(false), || format!("{}: it is off", alarm.id));
        findings.unless(alarm.properties["Metrics"].is_null(), || format!("{}: it needs metric math", alarm.id));
    }
}
