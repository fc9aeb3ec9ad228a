//! Reads the events of XML within bounds. Entities that a document declares are not expanded: only the five of XML and
//! numbers of characters are known.

use std::io::{self, BufRead, BufReader, Read};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering::Relaxed};

use quick_xml::events::{BytesStart, Event};

/// How deep elements may be nested.
pub(crate) const DEPTH_MAX: usize = 100;

/// Bytes that are read ahead.
const AHEAD_BYTES: usize = 64 << 10;

/// The events of a document.
pub(crate) struct XmlEvents<R> {
    reader: quick_xml::Reader<BufReader<Bounded<R>>>,
    buffer: Vec<u8>,
    left: Arc<AtomicU64>,
    event_bytes_max: u64,
}

/// An event that a reader of rows needs.
#[derive(Debug, PartialEq)]
pub(crate) enum XmlEvent {
    /// The name of the element without its prefix, its attributes, and whether it has ended.
    Begin {
        name: String,
        attributes: Vec<(String, String)>,
        ended: bool,
    },
    Text(String),
    End,
}

/// Ends a stream that has too many bytes for one event, such as a text or a tag.
struct Bounded<R> {
    reader: R,
    left: Arc<AtomicU64>,
}

impl<R: Read> Read for Bounded<R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let n = self.reader.read(buffer)?;
        let left = self.left.load(Relaxed);
        if n as u64 > left {
            return Err(io::Error::other("a text or tag is too long"));
        }
        self.left.store(left - n as u64, Relaxed);
        Ok(n)
    }
}

impl<R: Read> XmlEvents<R> {
    pub(crate) fn new(reader: R, event_bytes_max: usize) -> Self {
        let left = Arc::new(AtomicU64::new(0));
        let bounded = Bounded { reader, left: Arc::clone(&left) };
        let reader = quick_xml::Reader::from_reader(BufReader::with_capacity(AHEAD_BYTES, bounded));
        Self { reader, buffer: Vec::new(), left, event_bytes_max: event_bytes_max as u64 }
    }

    /// The next event; `None` at the end.
    ///
    /// # Errors
    /// What is wrong with the document. It cannot be read further.
    pub(crate) fn next(&mut self) -> Result<Option<XmlEvent>, String> {
        loop {
            self.buffer.clear();
            self.left.store(self.event_bytes_max + AHEAD_BYTES as u64, Relaxed);
            let event = self.reader.read_event_into(&mut self.buffer).map_err(|error| error.to_string())?;
            return Ok(Some(match event {
                Event::Start(tag) => begin(&tag, false)?,
                Event::Empty(tag) => begin(&tag, true)?,
                Event::End(_) => XmlEvent::End,
                Event::Text(text) => XmlEvent::Text(text.to_string()),
                Event::CData(text) => XmlEvent::Text(text.to_string()),
                Event::GeneralRef(name) => XmlEvent::Text(entity(&name)),
                Event::Eof => return Ok(None),
                Event::Decl(_) | Event::PI(_) | Event::DocType(_) | Event::Comment(_) => continue,
            }));
        }
    }
}

fn begin(tag: &BytesStart<'_>, ended: bool) -> Result<XmlEvent, String> {
    let mut attributes = Vec::new();
    for attribute in tag.attributes() {
        let attribute = attribute.map_err(|error| error.to_string())?;
        let name = attribute.key.local_name().into_inner().to_owned();
        if attribute.key.as_ref() != "xmlns" && !attribute.key.as_ref().starts_with("xmlns:") {
            attributes.push((name, unescaped(&attribute.value)));
        }
    }
    let name = tag.local_name().into_inner().to_owned();
    Ok(XmlEvent::Begin { name, attributes, ended })
}

/// The letter of an entity; one that is not known stays as it is written.
fn entity(name: &str) -> String {
    let number = name.strip_prefix('#').and_then(|number| match number.strip_prefix(['x', 'X']) {
        Some(hex) => u32::from_str_radix(hex, 16).ok(),
        None => number.parse().ok(),
    });
    match (name, number.and_then(char::from_u32)) {
        ("amp", _) => "&".to_owned(),
        ("lt", _) => "<".to_owned(),
        ("gt", _) => ">".to_owned(),
        ("quot", _) => "\"".to_owned(),
        ("apos", _) => "'".to_owned(),
        ("nbsp", _) => "\u{a0}".to_owned(),
        (_, Some(letter)) => letter.to_string(),
        _ => format!("&{name};"),
    }
}

fn unescaped(text: &str) -> String {
    let mut whole = String::with_capacity(text.len());
    let mut rest = text;
    while let Some((before, behind)) = rest.split_once('&') {
        whole.push_str(before);
        match behind.split_once(';') {
            Some((name, after)) if name.len() < 12 => {
                whole.push_str(&entity(name));
                rest = after;
            }
            _ => {
                whole.push('&');
                rest = behind;
            }
        }
    }
    whole + rest
}

/// The encoding that the declaration of a document names: `<?xml version="1.0" encoding="ISO-8859-1"?>`.
pub(crate) fn declared_encoding(reader: &mut dyn BufRead) -> io::Result<Option<stoop_sources::text::Encoding>> {
    let beginning = reader.fill_buf()?;
    let text = String::from_utf8_lossy(&beginning[..beginning.len().min(256)]).into_owned();
    let declaration =
        text.trim_start_matches('\u{feff}').strip_prefix("<?xml").and_then(|rest| rest.split("?>").next());
    let name = declaration.and_then(|rest| rest.split_once("encoding=")?.1.split(['"', '\'']).nth(1));
    Ok(name.and_then(stoop_sources::text::Encoding::parse))
}
