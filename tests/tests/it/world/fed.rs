use std::collections::VecDeque;

use stoop_dice::Dice;
use stoop_domain::{Observation, Time};
use stoop_simulation::{Home, LifeEvent, Noise, SimulatedRows, SimulationConfig};
use stoop_sources::declared::{Map, RowBytes, RowOutcome};
use stoop_tests::mapping::Stream;
use stoop_wire::kpl::aggregate;

/// A simulated market as observations, and a producer that puts them on a stream.
pub(crate) struct Fed {
    /// All observations, in event time.
    pub(crate) observations: Vec<Observation>,
    /// The market's homes.
    pub(crate) homes: Vec<Home>,
    /// The log of the market.
    pub(crate) log: Vec<LifeEvent>,
    /// A time after everything.
    pub(crate) end: Time,
    /// The observations still to be put.
    left: VecDeque<Observation>,
    put: i64,
}

/// The greatest lateness in hours: less than the lateness horizon of 48.
const LATE_HOURS: i64 = 40;
/// Searches, each with its own partition key. A home always belongs to the same one.
const SEARCHES: usize = 7;

impl Fed {
    /// This many listing updates, over weeks.
    pub(crate) fn market(dice: &mut Dice, rows: u64) -> Self {
        Self::new(dice, rows, 6_000)
    }

    /// At most this many, all within the lateness horizon.
    pub(crate) fn hours(dice: &mut Dice, rows: u64) -> Self {
        let mut fed = Self::new(dice, rows, 60_000);
        let until = fed.observations[0].at.plus_ms(LATE_HOURS * Time::HOUR_MS);
        fed.observations.retain(|seen| seen.at <= until);
        fed.left = fed.observations.clone().into();
        assert!(fed.observations.len() > 100, "only {} observations", fed.observations.len());
        fed
    }

    fn new(dice: &mut Dice, rows: u64, pace_percent: u32) -> Self {
        let start = Time::parse("2026-01-05T00:00:00Z").unwrap();
        let noise = Noise { seen_again_permille: 200, cents_permille: 20, slips_permille: 20, late_permille: 0 };
        let seed = dice.below(1 << 30) as u64;
        let config =
            SimulationConfig { past_ms: 0, noise, pace_percent, ..SimulationConfig::new(seed, start, 60, 4).lively() };
        let mut rows = SimulatedRows::new(config, rows);
        let path = concat!(env!("CARGO_MANIFEST_DIR"), "/../maps/simulated.toml");
        let map = Map::parse(&std::fs::read_to_string(path).unwrap(), "maps/simulated.toml").unwrap();
        let mut reader = map.bind_json();
        let homes = rows.homes().to_vec();
        let (mut observations, mut log, mut row) = (Vec::new(), Vec::new(), Vec::new());
        let far = start.plus_ms(3_650 * Time::DAY_MS);
        while let Some(entry) = rows.next_into(&mut row) {
            let outcome = reader.read(RowBytes::Json(&row), "rows.jsonl", far).unwrap();
            let RowOutcome::Observation(seen, _) = outcome else { panic!("skipped {}", String::from_utf8_lossy(&row)) };
            observations.push(seen);
            log.push(entry);
            row.clear();
        }
        let end = observations.iter().map(|seen| seen.at).max().unwrap();
        Self { left: observations.clone().into(), observations, homes, log, end, put: 0 }
    }

    /// Shuffles them, within the lateness horizon.
    pub(crate) fn shuffle(&mut self, dice: &mut Dice) {
        let mut rest = self.left.make_contiguous();
        while let Some(first) = rest.first() {
            let until = first.at.plus_ms(LATE_HOURS * Time::HOUR_MS);
            let (chunk, later) = rest.split_at_mut(rest.partition_point(|seen| seen.at <= until));
            for i in (1..chunk.len()).rev() {
                chunk.swap(i, dice.below(i + 1));
            }
            rest = later;
        }
    }

    /// The next few; `None` if there are no more.
    pub(crate) fn take(&mut self, dice: &mut Dice) -> Option<Vec<Observation>> {
        let count = (10 + dice.below(60)).min(self.left.len());
        (count > 0).then(|| self.left.drain(..count).collect())
    }

    /// Puts observations on the stream like the poller: those of a search together, some of them twice, with poison
    /// among them. Returns how many rejects to expect.
    pub(crate) fn put(&mut self, dice: &mut Dice, stream: &mut Stream, observations: &[Observation]) -> u64 {
        let mut poisoned = 0;
        let mut lines = vec![Vec::new(); SEARCHES];
        for seen in observations {
            let number = seen.native_id.bytes().fold(0, |sum, digit| sum + usize::from(digit));
            let mut line = Vec::new();
            stoop_wire::encode(seen, &mut line);
            lines[number % SEARCHES].push(line);
        }
        for (search, lines) in lines.iter().enumerate() {
            let mut lines = &lines[..];
            while !lines.is_empty() {
                let (some, later) = lines.split_at((1 + dice.below(5)).min(lines.len()));
                let is_poisoned = dice.chance(60);
                let record = if is_poisoned { poison(dice, some) } else { good(dice, some) };
                for _ in 0..1 + usize::from(dice.chance(80)) {
                    stream.put(self.clock(), &format!("search-{search}"), record.clone());
                    poisoned += u64::from(is_poisoned);
                }
                if is_poisoned && record_loses_lines(&record, some) {
                    stream.put(self.clock(), &format!("search-{search}"), good(dice, some));
                }
                lines = later;
            }
        }
        poisoned
    }

    /// When the next record arrives.
    pub(crate) fn clock(&mut self) -> Time {
        self.put += 1;
        Time::from_ms(self.put * 50)
    }
}

/// A record of lines, aggregated or not.
fn good(dice: &mut Dice, lines: &[Vec<u8>]) -> Vec<u8> {
    if dice.chance(200) { lines.join(&b'\n') } else { aggregate("search", lines.iter().map(Vec::as_slice)) }
}

/// A record with exactly one part that must be quarantined.
fn poison(dice: &mut Dice, lines: &[Vec<u8>]) -> Vec<u8> {
    let among = |bad: &[u8]| aggregate("search", lines.iter().map(Vec::as_slice).chain([bad]));
    match dice.below(7) {
        0 => Vec::new(),
        1 => (0..200).map(|_| 128 + dice.below(100) as u8).collect(),
        2 => among(b"{\"v\":1,\"source\":\"half\"}"),
        3 => among(b"{\"v\":1,\"source\":"),
        4 => among(&[0xff; 120]),
        5 => {
            let mut damaged = among(b"{}");
            damaged.pop();
            damaged
        }
        _ => aggregate("search", []),
    }
}

/// Whether a poison record made valid lines unreadable, so that they must be sent again.
fn record_loses_lines(record: &[u8], lines: &[Vec<u8>]) -> bool {
    let is_within = |line: &Vec<u8>| record.windows(line.len()).any(|window| window == line);
    let is_whole = matches!(stoop_wire::kpl::deaggregate(record), Ok(stoop_wire::kpl::Deaggregated::Aggregated(_)));
    !is_whole || !lines.iter().all(is_within)
}
