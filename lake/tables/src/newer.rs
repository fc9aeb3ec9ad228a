//! Lines that say more than this program knows.

use serde_json::{Value, json};
use stoop_domain::Observation;

/// Finds a field that this program does not know in a line of its own format, as `listing.garage_spaces`: a newer program
/// wrote it, and both the name of the observation and its row would lack it. `encoded` is the line as this program writes it.
pub(crate) fn unknown_field(line: &[u8], encoded: &[u8]) -> Option<String> {
    if line == encoded {
        return None;
    }
    let [line, encoded] = [line, encoded].map(|line| serde_json::from_slice::<Value>(line).unwrap_or_default());
    let mut path = Vec::new();
    find(&line, &line, &encoded, &mut path).then(|| path.join("."))
}

/// Leaves the path of the unknown field in `path`, if there is one.
fn find(line: &Value, part: &Value, encoded: &Value, path: &mut Vec<String>) -> bool {
    let (Value::Object(part), Value::Object(encoded)) = (part, encoded) else { return false };
    for (name, value) in part {
        path.push(name.clone());
        let is_unknown = match encoded.get(name) {
            Some(encoded) => find(line, value, encoded, path),
            // A part of which this program knows nothing is left out as a whole.
            None => is_ignored(line, path) || find(line, value, &json!({}), path),
        };
        if is_unknown {
            return true;
        }
        path.pop();
    }
    false
}

/// Whether the field may have any value: no field that is known takes both of these.
fn is_ignored(line: &Value, path: &[String]) -> bool {
    [json!(0.5), json!({ "?": 0 })].into_iter().all(|absurd| {
        let mut line = line.clone();
        let mut at = &mut line;
        for name in path {
            at = &mut at[name.as_str()];
        }
        *at = absurd;
        serde_json::from_value::<Observation>(line).is_ok()
    })
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "a test that cannot go on fails")]
mod tests {
    use super::*;

    fn of(line: &Value) -> Option<String> {
        let text = line.to_string();
        let observation = stoop_wire::decode(text.as_bytes()).unwrap();
        let mut encoded = Vec::new();
        stoop_wire::encode(&observation, &mut encoded);
        unknown_field(text.as_bytes(), &encoded)
    }

    #[test]
    fn a_field_that_is_not_known_is_found_and_a_known_one_in_other_words_is_not() {
        let line = json!({
            "v": 3, "source": "s", "native_id": "1", "at": 0, "seen": 0, "seq": 0, "versioned": false, "initial": false,
            "listing": {
                "purpose": "Sale", "status": "Active", "currency": "USD", "address": { "city": "Austin", "line": null },
                "details": { "images": [], "title": null }, "list_price": null, "bedrooms": 3, "living_area": null,
            },
        });
        assert_eq!(of(&line), None, "values that are left out when they are written");
        for path in ["new", "listing.new", "listing.address.new", "listing.details.new"] {
            let mut newer = line.clone();
            let mut at = &mut newer;
            for name in path.split('.') {
                at = &mut at[name];
            }
            *at = json!("something");
            assert_eq!(of(&newer), Some(path.to_owned()));
        }
    }
}
