use std::cmp::Reverse;
use std::collections::BinaryHeap;
use std::fs::File;
use std::io::{BufRead, BufReader, BufWriter, Lines, Seek, SeekFrom, Write};

use anyhow::Context;
use stoop_domain::{Observation, Time};

/// Observations held in memory before a sorted run of them is written to a temporary file.
const RUN: usize = 200_000;

/// Sorts observations by time in bounded memory: sorted runs on disk, merged. Equal times keep the order
/// in which they came.
#[derive(Default)]
pub(super) struct Sorter {
    held: Vec<Observation>,
    runs: Vec<File>,
}

/// The runs, merged.
pub(super) struct Merged {
    runs: Vec<Lines<BufReader<File>>>,
    heads: BinaryHeap<Reverse<(Time, usize, HeapItem)>>,
    last: std::vec::IntoIter<Observation>,
}

/// An observation on the heap, which compares only the key.
struct HeapItem(Observation);

impl Sorter {
    pub(super) fn push(&mut self, observation: Observation) -> anyhow::Result<()> {
        self.held.push(observation);
        if self.held.len() >= RUN { self.write_run() } else { Ok(()) }
    }

    fn write_run(&mut self) -> anyhow::Result<()> {
        self.held.sort_by_key(|observation| observation.at);
        let write = || -> std::io::Result<File> {
            let mut file = BufWriter::new(tempfile::tempfile()?);
            let mut line = Vec::new();
            for observation in &self.held {
                line.clear();
                stoop_wire::encode(observation, &mut line);
                line.push(b'\n');
                file.write_all(&line)?;
            }
            let mut file = file.into_inner().map_err(std::io::IntoInnerError::into_error)?;
            file.seek(SeekFrom::Start(0))?;
            Ok(file)
        };
        self.runs.push(write().context("sorting rows by time in a temporary file")?);
        self.held.clear();
        Ok(())
    }

    pub(super) fn finish(mut self) -> anyhow::Result<Merged> {
        self.held.sort_by_key(|observation| observation.at);
        let runs = self.runs.into_iter().map(|file| BufReader::new(file).lines()).collect();
        let mut merged = Merged { runs, heads: BinaryHeap::new(), last: self.held.into_iter() };
        for run in 0..=merged.runs.len() {
            merged.refill(run)?;
        }
        Ok(merged)
    }
}

impl Merged {
    /// Puts the next observation of a run on the heap; the last run is the one in memory.
    fn refill(&mut self, run: usize) -> anyhow::Result<()> {
        let next = match self.runs.get_mut(run) {
            None => self.last.next(),
            Some(lines) => match lines.next() {
                None => None,
                Some(line) => Some(stoop_wire::decode(line?.as_bytes()).context("reading back a sorted row")?),
            },
        };
        if let Some(observation) = next {
            self.heads.push(Reverse((observation.at, run, HeapItem(observation))));
        }
        Ok(())
    }
}

impl Iterator for Merged {
    type Item = anyhow::Result<Observation>;

    fn next(&mut self) -> Option<Self::Item> {
        let Reverse((_, run, HeapItem(observation))) = self.heads.pop()?;
        Some(self.refill(run).map(|()| observation))
    }
}

impl PartialEq for HeapItem {
    fn eq(&self, _: &Self) -> bool {
        true
    }
}

impl Eq for HeapItem {}

impl PartialOrd for HeapItem {
    fn partial_cmp(&self, other: &Self) -> Option<std::cmp::Ordering> {
        Some(self.cmp(other))
    }
}

impl Ord for HeapItem {
    fn cmp(&self, _: &Self) -> std::cmp::Ordering {
        std::cmp::Ordering::Equal
    }
}
