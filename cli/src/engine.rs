use std::sync::Arc;

use anyhow::Context;
use stoop_domain::{Alert, Time};
use stoop_embedded::{Database, FolderFiles, PageFolder};
use stoop_pipeline::ports::{Http, Quarantine};
use stoop_pipeline::{Clock, Inbox, Measured, PollError, PollPorts, Polled, Search, Tokens, poll};
use stoop_rules::Rules;

use crate::args::StoreArgs;
use crate::failure::not_opened;
use crate::intake::Intake;
use crate::out::complain;
use crate::stop::Stop;
use crate::views::newest_moment;

/// Stream records taken up at a time.
const RECORDS_MAX: usize = 64;

/// The setting with the time of the newest sighting that was taken up, in milliseconds.
const NEWEST_SIGHTING: &str = "newest sighting";

/// Opens the database to work on it: others see that this process does, and what earlier ones left open when they were
/// killed is closed.
pub(crate) fn open_to_work(store: &StoreArgs, command: &str, now: Time) -> anyhow::Result<Arc<Database>> {
    let database = Database::open(store.db(), &store.data()).map_err(not_opened)?;
    database.begin_work(command, now)?;
    Ok(database)
}

/// See [`Engine::roll_up`].
pub(crate) fn roll_up(database: &Database, stop: &dyn Fn() -> bool) {
    let rolled = newest_moment(database).and_then(|moment| Ok(database.roll_up(moment.unwrap_or_default(), stop)?));
    if let Err(error) = rolled {
        complain!("stoop: wide areas are not rolled up, and slower to show: {error:#}");
    }
}

/// The pipeline's ports on this laptop: pollers put on the stream, the intake takes from it.
#[derive(Clone)]
pub(crate) struct Engine {
    pub(crate) database: Arc<Database>,
    pub(crate) http: Arc<dyn Http>,
    pub(crate) files: FolderFiles,
    pub(crate) tokens: Arc<Tokens>,
    pub(crate) clock: Arc<dyn Clock>,
    pub(crate) stop: Stop,
}

impl Engine {
    /// Polls a search once.
    pub(crate) async fn poll(&self, search: &Search) -> Result<Polled, PollError> {
        let run = format!("{}-{}", search.name, self.clock.now().ms());
        let pages = PageFolder::new(self.database.data());
        let stop = || self.stop.is_set();
        let ports = PollPorts {
            http: &*self.http,
            files: &self.files,
            stream: &*self.database,
            index: &*self.database,
            pages: &pages,
            quarantine: &*self.database,
            runs: &*self.database,
            budgets: &*self.database,
            tokens: &self.tokens,
            clock: &*self.clock,
            deadline: None,
            stop: &stop,
        };
        poll(search, &run, ports).await
    }

    /// A intake on this engine's database.
    pub(crate) fn intake(&self, rules: Rules, watcher: impl Fn(&Alert) + Send + Sync + 'static) -> Intake<'_> {
        Intake::new(&self.database, rules, watcher)
    }

    /// Takes up everything that is on the stream. A line that cannot be read goes to quarantine, and the
    /// rest of its record is taken up; a record leaves the stream when its effect is stored.
    pub(crate) async fn drain(&self, intake: &mut Intake<'_>) -> anyhow::Result<Measured> {
        let mut total = Measured::default();
        // What is left on the stream is there for the next run.
        while !self.stop.is_leaving() {
            let records = self.database.stream_read(0, RECORDS_MAX)?;
            let Some(last) = records.last().map(|record| record.seq) else { return Ok(total) };
            let mut inbox = Inbox::default();
            let newest = self.newest_sighting()?;
            let now = self.clock.now().max(newest);
            for record in &records {
                inbox.read(&format!("stream record {}", record.seq), &record.body, now);
            }
            self.database.put(&inbox.rejects).await.context("putting stream lines in quarantine")?;
            let (measured, _) = intake.take(&inbox.observations).await?;
            total.add(&measured);
            if let Some(seen) = inbox.observations.iter().map(|observation| observation.seen).max()
                && seen > newest
            {
                self.database.set_setting(NEWEST_SIGHTING, &seen.ms().to_string())?;
            }
            self.database.stream_ack(last)?;
        }
        Ok(total)
    }

    /// Rolls wide areas up. What fails here is said and made up for by the next time: nothing waits for it, and what is shown is
    /// right without it.
    pub(crate) fn roll_up(&self) {
        roll_up(&self.database, &|| self.stop.is_leaving());
    }

    /// When anything was seen that was taken up. A clock that was days ahead and was put right, or one that was set back by days,
    /// lies behind that; what polls send comes after it all the same, and is no sighting of the future.
    fn newest_sighting(&self) -> anyhow::Result<Time> {
        let known = self.database.setting(NEWEST_SIGHTING)?;
        Ok(known.and_then(|ms| ms.parse().ok()).map_or(Time::default(), Time::from_ms))
    }
}
