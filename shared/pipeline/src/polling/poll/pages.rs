//! A poll of a source that shows pages. [`page`] is the walk of one page through all steps.

use stoop_domain::Time;
use stoop_sources::{Next, Page, Source};

use super::check::{self, CheckedPage};
use super::common_move;
use super::context::PollPorts;
use super::diff;
use super::error::PollError;
use super::fetch::Fetcher;
use super::index::Index;
use super::jumps::ScanClock;
use super::page_scan::{Course, PageScan};
use super::polled::Polled;
use super::progress::NextPageHint;
use super::publish::publish;
use super::read::read;
use super::robots::Robots;
use super::scan::Scan;
use super::search::Search;
use super::settle::{self, End};
use crate::ports::RawPages;
use crate::search::budget::BreakerOutcome;
use crate::with_causes;

/// Polls pages, from the checkpoint of the last run or from the first page.
pub(super) async fn poll(
    search: &Search,
    source: &dyn Source,
    run: &str,
    ports: PollPorts<'_>,
    polled: &mut Polled,
) -> Result<(), PollError> {
    let mut index = Index::load(search, ports.index, ports.clock).await?;
    let resumed = index.state.checkpoint.clone();
    if resumed.is_none() {
        // Not within a scan: its first pages were judged already.
        common_move::do_as_ruled(&mut index, polled).await?;
    }
    let mut fetcher = Fetcher::new(ports, source, run).limited(search.limits.as_deref());
    let mut of = begin(search, source, run, ports, index, polled);
    let outcome = walk(&mut of, &mut fetcher, polled).await;
    let how = match &outcome {
        Ok(End::All { .. } | End::Capped(_) | End::Refused(_)) => BreakerOutcome::Well,
        Err(PollError::Source(_) | PollError::Denied(_)) => BreakerOutcome::Badly,
        Ok(End::Stopped(..)) | Err(_) => BreakerOutcome::Otherwise,
    };
    if let Err(error) = fetcher.close(how, polled).await {
        tracing::warn!(error = with_causes(&error), "the outcome of this poll is not in the account's record");
    }
    let cursor = std::mem::take(&mut of.course.cursor);
    match outcome {
        Ok(end) => settle::ended(end, cursor, &mut of, polled).await,
        Err(error) => {
            settle::broken_off(&error, cursor, resumed, &mut of, polled).await;
            Err(error)
        }
    }
}

fn begin<'a>(
    search: &'a Search,
    source: &'a dyn Source,
    run: &'a str,
    ports: PollPorts<'a>,
    mut index: Index<'a>,
    polled: &mut Polled,
) -> PageScan<'a> {
    let now = ports.clock.now();
    let state = &index.state;
    // The distance counts in both directions: after a clock was set back, the time that has passed is unknown.
    let is_full_due = state.full_scan_at.is_none_or(|at| (now.ms() - at.ms()).abs() >= search.full_scan_every_ms);
    let since = if is_full_due { None } else { state.watermark.as_deref() };
    let resumed = state.checkpoint.as_ref();
    let cursor = resumed.map_or_else(|| source.begin(since), |checkpoint| checkpoint.cursor.clone());
    let anew = || state.seen.map_or(now, |seen| now.max(seen.plus_ms(1)));
    let scan = Scan {
        search,
        ports,
        run,
        began_at: resumed.map_or_else(anew, |checkpoint| checkpoint.began_at),
        initial: !state.begun && state.full_scan_at.is_none(),
        incremental: cursor.since.is_some(),
        resumed: resumed.is_some(),
    };
    let course = Course { cursor, watermark: state.watermark.clone(), ..Course::default() };
    let clock = ScanClock::begin(scan.began_at, ports.clock, &mut index, polled);
    PageScan {
        scan,
        source,
        policy: source.crawl_policy(),
        clock,
        course,
        drift: <_>::default(),
        refusals: <_>::default(),
        completeness: <_>::default(),
        index,
        believer: <_>::default(),
        moves: <_>::default(),
    }
}

async fn walk(of: &mut PageScan<'_>, fetcher: &mut Fetcher<'_>, polled: &mut Polled) -> Result<End, PollError> {
    let mut robots = Robots::default();
    loop {
        if let Some(end) = page(of, &mut robots, fetcher, polled).await? {
            return Ok(end);
        }
        if of.index.is_save_due(polled.pages) {
            of.index.state.checkpoint = Some(of.scan.checkpoint(of.course.cursor.clone()));
            of.index.save().await?;
        }
    }
}

/// One page, from the request to the index. `None` if another page follows.
async fn page(
    of: &mut PageScan<'_>,
    robots: &mut Robots,
    fetcher: &mut Fetcher<'_>,
    polled: &mut Polled,
) -> Result<Option<End>, PollError> {
    let (scan, number) = (of.scan, u32::try_from(polled.pages).unwrap_or(u32::MAX));
    if let Some(end) = may_fetch(&mut of.course, of.policy.pages_max)? {
        return Ok(Some(end));
    }
    let Some((page, now, seen)) = fetch(of, number, robots, fetcher, polled).await? else {
        let (outcome, why) = fetcher.why_ended();
        return Ok(Some(End::Stopped(outcome, why)));
    };
    of.completeness.read(&page);
    let (next, cut, shown) = (page.next.clone(), page.cut.clone(), of.completeness.shown(&page));
    let is_last = !matches!(next, Next::Page(_));
    check::watch(&page.rows, is_last, now, &scan, &mut of.drift, &of.index.state, polled).await?;

    let watch = scan.watched(of.completeness.total, of.index.state.proves_absence);
    let checked = check::page(page, number, seen, watch, &scan, &mut of.refusals, polled);
    of.completeness.note(&checked);
    let CheckedPage { listings, refused_ids, rejects, .. } = checked;
    refused_ids.iter().for_each(|native_id| of.index.saw(native_id, scan.began_at));
    if let Some(why) = check::too_many(&of.refusals, &scan, is_last || cut.is_some()) {
        polled.not_taken += listings.len() as u64;
        scan.ports.quarantine.put(&rejects).await?;
        return Ok(Some(End::Refused(why)));
    }

    if !listings.is_empty() {
        of.index.look_elsewhere().await?;
    }
    let mut changes = diff::pages(listings, scan.began_at, &mut of.index);
    of.moves.hold_back(&mut changes, scan.began_at, &mut of.index, polled);
    publish(changes, &rejects, &scan, &mut of.believer, &mut of.index, polled).await?;
    if let Some(cut) = cut {
        return Ok(Some(End::Capped(format!("broken off at page {}: {cut}", number + 1))));
    }
    Ok(follow(next, &shown, number, &mut of.course, of.policy.pages_max))
}

/// Checks whether the page at the cursor may be fetched. Returns the end of the scan if it is one too many.
fn may_fetch(course: &mut Course, pages_max: u32) -> Result<Option<End>, PollError> {
    if !course.visited.insert(course.cursor.position.clone()) {
        course.is_astray = true;
        return Err(PollError::Source("the pages lead in a circle".into()));
    }
    let pages = course.cursor.pages_before;
    Ok((pages >= pages_max).then(|| too_long(pages)))
}

/// Fetches and reads the page at the cursor. Returns it with the time of the answer, by the clock, and its sighting
/// time. `None` if the run is to end first.
async fn fetch(
    of: &mut PageScan<'_>,
    number: u32,
    robots: &mut Robots,
    fetcher: &mut Fetcher<'_>,
    polled: &mut Polled,
) -> Result<Option<(Page, Time, Time)>, PollError> {
    let ports = of.scan.ports;
    let request = of.source.request(&of.course.cursor);
    if of.policy.robots && robots.ask(&request, fetcher).await?.is_none() {
        return Ok(None);
    }
    let Some(answer) = fetcher.fetch(&request, number).await? else { return Ok(None) };
    ports.pages.put(of.scan.run, number, &answer.body).await?;
    let now = of.clock.look(ports.clock, &mut of.index, polled);
    let seen = of.clock.seen_at(now, &mut of.index);
    let page = read(of.source, &of.course.cursor, &answer, now)?;
    polled.pages += 1;
    match &mut polled.raw_pages {
        Some(raw_pages) => raw_pages.note(seen),
        None => {
            let folder = ports.pages.folder_of(of.scan.run)?;
            polled.raw_pages = Some(RawPages { source: of.scan.source().to_owned(), folder, seen: vec![seen] });
        }
    }
    polled.bytes += answer.body.len() as u64;
    if let Some(watermark) = &page.watermark {
        of.course.watermark = Some(watermark.clone());
    }
    Ok(Some((page, now, seen)))
}

/// Moves the cursor to the next page. Returns the end of the scan if there is no page to read.
fn follow(next: Next, shown: &NextPageHint, number: u32, course: &mut Course, pages_max: u32) -> Option<End> {
    match next {
        Next::Page(next) => match course.progress.note(shown, number) {
            None => {
                course.cursor = next;
                None
            }
            Some(why) => Some(End::Capped(why)),
        },
        Next::End => Some(End::All { watermark: course.watermark.take() }),
        Next::Capped if course.cursor.pages_before + 1 >= pages_max => Some(too_long(pages_max)),
        Next::Capped => Some(End::Capped("the source does not show all of this search: make it smaller".to_owned())),
    }
}

fn too_long(pages: u32) -> End {
    End::Capped(format!("broken off after {pages} pages, the most that are read of this search in one scan"))
}
