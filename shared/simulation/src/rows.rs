use std::cmp::Reverse;
use std::collections::BinaryHeap;
use std::io;
use std::sync::Arc;

use stoop_domain::Time;

use crate::config::{Noise, SimulationConfig};
use crate::engine::Engine;
use crate::home::Home;
use crate::life::LifeEvent;
use crate::render::write_row_of;

/// Listing updates like those of a portal's modification feed: JSON Lines in order of event time.
///
/// Memory grows with homes, not with rows. Equal configurations give the events of a [`Simulation`](crate::Simulation),
/// so its answer applies to the rows as well.
///
/// ```
/// use stoop_domain::Time;
/// use stoop_simulation::SimulatedRows;
/// let start = Time::parse("2026-01-05T00:00:00Z").unwrap();
/// let mut file = Vec::new();
/// SimulatedRows::new(SimulatedRows::config(7, start, 1_000), 1_000).write_to(&mut file).unwrap();
/// assert_eq!(file.iter().filter(|byte| **byte == b'\n').count(), 1_000);
/// ```
#[derive(Debug)]
pub struct SimulatedRows {
    engine: Engine,
    homes: Arc<[Home]>,
    left: u64,
    brief: bool,
    ahead: Option<LifeEvent>,
    /// Late entries that are not shown yet.
    late: BinaryHeap<Reverse<LifeEvent>>,
}

/// The approximate chunk size of the writer in bytes.
const CHUNK: usize = 256 * 1_024;

impl SimulatedRows {
    /// A configuration for `rows` rows: no past, about a hundred rows per home, of which 3 % are changes after every
    /// home is listed.
    #[must_use]
    pub fn config(seed: u64, start: Time, rows: u64) -> SimulationConfig {
        let homes = u32::try_from((rows / 100).clamp(100, 200_000)).unwrap_or(200_000);
        SimulationConfig {
            past_ms: 0,
            noise: Noise { seen_again_permille: 970, ..Noise::default() },
            ..SimulationConfig::new(seed, start, homes, (homes / 200).clamp(4, 500))
        }
    }

    /// The first `rows` rows of the market of `config`.
    #[must_use]
    pub fn new(config: SimulationConfig, rows: u64) -> Self {
        let mut engine = Engine::new(config);
        let homes = Arc::clone(engine.homes());
        let ahead = engine.next();
        Self { engine, homes, left: rows, brief: false, ahead, late: BinaryHeap::new() }
    }

    /// The same rows without fields that enter no figure (remarks, office, coordinates, other names and times): about
    /// 570 bytes instead of a thousand.
    #[must_use]
    pub fn brief(self) -> Self {
        Self { brief: true, ..self }
    }

    /// Appends the next row with a line break. `None` after the last one.
    pub fn next_into(&mut self, out: &mut Vec<u8>) -> Option<LifeEvent> {
        self.left = self.left.checked_sub(1)?;
        let entry = self.next_shown()?;
        write_row_of(out, &self.homes[entry.home as usize], &entry.offer, self.brief);
        out.push(b'\n');
        Some(entry)
    }

    /// Writes all remaining rows. Returns the number of bytes.
    ///
    /// # Errors
    /// If the writer returns one.
    pub fn write_to(mut self, writer: &mut impl io::Write) -> io::Result<u64> {
        let mut chunk = Vec::with_capacity(CHUNK + 2_048);
        let mut bytes = 0;
        while self.next_into(&mut chunk).is_some() {
            if chunk.len() >= CHUNK {
                writer.write_all(&chunk)?;
                bytes += chunk.len() as u64;
                chunk.clear();
            }
        }
        writer.write_all(&chunk)?;
        writer.flush()?;
        Ok(bytes + chunk.len() as u64)
    }

    /// The homes of the rows.
    #[must_use]
    pub fn homes(&self) -> &[Home] {
        &self.homes
    }

    fn next_shown(&mut self) -> Option<LifeEvent> {
        loop {
            let next_at = self.ahead.as_ref().map(|entry| entry.at);
            let due = self.late.peek().is_some_and(|late| next_at.is_none_or(|next| late.0.shown_at <= next));
            if due {
                return self.late.pop().map(|late| late.0);
            }
            let entry = self.ahead.take()?;
            self.ahead = self.engine.next();
            if entry.shown_at == entry.at {
                return Some(entry);
            }
            self.late.push(Reverse(entry));
        }
    }
}
