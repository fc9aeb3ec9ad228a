//! Renders a draft as TOML, with the evidence for each line.

use std::collections::BTreeMap;

use super::guess::{Chosen, Guess, Lookup, quoted, shown};
use super::known::Known;
use super::layout::Layout;
use super::paging::Http;
use super::sample::Sample;
use super::{DraftHints, Proof};

/// Input of the rendering.
pub(super) struct Writing<'a> {
    pub(super) sample: &'a Sample,
    pub(super) hints: &'a DraftHints,
    pub(super) known: &'a Known,
    pub(super) chosen: &'a Chosen,
    pub(super) http: Option<&'a Http>,
    /// Results of the test with the sample.
    pub(super) proof: Option<&'a Proof>,
    /// Whether the sample's dates lack a zone.
    pub(super) zoneless: bool,
    /// Whether rows are not sorted by time.
    pub(super) unordered: bool,
}

impl Writing<'_> {
    pub(super) fn toml(&self) -> String {
        let mut out = Vec::new();
        self.head(&mut out);
        self.read(&mut out);
        if let Some(http) = self.http {
            out.push(String::new());
            out.extend(http.lines.iter().cloned());
        }
        self.fields(&mut out);
        out.push(String::new());
        out.join("\n")
    }

    fn head(&self, out: &mut Vec<String>) {
        let place = self.sample.pointer().map_or(String::new(), |pointer| format!(" at {}", shown(pointer)));
        let rows = self.sample.looked_at();
        let rows = if rows == 1 { "1 row".to_owned() } else { format!("{rows} rows") };
        let first = if rows_are_cut(self.sample) { "the first " } else { "" };
        out.push(format!("# Drafted from {}: {first}{rows}{place}.", shown(&self.hints.sample)));
        out.push(
            "# Everything here is a guess by names and values: look at each line. What begins with # is off."
                .to_owned(),
        );
        let reads_price =
            self.chosen.sure.iter().any(|guess| guess.field == "list_price" || guess.field == "close_price");
        let has_price = self.proof.is_none_or(|proof| proof.prices() > 0 || proof.rows == 0);
        if !reads_price || !has_price {
            out.push("# WARNING: No price is read. Without one a home is in no figure of prices.".to_owned());
        }
        if let Some(http) = self.http {
            out.push("# A search of it in stoop.toml:".to_owned());
            out.push("#   [[search]]".to_owned());
            out.push(format!("#   name = {}", quoted(&self.hints.name)));
            out.push(format!("#   source = \"{}.toml\"", self.hints.name));
            let params: Vec<String> = http.params.iter().map(|(name, _)| param(name)).collect();
            if !params.is_empty() {
                out.push(format!("#   params = {{ {} }}", params.join(", ")));
            }
        }
        out.push(format!("name = {}", quoted(&self.hints.name)));
        for (key, fact) in
            [("country", &self.known.country), ("currency", &self.known.currency), ("purpose", &self.known.purpose)]
        {
            let read = self.chosen.sure.iter().any(|guess| guess.field == key);
            match fact {
                Some((value, why)) => {
                    out.push(format!("# {}", shown_whole(why)));
                    out.push(format!("{key} = {}", quoted(value)));
                }
                None if key == "country" && !read => {
                    out.push("# The country is unknown; two letters of ISO 3166-1.".to_owned());
                    out.push("#country = \"\"".to_owned());
                }
                None => {}
            }
        }
        if self.zoneless {
            out.push("# Times of the sample name no zone: set that of the source.".to_owned());
            out.push("time_zone = \"UTC\"".to_owned());
        }
        if self.unordered {
            out.push("# Rows of the sample do not come in the order of their time.".to_owned());
            out.push("order = \"any\"".to_owned());
        }
    }

    fn read(&self, out: &mut Vec<String>) {
        let Layout { encoding, delimiter, skip_lines, comments } = &self.sample.layout;
        let pointer = self.sample.pointer().map(|pointer| format!("rows = {}", quoted(pointer)));
        let encoding = encoding.map(|encoding| format!("encoding = {}", quoted(encoding.name())));
        let delimiter = delimiter.map(|sign| format!("delimiter = {}", quoted(&char::from(sign).to_string())));
        let mut lines: Vec<String> = pointer.into_iter().chain(encoding).chain(delimiter).collect();
        if *skip_lines > 0 {
            lines.push("# The header is behind so many lines.".to_owned());
            lines.push(format!("skip_lines = {skip_lines}"));
        }
        if !comments.is_empty() {
            lines.push("# What begins so is no listing.".to_owned());
            let comments: Vec<String> = comments.iter().map(|comment| quoted(comment)).collect();
            lines.push(format!("comment = [{}]", comments.join(", ")));
        }
        if !lines.is_empty() {
            out.push(String::new());
            out.push("[read]".to_owned());
            out.extend(lines);
        }
    }

    fn fields(&self, out: &mut Vec<String>) {
        out.push(String::new());
        out.push("[fields]".to_owned());
        for guess in self.chosen.sure.iter().filter(|guess| guess.lookup.is_none()) {
            out.push(format!("# {}", self.remark(guess)));
            out.push(format!("{} = {}", guess.field, guess.table()));
        }
        if self.http.is_none() && !self.chosen.sure.iter().any(|guess| guess.field == "observed_at") {
            out.push("# Without observed_at a row counts as seen when it is read.".to_owned());
        }
        let places = ["postal_code", "city", "neighbourhood"];
        if let Some(proof) = self.proof.filter(|proof| proof.placed > 0) {
            out.push(format!(
                "# In {} of {} rows the gazetteer finds the place in line, and marks the address as derived.",
                proof.placed, proof.read
            ));
        } else if !self.chosen.sure.iter().any(|guess| places.contains(&guess.field)) {
            out.push(
                "# Postal code, city or neighbourhood: none is known, and without one a row is refused.".to_owned(),
            );
        }
        if !self.chosen.unsure.is_empty() {
            out.push(String::new());
            out.push("# Not sure of these: take off the # where one is right.".to_owned());
        }
        for guess in &self.chosen.unsure {
            out.push(format!("# {}", self.unsure_remark(guess)));
            out.push(format!("#{} = {}", guess.field, whole_table(guess)));
        }
        if !self.chosen.mentions.is_empty() {
            out.push(String::new());
            out.push("# Called like a field, and not read:".to_owned());
        }
        for (field, column, why) in &self.chosen.mentions {
            out.push(format!("# {field}: {}: {}", shown(column), shown_whole(why)));
        }
        for guess in &self.chosen.sure {
            let Some(lookup) = &guess.lookup else { continue };
            out.push(String::new());
            out.push(format!("# {}", self.remark(guess)));
            out.push(format!("[fields.{}]", guess.field));
            out.extend(guess.keys.iter().map(|(key, value)| format!("{key} = {value}")));
            self.lookup(guess.field, lookup, out);
        }
    }

    fn lookup(&self, field: &str, lookup: &Lookup, out: &mut Vec<String>) {
        if lookup.known_words {
            out.push("# Texts that are not below mean what Stoop knows of them.".to_owned());
            out.push("known_words = true".to_owned());
        }
        if let Some(otherwise) = lookup.otherwise {
            out.push(format!("otherwise = {}", quoted(otherwise)));
        }
        out.push(String::new());
        out.push(format!("[fields.{field}.lookup]"));
        if lookup.entries.iter().any(|(_, meaning, _)| meaning.is_none()) {
            out.push(format!("# What is not known is off. Accepted: {}.", lookup.accepted));
        }
        for (text, meaning, count) in &lookup.entries {
            let rows = match count {
                1 => "1 row",
                _ => &format!("{count} rows"),
            };
            match meaning {
                Some(meaning) => out.push(format!("{} = {} # {rows}", quoted(text), quoted(meaning))),
                None => out.push(format!("#{} = \"\" # {rows}", quoted(text))),
            }
        }
    }

    /// Comment on a guess: rows filled, evidence and alternatives.
    fn remark(&self, guess: &Guess) -> String {
        let fills = self.proof.and_then(|proof| {
            let filled = proof.filled.get(guess.field)?;
            let read = if proof.read < proof.rows { " that are read" } else { "" };
            Some(format!("Fills {filled} of {} rows{read}. ", proof.read))
        });
        let fills = fills.unwrap_or_default();
        let lenient = if guess.is_lenient() { " What cannot be read is left unknown." } else { "" };
        let others = self.chosen.others.iter().find(|(field, _)| *field == guess.field);
        let others = others.map_or(String::new(), |(_, names)| {
            format!(" Or {}?", names.iter().map(|name| shown(name)).collect::<Vec<_>>().join(", "))
        });
        format!("{fills}{}{lenient}{others}", shown_whole(&guess.why))
    }

    fn unsure_remark(&self, guess: &Guess) -> String {
        let column = self.sample.columns.iter().find(|column| guess.columns.contains(&column.name));
        let rows = self.sample.looked_at();
        let fills = column.map_or(String::new(), |column| format!("In {} of {rows} rows. ", column.filled()));
        let doubt = guess.doubt.as_deref().map_or(String::new(), |doubt| format!(" {}", shown_whole(doubt)));
        format!("{fills}{}{doubt}", shown_whole(&guess.why))
    }
}

/// The table of a guess with its lookup, on one line.
fn whole_table(guess: &Guess) -> String {
    let Some(lookup) = &guess.lookup else { return guess.table() };
    let meant: BTreeMap<&str, &str> = lookup
        .entries
        .iter()
        .filter_map(|(text, meaning, count)| Some((text.as_str(), (*meaning).filter(|_| *count > 0)?)))
        .collect();
    let entries: Vec<String> =
        meant.iter().map(|(text, meaning)| format!("{} = {}", quoted(text), quoted(meaning))).collect();
    let table = guess.table();
    let otherwise = lookup.otherwise.map_or(String::new(), |word| format!(", otherwise = {}", quoted(word)));
    format!("{}, lookup = {{ {} }}{otherwise} }}", table.trim_end_matches(" }"), entries.join(", "))
}

/// Puts a comment that may contain text of the sample on one line, without truncation.
fn shown_whole(text: &str) -> String {
    text.chars().map(|c| if c.is_control() { ' ' } else { c }).collect()
}

fn rows_are_cut(sample: &Sample) -> bool {
    sample.looked_at() < sample.rows()
}

fn param(name: &str) -> String {
    match name {
        "key" | "token" | "secret" | "password" | "api_key" => {
            format!("{name} = {{ env = \"{}\" }}", name.to_uppercase())
        }
        _ => format!("{name} = \"...\""),
    }
}
