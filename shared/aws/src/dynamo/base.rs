//! The base of a market's state: the whole state as it was at some commit, in chunks that fit into items.

use std::io::Read;

use stoop_market::Cells;

/// How many bytes of a base go into one item, which may have 400 KB with everything else in it.
const CHUNK_BYTES_MAX: usize = 300 << 10;
const LEVEL: i32 = 3;
/// Far more than any market's state has, so that damaged bytes cannot ask for all of the memory.
const STATE_BYTES_MAX: u64 = 256 << 20;

/// What a head says of the base it builds on.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct BaseRef {
    /// `<version>-<hash of the bytes>-<nonce>`: the version of the head that it was written for, in twenty digits.
    ///
    /// The nonce makes each attempt to write a base the owner of its chunks. Were they named by content alone,
    /// one writer could clear away as old what another has just come to build on.
    pub(super) name: String,
    /// How many chunks.
    pub(super) chunks: u32,
    /// How many bytes they have together.
    pub(super) bytes: u64,
}

/// A base to be written.
#[derive(Debug)]
pub(super) struct Base {
    pub(super) reference: BaseRef,
    bytes: Vec<u8>,
}

/// A base that cannot be put together from its chunks.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub(super) enum BaseError {
    #[error("{found} of the {} chunks of the base {} are there", .of.chunks, .of.name)]
    Missing { of: BaseRef, found: usize },
    #[error("the chunks of the base {0} are not those that it was written with")]
    Damaged(String),
}

impl Base {
    /// The base that a head of `version` is to build on.
    pub(super) fn of(cells: &Cells, version: u64, nonce: u64) -> std::io::Result<Self> {
        let bytes = zstd::bulk::compress(&cells.to_bytes(), LEVEL)?;
        let name = format!("{version:020}-{}-{nonce:016x}", hash(&bytes));
        let chunks = u32::try_from(bytes.len().div_ceil(CHUNK_BYTES_MAX)).unwrap_or(u32::MAX);
        Ok(Self { reference: BaseRef { name, chunks, bytes: bytes.len() as u64 }, bytes })
    }

    /// The chunks with their `part`s.
    pub(super) fn chunks(&self) -> impl Iterator<Item = (String, &[u8])> {
        self.reference.parts().zip(self.bytes.chunks(CHUNK_BYTES_MAX))
    }
}

impl BaseRef {
    /// The `part`s of its chunks, in order.
    pub(super) fn parts(&self) -> impl Iterator<Item = String> + use<'_> {
        (0..self.chunks).map(|i| format!("base#{}#{i:04}", self.name))
    }

    /// Puts the state together again from its chunks, in order.
    pub(super) fn join(&self, chunks: &[Option<&[u8]>]) -> Result<Cells, BaseError> {
        let found: Vec<&[u8]> = chunks.iter().copied().flatten().collect();
        if u32::try_from(found.len()) != Ok(self.chunks) {
            return Err(BaseError::Missing { of: self.clone(), found: found.len() });
        }
        let bytes = found.concat();
        let damaged = || BaseError::Damaged(self.name.clone());
        if self.name.split('-').nth(1) != Some(&*hash(&bytes)) {
            return Err(damaged());
        }
        let state = unpack(&bytes, STATE_BYTES_MAX).map_err(|_| damaged())?;
        Cells::from_bytes(&state).map_err(|_| damaged())
    }
}

/// The first and the last possible `part` of the chunks of bases that were written for versions before `version`.
pub(super) fn parts_before(version: u64) -> [String; 2] {
    // The version stands in twenty digits, so that the order of texts is the order of versions. `!` comes before `#`.
    [String::from("base#"), format!("base#{version:020}!")]
}

/// Decompresses, but to no more than `bytes_max`.
pub(super) fn unpack(bytes: &[u8], bytes_max: u64) -> std::io::Result<Vec<u8>> {
    let mut unpacked = Vec::new();
    zstd::stream::read::Decoder::new(bytes)?.take(bytes_max).read_to_end(&mut unpacked)?;
    Ok(unpacked)
}

fn hash(bytes: &[u8]) -> String {
    blake3::hash(bytes).to_hex()[..32].to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn chunks(base: &Base) -> Vec<(String, Vec<u8>)> {
        base.chunks().map(|(part, bytes)| (part, bytes.to_vec())).collect()
    }

    #[test]
    fn a_base_is_put_together_from_its_chunks_and_from_no_others() {
        let base = Base::of(&Cells::default(), 7, 1).unwrap();
        let reference = &base.reference;
        let kept = chunks(&base);
        assert_eq!(kept.len(), 1);
        assert!(kept[0].0.starts_with("base#00000000000000000007-"), "{}", kept[0].0);
        assert_eq!(reference.join(&[Some(&kept[0].1)]), Ok(Cells::default()));
        let missing = BaseError::Missing { of: reference.clone(), found: 0 };
        assert_eq!(reference.join(&[None]), Err(missing.clone()));
        assert!(missing.to_string().starts_with("0 of the 1 chunks of the base 00000000000000000007-"));
        let damaged = reference.join(&[Some(b"other")]);
        assert_eq!(damaged, Err(BaseError::Damaged(reference.name.clone())));
    }

    #[test]
    fn large_bases_are_cut() {
        // What does not compress, in place of a state of some megabytes.
        let bytes: Vec<u8> =
            (0..40_000_u64).flat_map(|i| blake3::hash(&i.to_le_bytes()).as_bytes()[..16].to_vec()).collect();
        let reference = BaseRef { name: "x".into(), chunks: 3, bytes: bytes.len() as u64 };
        let base = Base { reference, bytes: bytes.clone() };
        let kept = chunks(&base);
        assert_eq!(kept.iter().map(|(_, chunk)| chunk.len()).max(), Some(CHUNK_BYTES_MAX));
        assert_eq!(kept.iter().flat_map(|(_, chunk)| chunk.clone()).collect::<Vec<u8>>(), bytes);
        assert_eq!(kept[2].0, "base#x#0002");
    }

    #[test]
    fn two_attempts_never_share_a_chunk() {
        let [one, two] = [1, 2].map(|nonce| Base::of(&Cells::default(), 7, nonce).unwrap());
        assert_ne!(chunks(&one)[0].0, chunks(&two)[0].0);
    }

    #[test]
    fn the_range_before_a_version_ends_before_its_own_chunks() {
        let [from, until] = parts_before(10);
        let part = |version| chunks(&Base::of(&Cells::default(), version, 1).unwrap()).remove(0).0;
        for (version, within) in [(0, true), (9, true), (10, false), (11, false), (100, false)] {
            assert_eq!((from.as_str()..=until.as_str()).contains(&part(version).as_str()), within, "{version}");
        }
        assert!(!(from.as_str()..=until.as_str()).contains(&"head"));
    }
}
