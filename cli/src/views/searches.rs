use std::path::Path;
use std::process::ExitCode;

use serde::Serialize;
use stoop_embedded::Database;
use stoop_pipeline::ports::SearchControls;
use stoop_pipeline::{Clock, ControlAction, SearchControl};
use stoop_runtime::{SystemClock, read_outline};
use stoop_serve::{ControlError, SEARCH_COLUMNS, SearchView, control_search, searches};

use super::{View, give, open};
use crate::args::{SearchArgs, SearchesArgs, StoreArgs};
use crate::failure::{not_opened, usage};
use crate::out::say;
use crate::show::{self, Column, Csv, Look, Page, SafeText, Table, or_unknown};

/// The searches that are polled at an interval, by name.
#[derive(Serialize)]
pub(super) struct SearchList {
    searches: Vec<SearchView>,
}

/// The configuration that names searches before their first poll.
const CONFIG: &str = "stoop.toml";

/// Who asks on this computer.
const LOCAL: &str = "local";

/// `stoop searches`.
pub(crate) async fn list_searches(store: &StoreArgs, args: &SearchesArgs) -> anyhow::Result<ExitCode> {
    give(&SearchList::read(&*open(store)?).await?, &args.format)
}

/// `stoop pause` and `stoop resume`.
pub(crate) async fn control(store: &StoreArgs, args: &SearchArgs, action: ControlAction) -> anyhow::Result<ExitCode> {
    // Searches that were polled are known without a configuration, whatever is wrong with it.
    let config = read_outline(Path::new(CONFIG)).ok();
    let store = config.as_ref().map_or_else(|| store.clone(), |config| store.or(config));
    let is_configured = config.is_some_and(|config| {
        let mut searches = config.searches.iter().map(|search| &search.search.name).chain(&config.switched_off);
        searches.any(|name| *name == args.search)
    });
    if !is_configured {
        // Names a missing database instead of making one.
        drop(open(&store)?);
    }
    let database = Database::open(store.db(), &store.data()).map_err(not_opened)?;
    let unknown = SearchControl::of(&args.search);
    if is_configured && database.control(&args.search)? == unknown {
        // It may be paused before its first poll.
        database.keep(&unknown).await?;
    }
    match control_search(&*database, &*database, &args.search, action, LOCAL, SystemClock.now()).await {
        Ok(view) => {
            say!("{}", outcome(&view));
            Ok(ExitCode::SUCCESS)
        }
        Err(error @ ControlError::NoSuchSearch { .. }) => Err(usage(error)),
        Err(ControlError::Port(error)) => Err(error.into()),
    }
}

fn outcome(view: &SearchView) -> String {
    let search = show::plain(&view.search);
    match (view.paused_at, view.next_at) {
        (Some(at), _) => format!("{search} is paused since {} UTC; `stoop resume {search}` ends that.", show::time(at)),
        (None, Some(at)) => format!("{search} is polled next at {} UTC, if `stoop run` runs.", show::time(at)),
        (None, None) => format!("{search} is not paused."),
    }
}

impl SearchList {
    pub(super) async fn read(database: &Database) -> anyhow::Result<Self> {
        Ok(Self { searches: searches(database, Some(database)).await? })
    }
}

impl View for SearchList {
    fn draw(&self, look: Look) -> Page {
        let mut page = Page::new(look);
        let count = self.searches.len() as u64;
        let heading =
            SafeText::from(if count == 1 { "1 search".to_owned() } else { format!("{count} searches") }).bold();
        if self.searches.is_empty() {
            page.line([heading, SafeText::from(": `stoop run` polls those of a configuration").dim()]);
            return page;
        }
        let mut table = Table::new([
            Column::cut_before("search"),
            Column::right("every"),
            Column::left("last poll").optional(1),
            Column::left("next poll"),
            Column::wrapped("note"),
        ]);
        for search in &self.searches {
            table.row(cells(search));
        }
        page.line([heading, SafeText::from(", times in UTC").dim()]).gap().table(table);
        page
    }

    fn csv(&self) -> anyhow::Result<Csv> {
        Ok(Csv::of(SEARCH_COLUMNS, &self.searches)?)
    }
}

fn cells(search: &SearchView) -> [SafeText; 5] {
    let by = search.asked_by.as_deref().map(|by| format!(" by {}", show::plain(by))).unwrap_or_default();
    let paused = search.paused_at.map(|at| format!("paused since {}{by}", show::time(at)));
    let asked = search.poll_asked_at.map(|_| format!("a poll is asked for{by}"));
    let slowed = search.slowed_by.as_ref().map(|limit| format!("slowed by {}", show::plain(limit)));
    let notes: Vec<String> = [paused, asked, slowed].into_iter().flatten().collect();
    let every = search.every_seconds.map(show::interval);
    [
        show::plain(&search.search).into(),
        or_unknown(every).into(),
        or_unknown(search.sent_at.map(show::time)).into(),
        or_unknown(search.next_at.map(show::time)).into(),
        SafeText::lines(&notes),
    ]
}
