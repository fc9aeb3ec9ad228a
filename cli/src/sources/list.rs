use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use serde::Serialize;
use stoop_embedded::{Database, Findings};
use stoop_pipeline::Clock;
use stoop_runtime::{Config, SearchConfig, SystemClock, read_outline};
use stoop_sources::{KINDS, Limit};

use super::held::{HeldBackRow, HeldFindings, HeldMoveRow, how_to_rule};
use super::report::ContradictionRow;
use super::scans::{self, Scanned};
use crate::args::{SourcesArgs, StoreArgs};
use crate::failure::usage;
use crate::out;
use crate::show::{self, Column, Csv, Field, Look, Page, SafeText, Table, UNKNOWN};
use crate::views::{View, give};

/// Used if no other configuration is named.
const DEFAULT_CONFIG: &str = "stoop.toml";

/// Source kinds, and the searches of a configuration.
#[derive(Serialize)]
struct Sources {
    kinds: Vec<KindRow>,
    /// `None` if there is no configuration.
    #[serde(skip_serializing_if = "Option::is_none")]
    searches: Option<Vec<SearchRow>>,
    /// The accounts that are not polled for now: circuit breaker open, or backoff.
    held: Vec<Held>,
    #[serde(skip)]
    config: Option<PathBuf>,
}

#[derive(Serialize)]
struct Held {
    host: String,
    until: String,
    why: String,
}

#[derive(Serialize)]
struct KindRow {
    name: &'static str,
    summary: &'static str,
    price_changes: &'static str,
    status: &'static str,
    gone: &'static str,
    limits: &'static str,
    params: Vec<ParamRow>,
}

#[derive(Serialize)]
struct ParamRow {
    name: &'static str,
    required: bool,
    secret: bool,
    meaning: &'static str,
}

#[derive(Default, Serialize)]
struct SearchRow {
    name: String,
    /// A kind, or the path of a map; `None` if the search is off and incomplete.
    source: Option<String>,
    /// The first half of the IDs of its homes.
    source_name: Option<String>,
    enabled: bool,
    every_ms: Option<u64>,
    limits: Vec<String>,
    robots: bool,
    #[serde(flatten)]
    scanned: Scanned,
    /// The contradictions that its polls counted.
    contradictions: Vec<ContradictionRow>,
    /// The loss of its last complete scan, not reported gone yet.
    held_back: Option<HeldBackRow>,
    /// Prices that moved alike in its last scan, not published yet.
    held_moves: Vec<HeldMoveRow>,
    /// Both in words.
    #[serde(skip)]
    held: Vec<String>,
}

/// Sources without a built-in kind: name, description, what they report.
const DECLARED: [(&str, &str, [&str; 4]); 2] = [
    (
        "FILE.toml",
        "any JSON API, declared in a map with [http]",
        [
            "what the map finds in a row",
            "what the map finds in a row",
            "complete scans that miss it for ten minutes or more, if coverage = \"snapshot\"",
            "1 request a second, or what the map says",
        ],
    ),
    (
        "files",
        "CSV, JSON, JSON Lines, Parquet through a map: a folder or a prefix that is watched, or `stoop replay`",
        [
            "what the map finds in a row",
            "what the map finds in a row",
            "a file that lacks it, if coverage = \"snapshot\"",
            "none",
        ],
    ),
];

/// `stoop sources`.
pub(super) fn list(store: &StoreArgs, args: &SourcesArgs) -> anyhow::Result<ExitCode> {
    let named = args.config.as_deref();
    let path = named.or_else(|| Some(Path::new(DEFAULT_CONFIG)).filter(|path| path.exists()));
    let config = path.map(read_outline).transpose();
    let mut searches = config.as_ref().ok().and_then(Option::as_ref).map(rows);
    let store = config.as_ref().ok().and_then(Option::as_ref).map_or_else(|| store.clone(), |config| store.or(config));
    let (findings, now) = (findings(&store)?, SystemClock.now());
    for search in searches.iter_mut().flatten() {
        let Some(findings) = findings.get(&search.name) else { continue };
        search.contradictions = ContradictionRow::polled(&findings.distrust);
        search.held_back = findings.held_back.map(HeldBackRow::from);
        search.scanned = Scanned::of(findings, now);
        let held = HeldFindings::of(findings);
        (search.held_moves, search.held) = (held.move_rows(), held.in_words());
    }
    let view = Sources { kinds: kinds(), searches, held: held(&store)?, config: path.map(Path::to_owned) };
    if args.format.is_for_people() {
        out::page(&view.draw(Look::of_stdout()));
    } else if config.is_ok() {
        give(&view, &args.format)?;
    }
    // The kinds are shown even if the configuration has errors.
    config.map(|_| ExitCode::SUCCESS).map_err(usage)
}

/// The findings of polls, by search; empty if nothing was polled yet.
pub(super) fn findings(store: &StoreArgs) -> anyhow::Result<BTreeMap<String, Findings>> {
    if !store.db().exists() {
        return Ok(BTreeMap::new());
    }
    Ok(Database::open_read(store.db(), &store.data()).map_err(usage)?.findings()?)
}

/// The accounts that are not polled for now; none if nothing was polled yet.
fn held(store: &StoreArgs) -> anyhow::Result<Vec<Held>> {
    if !store.db().exists() {
        return Ok(Vec::new());
    }
    let now = SystemClock.now();
    let accounts = Database::open_read(store.db(), &store.data()).map_err(usage)?.accounts()?;
    let held = accounts.into_iter().filter_map(|(name, account)| {
        let (until, why) = account.held(now)?;
        let host = name.split('#').next().unwrap_or_default().to_owned();
        Some(Held { host, until: until.to_string(), why })
    });
    Ok(held.collect())
}

fn kinds() -> Vec<KindRow> {
    let built_in = KINDS.iter().map(|kind| KindRow {
        name: kind.name,
        summary: kind.summary,
        price_changes: kind.capabilities.price_changes,
        status: kind.capabilities.status,
        gone: kind.capabilities.gone,
        limits: kind.capabilities.limits,
        params: kind
            .params
            .iter()
            .map(|param| ParamRow {
                name: param.name,
                required: param.required,
                secret: param.secret,
                meaning: param.meaning,
            })
            .collect(),
    });
    let is_new = |name: &str| KINDS.iter().all(|kind| kind.name != name);
    let declared = DECLARED.into_iter().filter(|(name, ..)| is_new(name)).map(|(name, summary, reported)| {
        let [price_changes, status, gone, limits] = reported;
        KindRow { name, summary, price_changes, status, gone, limits, params: Vec::new() }
    });
    built_in.chain(declared).collect()
}

fn rows(config: &Config) -> Vec<SearchRow> {
    let whole = config.searches.iter().map(SearchRow::of);
    let off = config.switched_off.iter().map(|name| SearchRow { name: name.clone(), ..SearchRow::default() });
    whole.chain(off).collect()
}

impl SearchRow {
    fn of(config: &SearchConfig) -> Self {
        let SearchConfig { search, kind, switched_off, every_ms, .. } = config;
        Self {
            name: search.name.clone(),
            source: Some(kind.clone()),
            source_name: Some(search.source.name().to_owned()),
            enabled: !switched_off,
            every_ms: Some(*every_ms),
            limits: in_words(&search.limits()),
            robots: search.source.crawl_policy().robots,
            ..Self::default()
        }
    }

    fn cells(&self) -> [SafeText; 5] {
        let state = match (&self.source, self.enabled) {
            (_, true) => SafeText::from("on").green(),
            (Some(_), false) => SafeText::from("off").dim(),
            (None, false) => SafeText::from("off, lacks something").dim(),
        };
        let robots = self.robots.then(|| "robots.txt".to_owned());
        let limits: Vec<String> = self.limits.iter().cloned().chain(robots).collect();
        let or_unknown = |text: String| if text.is_empty() { UNKNOWN.to_owned() } else { text };
        [
            show::plain(&self.name).into(),
            or_unknown(self.source.as_deref().map(show::plain).unwrap_or_default()).into(),
            state,
            or_unknown(self.every_ms.map(every).unwrap_or_default()).into(),
            or_unknown(limits.join(", ")).into(),
        ]
    }
}

/// Limits in words.
pub(super) fn in_words(limits: &[Limit]) -> Vec<String> {
    limits.iter().map(ToString::to_string).collect()
}

/// A poll interval as a configuration writes it: `15m`.
pub(super) fn every(ms: u64) -> String {
    let units = [(86_400_000, "d"), (3_600_000, "h"), (60_000, "m"), (1_000, "s")];
    let fitting = units.into_iter().find(|(unit, _)| ms.is_multiple_of(*unit));
    fitting.map_or_else(|| format!("{ms} ms"), |(unit, name)| format!("{}{name}", ms / unit))
}

impl View for Sources {
    fn draw(&self, look: Look) -> Page {
        let mut page = Page::new(look);
        let mut what = Table::new([Column::left("source"), Column::wrapped("what it is")]);
        for kind in &self.kinds {
            what.row([kind.name.into(), kind.summary.into()]);
        }
        page.line([SafeText::from("Sources").bold()]).gap().table(what);
        let remark = SafeText::from(", in addition to prices and statuses that change from poll to poll").dim();
        page.gap().line([SafeText::from("What they report").bold(), remark]).gap();
        self.draw_reported(&mut page);
        match (&self.searches, &self.config) {
            (Some(searches), Some(path)) => {
                page.gap().line([SafeText::from(format!("Searches of {}", path.display())).bold()]);
                draw_searches(searches, &mut page);
                for Held { host, until, why } in &self.held {
                    page.line([format!("{host} is not polled until {until}: {why}.").into()]);
                }
                if !self.held.is_empty() {
                    page.line([SafeText::from("`stoop sources reset SEARCH` asks again at once.").dim()]);
                }
            }
            (_, None) => {
                let hint = "There is no stoop.toml here; --config names another configuration.";
                page.gap().line([SafeText::from(hint).dim()]);
            }
            (None, Some(_)) => {}
        }
        page
    }

    /// The source kinds, then the searches.
    fn csv(&self) -> anyhow::Result<Csv> {
        const WHAT: [Field; 19] = [
            Field::Plain("what"),
            Field::Plain("name"),
            Field::Plain("summary"),
            Field::Plain("price_changes"),
            Field::Plain("status"),
            Field::Plain("gone"),
            Field::Json("limits"),
            Field::Plain("source"),
            Field::Plain("source_name"),
            Field::Plain("enabled"),
            Field::Plain("every_ms"),
            Field::Plain("robots"),
            Field::Plain("complete_scan_at"),
            Field::Plain("lag_seconds"),
            Field::Plain("listings"),
            Field::Json("fields"),
            Field::Json("contradictions"),
            Field::Json("held_back"),
            Field::Json("held_moves"),
        ];
        let mut rows = Vec::new();
        for (what, all) in
            [("kind", serde_json::to_value(&self.kinds)?), ("search", serde_json::to_value(&self.searches)?)]
        {
            for mut row in all.as_array().cloned().unwrap_or_default() {
                row["what"] = what.into();
                rows.push(row);
            }
        }
        Ok(Csv::new(WHAT, rows))
    }
}

/// The least width for five columns of words side by side.
const TABLE_MIN: usize = 100;

impl Sources {
    fn draw_reported(&self, page: &mut Page) {
        let reported = |kind: &KindRow| {
            let KindRow { price_changes, status, gone, limits, .. } = kind;
            [("price changes", *price_changes), ("status", *status), ("gone", *gone), ("limits", *limits)]
        };
        if page.width() < TABLE_MIN {
            for (at, kind) in self.kinds.iter().enumerate() {
                if at > 0 {
                    page.gap();
                }
                page.line([kind.name.into()]).facts(reported(kind).map(|(name, words)| (name, words.into())));
            }
            return;
        }
        let mut table = Table::new([
            Column::left("source"),
            Column::wrapped("price changes"),
            Column::wrapped("status"),
            Column::wrapped("gone"),
            Column::wrapped("limits"),
        ]);
        for kind in &self.kinds {
            table.row([kind.name.into()].into_iter().chain(reported(kind).map(|(_, words)| words.into())));
        }
        page.table(table);
    }
}

fn draw_searches(searches: &[SearchRow], page: &mut Page) {
    if searches.is_empty() {
        page.line(["There are none.".into()]);
        return;
    }
    let mut table = Table::new([
        Column::left("search"),
        Column::cut_before("source"),
        Column::left("state"),
        Column::right("every"),
        Column::wrapped("limits"),
    ]);
    for search in searches {
        table.row(search.cells());
    }
    let remark = "`stoop sources check SEARCH` makes one request and shows what is understood.";
    page.gap().table(table).line([SafeText::from(remark).dim()]);
    scans::draw(searches.iter().map(|search| (search.name.as_str(), &search.scanned)), page);
    for search in searches {
        for row in search.contradictions.iter().filter(|row| row.distrusted) {
            let reported = format!("{}: {}.", show::plain(&search.name), row.reported_of_polls());
            page.line([SafeText::from(reported).yellow()]);
        }
        let name = show::plain(&search.name);
        for held in &search.held {
            page.line([SafeText::from(format!("{name}: {held}.")).yellow()]);
        }
        if !search.held.is_empty() {
            page.line([SafeText::from(format!("{}.", how_to_rule(&name))).dim()]);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_poll_interval_is_printed_as_configured() {
        assert_eq!([90_000, 900_000, 21_600_000, 172_800_000, 1_500].map(every), ["90s", "15m", "6h", "2d", "1500 ms"]);
    }

    #[test]
    fn every_kind_is_listed_and_no_line_is_longer_than_the_screen() {
        let view = Sources { kinds: kinds(), searches: None, held: Vec::new(), config: None };
        for width in [60, 80, 120] {
            let page = view.draw(Look { colours: false, width });
            let text = page.as_str();
            for kind in KINDS {
                let words = |text: &str| text.split_whitespace().map(str::to_owned).collect::<Vec<_>>();
                let summary = words(kind.summary);
                assert!(text.contains(kind.name) && summary.iter().all(|word| text.contains(word)), "{text}");
            }
            let longest = text.lines().map(|line| line.chars().count()).max();
            assert!(longest <= Some(width.into()), "{longest:?}\n{text}");
        }
    }
}
