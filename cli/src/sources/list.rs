use std::path::Path;
use std::process::ExitCode;

use serde::Serialize;
use stoop_embedded::Database;
use stoop_pipeline::Clock;
use stoop_runtime::{Config, SearchConfig, SystemClock, read_outline};
use stoop_sources::{KINDS, Limit};

use crate::args::{SourcesArgs, StoreArgs};
use crate::failure::usage;
use crate::show::{self, Cell, Column, Look, Table, UNKNOWN, print, print_json};

/// Looked at where no other configuration is named.
const DEFAULT_CONFIG: &str = "stoop.toml";

/// Kinds of sources, and the searches of a configuration.
#[derive(Serialize)]
struct Sources {
    kinds: Vec<KindRow>,
    /// `None` where there is no configuration.
    #[serde(skip_serializing_if = "Option::is_none")]
    searches: Option<Vec<SearchRow>>,
    /// The accounts that are left alone for now.
    held: Vec<Held>,
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

#[derive(Serialize)]
struct SearchRow {
    name: String,
    /// A kind, or the path of a map; `None` where the search is off and lacks something.
    source: Option<String>,
    /// The first half of the ids of its homes.
    source_name: Option<String>,
    enabled: bool,
    every_ms: Option<u64>,
    limits: Vec<String>,
    robots: bool,
}

/// What is no built-in kind: its name, what it is, and what it tells.
const DECLARED: [(&str, &str, [&str; 4]); 2] = [
    (
        "FILE.toml",
        "any JSON API, declared in a map with [http]",
        [
            "what the map finds in a row",
            "what the map finds in a row",
            "a complete scan that misses it twice, if coverage = \"snapshot\"",
            "1 request a second, or what the map says",
        ],
    ),
    (
        "files",
        "CSV, JSON, JSON Lines, Parquet through a map: a folder or a prefix that is watched, or `stoop replay`",
        [
            "what the map finds in a row",
            "what the map finds in a row",
            "two files that miss it, if coverage = \"snapshot\"",
            "none",
        ],
    ),
];

/// `stoop sources`.
pub(super) fn list(store: &StoreArgs, args: &SourcesArgs) -> anyhow::Result<ExitCode> {
    let named = args.config.as_deref();
    let path = named.or_else(|| Some(Path::new(DEFAULT_CONFIG)).filter(|path| path.exists()));
    let config = path.map(read_outline).transpose();
    let searches = config.as_ref().ok().and_then(Option::as_ref).map(rows);
    let store = config.as_ref().ok().and_then(Option::as_ref).map_or_else(|| store.clone(), |config| store.or(config));
    let view = Sources { kinds: kinds(), searches, held: held(&store)? };
    if !args.json.json {
        print(&view.draw(path, Look::of_stdout()))?;
    } else if config.is_ok() {
        print_json(&view)?;
    }
    // What there is to choose from is shown also to those whose configuration is not right yet.
    config.map(|_| ExitCode::SUCCESS).map_err(usage)
}

/// The accounts that are left alone; none where nothing was polled yet.
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
        price_changes: kind.tells.price_changes,
        status: kind.tells.status,
        gone: kind.tells.gone,
        limits: kind.tells.limits,
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
    let declared = DECLARED.into_iter().filter(|(name, ..)| is_new(name)).map(|(name, summary, tells)| {
        let [price_changes, status, gone, limits] = tells;
        KindRow { name, summary, price_changes, status, gone, limits, params: Vec::new() }
    });
    built_in.chain(declared).collect()
}

fn rows(config: &Config) -> Vec<SearchRow> {
    let whole = config.searches.iter().map(SearchRow::of);
    let off = config.switched_off.iter().map(|name| SearchRow {
        name: name.clone(),
        source: None,
        source_name: None,
        enabled: false,
        every_ms: None,
        limits: Vec::new(),
        robots: false,
    });
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
            robots: search.source.manners().robots,
        }
    }

    fn cells(&self) -> [Cell; 5] {
        let state = match (&self.source, self.enabled) {
            (_, true) => Cell::from("on").green(),
            (Some(_), false) => Cell::from("off").dim(),
            (None, false) => Cell::from("off, lacks something").dim(),
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

/// Limits, each in words.
pub(super) fn in_words(limits: &[Limit]) -> Vec<String> {
    limits.iter().map(ToString::to_string).collect()
}

/// A cadence as a configuration writes it: `15m`.
pub(super) fn every(ms: u64) -> String {
    let units = [(86_400_000, "d"), (3_600_000, "h"), (60_000, "m"), (1_000, "s")];
    let fitting = units.into_iter().find(|(unit, _)| ms.is_multiple_of(*unit));
    fitting.map_or_else(|| format!("{ms} ms"), |(unit, name)| format!("{}{name}", ms / unit))
}

impl Sources {
    fn draw(&self, config: Option<&Path>, look: Look) -> String {
        let mut what = Table::new([Column::left("source"), Column::wrapped("what it is")]);
        let mut tells = Table::new([
            Column::left("source"),
            Column::wrapped("price changes"),
            Column::wrapped("status"),
            Column::wrapped("gone"),
            Column::wrapped("limits"),
        ]);
        for kind in &self.kinds {
            what.row([kind.name.into(), kind.summary.into()]);
            let words = [kind.name, kind.price_changes, kind.status, kind.gone, kind.limits];
            tells.row(words.map(Cell::from));
        }
        let mut text = format!("{}\n\n{}", look.bold("Sources"), what.draw(look));
        let remark = look.dim(", beside the prices and states that differ from one poll to the next");
        text += &format!("\n{}{remark}\n\n{}", look.bold("What they tell"), tells.draw(look));
        if let (Some(searches), Some(path)) = (&self.searches, config) {
            text += &format!("\n{}\n", look.bold(&format!("Searches of {}", path.display())));
            text += &draw_searches(searches, look);
            for Held { host, until, why } in &self.held {
                let (host, why) = (show::plain(host), show::plain(why));
                text += &format!("{host} is left alone until {until}: {why}.\n");
            }
            if !self.held.is_empty() {
                text += &look.dim("`stoop sources reset SEARCH` asks again at once.\n");
            }
        } else if config.is_none() {
            text += &look.dim("\nThere is no stoop.toml here; --config names one whose searches are to be listed.\n");
        }
        text
    }
}

fn draw_searches(searches: &[SearchRow], look: Look) -> String {
    if searches.is_empty() {
        return "There are none.\n".to_owned();
    }
    let mut table = Table::new([
        Column::left("search"),
        Column::left("source"),
        Column::left("state"),
        Column::right("every"),
        Column::wrapped("limits"),
    ]);
    for search in searches {
        table.row(search.cells());
    }
    let remark = look.dim("`stoop sources check SEARCH` makes one request and shows what is understood.\n");
    format!("\n{}\n{remark}", table.draw(look))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_cadence_is_told_as_it_is_configured() {
        assert_eq!([90_000, 900_000, 21_600_000, 172_800_000, 1_500].map(every), ["90s", "15m", "6h", "2d", "1500 ms"]);
    }

    #[test]
    fn every_kind_is_told_of_and_no_line_is_longer_than_the_screen() {
        let view = Sources { kinds: kinds(), searches: None, held: Vec::new() };
        let text = view.draw(None, Look { colours: false, width: 100 });
        for kind in KINDS {
            assert!(text.contains(kind.name) && text.contains(kind.summary), "{text}");
        }
        let longest = text.lines().map(|line| line.chars().count()).max();
        assert!(longest <= Some(100), "{longest:?}\n{text}");
    }
}
