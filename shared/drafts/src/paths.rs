//! Columns that hold a path of places, from narrow to wide or from wide to narrow: `Madinaty, New Cairo, Cairo`,
//! `Egypt > Cairo > Maadi`.

use std::collections::HashSet;

use stoop_gazetteer::{AddressParts, Gazetteer};

use super::column::{Column, ratio};
use super::guess::{Chosen, Guess, quoted, shown};
use super::known::Known;
use super::sample::Sample;

/// Signs between the parts of a path.
const SIGNS: [char; 7] = [',', '>', '›', '»', '→', '|', '\\'];

/// Words in the names of columns that may hold one.
const NAMES: &[&str] = &[
    "location",
    "locations",
    "place",
    "places",
    "locality",
    "area",
    "zone",
    "path",
    "breadcrumb",
    "breadcrumbs",
    "address",
    "city",
    "district",
    "region",
    "ubicacion",
    "localizacion",
    "emplacement",
    "localisation",
    "lage",
    "standort",
    "ort",
    "luogo",
    "zona",
    "konum",
    "lokalizacja",
    "lokalita",
    "localizacao",
    "plats",
    "sted",
    "sijainti",
    "adres",
    "adresse",
    "direccion",
    "indirizzo",
    "endereco",
];

/// The parts of a path.
fn parts(text: &str) -> Vec<&str> {
    let parts = text.split(SIGNS).flat_map(|part| part.split(" / "));
    parts.map(str::trim).filter(|part| !part.is_empty()).collect()
}

/// Whether most texts are several names: no city alone.
pub(super) fn is_path(column: &Column) -> bool {
    let names = |text: &str| parts(text).len() > 1 && text.chars().count() <= 200;
    column.is_scalar() && column.share(names) > 0.5
}

/// Reads a path of places as the line of the address, in which the gazetteer finds the place, if no column has one. A
/// part of it as the city is only suggested.
pub(super) fn place(sample: &Sample, known: &Known, chosen: &mut Chosen) {
    let country = known.country.as_ref().map(|(code, _)| code.as_str());
    let finds = |text: &&str| country.is_some_and(|code| Gazetteer::get().place_in_line(code, text).is_some());
    let is_named = |column: &&Column| {
        column.owner.is_none() && is_path(column) && column.words.have(NAMES) && !column.name.contains('$')
    };
    let found = |column: &Column| column.texts().filter(finds).count();
    let columns = sample.columns.iter().filter(is_named).map(|column| (found(column), column));
    // The first of those with most places.
    let Some((found, column)) = columns.reduce(|best, next| if next.0 > best.0 { next } else { best }) else { return };
    let rows = sample.looked_at();
    let first = shown(column.first().unwrap_or_default());
    let of_line = chosen.sure.iter().position(|guess| guess.field == "line");
    let is_line = of_line.is_some_and(|at| chosen.sure[at].columns.contains(&column.name));
    if found > 0 && !is_line {
        let why = format!(
            "A path of places, like {first:?}: the gazetteer finds the place in {found} of {rows} rows; others are refused."
        );
        let mut guess = Guess::of("line", &column.name, why);
        let is_plain = |name: &str| !name.contains(['{', '}', '$']);
        if let Some(at) = of_line {
            let street = chosen.sure.remove(at);
            if let ([name], [("from", _)]) = (&street.columns[..], &street.keys[..])
                && is_plain(name)
                && is_plain(&column.name)
            {
                guess.keys = vec![("template", quoted(&format!("{{{name}}}, {{{}}}", column.name)))];
                guess.columns.insert(0, name.clone());
            } else {
                chosen.sure.push(street);
                return;
            }
        }
        chosen.unsure.retain(|other| other.field != "line");
        chosen.sure.push(guess);
    }
    if found < rows {
        chosen.unsure.push(city_part(column, country));
    }
}

/// The widest part that is no country, as a suggestion of the city.
fn city_part(column: &Column, country: Option<&str>) -> Guess {
    let ends = |at: fn(&[&str]) -> Option<String>| -> Vec<String> {
        column.texts().filter_map(|text| at(&parts(text))).collect()
    };
    let distinct = |names: &[String]| names.iter().collect::<HashSet<_>>().len();
    let (head, tail) =
        (ends(|parts| Some((*parts.first()?).to_owned())), ends(|parts| Some((*parts.last()?).to_owned())));
    let is_country = |name: &String| {
        let words = AddressParts { country: Some(name), ..AddressParts::default() };
        let code = Gazetteer::get().locate(&words).levels[0].as_ref().map(|name| name.slug.clone());
        code.is_some() && code == country.map(str::to_ascii_lowercase)
    };
    let countries = |names: &[String]| ratio(names.iter().filter(|name| is_country(name)).count(), names.len()) > 0.5;
    let (name, sign) = (r"([^\s,>›»→|\\][^,>›»→|\\]*?)", r"[^,>›»→|\\]");
    let (pattern, which) = if countries(&tail) {
        (format!(r"{name}\s*[,>›»→|\\]{sign}*$"), "part before the country")
    } else if countries(&head) {
        (format!(r"^{sign}*[,>›»→|\\]\s*{name}\s*(?:[,>›»→|\\]|$)"), "part behind the country")
    } else if distinct(&tail) <= distinct(&head) {
        (format!(r"{name}\s*$"), "last part")
    } else {
        (format!(r"^\s*{name}\s*(?:[,>›»→|\\]|$)"), "first part")
    };
    let why = format!("The {which} of {}.", shown(column.first().unwrap_or_default()));
    let guess = Guess::of("city", &column.name, why).with("regex", &pattern);
    guess.doubted("It may be a region, a city or a quarter.")
}

#[cfg(test)]
mod tests {
    use super::super::column::Cell;
    use super::*;

    fn column(texts: &[&str]) -> Column {
        let cells = texts.iter().map(|text| Cell::Text((*text).to_owned())).collect();
        Column { name: "location".into(), cells, ..Column::default() }
    }

    fn part(country: &str, texts: &[&str]) -> Vec<String> {
        let guess = city_part(&column(texts), Some(country));
        let pattern: String = toml::from_str::<toml::Table>(&format!("x = {}", guess.keys[1].1)).unwrap()["x"]
            .as_str()
            .unwrap()
            .to_owned();
        let regex = regex::Regex::new(&pattern).unwrap();
        texts.iter().map(|text| regex.captures(text).unwrap()[1].to_owned()).collect()
    }

    #[test]
    fn the_widest_part_below_the_country_is_suggested() {
        assert_eq!(part("EG", &["A, B, North Coast", "C, D, North Coast"]), ["North Coast", "North Coast"]);
        assert_eq!(part("EG", &["A, Marsa Alam, Egypt", "B, Suez, Egypt"]), ["Marsa Alam", "Suez"]);
        assert_eq!(part("EG", &["Egypt > Suez > A", "Egypt > Luxor"]), ["Suez", "Luxor"]);
        assert_eq!(part("TR", &["Izmir > Konak", "Izmir > Bornova"]), ["Izmir", "Izmir"]);
    }

    #[test]
    fn several_names_are_a_path() {
        assert!(!is_path(&column(&["Maadi, Cairo", "Cairo"])));
        assert!(is_path(&column(&["Maadi, Cairo", "Egypt > Giza"])));
        assert!(!is_path(&column(&["Stratford-upon-Avon", "Aix"])));
    }
}
