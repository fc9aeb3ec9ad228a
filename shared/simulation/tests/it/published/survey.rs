//! What a statistician counts in the log of a market, by plain loops. Shares no arithmetic with the simulation.

#![expect(clippy::cast_precision_loss, reason = "prices and counts below 2^53")]

use std::collections::BTreeMap;

use stoop_domain::{Phase, PropertyType, Purpose, Time};
use stoop_simulation::{LifeEvent, Simulation};

pub(super) const YEAR_MS: i64 = 31_556_952_000;
const MONTH_MS: i64 = YEAR_MS / 12;
/// The months that are surveyed: the last ones before the end.
pub(super) const MONTHS: usize = 36;
pub(super) const SPAN_MS: i64 = MONTH_MS * MONTHS as i64;

/// Sums of one city and purpose, or of several.
#[derive(Clone, Debug, Default)]
pub(super) struct Survey {
    listed: Months,
    sold: Months,
    /// Homes whose price was cut in the month, each once.
    reduced: Months,
    /// At the end of the month.
    active: Months,
    below_first: u32,
    cuts: Vec<f64>,
    single_cuts: Vec<f64>,
    rises: u32,
    deep_drops: u32,
    /// Days on the market of homes that went under contract, with the month.
    days: Vec<(usize, f64)>,
    ages: Vec<f64>,
    broken: u32,
    sale_to_list: Vec<f64>,
    prices: Vec<f64>,
    by_kind: BTreeMap<(PropertyType, u8), Vec<f64>>,
    /// Between two listings of a home: the logarithm of the first prices' ratio, and the years.
    pairs: Vec<(f64, f64)>,
}

/// A count for each month.
#[derive(Clone, Debug)]
struct Months([u32; MONTHS]);

impl Default for Months {
    fn default() -> Self {
        Self([0; MONTHS])
    }
}

/// A home that was seen.
struct SeenHome<'a> {
    entry: &'a LifeEvent,
    /// The month in which its price was last cut.
    reduced: Option<usize>,
    /// The prices asked in this spell.
    asked: Vec<(Time, i64)>,
    first_price: (Time, i64),
}

/// The surveys of a market by city and purpose.
pub(super) fn survey(simulation: &Simulation) -> BTreeMap<(String, Purpose), Survey> {
    let from = simulation.now().plus_ms(-SPAN_MS);
    let mut surveys = BTreeMap::<(String, Purpose), Survey>::new();
    let mut all = BTreeMap::<u32, SeenHome<'_>>::new();
    let key = |home: u32| {
        let home = &simulation.all_homes()[home as usize];
        (home.market().area.levels()[3].to_owned(), home.purpose)
    };
    let end_of = |month: usize| from.plus_ms((month as i64 + 1) * MONTH_MS);
    let mut month = 0;
    for entry in simulation.log() {
        while entry.at > end_of(month) {
            count_stock(&all, &mut surveys, simulation, month, end_of(month));
            month += 1;
        }
        let survey = surveys.entry(key(entry.home)).or_default();
        let before = all.remove(&entry.home);
        let seen = survey.count(entry, before, (entry.at > from).then_some(month));
        all.insert(entry.home, seen);
    }
    for month in month..MONTHS {
        count_stock(&all, &mut surveys, simulation, month, end_of(month));
    }
    surveys
}

/// Counts the homes on offer at the end of a month.
fn count_stock(
    all: &BTreeMap<u32, SeenHome<'_>>,
    surveys: &mut BTreeMap<(String, Purpose), Survey>,
    simulation: &Simulation,
    month: usize,
    end: Time,
) {
    for (home, seen) in all {
        let (home, offer) = (&simulation.all_homes()[*home as usize], &seen.entry.offer);
        if offer.status.phase() != Phase::Active {
            continue;
        }
        let survey = surveys.entry((home.market().area.levels()[3].to_owned(), home.purpose)).or_default();
        let (price, first) = (offer.list_price.0 as f64 / 100.0, offer.original_list_price.0 as f64 / 100.0);
        survey.active.0[month] += 1;
        survey.prices.push(price);
        survey.by_kind.entry((home.kind, home.bedrooms)).or_default().push(price);
        survey.ages.push(days(offer.on_market_at, end));
        if price < first {
            survey.below_first += 1;
            survey.cuts.push(1.0 - price / first);
        }
    }
}

impl Survey {
    /// Counts an entry of a month, or of none, and returns the home as it is then.
    fn count<'a>(&mut self, entry: &'a LifeEvent, before: Option<SeenHome<'a>>, month: Option<usize>) -> SeenHome<'a> {
        let offer = &entry.offer;
        let (was, is) = (before.as_ref().map(|seen| seen.entry.offer.status.phase()), offer.status.phase());
        let asked = (entry.at, offer.list_price.0);
        let mut seen = SeenHome { entry, reduced: None, asked: vec![asked], first_price: asked };
        match before {
            Some(before) if was != Some(Phase::Closed) => {
                seen.asked.extend(before.asked.iter().filter(|(at, _)| days(*at, entry.at) < 90.0));
                seen.first_price = before.first_price;
                seen.reduced = before.reduced;
                if let Some(month) = month {
                    self.count_change(&mut seen, before.entry.offer.list_price.0, month);
                }
            }
            Some(before) if month.is_some() => {
                let ((old_at, old), (at, new)) = (before.first_price, asked);
                self.pairs.push(((new as f64 / old as f64).ln(), days(old_at, at) / 365.2425));
            }
            _ => {}
        }
        let Some(month) = month else { return seen };
        let begins = matches!(was, None | Some(Phase::Closed));
        self.listed.0[month] += u32::from(begins && is == Phase::Active);
        match (was, is) {
            (Some(Phase::Active), Phase::Pending) => self.days.push((month, days(offer.on_market_at, entry.at))),
            (Some(Phase::Pending), Phase::Active) => self.broken += 1,
            (Some(Phase::Pending | Phase::Active), Phase::Closed) => {
                let closing = offer.closing.expect("a closed home has a closing price");
                self.sold.0[month] += 1;
                self.sale_to_list.push(closing.price.0 as f64 / offer.list_price.0 as f64);
            }
            _ => {}
        }
        seen
    }

    /// Counts a change of the price within a spell.
    fn count_change(&mut self, seen: &mut SeenHome<'_>, old: i64, month: usize) {
        let new = seen.entry.offer.list_price.0;
        self.rises += u32::from(new > old);
        if new >= old {
            return;
        }
        self.single_cuts.push(1.0 - new as f64 / old as f64);
        if seen.reduced.replace(month) != Some(month) {
            self.reduced.0[month] += 1;
        }
        let most = seen.asked.iter().map(|(_, price)| *price).max().unwrap_or(old).max(old);
        if new as f64 <= most as f64 * 0.85 {
            self.deep_drops += 1;
            seen.asked = vec![(seen.entry.at, new)];
        }
    }

    pub(super) fn add(&mut self, other: Self) {
        let months = [
            (&mut self.listed, other.listed),
            (&mut self.sold, other.sold),
            (&mut self.reduced, other.reduced),
            (&mut self.active, other.active),
        ];
        for (sums, more) in months {
            sums.0.iter_mut().zip(more.0).for_each(|(sum, more)| *sum += more);
        }
        self.below_first += other.below_first;
        self.rises += other.rises;
        self.deep_drops += other.deep_drops;
        self.broken += other.broken;
        self.cuts.extend(other.cuts);
        self.single_cuts.extend(other.single_cuts);
        self.days.extend(other.days);
        self.ages.extend(other.ages);
        self.sale_to_list.extend(other.sale_to_list);
        self.prices.extend(other.prices);
        self.pairs.extend(other.pairs);
        for (kind, prices) in other.by_kind {
            self.by_kind.entry(kind).or_default().extend(prices);
        }
    }

    /// The share of listings whose price was cut in a month, as Realtor.com and Redfin count it.
    pub(super) fn reduced_share(&self) -> f64 {
        sum(&self.reduced.0) / sum(&self.active.0)
    }

    /// The share of listings that ask less than at first, as Altos Research counts it, and Stoop's `cut_share`.
    pub(super) fn cut_share(&self) -> f64 {
        f64::from(self.below_first) / sum(&self.active.0)
    }

    pub(super) fn median_cut(&self) -> f64 {
        median(&self.cuts)
    }

    pub(super) fn median_single_cut(&self) -> f64 {
        median(&self.single_cuts)
    }

    pub(super) fn rises_for_a_cut(&self) -> f64 {
        f64::from(self.rises) / self.single_cuts.len() as f64
    }

    pub(super) fn deep_drops_for_a_home_and_month(&self) -> f64 {
        f64::from(self.deep_drops) / sum(&self.active.0)
    }

    pub(super) fn months_of_supply(&self) -> f64 {
        sum(&self.active.0) / sum(&self.sold.0)
    }

    pub(super) fn median_days(&self) -> f64 {
        median(&self.days.iter().map(|(_, days)| *days).collect::<Vec<_>>())
    }

    /// Of contracts from December to February, and from May to July.
    pub(super) fn median_days_in_winter_and_summer(&self) -> [f64; 2] {
        [[11, 0, 1], [4, 5, 6]].map(|months| {
            let of_season = self.days.iter().filter(|(month, _)| months.contains(&(month % 12)));
            median(&of_season.map(|(_, days)| *days).collect::<Vec<_>>())
        })
    }

    pub(super) fn median_age(&self) -> f64 {
        median(&self.ages)
    }

    pub(super) fn broken_contracts(&self) -> f64 {
        f64::from(self.broken) / (f64::from(self.broken) + sum(&self.sold.0))
    }

    pub(super) fn mean_sale_to_list(&self) -> f64 {
        self.sale_to_list.iter().sum::<f64>() / self.sale_to_list.len() as f64
    }

    pub(super) fn sold_above_list(&self) -> f64 {
        self.sale_to_list.iter().filter(|ratio| **ratio > 1.0).count() as f64 / self.sale_to_list.len() as f64
    }

    pub(super) fn median_price(&self) -> f64 {
        median(&self.prices)
    }

    /// Listings from January to December.
    pub(super) fn listed_by_month(&self) -> [u32; 12] {
        std::array::from_fn(|month| self.listed.0.iter().skip(month).step_by(12).sum())
    }

    /// The mean stock of each year.
    pub(super) fn stock_by_year(&self) -> Vec<f64> {
        self.active.0.chunks(12).map(|year| sum(year) / 12.0).collect()
    }

    /// The change of prices in a year, by homes that were listed twice.
    pub(super) fn yearly_growth(&self) -> f64 {
        let (log, years) = self.pairs.iter().fold((0.0, 0.0), |(log, years), pair| (log + pair.0, years + pair.1));
        f64::exp(log / years) - 1.0
    }

    /// Twelve of this survey's median rents as a share of the median price; `None` if either has few samples.
    pub(super) fn gross_yield(&self, sale: &Self, kind: PropertyType, bedrooms: u8) -> Option<f64> {
        let of_kind = |survey: &Self| {
            let prices = survey.by_kind.get(&(kind, bedrooms)).filter(|prices| prices.len() >= 300)?;
            Some(median(prices))
        };
        Some(12.0 * of_kind(self)? / of_kind(sale)?)
    }
}

fn days(from: Time, to: Time) -> f64 {
    (to.ms() - from.ms()) as f64 / Time::DAY_MS as f64
}

fn sum(counts: &[u32]) -> f64 {
    counts.iter().copied().map(f64::from).sum()
}

fn median(values: &[f64]) -> f64 {
    let mut sorted = values.to_vec();
    sorted.sort_by(f64::total_cmp);
    sorted[sorted.len() / 2]
}
