//! Changes of homes in, alerts out.

use std::collections::HashSet;

use stoop_domain::{Alert, Verdict};
use stoop_rules::Rules;

use crate::ports::{Change, Ledger, PortError, Publisher};

/// What became of a batch of changes.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Alerted {
    /// Alerts told now.
    pub sent: Vec<Alert>,
    /// Alerts held back now as suspect.
    pub suspects: Vec<Alert>,
    /// Alerts that had been told or held back before.
    pub known: u64,
}

/// Why not every change of a batch is done with.
#[derive(Debug, thiserror::Error)]
#[error("an alert could not be told or recorded")]
pub struct AlertError {
    /// The place of the first change that is to be judged again; those before it are done with.
    pub change: usize,
    /// What went well all the same, and is recorded.
    pub done: Alerted,
    /// Why.
    #[source]
    pub source: PortError,
}

/// Judges a batch of changes and tells what deserves it, once.
///
/// Every alert is published before it is recorded: a crash between the two sends it again with the same
/// id. One that is recorded is never sent again.
///
/// # Errors
/// When the ledger fails, or the publisher does for some alert; the others are told and recorded. Feeding the
/// same changes again is right.
pub async fn alert(
    changes: &[Change],
    rules: &Rules,
    ledger: &dyn Ledger,
    publisher: &dyn Publisher,
) -> Result<Alerted, AlertError> {
    let judged = raised(changes, rules);
    let Some(first) = judged.first().map(|(place, _)| *place) else { return Ok(Alerted::default()) };
    let failed = |source| AlertError { change: first, done: Alerted::default(), source };
    let (unknown, known) = unknown(judged, ledger).await.map_err(failed)?;
    let (to_tell, suspects): (Vec<_>, Vec<_>) = unknown.into_iter().partition(|(_, alert)| is_reported(alert));
    let (places, to_tell): (Vec<usize>, Vec<Alert>) = to_tell.into_iter().unzip();

    let mut outcome = Alerted { known, ..Alerted::default() };
    outcome.suspects = suspects.into_iter().map(|(_, alert)| alert).collect();
    let mut failure = None;
    let outcomes = publisher.publish(&to_tell).await;
    debug_assert_eq!(outcomes.len(), to_tell.len(), "an outcome for each alert");
    for ((alert, place), sent) in to_tell.into_iter().zip(places).zip(outcomes) {
        match sent {
            Ok(()) => outcome.sent.push(alert),
            Err(error) => {
                failure.get_or_insert((place, error));
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

/// Judges a batch of changes and records what is new. Nothing is published: whoever tells follows the ledger.
///
/// # Errors
/// When the ledger fails. Feeding the same changes again is right.
pub async fn record_alerts(changes: &[Change], rules: &Rules, ledger: &dyn Ledger) -> Result<Alerted, PortError> {
    let alerted = new_alerts(changes, rules, ledger).await?;
    let Alerted { sent, suspects, .. } = &alerted;
    if !sent.is_empty() || !suspects.is_empty() {
        ledger.record(&[&sent[..], &suspects[..]].concat(), rules).await?;
    }
    Ok(alerted)
}

/// What [`record_alerts`] would record. Nothing is.
///
/// # Errors
/// When the ledger fails.
pub async fn new_alerts(changes: &[Change], rules: &Rules, ledger: &dyn Ledger) -> Result<Alerted, PortError> {
    let (unknown, known) = unknown(raised(changes, rules), ledger).await?;
    let (sent, suspects) = unknown.into_iter().map(|(_, alert)| alert).partition(is_reported);
    Ok(Alerted { sent, suspects, known })
}

fn is_reported(alert: &Alert) -> bool {
    alert.verdict == Verdict::Alert
}

/// What changes give rise to, each id once, with the place of its change.
fn raised(changes: &[Change], rules: &Rules) -> Vec<(usize, Alert)> {
    let mut judged = Vec::new();
    let mut ids = HashSet::new();
    for (place, change) in changes.iter().enumerate() {
        let alerts = rules.judge(&change.home, change.old.as_ref(), &change.new);
        judged.extend(alerts.into_iter().filter(|alert| ids.insert(alert.id.clone())).map(|alert| (place, alert)));
    }
    judged
}

/// Those that the ledger does not know, and how many it does.
async fn unknown(judged: Vec<(usize, Alert)>, ledger: &dyn Ledger) -> Result<(Vec<(usize, Alert)>, u64), PortError> {
    if judged.is_empty() {
        return Ok((judged, 0));
    }
    let asked: Vec<_> = judged.iter().map(|(_, alert)| alert.id.clone()).collect();
    let known = ledger.known(&asked).await?;
    let count = known.iter().filter(|known| **known).count() as u64;
    Ok((judged.into_iter().zip(known).filter(|(_, known)| !known).map(|(judged, _)| judged).collect(), count))
}
