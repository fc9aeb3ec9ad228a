//! `infra/follower.yaml`: a second metrics function, with the same permissions, and nothing else; without the lake
//! while it is quiet.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::{Value, json};

use super::document::{Resource, Template, listed};
use super::policies::statements;
use super::rules::findings;

/// Variables that only a follower has.
pub(super) const ITS_OWN: [&str; 1] = ["STOOP_QUIET"];

fn follower(is_quiet: bool) -> Template {
    Template::read("infra/follower.yaml").with("Quiet", if is_quiet { "true" } else { "false" }, &["IsQuiet"])
}

pub(super) fn named<'t>(template: &'t Template, id: &str) -> Resource<'t> {
    template.resources().find(|resource| resource.id == id).unwrap()
}

/// The project's rules that it does not keep, by their beginnings, with reasons.
const NOT_KEPT: [(&str, &str); 6] = [
    ("retries are bounded", "it gives nothing up: a skipped record would be missing in its generation"),
    ("failures have a destination", "it gives nothing up"),
    ("parameters explain themselves", "the stack to follow has no default"),
    ("failures have alarms", "its result is compared before it is used"),
    ("new versions of stream readers", "after an error it starts over"),
    ("nothing is traced", "it has no tracing at all"),
];

#[test]
fn a_follower_keeps_every_rule_that_applies_to_it() {
    let template = follower(false);
    let mut found = findings(&template);
    for (rule, _) in NOT_KEPT {
        let before = found.len();
        found.retain(|finding| !finding.rule.starts_with(rule));
        assert!(found.len() < before, "{rule}: it keeps it after all");
    }
    // Names from parameters count as unbounded to a test that does not read their patterns.
    found.retain(|finding| !finding.what.starts_with("FollowerFunction: its environment may have"));
    assert_eq!(found, []);
    // All rules except the default apply to its parameters, too.
    let no_default: BTreeSet<&str> = template.0["Parameters"]
        .as_object()
        .unwrap()
        .iter()
        .filter(|(_, parameter)| parameter["Default"].is_null())
        .map(|(name, _)| name.as_str())
        .collect();
    assert_eq!(
        no_default,
        BTreeSet::from(["BucketName", "DeliveryStreamName", "HomesTableName", "MarketsTableName", "StreamArn"])
    );
    let outputs = &Template::read("template.yaml").0["Outputs"];
    for output in ["BucketName", "DeliveryStreamName", "HomesTableBName", "MarketsTableAName", "StreamArn"] {
        assert!(!outputs[output].is_null(), "{output}: the runbook needs it");
    }
}

/// A role's statements by `Sid`, those without one by action.
pub(super) fn by_sid<'t>(template: &'t Template, role: &str) -> BTreeMap<String, &'t Value> {
    let own = statements(template).filter(|(holder, _)| holder.id == role);
    own.map(|(_, it)| (it["Sid"].as_str().unwrap_or("Log").to_owned(), it)).collect()
}

#[test]
fn a_follower_has_the_metrics_functions_permissions_except_failures_and_while_quiet_the_lake() {
    let (main, quiet, follower) = (Template::load(), follower(true), follower(false));
    let (main, own) = (by_sid(&main, "MetricsRole"), by_sid(&follower, "FollowerRole"));
    let mut expected: BTreeSet<&str> = main.keys().map(String::as_str).collect();
    for sid in ["KeepFailedBatches", "FindFailuresBucket"] {
        assert!(expected.remove(sid), "{sid}");
    }
    assert_eq!(own.keys().map(String::as_str).collect::<BTreeSet<_>>(), expected);
    assert!(expected.remove("SendToLake"));
    let quiet = by_sid(&quiet, "FollowerRole");
    assert_eq!(quiet.keys().map(String::as_str).collect::<BTreeSet<_>>(), expected);
    assert!(quiet.iter().all(|(sid, statement)| own[sid] == *statement));
    for (sid, statement) in &own {
        assert_eq!(statement["Action"], main[sid]["Action"], "{sid}");
        assert!(statement["Condition"].is_null() && statement["Effect"] == "Allow", "{sid}");
    }
    let table = |of: &str| json!({ "Fn::Sub": format!("arn:${{AWS::Partition}}:dynamodb:${{AWS::Region}}:${{AWS::AccountId}}:table/${{{of}}}") });
    let resources = |sid: &str| listed(&own[sid]["Resource"]).into_iter().cloned().collect::<Vec<_>>();
    assert_eq!(resources("ReadStream"), [json!({ "Ref": "StreamArn" })]);
    assert_eq!(resources("CommitState"), [table("HomesTableName"), table("MarketsTableName")]);
    assert_eq!(resources("ReplaceBlocks"), [table("MarketsTableName")]);
    let lake = "arn:${AWS::Partition}:firehose:${AWS::Region}:${AWS::AccountId}:deliverystream/${DeliveryStreamName}";
    assert_eq!(resources("SendToLake"), [json!({ "Fn::Sub": lake })]);
    let quarantine = json!({ "Fn::Sub": "arn:${AWS::Partition}:s3:::${BucketName}/quarantine/*" });
    assert_eq!(resources("KeepPoison"), [quarantine]);
    assert_eq!(resources("Log"), [json!({ "Fn::GetAtt": ["FollowerLogs", "Arn"] })]);
    // The boundary of a stack allows it if its name begins with the stack's.
    let name = &named(&follower, "FollowerLogs").properties["LogGroupName"];
    assert_eq!(*name, json!({ "Fn::Sub": "/aws/lambda/${AWS::StackName}-metrics" }));
}

#[test]
fn a_follower_is_the_metrics_function_and_without_the_lake_while_it_is_quiet() {
    let (main, quiet, follower) = (Template::load(), follower(true), follower(false));
    let (function, own) = (named(&main, "MetricsFunction"), named(&follower, "FollowerFunction"));
    assert_eq!(follower.functions().count(), 1);
    assert_eq!(own.properties["CodeUri"], "../functions/metrics");
    for same in ["Timeout", "FunctionName"] {
        assert_eq!(own.properties[same], function.properties[same], "{same}");
    }
    let of = |template: &Template, id: &str| template.0["Resources"][id]["Metadata"].clone();
    assert_eq!(of(&follower, own.id), of(&main, function.id), "built alike");
    let of_all = main.0["Globals"]["Function"].clone();
    assert_eq!((&own.properties["Runtime"], &own.properties["Handler"]), (&of_all["Runtime"], &of_all["Handler"]));

    let names = |value: &Value| value.as_object().unwrap().keys().cloned().collect::<BTreeSet<String>>();
    let mut expected = names(&function.properties["Environment"]["Variables"]);
    expected.extend(names(&of_all["Environment"]["Variables"]));
    expected.extend(ITS_OWN.map(str::to_owned));
    let variables = &own.properties["Environment"]["Variables"];
    assert_eq!(names(variables), expected);
    assert_eq!(variables["STOOP_QUIET"], json!({ "Ref": "Quiet" }));
    let quiet = &named(&quiet, own.id).properties["Environment"]["Variables"];
    assert!(expected.remove("STOOP_DELIVERY_STREAM"));
    assert_eq!(names(quiet), expected, "with a lake, it would not start");
    let written = Template::read("infra/follower.yaml");
    assert_eq!(written.0["Parameters"]["Quiet"]["Default"], "true", "quiet by default");
}

#[test]
fn a_follower_skips_nothing_on_the_stream() {
    let template = follower(true);
    let mapping = named(&template, "FollowerMapping").properties;
    assert_eq!(mapping["StartingPosition"], "TRIM_HORIZON");
    // With an age below the stream's retention, Lambda skips older records at the start.
    assert_eq!((&mapping["MaximumRecordAgeInSeconds"], &mapping["MaximumRetryAttempts"]), (&json!(-1), &json!(-1)));
    assert!(mapping["FilterCriteria"].is_null() && mapping["DestinationConfig"].is_null());
}
