//! What the steps pass on: a listing that a page shows, and a change that is to be published.

use stoop_domain::{Listing, Observation, Sighting, Time};
use stoop_wire::EncodedListing;

use crate::ports::{ContentHash, OnStream};

/// A listing that a page or file shows. It is encoded once, here. Its hash, its size and its line come from the same
/// bytes.
pub(super) struct ShownListing {
    pub(super) observation: Observation,
    pub(super) encoded: EncodedListing,
    pub(super) content: ContentHash,
}

/// An observation that is to be sent.
pub(super) struct OutgoingObservation {
    pub(super) observation: Observation,
    /// The observation's listing.
    pub(super) encoded: EncodedListing,
    /// What the stream has of the listing after it acknowledges this.
    pub(super) becomes: OnStream,
    pub(super) cause: Cause,
    /// The listing is not in the index.
    pub(super) new: bool,
    /// For a row of a file, the sighting of the latest row that repeats it.
    pub(super) until: Option<Sighting>,
    /// It is older than what the index has of the listing.
    pub(super) past: bool,
}

/// Why something is sent.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Cause {
    /// A row differs from what the stream has.
    Row,
    /// A row repeats what was sent, and a confirmation is due.
    Confirmation,
    /// A row of another time is sent, and the known listing has to be sent again with it.
    Beside,
}

/// What is to be sent of a listing that is gone.
pub(super) struct Departure {
    /// The last sighting that a file repeated and that was not sent. It is sent now, because an older file may still
    /// come.
    pub(super) until: Option<Sighting>,
    /// The sighting that reports it gone.
    pub(super) sighting: Sighting,
    /// The last known listing.
    pub(super) listing: Listing,
}

impl ShownListing {
    pub(super) fn new(observation: Observation) -> Self {
        let encoded = EncodedListing::of(&observation.listing);
        let content = content_hash(&encoded);
        Self { observation, encoded, content }
    }

    /// The size of its line in bytes, with the line end.
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

/// A listing as a line for the quarantine. It has no source, ID, times or listing date, so that a listing that is seen
/// twice is kept once.
pub(super) fn raw_of(listing: Listing) -> Vec<u8> {
    let listing = Listing { listed_at: None, ..listing };
    let observation = Observation::new("", String::new(), Time::default(), listing);
    let mut bytes = Vec::new();
    stoop_wire::encode(&observation, &mut bytes);
    bytes
}
