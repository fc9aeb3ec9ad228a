//! Changes of homes in, alerts out.

use std::collections::HashSet;

use stoop_domain::{Alert, Verdict};
use stoop_rules::Rules;

use crate::ports::{Change, Ledger, PortError, Publisher};

/// What became of a batch of changes.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Alerted {
    /// Alerts told now.
    pub told: Vec<Alert>,
    /// Alerts held back now as suspect.
    pub suspects: Vec<Alert>,
    /// Alerts that had been told or held back before.
    pub known: u64,
}

/// Judges a batch of changes and tells what deserves it, once.
///
/// Every alert is published before it is recorded: a crash between the two sends it again with the same
/// id. One that is recorded is never sent again.
///
/// # Errors
/// When the ledger or the publisher fails; what was published until then is recorded. Feeding the same
/// changes again is right.
pub async fn alert(
    changes: &[Change],
    rules: &Rules,
    ledger: &dyn Ledger,
    publisher: &dyn Publisher,
) -> Result<Alerted, PortError> {
    let mut judged = Vec::new();
    let mut ids = HashSet::new();
    for change in changes {
        let alerts = rules.judge(&change.home, change.old.as_ref(), &change.new);
        judged.extend(alerts.into_iter().filter(|alert| ids.insert(alert.id.clone())));
    }
    let mut outcome = Alerted::default();
    if judged.is_empty() {
        return Ok(outcome);
    }
    let asked: Vec<_> = judged.iter().map(|alert| alert.id.clone()).collect();
    let known = ledger.known(&asked).await?;
    let mut done = Vec::new();
    let mut failure = None;
    for (alert, known) in judged.into_iter().zip(known) {
        if known {
            outcome.known += 1;
            continue;
        }
        if alert.verdict == Verdict::Alert
            && let Err(error) = publisher.publish(&alert).await
        {
            failure = Some(error);
            break;
        }
        done.push(alert);
    }
    ledger.record(&done).await?;
    let (told, suspects) = done.into_iter().partition(|alert| alert.verdict == Verdict::Alert);
    outcome.told = told;
    outcome.suspects = suspects;
    failure.map_or(Ok(outcome), Err)
}
