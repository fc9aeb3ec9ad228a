use stoop_domain::Time;

use super::query::{Query, token};
use super::{Fault, Paging, PortalConfig};
use crate::render::write_row;
use crate::simulation::Simulation;

/// One page of listings as it goes over the wire.
pub(crate) struct Page {
    pub(crate) body: Vec<u8>,
    pub(crate) rows: u64,
}

impl Page {
    /// Writes the page that `query` asks for. `base` is the portal's own address.
    pub(crate) fn write(
        simulation: &Simulation,
        query: &Query,
        config: &PortalConfig,
        base: &str,
        fault: Option<Fault>,
    ) -> Self {
        let size = query.top.unwrap_or(config.page_size).min(config.page_size_max);
        let mut after = query.begins_after();
        let found = |after| simulation.shown_after(after).filter(|(home, offer)| query.matches(home, offer));
        let mut body = format!("{{\"@odata.context\":\"{base}/odata/$metadata#Property\"").into_bytes();
        if query.count {
            let whole = Query { after: None, ..query.clone() };
            body.extend_from_slice(format!(",\"@odata.count\":{}", found(whole.begins_after()).count()).as_bytes());
        }
        body.extend_from_slice(b",\"value\":[");
        let mut rows = 0;
        let mut listings = found(after).skip(query.skip);
        for (home, offer) in listings.by_ref().take(size) {
            if rows > 0 {
                body.push(b',');
            }
            let start = body.len();
            write_row(&mut body, home, offer);
            if rows == 0 && fault == Some(Fault::GarbageRow) {
                spoil_price(&mut body, start);
            }
            after = Some((offer.modified_at, home.index));
            rows += 1;
        }
        body.push(b']');
        let more = listings.next().is_some() && size > 0;
        if let Some(link) = next_link(query, config, base, fault, more, after, rows) {
            body.extend_from_slice(format!(",\"@odata.nextLink\":\"{link}\"").as_bytes());
        }
        body.push(b'}');
        Self { body, rows: rows as u64 }
    }
}

/// Absolute, and with `$` as it is: readers must follow it verbatim.
fn next_link(
    query: &Query,
    config: &PortalConfig,
    base: &str,
    fault: Option<Fault>,
    more: bool,
    after: Option<(Time, u32)>,
    rows: usize,
) -> Option<String> {
    let and = if query.rest.is_empty() { "" } else { "&" };
    let link = |base: &str, continued: String| format!("{base}/odata/Property?{}{and}{continued}", query.rest);
    let continued = match config.paging {
        Paging::SkipToken => format!("$skiptoken={}", token(after, query.endless)),
        Paging::Skip => format!("$skip={}", query.skip + rows),
    };
    match fault {
        Some(Fault::LoopingLink) => {
            let here = token(query.after, query.endless);
            Some(link(base, format!("$skip={}&$skiptoken={here}", query.skip)))
        }
        Some(Fault::EndlessLink) if !more => {
            Some(link(base, format!("$skiptoken={}", token(after, query.endless + 1))))
        }
        Some(Fault::ForeignLink) => Some(link("http://portal.invalid", continued)),
        _ => more.then(|| link(base, continued)),
    }
}

/// Puts words where the price of the row at `start` is.
fn spoil_price(body: &mut Vec<u8>, start: usize) {
    const NAME: &[u8] = b"\"ListPrice\":";
    let row = &body[start..];
    let Some(name) = row.windows(NAME.len()).position(|bytes| bytes == NAME) else { return };
    let from = start + name + NAME.len();
    let digits = body[from..].iter().take_while(|byte| **byte != b',').count();
    body.splice(from..from + digits, *b"\"call for price\"");
}
