//! `stoop sources try`: drafts a map of an answer or a file, reads it, and shows what was chosen for each field.

use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::sync::Arc;

use anyhow::Context;
use serde::Serialize;
use stoop_drafts::{Draft, DraftedField, draft};
use stoop_pages::{DraftedPage, DraftedRow, UnreadColumn};
use stoop_pipeline::ports::Http;
use stoop_pipeline::{Clock, USER_AGENT};
use stoop_runtime::SystemClock;
use stoop_show::whole_percent;
use stoop_sources::{Method, Request};

use super::hints::{NO_PRICE, hints};
use super::report::Report;
use super::sample;
use crate::args::TryArgs;
use crate::failure::usage;
use crate::input::Input;
use crate::out;
use crate::show::{self, Column, Look, Page, SafeText, Table, UNKNOWN, cut};
use crate::stop::{Stop, StoppableHttp};

/// The longest rule, doubt and example shown in a terminal, in columns.
const WIDTH_MAX: usize = 60;

/// The largest answer that is read, in bytes.
const ANSWER_MAX: usize = 64 << 20;

/// What a draft chose, and what it reads.
#[derive(Serialize)]
pub(super) struct Tried {
    from: String,
    /// The rule of each field, enabled or not.
    chosen: Vec<TrialField>,
    /// Columns that are called like a field and are not read.
    not_read: Vec<Mention>,
    /// The map, as `stoop sources new` would write it.
    map: String,
    #[serde(flatten)]
    pub(super) report: Report,
}

#[derive(Serialize)]
struct TrialField {
    field: &'static str,
    certain: bool,
    /// Share of the understood listings that have it, from 0 to 1; `None` if the rule is off.
    #[serde(skip_serializing_if = "Option::is_none")]
    filled: Option<f64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    value: Option<String>,
    rule: String,
    runners_up: Vec<String>,
    why: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    doubt: Option<String>,
}

#[derive(Serialize)]
struct Mention {
    field: &'static str,
    column: String,
    why: String,
}

/// `stoop sources try`.
pub(super) async fn trial(args: &TryArgs) -> anyhow::Result<ExitCode> {
    let url = ["https://", "http://"].iter().any(|scheme| args.from.starts_with(scheme)).then(|| args.from.clone());
    let input = match &url {
        Some(url) => asked(url, &args.header).await?,
        None => Input::open(Path::new(&args.from))?,
    };
    let sample = sample::read(&input)?;
    let hints = hints("tried", url, &args.hints, &input);
    let shown = input.name.display();
    let drafted = draft(&sample, &hints).map_err(|error| usage(format!("{shown}: {error}")))?;
    let report = Report::of(sample::understood(&input, &drafted.map, SystemClock.now())?);
    let tried = Tried::of(&shown.to_string(), drafted, report);
    if args.json.json {
        out::json(&tried)?;
    } else {
        out::page(&tried.draw(Look::of_stdout()));
    }
    Ok(if tried.report.has_listings() { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}

/// Asks a URL once.
async fn asked(url: &str, headers: &[String]) -> anyhow::Result<Input> {
    let header = |text: &String| {
        let pair = text.split_once(':').map(|(name, value)| (name.trim().to_owned(), value.trim().to_owned()));
        pair.ok_or_else(|| usage(format!("--header {text:?}: accepted: Name: value")))
    };
    let mut headers = headers.iter().map(header).collect::<anyhow::Result<Vec<_>>>()?;
    headers.push(("user-agent".to_owned(), USER_AGENT.to_owned()));
    let stop = Stop::on_signals();
    let request = Request { method: Method::Get, url: url.to_owned(), headers, body: None, granted: false };
    // The query may hold a key.
    let plain = url.split(['?', '#']).next().unwrap_or(url);
    let answer = StoppableHttp::new(&stop).send(&request).await.with_context(|| format!("asking {plain}"))?;
    if !(200..300).contains(&answer.status) {
        let words = String::from_utf8_lossy(&answer.body[..answer.body.len().min(200)]).into_owned();
        return Err(usage(format!("{plain} answered with status {}: {}", answer.status, show::plain(&words))));
    }
    if answer.body.len() > ANSWER_MAX {
        return Err(usage(format!("{plain} answered with {} bytes; at most {ANSWER_MAX} are read", answer.body.len())));
    }
    let is_json = answer.body.iter().find(|byte| !byte.is_ascii_whitespace()).is_some_and(|byte| b"{[".contains(byte));
    let name = PathBuf::from(if is_json { "answer.json" } else { "answer.csv" });
    Ok(Input::of_bytes(name, Arc::new(answer.body)))
}

impl TrialField {
    fn drafted(&self) -> DraftedRow<'_> {
        DraftedRow {
            field: self.field,
            filled: self.filled,
            example: self.value.as_deref(),
            rule: &self.rule,
            runners_up: &self.runners_up,
            why: &self.why,
            doubt: self.doubt.as_deref(),
        }
    }
}

impl Mention {
    fn unread(&self) -> UnreadColumn<'_> {
        UnreadColumn { column: &self.column, field: self.field, why: &self.why }
    }
}

impl Tried {
    pub(super) fn of(from: &str, drafted: Draft, report: Report) -> Self {
        let row = |field: DraftedField| {
            let (share, example) = report.of_field(field.name);
            TrialField {
                field: field.name,
                certain: field.certain,
                filled: field.certain.then_some(share),
                value: example.filter(|_| field.certain).map(str::to_owned),
                rule: field.rule,
                runners_up: field.others,
                why: field.why,
                doubt: field.doubt,
            }
        };
        let mention = |(field, column, why)| Mention { field, column, why };
        Self {
            from: from.to_owned(),
            chosen: drafted.fields.into_iter().map(row).collect(),
            not_read: drafted.mentions.into_iter().map(mention).collect(),
            map: drafted.toml,
            report,
        }
    }

    /// The same as a page for a browser; `map` is the name of the map's file.
    pub(super) fn to_html(&self, map: &str) -> String {
        let page = DraftedPage {
            sample: &self.from,
            sum: &self.report.sum(),
            warnings: if self.report.has_prices() { Vec::new() } else { vec![NO_PRICE] },
            fields: self.chosen.iter().map(TrialField::drafted).collect(),
            not_read: self.not_read.iter().map(Mention::unread).collect(),
            refused: self.report.refusals(),
            map: [map, &self.map],
        };
        page.to_html()
    }

    fn draw(&self, look: Look) -> Page {
        let mut page = Page::new(look);
        page.line([SafeText::from(show::plain(&self.from)).bold(), format!(": {}", self.report.sum()).into()]);
        if !self.report.has_prices() {
            page.line([SafeText::from(NO_PRICE).yellow()]);
        }
        page.heading("Chosen").table(self.table());
        let doubtful: Vec<&TrialField> = self.chosen.iter().filter(|field| !field.certain).collect();
        if !doubtful.is_empty() {
            page.gap().line([SafeText::from("Doubtful, and off").bold()]).gap();
        }
        for field in doubtful {
            let doubt = field.doubt.as_deref().unwrap_or("Its name or its values are not sure enough.");
            let words = format!("  {} = {}: {}", field.field, show::plain(&field.rule), show::plain(doubt));
            page.hung(4, [SafeText::from(words).yellow()]);
        }
        if !self.not_read.is_empty() {
            page.gap().line([SafeText::from("Called like a field, and not read").bold()]).gap();
        }
        for mention in &self.not_read {
            let words =
                format!("  {} ({}): {}", show::plain(&mention.column), mention.field, show::plain(&mention.why));
            page.hung(4, [SafeText::from(words).dim()]);
        }
        self.report.draw_refused(&mut page);
        page
    }

    fn table(&self) -> Table {
        let columns = ["field", "filled", "example", "rule", "runner-up"];
        let [field, filled, example, rule, other] = columns;
        let mut table = Table::new([
            Column::left(field),
            Column::right(filled),
            Column::cut(example),
            Column::cut(rule),
            Column::cut(other).optional(1),
        ]);
        for field in self.chosen.iter().filter(|field| field.certain) {
            let share = field.filled.unwrap_or(0.0);
            let filled = SafeText::from(whole_percent(share));
            let filled = if share >= 1.0 { filled.green() } else { filled.yellow() };
            let example = field.value.as_deref().map_or(UNKNOWN.into(), |value| cut(&show::plain(value), WIDTH_MAX));
            let rule = cut(&show::plain(&field.rule), WIDTH_MAX);
            let others = show::plain(&field.runners_up.join(", "));
            table.row([field.field.into(), filled, example.into(), rule.into(), SafeText::from(others).dim()]);
        }
        table
    }
}
