//! Variable-length integers.

use proptest::prelude::*;
use stoop_domain::varint;

proptest! {
    #[test]
    fn numbers_round_trip(numbers in prop::collection::vec((any::<u64>(), 0_u32..64, any::<i64>()), 0..8)) {
        let mut bytes = Vec::new();
        for (number, shift, signed) in &numbers {
            varint::put(&mut bytes, number >> shift);
            varint::put_signed(&mut bytes, signed >> shift);
        }
        let mut rest = bytes.as_slice();
        for (number, shift, signed) in &numbers {
            prop_assert_eq!(varint::take(&mut rest), Some(number >> shift));
            prop_assert_eq!(varint::take_signed(&mut rest), Some(signed >> shift));
        }
        prop_assert!(rest.is_empty());
    }

    #[test]
    fn any_bytes_decode_or_give_none(bytes in prop::collection::vec(any::<u8>(), 0..12)) {
        let mut rest = bytes.as_slice();
        if let Some(number) = varint::take(&mut rest) {
            let read = bytes.len() - rest.len();
            prop_assert!((1..=10).contains(&read));
            let mut again = Vec::new();
            varint::put(&mut again, number);
            prop_assert!(again.len() <= read);
        }
    }
}

#[test]
fn extreme_numbers_take_at_most_ten_bytes() {
    for number in [i64::MIN, -1, 0, 1, i64::MAX] {
        let mut bytes = Vec::new();
        varint::put_signed(&mut bytes, number);
        assert_eq!(varint::take_signed(&mut bytes.as_slice()), Some(number));
    }
    let mut most = [0xff_u8; 10];
    most[9] = 1;
    assert_eq!(varint::take(&mut most.as_slice()), Some(u64::MAX));
    most[9] = 2;
    assert_eq!(varint::take(&mut most.as_slice()), None);
}
