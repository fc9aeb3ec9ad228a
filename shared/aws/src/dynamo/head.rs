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
mod tests;
