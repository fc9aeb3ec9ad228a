use std::sync::Arc;

use stoop_domain::{Alert, Time};
use stoop_embedded::{Database, FolderFiles, MergePass, PageFolder};
use stoop_pipeline::ports::Http;
use stoop_pipeline::{Clock, DrainPorts, Measured, PollError, PollPorts, Polled, Search, Tokens, drain, poll};
use stoop_rules::Rules;
use stoop_serve::COMPARED_LISTINGS_MAX;

use crate::args::StoreArgs;
use crate::due_times::DueTimes;
use crate::failure::not_opened;
use crate::intake::Intake;
use crate::out::complain;
use crate::show::count;
use crate::stop::Stop;
use crate::views::{newest_moment, plural};

/// Opens the database for work: registers this process for others to see, and closes runs that killed processes left
/// open.
pub(crate) fn open_to_work(store: &StoreArgs, command: &str, now: Time) -> anyhow::Result<Arc<Database>> {
    let database = Database::open(store.db(), &store.data()).map_err(not_opened)?;
    database.begin_work(command, now)?;
    warn_of_unknown_files(&database)?;
    Ok(database)
}

/// Warns when the database does not name all files of its lake. What it writes now does not harm them.
fn warn_of_unknown_files(database: &Database) -> anyhow::Result<()> {
    let unknown = database.unknown_files()?;
    if let Some(first) = unknown.first() {
        let observations: u64 = unknown.iter().map(|file| file.rows).sum();
        complain!(
            "stoop: {} does not know {} of its lake with {} observations, the first: {}; it is older than its lake or shares \
             it with another, and does not show them. To read all files of the lake: move the database away, then \
             `stoop rebuild --from-lake`",
            database.path().display(),
            plural(unknown.len() as u64, "file"),
            count(observations),
            first.path
        );
    }
    Ok(())
}

/// Says which counties have too many listings.
fn complain_of(pass: &MergePass) {
    for county in &pass.too_large {
        complain!(
            "stoop: {county} has more than {} listings, the most that are compared: there each listing counts",
            count(COMPARED_LISTINGS_MAX as u64)
        );
    }
}

/// See [`Engine::roll_up`].
pub(crate) fn roll_up(database: &Database, stop: &dyn Fn() -> bool) {
    match database.merge_listings(stop) {
        Ok(pass) => complain_of(&pass),
        Err(error) => complain!("stoop: the listings of homes are not merged yet: {:#}", anyhow::Error::new(error)),
    }
    let rolled = newest_moment(database).and_then(|moment| Ok(database.roll_up(moment.unwrap_or_default(), stop)?));
    if let Err(error) = rolled {
        complain!("stoop: wide areas are not rolled up and are slower to show: {error:#}");
    }
}

/// The pipeline's ports on a laptop: pollers publish to the stream, the intake reads from it.
#[derive(Clone)]
pub(crate) struct Engine {
    pub(crate) database: Arc<Database>,
    pub(crate) http: Arc<dyn Http>,
    pub(crate) files: FolderFiles,
    pub(crate) tokens: Arc<Tokens>,
    pub(crate) clock: Arc<dyn Clock>,
    pub(crate) due: DueTimes,
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

    /// An intake on this engine's database.
    pub(crate) fn intake(&self, rules: Rules, watcher: impl Fn(&Alert) + Send + Sync + 'static) -> Intake<'_> {
        Intake::new(&self.database, rules, watcher)
    }

    /// Processes everything on the stream, unless the program is leaving.
    pub(crate) async fn drain(&self, intake: &mut Intake<'_>) -> anyhow::Result<Measured> {
        let ports = DrainPorts {
            stream: &*self.database,
            quarantine: &*self.database,
            clock: &*self.clock,
            stop: &|| self.stop.is_leaving(),
        };
        drain(ports, async |observations| Ok(intake.take(observations).await?.0)).await
    }

    /// Merges the listings of homes, if each home counts once, and rolls wide areas up. A failure is logged and the next call catches up: nothing waits for roll-ups, and views are
    /// right without them.
    pub(crate) fn roll_up(&self) {
        roll_up(&self.database, &|| self.stop.is_leaving());
    }
}
