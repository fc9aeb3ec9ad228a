//! Blocks: states that are written once and never change, in chunks that fit into items. The base of a market's state
//! is one (the whole state at some commit), and so is each piece of its archive.

use std::collections::HashMap;
use std::io::Read;
use std::ops::Range;

use stoop_market::Cells;

use super::attributes::{Item, Malformed, bytes, bytes_of, item, number, number_of, text, text_of};

/// Bytes of a block per item; an item may have 400 KB in all.
const CHUNK_BYTES_MAX: usize = 300 << 10;
const LEVEL: i32 = 3;
/// Far more than any market's state, so that damaged bytes cannot claim all memory.
const STATE_BYTES_MAX: u64 = 256 << 20;

/// The reference to a block.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct BlockRef {
    /// `<version>-<nonce>`: the version of the head that it was written for, in twenty digits, and a random number.
    ///
    /// With the nonce each attempt to write a block owns its chunks. If content determined the name, one writer could
    /// delete as obsolete what another has just begun to use.
    pub(super) name: String,
    /// The number of chunks.
    pub(super) chunks: u32,
    /// Their total size in bytes.
    pub(super) bytes: u64,
}

/// A block to be written.
#[derive(Debug)]
pub(super) struct Block {
    pub(super) reference: BlockRef,
    bytes: Vec<u8>,
}

/// A block that cannot be assembled from its chunks.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub(super) enum BlockError {
    #[error("{found} of the {} chunks of the block {} are there", .of.chunks, .of.name)]
    Missing { of: BlockRef, found: usize },
    #[error("the chunks of the block {0} differ from those that were written")]
    Damaged(String),
}

/// Chunks by partition and `part`.
pub(super) type Chunks = HashMap<(String, String), Vec<u8>>;

impl Block {
    /// The block for a head of `version`.
    pub(super) fn of(cells: &Cells, version: u64, nonce: u64) -> std::io::Result<Self> {
        Self::of_content(&cells.to_bytes(), version, nonce)
    }

    /// The same for any content.
    pub(super) fn of_content(content: &[u8], version: u64, nonce: u64) -> std::io::Result<Self> {
        let bytes = zstd::bulk::compress(content, LEVEL)?;
        let name = format!("{version:020}-{nonce:016x}");
        let chunks = u32::try_from(bytes.len().div_ceil(CHUNK_BYTES_MAX)).unwrap_or(u32::MAX);
        Ok(Self { reference: BlockRef { name, chunks, bytes: bytes.len() as u64 }, bytes })
    }

    /// The items of its chunks, in order.
    pub(super) fn items(&self, partition: &str) -> Vec<Item> {
        let chunk = |(part, body): (String, &[u8])| {
            item([("market", text(partition)), ("part", text(part)), ("body", bytes(body.to_vec()))])
        };
        self.chunks().map(chunk).collect()
    }

    /// The chunks with their `part`s.
    pub(super) fn chunks(&self) -> impl Iterator<Item = (String, &[u8])> {
        self.reference.parts().zip(self.bytes.chunks(CHUNK_BYTES_MAX))
    }
}

impl BlockRef {
    /// The keys of its chunks.
    pub(super) fn keys(&self, partition: &str) -> Vec<Item> {
        self.parts().map(|part| item([("market", text(partition)), ("part", text(part))])).collect()
    }

    /// The `part`s of its chunks, in order.
    fn parts(&self) -> impl Iterator<Item = String> + use<'_> {
        (0..self.chunks).map(|i| format!("block#{}#{i:04}", self.name))
    }

    /// The version of the head that it was written for.
    pub(super) fn version(&self) -> Option<u64> {
        self.name.get(..20)?.parse().ok()
    }

    /// Assembles the state from the chunks found in a partition.
    pub(super) fn find(&self, partition: &str, chunks: &Chunks) -> Result<Cells, BlockError> {
        self.join(&self.in_order(partition, chunks))
    }

    /// The chunks of this block among those found in a partition.
    pub(super) fn in_order<'c>(&self, partition: &str, chunks: &'c Chunks) -> Vec<Option<&'c [u8]>> {
        self.parts().map(|part| chunks.get(&(partition.to_owned(), part)).map(Vec::as_slice)).collect()
    }

    /// Assembles the state from its chunks, in order.
    pub(super) fn join(&self, chunks: &[Option<&[u8]>]) -> Result<Cells, BlockError> {
        let state = self.content(chunks)?;
        Cells::from_bytes(&state).map_err(|_| BlockError::Damaged(self.name.clone()))
    }

    /// Assembles any content from its chunks, in order.
    pub(super) fn content(&self, chunks: &[Option<&[u8]>]) -> Result<Vec<u8>, BlockError> {
        let found: Vec<&[u8]> = chunks.iter().copied().flatten().collect();
        if u32::try_from(found.len()) != Ok(self.chunks) {
            return Err(BlockError::Missing { of: self.clone(), found: found.len() });
        }
        let bytes = found.concat();
        unpack(&bytes, STATE_BYTES_MAX).map_err(|_| BlockError::Damaged(self.name.clone()))
    }

    /// Stores the reference in an item, in the attribute `name`.
    pub(super) fn put_into(&self, item: &mut Item, name: &str) {
        item.insert(name.to_owned(), text(&self.name));
        item.insert(format!("{name}_chunks"), number(self.chunks));
        item.insert(format!("{name}_bytes"), number(self.bytes));
    }

    /// The reference in an item's attribute `name`.
    pub(super) fn of_item(item: &Item, name: &str) -> Result<Option<Self>, Malformed> {
        if !item.contains_key(name) {
            return Ok(None);
        }
        let chunks = number_of(item, &format!("{name}_chunks"))?;
        let bytes = number_of(item, &format!("{name}_bytes"))?;
        Ok(Some(Self { name: text_of(item, name)?.to_owned(), chunks, bytes }))
    }
}

/// The chunks in items.
pub(super) fn chunks_of(items: &[Item]) -> Result<Chunks, Malformed> {
    let chunk = |item| {
        let key = (text_of(item, "market")?.to_owned(), text_of(item, "part")?.to_owned());
        Ok((key, bytes_of(item, "body")?.to_vec()))
    };
    items.iter().map(chunk).collect()
}

/// The first and the last possible `part` of chunks written for these versions.
pub(super) fn parts_of(versions: &Range<u64>) -> [String; 2] {
    // The version has twenty digits, so that the order of the strings is that of the versions. `!` sorts before `-`.
    [format!("block#{:020}", versions.start), format!("block#{:020}!", versions.end)]
}

/// Decompresses at most `bytes_max` bytes.
pub(super) fn unpack(bytes: &[u8], bytes_max: u64) -> std::io::Result<Vec<u8>> {
    let mut unpacked = Vec::new();
    zstd::stream::read::Decoder::new(bytes)?.take(bytes_max).read_to_end(&mut unpacked)?;
    Ok(unpacked)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn chunks(block: &Block) -> Vec<(String, Vec<u8>)> {
        block.chunks().map(|(part, bytes)| (part, bytes.to_vec())).collect()
    }

    #[test]
    fn a_block_is_assembled_from_its_chunks_only() {
        let block = Block::of(&Cells::default(), 7, 1).unwrap();
        let reference = &block.reference;
        let kept = chunks(&block);
        assert_eq!(kept.len(), 1);
        assert!(kept[0].0.starts_with("block#00000000000000000007-"), "{}", kept[0].0);
        assert_eq!(reference.join(&[Some(&kept[0].1)]), Ok(Cells::default()));
        let missing = BlockError::Missing { of: reference.clone(), found: 0 };
        assert_eq!(reference.join(&[None]), Err(missing.clone()));
        assert!(missing.to_string().starts_with("0 of the 1 chunks of the block 00000000000000000007-"));
        let damaged = reference.join(&[Some(b"other")]);
        assert_eq!(damaged, Err(BlockError::Damaged(reference.name.clone())));
    }

    #[test]
    fn large_blocks_have_several_chunks() {
        // Incompressible data of a few megabytes.
        let bytes: Vec<u8> =
            (0..40_000_u64).flat_map(|i| blake3::hash(&i.to_le_bytes()).as_bytes()[..16].to_vec()).collect();
        let reference = BlockRef { name: "x".into(), chunks: 3, bytes: bytes.len() as u64 };
        let block = Block { reference, bytes: bytes.clone() };
        let kept = chunks(&block);
        assert_eq!(kept.iter().map(|(_, chunk)| chunk.len()).max(), Some(CHUNK_BYTES_MAX));
        assert_eq!(kept.iter().flat_map(|(_, chunk)| chunk.clone()).collect::<Vec<u8>>(), bytes);
        assert_eq!(kept[2].0, "block#x#0002");
    }

    #[test]
    fn two_attempts_never_share_a_chunk() {
        let [one, two] = [1, 2].map(|nonce| Block::of(&Cells::default(), 7, nonce).unwrap());
        assert_ne!(chunks(&one)[0].0, chunks(&two)[0].0);
    }

    #[test]
    fn a_range_of_versions_selects_only_their_chunks() {
        let part = |version| chunks(&Block::of(&Cells::default(), version, 1).unwrap()).remove(0).0;
        for (versions, within) in [(0..10, vec![0, 1, 4, 5, 9]), (5..10, vec![5, 9]), (9..9, vec![])] {
            let [from, until] = parts_of(&versions);
            for version in [0, 1, 4, 5, 9, 10, 11, 100] {
                let part = part(version);
                let is_within = (from.as_str()..=until.as_str()).contains(&part.as_str());
                assert_eq!(is_within, within.contains(&version), "{version} of {versions:?}");
            }
            assert!(!(from.as_str()..=until.as_str()).contains(&"head"));
        }
    }

    #[test]
    fn a_block_is_named_in_an_item_and_found_in_others() {
        let mut naming = item([("x", text("y"))]);
        assert_eq!(BlockRef::of_item(&naming, "base"), Ok(None));
        let block = Block::of(&Cells::default(), 7, 1).unwrap();
        block.reference.put_into(&mut naming, "base");
        let named = BlockRef::of_item(&naming, "base").unwrap().unwrap();
        assert_eq!((&named, named.version()), (&block.reference, Some(7)));
        let found = chunks_of(&block.items("here")).unwrap();
        assert_eq!(named.find("here", &found), Ok(Cells::default()));
        assert!(matches!(named.find("elsewhere", &found), Err(BlockError::Missing { found: 0, .. })));
        assert_eq!(named.keys("here").len(), 1);
        naming.remove("base_chunks");
        assert!(BlockRef::of_item(&naming, "base").is_err());
    }
}
