//! Stored items: a format byte, the CRC-32 of the rest, the rest.

/// Builds an item of this format with a valid checksum, so that a fuzzer gets past it.
pub fn framed(format: u8, body: &[u8]) -> Vec<u8> {
    let mut bytes = vec![format];
    bytes.extend(crc32fast::hash(body).to_le_bytes());
    bytes.extend(body);
    bytes
}
