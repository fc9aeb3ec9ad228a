//! AWS's limits on templates. infra/README.md names the pages.

use std::collections::BTreeSet;

use serde_json::{Value, json};

use super::document::{Resource, Template, listed, root};
use super::rules::{Findings, findings};
use super::{FUNCTIONS, assert_caught, caught};

/// All variables of a function together, names and values ("Lambda quotas", Lambda Developer Guide).
const ENVIRONMENT_BYTES_MAX: usize = 4_096;

/// A template deployed through S3, and its contents ("CloudFormation quotas", CloudFormation User Guide).
const TEMPLATE_BYTES_MAX: usize = 1_000_000;
const RESOURCES_MAX: usize = 500;
const PARAMETERS_MAX: usize = 200;

/// All inline policies of a role together, without whitespace ("IAM and AWS STS quotas", IAM User Guide).
const POLICIES_CHARS_MAX: usize = 10_240;
/// Slightly more than an ARN of this stack takes, instead of a `GetAtt`.
const ARN_CHARS: usize = 200;

/// The bounds of a property of a resource type. Retries and ages of stream mappings have their own rule.
const BOUNDS: [(&str, &str, f64, f64); 15] = [
    ("AWS::Serverless::Function", "/MemorySize", 128.0, 10_240.0),
    ("AWS::Serverless::Function", "/Timeout", 1.0, 900.0),
    ("AWS::Lambda::EventSourceMapping", "/MaximumBatchingWindowInSeconds", 0.0, 300.0),
    ("AWS::Lambda::EventSourceMapping", "/ParallelizationFactor", 1.0, 10.0),
    ("AWS::Lambda::EventSourceMapping", "/ScalingConfig/MaximumConcurrency", 2.0, 1_000.0),
    ("AWS::SQS::Queue", "/VisibilityTimeout", 0.0, 43_200.0),
    ("AWS::SQS::Queue", "/MessageRetentionPeriod", 60.0, 1_209_600.0),
    ("AWS::SQS::Queue", "/RedrivePolicy/maxReceiveCount", 1.0, 1_000.0),
    ("AWS::Kinesis::Stream", "/RetentionPeriodHours", 24.0, 8_760.0),
    (
        "AWS::KinesisFirehose::DeliveryStream",
        "/ExtendedS3DestinationConfiguration/BufferingHints/SizeInMBs",
        1.0,
        128.0,
    ),
    (
        "AWS::KinesisFirehose::DeliveryStream",
        "/ExtendedS3DestinationConfiguration/BufferingHints/IntervalInSeconds",
        0.0,
        900.0,
    ),
    ("AWS::Scheduler::Schedule", "/Target/RetryPolicy/MaximumRetryAttempts", 0.0, 185.0),
    ("AWS::Scheduler::Schedule", "/Target/RetryPolicy/MaximumEventAgeInSeconds", 60.0, 86_400.0),
    ("AWS::Serverless::Function", "/EventInvokeConfig/MaximumRetryAttempts", 0.0, 2.0),
    ("AWS::Serverless::Function", "/EventInvokeConfig/MaximumEventAgeInSeconds", 60.0, 21_600.0),
];

pub(super) fn properties_are_within_awss_limits(template: &Template, findings: &mut Findings) {
    for (kind, pointer, least, greatest) in BOUNDS {
        for resource in template.of(kind) {
            let Some(value) = resource.properties.pointer(pointer) else { continue };
            let within = template.bounds(value).is_some_and(|(from, until)| from >= least && until <= greatest);
            findings.unless(within, || format!("{}: {pointer} is not between {least} and {greatest}", resource.id));
        }
    }
    for of_streams in [true, false] {
        for mapping in template.mappings(of_streams) {
            let Some(value) = mapping.properties.get("BatchSize") else { continue };
            let greatest = if of_streams { 10_000.0 } else { batch_of_queue(template, &mapping) };
            let within = template.bounds(value).is_some_and(|(from, until)| from >= 1.0 && until <= greatest);
            findings.unless(within, || format!("{}: BatchSize is not between 1 and {greatest}", mapping.id));
        }
    }
    for function in template.functions() {
        let bytes = environment_bytes(template, &function);
        findings.unless(bytes <= ENVIRONMENT_BYTES_MAX, || {
            format!("{}: its environment may have {bytes} bytes; {ENVIRONMENT_BYTES_MAX} are accepted", function.id)
        });
    }
}

/// A FIFO queue's mapping takes ten messages, a standard queue's ten thousand if it waits for them.
fn batch_of_queue(template: &Template, mapping: &Resource<'_>) -> f64 {
    let queue = template.named(&mapping.properties["EventSourceArn"]);
    let waits = mapping.properties["MaximumBatchingWindowInSeconds"].as_f64().is_some_and(|seconds| seconds >= 1.0);
    if queue.is_some_and(|queue| queue.properties["FifoQueue"] == true) || !waits { 10.0 } else { 10_000.0 }
}

/// The largest environment of a function, with every name as long as its service allows.
fn environment_bytes(template: &Template, function: &Resource<'_>) -> usize {
    let of_all = &template.0["Globals"]["Function"]["Environment"]["Variables"];
    let own = &function.properties["Environment"]["Variables"];
    let variables = [of_all, own].into_iter().filter_map(Value::as_object).flatten();
    variables.map(|(name, value)| name.len() + longest(template, value)).sum()
}

/// The longest prefix, as in `arn:aws-us-gov:secretsmanager:ap-southeast-1:000000000000:`.
const ARN_BYTES: usize = 64;

/// The longest form of a value.
fn longest(template: &Template, value: &Value) -> usize {
    if let Some(text) = value.as_str() {
        return text.len();
    }
    if let Some(parts) = value["Fn::Join"][1].as_array() {
        let between = value["Fn::Join"][0].as_str().map_or(0, str::len) * parts.len().saturating_sub(1);
        return between + parts.iter().map(|part| longest(template, part)).sum::<usize>();
    }
    match value["Ref"].as_str() {
        Some("AWS::StackName") => 128,
        Some(name) => match template.resources().find(|resource| resource.id == name) {
            Some(resource) => longest_reference(resource.kind),
            None => longest_parameter(&template.0["Parameters"][name]),
        },
        // An overestimate for unknown values.
        None => ENVIRONMENT_BYTES_MAX,
    }
}

/// The length of a `Ref`, with the longest name that the service takes.
fn longest_reference(kind: &str) -> usize {
    match kind {
        "AWS::S3::Bucket" => 63,
        "AWS::DynamoDB::Table" => 255,
        "AWS::SQS::Queue" => "https://sqs.ap-southeast-1.amazonaws.com.cn/000000000000/".len() + 80,
        "AWS::Kinesis::Stream" => 128,
        "AWS::KinesisFirehose::DeliveryStream" => 64,
        "AWS::SNS::Topic" => ARN_BYTES + 256,
        "AWS::SecretsManager::Secret" => ARN_BYTES + "secret:".len() + 512 + "-AbCdEf".len(),
        _ => ENVIRONMENT_BYTES_MAX,
    }
}

/// One of its values, its greatest number, or its greatest length; other texts are unbounded.
fn longest_parameter(parameter: &Value) -> usize {
    let allowed = parameter["AllowedValues"].as_array().into_iter().flatten();
    let allowed = allowed.map(|value| value.as_str().map_or_else(|| value.to_string().len(), str::len)).max();
    let number = || parameter.get("MaxValue").map(|greatest| greatest.to_string().len());
    let length = || usize::try_from(parameter["MaxLength"].as_u64()?).ok();
    allowed.or_else(number).or_else(length).unwrap_or(ENVIRONMENT_BYTES_MAX)
}

/// The most characters of a role's inline policies: the template's own, with an ARN for every resource.
fn policies_chars(role: &Resource<'_>) -> usize {
    let documents = listed(&role.properties["Policies"]).into_iter().map(|policy| &policy["PolicyDocument"]);
    let chars = |document: &Value| {
        let statements = listed(&document["Statement"]);
        let resources: usize = statements.iter().map(|statement| listed(&statement["Resource"]).len()).sum();
        document.to_string().len() + resources * ARN_CHARS
    };
    documents.map(chars).sum()
}

const RULE: &str = "properties are within AWS's limits";

#[test]
fn the_template_is_within_the_limits_of_cloudformation_and_iam() {
    let text = std::fs::read_to_string(root().join("template.yaml")).unwrap();
    assert!(text.len() <= TEMPLATE_BYTES_MAX);
    let template = Template::load();
    // SAM adds some: a permission for the URL, an invoke configuration, a version and an alias of each function.
    assert!(template.resources().count() + 5 * template.functions().count() <= RESOURCES_MAX);
    let parameters = template.0["Parameters"].as_object().unwrap();
    assert!(parameters.len() <= PARAMETERS_MAX && template.0["Outputs"].as_object().unwrap().len() <= 200);
    for role in template.of("AWS::IAM::Role") {
        let chars = policies_chars(&role);
        assert!((300..=POLICIES_CHARS_MAX).contains(&chars), "{}: {chars}", role.id);
    }
}

/// Secondary indexes of a table ("Service, account, and table quotas", DynamoDB Developer Guide).
const INDEXES_MAX: usize = 20;

/// The errors in a table's keys: DynamoDB refuses keys with undefined attributes, and definitions of other attributes.
fn wrong_keys(table: &Value) -> Vec<String> {
    let names = |of: &Value| -> BTreeSet<String> {
        listed(of).iter().filter_map(|key| key["AttributeName"].as_str().map(str::to_owned)).collect()
    };
    let indexes = listed(&table["GlobalSecondaryIndexes"]);
    let keys = indexes.iter().map(|index| names(&index["KeySchema"])).chain([names(&table["KeySchema"])]);
    let (used, defined) = (keys.flatten().collect::<BTreeSet<_>>(), names(&table["AttributeDefinitions"]));
    let mut wrong: Vec<String> = used.symmetric_difference(&defined).cloned().collect();
    if indexes.len() > INDEXES_MAX {
        wrong.push(format!("{} indexes", indexes.len()));
    }
    wrong
}

#[test]
fn tables_define_their_key_attributes_and_keep_dynamodbs_limit_of_indexes() {
    let template = Template::load();
    for table in template.of("AWS::DynamoDB::Table") {
        assert_eq!(wrong_keys(table.properties), [""; 0], "{}", table.id);
    }
    let mut markets = template.0["Resources"]["MarketsTable"]["Properties"].clone();
    markets["AttributeDefinitions"][3]["AttributeName"] = json!("changes");
    assert_eq!(wrong_keys(&markets), ["changed", "changes"]);
    let heads = markets["GlobalSecondaryIndexes"][0].clone();
    markets["GlobalSecondaryIndexes"] = json!(vec![heads; 21]);
    assert_eq!(wrong_keys(&markets), ["changes", "21 indexes"]);
}

#[test]
fn an_environment_of_more_than_four_kilobytes_is_caught() {
    let template = Template::load();
    let all: Vec<usize> = template.functions().map(|function| environment_bytes(&template, &function)).collect();
    assert!(all.iter().all(|bytes| (300..3_000).contains(bytes)), "far from the limit, and counted: {all:?}");
    let more = |bytes: usize| json!("x".repeat(bytes));
    caught("ApiFunction/Properties/Environment/Variables/STOOP_HOMES_TABLE", more(4_000), RULE, &["ApiFunction"]);
    let free = json!({ "Ref": "AlarmKeyArn" });
    caught("PollerFunction/Properties/Environment/Variables/STOOP_STREAM", free, RULE, &["PollerFunction"]);
    let mut template = Template::load();
    template.0["Globals"]["Function"]["Environment"]["Variables"]["STOOP_MAPS"] = more(4_000);
    assert_caught(&findings(&template), RULE, &FUNCTIONS);
}

#[test]
fn a_property_beyond_awss_limits_is_caught() {
    for (resource, property, value) in [
        ("PollerFunction", "MemorySize", json!(10_241)),
        ("PollerMapping", "BatchSize", json!(11)),
        ("PollerMapping", "ScalingConfig/MaximumConcurrency", json!(1)),
        ("MetricsMapping", "BatchSize", json!(10_001)),
        ("MetricsMapping", "MaximumBatchingWindowInSeconds", json!(301)),
        ("AlertsMapping", "ParallelizationFactor", json!(11)),
        ("PlannerDeadLetters", "MessageRetentionPeriod", json!(1_209_601)),
        ("RollupFunction", "Timeout", json!(901)),
        ("PollQueue", "VisibilityTimeout", json!(43_201)),
        ("Stream", "RetentionPeriodHours", json!(23)),
        ("LakeDelivery", "ExtendedS3DestinationConfiguration/BufferingHints/IntervalInSeconds", json!(901)),
    ] {
        caught(&format!("{resource}/Properties/{property}"), value, RULE, &[resource]);
    }
    let mut template = Template::load();
    template.0["Parameters"]["MetricsParallelization"]["MaxValue"] = json!(11);
    assert_caught(&findings(&template), RULE, &["MetricsMapping"]);
}
