//! What a policy allows: the part of IAM's evaluation that the template needs, on invented ARNs.

use serde_json::Value;

use super::document::{Template, listed};
use super::policies::statements;

const ACCOUNT: &str = "111122223333";

/// A request to AWS.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Asked {
    pub(crate) action: String,
    /// An ARN.
    pub(crate) resource: String,
    /// Condition keys and their values in the request.
    pub(crate) context: Vec<(String, String)>,
}

impl Asked {
    /// `resource` is an ARN, or text as for `Fn::Sub`.
    pub(crate) fn new(template: &Template, action: &str, resource: &str, context: &[(&str, &str)]) -> Self {
        let resource = substituted(template, resource);
        let context = context.iter().map(|(key, value)| ((*key).to_owned(), substituted(template, value))).collect();
        Self { action: action.to_owned(), resource, context }
    }

    /// Adds a condition key.
    pub(crate) fn with(mut self, key: &str, value: &str) -> Self {
        self.context.push((key.to_owned(), value.to_owned()));
        self
    }
}

/// Whether text matches a pattern in which `*` matches any text and `?` any character.
pub(crate) fn like(pattern: &str, text: &str) -> bool {
    match pattern.chars().next() {
        None => text.is_empty(),
        Some('*') => {
            let rest = &pattern[1..];
            text.char_indices().map(|(at, _)| at).chain([text.len()]).any(|at| like(rest, &text[at..]))
        }
        Some(wanted) => text.chars().next().is_some_and(|found| {
            (wanted == '?' || wanted == found) && like(&pattern[wanted.len_utf8()..], &text[found.len_utf8()..])
        }),
    }
}

/// The value in a deployed stack.
pub(crate) fn text(template: &Template, value: &Value) -> String {
    if let Some(text) = value.as_str() {
        return text.to_owned();
    }
    if let Some(name) = value["Ref"].as_str() {
        return named(template, name);
    }
    if let Some(id) = value["Fn::GetAtt"][0].as_str() {
        return attribute(template, id, value["Fn::GetAtt"][1].as_str().unwrap());
    }
    let pattern = value["Fn::Sub"].as_str();
    substituted(template, pattern.unwrap_or_else(|| panic!("unknown value in a policy: {value}")))
}

fn substituted(template: &Template, pattern: &str) -> String {
    let mut parts = pattern.split("${");
    let mut text = parts.next().unwrap_or_default().to_owned();
    for part in parts {
        let (name, rest) = part.split_once('}').unwrap();
        text.push_str(&match name.split_once('.') {
            Some((id, of)) => attribute(template, id, of),
            None => named(template, name),
        });
        text.push_str(rest);
    }
    text
}

fn named(template: &Template, name: &str) -> String {
    match name {
        "AWS::StackName" => return "stoop".to_owned(),
        "AWS::Partition" => return "aws".to_owned(),
        "AWS::Region" => return "us-east-1".to_owned(),
        "AWS::AccountId" => return ACCOUNT.to_owned(),
        _ => {}
    }
    // `Ref` of these is the ARN; of other resources a name.
    match kind(template, name) {
        Some("AWS::SNS::Topic" | "AWS::SecretsManager::Secret") => attribute(template, name, "Arn"),
        Some(_) => name.to_owned(),
        None => {
            let default = &template.0["Parameters"][name]["Default"];
            default.as_str().map_or_else(|| default.to_string(), str::to_owned)
        }
    }
}

fn kind<'t>(template: &'t Template, id: &str) -> Option<&'t str> {
    template.resources().find(|resource| resource.id == id).map(|resource| resource.kind)
}

fn attribute(template: &Template, id: &str, of: &str) -> String {
    let (service, rest) = match kind(template, id).unwrap_or_else(|| panic!("{id} is not in the template")) {
        "AWS::S3::Bucket" => return format!("arn:aws:s3:::{id}"),
        "AWS::IAM::Role" => return format!("arn:aws:iam::{ACCOUNT}:role/{id}"),
        "AWS::DynamoDB::Table" if of == "StreamArn" => {
            ("dynamodb", format!("table/{id}/stream/2026-11-22T00:00:00.000"))
        }
        "AWS::DynamoDB::Table" => ("dynamodb", format!("table/{id}")),
        "AWS::SQS::Queue" => ("sqs", id.to_owned()),
        "AWS::SNS::Topic" => ("sns", id.to_owned()),
        "AWS::Kinesis::Stream" => ("kinesis", format!("stream/{id}")),
        "AWS::KinesisFirehose::DeliveryStream" => ("firehose", format!("deliverystream/{id}")),
        "AWS::SecretsManager::Secret" => ("secretsmanager", format!("secret:{id}-AbCdEf")),
        "AWS::Serverless::Function" => ("lambda", format!("function:{id}")),
        // CloudFormation's own: the ARN of a log group ends like this, and covers all of its streams.
        "AWS::Logs::LogGroup" => ("logs", format!("log-group:{id}:*")),
        other => panic!("unknown {of} of a {other}"),
    };
    format!("arn:aws:{service}:us-east-1:{ACCOUNT}:{rest}")
}

/// Whether a statement covers a request, whatever its effect.
pub(crate) fn covers(template: &Template, statement: &Value, asked: &Asked) -> bool {
    let action = |pattern: &Value| like(&text(template, pattern).to_lowercase(), &asked.action.to_lowercase());
    let resource = |pattern: &Value| like(&text(template, pattern), &asked.resource);
    listed(&statement["Action"]).into_iter().any(action)
        && listed(&statement["Resource"]).into_iter().any(resource)
        && holds(template, &statement["Condition"], asked)
}

/// Whether every condition holds. None of these operators matches a missing key.
pub(crate) fn holds(template: &Template, conditions: &Value, asked: &Asked) -> bool {
    let Some(operators) = conditions.as_object() else { return true };
    let keys = operators.iter().flat_map(|(operator, keys)| {
        keys.as_object().unwrap().iter().map(move |(key, accepted)| (operator.as_str(), key, accepted))
    });
    let mut each = keys.map(|(operator, key, accepted)| {
        let found = asked.context.iter().find(|(name, _)| name == key).map(|(_, value)| value);
        let meets = |accepted: String, found: &str| match operator {
            "StringEquals" | "ForAnyValue:StringEquals" | "Bool" => accepted == found,
            "StringLike" => like(&accepted, found),
            other => panic!("{other} is in a policy, and this evaluator does not know it"),
        };
        found.is_some_and(|found| listed(accepted).into_iter().any(|accepted| meets(text(template, accepted), found)))
    });
    each.all(|holds| holds)
}

/// Whether the policies of a role allow it.
pub(crate) fn role_may(template: &Template, role: &str, asked: &Asked) -> bool {
    let own = || statements(template).filter(|(holder, _)| holder.id == role).map(|(_, statement)| statement);
    let any = |effect: &str| own().any(|it| it["Effect"] == effect && covers(template, it, asked));
    any("Allow") && !any("Deny")
}

/// Whether the policy of a bucket, queue or topic denies it to everybody.
pub(crate) fn is_denied(template: &Template, asked: &Asked) -> bool {
    statements(template).any(|(_, statement)| {
        statement["Effect"] == "Deny" && statement["Principal"] == "*" && covers(template, statement, asked)
    })
}

/// Whether the policy of a topic or queue allows it to a service.
pub(crate) fn service_may(template: &Template, service: &str, asked: &Asked) -> bool {
    statements(template).any(|(_, statement)| {
        statement["Effect"] == "Allow"
            && listed(&statement["Principal"]["Service"]).iter().any(|principal| **principal == service)
            && covers(template, statement, asked)
    }) && !is_denied(template, asked)
}

/// Whether a service may assume a role.
pub(crate) fn service_may_assume(template: &Template, service: &str, role: &str, context: &[(&str, &str)]) -> bool {
    let role = template.of("AWS::IAM::Role").find(|it| it.id == role).unwrap();
    let asked = Asked::new(template, "sts:AssumeRole", "", context);
    listed(&role.properties["AssumeRolePolicyDocument"]["Statement"]).into_iter().any(|statement| {
        statement["Effect"] == "Allow"
            && statement["Action"] == "sts:AssumeRole"
            && statement["Principal"]["Service"] == service
            && holds(template, &statement["Condition"], &asked)
    })
}

#[test]
fn a_pattern_matches_with_wildcards() {
    for (pattern, text) in [("", ""), ("a*", "a"), ("a*c", "abbc"), ("*/x/*", "a/x/"), ("a?c", "abc"), ("é*", "éa")] {
        assert!(like(pattern, text), "{pattern} {text}");
    }
    for (pattern, text) in [("", "a"), ("a*c", "ab"), ("a?c", "ac"), ("index/*", "index"), ("A", "a")] {
        assert!(!like(pattern, text), "{pattern} {text}");
    }
}

#[test]
fn conditions_hold_as_in_iam() {
    let template = Template::load();
    let condition = serde_json::json!({ "StringLike": { "s3:prefix": ["index/*", "files/*"] } });
    let asked = |context: &[(&str, &str)]| Asked::new(&template, "s3:ListBucket", "${DataBucket.Arn}", context);
    let meets = |context: &[(&str, &str)]| holds(&template, &condition, &asked(context));
    assert!(meets(&[("s3:prefix", "index/")]) && meets(&[("s3:prefix", "files/a/b")]));
    assert!(!meets(&[]) && !meets(&[("s3:prefix", "")]) && !meets(&[("s3:prefix", "pages/")]));
    let tls = serde_json::json!({ "Bool": { "aws:SecureTransport": "false" } });
    assert!(holds(&template, &tls, &asked(&[("aws:SecureTransport", "false")])));
    assert!(!holds(&template, &tls, &asked(&[("aws:SecureTransport", "true")])));
}
