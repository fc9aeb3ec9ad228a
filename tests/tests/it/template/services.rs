//! The actions of AWS's services in the names of the template's roles: read from the resources that cause them.

use serde_json::Value;

use super::document::{Resource, Template, reference};
use super::iam::{Asked, text};

/// An action in a role's name, and its actor.
#[derive(Debug, Clone)]
pub(crate) struct Need {
    pub(crate) role: String,
    pub(crate) who: String,
    pub(crate) asked: Asked,
}

/// The permissions that Lambda needs to read a source (Developer Guide, on each of them). `kinesis:ListStreams` and
/// `kinesis:SubscribeToShard` are for consoles and for enhanced fan-out.
const READS: [(&str, &[&str]); 3] = [
    ("AWS::SQS::Queue", &["sqs:ReceiveMessage", "sqs:DeleteMessage", "sqs:GetQueueAttributes"]),
    (
        "AWS::Kinesis::Stream",
        &[
            "kinesis:DescribeStream",
            "kinesis:DescribeStreamSummary",
            "kinesis:GetRecords",
            "kinesis:GetShardIterator",
            "kinesis:ListShards",
        ],
    ),
    (
        "AWS::DynamoDB::Table",
        &["dynamodb:DescribeStream", "dynamodb:GetRecords", "dynamodb:GetShardIterator", "dynamodb:ListStreams"],
    ),
];

/// The needs of one service with one role.
struct Needs<'t> {
    template: &'t Template,
    role: &'t str,
    who: String,
    all: Vec<Need>,
}

impl<'t> Needs<'t> {
    fn of(template: &'t Template, role: &'t Value, who: String) -> Self {
        Self { template, role: reference(role).unwrap(), who, all: Vec::new() }
    }

    fn add(&mut self, actions: &[&str], on: &str) {
        for action in actions {
            let asked = Asked::new(self.template, action, on, &[]);
            self.all.push(Need { role: self.role.to_owned(), who: self.who.clone(), asked });
        }
    }
}

/// The ARN of a stream of a log group.
fn stream_of(template: &Template, group: &Value) -> String {
    let group = reference(group).unwrap();
    let arn = text(template, &serde_json::json!({ "Fn::GetAtt": [group, "Arn"] }));
    arn.replace(":*", ":log-stream:2026/11/22/[$LATEST]0123")
}

/// Lambda's actions for a function: it writes the log, and reports failed asynchronous invocations.
fn of_function(template: &Template, function: Resource<'_>) -> Vec<Need> {
    let properties = function.properties;
    let mut needs = Needs::of(template, &properties["Role"], format!("Lambda, for {}", function.id));
    let stream = stream_of(template, &properties["LoggingConfig"]["LogGroup"]);
    needs.add(&["logs:CreateLogStream", "logs:PutLogEvents"], &stream);
    let destination = &properties["EventInvokeConfig"]["DestinationConfig"]["OnFailure"]["Destination"];
    if !destination.is_null() {
        needs.add(&["sqs:SendMessage"], &text(template, destination));
    }
    needs.all
}

/// Lambda's actions for a mapping, with the role of its function: it reads, and moves away what it gives up.
fn of_mapping(template: &Template, mapping: Resource<'_>) -> Vec<Need> {
    let function = template.named(&mapping.properties["FunctionName"]).unwrap();
    let mut needs = Needs::of(template, &function.properties["Role"], format!("Lambda, for {}", mapping.id));
    let source = &mapping.properties["EventSourceArn"];
    let kind = template.named(source).unwrap().kind;
    let (_, actions) = READS.iter().find(|(of, _)| *of == kind).unwrap();
    needs.add(actions, &text(template, source));
    let destination = &mapping.properties["DestinationConfig"]["OnFailure"]["Destination"];
    if !destination.is_null() {
        let bucket = text(template, destination);
        needs.add(&["s3:ListBucket"], &bucket);
        needs.add(&["s3:PutObject"], &format!("{bucket}/aws/lambda/0a1b/shardId-000000000000/2026/11/22/x"));
    }
    needs.all
}

fn of_schedule(template: &Template, schedule: Resource<'_>) -> Vec<Need> {
    let target = &schedule.properties["Target"];
    let mut needs = Needs::of(template, &target["RoleArn"], format!("EventBridge Scheduler, for {}", schedule.id));
    needs.add(&["lambda:InvokeFunction"], &text(template, &target["Arn"]));
    let dead = &target["DeadLetterConfig"]["Arn"];
    if !dead.is_null() {
        needs.add(&["sqs:SendMessage"], &text(template, dead));
    }
    needs.all
}

/// Firehose's actions to deliver to S3 (Developer Guide, "Grant Firehose access to an Amazon S3 destination"). The
/// stream itself is encrypted with a key that AWS owns, and the bucket with S3's own: neither needs KMS.
fn of_delivery(template: &Template, delivery: Resource<'_>) -> Vec<Need> {
    let to = &delivery.properties["ExtendedS3DestinationConfiguration"];
    let mut needs = Needs::of(template, &to["RoleARN"], format!("Firehose, for {}", delivery.id));
    let bucket = text(template, &to["BucketARN"]);
    needs.add(&["s3:GetBucketLocation", "s3:ListBucket", "s3:ListBucketMultipartUploads"], &bucket);
    for prefix in ["Prefix", "ErrorOutputPrefix"] {
        let object = format!("{bucket}/{}x", to[prefix].as_str().unwrap());
        needs.add(&["s3:AbortMultipartUpload", "s3:GetObject", "s3:PutObject"], &object);
    }
    needs.add(&["logs:PutLogEvents"], &stream_of(template, &to["CloudWatchLoggingOptions"]["LogGroupName"]));
    needs.all
}

/// CodeDeploy's actions for a gradual shift (User Guide, "AWSCodeDeployRoleForLambda"): it moves the alias, and reads
/// the alarms. A function without a gradual shift needs nothing.
fn of_shift(template: &Template, function: Resource<'_>) -> Vec<Need> {
    let shift = &function.properties["DeploymentPreference"];
    if shift.is_null() {
        return Vec::new();
    }
    let mut needs = Needs::of(template, &shift["Role"]["Fn::If"][1], format!("CodeDeploy, for {}", function.id));
    let arn = text(template, &serde_json::json!({ "Fn::GetAtt": [function.id, "Arn"] }));
    let alias = function.properties["AutoPublishAlias"].as_str().unwrap();
    for on in [&arn, &format!("{arn}:{alias}")] {
        needs.add(&["lambda:GetAlias", "lambda:UpdateAlias", "lambda:GetProvisionedConcurrencyConfig"], on);
    }
    needs.add(&["cloudwatch:DescribeAlarms"], "arn:aws:cloudwatch:${AWS::Region}:${AWS::AccountId}:alarm:*");
    needs.all
}

/// All actions of services with roles.
pub(crate) fn needs(template: &Template) -> Vec<Need> {
    let functions = template.functions().flat_map(|it| of_function(template, it));
    let mappings = template.of("AWS::Lambda::EventSourceMapping").flat_map(|it| of_mapping(template, it));
    let schedules = template.of("AWS::Scheduler::Schedule").flat_map(|it| of_schedule(template, it));
    let deliveries = template.of("AWS::KinesisFirehose::DeliveryStream").flat_map(|it| of_delivery(template, it));
    let shifts = template.functions().flat_map(|it| of_shift(template, it));
    functions.chain(shifts).chain(mappings).chain(schedules).chain(deliveries).collect()
}
