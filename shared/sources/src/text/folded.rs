//! Texts in a form in which different spellings are equal.

/// Returns the text in lower case, without accents, its words separated by single spaces.
#[must_use]
pub fn folded(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for c in text.chars() {
        if c.is_alphanumeric() {
            fold(c, &mut out);
        } else if !out.ends_with(' ') && !out.is_empty() {
            out.push(' ');
        }
    }
    out.truncate(out.trim_end().len());
    out
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
            'ą' => out.push('a'),
            'ę' | 'ě' => out.push('e'),
            'ś' | 'š' | 'ş' => out.push('s'),
            'ź' | 'ż' | 'ž' => out.push('z'),
            'ć' | 'č' => out.push('c'),
            'ń' | 'ň' => out.push('n'),
            'ř' => out.push('r'),
            'ğ' => out.push('g'),
            'ı' => out.push('i'),
            'æ' => out.push_str("ae"),
            'ß' => out.push_str("ss"),
            '²' => out.push('2'),
            'œ' => out.push_str("oe"),
            other => out.push(other),
        }
    }
}
