//! Turns changes of homes into alerts, and withdraws those that later rows disprove.

use std::collections::{BTreeSet, HashMap};

use stoop_domain::{Alert, AlertId, Home, HomeId, Time, Verdict};
use stoop_rules::Rules;

use super::repeats::{NewAlert, SortedAlerts};
use crate::ports::{Change, JudgedAlert, Ledger, OtherListings, PortError, Publisher, Store};

/// The outcome of a batch of changes.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Alerted {
    /// Alerts sent now.
    pub sent: Vec<Alert>,
    /// Suspects held back now.
    pub suspects: Vec<Alert>,
    /// Alerts recorded now and not sent, because one of another listing of the home says as much.
    pub repeated: Vec<Alert>,
    /// Alerts that were sent or held back before.
    pub known: u64,
    /// Alerts of the ledger that are withdrawn now, because the homes' histories no longer give them.
    pub withdrawn: u64,
}

/// Why part of a batch is not done.
#[derive(Debug, thiserror::Error)]
#[error("an alert could not be sent or recorded")]
pub struct AlertError {
    /// The index of the first change that must be judged again; those before it are done.
    pub change: usize,
    /// What succeeded and is recorded.
    pub done: Alerted,
    /// The cause.
    #[source]
    pub source: PortError,
}

/// Judges a batch of changes at `now` and sends the alerts, each once.
///
/// Every alert is published before it is recorded: after a crash between the two it is sent again with the same ID. A
/// recorded alert is never sent again. If the home's history no longer gives it, it is marked as withdrawn; if it does
/// again, the mark is removed. An alert that a later change of the batch disproves is neither sent nor recorded. One that repeats an
/// alert of another listing of its home is recorded and not sent.
///
/// # Errors
///
/// The ledger fails, the other listings cannot be read, or the publisher fails for an alert; the others are sent and recorded. Feeding the same changes
/// again is safe.
pub async fn alert(
    changes: &[Change],
    rules: &Rules,
    ledger: &dyn Ledger,
    listings: &dyn OtherListings,
    publisher: &dyn Publisher,
    now: Time,
) -> Result<Alerted, AlertError> {
    let judged = BatchVerdict::of(changes, rules);
    let first = judged.first_change();
    let failed = |source| AlertError { change: first, done: Alerted::default(), source };
    let (unknown, marks) = judged.unknown(ledger, now).await.map_err(failed)?;
    let known = marks.iter().filter(|(_, at)| at.is_none()).count() as u64;
    let (to_send, suspects): (Vec<_>, Vec<_>) = unknown.into_iter().partition(|(_, alert)| is_reported(alert));
    let SortedAlerts { new, repeated } = SortedAlerts::of(to_send, rules, ledger, listings).await.map_err(failed)?;

    let mut outcome = Alerted { known, ..Alerted::default() };
    outcome.suspects = suspects.into_iter().map(|(_, alert)| alert).collect();
    let mut failure = None;
    if !new.is_empty() {
        let messages: Vec<Alert> = new.iter().map(|new| new.message.clone()).collect();
        let outcomes = publisher.publish(&messages).await;
        debug_assert_eq!(outcomes.len(), new.len(), "an outcome for each alert");
        for (NewAlert { change, alert, .. }, sent) in new.into_iter().zip(outcomes) {
            match sent {
                Ok(()) => outcome.sent.push(alert),
                Err(error) => {
                    failure.get_or_insert((change, error));
                }
            }
        }
    }
    // What repeats an alert that was not sent is judged again with it.
    let is_sent = |id: &AlertId| outcome.sent.iter().any(|sent| sent.id == *id);
    let repeated = repeated.into_iter().filter(|(of, _)| of.as_ref().is_none_or(is_sent));
    let repeated: Vec<Alert> = repeated.map(|(_, alert)| alert).collect();
    outcome.repeated = repeated;
    let Alerted { sent, suspects, repeated, .. } = &outcome;
    let done: Vec<Alert> = sent.iter().chain(suspects).chain(repeated).cloned().collect();
    if !done.is_empty() {
        ledger.record(&done, rules).await.map_err(failed)?;
    }
    let marked = mark(ledger, &marks).await;
    match (marked, failure) {
        (Ok(withdrawn), None) => Ok(Alerted { withdrawn, ..outcome }),
        (Ok(withdrawn), Some((change, source))) => {
            Err(AlertError { change, done: Alerted { withdrawn, ..outcome }, source })
        }
        (Err(source), _) => Err(AlertError { change: first, done: outcome, source }),
    }
}

/// Judges a batch of changes at `now` and records new alerts and marks, without publishing: subscribers follow the ledger.
///
/// # Errors
///
/// The ledger fails. Feeding the same changes again is safe.
pub async fn record_alerts(
    changes: &[Change],
    rules: &Rules,
    ledger: &dyn Ledger,
    now: Time,
) -> Result<Alerted, PortError> {
    let (unknown, marks) = BatchVerdict::of(changes, rules).unknown(ledger, now).await?;
    let alerted = alerted(unknown, &marks);
    let Alerted { sent, suspects, .. } = &alerted;
    if !sent.is_empty() || !suspects.is_empty() {
        ledger.record(&[&sent[..], &suspects[..]].concat(), rules).await?;
    }
    Ok(Alerted { withdrawn: mark(ledger, &marks).await?, ..alerted })
}

/// What [`record_alerts`] would record, without recording it.
///
/// # Errors
///
/// The ledger fails.
pub async fn new_alerts(changes: &[Change], rules: &Rules, ledger: &dyn Ledger) -> Result<Alerted, PortError> {
    let (unknown, marks) = BatchVerdict::of(changes, rules).unknown(ledger, Time::default()).await?;
    Ok(alerted(unknown, &marks))
}

/// The marks that alerts of the ledger lack or should not have: one stands if its home gives it by the rules that it was
/// judged by, or by those `in_force`. An alert stays as it is if its own rules or its home are not known.
///
/// # Errors
///
/// The homes cannot be read.
pub async fn marks_due(
    judged: &[JudgedAlert],
    in_force: &Rules,
    homes: &dyn Store,
    now: Time,
) -> Result<Vec<(AlertId, Option<Time>)>, PortError> {
    let ids: BTreeSet<&HomeId> = judged.iter().map(|judged| &judged.alert.home).collect();
    let ids: Vec<HomeId> = ids.into_iter().cloned().collect();
    let stored = homes.homes(&ids).await?;
    let stored: HashMap<&HomeId, Home> =
        ids.iter().zip(stored).filter_map(|(id, home)| Some((id, home?.value))).collect();
    let due = judged.iter().filter_map(|JudgedAlert { alert, rules }| {
        let (own, home) = (rules.as_ref()?, stored.get(&alert.home)?);
        let stands = own.stands(alert, home) || own != in_force && in_force.stands(alert, home);
        (stands == alert.withdrawn.is_some()).then(|| (alert.id.clone(), (!stands).then_some(now)))
    });
    Ok(due.collect())
}

/// Marks alerts. Returns how many of them are withdrawn now.
async fn mark(ledger: &dyn Ledger, marks: &[(AlertId, Option<Time>)]) -> Result<u64, PortError> {
    let (withdrawn, standing): (Vec<_>, Vec<_>) = marks.iter().cloned().partition(|(_, at)| at.is_some());
    if !standing.is_empty() {
        ledger.mark(&standing).await?;
    }
    if withdrawn.is_empty() { Ok(0) } else { ledger.mark(&withdrawn).await }
}

fn alerted(unknown: Vec<(usize, Alert)>, marks: &[(AlertId, Option<Time>)]) -> Alerted {
    let (sent, suspects) = unknown.into_iter().map(|(_, alert)| alert).partition(is_reported);
    let known = marks.iter().filter(|(_, at)| at.is_none()).count() as u64;
    Alerted { sent, suspects, known, ..Alerted::default() }
}

fn is_reported(alert: &Alert) -> bool {
    alert.verdict == Verdict::Alert
}

/// What a batch of changes means in the end: of an alert that is raised and disproved in turns, the last counts.
struct BatchVerdict {
    /// Each with the index of its change.
    raised: Vec<(usize, Alert)>,
    /// The alerts that homes gave before, or in between.
    disproved: BTreeSet<AlertId>,
    /// The index of the first change with any of these.
    first: usize,
}

/// The alerts that the ledger does not know, each with the index of its change; and the marks of those that it may know.
type Unknown = (Vec<(usize, Alert)>, Vec<(AlertId, Option<Time>)>);

impl BatchVerdict {
    fn of(changes: &[Change], rules: &Rules) -> Self {
        let mut raised: Vec<Option<(usize, Alert)>> = Vec::new();
        let mut at: HashMap<AlertId, usize> = HashMap::new();
        let mut disproved = BTreeSet::new();
        let mut first = None;
        for (index, change) in changes.iter().enumerate() {
            let judged = rules.judge(&change.home, change.old.as_ref(), &change.new);
            if !judged.raised.is_empty() || !judged.disproved.is_empty() {
                first.get_or_insert(index);
            }
            for id in judged.disproved {
                if let Some(known) = at.remove(&id) {
                    raised[known] = None;
                }
                disproved.insert(id);
            }
            for alert in judged.raised {
                disproved.remove(&alert.id);
                if !at.contains_key(&alert.id) {
                    at.insert(alert.id.clone(), raised.len());
                    raised.push(Some((index, alert)));
                }
            }
        }
        Self { raised: raised.into_iter().flatten().collect(), disproved, first: first.unwrap_or_default() }
    }

    fn first_change(&self) -> usize {
        self.first
    }

    async fn unknown(self, ledger: &dyn Ledger, now: Time) -> Result<Unknown, PortError> {
        let mut marks: Vec<(AlertId, Option<Time>)> = self.disproved.into_iter().map(|id| (id, Some(now))).collect();
        if self.raised.is_empty() {
            return Ok((Vec::new(), marks));
        }
        let asked: Vec<_> = self.raised.iter().map(|(_, alert)| alert.id.clone()).collect();
        let known = ledger.known(&asked).await?;
        let mut unknown = Vec::new();
        for (judged, known) in self.raised.into_iter().zip(known) {
            if known { marks.push((judged.1.id, None)) } else { unknown.push(judged) }
        }
        Ok((unknown, marks))
    }
}
