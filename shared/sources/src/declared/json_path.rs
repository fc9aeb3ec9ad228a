//! JSONPath (RFC 9535): values that no single JSON Pointer leads to.
//!
//! Selected values are returned as written in the JSON, so that prices never pass through a float. The map's author
//! writes the paths, but the JSON is untrusted: a path whose cost could grow faster than the JSON is an error (see
//! [`JsonPath::parse`]).

use std::collections::{BTreeMap, HashMap, HashSet};

use serde::de::Error as _;
use serde_json::Value;
use serde_json::value::RawValue;

use crate::fields::shown;

/// A compiled path.
#[derive(Clone, Debug)]
pub(super) struct JsonPath {
    path: serde_json_path::JsonPath,
    /// The segments that select at most one value, up to the first that may select several.
    prefix: serde_json_path::JsonPath,
    /// Whether the prefix is the whole path.
    singular: bool,
}

/// The values that a path selects.
#[derive(Debug, Default)]
pub(super) struct Selected<'j> {
    /// The values as written.
    pub(super) values: Vec<&'j str>,
    /// Length of the array that the path's prefix leads to; `None` if it leads to none.
    pub(super) elements: Option<usize>,
}

/// Maximum number of values in a document. Following a path builds the document, and each value takes some hundred
/// bytes, however short it is written. A row has about fifty values.
const VALUES_MAX: usize = 400_000;
/// Maximum length of a path, in bytes.
const LENGTH_MAX: usize = 500;
/// Maximum nesting of brackets. Each level doubles the time to compile a path.
const NESTING_MAX: u32 = 6;
/// Maximum number of commas. A list of selectors may select a value once per selector, and nested lists multiply.
const COMMAS_MAX: u32 = 4;

const ACCEPTED: &str =
    "accepted: JSONPath of RFC 9535 like $.address.city, $.photos[*].url or $.prices[?@.kind == 'ask'].amount";

/// Whether a text of a map is a JSONPath. No key of a listing API begins with `$`.
pub(super) fn is_path(text: &str) -> bool {
    text.starts_with('$')
}

impl JsonPath {
    /// Compiles a path. Refuses invalid paths, and paths that could cost more than a fixed multiple of the JSON's size
    /// times its depth (at most 128): more than one `..`, a second `$`, many lists of selectors.
    pub(super) fn parse(text: &str) -> Result<Self, String> {
        let compile = |text: &str| {
            serde_json_path::JsonPath::parse(text)
                .map_err(|error| format!("{text:?} is no JSONPath: {}; {ACCEPTED}", error.to_string().trim()))
        };
        let end = check(text)?;
        Ok(Self { path: compile(text)?, prefix: compile(&text[..end])?, singular: end == text.len() })
    }

    /// Whether the path selects at most one value in any JSON.
    pub(super) fn is_singular(&self) -> bool {
        self.singular
    }
}

/// Applies the paths to `json`. Values come in the order of RFC 9535; members of an object, whose order the RFC leaves
/// open, come by name.
pub(super) fn select<'j>(paths: &[&JsonPath], json: &'j str) -> Result<Vec<Selected<'j>>, serde_json::Error> {
    if values_in(json) > VALUES_MAX {
        let why = format!("more than {VALUES_MAX} values, which are too many for a JSONPath; accepted: a JSON Pointer");
        return Err(serde_json::Error::custom(why));
    }
    let root: Value = serde_json::from_str(json)?;
    let nodes: Vec<Vec<&Value>> = paths.iter().map(|path| path.path.query(&root).all()).collect();
    let wanted: HashSet<usize> = nodes.iter().flatten().map(|node| address(node)).collect();
    let mut places = Places { wanted, opened: HashSet::new(), found: HashMap::new() };
    if places.mark(&root) {
        places.note(&root, json.trim())?;
    }
    let written = |node: &&Value| places.found.get(&address(node)).copied();
    Ok(paths
        .iter()
        .zip(&nodes)
        .map(|(path, nodes)| Selected {
            values: nodes.iter().filter_map(written).collect(),
            elements: path.prefix.query(&root).first().and_then(Value::as_array).map(Vec::len),
        })
        .collect())
}

/// Upper bound for the number of values in a JSON text.
fn values_in(json: &str) -> usize {
    let (mut count, mut in_text, mut escaped) = (1, false, false);
    for byte in json.bytes() {
        if in_text {
            in_text = escaped || byte != b'"';
            escaped = !escaped && byte == b'\\';
        } else {
            in_text = byte == b'"';
            count += usize::from(matches!(byte, b',' | b'[' | b'{'));
        }
    }
    count
}

/// Maps values of a document to their text. Values are identified by memory address: all live at once, and an address
/// is cheaper than a path.
struct Places<'j> {
    wanted: HashSet<usize>,
    /// Values that contain a wanted value.
    opened: HashSet<usize>,
    found: HashMap<usize, &'j str>,
}

impl<'j> Places<'j> {
    /// Marks `value` if it is wanted or contains a wanted value, and returns whether it is.
    fn mark(&mut self, value: &Value) -> bool {
        let mut inside = false;
        match value {
            Value::Array(elements) => elements.iter().for_each(|element| inside |= self.mark(element)),
            Value::Object(members) => members.values().for_each(|member| inside |= self.mark(member)),
            _ => {}
        }
        if inside {
            self.opened.insert(address(value));
        }
        inside || self.wanted.contains(&address(value))
    }

    /// Records the text of the wanted values in `value`, whose text is `raw`.
    fn note(&mut self, value: &Value, raw: &'j str) -> Result<(), serde_json::Error> {
        if self.wanted.contains(&address(value)) {
            self.found.insert(address(value), raw);
        }
        if !self.opened.contains(&address(value)) {
            return Ok(());
        }
        match value {
            Value::Array(elements) => {
                let raws: Vec<&'j RawValue> = serde_json::from_str(raw)?;
                for (element, raw) in elements.iter().zip(raws) {
                    self.note(element, raw.get())?;
                }
            }
            Value::Object(members) => {
                // The last of duplicate keys counts, as in `serde_json`.
                let raws: BTreeMap<String, &'j RawValue> = serde_json::from_str(raw)?;
                for (name, raw) in raws {
                    if let Some(member) = members.get(&name) {
                        self.note(member, raw.get())?;
                    }
                }
            }
            _ => {}
        }
        Ok(())
    }
}

fn address(value: &Value) -> usize {
    std::ptr::from_ref(value).addr()
}

/// Validates a path's shape before compiling it. Returns where the prefix ends that selects at most one value.
fn check(text: &str) -> Result<usize, String> {
    let refuse = |why: String| Err(format!("{:?} {why}; {ACCEPTED}", shown(text)));
    if text.len() > LENGTH_MAX {
        return refuse(format!("is longer than {LENGTH_MAX} bytes"));
    }
    let (mut nesting, mut deepest, mut descents, mut commas) = (0_u32, 0_u32, 0_u32, 0_u32);
    let mut quote = None;
    // Start of the last top-level segment, and of the first segment that may select several values.
    let (mut segment, mut several) = (0, None);
    let bytes = text.as_bytes();
    let mut at = 1;
    while let Some(byte) = bytes.get(at).copied() {
        match (quote, byte) {
            (Some(_), b'\\') => at += 1,
            (Some(open), _) if open == byte => quote = None,
            (Some(_), _) => {}
            (None, b'\'' | b'"') => quote = Some(byte),
            (None, b'[' | b'(') => {
                if nesting == 0 {
                    segment = at;
                }
                nesting += 1;
                deepest = deepest.max(nesting);
            }
            (None, b']' | b')') => nesting = nesting.saturating_sub(1),
            (None, b'$') => return refuse("has a second $: a filter looks at @ alone".to_owned()),
            (None, b',') => commas += 1,
            (None, b'.') if bytes.get(at + 1) == Some(&b'.') => {
                descents += 1;
                segment = if nesting == 0 { at } else { segment };
                several.get_or_insert(segment);
                at += 1;
            }
            (None, b'.') if nesting == 0 => segment = at,
            _ => {}
        }
        if quote.is_none() && matches!(byte, b'*' | b'?' | b':' | b',') {
            several.get_or_insert(segment);
        }
        at += 1;
    }
    if deepest > NESTING_MAX {
        return refuse(format!("has brackets nested deeper than {NESTING_MAX}"));
    }
    if descents > 1 {
        return refuse("has more than one ..: each multiplies the cost by the depth of a row".to_owned());
    }
    if commas > COMMAS_MAX {
        return refuse(format!("has more than {COMMAS_MAX} commas"));
    }
    Ok(several.unwrap_or(text.len()).max(1))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const ROW: &str = r#" {"id": 90071992547409.93, "price": {"ask": 250000.10, "b": null}, "photos": [{"u": "a"}, {"u": "\u00e9"}, {}],
        "a.b": {"c": [1, [2, 3]]}, "kind": "x", "kind": "y", "Zip": "8010"}"#;

    fn found<'j>(path: &str, json: &'j str) -> Vec<&'j str> {
        let path = JsonPath::parse(path).unwrap();
        select(&[&path], json).unwrap().remove(0).values
    }

    #[test]
    fn selected_values_are_returned_as_written() {
        for (path, wanted) in [
            ("$.price.ask", &["250000.10"][..]),
            ("$.id", &["90071992547409.93"]),
            ("$.photos[*].u", &["\"a\"", r#""\u00e9""#]),
            ("$.photos[-1]", &["{}"]),
            ("$.photos[?@.u == 'é'].u", &[r#""\u00e9""#]),
            ("$['a.b'].c[1][0]", &["2"]),
            ("$..c[0]", &["1"]),
            ("$['kind', 'Zip']", &["\"y\"", "\"8010\""]),
            ("$.Zip", &["\"8010\""]),
            ("$.price.b", &["null"]),
            ("$.nothing", &[]),
            ("$.photos[?count(@.*) > 0].u", &["\"a\"", r#""\u00e9""#]),
        ] {
            assert_eq!(found(path, ROW), wanted, "{path}");
        }
        assert_eq!(found("$", "[1]"), ["[1]"]);
        assert_eq!(found("$[0,0]", "[1]"), ["1", "1"]);
    }

    #[test]
    fn a_path_knows_whether_it_can_select_several_and_where_that_begins() {
        let rows = r#"{"d": [{"l": 1}, {"l": 2}, {}], "e": {}}"#;
        for (path, singular, elements) in [
            ("$.d", true, Some(3)),
            ("$['d']", true, Some(3)),
            ("$.d[0].l", true, None),
            ("$.d[*].l", false, Some(3)),
            ("$.d[?@.l].l", false, Some(3)),
            ("$.d[0:2]", false, Some(3)),
            ("$['d'][0,1]", false, Some(3)),
            ("$.e.*", false, None),
            ("$..l", false, None),
            ("$['*']", true, None),
            ("$", true, None),
        ] {
            let compiled = JsonPath::parse(path).unwrap();
            let selected = select(&[&compiled], rows).unwrap();
            assert_eq!((compiled.is_singular(), selected[0].elements), (singular, elements), "{path}");
        }
    }

    #[test]
    fn invalid_and_costly_paths_are_refused_with_what_would_be_accepted() {
        let deep = format!("$[?{}@.a{}]", "(".repeat(200), ")".repeat(200));
        let long = format!("$.{}", "a".repeat(500));
        for (path, why) in [
            ("$price", "is no JSONPath"),
            ("$.", "is no JSONPath"),
            ("$.a[", "is no JSONPath"),
            ("$.a[?@.b = 1]", "is no JSONPath"),
            ("$[?match(@.a, 'x')]", "'match' is not defined"),
            ("$..a..b", "more than one .."),
            ("$[?@..a || @..b]", "more than one .."),
            ("$.a[?@.b == $.c]", "a second $"),
            ("$[*,*][*,*][*,*][*,*][*,*]", "more than 4 commas"),
            (&deep, "nested deeper than 6"),
            (&long, "longer than 500 bytes"),
        ] {
            let message = JsonPath::parse(path).unwrap_err();
            assert!(message.contains(why) && message.contains("accepted: JSONPath of RFC 9535"), "{message}");
        }
        assert!(JsonPath::parse(r"$['..$,\'..']").is_ok(), "signs in quotes are names");
    }

    /// The most expensive accepted path, on the rows that cost it most: deep, wide, and both. The test passes by
    /// finishing: a cost that multiplies per level would not finish.
    #[test]
    fn hostile_rows_cost_no_more_than_their_size_times_their_depth() {
        let deep = format!("{}{}", "[".repeat(127), "]".repeat(127));
        let both = format!("{}{}{}", "[".repeat(120), vec![r#"{"a":[1]}"#; 2_000].join(","), "]".repeat(120));
        let wide = format!("[{}]", vec![r#"{"a":[1]}"#; 2_000].join(","));
        for path in
            ["$..*", "$..[*,*,*,*,*]", "$..[?@[?@[?@.a]]]", "$..[?count(@[?@ == @]) > 0]", "$[*,*][*,*][*,*][*,*]"]
        {
            let path = JsonPath::parse(path).unwrap();
            for row in [&deep, &both, &wide] {
                assert!(select(&[&path], row).is_ok());
            }
        }
        let deeper = format!("{}{}", "[".repeat(200_000), "]".repeat(200_000));
        assert!(select(&[&JsonPath::parse("$..*").unwrap()], &deeper).is_err());
    }

    proptest! {
        #[test]
        fn any_text_is_a_path_or_reported_to_be_none(text in r"\$(\.\.|\.|\[|\]|\(|\)|\?|@|\*|'|a|1|,|:|==|!|&&| |count\(|é){0,12}") {
            match JsonPath::parse(&text) {
                Ok(path) => prop_assert!(select(&[&path], ROW).is_ok()),
                Err(message) => prop_assert!(message.contains("accepted: ")),
            }
        }

        /// The text of a selected value parses to that value.
        #[test]
        fn the_text_of_a_value_is_that_value(path in prop::sample::select(vec!["$..*", "$.*.*", "$..[0]", "$..a", "$[?@.a]"]), json in json()) {
            let text = json.to_string();
            let path = JsonPath::parse(path).unwrap();
            let expected: Vec<String> = path.path.query(&json).all().iter().map(ToString::to_string).collect();
            prop_assert_eq!(&select(&[&path], &text).unwrap()[0].values, &expected);
        }
    }

    fn json() -> impl Strategy<Value = Value> {
        let leaf =
            prop_oneof![Just(Value::Null), any::<i32>().prop_map(Value::from), "[a\"é]{0,3}".prop_map(Value::from)];
        leaf.prop_recursive(4, 30, 4, |inner| {
            prop_oneof![
                prop::collection::vec(inner.clone(), 0..4).prop_map(Value::from),
                prop::collection::btree_map("[ab]", inner, 0..3)
                    .prop_map(|members| Value::Object(members.into_iter().collect())),
            ]
        })
    }
}
