//! Finds the wanted leaves of a JSON row in one walk, without building the row.

mod scan;

use std::fmt;

use serde::de::{DeserializeSeed, Deserializer, Error as _, IgnoredAny, MapAccess, SeqAccess, Visitor};
use serde_json::value::RawValue;

use self::scan::Scan;

/// The wanted keys of a row as a tree. A node with a slot is a wanted value.
#[derive(Debug)]
pub(super) struct Trie {
    nodes: Vec<Node>,
}

#[derive(Debug)]
pub(super) struct Node {
    slot: Option<u16>,
    children: Vec<Child>,
    /// Index of the child plus one by [`bucket`] of its key; 0 for none. A row has many keys and a map reads few, so
    /// most unwanted keys hash to an empty bucket and are never compared.
    buckets: [u16; BUCKETS],
}

#[derive(Debug)]
struct Child {
    key: Box<str>,
    /// The key as an array index.
    position: Option<u32>,
    node: u32,
    /// The next child in the same bucket, plus one.
    next: u16,
}

const BUCKETS: usize = 64;

/// Byte range of a wanted value in the row's text; `start == end` if absent.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Span {
    pub(super) start: u32,
    pub(super) end: u32,
    /// The value is a string that may contain escapes.
    pub(super) escaped: bool,
}

impl Trie {
    /// Compiles paths (lists of keys or array indexes). The slot is the path's index. `None` never matches.
    pub(super) fn new(paths: &[Option<Vec<String>>]) -> Self {
        let mut trie = Self { nodes: vec![Node::new()] };
        for (slot, path) in paths.iter().enumerate() {
            let Some(path) = path else { continue };
            let mut at = 0;
            for key in path {
                at = trie.child_or_new(at, key);
            }
            trie.nodes[at].slot = u16::try_from(slot).ok();
        }
        trie
    }

    fn child_or_new(&mut self, at: usize, key: &str) -> usize {
        if let Some(child) = self.nodes[at].child(key.as_bytes()) {
            return child as usize;
        }
        let new = self.nodes.len();
        self.nodes.push(Node::new());
        let node = &mut self.nodes[at];
        let bucket = bucket(key.as_bytes());
        let next = node.buckets[bucket];
        let to = u32::try_from(new).unwrap_or(u32::MAX);
        node.children.push(Child { key: key.into(), position: key.parse().ok(), node: to, next });
        node.buckets[bucket] = u16::try_from(node.children.len()).unwrap_or(0);
        new
    }

    pub(super) fn root(&self) -> &Node {
        &self.nodes[0]
    }

    /// Returns the child of `node` for `key`.
    pub(super) fn inside(&self, node: &Node, key: &[u8]) -> Option<&Node> {
        node.child(key).map(|child| &self.nodes[child as usize])
    }

    /// Returns the child of `node` for an array index.
    pub(super) fn at_position(&self, node: &Node, position: u32) -> Option<&Node> {
        let child = node.children.iter().find(|child| child.position == Some(position))?;
        Some(&self.nodes[child.node as usize])
    }

    /// Walks `row` once and records the spans of the wanted values. The last of duplicate keys counts.
    pub(super) fn find(&self, row: &str, spans: &mut [Span]) -> Result<(), serde_json::Error> {
        spans.fill(Span::default());
        if Scan::new(self, row, spans).row().is_ok() {
            return Ok(());
        }
        spans.fill(Span::default());
        self.find_slowly(row, spans)
    }

    /// The same with `serde_json`, which also reports errors.
    fn find_slowly(&self, row: &str, spans: &mut [Span]) -> Result<(), serde_json::Error> {
        let mut json = serde_json::Deserializer::from_str(row);
        Walk { trie: self, node: 0, base: row.as_ptr() as usize, spans }.deserialize(&mut json)?;
        json.end()
    }
}

impl Node {
    fn new() -> Self {
        Self { slot: None, children: Vec::new(), buckets: [0; BUCKETS] }
    }

    pub(super) fn slot(&self) -> Option<u16> {
        self.slot
    }

    fn child(&self, key: &[u8]) -> Option<u32> {
        let mut next = self.buckets[bucket(key)];
        while let Some(child) = self.children.get(usize::from(next).wrapping_sub(1)) {
            if child.key.as_bytes() == key {
                return Some(child.node);
            }
            next = child.next;
        }
        None
    }
}

fn bucket(key: &[u8]) -> usize {
    match key {
        [] => 0,
        [first, .., last] => (key.len() * 13 + usize::from(*first) * 7 + usize::from(*last)) % BUCKETS,
        [only] => usize::from(*only) % BUCKETS,
    }
}

/// Walks one value that contains wanted values.
struct Walk<'t> {
    trie: &'t Trie,
    node: u32,
    base: usize,
    spans: &'t mut [Span],
}

impl<'t> Walk<'t> {
    fn node(&self) -> &'t Node {
        &self.trie.nodes[self.node as usize]
    }

    fn inside(&mut self, node: u32) -> Walk<'_> {
        Walk { trie: self.trie, node, base: self.base, spans: self.spans }
    }
}

impl<'de> DeserializeSeed<'de> for Walk<'_> {
    type Value = ();

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<(), D::Error> {
        let node = self.node();
        let Some(slot) = node.slot else { return deserializer.deserialize_any(self) };
        let raw: &'de RawValue = serde::Deserialize::deserialize(deserializer)?;
        let raw = raw.get();
        let start = raw.as_ptr() as usize - self.base;
        let (Ok(start), Ok(end)) = (u32::try_from(start), u32::try_from(start + raw.len())) else {
            return Err(D::Error::custom("the row is longer than 4 GiB"));
        };
        self.spans[usize::from(slot)] = Span { start, end, escaped: raw.starts_with('"') && raw.contains('\\') };
        if node.children.is_empty() || !raw.starts_with(['{', '[']) {
            return Ok(());
        }
        // Wanted both as a whole and in parts: walks its text again for the parts.
        serde_json::Deserializer::from_str(raw).deserialize_any(self).map_err(D::Error::custom)
    }
}

impl<'de> Visitor<'de> for Walk<'_> {
    type Value = ();

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a JSON value")
    }

    fn visit_map<A: MapAccess<'de>>(mut self, mut map: A) -> Result<(), A::Error> {
        while let Some(child) = map.next_key_seed(KeyOf(self.node()))? {
            match child {
                Some(child) => map.next_value_seed(self.inside(child))?,
                None => map.next_value::<IgnoredAny>().map(drop)?,
            }
        }
        Ok(())
    }

    fn visit_seq<A: SeqAccess<'de>>(mut self, mut seq: A) -> Result<(), A::Error> {
        let mut position = 0_u32;
        loop {
            let wanted = self.node().children.iter().find(|child| child.position == Some(position));
            let more = match wanted.map(|child| child.node) {
                Some(child) => seq.next_element_seed(self.inside(child))?.is_some(),
                None => seq.next_element::<IgnoredAny>()?.is_some(),
            };
            if !more {
                return Ok(());
            }
            position += 1;
        }
    }

    // A wanted path may lead through a scalar: it finds nothing there.
    fn visit_bool<E>(self, _: bool) -> Result<(), E> {
        Ok(())
    }
    fn visit_i64<E>(self, _: i64) -> Result<(), E> {
        Ok(())
    }
    fn visit_u64<E>(self, _: u64) -> Result<(), E> {
        Ok(())
    }
    fn visit_f64<E>(self, _: f64) -> Result<(), E> {
        Ok(())
    }
    fn visit_str<E>(self, _: &str) -> Result<(), E> {
        Ok(())
    }
    fn visit_unit<E>(self) -> Result<(), E> {
        Ok(())
    }
}

/// Deserializes a key as the child that it leads to, if any.
struct KeyOf<'t>(&'t Node);

impl<'de> DeserializeSeed<'de> for KeyOf<'_> {
    type Value = Option<u32>;

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<Option<u32>, D::Error> {
        deserializer.deserialize_str(self)
    }
}

impl Visitor<'_> for KeyOf<'_> {
    type Value = Option<u32>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a key")
    }

    fn visit_str<E>(self, key: &str) -> Result<Option<u32>, E> {
        Ok(self.0.child(key.as_bytes()))
    }
}

/// Splits a JSON Pointer (RFC 6901) into its keys.
pub(super) fn pointer(text: &str) -> Result<Vec<String>, String> {
    let Some(rest) = text.strip_prefix('/') else {
        return Err(format!("{text:?} is no JSON Pointer: it begins with /, as in /data/results"));
    };
    rest.split('/')
        .map(|part| {
            let mut key = String::with_capacity(part.len());
            let mut letters = part.chars();
            while let Some(c) = letters.next() {
                match (c, if c == '~' { letters.next() } else { None }) {
                    ('~', Some('0')) => key.push('~'),
                    ('~', Some('1')) => key.push('/'),
                    ('~', _) => return Err(format!("{text:?}: after ~ stands 0 (for ~) or 1 (for /)")),
                    (c, _) => key.push(c),
                }
            }
            Ok(key)
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn find<'r>(paths: &[&str], row: &'r str) -> Result<Vec<&'r str>, serde_json::Error> {
        let paths: Vec<_> = paths.iter().map(|p| pointer(p).ok()).collect();
        let mut spans = vec![Span::default(); paths.len()];
        Trie::new(&paths).find(row, &mut spans)?;
        Ok(spans.iter().map(|s| &row[s.start as usize..s.end as usize]).collect())
    }

    #[test]
    fn wanted_values_are_found_wherever_they_stand() {
        let row = r#" {"a": 1.50, "x": {"y": [true, "n\"o"], "z": null}, "a/b": "é", "l": [10, [20, 21]]} "#;
        let found = find(&["/a", "/x/y/1", "/x/z", "/a~1b", "/l/1/0", "/none", "/a/b"], row).unwrap();
        assert_eq!(found, ["1.50", r#""n\"o""#, "null", "\"é\"", "20", "", ""]);
    }

    #[test]
    fn a_value_may_be_wanted_whole_and_in_parts() {
        assert_eq!(find(&["/a", "/a/b"], r#"{"a": {"b": 7}}"#).unwrap(), [r#"{"b": 7}"#, "7"]);
    }

    #[test]
    fn the_last_of_equal_keys_counts_and_escaped_keys_are_keys() {
        assert_eq!(find(&["/a"], r#"{"a": 1, "\u0061": 2}"#).unwrap(), ["2"]);
    }

    /// Runs both walks and returns their spans; `None` if the row was refused.
    fn both(trie: &Trie, row: &str) -> [Option<Vec<Span>>; 2] {
        let mut quick = vec![Span::default(); 5];
        let mut slow = quick.clone();
        let quick_ok = Scan::new(trie, row, &mut quick).row().is_ok();
        let slow_ok = trie.find_slowly(row, &mut slow).is_ok();
        [quick_ok.then_some(quick), slow_ok.then_some(slow)]
    }

    fn wanted() -> Trie {
        let paths = ["/a", "/b/a", "/l/1", "/b", "/l/0/a"];
        Trie::new(&paths.map(|path| pointer(path).ok()))
    }

    fn json() -> impl Strategy<Value = String> {
        let leaf = prop_oneof![
            prop::sample::select(vec![
                "null",
                "true",
                "false",
                "0",
                "-1.5e+10",
                "12",
                "\"\"",
                "\"x y\"",
                "\"\\u00e9\\n\""
            ])
            .prop_map(str::to_owned),
            (-1e90..1e90_f64).prop_map(|n| serde_json::to_string(&n).unwrap()),
            (-1.0..1.0_f64).prop_map(|n| serde_json::to_string(&n).unwrap()),
            any::<String>().prop_map(|text| serde_json::to_string(&text).unwrap()),
        ];
        leaf.prop_recursive(4, 40, 6, |inner| {
            let key = prop::sample::select(vec!["a", "b", "l", "c", "a b", "é"]);
            let space = prop::sample::select(vec!["", " ", "\n\t"]);
            let member = (key, space.clone(), inner.clone())
                .prop_map(|(key, space, value)| format!("{space}\"{key}\"{space}:{space}{value}"));
            prop_oneof![
                prop::collection::vec(member, 0..6).prop_map(|members| format!("{{{}}}", members.join(","))),
                (space, prop::collection::vec(inner, 0..5))
                    .prop_map(|(space, values)| format!("[{}]", values.join(&format!("{space},{space}")))),
            ]
        })
    }

    proptest! {
        #[test]
        fn the_quick_walk_finds_what_the_slow_one_finds(row in json()) {
            let [quick, slow] = both(&wanted(), &row);
            prop_assert_eq!(&quick, &slow);
            prop_assert!(quick.is_some());
        }

        /// The quick walk may give up on more rows than `serde_json` refuses, never on fewer.
        #[test]
        fn the_quick_walk_takes_nothing_that_the_slow_one_refuses(row in json(), at in any::<prop::sample::Index>(), put in prop::sample::select(vec!["", "\"", "{", "}", "[", "]", ",", ":", "\\", "\u{1}", "0", "-", "e", ".", "x", " "])) {
            let places: Vec<usize> = row.char_indices().map(|(place, _)| place).collect();
            let place = places[at.index(places.len())];
            let next = place + row[place..].chars().next().map_or(0, char::len_utf8);
            for damaged in [format!("{}{put}{}", &row[..place], &row[next..]), format!("{}{put}{}", &row[..place], &row[place..]), row[..place].to_owned()] {
                if let [Some(quick), slow] = both(&wanted(), &damaged) {
                    prop_assert_eq!(Some(quick), slow, "{}", damaged);
                }
            }
        }
    }

    #[test]
    fn a_number_that_no_double_holds_is_left_to_the_slow_walk() {
        for number in ["1e308", "1e309", "1.9270556303784007e+2049", "-1e-400", &"9".repeat(400), "1e99"] {
            let row = format!("{{\"a\": {number}}}");
            let [quick, slow] = both(&wanted(), &row);
            assert!(quick.is_none() || quick == slow, "{number}");
        }
    }

    #[test]
    fn deep_rows_are_left_to_the_slow_walk() {
        for depth in [100, 127, 128, 129, 200_000] {
            let row = format!("{}{}", "[".repeat(depth), "]".repeat(depth));
            if let [Some(quick), slow] = both(&wanted(), &row) {
                assert_eq!(Some(quick), slow, "depth {depth}");
            }
        }
    }

    #[test]
    fn pointers_are_those_of_rfc_6901() {
        assert_eq!(pointer("/a~1b/~0/").unwrap(), ["a/b", "~", ""]);
        assert!(pointer("a").is_err());
        assert!(pointer("/a~2").is_err());
        assert!(pointer("/a~").is_err());
    }
}
