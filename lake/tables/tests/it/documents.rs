//! `docs/LAKE_TABLES.md` has the columns of every table, and `infra/lake.yaml` has them for the Glue Data Catalog. `UPDATE_DOCS=1`
//! writes both.

use std::fmt::Write as _;
use std::path::PathBuf;

use stoop_lake_tables::{ColumnType, Spec, TableColumn, specs};

/// "Column structure" and "TableInput structure", AWS Glue API: a comment has at most 255 bytes, a description 2,048.
const COMMENT_MAX: usize = 255;

fn table(spec: &Spec) -> String {
    let mut text = format!("\n## {}\n\n{}.", spec.name, spec.meaning);
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

/// Compares what a file has between two marks with what it should have, or writes it.
#[track_caller]
fn check(file: &str, (begin, end): (&str, &str), expected: &str) {
    let path = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../..").join(file);
    let text = std::fs::read_to_string(&path).unwrap();
    let from = text.find(begin).unwrap_or_else(|| panic!("{file} lacks {begin}")) + begin.len();
    let until = from + text[from..].find(end).unwrap_or_else(|| panic!("{file} lacks {end}"));
    if text[from..until] == *expected {
        return;
    }
    assert!(std::env::var_os("UPDATE_DOCS").is_some(), "{file} is not up to date: run this test with UPDATE_DOCS=1");
    std::fs::write(path, format!("{}{expected}{}", &text[..from], &text[until..])).unwrap();
}

#[test]
fn every_column_is_documented() {
    let expected = format!("{}\n", specs::all().iter().map(table).collect::<String>());
    check("docs/LAKE_TABLES.md", ("<!-- tables -->\n", "<!-- end of the tables -->"), &expected);
}

/// The type of a column for Glue and Athena, which have Hive's names.
fn hive(kind: ColumnType) -> String {
    match kind {
        ColumnType::Int => "int".to_owned(),
        ColumnType::Long => "bigint".to_owned(),
        ColumnType::Texts => "array<string>".to_owned(),
        other => other.name(),
    }
}

/// A resource of CloudFormation. Athena finds a Delta table by these two parameters ("Synchronize Delta Lake metadata",
/// Athena User Guide).
fn entry(spec: &Spec) -> String {
    let camel: String = spec.name.split('_').map(|word| word[..1].to_uppercase() + &word[1..]).collect();
    let location = format!("s3://${{BucketName}}/tables/{}/", spec.name);
    let quoted = |text: &str| format!("'{}'", text.replace('\'', "''"));
    let column = |column: &TableColumn| {
        assert!(column.meaning.len() <= COMMENT_MAX, "{}: too long for Glue", column.name);
        let (kind, meaning) = (hive(column.kind), quoted(&column.meaning));
        let kind = if kind.contains(['(', '<']) { quoted(&kind) } else { kind };
        format!("{{ Name: {}, Type: {kind}, Comment: {meaning} }}\n", column.name)
    };
    let is_partition = |of: &&TableColumn| spec.partition == Some(of.name.as_ref());
    let columns = |keys: bool| spec.columns.iter().filter(move |of| is_partition(of) == keys).map(column);
    let keys: String = columns(true).map(|column| format!("          - {column}")).collect();
    let keys = if keys.is_empty() { " []\n".to_owned() } else { format!("\n{keys}") };
    let others: String = columns(false).map(|column| format!("            - {column}")).collect();
    format!(
        "  {camel}Table:
    Type: AWS::Glue::Table
    Condition: HasDatabase
    Properties:
      CatalogId: !Ref AWS::AccountId
      DatabaseName: !Ref Catalogue
      TableInput:
        Name: {}
        Description: {}
        TableType: EXTERNAL_TABLE
        Parameters: {{ EXTERNAL: 'TRUE', spark.sql.sources.provider: delta }}
        PartitionKeys:{keys}        StorageDescriptor:
          Location: !Sub {location}
          SerdeInfo: {{ Parameters: {{ serialization.format: '1', path: !Sub {} }} }}
          Columns:
{others}",
        spec.name,
        quoted(spec.meaning),
        quoted(&location),
    )
}

#[test]
fn every_table_is_in_the_template_of_the_catalogue() {
    let expected: String = specs::all().iter().map(entry).collect();
    check("infra/lake.yaml", ("  # <tables>\n", "  # </tables>\n"), &expected);
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
