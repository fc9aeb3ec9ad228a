//! The places in memory, decoded once from the data file of `make/`.

use std::io::Read;

use flate2::read::GzDecoder;

use crate::fold::{fold_into, hash, slug};
use crate::level::Level;

/// The embedded data file.
pub(crate) const PACKED: &[u8] = include_bytes!("../data/places.tsv.gz");
/// The parent of countries.
const NOWHERE: u32 = u32::MAX;
/// The value of an unknown centroid.
const NO_POINT: (i32, i32) = (i32::MIN, i32::MIN);

/// A part of the text.
#[derive(Clone, Copy, Default)]
struct Span {
    start: u32,
    len: u16,
}

/// A place. Its ID is its index in `Places::nodes`; a parent comes before its children.
pub(crate) struct PlaceNode {
    parent: u32,
    pub(crate) level: Level,
    zone: u16,
    /// Population according to the source, and at least the sum of the known places inside. 0 if unknown.
    pub(crate) people: u32,
    name: Span,
    code: Span,
    also: Span,
}

/// A name of a place in the index. `letters` quickly shows that two keys differ a lot: one bit for each letter that
/// occurs (modulo 26), and the number of letters in the bits above.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
struct NameEntry {
    hash: u32,
    node: u32,
    letters: u32,
}

/// All places and the index of their names.
pub(crate) struct Places {
    text: String,
    pub(crate) nodes: Vec<PlaceNode>,
    zones: Vec<Span>,
    index: Vec<NameEntry>,
    /// Centroids of postal codes, by node.
    points: Vec<(u32, (i32, i32))>,
}

/// The open parents of the current line.
struct Around {
    open: [u32; 5],
    zones: Vec<String>,
}

impl Places {
    pub(crate) fn decode(packed: &[u8]) -> Self {
        let mut text = String::new();
        // The bytes are embedded, and a test checks their hash. If they were corrupted, there would be no places.
        let lines = match GzDecoder::new(packed).read_to_string(&mut text) {
            Ok(_) => std::mem::take(&mut text),
            Err(_) => String::new(),
        };
        text.reserve_exact(lines.len() + 300_000);
        text.push_str(&lines);
        let mut places =
            Self { text, nodes: Vec::new(), zones: vec![Span::default()], index: Vec::new(), points: Vec::new() };
        places.nodes.reserve(160_000);
        let mut around = Around { open: [NOWHERE; 5], zones: vec![String::new()] };
        let mut at = 0;
        for line in lines.split_inclusive('\n') {
            places.read_line(line.trim_end_matches('\n'), at, &mut around);
            at += line.len();
        }
        places.count_people();
        places.index_names();
        places
    }

    fn read_line(&mut self, line: &str, at: usize, around: &mut Around) {
        let mut fields = [Span::default(); 6];
        let mut start = at;
        for (n, field) in line.split('\t').take(6).enumerate() {
            fields[n] = Span { start: start as u32, len: field.len().min(usize::from(u16::MAX)) as u16 };
            start += field.len() + 1;
        }
        let none = Span::default();
        let (level, [code, name, zone, people, also]) = match line.as_bytes().first() {
            Some(b'c') => (Level::Country, [fields[1], fields[2], fields[3], none, fields[5]]),
            Some(b'r') => (Level::Region, [fields[1], fields[2], fields[3], none, fields[4]]),
            Some(b'n') => (Level::County, [none, fields[1], fields[2], none, fields[3]]),
            Some(b'p') => (Level::City, [none, fields[1], fields[2], fields[3], fields[4]]),
            Some(b'q') => (Level::Area, [fields[1], fields[2], none, none, fields[3]]),
            Some(b'z') => return self.read_codes(line.get(2..).unwrap_or_default(), around.open[Level::City as usize]),
            _ => return,
        };
        let parent = around.open[..level as usize].iter().rev().find(|node| **node != NOWHERE).copied();
        let zone = self.zone_number(zone, &mut around.zones);
        let people = self.at(people).parse().unwrap_or(0);
        around.open[level as usize] = self.nodes.len() as u32;
        around.open[level as usize + 1..].fill(NOWHERE);
        self.nodes.push(PlaceNode { parent: parent.unwrap_or(NOWHERE), level, zone, people, name, code, also });
    }

    fn zone_number(&mut self, zone: Span, known: &mut Vec<String>) -> u16 {
        let name = self.at(zone);
        if let Some(found) = known.iter().position(|known| known == name) {
            return found as u16;
        }
        known.push(name.to_owned());
        self.zones.push(zone);
        (known.len() - 1) as u16
    }

    /// Reads the ZIPs of a city: codes and centroids, as differences from the one before.
    fn read_codes(&mut self, line: &str, city: u32) {
        let (mut code, mut point) = (0_u32, (0_i32, 0_i32));
        for item in line.split(' ') {
            let mut numbers = item.split(',').map(|number| number.parse::<i32>().unwrap_or(0));
            code = code.wrapping_add_signed(numbers.next().unwrap_or(0));
            let here = match (numbers.next(), numbers.next()) {
                (Some(north), Some(east)) => {
                    point = (point.0.wrapping_add(north), point.1.wrapping_add(east));
                    point
                }
                _ => NO_POINT,
            };
            let span = Span { start: self.text.len() as u32, len: 5 };
            self.text.push_str(&format!("{code:05}"));
            self.points.push((self.nodes.len() as u32, here));
            self.nodes.push(PlaceNode {
                parent: city,
                level: Level::Area,
                zone: 0,
                people: 0,
                name: span,
                code: span,
                also: Span::default(),
            });
        }
    }

    /// Raises the population of each place to at least that of the places inside.
    fn count_people(&mut self) {
        let mut sums = vec![0_u32; self.nodes.len()];
        for id in (0..self.nodes.len()).rev() {
            let node = &mut self.nodes[id];
            node.people = node.people.max(sums[id]);
            if let Some(sum) = sums.get_mut(node.parent as usize) {
                *sum = sum.saturating_add(node.people);
            }
        }
    }

    fn index_names(&mut self) {
        let mut index = Vec::with_capacity(self.nodes.len() * 5 / 4);
        let mut key = String::new();
        for id in 0..self.nodes.len() as u32 {
            self.each_name(id, |name| {
                fold_into(name, &mut key);
                index.push(NameEntry { hash: hash(&key), node: id, letters: letters(&key) });
                true
            });
        }
        index.sort_unstable();
        index.dedup();
        index.shrink_to_fit();
        self.index = index;
    }

    /// Calls `each` with every name of a place, its main name first, as long as it returns true.
    fn each_name(&self, id: u32, mut each: impl FnMut(&str) -> bool) {
        let node = &self.nodes[id as usize];
        let own = self.at(node.name);
        let code = self.at(node.code);
        let more = self.at(node.also).split('|');
        let _: Option<&str> = std::iter::once(own)
            .chain(Some(code).filter(|code| *code != own))
            .chain(more)
            .filter(|name| !name.is_empty())
            .find(|name| !each(name));
    }

    fn at(&self, span: Span) -> &str {
        self.text.get(span.start as usize..span.start as usize + usize::from(span.len)).unwrap_or_default()
    }

    /// Every place with a name that has this key.
    pub(crate) fn called(&self, key: &str) -> Vec<u32> {
        let hash = hash(key);
        let from = self.index.partition_point(|entry| entry.hash < hash);
        let entries = self.index[from..].iter().take_while(|entry| entry.hash == hash);
        let mut found: Vec<u32> = entries.map(|entry| entry.node).filter(|id| self.is_called(*id, key)).collect();
        found.dedup();
        found
    }

    /// Whether a name of the place has this key.
    pub(crate) fn is_called(&self, id: u32, key: &str) -> bool {
        let (mut folded, mut found) = (String::new(), false);
        self.each_name(id, |name| {
            fold_into(name, &mut folded);
            found = folded == key;
            !found
        });
        found
    }

    /// Whether the main name or the code of the place has this key.
    pub(crate) fn is_own(&self, id: u32, key: &str) -> bool {
        let mut folded = String::new();
        [self.name(id), self.code(id)].into_iter().any(|name| {
            fold_into(name, &mut folded);
            folded == key
        })
    }

    /// Places with a name within `most` edits of this key, with the smallest number of edits of each.
    pub(crate) fn nearly(&self, key: &str, most: usize) -> Vec<(u32, usize)> {
        let wanted: Vec<char> = key.chars().collect();
        let own = letters(key);
        let (mut found, mut folded): (Vec<(u32, usize)>, String) = (Vec::new(), String::new());
        for entry in &self.index {
            let far = ((entry.letters ^ own) & 0x03ff_ffff).count_ones() as usize > 2 * most
                || (entry.letters >> 26).abs_diff(own >> 26) as usize > most;
            if far {
                continue;
            }
            let mut least = None;
            self.each_name(entry.node, |name| {
                fold_into(name, &mut folded);
                let edits = crate::fold::edits(&wanted, &folded.chars().collect::<Vec<_>>(), most);
                least = least.min(edits).or(least).or(edits);
                true
            });
            found.extend(least.map(|edits| (entry.node, edits)));
        }
        found.sort_unstable();
        found.dedup_by_key(|(id, _)| *id);
        found
    }

    pub(crate) fn name(&self, id: u32) -> &str {
        self.at(self.nodes[id as usize].name)
    }

    pub(crate) fn code(&self, id: u32) -> &str {
        self.at(self.nodes[id as usize].code)
    }

    /// The slug in the path: the code if people use it, otherwise the name.
    pub(crate) fn slug(&self, id: u32) -> String {
        let code = self.code(id);
        slug(if code.is_empty() { self.name(id) } else { code })
    }

    /// The place and those that contain it, by level.
    pub(crate) fn chain(&self, id: u32) -> [Option<u32>; 5] {
        let mut chain = [None; 5];
        let mut next = Some(id);
        while let Some(id) = next {
            let Some(node) = self.nodes.get(id as usize) else { break };
            chain[node.level as usize] = Some(id);
            next = Some(node.parent).filter(|parent| *parent < id);
        }
        chain
    }

    /// Whether `id` lies in `around` or equals it.
    pub(crate) fn lies_in(&self, id: u32, around: u32) -> bool {
        let level = self.nodes[around as usize].level;
        self.chain(id)[level as usize] == Some(around)
    }

    /// The time zone of the place, or of the narrowest one around it that has one.
    pub(crate) fn zone(&self, id: u32) -> Option<&str> {
        let chain = self.chain(id);
        let said = chain.into_iter().rev().flatten().map(|id| self.nodes[id as usize].zone).find(|zone| *zone != 0);
        said.map(|zone| self.at(self.zones[usize::from(zone)]))
    }

    /// The children of a place, in the order of the file.
    pub(crate) fn inside(&self, id: u32) -> impl Iterator<Item = u32> {
        let level = self.nodes[id as usize].level;
        let rest = self.nodes.iter().enumerate().skip(id as usize + 1);
        let within = rest.take_while(move |(_, node)| node.level > level);
        within.filter(move |(_, node)| node.parent == id).map(|(id, _)| id as u32)
    }

    /// The centroid of a postal code, in hundred-thousandths of a degree.
    pub(crate) fn point(&self, id: u32) -> Option<(i32, i32)> {
        let found = self.points.binary_search_by_key(&id, |(node, _)| *node).ok()?;
        Some(self.points[found].1).filter(|point| *point != NO_POINT)
    }

    /// The memory of all of this in bytes.
    pub(crate) fn memory_bytes(&self) -> usize {
        self.text.capacity()
            + self.nodes.capacity() * size_of::<PlaceNode>()
            + self.index.capacity() * size_of::<NameEntry>()
            + self.points.capacity() * size_of::<(u32, (i32, i32))>()
    }

    /// The text of the file, without the codes that are appended to it.
    #[cfg(test)]
    pub(crate) fn text(&self) -> &str {
        &self.text
    }
}

fn letters(key: &str) -> u32 {
    let bits = key.chars().fold(0, |bits, c| bits | 1 << (u32::from(c) % 26));
    bits | (key.chars().count().min(63) as u32) << 26
}
