//! `stoop judge`: judges the stored homes by the current rules. Also hints at it when the rules have changed.

use std::cmp::Reverse;
use std::path::Path;
use std::process::ExitCode;

use serde::Serialize;
use stoop_domain::Alert;
use stoop_embedded::Database;
use stoop_pipeline::Alerted;
use stoop_rules::Rules;
use stoop_runtime::read_outline;
use stoop_serve::AlertView;

use crate::args::{JudgeArgs, StoreArgs};
use crate::failure::usage;
use crate::intake::Intake;
use crate::out::{self, complain, say};
use crate::show;
use crate::views;

/// The alerts on stored homes that the ledger does not know.
#[derive(Default, Serialize)]
struct JudgeReport {
    homes: u64,
    alerts: u64,
    suspects: u64,
    /// Alerts and suspects that the ledger knows already.
    known: u64,
    /// Alerts and suspects of the ledger that no home gives now, and that are not marked as withdrawn.
    withdrawn: u64,
    /// Those that are marked, though their homes give them again.
    standing: u64,
    /// Whether they are now sent and recorded, or marked.
    sent: bool,
    /// The newest of the alerts.
    newest: Vec<AlertView>,
    #[serde(skip)]
    shown: Vec<Alert>,
}

pub(crate) async fn judge(store: &StoreArgs, args: &JudgeArgs) -> anyhow::Result<ExitCode> {
    let config = in_force(args.config.as_deref()).map(read_outline).transpose().map_err(usage)?;
    let store = config.as_ref().map_or_else(|| store.clone(), |config| store.or(config));
    let rules = config.map(|config| config.alerts.rules).unwrap_or_default();
    let database = views::open(&store)?;
    let database = if args.send { Database::open(store.db(), &store.data()).map_err(usage)? } else { database };
    let mut judged = JudgeReport { sent: args.send, ..JudgeReport::default() };
    if args.send {
        keep(&database, &rules)?;
    }
    let intake = Intake::new(&database, rules, |_| {});
    intake.judge_stored(args.send, |homes, alerted| judged.add(homes, alerted, args.limit)).await?;
    (judged.withdrawn, judged.standing) = intake.compare_ledger(args.send).await?;
    if args.json.json {
        judged.newest = judged.shown.iter().map(AlertView::of).collect();
        out::json(&judged)?;
    } else {
        say!("{}", judged.in_words().trim_end());
    }
    Ok(ExitCode::SUCCESS)
}

/// The configuration whose rules apply: the named one, otherwise `stoop.toml` if it exists.
pub(crate) fn in_force(named: Option<&Path>) -> Option<&Path> {
    named.or_else(|| Some(Path::new("stoop.toml")).filter(|usual| usual.exists()))
}

/// Stores the rules that a database is used with, and warns when they have changed: alerts on the past are sent only on
/// request.
pub(crate) fn note_rules(database: &Database, rules: &Rules, config: Option<&Path>) -> anyhow::Result<()> {
    if keep(database, rules)? && database.newest_observation()?.is_some() {
        let config = config.map(|path| format!(" --config {}", path.display())).unwrap_or_default();
        complain!(
            "stoop: the alert rules have changed since {} was last used; they apply from now on. To apply them to the \
             stored homes: stoop judge{config}",
            database.path().display()
        );
    }
    Ok(())
}

/// Stores the rules. Returns whether there were different ones before.
fn keep(database: &Database, rules: &Rules) -> anyhow::Result<bool> {
    Ok(database.set_rules(rules)?.is_some_and(|before| before != *rules))
}

impl JudgeReport {
    fn add(&mut self, homes: usize, alerted: Alerted, limit: usize) {
        self.homes += homes as u64;
        self.alerts += alerted.sent.len() as u64;
        self.suspects += alerted.suspects.len() as u64;
        self.known += alerted.known;
        self.shown.extend(alerted.sent);
        self.shown.sort_by_key(|alert| Reverse(alert.at));
        self.shown.truncate(limit);
    }

    fn in_words(&self) -> String {
        let mut text = String::new();
        for alert in &self.shown {
            text.push_str(&format!("{}  {}\n", show::time(alert.at), show::alert_line(alert, out::line_width())));
        }
        text.extend(
            views::rest(self.shown.len(), usize::try_from(self.alerts).unwrap_or(usize::MAX)).map(|rest| rest + "\n"),
        );
        let [homes, known] = [self.homes, self.known].map(show::count);
        let (alerts, suspects) = (views::plural(self.alerts, "alert"), views::plural(self.suspects, "suspect"));
        text.push_str(&format!("{homes} homes judged: {alerts} and {suspects} were not known, {known} were\n"));
        if self.withdrawn + self.standing > 0 {
            let [withdrawn, standing] = [self.withdrawn, self.standing].map(show::count);
            text.push_str(&format!("of the ledger, {withdrawn} no longer stand, and {standing} do again\n"));
        }
        let changes = self.alerts + self.suspects + self.withdrawn + self.standing;
        text.push_str(match (self.sent, changes) {
            (_, 0) => "",
            (true, _) if self.alerts + self.suspects == 0 => "they are marked so\n",
            (true, _) => "they are recorded, and the alerts sent: in alerts.jsonl, and by `stoop run` to a webhook\n",
            (false, _) => "nothing was recorded, sent or marked: --send does that\n",
        });
        text
    }
}
