use serde_json::Value;

use super::query::{ResoQuery, token};
use super::{ListedHome, PROPERTY, Paging, REPLICATION, ResoSite, RowPosition, Vendor};
use crate::dialect::json::spoil_price;
use crate::dialect::{DialectPage, Turn};
use crate::exchange::{Answered, ShownListing};
use crate::faults::Fault;
use crate::render::{moment, write_row};

pub(super) const JSON: &str = "application/json; odata.metadata=minimal";

/// Writes the page of the matching listings that `query` requests.
pub(super) fn write(site: &ResoSite, turn: &Turn<'_>, query: &ResoQuery, listed: &[ListedHome<'_>]) -> DialectPage {
    let replicates = site.vendor == Vendor::Bridge && turn.asked.path == REPLICATION;
    let size = site.size(query, replicates);
    let after = query.after.map_or(0, |after| listed.partition_point(|row| site.position(row, query) <= after));
    let from = after.saturating_add(query.skip).min(listed.len());
    let end = listed.len().min(from.saturating_add(size));
    let shown_from = if turn.twist == Some(Fault::RepeatedPage) { from.saturating_sub(size) } else { from };
    let shown_end = listed.len().min(shown_from.saturating_add(size));
    let rows = &listed[shown_from..shown_end];
    let count = query.count.then_some(listed.len());
    let mut body = collection(site, turn, rows, count);
    let last = listed[from..end].last().map(|row| site.position(row, query)).or(query.after);
    let more = end < listed.len() && size > 0;
    let link = Link { turn, query, paging: site.paging, last, shown: end - from };
    let mut next = link.next(more);
    let mut header = None;
    if replicates {
        // Until a page is empty, in a header.
        let token = format!("$skiptoken={}", token(last, query.endless));
        header = (end > from).then(|| link.with(turn.asked.origin, REPLICATION, &token));
        next = None;
    }
    if let Some(link) = next {
        body.extend_from_slice(format!(",\"@odata.nextLink\":{}", Value::from(link)).as_bytes());
    }
    body.push(b'}');
    let mut answer = Answered::of(200, JSON, body).with("odata-version", "4.0");
    if let Some(link) = header {
        answer = answer.with("link", format!("<{link}>; rel=\"next\""));
    }
    DialectPage { answer, shown: shown(turn, rows) }
}

/// The beginning of an answer up to the end of its rows.
pub(super) fn collection(site: &ResoSite, turn: &Turn<'_>, rows: &[ListedHome<'_>], count: Option<usize>) -> Vec<u8> {
    let mut body = format!("{{\"@odata.context\":\"{}/odata/$metadata#Property\"", turn.asked.origin).into_bytes();
    if let Some(count) = count {
        let more = if turn.twist == Some(Fault::WrongTotal) { count / 10 + 1 } else { 0 };
        body.extend_from_slice(format!(",\"@odata.count\":{}", count + more).as_bytes());
    }
    body.extend_from_slice(b",\"value\":[");
    for (position, row) in rows.iter().enumerate() {
        if position > 0 {
            body.push(b',');
        }
        let start = body.len();
        write_row(&mut body, row.home, &row.offer);
        if turn.is_garbage(position) {
            spoil_price(&mut body, start);
        }
        write_own(&mut body, site.vendor, row);
    }
    body.push(b']');
    body
}

/// The vendor's own fields.
fn write_own(body: &mut Vec<u8>, vendor: Vendor, row: &ListedHome<'_>) {
    let own = match vendor {
        Vendor::MlsGrid => format!(",\"MlgCanView\":{}}}", !row.withdrawn),
        Vendor::Bridge => {
            let mut time = Vec::new();
            moment(&mut time, row.served_at);
            format!(",\"BridgeModificationTimestamp\":\"{}\"}}", String::from_utf8_lossy(&time))
        }
        _ => return,
    };
    body.pop();
    body.extend_from_slice(own.as_bytes());
}

pub(super) fn shown(turn: &Turn<'_>, rows: &[ListedHome<'_>]) -> Vec<ShownListing> {
    let shown = rows.iter().enumerate().map(|(position, row)| ShownListing {
        home: row.home.index,
        offer: row.offer.clone().into_owned(),
        withdrawn: row.withdrawn,
        unpriced: turn.is_garbage(position),
    });
    shown.collect()
}

/// The link from a page to the next.
struct Link<'a> {
    turn: &'a Turn<'a>,
    query: &'a ResoQuery,
    paging: Paging,
    last: Option<RowPosition>,
    shown: usize,
}

impl Link<'_> {
    /// Absolute, with `$` unencoded: readers must follow it verbatim.
    fn next(&self, more: bool) -> Option<String> {
        let (query, origin) = (self.query, self.turn.asked.origin);
        match self.turn.twist {
            Some(Fault::LoopingLink) => {
                let here = token(query.after, query.endless);
                Some(self.with(origin, PROPERTY, &format!("$skip={}&$skiptoken={here}", query.skip)))
            }
            Some(Fault::EndlessLink) if !more => {
                let endless = format!("$skiptoken={}", token(self.last, query.endless + 1));
                Some(self.with(origin, PROPERTY, &endless))
            }
            Some(Fault::ForeignLink) => Some(self.with("http://portal.invalid", PROPERTY, &self.continued())),
            _ => more.then(|| self.with(origin, PROPERTY, &self.continued())),
        }
    }

    fn continued(&self) -> String {
        match self.paging {
            Paging::SkipToken => format!("$skiptoken={}", token(self.last, self.query.endless)),
            Paging::Skip => format!("$skip={}", self.query.skip + self.shown),
        }
    }

    fn with(&self, origin: &str, path: &str, continued: &str) -> String {
        let and = if self.query.rest.is_empty() { "" } else { "&" };
        format!("{origin}{path}?{}{and}{continued}", self.query.rest)
    }
}
