//! `template.yaml` keeps the rules of the house, and each rule catches a template that breaks it.

mod alarms;
pub(crate) mod document;
mod policies;
mod queries;
mod rules;

use std::collections::BTreeSet;
use std::fs;
use std::path::Path;

use document::{Template, listed, root};
use policies::statements;
use rules::{Finding, findings};
use serde_json::{Value, json};

/// What is found after the value at a pointer below `Resources` was replaced, or, with `null`, removed.
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

/// Every rule but the one named holds; that one finds something in each resource or parameter named, and nowhere else.
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

#[test]
fn the_template_keeps_every_rule() {
    assert_eq!(findings(&Template::load()), []);
}

#[test]
fn there_is_something_to_check() {
    let template = Template::load();
    let functions: Vec<_> = template.functions().map(|function| function.id).collect();
    assert_eq!(functions, ["AlertsFunction", "ApiFunction", "MetricsFunction", "PlannerFunction", "PollerFunction"]);
    let of = |of_streams| template.mappings(of_streams).map(|mapping| mapping.id).collect::<Vec<_>>();
    assert_eq!((of(true), of(false)), (vec!["AlertsMapping", "MetricsMapping"], vec!["PollerMapping"]));
    assert_eq!(template.of("AWS::S3::Bucket").count(), 2);
    assert_eq!(statements(&template).filter(|(holder, _)| holder.id == "MetricsRole").count(), 9);
}

#[test]
fn endless_retries_are_caught() {
    const RULE: &str = "retries are bounded";
    for mapping in ["MetricsMapping", "AlertsMapping"] {
        for property in ["MaximumRetryAttempts", "MaximumRecordAgeInSeconds"] {
            for endless in [Value::Null, json!(-1), json!({ "Ref": "LogLevel" })] {
                caught(&format!("{mapping}/Properties/{property}"), endless, RULE, &[mapping]);
            }
        }
        // Older than the change feed's memory.
        caught(&format!("{mapping}/Properties/MaximumRecordAgeInSeconds"), json!(90_000), RULE, &[mapping]);
    }
    caught("PlannerSchedule/Properties/Target/RetryPolicy", Value::Null, RULE, &["PlannerSchedule"]);
    let age = "PlannerFunction/Properties/EventInvokeConfig/MaximumEventAgeInSeconds";
    caught(age, Value::Null, RULE, &["PlannerFunction"]);
    caught("PollQueue/Properties/RedrivePolicy/maxReceiveCount", json!(1000), RULE, &["PollQueue"]);
}

#[test]
fn a_parameter_that_may_be_endless_is_caught() {
    let mut template = Template::load();
    template.0["Parameters"]["StreamRetryAttempts"]["MinValue"] = json!(-1);
    assert_caught(&findings(&template), "retries are bounded", &["MetricsMapping", "AlertsMapping"]);
}

#[test]
fn a_missing_destination_of_failures_is_caught() {
    const RULE: &str = "failures have a destination";
    for mapping in ["MetricsMapping", "AlertsMapping"] {
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
}

#[test]
fn a_mapping_without_partial_responses_or_bisect_is_caught() {
    const RULE: &str = "partial failures are reported";
    for mapping in ["PollerMapping", "MetricsMapping", "AlertsMapping"] {
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
fn what_is_not_encrypted_is_caught() {
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
fn a_parameter_that_does_not_explain_itself_is_caught() {
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
fn every_alarm_is_missed_when_it_is_gone() {
    let template = Template::load();
    for alarm in template.of("AWS::CloudWatch::Alarm") {
        let found = changed(alarm.id, Value::Null);
        let metric = alarm.properties["MetricName"].as_str().unwrap();
        assert_eq!(found.len(), 1, "{} is gone, and: {found:#?}", alarm.id);
        assert_eq!(found[0].rule, "what matters has an alarm");
        assert!(found[0].what.ends_with(metric), "{found:#?}");
    }
    let rule = "what matters has an alarm";
    caught("MetricsMapping/Properties/MetricsConfig", Value::Null, rule, &["MetricsMapping"]);
}

#[test]
fn an_alarm_that_nobody_hears_is_caught() {
    const RULE: &str = "alarms are heard";
    caught("Quarantined/Properties/AlarmActions", Value::Null, RULE, &["Quarantined"]);
    caught("Quarantined/Properties/AlarmActions", json!([{ "Ref": "PollQueue" }]), RULE, &["Quarantined"]);
    for treatment in ["breaching", "ignore", "missing"] {
        caught("Quarantined/Properties/TreatMissingData", json!(treatment), RULE, &["Quarantined"]);
    }
    // Only those that are not there while polling is off may listen for silence.
    caught("PlannerSilent/Condition", Value::Null, RULE, &["PlannerSilent"]);
    caught("SearchesOverdue/Condition", Value::Null, RULE, &["SearchesOverdue"]);
    caught("PlannerSilent/Condition", json!("HasAlarmEmail"), RULE, &["PlannerSilent"]);
    caught("PlannerSilent/Properties/TreatMissingData", json!("missing"), RULE, &["PlannerSilent"]);
}

#[test]
fn a_broad_policy_is_caught() {
    const RULE: &str = "policies name what they allow";
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

/// The names of our environment variables that a text has between quotes.
fn variables(text: &str) -> BTreeSet<&str> {
    let is_name = |word: &&str| word.bytes().all(|byte| byte == b'_' || byte.is_ascii_uppercase());
    text.split('"').filter(|word| word.starts_with("STOOP_")).filter(is_name).collect()
}

#[test]
fn a_function_has_the_environment_that_it_reads_and_no_more() {
    let template = Template::load();
    let shared = template.0["Globals"]["Function"]["Environment"]["Variables"].as_object().unwrap();
    for function in template.functions() {
        let code = root().join(function.properties["CodeUri"].as_str().unwrap()).join("src");
        let text = sources(&code);
        let own = function.properties["Environment"]["Variables"].as_object().unwrap();
        let set: BTreeSet<&str> = own.keys().map(String::as_str).collect();
        let read: BTreeSet<&str> = variables(&text).into_iter().filter(|name| !shared.contains_key(*name)).collect();
        assert_eq!(set, read, "left: what the template sets for {}; right: what its code reads", function.id);
    }
}

/// What our code calls, as it is written, and the action that allows it.
const CALLS: [(&str, &str); 21] = [
    (".batch_get_item()", "dynamodb:BatchGetItem"),
    (".batch_write_item()", "dynamodb:BatchWriteItem"),
    (".get_item()", "dynamodb:GetItem"),
    (".put_item()", "dynamodb:PutItem"),
    (".update_item()", "dynamodb:UpdateItem"),
    (".delete_item()", "dynamodb:DeleteItem"),
    (".query()", "dynamodb:Query"),
    (".scan()", "dynamodb:Scan"),
    (" Put::builder()", "dynamodb:PutItem"),
    (" Update::builder()", "dynamodb:UpdateItem"),
    (" ConditionCheck::builder()", "dynamodb:ConditionCheckItem"),
    (".get_object()", "s3:GetObject"),
    (".put_object()", "s3:PutObject"),
    (".delete_object()", "s3:DeleteObject"),
    (".list_objects_v2()", "s3:ListBucket"),
    (".send_message()", "sqs:SendMessage"),
    (".change_message_visibility()", "sqs:ChangeMessageVisibility"),
    (".put_records()", "kinesis:PutRecords"),
    (".put_record_batch()", "firehose:PutRecordBatch"),
    (".publish_batch()", "sns:Publish"),
    (".get_secret_value()", "secretsmanager:GetSecretValue"),
];

#[test]
fn what_the_code_calls_is_what_the_functions_may() {
    let template = Template::load();
    let roles: BTreeSet<&str> =
        template.functions().map(|function| document::reference(&function.properties["Role"]).unwrap()).collect();
    let of_functions = statements(&template).filter(|(holder, _)| roles.contains(holder.id));
    let allowed: BTreeSet<&str> =
        of_functions.flat_map(|(_, statement)| listed(&statement["Action"])).filter_map(Value::as_str).collect();
    let text = sources(&root().join("shared/aws/src"));
    let called: BTreeSet<&str> =
        CALLS.iter().filter(|(call, _)| text.contains(call)).map(|(_, action)| *action).collect();
    let known: BTreeSet<&str> = CALLS.iter().map(|(_, action)| *action).collect();
    let allowed_to_us: BTreeSet<&str> = allowed.intersection(&known).copied().collect();
    assert_eq!(called, allowed_to_us, "left: what shared/aws calls; right: what some function may");
    // The rest is what Lambda itself does in a function's name.
    let of_lambda: Vec<&str> = allowed.difference(&known).copied().collect();
    let expected = [
        "dynamodb:DescribeStream",
        "dynamodb:GetRecords",
        "dynamodb:GetShardIterator",
        "dynamodb:ListStreams",
        "kinesis:DescribeStream",
        "kinesis:DescribeStreamSummary",
        "kinesis:GetRecords",
        "kinesis:GetShardIterator",
        "kinesis:ListShards",
        "logs:CreateLogStream",
        "logs:PutLogEvents",
        "sqs:DeleteMessage",
        "sqs:GetQueueAttributes",
        "sqs:ReceiveMessage",
    ];
    assert_eq!(of_lambda, expected);
}

/// What each port does, and a word of the resource that it does it to.
const PORTS: [(&str, &str, &str); 19] = [
    ("DynamoBudgets::new", "dynamodb:GetItem", "RunsTable"),
    ("DynamoBudgets::new", "dynamodb:PutItem", "RunsTable"),
    ("DynamoLedger::new", "dynamodb:PutItem", "AlertsTable"),
    ("DynamoRuns::new", "dynamodb:PutItem", "RunsTable"),
    ("DynamoStore::new", "dynamodb:BatchGetItem", "HomesTable"),
    ("DynamoStore::new", "dynamodb:BatchGetItem", "MarketsTable"),
    ("DynamoViews::new", "dynamodb:Query", "/index/heads"),
    ("DynamoViews::new", "dynamodb:Query", "/index/by_day"),
    ("KinesisStream::new", "kinesis:PutRecords", "Stream"),
    ("LakeDelivery::new", "firehose:PutRecordBatch", "LakeDelivery"),
    ("LakeDelivery::new", "s3:PutObject", "/stale/*"),
    ("PollQueue::new", "sqs:SendMessage", "PollQueue"),
    ("S3Configuration::new", "s3:GetObject", "/accepted/*"),
    ("S3Index::new", "s3:GetObject", "/index/*"),
    ("S3Index::new", "s3:PutObject", "/index/*"),
    ("S3Pages::new", "s3:PutObject", "/pages/*"),
    ("S3Quarantine::new", "s3:PutObject", "/quarantine/*"),
    ("Secrets::new", "secretsmanager:GetSecretValue", ""),
    ("TopicPublisher::new", "sns:Publish", "AlertsTopic"),
];

#[test]
fn each_function_may_do_what_its_ports_do() {
    let template = Template::load();
    let mut checked = BTreeSet::new();
    for function in template.functions() {
        let role = document::reference(&function.properties["Role"]).unwrap();
        let main = root().join(function.properties["CodeUri"].as_str().unwrap()).join("src/main.rs");
        let main = fs::read_to_string(main).unwrap();
        for (port, action, resource) in PORTS.iter().filter(|(port, ..)| main.contains(port)) {
            let may = statements(&template).any(|(holder, statement)| {
                holder.id == role
                    && listed(&statement["Action"]).contains(&&json!(action))
                    && statement["Resource"].to_string().contains(resource)
            });
            assert!(may, "{} has {port}, and {role} does not allow {action} on {resource}", function.id);
            checked.insert((port, action, resource));
        }
    }
    assert_eq!(checked.len(), PORTS.len(), "every port is some function's: {checked:?}");
}
