//! Turns changes of homes into alerts.

use std::collections::HashSet;

use stoop_domain::{Alert, Verdict};
use stoop_rules::Rules;

use crate::ports::{Change, Ledger, PortError, Publisher};

/// The outcome of a batch of changes.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Alerted {
    /// Alerts sent now.
    pub sent: Vec<Alert>,
    /// Suspects held back now.
    pub suspects: Vec<Alert>,
    /// Alerts that were sent or held back before.
    pub known: u64,
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

/// Judges a batch of changes and sends the alerts, each once.
///
/// Every alert is published before it is recorded: after a crash between the two it is sent again with the same ID. A
/// recorded alert is never sent again.
///
/// # Errors
///
/// The ledger fails, or the publisher fails for an alert; the others are sent and recorded. Feeding the same changes
/// again is safe.
pub async fn alert(
    changes: &[Change],
    rules: &Rules,
    ledger: &dyn Ledger,
    publisher: &dyn Publisher,
) -> Result<Alerted, AlertError> {
    let judged = raised(changes, rules);
    let Some(first) = judged.first().map(|(index, _)| *index) else { return Ok(Alerted::default()) };
    let failed = |source| AlertError { change: first, done: Alerted::default(), source };
    let (unknown, known) = unknown(judged, ledger).await.map_err(failed)?;
    let (to_send, suspects): (Vec<_>, Vec<_>) = unknown.into_iter().partition(|(_, alert)| is_reported(alert));
    let (indexes, to_send): (Vec<usize>, Vec<Alert>) = to_send.into_iter().unzip();

    let mut outcome = Alerted { known, ..Alerted::default() };
    outcome.suspects = suspects.into_iter().map(|(_, alert)| alert).collect();
    let mut failure = None;
    let outcomes = publisher.publish(&to_send).await;
    debug_assert_eq!(outcomes.len(), to_send.len(), "an outcome for each alert");
    for ((alert, index), sent) in to_send.into_iter().zip(indexes).zip(outcomes) {
        match sent {
            Ok(()) => outcome.sent.push(alert),
            Err(error) => {
                failure.get_or_insert((index, error));
            }
        }
    }
    let done: Vec<Alert> = outcome.sent.iter().chain(&outcome.suspects).cloned().collect();
    ledger.record(&done, rules).await.map_err(failed)?;
    match failure {
        None => Ok(outcome),
        Some((change, source)) => Err(AlertError { change, done: outcome, source }),
    }
}

/// Judges a batch of changes and records new alerts, without publishing: subscribers follow the ledger.
///
/// # Errors
///
/// The ledger fails. Feeding the same changes again is safe.
pub async fn record_alerts(changes: &[Change], rules: &Rules, ledger: &dyn Ledger) -> Result<Alerted, PortError> {
    let alerted = new_alerts(changes, rules, ledger).await?;
    let Alerted { sent, suspects, .. } = &alerted;
    if !sent.is_empty() || !suspects.is_empty() {
        ledger.record(&[&sent[..], &suspects[..]].concat(), rules).await?;
    }
    Ok(alerted)
}

/// What [`record_alerts`] would record, without recording it.
///
/// # Errors
///
/// The ledger fails.
pub async fn new_alerts(changes: &[Change], rules: &Rules, ledger: &dyn Ledger) -> Result<Alerted, PortError> {
    let (unknown, known) = unknown(raised(changes, rules), ledger).await?;
    let (sent, suspects) = unknown.into_iter().map(|(_, alert)| alert).partition(is_reported);
    Ok(Alerted { sent, suspects, known })
}

fn is_reported(alert: &Alert) -> bool {
    alert.verdict == Verdict::Alert
}

/// The alerts that changes give, each ID once, with the index of its change.
fn raised(changes: &[Change], rules: &Rules) -> Vec<(usize, Alert)> {
    let mut judged = Vec::new();
    let mut ids = HashSet::new();
    for (index, change) in changes.iter().enumerate() {
        let alerts = rules.judge(&change.home, change.old.as_ref(), &change.new);
        judged.extend(alerts.into_iter().filter(|alert| ids.insert(alert.id.clone())).map(|alert| (index, alert)));
    }
    judged
}

/// The alerts that the ledger does not know, and the number that it does.
async fn unknown(judged: Vec<(usize, Alert)>, ledger: &dyn Ledger) -> Result<(Vec<(usize, Alert)>, u64), PortError> {
    if judged.is_empty() {
        return Ok((judged, 0));
    }
    let asked: Vec<_> = judged.iter().map(|(_, alert)| alert.id.clone()).collect();
    let known = ledger.known(&asked).await?;
    let count = known.iter().filter(|known| **known).count() as u64;
    Ok((judged.into_iter().zip(known).filter(|(_, known)| !known).map(|(judged, _)| judged).collect(), count))
}
