//! Aggregated records round-trip, damage is detected, and no bytes cause a panic.

use md5::{Digest, Md5};
use proptest::prelude::*;
use stoop_wire::kpl::{
    Aggregated, Deaggregated, KplError, UserRecord, aggregate, aggregated_len, deaggregate, user_record_len,
};

/// A message with magic and MD5.
fn sealed(message: &[u8]) -> Vec<u8> {
    [&[0xF3, 0x89, 0x9A, 0xC2], message, &Md5::digest(message)[..]].concat()
}

fn aggregated(record: &[u8]) -> Aggregated<'_> {
    match deaggregate(record).unwrap() {
        Deaggregated::Aggregated(aggregated) => aggregated,
        other => panic!("not aggregated: {other:?}"),
    }
}

fn datas(record: &[u8]) -> Vec<&[u8]> {
    aggregated(record).user_records().map(|user| user.data).collect()
}

fn aggregate_all(key: &str, datas: &[Vec<u8>]) -> Vec<u8> {
    aggregate(key, datas.iter().map(Vec::as_slice))
}

/// The key `k` with the user records `a` and `bc`, encoded by hand; the MD5 is computed by `md5sum`.
const BY_HAND: &[u8] = b"\xF3\x89\x9A\xC2\
    \x0A\x01k\
    \x1A\x05\x08\x00\x1A\x01a\
    \x1A\x06\x08\x00\x1A\x02bc\
    \x9d\x3f\x34\x22\xe3\x65\x54\x1b\x1a\x84\x56\x08\x1d\x03\xde\x53";

#[test]
fn the_format_is_pinned() {
    assert_eq!(aggregate("k", [b"a".as_slice(), b"bc"]), BY_HAND);
    assert_eq!(datas(BY_HAND), [b"a".as_slice(), b"bc"]);
    assert_eq!(aggregated(BY_HAND).partition_keys().collect::<Vec<_>>(), [b"k"]);
    assert_eq!(aggregated(BY_HAND).explicit_hash_keys().count(), 0);
}

/// Keys before and after the user records, explicit hash keys, tags, and unknown fields of every wire type.
#[test]
fn everything_that_the_format_allows_is_read() {
    let message = b"\x1A\x0C\x22\x03\x0A\x01t\x1A\x01x\x10\x01\x08\x01\
        \x0A\x01k\x12\x010\x20\x05\x29ABCDEFGH\x2DABCD\x32\x02??\x3B\x08\x01\x43\x44\x3C\
        \x0A\x02\xC3\xA9\x12\x02\x34\x32\
        \x1A\x07\x08\x00\x1A\x01y\x38\x07";
    let record = sealed(message);
    let aggregated = aggregated(&record);
    assert_eq!(aggregated.partition_keys().collect::<Vec<_>>(), [b"k".as_slice(), "é".as_bytes()]);
    assert_eq!(aggregated.explicit_hash_keys().collect::<Vec<_>>(), [b"0".as_slice(), b"42"]);
    let x = UserRecord { partition_key_index: 1, explicit_hash_key_index: Some(1), data: b"x" };
    let y = UserRecord { partition_key_index: 0, explicit_hash_key_index: None, data: b"y" };
    assert_eq!(aggregated.user_records().collect::<Vec<_>>(), [x, y]);
}

#[test]
fn the_last_of_repeated_fields_counts() {
    let record = sealed(b"\x0A\x01k\x1A\x0A\x08\x07\x08\x00\x1A\x01a\x1A\x01b");
    assert_eq!(datas(&record), [b"b"]);
}

#[test]
fn a_record_without_the_magic_is_plain() {
    for record in [b"".as_slice(), b"{\"v\":1}\n", &BY_HAND[..3], &BY_HAND[1..], b"\xF3\x89\x9A\xC1"] {
        assert_eq!(deaggregate(record), Ok(Deaggregated::Plain(record)));
    }
}

#[test]
fn a_record_that_is_too_short_or_has_no_message_is_damaged() {
    let empty = sealed(b"");
    for record in [&BY_HAND[..4], &BY_HAND[..19], &empty] {
        assert_eq!(deaggregate(record), Ok(Deaggregated::Damaged(record)));
    }
}

#[test]
fn an_aggregated_record_may_be_empty() {
    assert_eq!(datas(&aggregate("k", [])), [b""; 0]);
    assert_eq!(datas(&aggregate("", [b"".as_slice()])), [b""]);
}

#[test]
fn errors_contain_the_position() {
    let reported = |message: &[u8]| deaggregate(&sealed(message)).unwrap_err().to_string();
    let cases: &[(&[u8], &str)] = &[
        (b"\x0A\x05k", "byte 6 of the aggregated record is followed by too few bytes"),
        (b"\x0A", "byte 5 of the aggregated record is followed by too few bytes"),
        (
            b"\x0A\xFF\xFF\xFF\xFF\xFF\xFF\xFF\xFF\xFF\x01",
            "byte 15 of the aggregated record is followed by too few bytes",
        ),
        (
            b"\x20\xFF\xFF\xFF\xFF\xFF\xFF\xFF\xFF\xFF\x02",
            "byte 5 of the aggregated record begins a number with more than 64 bits",
        ),
        (b"\x02\x00", "byte 4 of the aggregated record begins a field with a number out of range"),
        (b"\x80\x80\x80\x80\x10\x00", "byte 4 of the aggregated record begins a field with a number out of range"),
        (b"\x0F", "byte 4 of the aggregated record begins a field of unknown wire type"),
        (b"\x24", "byte 4 of the aggregated record ends a group that has not begun"),
        (b"\x23\x2C", "byte 5 of the aggregated record ends a group that has not begun"),
        (b"\x23\x08\x01", "byte 7 of the aggregated record is followed by too few bytes"),
        (b"\x0A\x01k\x1A\x02\x08\x00", "the user record at byte 9 of the aggregated record has no data"),
        (
            b"\x0A\x01k\x1A\x03\x1A\x01a",
            "the user record at byte 9 of the aggregated record has no partition_key_index",
        ),
        (
            b"\x0A\x01k\x1A\x05\x08\x01\x1A\x01a",
            "the user record at byte 9 of the aggregated record refers to partition_key_table[1] of a table with length 1",
        ),
        (
            b"\x0A\x01k\x1A\x07\x08\x00\x10\x00\x1A\x01a",
            "the user record at byte 9 of the aggregated record refers to explicit_hash_key_table[0] of a table with length 0",
        ),
    ];
    for (message, expected) in cases {
        assert_eq!(reported(message), *expected, "{message:?}");
    }
}

#[test]
fn groups_are_skipped_up_to_a_depth() {
    let nested = |depth: usize| sealed(&[vec![0x23; depth], vec![0x24; depth]].concat());
    assert_eq!(datas(&nested(100)), [b""; 0]);
    let error = deaggregate(&nested(101)).unwrap_err();
    assert_eq!(error, KplError::Malformed { at: 104, what: "nests groups too deeply" });
    assert!(deaggregate(&nested(1 << 20)).is_err(), "deeper than any stack");
}

#[test]
fn the_length_is_computed_beforehand() {
    for len in [0, 1, 122, 123, 127, 128, 16_378, 16_379, 16_383, 16_384, 1 << 21] {
        let data = vec![b'x'; len];
        let key = "é".repeat(len % 128);
        let record = aggregate(&key, [data.as_slice(), &data]);
        assert_eq!(record.len(), aggregated_len(&key, [len, len]), "{len}");
        assert_eq!(datas(&record), [&data, &data]);
    }
    assert_eq!(user_record_len(128), 128 + 8);
    assert_eq!(user_record_len(16_378), 16_378 + 8);
    assert_eq!(user_record_len(16_379), 16_379 + 9);
}

fn user_datas() -> impl Strategy<Value = Vec<Vec<u8>>> {
    prop::collection::vec(prop::collection::vec(any::<u8>(), 0..200), 0..20)
}

fn varint(mut value: u64) -> Vec<u8> {
    let mut out = Vec::new();
    loop {
        let more = value > 127;
        out.push((value % 128) as u8 + if more { 128 } else { 0 });
        value /= 128;
        if !more {
            return out;
        }
    }
}

fn text(number: u64, bytes: &[u8]) -> Vec<u8> {
    [varint(number * 8 + 2), varint(bytes.len() as u64), bytes.to_vec()].concat()
}

fn number(number: u64, value: u64) -> Vec<u8> {
    [varint(number * 8), varint(value)].concat()
}

/// A field that a later version of the format may add, with a number of 5 or more.
fn unknown_field() -> impl Strategy<Value = Vec<u8>> {
    let bytes = prop::collection::vec(any::<u8>(), 8);
    (5..1_u64 << 29, any::<u64>(), bytes, 0..4).prop_map(|(field, value, bytes, form)| match form {
        0 => number(field, value),
        1 => [varint(field * 8 + 1), bytes].concat(),
        2 => text(field, &bytes),
        _ => [varint(field * 8 + 5), bytes[..4].to_vec()].concat(),
    })
}

/// A part of a message.
#[derive(Clone, Debug)]
enum Piece {
    Key(Vec<u8>),
    HashKey(Vec<u8>),
    User { key: prop::sample::Index, hash_key: Option<prop::sample::Index>, data: Vec<u8> },
    Unknown(Vec<u8>),
}

fn piece() -> impl Strategy<Value = Piece> {
    let bytes = || prop::collection::vec(any::<u8>(), 0..40);
    let user = (any::<prop::sample::Index>(), any::<Option<prop::sample::Index>>(), bytes());
    prop_oneof![
        bytes().prop_map(Piece::Key),
        bytes().prop_map(Piece::HashKey),
        user.prop_map(|(key, hash_key, data)| Piece::User { key, hash_key, data }),
        unknown_field().prop_map(Piece::Unknown),
    ]
}

proptest! {
    #[test]
    fn aggregated_records_round_trip(key in "\\PC{0,40}", user_datas in user_datas()) {
        let record = aggregate_all(&key, &user_datas);
        prop_assert_eq!(record.len(), aggregated_len(&key, user_datas.iter().map(Vec::len)));
        prop_assert_eq!(aggregated(&record).partition_keys().collect::<Vec<_>>(), [key.as_bytes()]);
        prop_assert_eq!(datas(&record), user_datas);
    }

    #[test]
    fn fields_may_come_in_any_order_among_unknown_ones(pieces in prop::collection::vec(piece(), 0..30)) {
        let pieces = [vec![Piece::Key(b"k".to_vec())], pieces, vec![Piece::HashKey(b"1".to_vec())]].concat();
        let keys: Vec<&[u8]> = pieces.iter().filter_map(|p| if let Piece::Key(key) = p { Some(&key[..]) } else { None }).collect();
        let hash_keys: Vec<&[u8]> = pieces.iter().filter_map(|p| if let Piece::HashKey(key) = p { Some(&key[..]) } else { None }).collect();
        let (mut message, mut expected) = (Vec::new(), Vec::new());
        for piece in &pieces {
            message.extend(match piece {
                Piece::Key(key) => text(1, key),
                Piece::HashKey(key) => text(2, key),
                Piece::Unknown(field) => field.clone(),
                Piece::User { key, hash_key, data } => {
                    let (key, hash_key) = (key.index(keys.len()), hash_key.map(|key| key.index(hash_keys.len())));
                    expected.push(UserRecord { partition_key_index: key, explicit_hash_key_index: hash_key, data });
                    let hash_key = hash_key.map_or(Vec::new(), |key| number(2, key as u64));
                    text(3, &[text(3, data), hash_key, number(1, key as u64), text(4, b"tag")].concat())
                }
            });
        }
        let record = sealed(&message);
        let aggregated = aggregated(&record);
        prop_assert_eq!(aggregated.partition_keys().collect::<Vec<_>>(), keys);
        prop_assert_eq!(aggregated.explicit_hash_keys().collect::<Vec<_>>(), hash_keys);
        prop_assert_eq!(aggregated.user_records().collect::<Vec<_>>(), expected);
    }

    #[test]
    fn a_record_of_wrong_length_is_detected(user_datas in user_datas(), cut in any::<prop::sample::Index>(), more in 1..20_usize) {
        let mut record = aggregate_all("key", &user_datas);
        let cut = &record[..cut.index(record.len())];
        prop_assert_eq!(deaggregate(cut), Ok(if cut.len() < 4 { Deaggregated::Plain(cut) } else { Deaggregated::Damaged(cut) }));
        record.extend(vec![0; more]);
        prop_assert_eq!(deaggregate(&record), Ok(Deaggregated::Damaged(&record)));
    }

    #[test]
    fn a_flipped_bit_is_detected(user_datas in user_datas(), at in any::<prop::sample::Index>(), bit in 0..8) {
        let mut record = aggregate_all("key", &user_datas);
        let at = at.index(record.len());
        record[at] ^= 1_u8 << bit;
        let seen = if at < 4 { Deaggregated::Plain(&record) } else { Deaggregated::Damaged(&record) };
        prop_assert_eq!(deaggregate(&record), Ok(seen));
    }

    #[test]
    fn any_bytes_decode_or_are_refused(bytes in prop::collection::vec(any::<u8>(), 0..300)) {
        if !bytes.starts_with(b"\xF3\x89\x9A\xC2") {
            prop_assert_eq!(deaggregate(&bytes), Ok(Deaggregated::Plain(&bytes)));
        }
        all_or_nothing(&bytes)?;
    }

    /// A producer may put an invalid message before a right MD5.
    #[test]
    fn a_damaged_message_with_a_right_md5_decodes_or_is_refused(
        user_datas in user_datas(), at in any::<prop::sample::Index>(), byte in any::<u8>(), cut in any::<prop::sample::Index>(),
    ) {
        let record = aggregate_all("key", &user_datas);
        let mut message = record[4..record.len() - 16].to_vec();
        let at = at.index(message.len());
        message[at] = byte;
        all_or_nothing(&message)?;
        message.truncate(cut.index(message.len()));
        all_or_nothing(&message)?;
    }
}

/// A message is refused, or everything that is read lies within it.
fn all_or_nothing(message: &[u8]) -> Result<(), TestCaseError> {
    let record = sealed(message);
    if let Ok(Deaggregated::Aggregated(aggregated)) = deaggregate(&record) {
        let keys = aggregated.partition_keys().count();
        let mut bytes = 0;
        for user in aggregated.user_records() {
            prop_assert!(user.partition_key_index < keys);
            bytes += user.data.len();
        }
        prop_assert!(bytes <= message.len());
    }
    Ok(())
}
