//! `infra/lake.yaml`: the lake's tables, their function, its alarms and their entries in the Glue Data Catalog.

use std::collections::BTreeSet;
use std::fs;

use serde_json::json;

use super::document::{Template, listed, root};
use super::follower::{by_sid, named};
use super::rules::findings;
use super::sources;

fn lake() -> Template {
    Template::read("infra/lake.yaml")
}

/// The project's rules that it does not keep, by their beginnings, with reasons.
const NOT_KEPT: [(&str, &str); 5] = [
    ("parameters explain themselves", "the stack whose lake it is has no default"),
    ("failures have alarms", "the other stack watches what concerns the account, and its own metrics"),
    ("alarms are heard", "the topic is of the other stack"),
    ("new versions of stream readers", "it reads no stream"),
    ("nothing is traced", "it has no tracing at all"),
];

#[test]
fn the_lake_keeps_every_rule_that_applies_to_it() {
    let template = lake();
    let mut found = findings(&template);
    for (rule, _) in NOT_KEPT {
        let before = found.len();
        found.retain(|finding| !finding.rule.starts_with(rule));
        assert!(found.len() < before, "{rule}: it keeps it after all");
    }
    // Names from parameters count as unbounded to a test that does not read their patterns.
    found.retain(|finding| !finding.what.starts_with("TablesFunction: its environment may have"));
    assert_eq!(found, []);
    let parameters = template.0["Parameters"].as_object().unwrap();
    let no_default: BTreeSet<&str> =
        parameters.iter().filter(|(_, it)| it["Default"].is_null()).map(|(name, _)| name.as_str()).collect();
    assert_eq!(no_default, BTreeSet::from(["AlarmTopicArn", "BucketName", "Stack"]));
    let outputs = &Template::read("template.yaml").0["Outputs"];
    for output in ["AlarmTopicArn", "BucketName"] {
        assert!(!outputs[output].is_null(), "{output}: LAKE.md needs it");
    }
}

#[test]
fn its_failures_have_alarms_that_are_heard() {
    let template = lake();
    let code = sources(&root().join("lake/function/src"));
    let mut watched = BTreeSet::new();
    for alarm in template.of("AWS::CloudWatch::Alarm") {
        for actions in ["AlarmActions", "OKActions"] {
            assert_eq!(alarm.properties[actions], json!([{ "Ref": "AlarmTopicArn" }]), "{}", alarm.id);
        }
        let metric = alarm.properties["MetricName"].as_str().unwrap();
        let of = &listed(&alarm.properties["Dimensions"])[0]["Value"];
        if alarm.properties["Namespace"] == "Stoop" {
            assert!(code.contains(&format!("\"{metric}\"")), "nothing counts {metric}");
            assert_eq!(*of, json!({ "Ref": "Stack" }), "{}", alarm.id);
        } else {
            assert_eq!(*of, json!({ "Ref": "TablesFunction" }), "{}", alarm.id);
        }
        // The function is ticked whatever else the stack does, so its silence is a failure.
        let missing = if metric == "Invocations" { "breaching" } else { "notBreaching" };
        assert_eq!(alarm.properties["TreatMissingData"], missing, "{}", alarm.id);
        assert!(watched.insert(metric), "{metric} has two alarms");
    }
    assert_eq!(watched, BTreeSet::from(["Errors", "Invocations", "LakeRefused", "TablesLagMs"]));
    let text = fs::read_to_string(root().join("docs/LAKE.md")).unwrap();
    for alarm in template.of("AWS::CloudWatch::Alarm") {
        assert!(text.contains(&format!("| `{}` |", alarm.id)), "{}: LAKE.md does not explain it", alarm.id);
    }
}

/// What the function does in the bucket: it lists both folders and single keys, reads bronze, and keeps the tables, whose
/// commits are conditional puts ("How to prevent object overwrites": `s3:PutObject` is enough for `If-None-Match`).
#[test]
fn its_function_has_exactly_the_permissions_that_it_needs() {
    let template = lake();
    let own = by_sid(&template, "TablesRole");
    assert_eq!(
        own.keys().map(String::as_str).collect::<BTreeSet<_>>(),
        ["KeepTables", "List", "Log", "ReadBronze"].into()
    );
    let bucket = "arn:${AWS::Partition}:s3:::${BucketName}";
    let may = |sid: &str| {
        let statement = own[sid];
        assert!(statement["Condition"].is_null() && statement["Effect"] == "Allow", "{sid}");
        let actions: BTreeSet<&str> = listed(&statement["Action"]).iter().map(|it| it.as_str().unwrap()).collect();
        (actions, statement["Resource"]["Fn::Sub"].as_str().unwrap_or_default().to_owned())
    };
    assert_eq!(may("ReadBronze"), (["s3:GetObject"].into(), format!("{bucket}/lake/observations/*")));
    let keep = ["s3:DeleteObject", "s3:GetObject", "s3:PutObject"];
    assert_eq!(may("KeepTables"), (keep.into(), format!("{bucket}/tables/*")));
    assert_eq!(may("List"), (["s3:ListBucket"].into(), bucket.to_owned()));
    // As long as tests say that it leaves two minutes of its time to what it has begun.
    assert_eq!(named(&template, "TablesFunction").properties["Timeout"], 900);
}

#[test]
fn its_tables_are_read_by_athena_as_delta_tables() {
    let template = lake();
    let tables: Vec<_> = template.of("AWS::Glue::Table").collect();
    assert_eq!(tables.len(), 12);
    for table in &tables {
        assert_eq!(table.condition, Some("HasDatabase"));
        let input = &table.properties["TableInput"];
        assert_eq!(input["Parameters"]["spark.sql.sources.provider"], "delta", "{}", table.id);
        let storage = &input["StorageDescriptor"];
        assert_eq!(storage["Location"], storage["SerdeInfo"]["Parameters"]["path"], "{}", table.id);
        let columns = listed(&storage["Columns"]).into_iter().chain(listed(&input["PartitionKeys"]));
        let names: Vec<&str> = columns.map(|column| column["Name"].as_str().unwrap()).collect();
        assert!(names.len() > 3 && names.iter().collect::<BTreeSet<_>>().len() == names.len(), "{}", table.id);
    }
    // A query that reads too much ends, and Athena's version is the one that knows Delta.
    let group = &named(&template, "WorkGroup").properties["WorkGroupConfiguration"];
    assert_eq!(group["EnforceWorkGroupConfiguration"], true);
    assert_eq!(group["BytesScannedCutoffPerQuery"], json!({ "Ref": "QueryBytesMax" }));
    assert_eq!(group["EngineVersion"]["SelectedEngineVersion"], "Athena engine version 3");
}

/// Files that a table no longer has are deleted; the data bucket keeps their versions only for some days.
#[test]
fn the_data_bucket_forgets_deleted_files_of_tables() {
    let template = Template::load();
    let rules = listed(&named(&template, "DataBucket").properties["LifecycleConfiguration"]["Rules"]);
    let rule = rules.iter().find(|rule| rule["Prefix"] == "tables/").expect("a rule for tables/");
    assert_eq!(rule["NoncurrentVersionExpiration"]["NoncurrentDays"], 7);
    assert!(rule["ExpirationInDays"].is_null() && rule["Transitions"].is_null(), "{rule}");
}
