use stoop_domain::{Sighting, Time, varint};

const VERSIONED: u8 = 1;
const INITIAL: u8 = 2;
/// `at` differs from `seen` and follows.
const AT: u8 = 4;
/// `seq` is not 0 and follows.
const SEQ: u8 = 8;
/// Equal to the sighting before.
const SAME: u8 = 16;

/// Encodes a sighting relative to the one before it: marks, the difference of `seen`, and the values that the marks
/// announce.
pub(super) fn put_sighting(bytes: &mut Vec<u8>, sighting: &Sighting, before: &Sighting) {
    if sighting == before {
        bytes.push(SAME);
        return;
    }
    let Sighting { at, seen, seq, versioned, initial } = *sighting;
    let mark = |is_set: bool, mark: u8| if is_set { mark } else { 0 };
    bytes.push(mark(versioned, VERSIONED) | mark(initial, INITIAL) | mark(at != seen, AT) | mark(seq > 0, SEQ));
    varint::put_signed(bytes, seen.ms().wrapping_sub(before.seen.ms()));
    if at != seen {
        varint::put_signed(bytes, seen.ms().wrapping_sub(at.ms()));
    }
    if seq > 0 {
        varint::put(bytes, u64::from(seq));
    }
}

/// Decodes the format of [`put_sighting`]. Refuses other encodings of the same sighting.
pub(super) fn take_sighting(bytes: &mut &[u8], before: &Sighting) -> Option<Sighting> {
    let (&marks, rest) = bytes.split_first()?;
    *bytes = rest;
    if marks == SAME {
        return Some(*before);
    }
    if marks >= SAME {
        return None;
    }
    let seen = time_after(before.seen, varint::take_signed(bytes)?)?;
    let at = match marks & AT {
        0 => seen,
        _ => {
            let at = time_after(seen, varint::take_signed(bytes)?.checked_neg()?)?;
            (at < seen).then_some(at)?
        }
    };
    let seq = match marks & SEQ {
        0 => 0,
        _ => {
            let seq = u32::try_from(varint::take(bytes)?).ok()?;
            (seq > 0).then_some(seq)?
        }
    };
    let sighting = Sighting { at, seen, seq, versioned: marks & VERSIONED != 0, initial: marks & INITIAL != 0 };
    (sighting != *before).then_some(sighting)
}

/// The time `ms` milliseconds after `before`. `None` if it is out of range.
pub(super) fn time_after(before: Time, ms: i64) -> Option<Time> {
    let ms = before.ms().checked_add(ms)?;
    let time = Time::from_ms(ms);
    (time.ms() == ms).then_some(time)
}
