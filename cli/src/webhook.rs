//! The webhook, which follows the alert ledger while `stoop run` runs, and `stoop webhook`.

use std::fs::{File, TryLockError};
use std::process::ExitCode;
use std::time::Duration;

use anyhow::Context;
use serde::Serialize;
use stoop_embedded::Database;
use stoop_pipeline::ports::DeadLetter;
use stoop_pipeline::{Delivery, ErrorCode, Trouble, begin_delivery, deliver, resend};
use stoop_runtime::{AlertSettings, HttpClient, SystemClock, Webhook, read_alerts, read_outline};
use stoop_serve::AlertView;
use tokio::sync::oneshot;

use crate::args::{StoreArgs, WebhookArgs};
use crate::engine::Engine;
use crate::failure::usage;
use crate::out::{self, complain, say};
use crate::show;
use crate::views::{self, as_text};

/// The webhook's name among the followers of the alert ledger.
const WEBHOOK: &str = "webhook";

/// How long waiting alerts are still posted after a stop: as long as the program waits for anything. An alert on its
/// way then is posted again next time.
const GRACE: Duration = Duration::from_secs(2);

/// Posts alerts while the program runs.
pub(crate) struct WebhookSender {
    engine: Engine,
    webhook: Webhook,
    /// Held while it runs: two senders would post every alert twice.
    turn: File,
}

/// A running sender: tells when it has ended.
pub(crate) struct SendTask(oneshot::Receiver<()>);

impl WebhookSender {
    /// A sender, if a webhook is configured and no other process has one running. A new one begins with the alerts from
    /// now on, unless it is configured to send the past. A webhook that is removed and added again is new.
    pub(crate) async fn of(engine: &Engine, settings: &AlertSettings) -> anyhow::Result<Option<Self>> {
        let database = &engine.database;
        let Some(turn) = turn(database)? else {
            if settings.webhook.is_some() {
                complain!("stoop: another process posts alerts to the webhook: this one does not");
            }
            return Ok(None);
        };
        let Some(address) = settings.webhook.clone() else {
            database.forget_follower(WEBHOOK)?;
            return Ok(None);
        };
        begin_delivery(&**database, WEBHOOK, settings.webhook_past).await?;
        Ok(Some(Self { engine: engine.clone(), webhook: Webhook::new(HttpClient::new(), address), turn }))
    }

    /// On a thread and a connection of its own: neither polls nor measuring delay it, nor it them.
    pub(crate) fn start(self) -> anyhow::Result<SendTask> {
        let Self { engine, webhook, turn } = self;
        let database = Database::open(engine.database.path(), engine.database.data())?;
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
        let (ended, end) = oneshot::channel();
        let send = move || {
            let _turn = turn;
            let delivery = Delivery {
                followers: &*database,
                follower: WEBHOOK,
                subscriber: &webhook,
                clock: &*engine.clock,
                stop: &|| engine.stop.is_set(),
                report: &tell,
            };
            runtime.block_on(deliver(delivery));
            // Nobody may wait for it any more.
            ended.send(()).unwrap_or_default();
        };
        std::thread::Builder::new().name("webhook".to_owned()).spawn(send)?;
        Ok(SendTask(end))
    }
}

/// Locks a file next to the alerts; `None` if another process holds the lock. The lock ends with the process.
fn turn(database: &Database) -> anyhow::Result<Option<File>> {
    let folder = database.data();
    let lock = || {
        stoop_embedded::make_folder(folder)?;
        let file = File::options().create(true).append(true).open(folder.join("webhook.lock"))?;
        match file.try_lock() {
            Ok(()) => Ok(Some(file)),
            Err(TryLockError::WouldBlock) => Ok(None),
            Err(TryLockError::Error(error)) => Err(error),
        }
    };
    lock().with_context(|| format!("locking webhook.lock in {}", folder.display()))
}

impl SendTask {
    /// Waits for its end, because the program stops; what is on its way after [`GRACE`] is given up.
    pub(crate) async fn end(self) {
        drop(tokio::time::timeout(GRACE, self.0).await);
    }
}

fn tell(trouble: &Trouble) {
    match trouble {
        Trouble::Waits { why, ms } => complain!("stoop: {why}; trying again in {}", show::span(ms.cast_signed())),
        // A wrong URL refuses everything, so this is logged only now and then.
        Trouble::Refused { why, in_a_row } if in_a_row.to_string().trim_end_matches('0') == "1" => {
            let code = ErrorCode::AlertRefused;
            complain!("stoop: {why}: refused, {in_a_row} in a row; see and send again with stoop webhook [{code}]");
        }
        Trouble::Refused { .. } => {}
        Trouble::Damaged { why } => complain!("stoop: {why}: it is not posted"),
    }
}

/// The progress of the webhook.
#[derive(Serialize)]
struct Standing {
    /// Whether it was posted to, or would be by `stoop run`.
    known: bool,
    /// Alerts still to be posted.
    waiting: u64,
    dead_letters: u64,
    /// Dead letters that were accepted now.
    sent: u64,
    letters: Vec<DeadLetterRow>,
}

#[derive(Serialize)]
struct DeadLetterRow {
    #[serde(serialize_with = "as_text")]
    refused_at: stoop_domain::Time,
    why: String,
    alert: AlertView,
    #[serde(skip)]
    line: String,
}

/// `stoop webhook`.
pub(crate) async fn webhook(store: &StoreArgs, args: &WebhookArgs) -> anyhow::Result<ExitCode> {
    let store = match args.config.exists() {
        true => store.or(&read_outline(&args.config).map_err(usage)?),
        false => store.clone(),
    };
    let read = views::open(&store)?;
    let mut sent = 0;
    let database = if args.send {
        let address = read_alerts(&args.config).map_err(usage)?.webhook;
        let address = address.ok_or_else(|| usage(format!("{} names no webhook", args.config.display())))?;
        let database = Database::open(store.db(), &store.data()).map_err(usage)?;
        sent = resend(&*database, WEBHOOK, &Webhook::new(HttpClient::new(), address), &SystemClock).await?;
        database
    } else {
        read
    };
    let standing = Standing::read(&database, sent, args.limit)?;
    if args.json.json {
        out::json(&standing)?;
    } else {
        say!("{}", standing.in_words().trim_end());
    }
    Ok(ExitCode::SUCCESS)
}

impl Standing {
    fn read(database: &Database, sent: u64, limit: usize) -> anyhow::Result<Self> {
        let known = database.place_of(WEBHOOK)?.is_some();
        let waiting = if known { database.waiting_count(WEBHOOK)? } else { 0 };
        let letters = database.dead_letters(WEBHOOK, 0, limit)?.into_iter().map(DeadLetterRow::of).collect();
        Ok(Self { known, waiting, dead_letters: database.dead_letter_count(WEBHOOK)?, sent, letters })
    }

    fn in_words(&self) -> String {
        let mut text = String::new();
        for DeadLetterRow { refused_at, why, line, .. } in &self.letters {
            text.push_str(&format!("{}  {line}\n    {}\n", show::time(*refused_at), show::plain(why)));
        }
        text.extend(
            views::rest(self.letters.len(), usize::try_from(self.dead_letters).unwrap_or(usize::MAX))
                .map(|rest| rest + "\n"),
        );
        if self.sent > 0 {
            text.push_str(&format!("{} taken now\n", views::plural(self.sent, "dead letter")));
        }
        let letters = views::plural(self.dead_letters, "dead letter");
        text.push_str(&match self.known {
            true => {
                format!("{letters}; {} waiting to be posted by `stoop run`\n", views::plural(self.waiting, "alert"))
            }
            false => format!("{letters}; no webhook was posted to yet\n"),
        });
        if self.dead_letters > 0 {
            text.push_str("stoop webhook --send posts the dead letters once more\n");
        }
        text
    }
}

impl DeadLetterRow {
    fn of(letter: DeadLetter) -> Self {
        let DeadLetter { at, why, alert, .. } = letter;
        Self { refused_at: at, why, line: show::alert_line(&alert, out::line_width()), alert: AlertView::of(&alert) }
    }
}
