//! Postal codes as tables spoil them: without leading zeros, with the `.0` of a number, beside other words.

/// How many digits the postal codes of a country have, where some begin with 0. A table that takes them for numbers loses
/// those zeros. Other countries have none that begin with 0, or letters.
const DIGITS: [(&str, usize); 30] = [
    ("us", 5),
    ("de", 5),
    ("fr", 5),
    ("es", 5),
    ("it", 5),
    ("mx", 5),
    ("fi", 5),
    ("ee", 5),
    ("lt", 5),
    ("ua", 5),
    ("dz", 5),
    ("tr", 5),
    ("pe", 5),
    ("my", 5),
    ("kr", 5),
    ("gt", 5),
    ("ke", 5),
    ("lk", 5),
    ("au", 4),
    ("no", 4),
    ("dk", 4),
    ("za", 4),
    ("nz", 4),
    ("ro", 6),
    ("ec", 6),
    ("kz", 6),
    ("cn", 6),
    ("sg", 6),
    ("jp", 7),
    ("br", 8),
];

/// How many leading zeros a table may have lost: postal codes begin with at most two.
const LOST_MAX: usize = 2;

/// The number of digits of the postal codes of a country that may begin with 0.
pub(crate) fn digits_of(country: &str) -> Option<usize> {
    DIGITS.iter().find(|(code, _)| *code == country).map(|(_, digits)| *digits)
}

/// A postal code without what a table or a person added: `4109.0` is `04109` in Germany, and in the United States `CT 06103`, `06103,
/// USA` and `06103-1234` as well. A short ZIP stays short here: only its state says whether it lost zeros. `None` if it is as
/// it should be, or if nothing is known that it should be.
pub(crate) fn mended(country: &str, given: &str) -> Option<String> {
    let is_number = |text: &str| !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
    let mut code = given.trim();
    if let Some((whole, part)) = code.split_once('.')
        && is_number(whole)
        && !part.is_empty()
        && part.bytes().all(|byte| byte == b'0')
    {
        code = whole;
    }
    let digits = digits_of(country);
    if country == "us" {
        code = zip(code).unwrap_or(code);
    } else if let Some(digits) = digits {
        // One number among words: `0150 Oslo`, `D-04109`.
        let mut numbers = code.split(|c: char| !c.is_ascii_digit()).filter(|part| !part.is_empty());
        if let (Some(only), None) = (numbers.next(), numbers.next())
            && code.contains(|c: char| c.is_alphabetic())
            && only.len() == digits
        {
            code = only;
        }
    }
    let lost = digits.filter(|_| is_number(code) && country != "us").and_then(|digits| digits.checked_sub(code.len()));
    let zeros = lost.filter(|lost| *lost <= LOST_MAX).unwrap_or(0);
    (zeros > 0 || code != given).then(|| format!("{}{code}", "0".repeat(zeros)))
}

/// The ZIP in a text: the first number of five digits, or of three or four. Four more digits are left out.
fn zip(text: &str) -> Option<&str> {
    let numbers = || text.split(|c: char| !c.is_ascii_digit()).filter(|part| !part.is_empty());
    let find = |lengths: &[usize]| numbers().find(|number| lengths.contains(&number.len()));
    match (find(&[5, 9]), find(&[8]), numbers().next()) {
        (Some(zip), ..) => zip.get(..5),
        // ZIP and four more digits, as one number that lost its zero.
        (None, Some(both), _) => both.get(..4),
        (None, None, Some(first)) if matches!(first.len(), 3 | 4) => Some(first),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn codes_lose_what_tables_add_and_regain_their_zeros() {
        for (country, given, right) in [
            ("us", "6103.0", "6103"),
            ("us", "06103.0", "06103"),
            ("us", "83702.0", "83702"),
            ("us", "CT 06103", "06103"),
            ("us", "CT06103", "06103"),
            ("us", "06103, USA", "06103"),
            ("us", "06103-1234", "06103"),
            ("us", "061031234", "06103"),
            ("us", "61031234", "6103"),
            ("us", "2139-4307", "2139"),
            ("us", "907", "907"),
            ("us", "907.00", "907"),
            ("us", "06103", "06103"),
            ("us", "12", "12"),
            ("de", "4109", "04109"),
            ("de", "4109.0", "04109"),
            ("de", "D-04109", "04109"),
            ("fr", "6000.0", "06000"),
            ("es", "8001", "08001"),
            ("au", "800.0", "0800"),
            ("no", "150", "0150"),
            ("jp", "600001", "0600001"),
            ("at", "1070.0", "1070"),
            ("ch", "8001.0", "8001"),
            ("nl", "1012.0", "1012"),
            ("gb", "SW1A 1AA", "SW1A 1AA"),
            ("br", "01310-100", "01310-100"),
            ("pl", "00-001", "00-001"),
            ("in", "560001", "560001"),
        ] {
            assert_eq!(mended(country, given).as_deref().unwrap_or(given), right, "{country} {given}");
        }
    }
}
