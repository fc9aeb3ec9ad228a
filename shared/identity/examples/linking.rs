//! Measures the linker on simulated adverts, whose homes are known: precision and recall by kind of address, the curve
//! over limits, and what each finding should weigh. `cargo run -p stoop-identity --example linking [-- fit | LIMIT ...]`.

#![expect(clippy::cast_precision_loss, reason = "counts are small")]

use std::collections::{BTreeMap, BTreeSet};

use rustc_hash::FxHashMap;
use stoop_domain::{Home, home_id};
use stoop_identity::{BlockKey, Common, Comparison, Finding, ListingTraits, block_keys, link_at};
use stoop_simulation::adverts::{AddressCustom, Advert, Adverts};

/// Weights are fitted on these seeds, and judged on the others.
const FITTED: [u64; 4] = [1, 2, 3, 4];
const JUDGED: [u64; 5] = [101, 102, 103, 104, 105];
const HOMES: u32 = 6_000;

struct Sample {
    adverts: Vec<Advert>,
    traits: Vec<ListingTraits>,
}

impl Sample {
    fn of(seed: u64, custom: AddressCustom) -> Self {
        let adverts = Adverts::of(seed, custom, HOMES);
        let traits = adverts.iter().map(|advert| {
            let mut home = Home::default();
            for observation in &advert.observations {
                home.apply(observation);
            }
            ListingTraits::of(&home_id(&advert.observations[0]), &home).expect("the gazetteer knows the place")
        });
        Self { traits: traits.collect(), adverts }
    }

    fn is_one(&self, a: usize, b: usize) -> bool {
        self.adverts[a].home == self.adverts[b].home
    }

    /// Pairs of adverts of one home.
    fn true_pairs(&self) -> Vec<(usize, usize)> {
        let mut homes: BTreeMap<u32, Vec<usize>> = BTreeMap::new();
        self.adverts.iter().enumerate().for_each(|(at, advert)| homes.entry(advert.home).or_default().push(at));
        pairs_of(homes.values())
    }
}

fn pairs_of<'a>(groups: impl Iterator<Item = &'a Vec<usize>>) -> Vec<(usize, usize)> {
    let mut pairs = Vec::new();
    for group in groups {
        for (at, one) in group.iter().enumerate() {
            pairs.extend(group[at + 1..].iter().map(|other| (*one.min(other), *one.max(other))));
        }
    }
    pairs
}

/// Wilson's interval of a share, 95 %.
fn wilson(hits: usize, all: usize) -> (f64, f64) {
    let (n, z) = (all as f64, 1.96);
    let p = hits as f64 / n;
    let (middle, half) = (p + z * z / (2.0 * n), z * (p * (1.0 - p) / n + z * z / (4.0 * n * n)).sqrt());
    ((middle - half) / (1.0 + z * z / n), (middle + half) / (1.0 + z * z / n))
}

fn main() {
    if std::env::args().nth(1).as_deref() == Some("fit") {
        fit();
    } else {
        let limits: Vec<i32> = std::env::args().skip(1).map(|limit| limit.parse().expect("a limit")).collect();
        judge(if limits.is_empty() { &[stoop_identity::JOIN_WEIGHT] } else { &limits });
    }
}

/// Prints a row for each kind of address and limit.
fn judge(limits: &[i32]) {
    println!(
        "| address | limit | true pairs | joined pairs | precision | recall | of those shown at once | of those shown again | not compared |"
    );
    println!("| --- | --- | --- | --- | --- | --- | --- | --- | --- |");
    for custom in [AddressCustom::Numbered, AddressCustom::Quarter] {
        for limit in limits {
            println!("{}", judged(custom, *limit));
        }
    }
}

fn judged(custom: AddressCustom, limit: i32) -> String {
    let (mut joined, mut right, mut lost) = (0, 0, 0);
    // Of pairs that are shown at once, and of those that are not: all, and those that are joined.
    let (mut at_once, mut again) = ([0_usize; 2], [0_usize; 2]);
    for seed in JUDGED {
        let sample = Sample::of(seed, custom);
        let linked = link_at(&sample.traits, limit);
        let pairs: BTreeSet<(usize, usize)> = pairs_of(linked.homes.iter()).into_iter().collect();
        joined += pairs.len();
        right += pairs.iter().filter(|(a, b)| sample.is_one(*a, *b)).count();
        let keys: Vec<Vec<BlockKey>> = sample.traits.iter().map(block_keys).collect();
        for (a, b) in sample.true_pairs() {
            let counts = if sample.traits[a].overlaps(&sample.traits[b]) { &mut at_once } else { &mut again };
            counts[0] += 1;
            counts[1] += usize::from(pairs.contains(&(a, b)));
            lost += usize::from(!keys[a].iter().any(|key| keys[b].contains(key)));
        }
    }
    let truth = at_once[0] + again[0];
    let ((p1, p2), (r1, r2)) = (wilson(right, joined), wilson(right, truth));
    let share = |some: usize, all: usize| some as f64 / all as f64;
    format!(
        "| {custom:?} | {limit} | {truth} | {joined} | {:.4} ({p1:.4} to {p2:.4}) | {:.4} ({r1:.4} to {r2:.4}) | {:.3} | {:.3} | {:.4} |",
        share(right, joined),
        share(right, truth),
        share(at_once[1], at_once[0]),
        share(again[1], again[0]),
        share(lost, truth),
    )
}

/// What each finding should weigh: ten times the binary logarithm of how much more often it is found between adverts of
/// one home than between others that share a block, each counted half a time more.
fn fit() {
    let mut counts: BTreeMap<Finding, [f64; 2]> = BTreeMap::new();
    let mut totals: BTreeMap<String, [f64; 2]> = BTreeMap::new();
    let mut all = [0_usize; 2];
    for custom in [AddressCustom::Numbered, AddressCustom::Quarter] {
        for seed in FITTED {
            let sample = Sample::of(seed, custom);
            let mut common: FxHashMap<(i32, i32), usize> = FxHashMap::default();
            sample.traits.iter().filter_map(|it| it.coordinates).for_each(|at| *common.entry(at).or_default() += 1);
            let is_common = |at: usize| sample.traits[at].coordinates.is_some_and(|at| common[&at] > 16);
            let mut titles: FxHashMap<&[String], usize> = FxHashMap::default();
            sample.traits.iter().for_each(|it| *titles.entry(&it.title).or_default() += 1);
            let mut blocks: FxHashMap<_, Vec<usize>> = FxHashMap::default();
            for (at, traits) in sample.traits.iter().enumerate() {
                block_keys(traits).into_iter().for_each(|key| blocks.entry(key).or_default().push(at));
            }
            let mut pairs = pairs_of(blocks.values().filter(|members| members.len() <= stoop_identity::BLOCK_MAX));
            pairs.sort_unstable();
            pairs.dedup();
            for (a, b) in pairs.into_iter().filter(|(a, b)| a != b) {
                let found = Comparison::of(
                    &sample.traits[a],
                    &sample.traits[b],
                    Common {
                        coordinates: is_common(a) || is_common(b),
                        title: titles[sample.traits[a].title.as_slice()] > 16,
                        listed: false,
                    },
                );
                let side = usize::from(!sample.is_one(a, b));
                if found.veto.is_some() {
                    continue;
                }
                all[side] += 1;
                for finding in found.findings {
                    counts.entry(finding).or_default()[side] += 1.0;
                    totals.entry(format!("{:?}", finding.of())).or_default()[side] += 1.0;
                }
            }
        }
    }
    println!(
        "pairs of one home {}, of others {}: prior {:.0}",
        all[0],
        all[1],
        10.0 * (all[0] as f64 / all[1] as f64).log2()
    );
    for finding in Finding::ALL {
        let [one, other] = counts.get(finding).copied().unwrap_or_default();
        let [ones, others] = totals.get(&format!("{:?}", finding.of())).copied().unwrap_or_default();
        let weight = 10.0 * (((one + 0.5) / (ones + 1.0)) / ((other + 0.5) / (others + 1.0))).log2();
        println!(
            "{:20} {weight:6.0} (now {:4})  one {one:8} of {ones:8}, other {other:8} of {others:8}",
            finding.name(),
            finding.weight()
        );
    }
}
