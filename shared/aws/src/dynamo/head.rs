//! The head of a market: what changes with each commit. Pure; reading and writing it is [`super::market`]'s.

use aws_sdk_dynamodb::types::AttributeValue;
use stoop_domain::{Market, Time};
use stoop_market::{CATALOGUE_VERSION, Cells, Close, CodecError};
use stoop_pipeline::ports::MarketChange;
use stoop_pipeline::serve::FiguresView;

use super::attributes::{Item, Malformed, bytes, bytes_of, item, native, number, number_of, text, text_of};
use super::base::{Base, BaseRef, unpack};
use super::closes;

/// The `part` of a head.
pub(super) const HEAD: &str = "head";
/// The `kind` of a head, by which the index `heads` finds all markets.
pub(super) const KIND: &str = "market";
/// A tail of up to so many bytes never causes a new base: with the figures and the rest, the head stays below
/// 2 KB, and DynamoDB bills whole ones.
const TAIL_BYTES_FREE: u64 = 1 << 10;
/// No tail has more bytes than this, however large its base.
const TAIL_BYTES_MAX: u64 = 64 << 10;
/// Far more than a tail of that size holds.
const TAIL_UNPACKED_MAX: u64 = 16 << 20;
const LEVEL: i32 = 3;
/// The most bytes that the closes of one commit may take: some thirty thousand days.
const CLOSES_BYTES_MAX: usize = 256 << 10;

/// A head as it is stored; the default is that of a market which is not.
///
/// The state of the market is the base's with the tail merged into it.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Head {
    /// 0 where there is none.
    pub(super) version: u64,
    /// The sum of everything added since the base was written: [`Cells::to_bytes`], compressed; empty for nothing.
    pub(super) tail: Vec<u8>,
    /// How many bytes of tails were billed since the base was written: each twice, being in a transaction.
    pub(super) carried: u64,
    /// The state that the tail is added to; `None` for the empty one.
    pub(super) base: Option<BaseRef>,
    /// The closes that the commit of this version made leave the horizon; empty for none. The next commit
    /// gives them an item of their own.
    pub(super) closes: Vec<u8>,
}

/// What a commit makes of a head.
#[derive(Debug)]
pub(super) struct Step {
    pub(super) head: Head,
    /// A base to be written before the head that names it.
    pub(super) base: Option<Base>,
}

/// Why a market's change cannot be stored.
#[derive(Debug, thiserror::Error)]
pub(super) enum StepError {
    #[error(transparent)]
    Tail(#[from] TailError),
    #[error("cannot compress")]
    Compress(#[from] std::io::Error),
    #[error("the closes of {days} days take {bytes} bytes, at most {CLOSES_BYTES_MAX} may leave with one commit")]
    Closes { days: usize, bytes: usize },
}

/// A tail that cannot be read.
#[derive(Debug, thiserror::Error)]
pub(super) enum TailError {
    #[error("the tail is damaged")]
    Compressed(#[from] std::io::Error),
    #[error("the tail cannot be read")]
    Cells(#[from] CodecError),
}

impl Head {
    /// The head that follows when `change` is made to the state of this one. Its base is only put together
    /// anew when carrying the tail has cost as much as that will: see ADR 0008.
    pub(super) fn step(&self, change: &MarketChange<'_>, nonce: u64) -> Result<Step, StepError> {
        let version = self.version + 1;
        let mut tail = self.tail_cells()?;
        change.deltas.iter().for_each(|delta| tail.add(delta));
        if let Some(day) = change.fold_to {
            tail.fold_to(day);
        }
        let tail = zstd::bulk::compress(&tail.to_bytes(), LEVEL)?;
        let closes = closes_bytes(&change.closes)?;
        let tail_bytes = tail.len() as u64;
        let carried = self.carried + 2 * tail_bytes;
        if !is_worth_a_base(tail_bytes, carried, self.base.as_ref().map_or(0, |base| base.bytes)) {
            let head = Self { version, tail, carried, base: self.base.clone(), closes };
            return Ok(Step { head, base: None });
        }
        let base = Base::of(change.new, version, nonce)?;
        let head = Self { version, tail: Vec::new(), carried: 0, base: Some(base.reference.clone()), closes };
        Ok(Step { head, base: Some(base) })
    }

    /// The market's state, given the state of the base.
    pub(super) fn state(&self, mut base: Cells) -> Result<Cells, TailError> {
        base.merge(&self.tail_cells()?);
        Ok(base)
    }

    fn tail_cells(&self) -> Result<Cells, TailError> {
        if self.tail.is_empty() {
            return Ok(Cells::default());
        }
        Ok(Cells::from_bytes(&unpack(&self.tail, TAIL_UNPACKED_MAX)?)?)
    }

    /// The key of a market's head.
    pub(super) fn key(market: &Market) -> Item {
        item([("market", text(market.to_string())), ("part", text(HEAD))])
    }

    /// The item to store, with the figures of the state at `now` in plain sight.
    pub(super) fn to_item(&self, market: &Market, state: &Cells, now: Time) -> Item {
        let mut item = item([
            ("market", text(market.to_string())),
            ("part", text(HEAD)),
            ("kind", text(KIND)),
            ("version", number(self.version)),
            ("tail", bytes(self.tail.clone())),
            ("carried", number(self.carried)),
            ("area", text(market.area.to_string())),
            ("purpose", text(market.purpose.as_str())),
            ("currency", text(market.currency.to_string())),
            ("catalogue_version", number(CATALOGUE_VERSION)),
            ("as_of", text(now.to_string())),
            ("figures", figures(market, state, now)),
        ]);
        let mut put = |name: &str, value| item.insert(name.to_owned(), value);
        if let Some(base) = &self.base {
            put("base", text(&base.name));
            put("chunks", number(base.chunks));
            put("base_bytes", number(base.bytes));
        }
        if !self.closes.is_empty() {
            put("closes", bytes(self.closes.clone()));
        }
        item
    }

    /// Reads what [`Head::to_item`] wrote.
    pub(super) fn from_item(item: &Item) -> Result<Self, Malformed> {
        let base = if item.contains_key("base") {
            let name = text_of(item, "base")?.to_owned();
            Some(BaseRef { name, chunks: number_of(item, "chunks")?, bytes: number_of(item, "base_bytes")? })
        } else {
            None
        };
        let closes = if item.contains_key("closes") { bytes_of(item, "closes")?.to_vec() } else { Vec::new() };
        let (version, carried) = (number_of(item, "version")?, number_of(item, "carried")?);
        Ok(Self { version, tail: bytes_of(item, "tail")?.to_vec(), carried, base, closes })
    }

    /// How much memory it takes, about.
    pub(super) fn memory_bytes(&self) -> usize {
        512 + self.tail.len() + self.closes.len()
    }
}

/// Whether a new base is to be written. It costs its own bytes and those of the old one, as deleting is billed like
/// writing; what it saves is not known, so it is written when as much has been paid for going without.
fn is_worth_a_base(tail_bytes: u64, carried: u64, base_bytes: u64) -> bool {
    tail_bytes > TAIL_BYTES_MAX || (tail_bytes > TAIL_BYTES_FREE && carried > 2 * base_bytes.max(tail_bytes))
}

fn closes_bytes(closes: &[Close]) -> Result<Vec<u8>, StepError> {
    if closes.is_empty() {
        return Ok(Vec::new());
    }
    let bytes = closes::to_bytes(closes)?;
    if bytes.len() > CLOSES_BYTES_MAX {
        return Err(StepError::Closes { days: closes.len(), bytes: bytes.len() });
    }
    Ok(bytes)
}

fn figures(market: &Market, state: &Cells, now: Time) -> AttributeValue {
    let country = market.area.country();
    let view = FiguresView::of(state, now, market.currency, country.area_unit, &country.zone);
    // Numbers, and names that are literals: there is nothing in it that JSON cannot express.
    native(&serde_json::to_value(view).unwrap_or_default())
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use stoop_domain::{Currency, Day, Home, Listing, Minor, Observation, Place, Purpose, market_of};
    use stoop_market::{Delta, Flows, Zones, update};

    use super::*;

    /// What a commit does: the minutes and prices at which homes are seen, and how far it folds.
    type Work = (Vec<(u8, i64, i64)>, Option<i32>);

    fn observation(home: u8, minutes: i64, price: i64) -> Observation {
        let place = Place { city: Some("Agadir".into()), country: Some("MA".into()), ..Place::default() };
        let mut listing = Listing::new(Purpose::Sale, Currency::MAD, place);
        listing.list_price = Some(Minor(price));
        let at = Time::from_ms(1_768_392_000_000).plus_ms(minutes * 60_000);
        Observation { source: "avito".into(), native_id: home.to_string(), at, listing }
    }

    fn market() -> Market {
        market_of(&observation(0, 0, 1).listing).unwrap()
    }

    fn change<'a>(
        market: &'a Market,
        new: &'a Cells,
        deltas: &'a [Delta],
        fold_to: Option<Day>,
        version_read: u64,
    ) -> MarketChange<'a> {
        let deltas = deltas.iter().collect();
        MarketChange { market, version_read, new, deltas, fold_to, closes: Vec::new() }
    }

    /// The head as it comes back from the table.
    fn stored(head: &Head, state: &Cells) -> Head {
        let read = Head::from_item(&head.to_item(&market(), state, Time::from_ms(0))).unwrap();
        assert_eq!(&read, head);
        read
    }

    fn base_state(base: &Base) -> Cells {
        let chunks: Vec<Option<&[u8]>> = base.chunks().map(|(_, chunk)| Some(chunk)).collect();
        base.reference.join(&chunks).unwrap()
    }

    /// Makes the commits one after the other; gives how many bases were written.
    fn run(works: &[Work]) -> usize {
        let (mut homes, mut zones) = (vec![Home::default(); 256], Zones::default());
        let (mut state, mut head, mut base, mut bases) = (Cells::default(), Head::default(), Cells::default(), 0);
        for (seen, fold_to) in works {
            let mut deltas = Vec::new();
            for (home, minutes, price) in seen {
                let home_state = &mut homes[usize::from(*home)];
                let old = home_state.clone();
                home_state.apply(&observation(*home, *minutes, *price));
                let old = old.history.current().is_some().then_some(&old.history);
                deltas.extend(update(old, &home_state.history, &mut zones).into_iter().map(|(_, delta)| delta));
            }
            // As the measurer does it.
            deltas.iter().for_each(|delta| state.add(delta));
            let fold_to = fold_to.map(|day| Day(20_467 + day));
            fold_to.into_iter().for_each(|day| state.fold_to(day));
            let market = market();
            let step = head.step(&change(&market, &state, &deltas, fold_to, head.version), 7).unwrap();
            assert_eq!(step.head.version, head.version + 1);
            assert!(step.head.tail.len() as u64 <= TAIL_BYTES_MAX);
            if let Some(written) = &step.base {
                (base, bases) = (base_state(written), bases + 1);
            }
            head = stored(&step.head, &state);
            let read = head.state(base.clone()).unwrap();
            assert_eq!(read.first_difference(&state), None, "version {}", head.version);
            assert_eq!(read, state);
        }
        bases
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(64))]

        #[test]
        fn base_and_tail_are_the_state_whatever_is_added_and_folded(
            works in prop::collection::vec(
                (
                    prop::collection::vec((any::<u8>(), 0..80_000_i64, 40_000_000..90_000_000_i64), 0..12),
                    prop::option::weighted(0.2, -20..60_i32),
                ),
                0..40,
            )
        ) {
            run(&works);
        }
    }

    #[test]
    fn a_base_is_written_once_in_many_commits() {
        let price = |i: i64| 40_000_000 + i * i * 7_919 % 50_000_000;
        let seen_one = |i: i64| (u8::try_from(i % 256).unwrap(), i * 60, price(i));
        let seen = |i: i64| (4 * i..4 * i + 4).map(seen_one).collect();
        let fold_to = |i: i32| (i % 90 == 89).then_some(i / 6 - 20);
        let works: Vec<Work> = (0..400).map(|i| (seen(i.into()), fold_to(i))).collect();
        let bases = run(&works);
        assert!((3..=40).contains(&bases), "{bases}");
    }

    #[test]
    fn a_base_is_written_when_going_without_has_cost_as_much() {
        assert!(!is_worth_a_base(1_024, 1 << 40, 0), "what fits is carried for ever");
        assert!(!is_worth_a_base(1_025, 2_050, 0), "the first commit without a base");
        assert!(is_worth_a_base(1_025, 2_051, 0));
        assert!(!is_worth_a_base(9_000, 600_000, 300_000));
        assert!(is_worth_a_base(9_000, 600_001, 300_000));
        assert!(is_worth_a_base((64 << 10) + 1, 0, 300_000), "the head must stay an item");
    }

    #[test]
    fn closes_are_of_one_version_only() {
        let (market, state) = (market(), Cells::default());
        let close =
            Close { day: Day(1), active: 1, median_price: None, mean_price: Some(0.1), flows: Flows::default() };
        let mut folds = change(&market, &state, &[], None, 0);
        folds.closes = vec![close.clone()];
        let first = stored(&Head::default().step(&folds, 7).unwrap().head, &state);
        assert_eq!(closes::from_bytes(&first.closes), Ok(vec![close]));
        let second = first.step(&change(&market, &state, &[], None, 1), 7).unwrap();
        assert!(second.head.closes.is_empty());
    }

    #[test]
    fn too_many_closes_at_once_are_refused() {
        let flows = Flows { new: i64::MAX, ..Flows::default() };
        let close = |day: i32| {
            let price = Some(f64::from(day).sin());
            Close {
                day: Day(day),
                active: i64::from(day),
                median_price: price,
                mean_price: price.map(f64::sqrt),
                flows,
            }
        };
        let closes: Vec<Close> = (0..40_000).map(close).collect();
        let error = closes_bytes(&closes).unwrap_err();
        assert!(error.to_string().starts_with("the closes of 40000 days take "), "{error}");
    }

    #[test]
    fn figures_are_in_plain_sight() {
        let mut state = Cells::default();
        let mut home = Home::default();
        home.apply(&observation(1, 0, 90_000_000));
        for (_, delta) in update(None, &home.history, &mut Zones::default()) {
            state.add(&delta);
        }
        let now = Time::from_ms(1_768_392_000_000);
        let item = Head { version: 1, ..Head::default() }.to_item(&market(), &state, now);
        assert_eq!(text_of(&item, "as_of"), Ok("2026-01-14T12:00:00Z"));
        assert_eq!(text_of(&item, "area"), Ok("ma/-/-/agadir/-"));
        let figures = item["figures"].as_m().unwrap();
        assert_eq!(figures["active"], number(1));
        assert_eq!(figures["mean_price"], number(900_000));
        assert_eq!(figures["last_7_days"].as_m().unwrap()["new"], number(1));
    }
}
