//! Sizes of pictures, by the names of their columns: of several, the largest is read.

use super::column::Column;
use super::vocabulary::Field;
use super::words::Words;

/// Words of sizes, with the width in pixels that they usually mean.
const SIZES: &[(u32, &str)] = &[
    (100, "thumbnail thumbnails thumb thumbs small mini icon preview tiny xs sm"),
    (500, "medium med md normal"),
    (1_200, "large big xl lg xxl"),
    (3_000, "full original orig hd max huge high fullsize"),
];

/// Keys between a list of pictures and its sizes.
const BETWEEN: [&str; 8] = ["sizes", "size", "urls", "links", "variants", "formats", "versions", "src"];

/// The width that a word says: `large`, `v800`, `1280x1024`.
fn width(word: &str) -> Option<u32> {
    let known = SIZES.iter().find(|(_, words)| words.split(' ').any(|known| known == word)).map(|(width, _)| *width);
    let digits = word.split(|c: char| !c.is_ascii_digit()).find(|part| !part.is_empty());
    let is_size = word.len() <= 10 && word.chars().filter(char::is_ascii_alphabetic).count() <= 2;
    known.or_else(|| digits.filter(|_| is_size)?.parse().ok().filter(|width| (40..=8_000).contains(width)))
}

/// The width that a column's name says.
pub(super) fn of_column(column: &Column) -> Option<u32> {
    column.words.last.iter().find_map(|word| width(word))
}

/// How well a column fits the pictures, if its last key is a size: that of the key above.
pub(super) fn likeness(field: &Field, column: &Column) -> i32 {
    let is_size = !column.words.last.is_empty() && column.words.last.iter().all(|word| width(word).is_some());
    if field.name != "images" || !is_size {
        return 0;
    }
    let above = |words: &Words| words.with_last(Vec::new());
    let mut words = above(&column.words);
    if words.last.iter().all(|word| BETWEEN.contains(&word.as_str())) {
        words = above(&words);
    }
    let named = Column { words, cells: Vec::new(), name: String::new(), ..column.clone() };
    field.likeness(&named)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_say_sizes() {
        let of = |name: &str| of_column(&Column { words: Words::of(&[name.to_owned()]), ..Column::default() });
        assert_eq!([of("V150"), of("V800"), of("1280x1024")], [Some(150), Some(800), Some(1_280)]);
        assert!(of("thumbnail") < of("medium") && of("medium") < of("imageLarge") && of("large") < of("original"));
        assert_eq!([of("image"), of("photo1"), of("listing2026a")], [None; 3]);
    }
}
