//! `template.yaml` keeps the project's rules, and each rule catches a template that breaks it.

mod account;
mod alarms;
mod calls;
pub(crate) mod document;
mod follower;
mod generations;
mod iam;
mod lake;
mod limits;
mod permissions;
mod policies;
mod queries;
mod rules;
mod services;
mod shifts;
mod team;
mod traces;

use std::collections::BTreeSet;
use std::fs;
use std::path::Path;

use document::{Template, root};
use policies::statements;
use rules::{Finding, findings};
use serde_json::{Value, json};

/// The findings after the value at a pointer below `Resources` was replaced, or, with `null`, removed.
fn changed(pointer: &str, value: Value) -> Vec<Finding> {
    let mut template = Template::load();
    let pointer = format!("/Resources/{pointer}");
    assert!(template.0.pointer(&pointer).is_some(), "{pointer} is not in the template");
    if value.is_null() {
        let (parent, key) = pointer.rsplit_once('/').unwrap();
        match template.0.pointer_mut(parent).unwrap() {
            Value::Object(map) => drop(map.remove(key)),
            Value::Array(values) => drop(values.remove(key.parse().unwrap())),
            other => panic!("{parent} has no parts: {other}"),
        }
    } else {
        *template.0.pointer_mut(&pointer).unwrap() = value;
    }
    findings(&template)
}

/// Asserts that only the named rule has findings, in exactly these resources or parameters.
fn assert_caught(found: &[Finding], rule: &str, where_: &[&str]) {
    assert!(found.iter().all(|finding| finding.rule == rule), "other rules than \"{rule}\" spoke: {found:#?}");
    let named = |finding: &Finding| where_.iter().any(|id| finding.what.split([':', ' ']).any(|word| word == *id));
    assert!(found.iter().all(named), "not of {where_:?}: {found:#?}");
    for id in where_ {
        let of_id = |finding: &Finding| finding.what.split([':', ' ']).any(|word| word == *id);
        assert!(found.iter().any(of_id), "\"{rule}\" did not see {id}: {found:#?}");
    }
}

fn caught(pointer: &str, value: Value, rule: &str, where_: &[&str]) {
    assert_caught(&changed(pointer, value), rule, where_);
}

const FUNCTIONS: [&str; 6] =
    ["AlertsFunction", "ApiFunction", "MetricsFunction", "PlannerFunction", "PollerFunction", "RollupFunction"];

#[test]
fn the_template_keeps_every_rule() {
    for which in generations::ALL {
        assert_eq!(findings(&Template::of_generations(which)), [], "{which}");
    }
}

#[test]
fn there_is_something_to_check() {
    let template = Template::load();
    let functions: Vec<_> = template.functions().map(|function| function.id).collect();
    assert_eq!(functions, FUNCTIONS);
    let of = |of_streams| template.mappings(of_streams).map(|mapping| mapping.id).collect::<Vec<_>>();
    assert_eq!(
        (of(true), of(false)),
        (vec!["AlertsMapping", "AlertsMappingB", "MetricsMapping"], vec!["PollerMapping"])
    );
    assert_eq!(template.of("AWS::S3::Bucket").count(), 2);
    assert_eq!(statements(&template).filter(|(holder, _)| holder.id == "MetricsRole").count(), 8);
    assert_eq!(template.of("AWS::SQS::QueuePolicy").count(), 3);
}

#[test]
fn retries_that_an_incident_uses_up_or_that_never_end_are_caught() {
    const RULE: &str = "retries are bounded";
    for mapping in ["MetricsMapping", "AlertsMapping", "AlertsMappingB"] {
        for few in [Value::Null, json!(25), json!({ "Ref": "Shards" })] {
            caught(&format!("{mapping}/Properties/MaximumRetryAttempts"), few, RULE, &[mapping]);
        }
        // Unlimited, without a bound, older than the change feed's retention.
        for old in [Value::Null, json!(-1), json!({ "Ref": "LogLevel" }), json!(90_000)] {
            caught(&format!("{mapping}/Properties/MaximumRecordAgeInSeconds"), old, RULE, &[mapping]);
        }
    }
    for (schedule, function) in [("PlannerSchedule", "PlannerFunction"), ("RollupSchedule", "RollupFunction")] {
        caught(&format!("{schedule}/Properties/Target/RetryPolicy"), Value::Null, RULE, &[schedule]);
        let age = format!("{function}/Properties/EventInvokeConfig/MaximumEventAgeInSeconds");
        caught(&age, Value::Null, RULE, &[function]);
    }
    caught("PollQueue/Properties/RedrivePolicy/maxReceiveCount", json!(1000), RULE, &["PollQueue"]);
}

#[test]
fn an_age_that_may_be_endless_is_caught() {
    let mut template = Template::load();
    template.0["Parameters"]["StreamRecordAgeSeconds"]["MinValue"] = json!(-1);
    assert_caught(&findings(&template), "retries are bounded", &["MetricsMapping", "AlertsMapping", "AlertsMappingB"]);
}

#[test]
fn a_policy_of_more_than_one_queue_is_caught() {
    const RULE: &str = "a policy is of one queue or topic";
    let statement = "PolicyDocument/Statement/0/Resource";
    let arn = |id: &str| json!({ "Fn::GetAtt": [id, "Arn"] });
    caught("PollQueuePolicy", Value::Null, RULE, &["PollQueue"]);
    caught("AlertsTopicPolicy", Value::Null, RULE, &["AlertsTopic"]);
    let both = json!([arn("PollQueue"), arn("PollDeadLetters")]);
    caught(&format!("PollQueuePolicy/Properties/{statement}"), both, RULE, &["PollQueuePolicy"]);
    caught(&format!("PollQueuePolicy/Properties/{statement}"), arn("PollDeadLetters"), RULE, &["PollQueuePolicy"]);
    let topic = json!({ "Ref": "AlarmTopic" });
    caught(&format!("AlertsTopicPolicy/Properties/{statement}"), topic, RULE, &["AlertsTopicPolicy"]);
    let queues = json!([{ "Ref": "PollQueue" }, { "Ref": "PollDeadLetters" }]);
    caught("PollQueuePolicy/Properties/Queues", queues, RULE, &["PollQueuePolicy", "PollDeadLetters"]);
}

#[test]
fn a_reservation_that_a_new_account_refuses_is_caught() {
    const RULE: &str = "nothing is reserved by default";
    let reserved = "ApiFunction/Properties/ReservedConcurrentExecutions";
    for some in [json!(10), json!({ "Ref": "PollConcurrency" })] {
        caught(reserved, some, RULE, &["ApiFunction"]);
    }
    let mut template = Template::load();
    template.0["Parameters"]["ApiConcurrency"]["Default"] = json!(10);
    assert_caught(&findings(&template), RULE, &["ApiFunction"]);
}

#[test]
fn a_loop_that_lambda_stops_is_caught() {
    const RULE: &str = "recursion is allowed where it is meant";
    caught("PollerFunction/Properties/RecursiveLoop", Value::Null, RULE, &["PollerFunction"]);
    caught("PollerFunction/Properties/RecursiveLoop", json!("Terminate"), RULE, &["PollerFunction"]);
    let mut template = Template::load();
    template.0["Resources"]["AlertsFunction"]["Properties"]["RecursiveLoop"] = json!("Allow");
    assert_caught(&findings(&template), RULE, &["AlertsFunction"]);
}

#[test]
fn a_condition_that_fails_open_is_caught() {
    const RULE: &str = "conditions fail closed";
    let statement = "AlertsRole/Properties/Policies/0/PolicyDocument/Statement";
    let template = Template::load();
    let statements = template.0.pointer(&format!("/Resources/{statement}")).unwrap().as_array().unwrap();
    let lists = statements.iter().position(|statement| statement["Sid"] == "SeeWhatIsAccepted").unwrap();
    for operator in ["StringLikeIfExists", "ForAllValues:StringLike", "Null", "StringNotEquals"] {
        let open = json!({ operator: { "s3:prefix": ["accepted/*"] } });
        caught(&format!("{statement}/{lists}/Condition"), open, RULE, &["AlertsRole"]);
    }
    let trust = "LakeRole/Properties/AssumeRolePolicyDocument/Statement/0/Condition";
    caught(trust, json!({ "StringEqualsIfExists": { "sts:ExternalId": "1" } }), RULE, &["LakeRole"]);
}

#[test]
fn an_untagged_resource_is_caught() {
    const RULE: &str = "resources beyond the stack's tags are tagged";
    caught("MonthlyBudget/Properties/ResourceTags", Value::Null, RULE, &["MonthlyBudget"]);
    let config = fs::read_to_string(root().join("samconfig.toml")).unwrap();
    let sections = config.split("\n[").filter(|section| section.contains(".deploy.parameters]"));
    let tags: Vec<_> =
        sections.map(|section| section.lines().any(|line| line.starts_with("tags = \"Project=stoop"))).collect();
    assert!(!tags.is_empty() && tags.iter().all(|tagged| *tagged), "samconfig.toml deploys without tags");
}

#[test]
fn a_missing_destination_of_failures_is_caught() {
    const RULE: &str = "failures have a destination";
    for mapping in ["MetricsMapping", "AlertsMapping", "AlertsMappingB"] {
        let destination = format!("{mapping}/Properties/DestinationConfig");
        caught(&destination, Value::Null, RULE, &[mapping]);
        // A queue would lose the payload.
        let queue = json!({ "OnFailure": { "Destination": { "Fn::GetAtt": ["PlannerDeadLetters", "Arn"] } } });
        caught(&destination, queue, RULE, &[mapping]);
    }
    let standard = json!({ "Fn::GetAtt": ["PlannerDeadLetters", "Arn"] });
    caught("PollQueue/Properties/RedrivePolicy/deadLetterTargetArn", standard, RULE, &["PollQueue"]);
    caught("PlannerSchedule/Properties/Target/DeadLetterConfig", Value::Null, RULE, &["PlannerSchedule"]);
    let found = changed("PollQueue/Properties/RedrivePolicy", Value::Null);
    assert!(found.iter().any(|finding| finding.rule == RULE && finding.what.starts_with("PollQueue")), "{found:#?}");
    let config = "PlannerFunction/Properties/EventInvokeConfig/DestinationConfig";
    caught(config, Value::Null, RULE, &["PlannerFunction"]);
    // The next tick does not make up for a tick that is retried or late.
    let once = "RollupFunction/Properties/EventInvokeConfig/MaximumRetryAttempts";
    caught(once, json!(1), RULE, &["RollupFunction"]);
    caught("RollupSchedule/Properties/Target/RetryPolicy/MaximumRetryAttempts", json!(1), RULE, &["RollupSchedule"]);
}

#[test]
fn a_mapping_without_partial_responses_or_bisect_is_caught() {
    const RULE: &str = "partial failures are reported";
    for mapping in ["PollerMapping", "MetricsMapping", "AlertsMapping", "AlertsMappingB"] {
        caught(&format!("{mapping}/Properties/FunctionResponseTypes"), Value::Null, RULE, &[mapping]);
    }
    caught("MetricsMapping/Properties/BisectBatchOnFunctionError", json!(false), RULE, &["MetricsMapping"]);
}

#[test]
fn a_timeout_that_outlives_the_visibility_is_caught() {
    const RULE: &str = "visibility outlives the function";
    caught("PollerFunction/Properties/Timeout", json!(301), RULE, &["PollQueue"]);
    caught("PollQueue/Properties/VisibilityTimeout", json!(1799), RULE, &["PollQueue"]);
    caught("PollQueue/Properties/VisibilityTimeout", Value::Null, RULE, &["PollQueue"]);
}

#[test]
fn a_function_without_a_log_group_is_caught() {
    const RULE: &str = "logs are kept for a while";
    let template = Template::load();
    for function in template.functions() {
        caught(&format!("{}/Properties/LoggingConfig/LogGroup", function.id), Value::Null, RULE, &[function.id]);
    }
    for group in template.of("AWS::Logs::LogGroup") {
        caught(&format!("{}/Properties/RetentionInDays", group.id), Value::Null, RULE, &[group.id]);
    }
}

#[test]
fn an_open_bucket_is_caught() {
    const RULE: &str = "buckets are closed";
    for bucket in ["DataBucket", "FailuresBucket"] {
        caught(&format!("{bucket}/Properties/BucketEncryption"), Value::Null, RULE, &[bucket]);
        let flag = format!("{bucket}/Properties/PublicAccessBlockConfiguration/RestrictPublicBuckets");
        caught(&flag, json!(false), RULE, &[bucket]);
        let statement = format!("{bucket}Policy/Properties/PolicyDocument/Statement/0");
        caught(&statement, Value::Null, RULE, &[bucket]);
        caught(&format!("{statement}/Resource/1"), Value::Null, RULE, &[bucket]);
        caught(&format!("{statement}/Condition/Bool"), json!({ "aws:SecureTransport": "true" }), RULE, &[bucket]);
    }
}

#[test]
fn an_unencrypted_resource_is_caught() {
    let encrypted_by = [
        ("PollQueue", "SqsManagedSseEnabled"),
        ("PlannerDeadLetters", "SqsManagedSseEnabled"),
        ("Stream", "StreamEncryption"),
        ("AlertsTopic", "KmsMasterKeyId"),
        ("LakeDelivery", "DeliveryStreamEncryptionConfigurationInput"),
    ];
    for (id, property) in encrypted_by {
        caught(&format!("{id}/Properties/{property}"), Value::Null, "data at rest is encrypted", &[id]);
    }
}

#[test]
fn a_parameter_without_an_explanation_is_caught() {
    const RULE: &str = "parameters explain themselves";
    for part in ["Description", "Default"] {
        let mut template = Template::load();
        template.0["Parameters"]["Shards"].as_object_mut().unwrap().remove(part).unwrap();
        assert_caught(&findings(&template), RULE, &["Shards"]);
    }
    let mut template = Template::load();
    template.0["Parameters"]["Forgotten"] = json!({ "Description": "In no group.", "Default": "", "Type": "String" });
    assert_caught(&findings(&template), RULE, &["Forgotten"]);
}

#[test]
fn a_missing_alarm_is_caught() {
    let template = Template::load();
    for alarm in template.of("AWS::CloudWatch::Alarm") {
        let found = changed(alarm.id, Value::Null);
        let metric = alarm.properties["MetricName"].as_str().unwrap();
        assert_eq!(found.len(), 1, "{} is gone, and: {found:#?}", alarm.id);
        assert_eq!(found[0].rule, "failures have alarms");
        assert!(found[0].what.ends_with(metric), "{found:#?}");
    }
    let rule = "failures have alarms";
    caught("MetricsMapping/Properties/MetricsConfig", Value::Null, rule, &["MetricsMapping"]);
}

#[test]
fn an_alarm_without_a_subscriber_is_caught() {
    const RULE: &str = "alarms are heard";
    caught("Quarantined/Properties/AlarmActions", Value::Null, RULE, &["Quarantined"]);
    caught("Quarantined/Properties/AlarmActions", json!([{ "Ref": "PollQueue" }]), RULE, &["Quarantined"]);
    for treatment in ["breaching", "ignore", "missing"] {
        caught("Quarantined/Properties/TreatMissingData", json!(treatment), RULE, &["Quarantined"]);
    }
    // Only alarms that do not exist while polling is off may treat silence as breaching, and those of a schedule that
    // is never off.
    caught("PlannerSilent/Condition", Value::Null, RULE, &["PlannerSilent"]);
    caught("SearchesOverdue/Condition", Value::Null, RULE, &["SearchesOverdue"]);
    caught("PlannerSilent/Condition", json!("HasAlarmEmail"), RULE, &["PlannerSilent"]);
    caught("PlannerSilent/Properties/TreatMissingData", json!("missing"), RULE, &["PlannerSilent"]);
    caught("RollUpSilent/Properties/TreatMissingData", json!("ignore"), RULE, &["RollUpSilent"]);
    caught("RollUpErrors/Properties/TreatMissingData", json!("breaching"), RULE, &["RollUpErrors"]);
    caught("RollupSchedule/Properties/State", json!({ "Ref": "Polling" }), RULE, &["RollUpSilent"]);
}

#[test]
fn a_broad_policy_is_caught() {
    const RULE: &str = "policies name actions and resources";
    let statement = "ApiRole/Properties/Policies/0/PolicyDocument/Statement/1";
    for action in ["*", "secretsmanager:*", "secretsmanager:Get*"] {
        caught(&format!("{statement}/Action"), json!(action), RULE, &["ApiRole"]);
    }
    for resource in [json!("*"), json!("arn:aws:s3:::*"), json!({ "Fn::Sub": "${DataBucket.Arn}/*" })] {
        caught(&format!("{statement}/Resource"), resource, RULE, &["ApiRole"]);
    }
    caught("ApiFunction/Properties/Role", Value::Null, RULE, &["ApiFunction"]);
    let anybody = "AlarmTopicPolicy/Properties/PolicyDocument/Statement/0/Principal";
    caught(anybody, json!("*"), RULE, &["AlarmTopicPolicy"]);
    let mut template = Template::load();
    template.0["Resources"]["ApiRole"]["Properties"]["ManagedPolicyArns"] = json!(["arn:aws:iam::aws:policy/ReadOnly"]);
    assert_caught(&findings(&template), RULE, &["ApiRole"]);
}

/// The Rust sources in a folder and below, as one text.
fn sources(folder: &Path) -> String {
    let entries = fs::read_dir(folder).unwrap_or_else(|error| panic!("{}: {error}", folder.display()));
    let paths = entries.map(|entry| entry.unwrap().path());
    let texts = paths.map(|path| match (path.is_dir(), path.extension()) {
        (true, _) => sources(&path),
        (false, Some(extension)) if extension == "rs" => fs::read_to_string(&path).unwrap(),
        _ => String::new(),
    });
    texts.collect::<Vec<_>>().join("\n")
}

/// The names of our environment variables in a text, in quotes.
fn variables(text: &str) -> BTreeSet<&str> {
    let is_name = |word: &&str| word.bytes().all(|byte| byte == b'_' || byte.is_ascii_uppercase());
    text.split('"').filter(|word| word.starts_with("STOOP_")).filter(is_name).collect()
}

#[test]
fn a_function_has_exactly_the_environment_that_it_reads() {
    let template = Template::load();
    let shared = template.0["Globals"]["Function"]["Environment"]["Variables"].as_object().unwrap();
    for function in template.functions() {
        let code = root().join(function.properties["CodeUri"].as_str().unwrap()).join("src");
        let text = sources(&code);
        let own = function.properties["Environment"]["Variables"].as_object().unwrap();
        let set: BTreeSet<&str> = own.keys().map(String::as_str).collect();
        // A follower of the metrics function has the same code and another environment.
        let elsewhere = |name: &&str| {
            shared.contains_key(*name) || function.id == "MetricsFunction" && follower::ITS_OWN.contains(name)
        };
        let read: BTreeSet<&str> = variables(&text).into_iter().filter(|name| !elsewhere(name)).collect();
        assert_eq!(set, read, "left: what the template sets for {}; right: what its code reads", function.id);
    }
}
