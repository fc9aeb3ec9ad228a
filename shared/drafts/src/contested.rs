//! Lines that something speaks against: another column that is as likely and says something else, or places that are known at
//! another level.

use stoop_gazetteer::{Gazetteer, Level};
use stoop_sources::text::folded;

use super::column::{Column, ratio};
use super::guess::{Chosen, Guess, SURE, shown};
use super::known::Known;
use super::local;
use super::per_area;
use super::sample::Sample;

/// How much less likely another column may be and still be a rival.
const CLOSE: i32 = 3;

/// The same for another area whose name has a word that is not understood.
const CLOSE_AREA: i32 = 12;

/// The share of rows in which a rival says something else.
const DIFFERS_MIN: f64 = 0.1;

/// Fields whose second column is no rival: of IDs, texts and pictures each one is right, and the types have rules of their own.
const MANY: [&str; 10] = [
    "native_id",
    "observed_at",
    "purpose",
    "status",
    "property_type",
    "currency",
    "description",
    "images",
    "amenities",
    "url",
];

/// Words of a date that say that it is that of the beginning.
const BEGINNINGS: [&str; 9] =
    ["list", "listed", "listing", "publish", "published", "publication", "market", "online", "first"];

/// Words of an area that say themselves that it is more than that of the rooms.
const WIDER: [&str; 8] = ["gross", "brut", "brutto", "bruta", "building", "roof", "lot", "plot"];

/// Makes doubts of lines that are contested.
pub(super) fn settle(guesses: &[(usize, Guess)], sample: &Sample, known: &Known, chosen: &mut Chosen) {
    let contest = Contest { guesses, sample, chosen };
    let doubt = |guess: &Guess| contest.doubt(guess).or_else(|| level(guess, sample, known));
    let doubts: Vec<(&'static str, String)> =
        chosen.sure.iter().filter_map(|guess| Some((guess.field, doubt(guess)?))).collect();
    for (field, doubt) in doubts {
        if let Some(at) = chosen.sure.iter().position(|guess| guess.field == field) {
            let guess = chosen.sure.remove(at);
            chosen.unsure.push(guess.doubted(doubt));
        }
    }
}

fn column<'s>(guess: &Guess, sample: &'s Sample) -> Option<&'s Column> {
    let name = guess.columns.first()?;
    sample.columns.iter().find(|column| column.name == *name)
}

/// What other columns say against a line.
struct Contest<'a> {
    guesses: &'a [(usize, Guess)],
    sample: &'a Sample,
    chosen: &'a Chosen,
}

impl<'a> Contest<'a> {
    fn doubt(&self, guess: &Guess) -> Option<String> {
        let own = column(guess, self.sample)?;
        self.rival(guess, own).or_else(|| self.larger(guess, own)).or_else(|| self.earlier(guess, own))
    }

    /// Other guesses for the same field, whose columns are read for no other one.
    fn others(&self, guess: &Guess) -> impl Iterator<Item = &'a Guess> {
        let (field, chosen) = (guess.field, self.chosen);
        let is_free = |other: &Guess| !chosen.sure.iter().any(|sure| sure.columns.contains(&other.columns[0]));
        self.guesses.iter().map(|(_, other)| other).filter(move |other| other.field == field && is_free(other))
    }

    /// Another column that is as likely as the chosen one and says something else.
    fn rival(&self, guess: &Guess, own: &Column) -> Option<String> {
        if MANY.contains(&guess.field) || guess.columns.len() != 1 {
            return None;
        }
        // An area with a word that is not understood may be the better one: "saleable" beside "gross".
        let is_near = |other: &&Guess| match &other.doubt {
            None => other.score >= SURE.max(guess.score - CLOSE),
            Some(_) => guess.field == "living_area" && other.score >= SURE.max(guess.score - CLOSE_AREA),
        };
        let is_rival = |beside: &&Column| {
            share_of_pairs(own, beside, |a, b| Some(!is_same(a, b))) >= DIFFERS_MIN
                && !per_area::is_per_area(beside, own, self.guesses, self.sample)
        };
        let mut near = self.others(guess).filter(is_near).filter_map(|other| column(other, self.sample));
        let beside = near.find(is_rival)?;
        Some(format!("{} is about as likely, and says something else.", shown(&beside.name)))
    }

    /// Another area of the home that is larger by far: where the living area is that of the rooms alone, that is not the size
    /// of the home.
    fn larger(&self, guess: &Guess, own: &Column) -> Option<String> {
        if guess.field != "living_area" {
            return None;
        }
        let number = |text: &str| text.parse::<f64>().ok().filter(|number| *number > 0.0);
        let is_far = |a: &str, b: &str| Some(FAR.contains(&(number(b)? / number(a)?)));
        let is_larger = |other: &&Column| !other.words.have(&WIDER) && share_of_pairs(own, other, is_far) > 0.5;
        let sure = self.others(guess).filter(|other| other.doubt.is_none() && other.score >= SURE);
        let other = sure.filter_map(|other| column(other, self.sample)).find(is_larger)?;
        Some(format!("{} is larger by far: which is the size of the home?", shown(&other.name)))
    }

    /// Another date of the beginning that is earlier: the chosen one may be when the listing was shown again.
    fn earlier(&self, guess: &Guess, own: &Column) -> Option<String> {
        if guess.field != "listed_at" || own.words.have(&BEGINNINGS) {
            return None;
        }
        // Dates that are written from the year on are in the order of their letters.
        let day = |text: &str| text.get(..10).filter(|day| day.contains('-')).map(str::to_owned);
        let is_before = |a: &str, b: &str| Some(day(b)? < day(a)?);
        let format = |guess: &Guess| guess.keys.iter().find(|(key, _)| *key == "date").cloned();
        let is_alike = |other: &&Guess| other.doubt.is_none() && other.score >= SURE && format(other) == format(guess);
        let is_earlier = |other: &&Column| share_of_pairs(own, other, is_before) >= DIFFERS_MIN;
        let alike = self.others(guess).filter(is_alike);
        let other = alike.filter_map(|other| column(other, self.sample)).find(is_earlier)?;
        Some(format!("{} is earlier: which is the beginning of the offer?", shown(&other.name)))
    }
}

/// The share of rows with both values, and with an answer, in which it is yes.
fn share_of_pairs(own: &Column, other: &Column, holds: impl Fn(&str, &str) -> Option<bool>) -> f64 {
    let pairs = own.cells.iter().zip(&other.cells);
    let answers: Vec<bool> = pairs.filter_map(|(a, b)| holds(a.text()?, b.text()?)).collect();
    ratio(answers.iter().filter(|yes| **yes).count(), answers.len())
}

/// How many times as large another area is that may be the size of the home; one that is larger still is that of the land.
const FAR: std::ops::Range<f64> = 1.35..3.0;

/// How far two numbers may be apart and still be the same, rounded in one of them.
const NEARLY: f64 = 0.01;

/// Whether two texts say the same, however it is written: `395000` and `€ 395.000`.
fn is_same(one: &str, other: &str) -> bool {
    if let (Ok(a), Ok(b)) = (one.parse::<f64>(), other.parse::<f64>()) {
        return (a - b).abs() <= NEARLY * a.abs().max(b.abs());
    }
    let digits = |text: &str| text.chars().filter(char::is_ascii_digit).collect::<String>();
    let (a, b) = (folded(one), folded(other));
    let one_in_other = !a.is_empty() && !b.is_empty() && (a.contains(&b) || b.contains(&a));
    a == b || one_in_other || (!digits(one).is_empty() && digits(one) == digits(other))
}

/// The level that most places of a column have, if it is another one than that of the field.
fn level(guess: &Guess, sample: &Sample, known: &Known) -> Option<String> {
    let own = match guess.field {
        "region" => Level::Region,
        "county" => Level::County,
        "city" => Level::City,
        "neighbourhood" => Level::Area,
        _ => return None,
    };
    let (code, _) = known.country.as_ref()?;
    let column = column(guess, sample)?;
    let is_vague = column.words.last.iter().any(|word| VAGUE.contains(&word.as_str()));
    let steps = i32::from(!is_vague);
    let inside = format!("{}/", code.to_ascii_lowercase());
    let names: std::collections::BTreeSet<&str> = column.texts().collect();
    let mut far: Vec<Level> = Vec::new();
    let mut at_home = 0;
    for name in names.iter().take(LOOKED_UP_MAX) {
        let found = Gazetteer::get().find_exactly(name);
        let mut levels =
            found.iter().filter(|place| place.edits == 0 && place.path.starts_with(&inside)).map(|place| place.level);
        let first = levels.next();
        at_home += usize::from(first == Some(own) || levels.clone().any(|level| level == own));
        // Countries have more levels than five, so the next one is no contradiction.
        let is_far = |level: Level| (level as i32 - own as i32).abs() > steps;
        far.extend(first.filter(|level| is_far(*level) && levels.all(is_far)));
    }
    let of_country = local::level(code, column).is_some();
    if is_vague && !of_country && own == Level::Area && at_home * 2 < names.len().min(LOOKED_UP_MAX) {
        return Some("It is a quarter in one country and a county or a region in another: which is it?".to_owned());
    }
    let level = far.first()?.as_str();
    (far.len() * 2 > names.len().min(LOOKED_UP_MAX))
        .then(|| format!("Most of its places are known as a {level}: of which level are they?"))
}

/// Words for areas that are wide in one country and narrow in another one.
const VAGUE: [&str; 4] = ["district", "zone", "sector", "area"];

/// How many names of a column are looked up.
const LOOKED_UP_MAX: usize = 50;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn values_are_the_same_however_they_are_written() {
        for (one, other) in
            [("395000", "€ 395.000"), ("142", "142.5"), ("Vake", "vake"), ("Unter den Linden 5", "Unter den Linden")]
        {
            assert!(is_same(one, other), "{one} {other}");
        }
        for (one, other) in [("60", "66"), ("Sliema", "Valletta"), ("", "Split"), ("2026-05-03", "2026-05-04")] {
            assert!(!is_same(one, other), "{one} {other}");
        }
    }
}
