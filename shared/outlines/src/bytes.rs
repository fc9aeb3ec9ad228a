//! Numbers in bytes.

/// Bytes that are read from the front. `None` is the end of damaged bytes.
pub(crate) struct Bytes<'b>(pub(crate) &'b [u8]);

impl<'b> Bytes<'b> {
    /// A whole number: LEB128 of at most nine bytes.
    pub(crate) fn number(&mut self) -> Option<u64> {
        let mut value = 0_u64;
        for shift in (0..63).step_by(7) {
            let (first, rest) = self.0.split_first()?;
            self.0 = rest;
            value |= u64::from(first & 127) << shift;
            if first & 128 == 0 {
                return Some(value);
            }
        }
        None
    }

    /// A signed number in zigzag: 0, -1, 1, -2, ...
    pub(crate) fn signed(&mut self) -> Option<i64> {
        let number = self.number()?;
        let half = i64::try_from(number >> 1).ok()?;
        Some(if number & 1 == 0 { half } else { -half - 1 })
    }

    /// A length, and so many bytes.
    pub(crate) fn part(&mut self) -> Option<&'b [u8]> {
        let length = usize::try_from(self.number()?).ok()?;
        let (part, rest) = self.0.split_at_checked(length)?;
        self.0 = rest;
        Some(part)
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn numbers_are_read_from_the_front() {
        let mut bytes = Bytes(&[0x05, 0xac, 0x02, 0x03, 0x04, 0x02, b'a', b'b', 0x09]);
        assert_eq!((bytes.number(), bytes.number()), (Some(5), Some(300)));
        assert_eq!((bytes.signed(), bytes.signed()), (Some(-2), Some(2)));
        assert_eq!(bytes.part(), Some(&b"ab"[..]));
        assert_eq!(bytes.part(), None);
    }

    proptest! {
        #[test]
        fn damaged_bytes_end_without_a_panic(bytes in prop::collection::vec(any::<u8>(), 0..40)) {
            let mut left = Bytes(&bytes);
            while left.signed().is_some() {}
            let mut left = Bytes(&bytes);
            while left.part().is_some() {}
            prop_assert!(left.0.len() <= bytes.len());
        }
    }
}
