//! The listings of an HTML page, from its JSON-LD.

use std::io::{self, Read};

use stoop_domain::Reason;
use stoop_sources::text::{PageListings, page_listings};

use crate::made_rows::MadeRows;
use crate::row::{Content, Location, RawRow, RowFault};

/// The rows of a page, which is read whole.
pub(crate) struct HtmlRows {
    listings: std::vec::IntoIter<serde_json::Value>,
    faults: std::vec::IntoIter<String>,
    json: Vec<u8>,
    element: u64,
}

impl HtmlRows {
    pub(crate) fn new(reader: Box<dyn Read + Send>, bytes_max: usize) -> io::Result<Self> {
        let mut bytes = Vec::new();
        reader.take(bytes_max as u64 + 1).read_to_end(&mut bytes)?;
        if bytes.len() > bytes_max {
            return Err(io::Error::other(format!("a page of more than {bytes_max} bytes")));
        }
        let PageListings { listings, mut faults } = page_listings(&String::from_utf8_lossy(&bytes));
        if listings.is_empty() && faults.is_empty() && !bytes.is_empty() {
            faults.push("the page has no listing in JSON-LD (schema.org)".to_owned());
        }
        Ok(Self { listings: listings.into_iter(), faults: faults.into_iter(), json: Vec::new(), element: 0 })
    }
}

impl MadeRows for HtmlRows {
    fn next_row(&mut self) -> Option<Result<RawRow<'_>, RowFault>> {
        self.element += 1;
        let location = Location::Element(self.element);
        if let Some(fault) = self.faults.next() {
            return Some(Err(RowFault::new(location, Reason::Unreadable, fault, b"")));
        }
        self.json = self.listings.next()?.to_string().into_bytes();
        Some(Ok(RawRow { location, content: Content::Json(&self.json) }))
    }
}
