//! Each call of our code to AWS: by which function, through which port, and the IAM permissions it needs.
//!
//! The tests scan the code for calls, and the functions for ports; one that is not in these tables fails.

use std::collections::BTreeSet;
use std::fs;
use std::path::Path;

use super::document::{Template, reference, root};
use super::iam::Asked;
use super::services::Need;

mod rows;

use rows::{NEVER, ROWS, Row};

/// The calls in `shared/aws/src`, as `file operation`, and how often each occurs. `Put` is a part of a transaction,
/// which is allowed by the actions that it consists of. Check a new occurrence: which function reaches it, and for
/// which resource?
pub(super) const CALLS: &[(&str, usize)] = &[
    ("configuration.rs get_object", 1),
    ("configuration.rs list_objects_v2", 1),
    ("configuration.rs put_object", 1),
    ("dynamo/areas.rs query", 1),
    ("dynamo/areas.rs update_item", 1),
    ("dynamo/batch.rs batch_get_item", 1),
    ("dynamo/browse.rs query", 2),
    ("dynamo/budgets.rs get_item", 1),
    ("dynamo/budgets.rs put_item", 1),
    ("dynamo/commit.rs Put", 1),
    ("dynamo/commit.rs delete_item", 1),
    ("dynamo/commit.rs put_item", 1),
    ("dynamo/commit.rs query", 1),
    ("dynamo/commit.rs transact_write_items", 1),
    ("dynamo/controls.rs put_item", 1),
    ("dynamo/controls.rs query", 1),
    ("dynamo/ledger.rs put_item", 1),
    ("dynamo/ledger.rs update_item", 1),
    ("dynamo/merging.rs query", 2),
    ("dynamo/merging.rs update_item", 2),
    ("dynamo/runs.rs get_item", 1),
    ("dynamo/runs.rs put_item", 1),
    ("dynamo/tables.rs scan", 1),
    ("dynamo/views.rs query", 2),
    ("firehose.rs put_record_batch", 1),
    ("kinesis.rs put_records", 1),
    ("s3/object.rs delete_objects", 1),
    ("s3/object.rs get_object", 3),
    ("s3/object.rs head_object", 1),
    ("s3/object.rs list_objects_v2", 3),
    ("s3/object.rs put_object", 1),
    ("secrets.rs get_secret_value", 1),
    ("sns.rs publish_batch", 1),
    ("sqs.rs change_message_visibility", 1),
    ("sqs.rs send_message", 1),
    ("sqs.rs send_message_batch", 1),
];

/// The calls of each port, by the operations of [`CALLS`].
const PORTS: &[(&str, &[&str])] = &[
    ("DynamoBrowse", &["dynamo/batch.rs batch_get_item", "dynamo/browse.rs query", "dynamo/merging.rs query"]),
    ("DynamoBudgets", &["dynamo/budgets.rs get_item", "dynamo/budgets.rs put_item"]),
    ("DynamoControls", &["dynamo/controls.rs put_item", "dynamo/controls.rs query"]),
    ("DynamoLedger", &["dynamo/batch.rs batch_get_item", "dynamo/ledger.rs put_item", "dynamo/ledger.rs update_item"]),
    ("DynamoRuns", &["dynamo/batch.rs batch_get_item", "dynamo/runs.rs get_item", "dynamo/runs.rs put_item"]),
    (
        "DynamoStore",
        &[
            "dynamo/batch.rs batch_get_item",
            "dynamo/commit.rs Put",
            "dynamo/commit.rs delete_item",
            "dynamo/commit.rs put_item",
            "dynamo/commit.rs query",
            "dynamo/commit.rs transact_write_items",
            "dynamo/merging.rs query",
            "dynamo/merging.rs update_item",
        ],
    ),
    ("DynamoViews", &["dynamo/batch.rs batch_get_item", "dynamo/views.rs query"]),
    ("KinesisStream", &["kinesis.rs put_records"]),
    ("LakeDelivery", &["firehose.rs put_record_batch"]),
    ("PollQueue", &["sqs.rs change_message_visibility", "sqs.rs send_message", "sqs.rs send_message_batch"]),
    (
        "S3Configuration",
        &[
            "configuration.rs get_object",
            "configuration.rs list_objects_v2",
            "configuration.rs put_object",
            "s3/object.rs get_object",
            "s3/object.rs list_objects_v2",
        ],
    ),
    ("S3Files", &["s3/object.rs get_object", "s3/object.rs list_objects_v2"]),
    (
        "S3Index",
        &[
            "s3/object.rs delete_objects",
            "s3/object.rs get_object",
            "s3/object.rs head_object",
            "s3/object.rs list_objects_v2",
            "s3/object.rs put_object",
        ],
    ),
    ("S3Pages", &["s3/object.rs put_object"]),
    ("S3Quarantine", &["s3/object.rs put_object"]),
    ("Secrets", &["secrets.rs get_secret_value"]),
    (
        "StackAreas",
        &[
            "dynamo/areas.rs query",
            "dynamo/areas.rs update_item",
            "dynamo/batch.rs batch_get_item",
            "s3/object.rs get_object",
            "s3/object.rs list_objects_v2",
            "s3/object.rs put_object",
        ],
    ),
    ("TopicPublisher", &["sns.rs publish_batch"]),
];

/// Calls that no function makes, only operators with `stoop-aws` and their own permissions.
const OPERATORS: &[(&str, &[&str])] = &[
    ("DynamoTables", &["dynamo/batch.rs batch_get_item", "dynamo/merging.rs query", "dynamo/tables.rs scan"]),
    ("S3Lake", &["s3/object.rs get_object", "s3/object.rs list_objects_v2"]),
];

/// The permissions that our code needs, by the functions' roles.
pub(super) fn needs(template: &Template) -> Vec<Need> {
    let needs = |(function, port, call, action, resource, prefix): &Row| {
        let key = if action.starts_with("dynamodb:") { "dynamodb:LeadingKeys" } else { "s3:prefix" };
        let with: &[(&str, &str)] = if prefix.is_empty() { &[] } else { &[(key, prefix)] };
        let role = role_of(template, function).to_owned();
        let who = format!("{function}: {port}, {call}");
        let asked = of_generations(template, resource).into_iter();
        let asked = asked.map(|resource| Asked::new(template, action, &resource, with));
        asked.map(|asked| Need { role: role.clone(), who: who.clone(), asked }).collect::<Vec<_>>()
    };
    ROWS.iter().flat_map(needs).collect()
}

/// A resource of a row, in each existing generation: during a swap, versions of a function that use either one run side
/// by side.
fn of_generations(template: &Template, resource: &str) -> Vec<String> {
    let table = ["HomesTable", "MarketsTable"].into_iter().find(|table| resource.contains(table));
    let Some(table) = table else { return vec![resource.to_owned()] };
    let tables = [table.to_owned(), format!("{table}B")].into_iter();
    let there = tables.filter(|id| template.resources().any(|it| it.id == *id));
    there.map(|id| resource.replace(table, &id)).collect()
}

/// The role of the function with its code in this folder.
fn role_of<'t>(template: &'t Template, function: &str) -> &'t str {
    let code = format!("functions/{function}");
    let found = template.functions().find(|it| it.properties["CodeUri"] == code.as_str()).unwrap();
    reference(&found.properties["Role"]).unwrap()
}

/// A Rust file without tests and comments.
fn code(path: &Path) -> String {
    let text = fs::read_to_string(path).unwrap();
    let text = text.split("#[cfg(test)]\nmod tests").next().unwrap_or_default();
    text.lines().filter(|line| !line.trim_start().starts_with("//")).collect::<Vec<_>>().join("\n")
}

/// Every Rust file in a folder and below, by relative path.
fn files(folder: &Path, below: &str) -> Vec<(String, String)> {
    let mut found = Vec::new();
    for entry in fs::read_dir(folder.join(below)).unwrap() {
        let path = entry.unwrap().path();
        let name = path.file_name().unwrap().to_str().unwrap();
        let name = if below.is_empty() { name.to_owned() } else { format!("{below}/{name}") };
        if path.is_dir() {
            found.extend(files(folder, &name));
        } else if name.ends_with(".rs") {
            found.push((name, code(&path)));
        }
    }
    found
}

/// The operations called in a text, in order: `client.get_item()` in any layout.
fn operations(text: &str) -> Vec<String> {
    let dense: String = text.split_whitespace().collect();
    let name = |rest: &str| rest.split(|c: char| c != '_' && !c.is_ascii_alphanumeric()).next().unwrap().to_owned();
    let after = dense.split("client.").skip(1);
    let calls =
        after.filter(|rest| rest[name(rest).len()..].starts_with("()")).map(name).filter(|name| name != "clone");
    let in_transactions = ["Put", "Update", "Delete", "ConditionCheck"].into_iter().flat_map(|part| {
        let builder = format!("{part}::builder()");
        let whole = text.match_indices(&builder).filter(|(at, _)| !text[..*at].ends_with(char::is_alphanumeric));
        whole.map(move |_| part.to_owned()).collect::<Vec<_>>()
    });
    calls.chain(in_transactions).collect()
}

#[test]
fn every_call_in_the_code_is_in_the_table() {
    let mut found: Vec<(String, usize)> = Vec::new();
    for (file, text) in files(&root().join("shared/aws/src"), "") {
        let operations = operations(&text);
        let calls = operations.iter().filter(|name| !name.starts_with(char::is_uppercase)).count();
        assert_eq!(
            calls,
            text.matches(".send()").count(),
            "{file}: a request is sent, and this test did not see which"
        );
        for operation in operations.iter().collect::<BTreeSet<_>>() {
            let times = operations.iter().filter(|other| *other == operation).count();
            found.push((format!("{file} {operation}"), times));
        }
    }
    found.sort();
    let known: Vec<(String, usize)> = CALLS.iter().map(|(call, times)| ((*call).to_owned(), *times)).collect();
    assert_eq!(found, known, "left: the code's calls; right: the table's");
    for function in fs::read_dir(root().join("functions")).unwrap() {
        for (file, text) in files(&function.unwrap().path().join("src"), "") {
            assert!(!text.contains("aws_sdk_"), "{file}: calls of AWS are in shared/aws");
        }
    }
}

#[test]
fn calls_are_found_in_any_layout() {
    let text = "self.client.get_item(); store\n    .client\n    .query()\n  .send(); client.clone(); Put::builder(); Output::builder()";
    assert_eq!(operations(text), ["get_item", "query", "Put"]);
}

/// The ports that a function makes.
fn ports(function: &str) -> Vec<String> {
    let main = code(&root().join("functions").join(function).join("src/main.rs"));
    let imported = main.split("use stoop_aws::{").nth(1).unwrap().split('}').next().unwrap().to_owned();
    let names = imported.split(',').map(str::trim).filter(|name| !name.is_empty());
    names.filter(|name| main.contains(&format!("{name}::new("))).map(str::to_owned).collect()
}

#[test]
fn every_call_of_every_function_has_its_row() {
    let functions = ["planner", "poller", "metrics", "rollup", "alerts", "api"];
    let mut of_ports = BTreeSet::new();
    for function in functions {
        for port in ports(function) {
            let known = PORTS.iter().find(|(name, _)| *name == port);
            let (port, calls) = known.unwrap_or_else(|| panic!("{function} has {port}, and no table lists its calls"));
            of_ports.insert(*port);
            for call in *calls {
                let row = ROWS.iter().any(|row| (row.0, row.1, row.2) == (function, *port, *call));
                let never = NEVER.iter().any(|row| (row.0, row.1, row.2) == (function, *port, *call));
                assert!(row != never, "{function}, {port}, {call}: it has a row or a reason why not: {row}, {never}");
            }
        }
    }
    let of_nobody: Vec<_> = PORTS.iter().filter(|(port, _)| !of_ports.contains(port)).collect();
    assert!(of_nobody.is_empty(), "no function has these ports: {of_nobody:?}");
    let reached: BTreeSet<&str> = PORTS.iter().chain(OPERATORS).flat_map(|(_, calls)| calls.iter().copied()).collect();
    let all: BTreeSet<&str> = CALLS.iter().map(|(call, _)| *call).collect();
    assert_eq!(reached, all, "left: the ports' calls; right: the code's calls");
    let rows = ROWS.iter().map(|row| (row.0, row.1, row.2));
    for (function, port, call) in rows.chain(NEVER.iter().map(|row| (row.0, row.1, row.2))) {
        let has = ports(function).iter().any(|it| it == port);
        let calls = PORTS.iter().any(|(name, calls)| *name == port && calls.contains(&call));
        assert!(has && calls, "{function}, {port}, {call}: the code has nothing of the kind");
    }
}
