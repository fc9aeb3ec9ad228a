//! What passes between the steps: a listing that a page shows, and a change that is to be published.

use stoop_domain::{Listing, Observation, Sighting, Time};
use stoop_wire::EncodedListing;

use crate::ports::{ContentHash, OnStream};

/// A listing that a page or file shows and that can be sent. It is encoded once, here: its hash, its size and its line are
/// made of the same bytes.
pub(super) struct Shown {
    pub(super) observation: Observation,
    pub(super) encoded: EncodedListing,
    pub(super) content: ContentHash,
}

/// What is to be sent of a listing.
pub(super) struct Change {
    pub(super) observation: Observation,
    /// The observation's listing.
    pub(super) encoded: EncodedListing,
    /// What the stream has of the listing once it has acknowledged this.
    pub(super) becomes: OnStream,
    pub(super) cause: Cause,
    /// The index does not know the listing.
    pub(super) new: bool,
    /// Of a row of a file, the latest that said the same.
    pub(super) until: Option<Sighting>,
    /// It is of the past, and what the index knows is of later.
    pub(super) past: bool,
}

/// Why something is sent.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Cause {
    /// A row says something that the stream does not have.
    Row,
    /// A row says what was sent already, and it is time to send it once more.
    Confirmation,
    /// A row of another time is sent, and what is known of the listing has to be said once more beside it.
    Beside,
}

impl Shown {
    pub(super) fn new(observation: Observation) -> Self {
        let encoded = EncodedListing::of(&observation.listing);
        let content = content_hash(&encoded);
        Self { observation, encoded, content }
    }

    /// How many bytes its line has, with its end.
    pub(super) fn line_bytes(&self) -> usize {
        stoop_wire::encoded_len(&self.observation, &self.encoded) + 1
    }
}

/// A hash of what a listing says.
fn content_hash(encoded: &EncodedListing) -> ContentHash {
    let mut hasher = blake3::Hasher::new();
    for part in encoded.steady() {
        hasher.update(part);
    }
    let hash = hasher.finalize();
    ContentHash(u64::from_le_bytes(std::array::from_fn(|i| hash.as_bytes()[i])))
}

/// A listing for the quarantine, as a line that is the same however often it is seen: without source, ID and times, and without
/// a listing date, which only seems to change.
pub(super) fn raw_of(listing: Listing) -> Vec<u8> {
    let listing = Listing { listed_at: None, ..listing };
    let observation = Observation::new("", String::new(), Time::default(), listing);
    let mut bytes = Vec::new();
    stoop_wire::encode(&observation, &mut bytes);
    bytes
}
