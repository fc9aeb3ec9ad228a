//! Drafts a map from a sample: guesses which column is which field, by names in a dozen languages and by values.
//!
//! ```
//! use stoop_sources::declared::Map;
//! use stoop_drafts::{DraftHints, Sample, draft};
//!
//! let answer = r#"{"total": 2, "homes": [
//!     {"id": 11, "price": {"text": "€ 1.392,85"}, "plz": "1030", "ort": "Wien", "wohnflaeche": "68,5 m²"},
//!     {"id": 12, "price": {"text": "€ 990"}, "plz": "1160", "ort": "Wien", "wohnflaeche": "41 m²"}]}"#;
//! let sample = Sample::of_document(serde_json::from_str(answer)?)?;
//! let drafted = draft(&sample, &DraftHints::new("wien", "answer.json"))?;
//! assert!(drafted.toml.contains(r#"list_price = { from = "/price/text", money = "de" }"#), "{}", drafted.toml);
//! assert_eq!(drafted.map.hints().rows.as_deref(), Some("/homes"));
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```
//!
//! A guess is enabled only after it was tested: the draft reads the sample, and a field that refuses rows becomes
//! lenient or is removed. Uncertain guesses become comments. If the sample lacks a required value (ID, purpose,
//! currency), the error names it.
//!
//! No I/O, no questions, no use of other maps.

mod amounts;
mod beside;
mod choose;
mod coded;
mod column;
mod contested;
mod countries;
mod drafted;
mod enums;
mod fallback;
mod find_rows;
mod fit;
mod fit_area;
mod fit_count;
mod fit_price;
mod guess;
mod ids;
mod in_texts;
mod kinds;
mod known;
mod layout;
mod levels;
mod local;
mod lots;
mod measures;
mod mentions;
mod names;
mod owners;
mod paging;
mod paths;
mod per_area;
mod pictures;
mod prove;
mod render;
mod rents_beside;
mod sales;
mod sample;
mod shapes;
mod tabulate;
mod typed;
mod types;
mod vocabulary;
mod words;

use std::fmt;

use stoop_domain::{Currency, Purpose};

use choose::choose;
pub use drafted::DraftedField;
use guess::Chosen;
use known::Known;
pub use layout::Layout;
pub use prove::Proof;
use render::Writing;
pub use sample::Sample;
use stoop_sources::declared::Map;

/// Facts that the sample does not contain.
#[derive(Clone, Debug, Default)]
pub struct DraftHints {
    /// The source's name: a to z, 0 to 9 and -.
    pub name: String,
    /// Name of the sample, for the first line. A date in it becomes the time of all rows.
    pub sample: String,
    /// URL that returned the sample; without it the map reads files.
    pub url: Option<String>,
    /// Country of all rows, ISO 3166-1 alpha-2.
    pub country: Option<String>,
    /// Currency of all prices, ISO 4217.
    pub currency: Option<String>,
    /// Purpose of all rows that do not say another.
    pub purpose: Option<Purpose>,
    /// The column that is the ID, as a map names it.
    pub id: Option<String>,
}

/// A draft that was tested on its sample.
#[derive(Clone, Debug)]
pub struct Draft {
    /// Text of the map.
    pub toml: String,
    /// The parsed map.
    pub map: Map,
    /// Results of reading the sample with the map.
    pub proof: Proof,
    /// What was decided for each field.
    pub fields: Vec<DraftedField>,
    /// Columns that are called like a field and are not read: the field, the column and why.
    pub mentions: Vec<(&'static str, String, String)>,
    /// Parameters that a search must set, each with its meaning.
    pub params: Vec<(String, String)>,
}

/// Why there is no draft: everything that is missing.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DraftError(pub Vec<String>);

/// Drafts a map.
///
/// # Errors
/// Fails if neither sample nor hints contain an ID, purpose or currency, or if the hints are invalid.
pub fn draft(sample: &Sample, hints: &DraftHints) -> Result<Draft, DraftError> {
    let http = hints.url.as_deref().map(|url| paging::http(url, sample)).transpose().map_err(DraftError::one)?;
    let mut known = Known::of(sample, hints);
    let mut chosen = choose(sample, &known);
    fallback::complete(sample, &known, hints, &mut chosen)?;
    sales::settle(sample, &mut chosen);
    lots::settle(sample, &mut chosen);
    rents_beside::settle(sample, &mut chosen);
    settle(sample, &known, hints, &mut chosen);
    let reads_purpose = chosen.sure.iter().any(|guess| guess.field == "purpose");
    if reads_purpose {
        enums::default_purpose(&mut known, &mut chosen);
    } else {
        known.find_purpose(sample, hints, &chosen);
    }
    missing(sample, &known, &chosen)?;
    // Each round changes at least one field that refuses rows: first to lenient, then removed.
    for _ in 0..2 * vocabulary::FIELDS.len() {
        let write = |chosen: &Chosen, proof: Option<&Proof>| {
            let (known, http) = (&known, http.as_ref());
            let zoneless = prove::is_zoneless(sample, chosen);
            let unordered = hints.url.is_none() && prove::is_unordered(sample, chosen);
            Writing { sample, hints, known, chosen, http, proof, zoneless, unordered }.toml()
        };
        let proof = prove::prove(&parse(&write(&chosen, None), hints)?, sample, &hints.sample);
        if let Some(better) = prove::mend(&chosen, &proof) {
            chosen = better;
            continue;
        }
        if let Some(column) = chosen.column_of("purpose")
            && let Some(refused) = proof.refused_by("purpose").filter(|refused| 2 * refused > proof.rows)
        {
            return Err(DraftError::one(format!(
                "no purpose: {refused} of {} rows do not say in {column} whether they are sales or rents; say what those \
                 are with --purpose",
                proof.rows
            )));
        }
        chosen.mentions = mentions::of(sample, &known, &chosen);
        let toml = write(&chosen, Some(&proof));
        let params = http.map(|http| http.params).unwrap_or_default();
        let mut mentions = mentions::unknown_texts(&chosen);
        let fields = drafted::fields(&chosen);
        mentions.append(&mut chosen.mentions);
        return Ok(Draft { map: parse(&toml, hints)?, toml, proof, fields, mentions, params });
    }
    Err(DraftError::one("the fields of the draft refuse rows again and again"))
}

/// Hints and columns with the same value in every row apply to the whole map and need no field.
fn settle(sample: &Sample, known: &Known, hints: &DraftHints, chosen: &mut Chosen) {
    let is_constant = |guess: &guess::Guess| {
        let column = sample.columns.iter().find(|column| guess.columns.contains(&column.name));
        column.is_some_and(|column| column.distinct() == 1)
    };
    let facts = [
        ("country", hints.country.is_some(), known.country.is_some()),
        ("currency", hints.currency.is_some(), known.currency.is_some()),
        ("purpose", hints.purpose.is_some(), false),
    ];
    for (key, is_given, is_known) in facts {
        // Rows that say another purpose or currency than the given one keep it.
        let differs = |guess: &guess::Guess| match key {
            "purpose" => guess.says_other_than(hints.purpose),
            "currency" => known.money().is_some_and(|given| says_other_money(sample, known, guess, given)),
            _ => false,
        };
        chosen
            .sure
            .retain(|guess| guess.field != key || differs(guess) || !(is_given || (is_known && is_constant(guess))));
        chosen.unsure.retain(|guess| guess.field != key || !(is_given || is_known));
    }
}

/// Whether a column of currencies has another one than the given one.
fn says_other_money(sample: &Sample, known: &Known, guess: &guess::Guess, given: Currency) -> bool {
    let column = sample.columns.iter().find(|column| guess.columns.contains(&column.name));
    let other = |text: &str| kinds::currency_named(text, known.own_currency()).is_some_and(|code| code != given.code());
    column.is_some_and(|column| column.texts().any(other))
}

fn missing(sample: &Sample, known: &Known, chosen: &Chosen) -> Result<(), DraftError> {
    let reads = |field: &str| chosen.sure.iter().any(|guess| guess.field == field);
    let thought = |field: &str| {
        let names: Vec<&str> =
            chosen.unsure.iter().filter(|guess| guess.field == field).map(|guess| guess.columns[0].as_str()).collect();
        if names.is_empty() { String::new() } else { format!("; not sure enough: {}", names.join(", ")) }
    };
    let mut lacking = Vec::new();
    if !reads("native_id") {
        let candidates = ids::candidates(sample);
        let candidates = if candidates.is_empty() {
            String::new()
        } else {
            format!("; say which with --id, for example one of {}", candidates.join(", "))
        };
        lacking.push(format!(
            "no id: no column is in every row, with another value in each, and called like one{}{candidates}",
            thought("native_id")
        ));
    }
    if known.purpose.is_none() && !reads("purpose") {
        lacking.push(format!(
            "no purpose: nothing distinguishes sales from rents; say which with --purpose{}",
            thought("purpose")
        ));
    }
    if known.currency.is_none() && !reads("currency") {
        lacking.push(format!(
            "no currency: no column, sign or country determines it; say which with --currency, or the country with --country{}",
            thought("currency")
        ));
    }
    if lacking.is_empty() { Ok(()) } else { Err(DraftError(lacking)) }
}

fn parse(toml: &str, hints: &DraftHints) -> Result<Map, DraftError> {
    Map::parse(toml, &format!("{}.toml", hints.name)).map_err(|errors| DraftError(vec![errors.to_string()]))
}

impl DraftHints {
    /// Hints with a name and the sample's name only.
    #[must_use]
    pub fn new(name: &str, sample: &str) -> Self {
        Self { name: name.to_owned(), sample: sample.to_owned(), ..Self::default() }
    }
}

impl DraftError {
    pub(crate) fn one(what: impl Into<String>) -> Self {
        Self(vec![what.into()])
    }
}

impl fmt::Display for DraftError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0.join("\n"))
    }
}

impl std::error::Error for DraftError {}
