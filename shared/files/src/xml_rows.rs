//! The rows of an XML document, as JSON objects: each repeated element is a row.

use std::collections::HashMap;
use std::io::{self, Cursor, Read};

use serde_json::{Map, Value};
use stoop_domain::Reason;

use crate::made_rows::MadeRows;
use crate::row::{Content, Location, RawRow, RowFault};
use crate::xml_text::{DEPTH_MAX, XmlEvent, XmlEvents};

/// Bytes at the beginning that show which element is a row.
const PROBED_BYTES: usize = 1 << 20;

/// Names of elements that are rows: of Kyero, OpenImmo, REAXML, Zillow, Yandex and their like.
const KNOWN: [&str; 27] = [
    "property",
    "immobilie",
    "listing",
    "residential",
    "rental",
    "land",
    "rural",
    "commercial",
    "commercialland",
    "business",
    "holidayrental",
    "inmueble",
    "annonce",
    "bien",
    "imovel",
    "immobile",
    "ad",
    "offer",
    "propiedad",
    "vivienda",
    "estate",
    "objekt",
    "object",
    "item",
    "entry",
    "row",
    "record",
];

/// Names of elements beside each other that are rows of several types (REAXML).
const BESIDE: [&str; 8] =
    ["residential", "rental", "land", "rural", "commercial", "commercialland", "business", "holidayrental"];

/// Those of [`KNOWN`] that are parts of rows as well.
const PARTS: [&str; 14] = [
    "land",
    "rural",
    "commercial",
    "business",
    "residential",
    "rental",
    "row",
    "object",
    "item",
    "entry",
    "record",
    "ad",
    "offer",
    "bien",
];

/// The rows of a document.
pub(crate) struct XmlRows {
    events: XmlEvents<Box<dyn Read + Send>>,
    /// The names from the root to the element that is a row.
    rows: Vec<String>,
    /// The names of the open elements.
    path: Vec<String>,
    row_bytes_max: usize,
    json: Vec<u8>,
    element: u64,
    over: bool,
}

/// An open element of a row.
struct Open {
    name: String,
    object: Map<String, Value>,
    attributes: Vec<(String, String)>,
    text: String,
}

impl XmlRows {
    /// `pointer` is the path to the element that is a row, such as `/openimmo/anbieter/immobilie`.
    pub(crate) fn new(reader: Box<dyn Read + Send>, pointer: Option<&str>, row_bytes_max: usize) -> io::Result<Self> {
        let (reader, rows): (Box<dyn Read + Send>, _) = match pointer {
            Some(pointer) => (reader, pointer.trim_start_matches('/').split('/').map(str::to_owned).collect()),
            None => {
                let mut reader = reader;
                let mut beginning = Vec::new();
                // An error is reported when the rows are read.
                let read = reader.by_ref().take(PROBED_BYTES as u64).read_to_end(&mut beginning);
                let rows = row_path(&beginning);
                let rest: Box<dyn Read + Send> = match read {
                    Ok(_) => Box::new(reader),
                    Err(error) => Box::new(Failed(Some(error))),
                };
                (Box::new(Cursor::new(beginning).chain(rest)), rows)
            }
        };
        if rows.is_empty() {
            let problem =
                "no element is repeated, or called like a listing; accepted: [read] rows = \"/listings/listing\"";
            return Err(io::Error::other(problem));
        }
        let events = XmlEvents::new(reader, row_bytes_max);
        Ok(Self { events, rows, path: Vec::new(), row_bytes_max, json: Vec::new(), element: 0, over: false })
    }

    fn is_row(&self, name: &str) -> bool {
        let Some((last, around)) = self.rows.split_last() else { return false };
        let is_beside = |name: &str| BESIDE.contains(&&*name.to_ascii_lowercase());
        self.path == around && (name == last || is_beside(name) && is_beside(last))
    }

    /// Reads to the end of a row that has begun. The outer error ends the file, the inner one is of this row.
    fn row(&mut self, first: Open) -> Result<Result<Value, (Reason, String)>, String> {
        let mut open = vec![first];
        let (mut bytes, mut depth, mut fault) = (0, 1, None);
        loop {
            match self.events.next()?.ok_or("the file ends inside an element")? {
                XmlEvent::Begin { name, attributes, ended } => {
                    bytes +=
                        name.len() + attributes.iter().map(|(key, value)| key.len() + value.len()).sum::<usize>() + 8;
                    if !ended {
                        depth += 1;
                    }
                    if depth > DEPTH_MAX {
                        let deep = format!("elements are nested more than {DEPTH_MAX} deep");
                        fault.get_or_insert((Reason::Unreadable, deep));
                    }
                    if fault.is_none() {
                        open.push(Open::new(name, attributes));
                        if ended {
                            close(&mut open);
                        }
                    }
                }
                XmlEvent::Text(text) => {
                    bytes += text.len();
                    if let (None, Some(open)) = (&fault, open.last_mut()) {
                        open.text.push_str(&text);
                    }
                }
                XmlEvent::End => {
                    depth -= 1;
                    if depth == 0 {
                        return Ok(fault.map_or_else(|| Ok(open.pop().map_or(Value::Null, Open::row)), Err));
                    }
                    if fault.is_none() {
                        close(&mut open);
                    }
                }
            }
            if bytes > self.row_bytes_max {
                let long = format!("a row of more than {} bytes", self.row_bytes_max);
                fault.get_or_insert((Reason::TooLong, long));
            }
        }
    }
}

impl MadeRows for XmlRows {
    fn next_row(&mut self) -> Option<Result<RawRow<'_>, RowFault>> {
        if self.over {
            return None;
        }
        let location = Location::Element(self.element + 1);
        let broken = |problem: String| {
            let is_cut = problem.contains("ends inside") || problem.contains("cut off");
            let reason = if is_cut { Reason::Truncated } else { Reason::Unreadable };
            RowFault::new(location, reason, format!("the XML cannot be read further: {problem}"), b"")
        };
        loop {
            let event = match self.events.next() {
                Ok(event) => event,
                Err(problem) => {
                    self.over = true;
                    return Some(Err(broken(problem)));
                }
            };
            match event {
                None => {
                    self.over = true;
                    if self.path.is_empty() {
                        return None;
                    }
                    return Some(Err(broken("the file ends inside an element".to_owned())));
                }
                Some(XmlEvent::Begin { name, attributes, ended }) if self.is_row(&name) => {
                    self.element += 1;
                    let first = Open::new(name, attributes);
                    let row = if ended { Ok(Ok(first.row())) } else { self.row(first) };
                    return Some(match row {
                        Ok(Ok(row)) => {
                            self.json = row.to_string().into_bytes();
                            Ok(RawRow { location, content: Content::Json(&self.json) })
                        }
                        Ok(Err((reason, detail))) => Err(RowFault::new(location, reason, detail, b"")),
                        Err(problem) => {
                            self.over = true;
                            Err(broken(problem))
                        }
                    });
                }
                Some(XmlEvent::Begin { name, ended: false, .. }) => {
                    if self.path.len() == DEPTH_MAX {
                        self.over = true;
                        return Some(Err(broken(format!("elements are nested more than {DEPTH_MAX} deep"))));
                    }
                    self.path.push(name);
                }
                Some(XmlEvent::End) => drop(self.path.pop()),
                Some(XmlEvent::Begin { .. } | XmlEvent::Text(_)) => {}
            }
        }
    }
}

impl Open {
    fn new(name: String, attributes: Vec<(String, String)>) -> Self {
        Self { name, object: Map::new(), attributes, text: String::new() }
    }

    /// The row: an object also without children, with the name of its element.
    fn row(mut self) -> Value {
        let text = self.text.trim();
        if !text.is_empty() {
            self.object.insert("#text".to_owned(), Value::from(text));
        }
        self.object.insert("@element".to_owned(), Value::from(self.name));
        self.object.extend(self.attributes.into_iter().map(|(key, value)| (format!("@{key}"), Value::from(value))));
        Value::Object(self.object)
    }
}

/// Ends the innermost element: puts it into the one around.
fn close(open: &mut Vec<Open>) {
    let Some(Open { name, mut object, attributes, text }) = open.pop() else { return };
    let Some(parent) = open.last_mut() else { return };
    let text = text.trim();
    let value = if object.is_empty() && (attributes.is_empty() || !text.is_empty()) {
        // `<price currency="EUR">5</price>` is `price` and `price@currency`, so that `price` is a text with and without.
        for (key, value) in attributes {
            parent.object.entry(format!("{name}@{key}")).or_insert(Value::from(value));
        }
        if text.is_empty() { Value::Null } else { Value::from(text) }
    } else {
        object.extend(attributes.into_iter().map(|(key, value)| (format!("@{key}"), Value::from(value))));
        Value::Object(object)
    };
    match parent.object.get_mut(&name) {
        None => drop(parent.object.insert(name, value)),
        Some(Value::Array(all)) => all.push(value),
        Some(first) => {
            let both = vec![first.take(), value];
            *first = Value::Array(both);
        }
    }
}

/// The path of the element that is a row: the outermost that is called like one, otherwise the outermost with content that
/// is repeated. Empty if there is none.
fn row_path(beginning: &[u8]) -> Vec<String> {
    let mut events = XmlEvents::new(Cursor::new(beginning), PROBED_BYTES);
    let mut path: Vec<String> = Vec::new();
    // How often each path begins, whether it has content, and when it came first.
    let mut seen: HashMap<Vec<String>, (u64, bool, usize)> = HashMap::new();
    while let Ok(Some(event)) = events.next() {
        match event {
            XmlEvent::Begin { name, attributes, ended } => {
                if let Some(around) = seen.get_mut(&path) {
                    around.1 = true;
                }
                path.push(name);
                let order = seen.len();
                let entry = seen.entry(path.clone()).or_insert((0, false, order));
                entry.0 += 1;
                entry.1 |= !attributes.is_empty();
                if ended {
                    path.pop();
                }
            }
            XmlEvent::End => drop(path.pop()),
            XmlEvent::Text(_) => {}
        }
        if path.len() > DEPTH_MAX || seen.len() > 10_000 {
            break;
        }
    }
    let name = |path: &[String]| path.last().map(|name| name.to_ascii_lowercase()).unwrap_or_default();
    // What is in a repeated element, and no more often than it, is a part of it: `Land` of `PropertyDetails`.
    let is_part = |path: &[String]| {
        let count = |path: &[String]| seen.get(path).map_or(0, |(count, ..)| *count);
        PARTS.contains(&&*name(path))
            && (2..path.len()).any(|depth| count(&path[..depth]) > 1 && count(path) <= count(&path[..depth]))
    };
    let is_known = |path: &[String]| path.len() > 1 && KNOWN.contains(&&*name(path)) && !is_part(path);
    let mut rows: Vec<(bool, usize, usize, Vec<String>)> = seen
        .iter()
        .filter(|(path, (count, has_content, _))| *has_content && (is_known(path) || *count > 1))
        .map(|(path, (_, _, order))| (!is_known(path), path.len(), *order, path.clone()))
        .collect();
    rows.sort();
    rows.into_iter().next().map(|(.., path)| path).unwrap_or_default()
}

/// Returns its error once.
struct Failed(Option<io::Error>);

impl Read for Failed {
    fn read(&mut self, _: &mut [u8]) -> io::Result<usize> {
        self.0.take().map_or(Ok(0), Err)
    }
}
