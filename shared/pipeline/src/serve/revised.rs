use serde::Serialize;
use serde_json::Value;

use super::FiguresView;

/// A figure that is another than it was.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Revised {
    /// Its name in JSON, with those of what it is a part of: `last_7_days.new`.
    pub figure: String,
    /// What it was, as in JSON.
    pub then: Value,
    /// What it is.
    pub now: Value,
}

/// The figures in which two views differ, in the order in which JSON has them.
///
/// # Errors
/// Never: a view is a value of JSON.
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
        _ if then != now => found.push(Revised { figure, then: then.clone(), now: now.clone() }),
        _ => {}
    }
}
