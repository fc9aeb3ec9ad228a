//! A draft of a map with what it reads of its sample: a page for a file of its own, before anything is stored.

use maud::{DOCTYPE, Markup, PreEscaped, html};

use crate::assets::STYLE;

/// A draft of a map and what it reads of its sample, as texts of any source.
#[derive(Clone, Debug, Default)]
pub struct DraftedPage<'a> {
    /// The name of the sample.
    pub sample: &'a str,
    /// How many rows were understood, as a sentence.
    pub sum: &'a str,
    /// What is wrong with all of it, as sentences.
    pub warnings: Vec<&'a str>,
    /// The fields in the order of maps, those that are not certain as well.
    pub fields: Vec<DraftedRow<'a>>,
    /// Columns that are called like a field and are not read.
    pub not_read: Vec<UnreadColumn<'a>>,
    /// What was refused: the rows and why, each with an excerpt.
    pub refused: Vec<[String; 2]>,
    /// The name of the map's file, and its text.
    pub map: [&'a str; 2],
}

/// What a draft decided for a field.
#[derive(Clone, Copy, Debug)]
pub struct DraftedRow<'a> {
    /// The field's name in maps.
    pub field: &'a str,
    /// Share of the understood listings that have it, from 0 to 1; `None` if the draft is not sure and the field is off.
    pub filled: Option<f64>,
    /// A value of the sample as it is read.
    pub example: Option<&'a str>,
    /// The field's table in the map.
    pub rule: &'a str,
    /// Columns that were nearly chosen.
    pub runners_up: &'a [String],
    /// The evidence for the rule.
    pub why: &'a str,
    /// Why it is off.
    pub doubt: Option<&'a str>,
}

/// A column that is called like a field and is not read.
#[derive(Clone, Copy, Debug)]
pub struct UnreadColumn<'a> {
    /// The column, as a map names it.
    pub column: &'a str,
    /// The field that it is called like.
    pub field: &'a str,
    /// Why it is not read.
    pub why: &'a str,
}

impl DraftedPage<'_> {
    /// The page. It needs no server, no script and no other file.
    #[must_use]
    pub fn to_html(&self) -> String {
        let title = format!("{}: a drafted map · Stoop", self.sample);
        let (read, doubtful): (Vec<_>, Vec<_>) = self.fields.iter().partition(|row| row.filled.is_some());
        let page = html! {
            (DOCTYPE)
            html lang="en" {
                head {
                    meta charset="utf-8";
                    meta name="viewport" content="width=device-width, initial-scale=1";
                    title { (title) }
                    style { (PreEscaped(STYLE.body)) }
                }
                body {
                    main id="content" {
                        div class="head" {
                            h1 { (self.sample) }
                            p { (self.sum) " All of it is a guess until you have checked it: nothing is stored yet." }
                        }
                        @for warning in &self.warnings {
                            p { span class="flag" { (warning) } }
                        }
                        (chosen(&read))
                        (in_doubt(&doubtful))
                        (self.not_read())
                        (self.refused())
                        section class="card" {
                            h2 { "The map, " code { (self.map[0]) } }
                            pre class="scroll" tabindex="0" { code { (self.map[1]) } }
                        }
                    }
                }
            }
        };
        stoop_show::plain_lines(&page.into_string()).into_owned()
    }

    fn not_read(&self) -> Markup {
        html! {
            @if !self.not_read.is_empty() {
                section class="card" {
                    h2 { "Called like a field, and not read" }
                    table {
                        thead { tr { th scope="col" class="l" { "Column" } th scope="col" class="l" { "Like" } th scope="col" class="l" { "Why not" } } }
                        tbody {
                            @for UnreadColumn { column, field, why } in &self.not_read {
                                tr { th scope="row" class="l" { code { (column) } } td class="l" { (field) } td class="words" { (why) } }
                            }
                        }
                    }
                }
            }
        }
    }

    fn refused(&self) -> Markup {
        html! {
            @if !self.refused.is_empty() {
                section class="card" {
                    h2 { "Refused" }
                    ul {
                        @for [why, excerpt] in &self.refused {
                            li { (why) @if !excerpt.is_empty() { br; code { (excerpt) } } }
                        }
                    }
                }
            }
        }
    }
}

fn chosen(rows: &[&DraftedRow<'_>]) -> Markup {
    html! {
        section class="card" {
            h2 { "Read: is each example what the field says?" }
            div class="scroll" tabindex="0" {
                table {
                    thead {
                        tr {
                            th scope="col" class="l" { "Field" }
                            th scope="col" class="l" { "Example" }
                            th scope="col" { "Filled" }
                            th scope="col" class="l" { "From" }
                            th scope="col" class="l" { "Why" }
                            th scope="col" class="l" { "Nearly chosen" }
                        }
                    }
                    tbody {
                        @for row in rows {
                            tr {
                                th scope="row" class="l" { (row.field) }
                                td class="words" { (row.example.unwrap_or("–")) }
                                td { (stoop_show::whole_percent(row.filled.unwrap_or_default())) }
                                td class="words" { code { (row.rule) } }
                                td class="words" { (row.why) }
                                td class="words" { (row.runners_up.join(", ")) }
                            }
                        }
                    }
                }
            }
        }
    }
}

fn in_doubt(rows: &[&DraftedRow<'_>]) -> Markup {
    html! {
        @if !rows.is_empty() {
            section class="card" {
                h2 { "Doubtful, and off" }
                p class="sub" { "In the map they are comments: remove the # of those that are right." }
                table {
                    thead { tr { th scope="col" class="l" { "Field" } th scope="col" class="l" { "Would be" } th scope="col" class="l" { "Why not" } } }
                    tbody {
                        @for row in rows {
                            tr {
                                th scope="row" class="l" { (row.field) }
                                td class="words" { code { (row.rule) } }
                                td class="words" { (row.doubt.unwrap_or("Its name or its values are not sure enough.")) }
                            }
                        }
                    }
                }
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn whatever_a_sample_says_is_text() {
        let hostile = "</style><script>alert(1)</script>\u{202e}\u{1b}[2J";
        let others = [hostile.to_owned()];
        let row = DraftedRow {
            field: hostile,
            filled: Some(0.5),
            example: Some(hostile),
            rule: hostile,
            runners_up: &others,
            why: hostile,
            doubt: None,
        };
        let page = DraftedPage {
            sample: hostile,
            sum: hostile,
            warnings: vec![hostile],
            fields: vec![row, DraftedRow { filled: None, doubt: Some(hostile), ..row }],
            not_read: vec![UnreadColumn { column: hostile, field: hostile, why: hostile }],
            refused: vec![[hostile.to_owned(), hostile.to_owned()]],
            map: [hostile, hostile],
        };
        let html = page.to_html();
        assert_eq!((html.matches("<script").count(), html.matches("</style>").count()), (0, 1), "{html}");
        assert!(!html.contains(['\u{202e}', '\u{1b}']), "{html}");
    }
}
