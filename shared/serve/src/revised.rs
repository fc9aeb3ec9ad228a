use serde::Serialize;
use serde_json::Value;

use super::FiguresView;

/// A figure that has changed.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Revised {
    /// Its name in JSON, with its parents: `last_7_days.new`.
    pub figure: String,
    /// The old value, as in JSON.
    pub then: Value,
    /// The new value.
    pub now: Value,
}

/// The figures in which two views differ, in the order of the JSON.
///
/// # Errors
///
/// Never: a view is always valid JSON.
pub fn revised(then: &FiguresView, now: &FiguresView) -> serde_json::Result<Vec<Revised>> {
    let mut found = Vec::new();
    compare(String::new(), &serde_json::to_value(then)?, &serde_json::to_value(now)?, &mut found);
    Ok(found)
}

fn compare(figure: String, then: &Value, now: &Value, found: &mut Vec<Revised>) {
    match (then, now) {
        (Value::Object(then), Value::Object(now)) => {
            for (name, now) in now {
                let figure = if figure.is_empty() { name.clone() } else { format!("{figure}.{name}") };
                compare(figure, then.get(name).unwrap_or(&Value::Null), now, found);
            }
        }
        // Hours that are no longer kept: nothing was revised.
        (Value::Object(_), Value::Null) => {}
        _ if then != now => found.push(Revised { figure, then: then.clone(), now: now.clone() }),
        _ => {}
    }
}

#[cfg(test)]
#[test]
fn a_changed_figure_is_listed_under_its_path_and_hours_no_longer_kept_are_not() {
    let then =
        serde_json::json!({ "active": 2, "thin": true, "last_24_hours": { "new": 1 }, "last_7_days": { "new": 1 } });
    let now = serde_json::json!({ "active": 2, "thin": false, "last_24_hours": null, "last_7_days": { "new": 3 } });
    let mut found = Vec::new();
    compare(String::new(), &then, &now, &mut found);
    let paths: Vec<&str> = found.iter().map(|revised| revised.figure.as_str()).collect();
    assert_eq!(paths, ["last_7_days.new", "thin"]);
}
