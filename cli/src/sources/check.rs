use std::process::ExitCode;

use serde::Serialize;
use stoop_embedded::{Database, Findings, FolderFiles, PageFolder};
use stoop_pipeline::{Clock, Origin, ParseReport, Peeked, PollPorts, Search, Tokens, peek};
use stoop_runtime::SearchConfig;
use stoop_sources::{Coverage, CrawlPolicy, Next, Source};

use super::check_files;
use super::configured::configured;
use super::list::{findings, in_words};
use super::report::Report;
use crate::args::{CheckArgs, StoreArgs};
use crate::failure::{not_opened, report};
use crate::out;
use crate::show::{self, Look, Page, SafeText};
use crate::stop::{Stop, StoppableClock, StoppableHttp};

/// The result of one request for a search.
#[derive(Serialize)]
struct CheckedSearch {
    search: String,
    source: String,
    source_name: String,
    enabled: bool,
    status: u16,
    requests: u64,
    bytes: u64,
    /// The source's count of listings in the whole search.
    total: Option<u64>,
    /// `page`, `end` or `capped`.
    next: &'static str,
    limits: Vec<String>,
    /// What each counted limit has left.
    left: Vec<Left>,
    robots: bool,
    /// Whether a complete scan proves what is gone.
    shows_gone: bool,
    #[serde(flatten)]
    report: Report,
}

#[derive(Serialize)]
struct Left {
    limit: String,
    left: u64,
}

/// `stoop sources check`.
pub(super) async fn check(store: &StoreArgs, args: &CheckArgs) -> anyhow::Result<ExitCode> {
    let (outline, config) = configured(&args.config, &args.search)?;
    let polled = findings(&store.or(&outline))?.remove(&args.search).unwrap_or_default();
    let source = match &config.search.source {
        Origin::Http(source) => &**source,
        Origin::Files(set) => return check_files::check(&config, set, &polled, args).await,
    };
    let look = Look::of_stdout();
    if !args.json.json {
        out::page(&before(&config, look));
    }
    let stop = Stop::on_signals();
    let peeked = match request(&config.search, source, &store.or(&outline), &stop).await {
        Err(error) if stop.is_set() => {
            report(&error);
            return Ok(ExitCode::from(stop.code()));
        }
        peeked => peeked?,
    };
    let checked = CheckedSearch::of(&config, peeked, &polled);
    if args.json.json {
        out::json(&checked)?;
    } else {
        out::page(&checked.draw(look));
    }
    Ok(if checked.report.has_listings() { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}

/// What will happen, printed before it does.
fn before(config: &SearchConfig, look: Look) -> Page {
    let SearchConfig { search, kind: source, switched_off, .. } = config;
    let crawl_policy = search.source.crawl_policy();
    let mut page = Page::new(look);
    let what = format!(": one request to {source}, nothing is stored");
    page.line([SafeText::from(show::plain(&search.name)).bold(), what.into()]);
    let mut remark = |line: &str| {
        page.line([SafeText::from(line).dim()]);
    };
    if *switched_off {
        remark("The search is switched off, and stays so.");
    }
    if crawl_policy.robots {
        remark("A scraped site: robots.txt is asked first and obeyed. Read its terms before you switch it on.");
    }
    page
}

/// Makes the request. If there is a database, the requests count against the same limits as polls.
async fn request(search: &Search, source: &dyn Source, store: &StoreArgs, stop: &Stop) -> anyhow::Result<Peeked> {
    let nowhere = tempfile::tempdir()?;
    let database = if store.db().exists() {
        Database::open(store.db(), &store.data()).map_err(not_opened)?
    } else {
        Database::open(&nowhere.path().join("none.db"), nowhere.path()).map_err(not_opened)?
    };
    let (pages, files) = (PageFolder::new(nowhere.path()), FolderFiles::new(nowhere.path()));
    let stopped = || stop.is_set();
    let (http, clock, tokens) = (StoppableHttp::new(stop), StoppableClock(stop.clone()), Tokens::default());
    let ports = PollPorts {
        http: &http,
        stream: &*database,
        index: &*database,
        pages: &pages,
        quarantine: &*database,
        runs: &*database,
        budgets: &*database,
        files: &files,
        tokens: &tokens,
        clock: &clock,
        deadline: None,
        stop: &stopped,
    };
    let run = format!("check-{}-{}", search.name, clock.now().ms());
    Ok(peek(source, search.limits.as_deref(), &run, ports).await?)
}

impl CheckedSearch {
    fn of(config: &SearchConfig, peeked: Peeked, polled: &Findings) -> Self {
        let SearchConfig { search, kind, switched_off, .. } = config;
        let Peeked { page, status, requests, bytes, at, left } = peeked;
        let CrawlPolicy { coverage, robots, .. } = search.source.crawl_policy();
        let mut understood = ParseReport::default();
        for row in page.rows {
            understood.take(search.source.name(), row, at);
        }
        Self {
            search: search.name.clone(),
            source: kind.clone(),
            source_name: search.source.name().to_owned(),
            enabled: !switched_off,
            status,
            requests,
            bytes,
            total: page.total,
            next: match page.next {
                Next::Page(_) => "page",
                Next::End => "end",
                Next::Capped => "capped",
            },
            limits: in_words(&search.limits()),
            left: left.into_iter().map(|(limit, left)| Left { limit: limit.to_string(), left }).collect(),
            robots,
            shows_gone: coverage == Coverage::Snapshot,
            report: Report::of(understood).beside(polled),
        }
    }

    fn draw(&self, look: Look) -> Page {
        let requests = if self.requests == 1 { "request" } else { "requests" };
        let mut facts = vec![
            (
                "answer",
                format!("{} bytes, status {}, {} {requests}", show::count(self.bytes), self.status, self.requests),
            ),
            ("total", self.total.map_or("not reported".to_owned(), |total| format!("{} listings", show::count(total)))),
            (
                "next",
                match self.next {
                    "page" => "there is another page",
                    "capped" => "the source has more and does not show it: split the search",
                    _ => "this was the last page",
                }
                .to_owned(),
            ),
            ("limits", if self.limits.is_empty() { "none".to_owned() } else { self.limits.join(", ") }),
        ];
        // A pause between requests always has one left per interval, which says nothing.
        let left = self.left.iter().filter(|left| !left.limit.starts_with("1 request"));
        let left: Vec<String> = left.map(|Left { limit, left }| format!("{} of {limit}", show::count(*left))).collect();
        if !left.is_empty() {
            facts.push(("left", left.join(", ")));
        }
        let gone = match (self.shows_gone, self.total) {
            (true, Some(_)) => "complete scans that miss a listing for ten minutes or more",
            (true, None) => {
                "complete scans that miss a listing for ten minutes or more, but only if the source reports the total"
            }
            (false, _) => "never by absence",
        };
        facts.push(("gone", gone.to_owned()));
        let mut page = Page::new(look);
        page.gap().line([self.report.sum().into()]).gap();
        page.facts(facts.into_iter().map(|(name, words)| (name, words.into())));
        self.report.draw(&mut page);
        page
    }
}
