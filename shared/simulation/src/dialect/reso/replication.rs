use std::collections::BTreeMap;

use serde_json::Value;
use stoop_domain::Time;

use super::query::ResoQuery;
use super::{ListedHome, REPLICATION, ResoSite, page};
use crate::dialect::{DialectPage, Turn};
use crate::exchange::Answered;
use crate::faults::Fault;

/// Trestle's replications in progress: each is a URL that gives page after page until one is empty.
#[derive(Debug, Default)]
pub(crate) struct Replications {
    in_progress: BTreeMap<u64, Replication>,
    begun: u64,
}

#[derive(Debug)]
struct Replication {
    /// The remaining homes, ordered by key.
    left: Vec<u32>,
    size: usize,
    asked_at: Time,
}

/// The time without requests after which a replication is dropped.
const FORGOTTEN_AFTER_MS: i64 = 5 * 60 * Time::SECOND_MS;

impl Replications {
    /// The first page of a replication of these listings.
    pub(super) fn begin(
        &mut self,
        site: &ResoSite,
        turn: &Turn<'_>,
        query: &ResoQuery,
        listed: &[ListedHome<'_>],
    ) -> DialectPage {
        self.begun += 1;
        let id = self.begun;
        let size = site.size(query, true).max(1);
        let (first, rest) = listed.split_at(size.min(listed.len()));
        let left = rest.iter().map(|row| row.home.index).collect();
        self.in_progress.insert(id, Replication { left, size, asked_at: turn.now });
        write(site, turn, first, query.count.then_some(listed.len()), id)
    }

    /// The next page of a replication.
    pub(super) fn next_page(&mut self, site: &ResoSite, turn: &Turn<'_>) -> Result<DialectPage, String> {
        self.in_progress.retain(|_, replication| turn.now.ms() - replication.asked_at.ms() < FORGOTTEN_AFTER_MS);
        let id = turn.asked.number("id").ok_or("id is required")?;
        let replication =
            self.in_progress.get_mut(&id).ok_or_else(|| format!("id={id} is not a replication in progress"))?;
        replication.asked_at = turn.now;
        let size = replication.size.min(replication.left.len());
        let indices: Vec<u32> = replication.left.drain(..size).collect();
        let mut listed = site.listed(turn);
        listed.retain(|row| indices.binary_search(&row.home.index).is_ok());
        listed.sort_unstable_by_key(|row| row.home.index);
        Ok(write(site, turn, &listed, None, id))
    }
}

fn write(site: &ResoSite, turn: &Turn<'_>, rows: &[ListedHome<'_>], count: Option<usize>, id: u64) -> DialectPage {
    let mut body = page::collection(site, turn, rows, count);
    let origin = if turn.twist == Some(Fault::ForeignLink) { "http://portal.invalid" } else { turn.asked.origin };
    if !rows.is_empty() {
        let link = Value::from(format!("{origin}{REPLICATION}?id={id}"));
        body.extend_from_slice(format!(",\"@odata.nextLink\":{link}").as_bytes());
    }
    body.push(b'}');
    let answer = Answered::of(200, page::JSON, body).with("odata-version", "4.0");
    DialectPage { answer, shown: page::shown(turn, rows) }
}
