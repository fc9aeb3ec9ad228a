//! Stored items: a byte for the format, the CRC-32 of the rest, the rest.

/// An item of this format whose sum is right, so that a fuzzer gets behind it.
pub fn framed(format: u8, body: &[u8]) -> Vec<u8> {
    let mut bytes = vec![format];
    bytes.extend(crc32fast::hash(body).to_le_bytes());
    bytes.extend(body);
    bytes
}
