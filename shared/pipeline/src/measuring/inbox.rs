//! Reads stream records into observations and rejects.

use std::fmt;

use stoop_domain::{Observation, Reason, RefusedValue, Reject, Time};
use stoop_wire::kpl::{Deaggregated, deaggregate};
use stoop_wire::{decode, lines};

/// No observation has a line of fewer bytes.
const LINE_BYTES_MIN: usize = 100;

/// The longest line that Stoop's poller puts on a stream: 256 KiB. Not every service behind the stream takes longer
/// ones.
const LINE_BYTES_MAX: usize = 256 << 10;

/// How every line of Stoop begins.
const LINE_BEGIN: &[u8] = b"{\"v\":";

/// Refused lines per record that have their own reject; the others share one, as short ones do. Noise has a newline
/// every few hundred bytes.
const REJECTS_PER_RECORD_MAX: usize = 32;

/// The longest detail of a reject. A parser's message may quote its whole input.
const DETAIL_BYTES_MAX: usize = 512;

/// How far a sighting may be ahead of our clock: the poller's time zone may have been wrong, or its clock was set back
/// since, and sightings are never set back.
const SEEN_AHEAD_MS_MAX: i64 = 26 * Time::HOUR_MS;

/// A batch of stream records.
///
/// Nothing is lost silently: each line is an observation that may be counted, or a reject. Both take at most a few
/// times the memory of the records, whatever their content: the lines of a noise record share a reject.
#[derive(Debug, Default)]
pub struct Inbox {
    /// The observations, in the order of the records.
    pub observations: Vec<Observation>,
    /// Lines that could not be read or may not be counted.
    pub rejects: Vec<Reject>,
}

/// A record has a line in a newer format: which, and what of it.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{0}")]
pub struct NewerRecord(String);

impl Inbox {
    /// Reads the next record: lines, or a KPL-aggregated record of lines. `position` names it in its rejects; dates
    /// after `now` are refused.
    pub fn read(&mut self, position: &str, record: &[u8], now: Time) {
        let mut reader = RecordReader { inbox: self, position, now, rejects: 0, bad_lines: None };
        match deaggregate(record) {
            Ok(Deaggregated::Plain(body)) => reader.read(None, body),
            Ok(Deaggregated::Aggregated(aggregated)) => {
                let mut users = 0;
                for user in aggregated.user_records() {
                    users += 1;
                    reader.read(Some(users), user.data);
                }
                if users == 0 {
                    reader.refuse(At::default(), Reason::Unreadable, "no user records".into(), record);
                }
            }
            Ok(Deaggregated::Damaged(_)) => {
                // Line by line it would give many useless rejects.
                let why = "it begins as a KPL-aggregated record does, and does not end with the MD5 of the rest";
                reader.refuse(At::default(), Reason::Unreadable, why.into(), record);
            }
            Err(error) => reader.refuse(At::default(), Reason::Unreadable, error.to_string(), record),
        }
        reader.end();
    }

    /// Reads the next record, unless it has a line in a newer format than this program knows: then the record leaves
    /// nothing, because a newer program can read all of it.
    ///
    /// # Errors
    ///
    /// The record has such a line.
    pub fn read_known(&mut self, position: &str, record: &[u8], now: Time) -> Result<(), NewerRecord> {
        let (observations, rejects) = (self.observations.len(), self.rejects.len());
        self.read(position, record, now);
        let newer = self.rejects[rejects..].iter().find(|reject| reject.reason == Reason::NewerVersion);
        let Some(Reject { detail, location, .. }) = newer else { return Ok(()) };
        let newer = NewerRecord(format!("{location}: {detail}"));
        self.observations.truncate(observations);
        self.rejects.truncate(rejects);
        Err(newer)
    }
}

/// A position in a record: its user record and line, counted from 1, if known.
#[derive(Clone, Copy, Default)]
struct At {
    user: Option<usize>,
    line: Option<usize>,
}

impl fmt::Display for At {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (name, number) in [("user record", self.user), ("line", self.line)] {
            if let Some(number) = number {
                write!(f, ", {name} {number}")?;
            }
        }
        Ok(())
    }
}

/// Reads one record into an inbox.
struct RecordReader<'r> {
    inbox: &'r mut Inbox,
    position: &'r str,
    now: Time,
    /// The number of lines with their own reject.
    rejects: usize,
    bad_lines: Option<BadLines>,
}

/// Refused lines that share a reject: those too short for an observation, and those beyond the limit. A megabyte of
/// newlines and stray bytes would otherwise give half a million rejects.
struct BadLines {
    at: At,
    reason: Reason,
    detail: String,
    /// The lines, one per line, as far as a reject keeps them.
    raw: Vec<u8>,
    more: usize,
}

impl RecordReader<'_> {
    /// Reads the lines of a record or user record.
    fn read(&mut self, user: Option<usize>, body: &[u8]) {
        let mut count = 0;
        for line in lines(body) {
            count += 1;
            let refused = match decode(line) {
                Ok(_) if line.len() > LINE_BYTES_MAX => {
                    (Reason::TooLong, format!("{} bytes; a line has {LINE_BYTES_MAX} at most", line.len()))
                }
                Ok(mut observation) => match observation.check(self.now_for(&observation)) {
                    Ok(refused) => {
                        // Pollers take them out. An older one, or another program, may not.
                        self.refuse_values(At { user, line: Some(count) }, refused, line);
                        self.inbox.observations.push(observation);
                        continue;
                    }
                    Err(refused) => refused,
                },
                Err(error) => (error.reason(), error.to_string()),
            };
            self.refuse(At { user, line: Some(count) }, refused.0, refused.1, line);
        }
        if count == 0 {
            // Stoop writes none: another program did, or something was lost.
            self.refuse(At { user, line: None }, Reason::Unreadable, "no lines".into(), body);
        }
    }

    /// The time beyond which an observation is in the future.
    fn now_for(&self, observation: &Observation) -> Time {
        self.now.max(observation.seen.min(self.now.plus_ms(SEEN_AHEAD_MS_MAX)))
    }

    /// Refuses values of a line. Beyond the limit the last reject of a value counts those of further lines.
    fn refuse_values(&mut self, at: At, refused: Vec<RefusedValue>, line: &[u8]) {
        for value in refused {
            let last = self.inbox.rejects.last_mut().filter(|last| last.values > 0);
            match last.filter(|_| self.rejects >= REJECTS_PER_RECORD_MAX) {
                Some(last) => last.values += 1,
                None => {
                    self.rejects += 1;
                    let location = format!("{}{at}", self.position);
                    self.inbox.rejects.push(Reject::of_value("stream", self.now, location, value, line));
                }
            }
        }
    }

    fn refuse(&mut self, at: At, reason: Reason, mut detail: String, raw: &[u8]) {
        if detail.len() > DETAIL_BYTES_MAX {
            detail.truncate(detail.floor_char_boundary(DETAIL_BYTES_MAX - '…'.len_utf8()));
            detail.push('…');
        }
        if raw.len() >= LINE_BYTES_MIN && self.rejects < REJECTS_PER_RECORD_MAX {
            self.rejects += 1;
            return self.reject(at, reason, detail, raw);
        }
        match &mut self.bad_lines {
            None => {
                self.bad_lines =
                    Some(BadLines { at, reason, detail, raw: raw[..raw.len().min(Reject::RAW_MAX)].to_vec(), more: 0 })
            }
            Some(bad_lines) => {
                bad_lines.more += 1;
                if bad_lines.raw.len() < Reject::RAW_MAX {
                    bad_lines.raw.push(b'\n');
                    bad_lines.raw.extend_from_slice(&raw[..raw.len().min(Reject::RAW_MAX)]);
                }
            }
        }
    }

    fn end(mut self) {
        let Some(BadLines { at, reason, mut detail, raw, more }) = self.bad_lines.take() else { return };
        if more > 0 {
            detail += &format!("; so are {more} more lines, too short or too many for a reject each");
        }
        self.reject(at, reason, detail, &raw);
        if let Some(reject) = self.inbox.rejects.last_mut() {
            reject.rows += more as u64;
        }
    }

    fn reject(&mut self, at: At, reason: Reason, detail: String, raw: &[u8]) {
        let location = format!("{}{at}", self.position);
        // A line of Stoop may be sent again after the cause is corrected; of noise an excerpt is enough.
        let is_line = raw.starts_with(LINE_BEGIN) && raw.len() <= LINE_BYTES_MAX;
        let reject = if is_line { Reject::whole } else { Reject::new };
        self.inbox.rejects.push(reject("stream", self.now, location, reason, detail, raw));
    }
}

#[cfg(test)]
mod tests;
