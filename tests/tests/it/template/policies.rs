//! Least privilege: every policy names the actions and the resources that it allows.

use serde_json::Value;

use super::document::{Resource, Template, listed};
use super::rules::Findings;

/// Statements (role, `Sid`) that may have a wildcard, each with its reason.
const ALLOWED: &[(&str, &str, &str)] = &[
    (
        "ShiftRole",
        "SeeAlarms",
        "AWS does not say with which alarm's ARN CodeDeploy's question is checked; its own policy names all",
    ),
    ("TracesPolicy", "SendTraces", "X-Ray's actions have no resources"),
];

/// Every statement of every policy in the template, with its resource.
pub(crate) fn statements(template: &Template) -> impl Iterator<Item = (Resource<'_>, &Value)> {
    template.resources().flat_map(|resource| {
        let inline = listed(&resource.properties["Policies"]).into_iter().map(|policy| &policy["PolicyDocument"]);
        let documents = inline.chain([&resource.properties["PolicyDocument"]]);
        documents.flat_map(|document| listed(&document["Statement"])).map(move |statement| (resource, statement))
    })
}

/// The text of an ARN in the template; `None` if it is another resource's whole ARN.
fn text(value: &Value) -> Option<&str> {
    value.as_str().or_else(|| value["Fn::Sub"].as_str())
}

/// Whether an ARN ends in a wildcard after a narrowing prefix: `${Bucket.Arn}/config/*`, not `${Bucket.Arn}/*`.
fn is_narrow(arn: &str) -> bool {
    let Some(stem) = arn.strip_suffix("/*") else { return !arn.contains('*') };
    let narrowed = match stem.rsplit_once("Arn}") {
        Some((_, path)) => path.len() > 1,
        None => stem.starts_with("arn:") && (stem.contains("${AWS::StackName}") || has_a_path(stem)),
    };
    narrowed && !stem.contains('*')
}

/// Whether an object's ARN continues after a bucket name from a parameter: `arn:...:s3:::${BucketName}/path`.
fn has_a_path(arn: &str) -> bool {
    let behind = arn.split_once(":s3:::${").and_then(|(_, bucket)| bucket.split_once("}/"));
    behind.is_some_and(|(_, path)| !path.is_empty())
}

pub(crate) fn policies_name_actions_and_resources(template: &Template, findings: &mut Findings) {
    for function in template.functions() {
        findings.unless(template.named(&function.properties["Role"]).is_some(), || {
            format!("{}: Role names no role of this template, and SAM would make a broad one", function.id)
        });
    }
    for role in template.of("AWS::IAM::Role") {
        let managed = !role.properties["ManagedPolicyArns"].is_null();
        findings.unless(!managed, || format!("{}: a managed policy allows more than is needed", role.id));
    }
    for (holder, statement) in statements(template).filter(|(_, statement)| statement["Effect"] != "Deny") {
        let sid = statement["Sid"].as_str().unwrap_or_default();
        if ALLOWED.iter().any(|(role, allowed, _)| (*role, *allowed) == (holder.id, sid)) {
            continue;
        }
        let named = format!("{} {sid}", holder.id);
        for part in ["NotAction", "NotResource", "NotPrincipal"] {
            findings.unless(statement[part].is_null(), || format!("{named}: {part} allows whatever it does not name"));
        }
        for action in listed(&statement["Action"]) {
            let exact = action.as_str().is_some_and(|action| !action.contains('*'));
            findings.unless(exact, || format!("{named}: the action {action} is a wildcard"));
        }
        for resource in listed(&statement["Resource"]) {
            let narrow = text(resource).is_none_or(is_narrow);
            findings.unless(narrow, || format!("{named}: the resource {resource} is a wildcard"));
        }
        let anyone = statement["Principal"] == "*" || statement["Principal"]["AWS"] == "*";
        findings.unless(!anyone, || format!("{named}: it allows it to anybody"));
    }
}

/// Operators that match a request without the key: `...IfExists` and `Null` by definition, `ForAllValues` because it is
/// true for an empty set, and negations. In an `Allow` they permit unforeseen requests.
fn fails_open(operator: &str) -> bool {
    operator.ends_with("IfExists")
        || operator == "Null"
        || operator.starts_with("ForAllValues")
        || operator.contains("Not")
}

pub(crate) fn conditions_fail_closed(template: &Template, findings: &mut Findings) {
    let roles = template.of("AWS::IAM::Role");
    let trust = roles.flat_map(|role| {
        let document = &role.properties["AssumeRolePolicyDocument"];
        listed(&document["Statement"]).into_iter().map(move |statement| (role, statement))
    });
    for (holder, statement) in statements(template).chain(trust).filter(|(_, it)| it["Effect"] != "Deny") {
        let operators = statement["Condition"].as_object().into_iter().flat_map(|conditions| conditions.keys());
        for operator in operators.filter(|operator| fails_open(operator)) {
            findings.unless(false, || format!("{}: {operator} holds for a request that lacks the key", holder.id));
        }
    }
}

#[test]
fn a_wildcard_is_narrow_after_a_name() {
    let narrow = [
        "${DataBucket.Arn}/config/*",
        "${MarketsTable.Arn}/index/heads",
        "${MarketsTable.Arn}/index/changed",
        "arn:x:secret:stoop/${AWS::StackName}/*",
        "arn:x:s3:::${BucketName}/quarantine/*",
    ];
    assert_eq!(narrow.map(is_narrow), [true; 5]);
    let broad = [
        "*",
        "${DataBucket.Arn}/*",
        "arn:aws:s3:::*",
        "arn:x:s3:::${BucketName}/*",
        "arn:x:secret:stoop/*",
        "${DataBucket.Arn}/*/x/*",
    ];
    assert_eq!(broad.map(is_narrow), [false; 6]);
}
