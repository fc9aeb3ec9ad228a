//! The two generations of homes and markets: which exist, which is in use, and that nothing refers to a missing one.

use std::collections::BTreeSet;

use serde_json::{Value, json};

use super::document::{Template, reference};

/// The values of the parameter.
pub(super) const ALL: [&str; 4] = ["a", "a-b", "b-a", "b"];

/// Every name that a value refers to.
fn names(value: &Value, found: &mut BTreeSet<String>) {
    match value {
        Value::Array(values) => values.iter().for_each(|value| names(value, found)),
        Value::Object(parts) => {
            found.extend(reference(value).map(str::to_owned));
            for (name, part) in parts {
                let text = if name == "Fn::Sub" { part.as_str().or_else(|| part[0].as_str()) } else { None };
                let within = text.into_iter().flat_map(|text| text.split("${").skip(1));
                let within = within.filter_map(|rest| rest.split_once('}')).filter(|(name, _)| !name.starts_with('!'));
                found.extend(within.map(|(name, _)| name.split('.').next().unwrap().to_owned()));
                names(part, found);
            }
        }
        _ => {}
    }
}

/// The references of a part of the template that do not exist.
fn dangling(template: &Template, part: &str) -> Vec<String> {
    let mut found = BTreeSet::new();
    names(&template.0[part], &mut found);
    let is_there = |name: &str| {
        name.starts_with("AWS::")
            // SAM makes it.
            || name == "ApiFunctionUrl"
            || !template.0["Parameters"][name].is_null()
            || template.resources().any(|resource| resource.id == name)
    };
    found.into_iter().filter(|name| !is_there(name)).collect()
}

#[test]
fn nothing_refers_to_a_missing_generation() {
    assert_eq!(Template::read("template.yaml").0["Parameters"]["Generations"]["AllowedValues"], json!(ALL));
    for which in ALL {
        let template = Template::of_generations(which);
        for part in ["Resources", "Outputs"] {
            assert_eq!(dangling(&template, part), Vec::<String>::new(), "{part} of {which}");
        }
        let tables: Vec<&str> = template.of("AWS::DynamoDB::Table").map(|table| table.id).collect();
        let mut expected = vec!["AlertsTable", "RunsTable"];
        expected.extend(["HomesTable", "MarketsTable"].into_iter().filter(|_| which.contains('a')));
        expected.extend(["HomesTableB", "MarketsTableB"].into_iter().filter(|_| which.contains('b')));
        expected.sort_unstable();
        assert_eq!(tables, expected, "{which}");
    }
    let mut template = Template::of_generations("b");
    template.0["Outputs"]["Lost"] = json!({ "Value": { "Fn::Sub": "x/${HomesTable.Arn}" } });
    assert_eq!(dangling(&template, "Outputs"), ["HomesTable"]);
}

#[test]
fn the_first_is_written_shown_and_named() {
    for which in ALL {
        let template = Template::of_generations(which);
        let suffix = if which.starts_with('b') { "B" } else { "" };
        for (table, variable, output) in [
            ("HomesTable", "STOOP_HOMES_TABLE", "HomesTableName"),
            ("MarketsTable", "STOOP_MARKETS_TABLE", "MarketsTableName"),
        ] {
            let expected = json!({ "Ref": format!("{table}{suffix}") });
            for function in template.functions() {
                let named = &function.properties["Environment"]["Variables"][variable];
                let has_one = matches!(function.id, "MetricsFunction" | "ApiFunction" | "AlertsFunction");
                assert_eq!(*named == expected, has_one, "{which}: {} of {}", variable, function.id);
                assert!(has_one || named.is_null());
            }
            assert_eq!(template.0["Outputs"][output]["Value"], expected, "{which}");
        }
    }
}

#[test]
fn both_change_feeds_are_judged_alike_and_the_unused_one_later() {
    for which in ALL {
        let template = Template::of_generations(which);
        let mut feeds = Vec::new();
        for mapping in template.mappings(true).filter(|it| it.id.starts_with("AlertsMapping")) {
            let mut properties = mapping.properties.clone();
            let properties = properties.as_object_mut().unwrap();
            let feed = properties.remove("EventSourceArn").unwrap();
            let generation = if feed["Fn::GetAtt"][0] == "HomesTableB" { "b" } else { "a" };
            let waits_s = properties.remove("MaximumBatchingWindowInSeconds").unwrap().as_u64().unwrap();
            assert_eq!(waits_s > 0, !which.starts_with(generation), "{which}: {}", mapping.id);
            feeds.push((generation, properties.clone()));
        }
        let there: Vec<&str> = feeds.iter().map(|(generation, _)| *generation).collect();
        let expected: Vec<&str> = ["a", "b"].into_iter().filter(|generation| which.contains(generation)).collect();
        assert_eq!(there, expected, "{which}");
        assert!(feeds.iter().all(|(_, properties)| *properties == feeds[0].1), "{which}: {feeds:#?}");
    }
}

#[test]
fn the_tables_of_both_generations_are_made_alike() {
    let template = Template::load();
    let of = |id: &str| template.resources().find(|resource| resource.id == id).unwrap().properties.clone();
    for table in ["HomesTable", "MarketsTable"] {
        assert_eq!(of(table), of(&format!("{table}B")), "{table}");
    }
}
