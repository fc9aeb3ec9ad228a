//! `docs/LAKE.md` has the columns of every table. `UPDATE_DOCS=1` writes them.

use std::fmt::Write as _;
use std::path::PathBuf;

use stoop_lake_tables::{Spec, specs};

const BEGIN: &str = "<!-- tables -->\n";
const END: &str = "<!-- end of the tables -->";

fn table(spec: &Spec) -> String {
    let mut text = format!("\n### {}\n\n{}.", spec.name, spec.meaning);
    if let Some(partition) = spec.partition {
        write!(text, " Files are separated by `{partition}`.").unwrap();
    }
    let order: Vec<String> =
        spec.order.iter().filter(|name| Some(**name) != spec.partition).map(|name| format!("`{name}`")).collect();
    writeln!(text, " Sorted by {}.\n", order.join(", ")).unwrap();
    for (name, condition) in &spec.constraints {
        writeln!(text, "* `{name}`: {condition}").unwrap();
    }
    if !spec.constraints.is_empty() {
        text.push('\n');
    }
    text.push_str("| column | type | meaning |\n| --- | --- | --- |\n");
    for column in &spec.columns {
        let kind = column.kind.name();
        let optional = if column.required { "" } else { ", may be missing" };
        writeln!(text, "| `{}` | {kind}{optional} | {} |", column.name, column.meaning.replace('|', "\\|")).unwrap();
    }
    text
}

#[test]
fn every_column_is_documented() {
    let path = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../../docs/LAKE.md");
    let text = std::fs::read_to_string(&path).unwrap();
    let from = text.find(BEGIN).expect("LAKE.md marks where the tables begin") + BEGIN.len();
    let until = from + text[from..].find(END).expect("LAKE.md marks where the tables end");
    let expected = format!("{}\n", specs::all().iter().map(table).collect::<String>());
    if text[from..until] == expected {
        return;
    }
    assert!(std::env::var_os("UPDATE_DOCS").is_some(), "LAKE.md is not up to date: run this test with UPDATE_DOCS=1");
    std::fs::write(path, format!("{}{expected}{}", &text[..from], &text[until..])).unwrap();
}

#[test]
fn no_table_has_two_columns_of_one_name_and_keys_are_there() {
    for spec in specs::all() {
        for (at, column) in spec.columns.iter().enumerate() {
            assert_eq!(spec.position(&column.name), Some(at), "{}.{}", spec.name, column.name);
        }
        let named = spec.order.iter().chain(&spec.key).chain(&spec.partition);
        named.for_each(|name| assert!(spec.position(name).is_some(), "{}.{name}", spec.name));
    }
}
