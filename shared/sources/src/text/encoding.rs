//! Decodes other encodings to UTF-8.

/// Character encoding of a file.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Encoding {
    /// UTF-8.
    #[default]
    Utf8,
    /// Windows-1252, also for ISO 8859-1, which it extends.
    Windows1252,
    /// UTF-16, little-endian.
    Utf16Le,
    /// UTF-16, big-endian.
    Utf16Be,
}

/// Decodes bytes to UTF-8 in chunks. Invalid sequences become U+FFFD; UTF-8 input is not changed.
#[derive(Clone, Debug)]
pub struct Decoder {
    encoding: Encoding,
    /// The first byte of a code unit split between chunks.
    odd: Option<u8>,
    /// A high surrogate without its low surrogate.
    high: Option<u16>,
}

/// Characters 0x80 to 0x9F of Windows-1252; 0 where the Encoding Standard keeps the byte's value.
const WINDOWS_1252: [u16; 32] = [
    0x20AC, 0, 0x201A, 0x0192, 0x201E, 0x2026, 0x2020, 0x2021, 0x02C6, 0x2030, 0x0160, 0x2039, 0x0152, 0, 0x017D, 0, 0,
    0x2018, 0x2019, 0x201C, 0x201D, 0x2022, 0x2013, 0x2014, 0x02DC, 0x2122, 0x0161, 0x203A, 0x0153, 0, 0x017E, 0x0178,
];

impl Encoding {
    /// Names in maps, for messages.
    pub const NAMES: [&str; 6] = ["utf-8", "windows-1252", "iso-8859-1", "utf-16", "utf-16le", "utf-16be"];

    /// Parses one of [`Self::NAMES`]. `utf-16` is little-endian unless a byte order mark says otherwise.
    #[must_use]
    pub fn parse(name: &str) -> Option<Self> {
        Some(match name.to_ascii_lowercase().as_str() {
            "utf-8" => Self::Utf8,
            "windows-1252" | "iso-8859-1" => Self::Windows1252,
            "utf-16" | "utf-16le" => Self::Utf16Le,
            "utf-16be" => Self::Utf16Be,
            _ => return None,
        })
    }

    /// Name in maps.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Utf8 => "utf-8",
            Self::Windows1252 => "windows-1252",
            Self::Utf16Le => "utf-16le",
            Self::Utf16Be => "utf-16be",
        }
    }

    /// Detects the encoding by a byte order mark at the beginning.
    #[must_use]
    pub fn of_mark(beginning: &[u8]) -> Option<Self> {
        match beginning {
            [0xEF, 0xBB, 0xBF, ..] => Some(Self::Utf8),
            [0xFF, 0xFE, ..] => Some(Self::Utf16Le),
            [0xFE, 0xFF, ..] => Some(Self::Utf16Be),
            _ => None,
        }
    }

    /// Detects the encoding from the beginning of a file, with or without a mark. `cut`: the file continues, possibly
    /// in the middle of a character.
    #[must_use]
    pub fn guess(beginning: &[u8], cut: bool) -> Self {
        if let Some(encoding) = Self::of_mark(beginning) {
            return encoding;
        }
        // Punctuation and digits are in every text. In UTF-16, one byte of each is zero, which no other text contains.
        let zeros = |from: usize| beginning.iter().skip(from).step_by(2).filter(|byte| **byte == 0).count();
        let (first, second) = (zeros(0), zeros(1));
        if (first + second) * 4 > beginning.len() {
            return if second >= first { Self::Utf16Le } else { Self::Utf16Be };
        }
        match std::str::from_utf8(beginning) {
            Ok(_) => Self::Utf8,
            Err(error) if cut && error.error_len().is_none() => Self::Utf8,
            Err(_) => Self::Windows1252,
        }
    }
}

impl Decoder {
    /// Creates a decoder without input.
    #[must_use]
    pub fn new(encoding: Encoding) -> Self {
        Self { encoding, odd: None, high: None }
    }

    /// Appends the decoded `bytes` to `out`: at most three bytes for each, and three more.
    pub fn decode(&mut self, bytes: &[u8], out: &mut Vec<u8>) {
        match self.encoding {
            Encoding::Utf8 => out.extend_from_slice(bytes),
            Encoding::Windows1252 => {
                for byte in bytes {
                    let special = byte.checked_sub(0x80).and_then(|at| WINDOWS_1252.get(usize::from(at)).copied());
                    put(out, u32::from(special.filter(|code| *code != 0).unwrap_or(u16::from(*byte))));
                }
            }
            Encoding::Utf16Le | Encoding::Utf16Be => {
                for byte in bytes {
                    match self.odd.take() {
                        None => self.odd = Some(*byte),
                        Some(first) if self.encoding == Encoding::Utf16Le => {
                            self.unit(u16::from_le_bytes([first, *byte]), out);
                        }
                        Some(first) => self.unit(u16::from_be_bytes([first, *byte]), out),
                    }
                }
            }
        }
    }

    /// Ends the input: an incomplete character becomes U+FFFD.
    pub fn finish(&mut self, out: &mut Vec<u8>) {
        if self.odd.take().is_some() | self.high.take().is_some() {
            put(out, UNKNOWN);
        }
    }

    fn unit(&mut self, unit: u16, out: &mut Vec<u8>) {
        match (self.high.take(), unit) {
            (Some(high), 0xDC00..=0xDFFF) => {
                put(out, 0x1_0000 + ((u32::from(high) - 0xD800) << 10) + (u32::from(unit) - 0xDC00));
            }
            (high, unit) => {
                if high.is_some() {
                    put(out, UNKNOWN);
                }
                match unit {
                    0xD800..=0xDBFF => self.high = Some(unit),
                    _ => put(out, u32::from(unit)),
                }
            }
        }
    }
}

const UNKNOWN: u32 = 0xFFFD;

fn put(out: &mut Vec<u8>, code: u32) {
    let letter = char::from_u32(code).unwrap_or(char::REPLACEMENT_CHARACTER);
    out.extend_from_slice(letter.encode_utf8(&mut [0; 4]).as_bytes());
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    /// Decodes byte by byte.
    fn decoded(encoding: Encoding, bytes: &[u8]) -> String {
        let (mut decoder, mut out) = (Decoder::new(encoding), Vec::new());
        bytes.iter().for_each(|byte| decoder.decode(&[*byte], &mut out));
        decoder.finish(&mut out);
        String::from_utf8(out).unwrap()
    }

    #[test]
    fn each_encoding_is_read() {
        assert_eq!(decoded(Encoding::Windows1252, b"Stra\xdfe 5, 600 \x80 \x96 \x81"), "Straße 5, 600 € – \u{81}");
        assert_eq!(decoded(Encoding::Utf16Le, b"\xac\x20\x3c\xd8\xe0\xdf"), "€🏠");
        assert_eq!(decoded(Encoding::Utf16Be, b"\x20\xac\xd8\x3c\xdf\xe0"), "€🏠");
        assert_eq!(decoded(Encoding::Utf16Le, b"a\0\x3c\xd8b\0c"), "a\u{fffd}b\u{fffd}");
        assert_eq!(decoded(Encoding::Utf16Be, b"\xdf\xe0"), "\u{fffd}");
    }

    #[test]
    fn the_encoding_is_reported_from_the_beginning() {
        let utf16: Vec<u8> = "id;Straße\n".encode_utf16().flat_map(u16::to_le_bytes).collect();
        for (bytes, cut, encoding) in [
            (&b"id,price\n1,5\n"[..], false, Encoding::Utf8),
            ("Straße".as_bytes(), false, Encoding::Utf8),
            (&"Straß".as_bytes()[..5], true, Encoding::Utf8),
            (&"Straß".as_bytes()[..5], false, Encoding::Windows1252),
            (b"Stra\xdfe", true, Encoding::Windows1252),
            (&utf16, false, Encoding::Utf16Le),
            (&utf16[1..], true, Encoding::Utf16Be),
            (b"\xfe\xff", false, Encoding::Utf16Be),
            (b"", false, Encoding::Utf8),
        ] {
            assert_eq!(Encoding::guess(bytes, cut), encoding, "{bytes:?}");
        }
        for name in Encoding::NAMES {
            assert!(Encoding::parse(name).is_some_and(|encoding| Encoding::parse(encoding.name()) == Some(encoding)));
        }
    }

    proptest! {
        #[test]
        fn utf_16_of_any_text_is_that_text(text in ".*") {
            let bytes = |order: fn(u16) -> [u8; 2]| text.encode_utf16().flat_map(order).collect::<Vec<u8>>();
            prop_assert_eq!(&decoded(Encoding::Utf16Le, &bytes(u16::to_le_bytes)), &text);
            prop_assert_eq!(&decoded(Encoding::Utf16Be, &bytes(u16::to_be_bytes)), &text);
        }

        #[test]
        fn any_bytes_become_text_of_bounded_length(bytes in prop::collection::vec(any::<u8>(), 0..200)) {
            for encoding in [Encoding::Windows1252, Encoding::Utf16Le, Encoding::Utf16Be] {
                prop_assert!(decoded(encoding, &bytes).len() <= 3 * bytes.len() + 3);
            }
        }
    }
}
