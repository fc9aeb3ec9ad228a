//! What is compared of a listing.

use stoop_domain::{
    AreaPath, Currency, Entry, HOME_FIELDS, Home, HomeId, HomeValue, Minor, Phase, PropertyType, Purpose, Time,
};

use crate::street::StreetAddress;
use crate::words::is_trade;

/// What is compared of a listing: fields that seldom change, and the first price of its spell, so that a price change
/// never makes it another home.
#[derive(Clone, Debug, PartialEq)]
pub struct ListingTraits {
    /// `source/native ID`.
    pub id: HomeId,
    pub purpose: Purpose,
    pub currency: Currency,
    /// The narrowest area that is known to contain it.
    pub area: AreaPath,
    /// Street, number and unit, if the source tells them.
    pub street: Option<StreetAddress>,
    /// `Latitude` and `Longitude`, in millionths of a degree.
    pub coordinates: Option<(i32, i32)>,
    pub property_type: Option<PropertyType>,
    pub bedrooms: Option<u8>,
    /// In hundredths.
    pub bathrooms: Option<u16>,
    /// Floor area in hundredths of a square metre.
    pub living_area: Option<u64>,
    /// Area of the lot in hundredths of a square metre.
    pub lot_area: Option<u64>,
    pub year_built: Option<i16>,
    /// The original price of the last spell.
    pub first_price: Option<Minor>,
    /// The UTC day on which the last spell began, unless it had begun before the search did.
    pub listed: Option<i64>,
    /// The words of the headline, sorted, that say more than the other fields: no numbers, places and words of the trade.
    pub title: Vec<String>,
    /// The agency's own number of the home, if the headline has one: letters before it, and the number.
    pub reference: Option<(String, String)>,
    /// When it was on the market: first and last sighting of each stay, oldest first.
    pub on_market: Vec<(Time, Time)>,
}

impl ListingTraits {
    /// The traits of a stored listing. `None` if it is in no market.
    #[must_use]
    pub fn of(id: &HomeId, listing: &Home) -> Option<Self> {
        let facts = listing.history.current()?;
        let attributes = &listing.attributes;
        let [country, region, ..] = facts.market.area.levels();
        let country = format!("{country}-{region}").to_uppercase();
        let steps = listing.history.steps();
        let mut on_market: Vec<(Time, Time)> = Vec::new();
        for step in &steps {
            let interval = &step.interval;
            if !matches!(interval.facts.status.phase(), Phase::Active | Phase::Pending) {
                continue;
            }
            match on_market.last_mut().filter(|(_, last)| interval.first.ms() - last.ms() < Time::DAY_MS) {
                Some((_, last)) => *last = interval.last.max(*last),
                None => on_market.push((interval.first, interval.last)),
            }
        }
        let last = steps.iter().rposition(|step| step.entry.is_some() && step.entry != Some(Entry::BackOnMarket));
        let last = last.map(|at| &steps[at]).filter(|step| step.entry != Some(Entry::Initial));
        let mut traits = Self {
            id: id.clone(),
            purpose: facts.market.purpose,
            currency: facts.market.currency,
            area: facts.market.area.clone(),
            street: attributes.line.as_ref().and_then(|(_, line)| StreetAddress::parse(line, &country)),
            coordinates: attributes.coordinates.map(|(_, coordinates)| coordinates),
            property_type: facts.property_type,
            bedrooms: facts.bedrooms,
            bathrooms: None,
            living_area: facts.living_area.map(hundredths),
            lot_area: None,
            year_built: None,
            first_price: steps.iter().rev().find_map(|step| step.spell.original),
            listed: last.map(|step| step.spell.opened_at.ms().div_euclid(Time::DAY_MS)),
            title: attributes
                .title
                .as_ref()
                .map(|(_, title)| title_words(title, &facts.market.area))
                .unwrap_or_default(),
            reference: attributes.title.as_ref().and_then(|(_, title)| reference(title)),
            on_market,
        };
        for (field, value) in HOME_FIELDS.iter().zip(listing.values()) {
            match (field.name, value) {
                ("bathrooms", Some(HomeValue::Hundredths(bathrooms))) => traits.bathrooms = Some(bathrooms),
                ("lot_area", Some(HomeValue::Area(area))) => traits.lot_area = Some(hundredths(area)),
                ("year_built", Some(HomeValue::Year(year))) => traits.year_built = Some(year),
                _ => {}
            }
        }
        Some(traits)
    }

    /// The name of the source.
    #[must_use]
    pub fn source(&self) -> &str {
        self.id.as_str().split_once('/').map_or(self.id.as_str(), |(source, _)| source)
    }

    /// The unit that the address says.
    pub(crate) fn unit(&self) -> Option<&str> {
        self.street.as_ref().and_then(|street| street.unit.as_deref())
    }

    /// The floor that the address says.
    pub(crate) fn floor(&self) -> Option<&str> {
        self.street.as_ref().and_then(|street| street.floor.as_deref())
    }

    /// Whether it was on the market together with another listing.
    #[must_use]
    pub fn overlaps(&self, other: &Self) -> bool {
        self.on_market.iter().any(|(first, last)| {
            let days = |(from, to): &(Time, Time)| last.min(to) >= first.max(from);
            other.on_market.iter().any(days)
        })
    }
}

/// An area in hundredths of a square metre.
#[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "areas are positive and below 2^53")]
fn hundredths(area: stoop_domain::Area) -> u64 {
    (area.square_metres() * 100.0).round() as u64
}

/// What follows in a headline is a text.
const TITLE_WORDS_MAX: usize = 40;

/// The distinct words of a headline that have more than two letters, sorted, without those that most headlines of an area
/// have.
fn title_words(title: &str, area: &AreaPath) -> Vec<String> {
    let is_place = |word: &str| area.levels().iter().any(|slug| slug.split('-').any(|part| part == word));
    let slug = stoop_gazetteer::slug(title);
    let says_more = |word: &&str| {
        word.chars().count() > 2 && !word.contains(|c: char| c.is_numeric()) && !is_trade(word) && !is_place(word)
    };
    let mut words: Vec<String> = slug.split('-').filter(says_more).map(str::to_owned).collect();
    words.truncate(TITLE_WORDS_MAX);
    words.sort_unstable();
    words.dedup();
    words
}

/// The first word of a headline that looks like an agency's number: four to eight digits, alone or after letters, as in
/// `CMN-MA-1495` and `60520-Vente`. A year, an area and an amount are none.
fn reference(title: &str) -> Option<(String, String)> {
    let mut words =
        title.split(|c: char| c.is_whitespace() || matches!(c, ',' | ';' | ':' | '(' | ')' | '#')).peekable();
    while let Some(word) = words.next() {
        let Some(at) = word.find(|c: char| c.is_ascii_digit()) else { continue };
        let number: String = word[at..].chars().take_while(char::is_ascii_digit).collect();
        let (before, after) = (&word[..at], &word[at + number.len()..]);
        let is_year = number.len() == 4 && (number.starts_with("19") || number.starts_with("20"));
        // A unit or a currency follows an amount; a thousands separator is in one.
        let ends = after.is_empty() || after.starts_with(['-', '/', '_']);
        let measures = |next: &&str| {
            let next = next.to_lowercase();
            ["m", "dh", "mad", "eur", "usd", "sq", "ft", "\u{20ac}", "$"].iter().any(|unit| next.starts_with(unit))
                && next.len() <= 4
        };
        let is_amount = before.contains(['$', '\u{20ac}', '\u{a3}', '.']) || words.peek().is_some_and(measures);
        if (4..=8).contains(&number.len()) && ends && !is_year && !is_amount {
            let letters = before.chars().filter(|c| c.is_ascii_alphabetic()).map(|c| c.to_ascii_lowercase()).collect();
            return Some((letters, number));
        }
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_number_of_an_agency_is_found_in_a_headline() {
        let found = |title| reference(title).map(|(letters, number)| format!("{letters}{number}"));
        assert_eq!(found("CMN-MA-1495 - Appartement \u{e0} vendre").as_deref(), Some("cmnma1495"));
        assert_eq!(found("60520-Vente Appt \u{e0} Casablanca").as_deref(), Some("60520"));
        assert_eq!(found("Ref: AB4711, bright flat").as_deref(), Some("ab4711"));
        for title in
            ["Flat of 1200 sqft", "Built 2019", "126 m2", "$450000 only", "1.350.000 DH", "1350000 DH", "Apt 12"]
        {
            assert_eq!(found(title), None, "{title}");
        }
    }

    #[test]
    fn a_headline_is_compared_without_what_other_fields_say() {
        let area = AreaPath::parse("ma/casablanca-settat/casablanca/casablanca/maarif").expect("a path");
        let words =
            title_words("Appartement \u{e0} vendre 76 m\u{b2} \u{e0} Casablanca, vue sur le parc Yasmina", &area);
        assert_eq!(words, ["parc", "vue", "yasmina"]);
        let text: Vec<String> = ('a'..='z').flat_map(|a| ('a'..='z').map(move |b| format!("word{a}{b}"))).collect();
        assert_eq!(title_words(&text.join(" "), &area).len(), TITLE_WORDS_MAX, "what follows is a text");
    }
}
