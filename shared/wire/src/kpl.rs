//! The aggregated record format of the Kinesis Producer Library (KPL): many user records in one record of a Kinesis
//! stream. Kinesis bills and limits by record.
//!
//! ```
//! use stoop_wire::kpl::{Deaggregated, aggregate, deaggregate};
//! let record = aggregate("agadir", [b"one".as_slice(), b"two"]);
//! let Ok(Deaggregated::Aggregated(aggregated)) = deaggregate(&record) else { panic!("not aggregated") };
//! assert!(aggregated.user_records().map(|user| user.data).eq([b"one", b"two"]));
//! ```
//!
//! AWS describes the format in
//! [aggregation-format.md](https://github.com/awslabs/amazon-kinesis-producer/blob/master/aggregation-format.md): four
//! bytes of magic, a protocol buffers message, and the MD5 of the message (16 bytes). The message:
//!
//! | field | type | meaning |
//! | --- | --- | --- |
//! | 1 `partition_key_table` | repeated string | partition keys, indexed from 0 |
//! | 2 `explicit_hash_key_table` | repeated string | explicit hash keys, indexed from 0 |
//! | 3 `records` | repeated message | the user records |
//! | 3.1 `partition_key_index` | required uint64 | index of the partition key in the first table |
//! | 3.2 `explicit_hash_key_index` | optional uint64 | index of the explicit hash key in the second table |
//! | 3.3 `data` | required bytes | the data |
//! | 3.4 `tags` | repeated message | unused, also by the KPL |
//!
//! [`aggregate`] writes one partition key and no explicit hash keys, byte for byte like AWS's own libraries.
//! [`deaggregate`] reads everything that the format allows. After a shard is split, the Kinesis Client Library (KCL)
//! drops user records whose keys hash to another shard. This module does not: the purpose is to avoid duplicates, which
//! have no effect here.

mod protobuf;

use md5::{Digest, Md5};
use protobuf::{Fields, WireValue, bytes_len, number_len, put_head, put_number};

const MAGIC: [u8; 4] = [0xF3, 0x89, 0x9A, 0xC2];

/// The length of an MD5 in bytes.
const MD5_LEN: usize = 16;

// Field numbers of the message.
const PARTITION_KEY_TABLE: u8 = 1;
const EXPLICIT_HASH_KEY_TABLE: u8 = 2;
const RECORDS: u8 = 3;

// Field numbers of a user record.
const PARTITION_KEY_INDEX: u8 = 1;
const EXPLICIT_HASH_KEY_INDEX: u8 = 2;
const DATA: u8 = 3;

/// Packs user records with one partition key into an aggregated record of [`aggregated_len`] bytes.
///
/// Kinesis requires a key of 1 to 256 characters and limits key and record together (1 MiB unless the stream has a
/// higher limit). Neither is checked here.
#[must_use]
pub fn aggregate<'a>(key: &str, user_records: impl IntoIterator<Item = &'a [u8]>) -> Vec<u8> {
    let mut out = MAGIC.to_vec();
    put_head(PARTITION_KEY_TABLE, key.len(), &mut out);
    out.extend_from_slice(key.as_bytes());
    for data in user_records {
        put_head(RECORDS, message_len(data.len()), &mut out);
        put_number(PARTITION_KEY_INDEX, 0, &mut out);
        put_head(DATA, data.len(), &mut out);
        out.extend_from_slice(data);
    }
    let digest = Md5::digest(&out[MAGIC.len()..]);
    out.extend_from_slice(&digest);
    out
}

/// The length of the record that [`aggregate`] makes of a key and user records of these lengths.
///
/// It is a sum: each further user record adds [`user_record_len`]. Callers that fill records up to a limit can add up.
#[must_use]
pub fn aggregated_len(key: &str, data_lens: impl IntoIterator<Item = usize>) -> usize {
    let user_records: usize = data_lens.into_iter().map(user_record_len).sum();
    MAGIC.len() + bytes_len(key.len()) + user_records + MD5_LEN
}

/// The length of a user record with `data_len` bytes in an aggregated record. For 128 to 16,378 bytes, which covers
/// lines, it is `data_len` + 8.
#[must_use]
pub fn user_record_len(data_len: usize) -> usize {
    bytes_len(message_len(data_len))
}

fn message_len(data_len: usize) -> usize {
    number_len(0) + bytes_len(data_len)
}

/// The content of a stream record.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Deaggregated<'a> {
    /// No magic: a plain record, which is one user record.
    Plain(&'a [u8]),
    /// Magic, but no message with its MD5: probably truncated or corrupted. The KCL treats it as a plain record.
    Damaged(&'a [u8]),
    Aggregated(Aggregated<'a>),
}

/// An aggregated record whose message was validated.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Aggregated<'a> {
    message: &'a [u8],
}

/// A user record of an aggregated record.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct UserRecord<'a> {
    /// The index of its key in [`Aggregated::partition_keys`]. Always valid.
    pub partition_key_index: usize,
    /// The index of its key in [`Aggregated::explicit_hash_keys`], if it has one. Always valid.
    pub explicit_hash_key_index: Option<usize>,
    pub data: &'a [u8],
}

/// The magic and MD5 are right but the message is invalid. The producer is at fault, so reading again does not help.
/// Byte positions count from 0 at the magic.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum KplError {
    /// Not valid protocol buffers.
    #[error("byte {at} of the aggregated record {what}")]
    Malformed {
        /// The position of the byte.
        at: usize,
        /// Explains the error there.
        what: &'static str,
    },
    /// A user record lacks a required field.
    #[error("the user record at byte {at} of the aggregated record has no {field}")]
    Missing {
        /// The position of the user record.
        at: usize,
        /// The name of the field.
        field: &'static str,
    },
    /// A user record refers to a key that does not exist.
    #[error(
        "the user record at byte {at} of the aggregated record refers to {table}[{index}] of a table with length {keys}"
    )]
    NoSuchKey {
        /// The position of the user record.
        at: usize,
        /// The name of the table of keys.
        table: &'static str,
        /// The index of the key.
        index: u64,
        /// The number of keys in the table.
        keys: usize,
    },
}

/// Finds the user records in a stream record. Takes linear time for any bytes and copies nothing.
///
/// # Errors
/// If the magic and MD5 are right and the message is invalid.
pub fn deaggregate(record: &[u8]) -> Result<Deaggregated<'_>, KplError> {
    let Some(sealed) = record.strip_prefix(&MAGIC) else { return Ok(Deaggregated::Plain(record)) };
    match sealed.split_last_chunk::<MD5_LEN>() {
        // The KCL does not accept an empty message either.
        Some((message, digest)) if !message.is_empty() && Md5::digest(message)[..] == *digest => {
            Aggregated::checked(message).map(Deaggregated::Aggregated)
        }
        _ => Ok(Deaggregated::Damaged(record)),
    }
}

impl<'a> Aggregated<'a> {
    /// The user records in the order in which they were added. There may be none.
    pub fn user_records(&self) -> impl Iterator<Item = UserRecord<'a>> + use<'a> {
        self.fields(RECORDS).filter_map(|(at, bytes)| UserRecord::read(bytes, at).ok())
    }

    /// The partition keys. UTF-8 if the producer follows the format.
    pub fn partition_keys(&self) -> impl Iterator<Item = &'a [u8]> + use<'a> {
        self.fields(PARTITION_KEY_TABLE).map(|(_, key)| key)
    }

    /// The explicit hash keys. Decimal numbers below 2^128 if the producer follows the format.
    pub fn explicit_hash_keys(&self) -> impl Iterator<Item = &'a [u8]> + use<'a> {
        self.fields(EXPLICIT_HASH_KEY_TABLE).map(|(_, key)| key)
    }

    /// Validates the whole message, so that later reads cannot fail. Fields may come in any order, so indexes are
    /// checked after all fields are read.
    fn checked(message: &'a [u8]) -> Result<Self, KplError> {
        for field in Fields::new(message, MAGIC.len()) {
            field?;
        }
        let aggregated = Self { message };
        let partition_keys = aggregated.partition_keys().count();
        let explicit_hash_keys = aggregated.explicit_hash_keys().count();
        for (at, bytes) in aggregated.fields(RECORDS) {
            let user = UserRecord::read(bytes, at)?;
            let check = |table, index: usize, keys| {
                if index < keys { Ok(()) } else { Err(KplError::NoSuchKey { at, table, index: index as u64, keys }) }
            };
            check("partition_key_table", user.partition_key_index, partition_keys)?;
            if let Some(index) = user.explicit_hash_key_index {
                check("explicit_hash_key_table", index, explicit_hash_keys)?;
            }
        }
        Ok(aggregated)
    }

    /// The length-delimited fields with this number, and their positions. Fields of other types are unknown and
    /// skipped.
    fn fields(&self, wanted: u8) -> impl Iterator<Item = (usize, &'a [u8])> + use<'a> {
        Fields::new(self.message, MAGIC.len()).filter_map(move |field| match field {
            Ok((number, WireValue::Bytes { at, bytes })) if number == u64::from(wanted) => Some((at, bytes)),
            _ => None,
        })
    }
}

impl<'a> UserRecord<'a> {
    /// Reads the message of a user record. If a field occurs twice the last one counts, as in Google's parsers.
    fn read(message: &'a [u8], at: usize) -> Result<Self, KplError> {
        let (mut partition_key_index, mut explicit_hash_key_index, mut data) = (None, None, None);
        let index = |value| usize::try_from(value).unwrap_or(usize::MAX);
        for field in Fields::new(message, at) {
            let (number, value) = field?;
            match (u8::try_from(number), value) {
                (Ok(PARTITION_KEY_INDEX), WireValue::Varint(value)) => partition_key_index = Some(index(value)),
                (Ok(EXPLICIT_HASH_KEY_INDEX), WireValue::Varint(value)) => explicit_hash_key_index = Some(index(value)),
                (Ok(DATA), WireValue::Bytes { bytes, .. }) => data = Some(bytes),
                _ => {}
            }
        }
        Ok(Self {
            partition_key_index: partition_key_index.ok_or(KplError::Missing { at, field: "partition_key_index" })?,
            explicit_hash_key_index,
            data: data.ok_or(KplError::Missing { at, field: "data" })?,
        })
    }
}
