//! How well a column's name fits a field. Names suggest; the values decide.

use std::sync::LazyLock;

use super::column::Column;
use super::names::{ANYWHERE, NEUTRAL, TABLE};
use super::words::{Phrase, Words};

/// A field of a listing and the possible names of its column.
pub(super) struct Field {
    /// Name in maps.
    pub(super) name: &'static str,
    /// Possible names, each with a confidence of up to 100.
    phrases: Vec<(Phrase, i32)>,
    /// Words that change the meaning if the name contains them.
    not: Vec<&'static str>,
}

/// [`TABLE`], parsed.
pub(super) static FIELDS: LazyLock<Vec<Field>> = LazyLock::new(|| {
    let phrases = |text: &'static str| {
        let groups = text.split("; ").filter_map(|group| group.split_once(": "));
        let sure = groups.filter_map(|(sure, names)| Some((sure.parse::<i32>().ok()?, names)));
        sure.flat_map(|(sure, names)| names.split(", ").map(move |name| (Phrase::of(name), sure))).collect()
    };
    let field = |(name, names, not): &(&'static str, &'static str, &'static str)| Field {
        name,
        phrases: phrases(names),
        not: not.split_whitespace().collect(),
    };
    TABLE.iter().map(field).collect()
});

/// The fields that are about others.
const ABOUT_OTHERS: [&str; 2] = ["seller", "agency"];

fn is_one(word: &str, list: &str) -> bool {
    list.split_whitespace().any(|known| known == word)
}

/// Whether a field is about people and firms.
fn is_about_others(field: &str) -> bool {
    ABOUT_OTHERS.contains(&field)
}

impl Field {
    /// How well a column's name fits this field, from 0 to 100; less for nested columns, and 0 for values that are not
    /// the listing's own.
    pub(super) fn likeness(&self, column: &Column) -> i32 {
        let Some((like, phrase, sure)) = self.best(column) else { return 0 };
        let says = |word: &&'static str| like == 100 && phrase.words.contains(word);
        if let Some(owner) = &column.owner
            && !is_about_others(self.name)
            && !(like == 100 && phrase.words.contains(&owner.as_str()))
        {
            return 0;
        }
        // A phrase that itself contains such a word is meant as written.
        // "Rate per sqft" is no area, although its unit is one.
        let words = if self.name.ends_with("_area") { &column.words } else { self.meant(column) };
        // The name of a list of features is none of a feature: "mainFeatures".
        let is_away = if column.is_keyed() && !self.is_measured() {
            words.last.iter().any(|word| self.not.contains(&word.as_str()))
        } else {
            words.have(&self.not)
        };
        let away = if is_away && !self.not.iter().any(says) { 60 } else { 0 };
        let depth = 3 * i32::try_from(column.depth).unwrap_or(20);
        let list = if column.in_list { 12 } else { 0 };
        (like * sure / 100 - away - depth - list).max(0)
    }

    /// How well a column's name alone fits this field, whatever stands above it and whatever words exclude it.
    pub(super) fn named(&self, column: &Column) -> i32 {
        self.best(column).map_or(0, |(like, _, sure)| like * sure / 100)
    }

    /// The word in a column's name that excludes it from this field, if its name is like it otherwise.
    pub(super) fn excluded<'c>(&self, column: &'c Column) -> Option<&'c str> {
        self.meant(column).last.iter().find(|word| self.not.contains(&word.as_str())).map(String::as_str)
    }

    fn best(&self, column: &Column) -> Option<(i32, &Phrase, i32)> {
        let is_measured = self.is_measured() && !column.measure.is_plain();
        let names = [Some(&column.words), is_measured.then_some(&column.measure.core)];
        let likes = names
            .into_iter()
            .flatten()
            .flat_map(|words| self.phrases.iter().map(|(phrase, sure)| (words.likeness(phrase), phrase, *sure)));
        likes.max_by_key(|(like, _, sure)| like * *sure)
    }

    /// The words of a column's name without those that say its unit.
    fn meant<'c>(&self, column: &'c Column) -> &'c Words {
        if self.is_measured() && !column.measure.is_plain() { &column.measure.core } else { &column.words }
    }

    /// Whether its values are amounts or areas, whose names may have units.
    fn is_measured(&self) -> bool {
        matches!(
            self.name,
            "list_price" | "original_list_price" | "previous_list_price" | "close_price" | "living_area" | "lot_area"
        )
    }

    /// The first word of a column's name that neither its names have nor is known to change nothing. A name that is one of the
    /// field's as a whole has none.
    pub(super) fn unread(&self, column: &Column) -> Option<String> {
        const PROVED_BY_VALUES: [&str; 4] = ["images", "description", "amenities", "currency"];
        let like = self.best(column).map_or(0, |(like, ..)| like);
        // Whatever its name is, a column that says sale in some rows and rent in all others is the purpose.
        let is_shaped = like == 0 && self.name == "purpose";
        if like >= 90 || is_shaped || PROVED_BY_VALUES.contains(&self.name) {
            return None;
        }
        let meant = if column.measure.is_plain() { &column.words } else { &column.measure.core };
        let words = if meant.says_nothing() { meant.above.last().unwrap_or(&meant.last) } else { &meant.last };
        words.iter().find(|word| !self.knows(word) && !is_one(word, ANYWHERE)).cloned()
    }

    /// The words of a column's name that neither a name of this field has nor a unit, and that may change its meaning.
    pub(super) fn unknown_words(&self, column: &Column) -> Vec<String> {
        column.measure.rest.iter().filter(|word| !self.knows(word)).cloned().collect()
    }

    /// Whether a word is in a name of this field, or changes nothing.
    fn knows(&self, word: &str) -> bool {
        is_one(word, NEUTRAL)
            || self.phrases.iter().any(|(phrase, _)| phrase.words.contains(&word) || phrase.joined() == word)
            || word.bytes().all(|byte| byte.is_ascii_digit())
    }
}

/// Returns the field of this name.
pub(super) fn field(name: &str) -> Option<&'static Field> {
    FIELDS.iter().find(|field| field.name == name)
}

#[cfg(test)]
mod tests {
    use super::super::measures::Measure;
    use super::*;
    use stoop_sources::text::folded;

    fn best(path: &[&str]) -> &'static str {
        let path: Vec<String> = path.iter().map(|key| (*key).to_owned()).collect();
        let words = Words::of(&path);
        let measure = Measure::of(&words, path.last().unwrap());
        let column = Column { words, measure, depth: path.len() - 1, ..Column::default() };
        FIELDS.iter().map(|field| (field.likeness(&column), field.name)).max_by_key(|(like, _)| *like).unwrap().1
    }

    #[test]
    fn names_in_four_languages_are_known() {
        for (path, field) in [
            (&["listPrice"][..], "list_price"),
            (&["price", "amount"], "list_price"),
            (&["Kaufpreis"], "list_price"),
            (&["originalListPrice"], "original_list_price"),
            (&["Wohnfläche"], "living_area"),
            (&["Grundstücksfläche"], "lot_area"),
            (&["sqft_lot"], "lot_area"),
            (&["attributes", "Salle de bain"], "bathrooms"),
            (&["Nb. de chambres"], "bedrooms"),
            (&["dormitorios"], "bedrooms"),
            (&["code_postal"], "postal_code"),
            (&["PLZ"], "postal_code"),
            (&["location", "address", "state_code"], "region"),
            (&["geo", "lng"], "longitude"),
            (&["ModificationTimestamp"], "observed_at"),
            (&["datePriceChanged"], "price_changed_at"),
            (&["fecha_publicacion"], "listed_at"),
            (&["detailUrl"], "url"),
            (&["ClosePrice"], "close_price"),
            (&["lastSoldPrice"], "close_price"),
            (&["CloseDate"], "close_date"),
            (&["dateSold"], "close_date"),
            (&["yr_built"], "year_built"),
            (&["Baujahr"], "year_built"),
            (&["AssociationFee"], "association_fee"),
            (&["hoa", "fee"], "association_fee"),
            (&["attributes", "Frais de syndic / mois"], "association_fee"),
        ] {
            assert_eq!(best(path), field, "{path:?}");
        }
    }

    #[test]
    fn phrases_are_written_as_names_are_compared() {
        for (field, (name, names, _)) in FIELDS.iter().zip(TABLE) {
            assert_eq!(field.name, *name);
            assert_eq!(field.phrases.len(), names.split([',', ';']).count(), "{name}");
            for (phrase, sure) in &field.phrases {
                assert_eq!(folded(&phrase.words.join(" ")), phrase.words.join(" "), "{name}");
                assert!((1..=100).contains(sure));
            }
        }
    }
}
