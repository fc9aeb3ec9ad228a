mod areas;

use std::collections::BTreeMap;

use serde::Serialize;
use stoop_domain::Reason;
use stoop_embedded::Findings;
use stoop_pipeline::{FieldCount, ParseReport, RefusedCount};
use stoop_show::whole_percent;
use stoop_sources::{Contradiction, ContradictionCount, Distrust, POLLED_ROWS_MIN};

use super::left_out::ValuesRow;
use crate::show::{self, Column, Page, SafeText, Table, UNKNOWN, cut, or_unknown};
use areas::AreasRow;

/// What was understood of the rows, field by field.
#[derive(Serialize)]
pub(super) struct Report {
    rows: u64,
    listings: u64,
    fields: Vec<FieldRow>,
    refused: Vec<RefusedRow>,
    /// Values that were left out of listings.
    refused_values: Vec<ValuesRow>,
    contradictions: Vec<ContradictionRow>,
    places: AreasRow,
    /// What the polls of the search counted, if there were any.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    polled_contradictions: Vec<ContradictionRow>,
}

#[derive(Serialize)]
struct FieldRow {
    name: &'static str,
    filled: u64,
    /// Share of the understood listings that have the field, from 0 to 1.
    share: f64,
    /// The same in the last scan, and the mean of the scans before.
    #[serde(skip_serializing_if = "Option::is_none")]
    polled_share: Option<f64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    earlier_share: Option<f64>,
    example: Option<String>,
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    values: BTreeMap<String, u64>,
}

#[derive(Serialize)]
struct RefusedRow {
    reason: Reason,
    rows: u64,
    detail: String,
    excerpt: String,
}

/// Two fields of the listings that may contradict each other.
#[derive(Serialize)]
pub(super) struct ContradictionRow {
    name: &'static str,
    /// Listings that have both fields.
    listings: u64,
    /// Listings whose two fields contradict each other.
    contradict: u64,
    /// The field that is distrusted if most contradict.
    field: &'static str,
    pub(super) distrusted: bool,
    #[serde(skip)]
    kind: Contradiction,
}

/// The widest excerpt shown in a terminal, in columns.
const EXCERPT_MAX: usize = 240;

/// The longest list of values shown.
const VALUES_MAX: usize = 4;

impl Report {
    pub(super) fn of(understood: ParseReport) -> Self {
        let ParseReport { rows, listings, fields, refused, values, contradictions, addresses } = understood;
        let field = |FieldCount { name, filled, example, values }| FieldRow {
            name,
            filled,
            share: share(filled, listings),
            polled_share: None,
            earlier_share: None,
            example,
            values,
        };
        let refusal = |RefusedCount { reason, rows, detail, excerpt }| RefusedRow { reason, rows, detail, excerpt };
        Self {
            rows,
            listings,
            fields: fields.into_iter().map(field).collect(),
            refused: refused.into_iter().map(refusal).collect(),
            refused_values: values.into_iter().map(ValuesRow::of).collect(),
            contradictions: contradictions.counts().map(ContradictionRow::of).collect(),
            places: AreasRow::of(addresses),
            polled_contradictions: Vec::new(),
        }
    }

    /// Adds what polls have counted.
    pub(super) fn beside(mut self, polled: &Findings) -> Self {
        self.polled_contradictions = ContradictionRow::polled(&polled.distrust);
        for field in &mut self.fields {
            let share = polled.fields.as_ref().and_then(|fields| fields.of(field.name));
            (field.polled_share, field.earlier_share) = (share.map(|it| it.share), share.and_then(|it| it.earlier));
        }
        self
    }

    /// Whether anything was understood.
    pub(super) fn has_listings(&self) -> bool {
        self.listings > 0
    }

    /// Whether any listing has a price, asked or paid; true if there are no listings.
    pub(super) fn has_prices(&self) -> bool {
        let is_price = |field: &&FieldRow| matches!(field.name, "list_price" | "close_price");
        self.listings == 0 || self.fields.iter().filter(is_price).any(|field| field.filled > 0)
    }

    /// The share of the listings that have a field, by its name in maps, and an example of it.
    pub(super) fn of_field(&self, name: &str) -> (f64, Option<&str>) {
        let is_it = |field: &&FieldRow| field.name.rsplit('.').next() == Some(name);
        self.fields.iter().find(is_it).map_or((0.0, None), |field| (field.share, field.example.as_deref()))
    }

    /// What was refused, rows and then values: why, and an excerpt.
    pub(super) fn refusals(&self) -> Vec<[String; 2]> {
        let rows = self.refused.iter().map(|refused| [refused.why(), refused.excerpt.clone()]);
        rows.chain(self.refused_values.iter().map(|values| [values.why(), String::new()])).collect()
    }

    /// `38 of 41 rows were understood`.
    pub(super) fn sum(&self) -> String {
        match (self.listings, self.rows) {
            (_, 0) => "There were no rows.".to_owned(),
            (listings, rows) => {
                format!("{} of {} rows were understood.", show::count(listings), show::count(rows))
            }
        }
    }

    pub(super) fn draw(&self, page: &mut Page) {
        if !self.fields.is_empty() {
            page.heading("Fields").table(self.fields());
        }
        if self.listings > 0 {
            self.places.draw(self.listings, page);
        }
        let lists = [
            ("Contradictions", &self.contradictions, ContradictionRow::reported as fn(&ContradictionRow) -> String),
            (
                "Contradictions that polls have counted",
                &self.polled_contradictions,
                ContradictionRow::reported_of_polls,
            ),
        ];
        for (heading, rows, reported) in lists {
            let mut rows = rows.iter().filter(|row| row.contradict > 0).peekable();
            if rows.peek().is_some() {
                page.gap().line([SafeText::from(heading).bold()]).gap();
            }
            for row in rows {
                let words = SafeText::from(format!("  {}.", reported(row)));
                page.hung(4, [if row.distrusted { words.yellow() } else { words }]);
            }
        }
        self.draw_refused(page);
    }

    /// The rows and values that were refused.
    pub(super) fn draw_refused(&self, page: &mut Page) {
        if !self.refused.is_empty() {
            page.gap().line([SafeText::from("Refused").bold()]);
            for refused in &self.refused {
                refused.draw(page);
            }
        }
        if !self.refused_values.is_empty() {
            page.gap().line([SafeText::from("Values left out").bold()]).gap();
            for values in &self.refused_values {
                values.draw(page);
            }
        }
    }

    fn fields(&self) -> Table {
        let columns = [Column::left("field"), Column::right("filled"), Column::right("share")];
        // What polls have counted, if there were any.
        let is_polled = self.fields.iter().any(|field| field.polled_share.is_some());
        let polled = is_polled.then(|| [Column::right("last scan").optional(1), Column::right("before").optional(2)]);
        let columns = columns.into_iter().chain(polled.into_iter().flatten()).chain([Column::cut("example")]);
        let mut table = Table::new(columns);
        for field in &self.fields {
            let filled = show::count(field.filled);
            let of_polls = [field.polled_share, field.earlier_share].map(|share| or_unknown(share.map(whole_percent)));
            let of_polls = of_polls.into_iter().filter(|_| is_polled);
            match &field.example {
                Some(_) => {
                    let share = SafeText::from(whole_percent(field.share));
                    let share = if field.filled == self.listings { share.green() } else { share.yellow() };
                    let cells = [field.name.into(), filled.into(), share].into_iter();
                    table.row(cells.chain(of_polls.map(SafeText::from)).chain([field.shown().into()]));
                }
                None => {
                    let cells = [field.name.to_owned(), filled, UNKNOWN.to_owned()].into_iter().chain(of_polls);
                    table.row(cells.chain([String::new()]).map(|text| SafeText::from(text).dim()));
                }
            }
        }
        table
    }
}

impl FieldRow {
    /// An example; if there are few values, the count of each.
    fn shown(&self) -> String {
        if self.values.len() < 2 {
            return self.example.as_deref().map(show::plain).unwrap_or_default();
        }
        let mut values: Vec<_> = self.values.iter().collect();
        values.sort_by_key(|(_, count)| std::cmp::Reverse(**count));
        let more = if values.len() > VALUES_MAX { ", ..." } else { "" };
        let words: Vec<String> =
            values.iter().take(VALUES_MAX).map(|(value, count)| format!("{value} {}", show::count(**count))).collect();
        words.join(", ") + more
    }
}

impl ContradictionRow {
    fn of(count: ContradictionCount) -> Self {
        let ContradictionCount { kind, rows, contradict } = count;
        let distrusted = count.is_distrusted();
        Self { name: kind.as_str(), listings: rows, contradict, field: kind.field(), distrusted, kind }
    }

    /// What the polls of a search counted, and whether they omit the field.
    pub(super) fn polled(distrust: &Distrust) -> Vec<Self> {
        distrust.counts().map(|(count, distrusted)| Self { distrusted, ..Self::of(count) }).collect()
    }

    /// The finding of one check.
    fn reported(&self) -> String {
        let Self { field, distrusted, kind, .. } = self;
        let verdict = if *distrusted {
            format!(
                ": {field} does not mean what its name says; do not trust it here. Polls omit it if that \
                 is so in more than {} % of at least {POLLED_ROWS_MIN} listings",
                kind.share_max()
            )
        } else {
            String::new()
        };
        self.counted() + &verdict
    }

    /// The finding of polls, and what they do.
    pub(super) fn reported_of_polls(&self) -> String {
        let Self { field, distrusted, .. } = self;
        let verdict = if *distrusted { format!(": {field} is distrusted and omitted") } else { String::new() };
        self.counted() + &verdict
    }

    fn counted(&self) -> String {
        let Self { name, listings, contradict, .. } = self;
        let (name, contradict, listings) = (name.replace('_', " "), show::count(*contradict), show::count(*listings));
        format!("{name}: {contradict} of {listings} listings")
    }
}

impl RefusedRow {
    fn why(&self) -> String {
        let rows = if self.rows == 1 { "row" } else { "rows" };
        let reason = self.reason.as_str().replace('_', " ");
        format!("{} {rows}: {reason}, {}", show::count(self.rows), self.detail)
    }

    fn draw(&self, page: &mut Page) {
        let why = format!("  {}", show::plain(&self.why()));
        let excerpt = format!("  {}", cut(&show::plain(&self.excerpt), EXCERPT_MAX));
        page.gap().hung(4, [why.into()]).hung(2, [SafeText::from(excerpt).dim()]);
    }
}

fn listings_of(count: u64) -> String {
    format!("{} {}", show::count(count), if count == 1 { "listing" } else { "listings" })
}

fn share(part: u64, whole: u64) -> f64 {
    #[expect(clippy::cast_precision_loss, reason = "a share")]
    let share = part as f64 / whole.max(1) as f64;
    (share * 10_000.0).round() / 10_000.0
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_distrusted_field_is_named_with_the_consequence() {
        let row = |contradict| {
            ContradictionRow::of(ContradictionCount { kind: Contradiction::ListedAfterSale, rows: 40, contradict })
        };
        assert_eq!(row(3).reported(), "listed after sale: 3 of 40 listings");
        assert_eq!(
            row(38).reported(),
            "listed after sale: 38 of 40 listings: listed_at does not mean what its name says; do not trust it here. \
             Polls omit it if that is so in more than 50 % of at least 100 listings"
        );
        assert_eq!(row(3).reported_of_polls(), "listed after sale: 3 of 40 listings");
        assert_eq!(
            row(38).reported_of_polls(),
            "listed after sale: 38 of 40 listings: listed_at is distrusted and omitted"
        );
    }
}
