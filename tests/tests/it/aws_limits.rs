//! The table "Conformance to AWS" of infra/README.md names a test for each limit, or says that there is none.

use std::fs;

use crate::template::document::root;

/// A row: the limit, AWS's value, the page, and our test.
struct Row {
    cells: Vec<String>,
}

const HEADING: &str = "## Conformance to AWS";

fn rows(text: &str) -> Vec<Row> {
    let (_, section) = text.split_once(HEADING).unwrap_or_else(|| panic!("infra/README.md has no {HEADING:?}"));
    let section = section.split("\n## ").next().unwrap_or_default();
    let lines = section.lines().filter(|line| line.starts_with('|')).skip(2);
    // A pipe in a cell gives one cell too many, which is found below.
    lines
        .map(|line| Row { cells: line.trim_matches('|').split('|').map(|cell| cell.trim().to_owned()).collect() })
        .collect()
}

/// The tests in a cell: `path/to/file.rs::name`, each in a link or in code.
fn tests(cell: &str) -> Vec<(&str, &str)> {
    let code = cell.split('`').skip(1).step_by(2);
    code.filter_map(|code| code.split_once("::")).collect()
}

/// The errors of the table.
fn wrongs(text: &str) -> Vec<String> {
    let mut wrongs = Vec::new();
    for Row { cells } in rows(text) {
        let [limit, says, page, held] = &cells[..] else {
            wrongs.push(format!("{} cells, not 4: {cells:?}", cells.len()));
            continue;
        };
        if says.is_empty() || !page.contains('"') {
            wrongs.push(format!("{limit}: no figure, or no page of AWS in quotation marks"));
        }
        let named = tests(held);
        if named.is_empty() && !held.starts_with("no test: ") {
            wrongs.push(format!("{limit}: neither a test nor \"no test: \" and why"));
        }
        for (path, name) in named {
            let found = fs::read_to_string(root().join(path)).is_ok_and(|text| {
                let function = format!("fn {name}");
                text.match_indices(&function).any(|(at, _)| text[at + function.len()..].starts_with(['(', '<']))
            });
            if !found {
                wrongs.push(format!("{limit}: {path} has no test {name}"));
            }
        }
    }
    wrongs
}

fn readme() -> String {
    fs::read_to_string(root().join("infra/README.md")).unwrap()
}

#[test]
fn every_limit_names_an_existing_test() {
    let text = readme();
    assert_eq!(wrongs(&text), Vec::<String>::new());
    let rows = rows(&text);
    let without = rows.iter().filter(|row| row.cells[3].starts_with("no test: ")).count();
    assert!(rows.len() >= 30 && without * 4 <= rows.len(), "{} limits, {without} without a test", rows.len());
}

#[test]
fn a_table_with_missing_tests_is_caught() {
    let row = |held: &str| {
        format!("{HEADING}\n\n| a | b | c | d |\n| --- | --- | --- | --- |\n| Batch | 500 | \"Quotas\" | {held} |\n")
    };
    let here = "`tests/tests/it/aws_limits.rs::a_table_with_missing_tests_is_caught`";
    assert_eq!(wrongs(&row(here)), Vec::<String>::new());
    assert_eq!(wrongs(&row("no test: nobody can")), Vec::<String>::new());
    for wrong in ["`tests/tests/it/aws_limits.rs::a_table`", "`tests/no.rs::a_table`", "", "tested", "no test"] {
        assert_eq!(wrongs(&row(wrong)).len(), 1, "{wrong}");
    }
    let without_page = row(here).replace("\"Quotas\"", "somewhere");
    assert_eq!(wrongs(&without_page).len(), 1);
    assert_eq!(wrongs(&row("a | b")).len(), 1);
}
