//! Rules that the template must always keep.

use std::collections::BTreeSet;

use serde_json::{Value, json};

use super::document::{Resource, Template, listed, reference};

/// A broken rule, and where.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Finding {
    pub(crate) rule: &'static str,
    pub(crate) what: String,
}

/// The findings of one rule.
pub(crate) struct Findings {
    pub(crate) rule: &'static str,
    pub(crate) found: Vec<Finding>,
}

impl Findings {
    pub(crate) fn unless(&mut self, holds: bool, what: impl FnOnce() -> String) {
        if !holds {
            self.found.push(Finding { rule: self.rule, what: what() });
        }
    }
}

/// A rule of the project.
type Rule = fn(&Template, &mut Findings);

const RULES: &[(&str, Rule)] = &[
    ("retries are bounded", retries_are_bounded),
    ("failures have a destination", failures_have_a_destination),
    ("partial failures are reported", partial_failures_are_reported),
    ("visibility outlives the function", visibility_outlives_the_function),
    ("logs are kept for a while", logs_are_kept_for_a_while),
    ("buckets are closed", buckets_are_closed),
    ("data at rest is encrypted", data_at_rest_is_encrypted),
    ("parameters explain themselves", parameters_explain_themselves),
    ("failures have alarms", super::alarms::failures_have_alarms),
    ("alarms are heard", super::alarms::alarms_are_heard),
    ("alarms name their codes", super::alarms::alarms_name_their_codes),
    ("a heartbeat waits for two ticks", super::alarms::a_heartbeat_waits_for_two_ticks),
    ("policies name actions and resources", super::policies::policies_name_actions_and_resources),
    ("conditions fail closed", super::policies::conditions_fail_closed),
    ("a policy is of one queue or topic", super::account::policies_are_of_one_queue_or_topic),
    ("nothing is reserved by default", super::account::nothing_is_reserved_by_default),
    ("recursion is allowed where it is meant", super::account::recursion_is_allowed_where_it_is_meant),
    ("resources beyond the stack's tags are tagged", super::account::resources_beyond_the_stacks_tags_are_tagged),
    ("new versions of stream readers can shift gradually", super::shifts::new_versions_can_shift_gradually),
    ("roles can be bounded", super::shifts::roles_can_be_bounded),
    ("nothing is traced unless it is asked for", super::traces::nothing_is_traced_unless_it_is_asked_for),
    ("properties are within AWS's limits", super::limits::properties_are_within_awss_limits),
];

/// Every finding of every rule.
pub(crate) fn findings(template: &Template) -> Vec<Finding> {
    let of_rule = |(rule, check): &(&'static str, Rule)| {
        let mut findings = Findings { rule, found: Vec::new() };
        check(template, &mut findings);
        findings.found
    };
    RULES.iter().flat_map(of_rule).collect()
}

/// Whether a value is bounded, and within these bounds.
fn within(template: &Template, value: &Value, least: f64, greatest: f64) -> bool {
    template.bounds(value).is_some_and(|(from, until)| from >= least && until <= greatest)
}

/// The functions that a schedule invokes, asynchronously.
fn invoked_by_schedule(template: &Template) -> Vec<Resource<'_>> {
    let schedules = template.of("AWS::Scheduler::Schedule");
    schedules.filter_map(|schedule| template.named(&schedule.properties["Target"]["Arn"])).collect()
}

fn retries_are_bounded(template: &Template, findings: &mut Findings) {
    for mapping in template.mappings(true) {
        let properties = mapping.properties;
        // -1 means unlimited. An outage of minutes would use up a number of tries.
        let endless = within(template, &properties["MaximumRetryAttempts"], -1.0, -1.0);
        findings.unless(endless, || format!("{}: MaximumRetryAttempts is not -1", mapping.id));
        // So age is the bound. A change feed keeps a day, and a stream perhaps as little: a failing record must be
        // moved away before.
        findings.unless(within(template, &properties["MaximumRecordAgeInSeconds"], 60.0, 86_399.0), || {
            format!("{}: MaximumRecordAgeInSeconds is not between a minute and less than a day", mapping.id)
        });
    }
    for mapping in template.mappings(false) {
        let queue = template.named(&mapping.properties["EventSourceArn"]).unwrap();
        let receives = &queue.properties["RedrivePolicy"]["maxReceiveCount"];
        findings.unless(within(template, receives, 1.0, 10.0), || {
            format!("{}: maxReceiveCount is not between 1 and 10", queue.id)
        });
    }
    for schedule in template.of("AWS::Scheduler::Schedule") {
        let policy = &schedule.properties["Target"]["RetryPolicy"];
        // The defaults are 185 times and a day.
        let bounded = within(template, &policy["MaximumRetryAttempts"], 0.0, 10.0)
            && within(template, &policy["MaximumEventAgeInSeconds"], 60.0, 3_600.0);
        findings.unless(bounded, || format!("{}: RetryPolicy is not bounded", schedule.id));
    }
    for function in invoked_by_schedule(template) {
        let config = &function.properties["EventInvokeConfig"];
        let bounded = within(template, &config["MaximumRetryAttempts"], 0.0, 2.0)
            && within(template, &config["MaximumEventAgeInSeconds"], 60.0, 3_600.0);
        findings.unless(bounded, || format!("{}: EventInvokeConfig does not bound retries and age", function.id));
    }
}

fn failures_have_a_destination(template: &Template, findings: &mut Findings) {
    let is = |value: &Value, kind: &str| template.named(value).is_some_and(|resource| resource.kind == kind);
    for mapping in template.mappings(true) {
        // SQS and SNS would get only the positions of the records; S3 gets the records.
        let destination = &mapping.properties["DestinationConfig"]["OnFailure"]["Destination"];
        findings.unless(is(destination, "AWS::S3::Bucket"), || {
            format!("{}: OnFailure has no bucket of this template as its destination", mapping.id)
        });
    }
    for mapping in template.mappings(false) {
        let queue = template.named(&mapping.properties["EventSourceArn"]).unwrap();
        let dead = template.named(&queue.properties["RedrivePolicy"]["deadLetterTargetArn"]);
        let alike = dead.is_some_and(|dead| dead.properties["FifoQueue"] == queue.properties["FifoQueue"]);
        findings.unless(alike, || format!("{}: RedrivePolicy names no queue of the same kind", queue.id));
    }
    for schedule in template.of("AWS::Scheduler::Schedule") {
        let Some(function) = template.named(&schedule.properties["Target"]["Arn"]) else { continue };
        let dead = &schedule.properties["Target"]["DeadLetterConfig"]["Arn"];
        let config = &function.properties["EventInvokeConfig"];
        let destination = &config["DestinationConfig"]["OnFailure"]["Destination"];
        if keeps_what_fails(template, &schedule) {
            findings
                .unless(is(dead, "AWS::SQS::Queue"), || format!("{}: DeadLetterConfig names no queue", schedule.id));
            findings.unless(is(destination, "AWS::SQS::Queue"), || {
                format!("{}: EventInvokeConfig has no queue as its on-failure destination", function.id)
            });
        } else {
            // If the next tick does all of the work, there is nothing to keep or retry. Another rule checks that the
            // number of retries is set.
            let once = |retries: &Value| retries.is_null() || within(template, retries, 0.0, 0.0);
            findings.unless(once(&schedule.properties["Target"]["RetryPolicy"]["MaximumRetryAttempts"]), || {
                format!("{}: it tries again, and has no DeadLetterConfig", schedule.id)
            });
            findings.unless(once(&config["MaximumRetryAttempts"]), || {
                format!("{}: it is retried, and EventInvokeConfig has no destination", function.id)
            });
        }
    }
}

/// Whether the failed ticks of a schedule are kept: by the schedule or by its function.
pub(crate) fn keeps_what_fails(template: &Template, schedule: &Resource<'_>) -> bool {
    let target = &schedule.properties["Target"];
    let of_function = |it: Resource<'_>| !it.properties["EventInvokeConfig"]["DestinationConfig"].is_null();
    !target["DeadLetterConfig"].is_null() || template.named(&target["Arn"]).is_some_and(of_function)
}

fn partial_failures_are_reported(template: &Template, findings: &mut Findings) {
    for mapping in template.of("AWS::Lambda::EventSourceMapping") {
        let reports = mapping.properties["FunctionResponseTypes"] == json!(["ReportBatchItemFailures"]);
        findings.unless(reports, || format!("{}: FunctionResponseTypes is not ReportBatchItemFailures", mapping.id));
    }
    for mapping in template.mappings(true) {
        let bisects = mapping.properties["BisectBatchOnFunctionError"] == true;
        findings.unless(bisects, || format!("{}: BisectBatchOnFunctionError is not true", mapping.id));
    }
}

fn visibility_outlives_the_function(template: &Template, findings: &mut Findings) {
    for mapping in template.mappings(false) {
        let queue = template.named(&mapping.properties["EventSourceArn"]).unwrap();
        let function = template.named(&mapping.properties["FunctionName"]).unwrap();
        let visible = template.bounds(&queue.properties["VisibilityTimeout"]).unwrap_or((30.0, 30.0)).0;
        let timeout = template.bounds(&function.properties["Timeout"]).unwrap_or((900.0, 900.0)).1;
        // AWS's advice, so that Lambda's own retries of a throttled delivery find the message still hidden.
        findings.unless(visible >= 6.0 * timeout, || {
            format!(
                "{}: {visible} s of visibility are less than six times the {timeout} s of {}",
                queue.id, function.id
            )
        });
    }
}

fn logs_are_kept_for_a_while(template: &Template, findings: &mut Findings) {
    for function in template.functions() {
        let group = template.named(&function.properties["LoggingConfig"]["LogGroup"]);
        findings.unless(group.is_some_and(|group| group.kind == "AWS::Logs::LogGroup"), || {
            format!("{}: LoggingConfig names no log group of this template", function.id)
        });
    }
    for delivery in template.of("AWS::KinesisFirehose::DeliveryStream") {
        let logging = &delivery.properties["ExtendedS3DestinationConfiguration"]["CloudWatchLoggingOptions"];
        findings.unless(logging["Enabled"] == true && template.named(&logging["LogGroupName"]).is_some(), || {
            format!("{}: it does not log to a log group of this template", delivery.id)
        });
    }
    for group in template.of("AWS::Logs::LogGroup") {
        let kept = within(template, &group.properties["RetentionInDays"], 1.0, 3_653.0);
        findings.unless(kept, || format!("{}: RetentionInDays is missing: it would be kept for ever", group.id));
    }
}

fn buckets_are_closed(template: &Template, findings: &mut Findings) {
    for bucket in template.of("AWS::S3::Bucket") {
        let encryption = &bucket.properties["BucketEncryption"]["ServerSideEncryptionConfiguration"][0];
        let algorithm = encryption["ServerSideEncryptionByDefault"]["SSEAlgorithm"].as_str();
        findings.unless(algorithm.is_some(), || format!("{}: BucketEncryption has no algorithm", bucket.id));
        for flag in ["BlockPublicAcls", "BlockPublicPolicy", "IgnorePublicAcls", "RestrictPublicBuckets"] {
            let blocked = bucket.properties["PublicAccessBlockConfiguration"][flag] == true;
            findings.unless(blocked, || format!("{}: {flag} is not true", bucket.id));
        }
        let of_bucket = |policy: &Resource<'_>| reference(&policy.properties["Bucket"]) == Some(bucket.id);
        let policy = template.of("AWS::S3::BucketPolicy").find(of_bucket);
        let tls_only = policy.is_some_and(|policy| denies_plain_http(&policy, bucket.id));
        findings.unless(tls_only, || format!("{}: no policy denies access without TLS", bucket.id));
    }
}

/// Whether a policy denies all access to a bucket and its objects without TLS.
fn denies_plain_http(policy: &Resource<'_>, bucket: &str) -> bool {
    let arns = [json!({ "Fn::GetAtt": [bucket, "Arn"] }), json!({ "Fn::Sub": format!("${{{bucket}.Arn}}/*") })];
    listed(&policy.properties["PolicyDocument"]["Statement"]).into_iter().any(|statement| {
        let resources = listed(&statement["Resource"]);
        statement["Effect"] == "Deny"
            && statement["Principal"] == "*"
            && statement["Action"] == "s3:*"
            && statement["Condition"] == json!({ "Bool": { "aws:SecureTransport": "false" } })
            && arns.iter().all(|arn| resources.contains(&arn))
    })
}

fn data_at_rest_is_encrypted(template: &Template, findings: &mut Findings) {
    for resource in template.resources() {
        let properties = resource.properties;
        let encrypted = match resource.kind {
            "AWS::SQS::Queue" => properties["SqsManagedSseEnabled"] == true || !properties["KmsMasterKeyId"].is_null(),
            "AWS::Kinesis::Stream" => properties["StreamEncryption"]["EncryptionType"] == "KMS",
            "AWS::SNS::Topic" => !properties["KmsMasterKeyId"].is_null(),
            "AWS::KinesisFirehose::DeliveryStream" => {
                properties["DeliveryStreamEncryptionConfigurationInput"]["KeyType"].is_string()
            }
            // S3 has its own rule; DynamoDB, CloudWatch Logs and Secrets Manager always encrypt.
            _ => true,
        };
        findings.unless(encrypted, || format!("{}: it is not encrypted at rest", resource.id));
    }
}

fn parameters_explain_themselves(template: &Template, findings: &mut Findings) {
    let groups = &template.0["Metadata"]["AWS::CloudFormation::Interface"]["ParameterGroups"];
    let asked: Vec<_> = listed(groups).into_iter().flat_map(|group| listed(&group["Parameters"])).collect();
    let parameters = template.0["Parameters"].as_object().unwrap();
    for (name, parameter) in parameters {
        let described = parameter["Description"].as_str().is_some_and(|text| text.len() > 10);
        findings.unless(described, || format!("{name}: it has no description"));
        findings.unless(!parameter["Default"].is_null(), || format!("{name}: it has no default"));
        let times = asked.iter().filter(|asked| **asked == name).count();
        findings.unless(times == 1, || format!("{name}: it is in {times} groups of the interface, not in one"));
    }
    let known: BTreeSet<&str> = parameters.keys().map(String::as_str).collect();
    for name in asked.into_iter().filter_map(Value::as_str).filter(|name| !known.contains(name)) {
        findings.unless(false, || format!("{name}: the interface groups it, but there is no such parameter"));
    }
    for (name, output) in template.0["Outputs"].as_object().unwrap() {
        findings.unless(output["Description"].is_string(), || format!("{name}: the output has no description"));
    }
}
