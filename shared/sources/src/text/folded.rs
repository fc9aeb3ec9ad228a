//! Texts in a form in which different spellings are equal.

/// Returns the text in lower case, without accents, its words separated by single spaces.
#[must_use]
pub fn folded(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for c in text.chars() {
        if c.is_alphanumeric() || is_mark(c) || c == '㎡' {
            fold(c, &mut out);
        } else if !out.ends_with(' ') && !out.is_empty() {
            out.push(' ');
        }
    }
    out.truncate(out.trim_end().len());
    out
}

/// Whether a character is the accent of the letter before it, which some systems write apart.
#[must_use]
pub fn is_mark(c: char) -> bool {
    matches!(c, '\u{300}'..='\u{36f}')
}

/// Adds a letter in lower case, without its accent.
pub fn fold(c: char, out: &mut String) {
    for c in c.to_lowercase() {
        match c {
            'à' | 'á' | 'â' | 'ã' | 'ä' | 'å' => out.push('a'),
            'ç' => out.push('c'),
            'è' | 'é' | 'ê' | 'ë' => out.push('e'),
            'ì' | 'í' | 'î' | 'ï' => out.push('i'),
            'ñ' => out.push('n'),
            'ò' | 'ó' | 'ô' | 'õ' | 'ö' => out.push('o'),
            'ù' | 'ú' | 'û' | 'ü' => out.push('u'),
            'ø' | 'ő' => out.push('o'),
            'ű' | 'ů' => out.push('u'),
            'ý' | 'ÿ' => out.push('y'),
            'ł' => out.push('l'),
            'ą' | 'ă' | '\u{1ea0}'..='\u{1eb7}' => out.push('a'),
            'ę' | 'ě' | '\u{1eb8}'..='\u{1ec7}' => out.push('e'),
            'ĩ' | '\u{1ec8}'..='\u{1ecb}' => out.push('i'),
            'ơ' | '\u{1ecc}'..='\u{1ee3}' => out.push('o'),
            'ư' | 'ũ' | '\u{1ee4}'..='\u{1ef1}' => out.push('u'),
            '\u{1ef2}'..='\u{1ef9}' => out.push('y'),
            'đ' => out.push('d'),
            'ț' | 'ţ' => out.push('t'),
            'ś' | 'š' | 'ş' | 'ș' => out.push('s'),
            'ź' | 'ż' | 'ž' => out.push('z'),
            'ć' | 'č' => out.push('c'),
            'ń' | 'ň' => out.push('n'),
            'ř' => out.push('r'),
            'ğ' => out.push('g'),
            'ı' => out.push('i'),
            // The small form of İ is an i with a dot of its own.
            c if is_mark(c) => {}
            '㎡' => out.push_str("m2"),
            'æ' => out.push_str("ae"),
            'ß' => out.push_str("ss"),
            '²' => out.push('2'),
            'œ' => out.push_str("oe"),
            other => out.push(other),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn spellings_of_one_name_are_equal() {
        assert_eq!(folded("İlçe"), "ilce");
        assert_eq!(folded("İlan No"), "ilan no");
        assert_eq!(folded("Re\u{301}gion"), folded("Région"));
        assert_eq!(folded("Brüt m²"), "brut m2");
        assert_eq!(folded("専有面積（㎡）"), "専有面積 m2");
        assert_eq!(folded("Suprafață Județ"), "suprafata judet");
        assert_eq!(
            folded("Quận/Huyện, Diện tích, Phường, Số phòng ngủ, Đường"),
            "quan huyen dien tich phuong so phong ngu duong"
        );
    }
}
