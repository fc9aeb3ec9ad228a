//! The aggregated record of the Kinesis Producer Library (KPL): many user records in one record of a
//! Kinesis stream, which bills and limits by the record.
//!
//! ```
//! use stoop_wire::kpl::{Deaggregated, aggregate, deaggregate};
//! let record = aggregate("agadir", [b"one".as_slice(), b"two"]);
//! let Ok(Deaggregated::Aggregated(aggregated)) = deaggregate(&record) else { panic!("it is one") };
//! assert!(aggregated.user_records().map(|user| user.data).eq([b"one", b"two"]));
//! ```
//!
//! The format is AWS's, described in
//! [aggregation-format.md](https://github.com/awslabs/amazon-kinesis-producer/blob/master/aggregation-format.md):
//! four bytes of magic, a protocol buffers message, and the 16 bytes of the message's MD5. The message:
//!
//! | field | type | what |
//! | --- | --- | --- |
//! | 1 `partition_key_table` | repeated string | partition keys, counted from 0 |
//! | 2 `explicit_hash_key_table` | repeated string | explicit hash keys, counted from 0 |
//! | 3 `records` | repeated message | the user records |
//! | 3.1 `partition_key_index` | required uint64 | the user record's key in the first table |
//! | 3.2 `explicit_hash_key_index` | optional uint64 | its key in the second table |
//! | 3.3 `data` | required bytes | its bytes |
//! | 3.4 `tags` | repeated message | of no use yet, in the KPL either |
//!
//! [`aggregate`] writes one partition key and no explicit hash keys, byte for byte what AWS's own libraries
//! write; [`deaggregate`] reads all that the format allows. It does not do what the Kinesis Client Library
//! (KCL) does after a shard was split, to drop user records whose keys hash to another shard: that helps
//! against records that are delivered twice, which here change nothing.

mod protobuf;

use md5::{Digest, Md5};
use protobuf::{Fields, Value, bytes_len, number_len, put_head, put_number};

const MAGIC: [u8; 4] = [0xF3, 0x89, 0x9A, 0xC2];

/// The bytes of an MD5.
const MD5_LEN: usize = 16;

// Fields of the message.
const PARTITION_KEY_TABLE: u8 = 1;
const EXPLICIT_HASH_KEY_TABLE: u8 = 2;
const RECORDS: u8 = 3;

// Fields of a user record.
const PARTITION_KEY_INDEX: u8 = 1;
const EXPLICIT_HASH_KEY_INDEX: u8 = 2;
const DATA: u8 = 3;

/// Packs user records of one partition key into one aggregated record, of [`aggregated_len`] bytes.
///
/// Kinesis asks for a key of 1 to 256 characters, and refuses records over its limit (1 MiB, key and record
/// together, unless the stream's is raised); neither is checked here.
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

/// The bytes of the record that [`aggregate`] makes of a key and of user records of these lengths.
///
/// It is a sum, for who packs records up to a limit: each further user record adds [`user_record_len`].
#[must_use]
pub fn aggregated_len(key: &str, data_lens: impl IntoIterator<Item = usize>) -> usize {
    let user_records: usize = data_lens.into_iter().map(user_record_len).sum();
    MAGIC.len() + bytes_len(key.len()) + user_records + MD5_LEN
}

/// The bytes that a user record of `data_len` bytes takes in an aggregated record: 8 more than its own if it
/// has 128 to 16,378, which is what lines have.
#[must_use]
pub fn user_record_len(data_len: usize) -> usize {
    bytes_len(message_len(data_len))
}

fn message_len(data_len: usize) -> usize {
    number_len(0) + bytes_len(data_len)
}

/// What a stream record turned out to be.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Deaggregated<'a> {
    /// It does not begin with the magic: a producer put it as it is, and it is one user record.
    Plain(&'a [u8]),
    /// It begins with the magic, but what follows is not a message with its MD5. The KCL takes it for a plain
    /// record all the same; more likely it was cut short or damaged.
    Damaged(&'a [u8]),
    /// It is an aggregated record.
    Aggregated(Aggregated<'a>),
}

/// An aggregated record that was read through and found right.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Aggregated<'a> {
    message: &'a [u8],
}

/// A user record of an aggregated record.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct UserRecord<'a> {
    /// The place of its key in [`Aggregated::partition_keys`]; there is one.
    pub partition_key_index: usize,
    /// The place of its key in [`Aggregated::explicit_hash_keys`], where it has one; there is one.
    pub explicit_hash_key_index: Option<usize>,
    /// Its bytes.
    pub data: &'a [u8],
}

/// A record with the right magic and MD5 that is no aggregated record: its producer is at fault, and to
/// read it again does not help. Bytes and user records are counted from 0, bytes from the magic on.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum KplError {
    /// Not the encoding of protocol buffers.
    #[error("byte {at} of the aggregated record {what}")]
    Malformed {
        /// Which byte.
        at: usize,
        /// What is wrong there.
        what: &'static str,
    },
    /// A user record lacks what it must have.
    #[error("the user record at byte {at} of the aggregated record has no {field}")]
    Missing {
        /// Where the user record begins.
        at: usize,
        /// The field that it lacks.
        field: &'static str,
    },
    /// A user record names a key that is not there.
    #[error("the user record at byte {at} of the aggregated record names {table}[{index}], where {keys} are given")]
    NoSuchKey {
        /// Where the user record begins.
        at: usize,
        /// The table of keys.
        table: &'static str,
        /// The key's place in it.
        index: u64,
        /// How many keys it has.
        keys: usize,
    },
}

/// Finds the user records in a stream record. Whatever the bytes, the work is linear in them and nothing is
/// copied.
///
/// # Errors
/// When magic and MD5 are right and the message is not.
pub fn deaggregate(record: &[u8]) -> Result<Deaggregated<'_>, KplError> {
    let Some(sealed) = record.strip_prefix(&MAGIC) else { return Ok(Deaggregated::Plain(record)) };
    match sealed.split_last_chunk::<MD5_LEN>() {
        // An empty message is none to the KCL either.
        Some((message, digest)) if !message.is_empty() && Md5::digest(message)[..] == *digest => {
            Aggregated::checked(message).map(Deaggregated::Aggregated)
        }
        _ => Ok(Deaggregated::Damaged(record)),
    }
}

impl<'a> Aggregated<'a> {
    /// The user records, in the order in which they were put. There may be none.
    pub fn user_records(&self) -> impl Iterator<Item = UserRecord<'a>> + use<'a> {
        self.fields(RECORDS).filter_map(|(at, bytes)| UserRecord::read(bytes, at).ok())
    }

    /// The partition keys of the user records, in UTF-8 if the producer kept to the format.
    pub fn partition_keys(&self) -> impl Iterator<Item = &'a [u8]> + use<'a> {
        self.fields(PARTITION_KEY_TABLE).map(|(_, key)| key)
    }

    /// The explicit hash keys of the user records, decimal numbers below 2^128 if the producer kept to the
    /// format.
    pub fn explicit_hash_keys(&self) -> impl Iterator<Item = &'a [u8]> + use<'a> {
        self.fields(EXPLICIT_HASH_KEY_TABLE).map(|(_, key)| key)
    }

    /// Reads a message through, so that nothing can be wrong later. It may hold its fields in any order, so
    /// that keys can only be looked up when all of it was seen.
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

    /// The fields of this number with the bytes they begin at. What has another type than the format says is
    /// a field that we do not know.
    fn fields(&self, wanted: u8) -> impl Iterator<Item = (usize, &'a [u8])> + use<'a> {
        Fields::new(self.message, MAGIC.len()).filter_map(move |field| match field {
            Ok((number, Value::Bytes { at, bytes })) if number == u64::from(wanted) => Some((at, bytes)),
            _ => None,
        })
    }
}

impl<'a> UserRecord<'a> {
    /// Reads the message of a user record. Of a field that comes twice the later counts, as with Google's
    /// parsers.
    fn read(message: &'a [u8], at: usize) -> Result<Self, KplError> {
        let (mut partition_key_index, mut explicit_hash_key_index, mut data) = (None, None, None);
        let index = |value| usize::try_from(value).unwrap_or(usize::MAX);
        for field in Fields::new(message, at) {
            let (number, value) = field?;
            match (u8::try_from(number), value) {
                (Ok(PARTITION_KEY_INDEX), Value::Varint(value)) => partition_key_index = Some(index(value)),
                (Ok(EXPLICIT_HASH_KEY_INDEX), Value::Varint(value)) => explicit_hash_key_index = Some(index(value)),
                (Ok(DATA), Value::Bytes { bytes, .. }) => data = Some(bytes),
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
