//! Types that pass between steps: a shown listing and a change to publish.

use stoop_domain::{Listing, Observation, Sighting, Time};
use stoop_wire::EncodedListing;

use crate::ports::{ContentHash, OnStream};

/// A listing on a page or in a file that can be sent. Encoded once: hash, size and line come from the same bytes.
pub(super) struct Shown {
    pub(super) observation: Observation,
    pub(super) encoded: EncodedListing,
    pub(super) content: ContentHash,
}

/// A change to publish.
pub(super) struct Change {
    pub(super) observation: Observation,
    /// The encoded listing of the observation.
    pub(super) encoded: EncodedListing,
    /// State of the stream once it has acknowledged this.
    pub(super) becomes: OnStream,
    pub(super) cause: Cause,
    /// Whether the index does not know the listing yet.
    pub(super) new: bool,
    /// For a row of a file, the latest row with the same content.
    pub(super) until: Option<Sighting>,
    /// Whether it is in the past: the index has a later observation.
    pub(super) past: bool,
}

/// Why a change is sent.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Cause {
    /// A row differs from the stream.
    Row,
    /// A row repeats what was sent, and a confirmation is due.
    Confirmation,
    /// A row of another time is sent, so the known state of the listing must be sent again with it.
    Beside,
}

impl Shown {
    pub(super) fn new(observation: Observation) -> Self {
        let encoded = EncodedListing::of(&observation.listing);
        let content = content_hash(&encoded);
        Self { observation, encoded, content }
    }

    /// Length of its line in bytes, including the line end.
    pub(super) fn line_bytes(&self) -> usize {
        stoop_wire::encoded_len(&self.observation, &self.encoded) + 1
    }
}

/// Hashes the content of a listing.
fn content_hash(encoded: &EncodedListing) -> ContentHash {
    let mut hasher = blake3::Hasher::new();
    for part in encoded.steady() {
        hasher.update(part);
    }
    let hash = hasher.finalize();
    ContentHash(u64::from_le_bytes(std::array::from_fn(|i| hash.as_bytes()[i])))
}

/// A listing for the quarantine, as a line that is the same for every sighting: without source, ID and times, and
/// without the listing date, which may vary.
pub(super) fn raw_of(listing: Listing) -> Vec<u8> {
    let listing = Listing { listed_at: None, ..listing };
    let observation = Observation::new("", String::new(), Time::default(), listing);
    let mut bytes = Vec::new();
    stoop_wire::encode(&observation, &mut bytes);
    bytes
}
