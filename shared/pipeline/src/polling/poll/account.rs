use std::hash::{BuildHasher, BuildHasherDefault};

use rustc_hash::FxHasher;
use stoop_domain::Time;

use super::PollPorts;
use crate::ports::{Budgets, PortError};
use crate::search::budget::Account;

/// How often one change of a record is tried. Each attempt that fails lost to one that succeeded, so twenty pollers at
/// once need at most twenty attempts.
const ATTEMPTS_MAX: u32 = 100;

/// The record of an account, which other polls change at the same time.
pub(super) struct SharedAccount<'a> {
    ports: PollPorts<'a>,
    pub(super) name: String,
    /// The record as it was seen last, and its version.
    seen: Option<(Account, u64)>,
    /// Other polls change it now: it is read before each change.
    contended: bool,
    run: &'a str,
}

impl<'a> SharedAccount<'a> {
    pub(super) fn new(ports: PollPorts<'a>, name: String, run: &'a str) -> Self {
        Self { ports, name, seen: None, contended: false, run }
    }

    /// Changes the record. `change` gets the newest record and the time, and is called again if another poll changed
    /// the record in the meantime. Its result is returned after the record is stored, or if nothing changed.
    ///
    /// A poll that is alone on the account writes once and reads nothing.
    pub(super) async fn change<T>(
        &mut self,
        mut change: impl FnMut(&mut Account, Time) -> T + Send,
    ) -> Result<T, PortError>
    where
        T: Send,
    {
        for attempt in 0..ATTEMPTS_MAX {
            let remembered = self.seen.take();
            let known = remembered.as_ref().map(|(_, version)| *version);
            let (before, version, fresh) = match remembered.filter(|_| !self.contended) {
                Some((account, version)) => (account, version, false),
                None => {
                    let (account, version) = self.ports.budgets.load(&self.name).await?;
                    self.contended = known.is_some_and(|known| known != version);
                    (account, version, true)
                }
            };
            let mut after = before.clone();
            let said = change(&mut after, self.ports.clock.now());
            if after == before && fresh {
                self.seen = Some((before, version));
                return Ok(said);
            }
            // Nothing is written, so the record may be stale: it is read.
            if after == before {
                self.contended = true;
                self.seen = Some((before, version));
                continue;
            }
            if self.ports.budgets.save(&self.name, &after, version).await? {
                self.seen = Some((after, version + 1));
                return Ok(said);
            }
            self.contended = true;
            self.seen = Some((before, version));
            self.ports.clock.sleep(self.pause_ms(attempt, version)).await;
        }
        let why = format!("others changed it {ATTEMPTS_MAX} times in the meantime");
        Err(PortError::unavailable(format!("change the record of the account {}", self.name), why))
    }

    /// Reads the record anew.
    pub(super) async fn reload(&mut self) -> Result<&Account, PortError> {
        Ok(&self.seen.insert(self.ports.budgets.load(&self.name).await?).0)
    }

    /// The record as it was seen last.
    pub(super) fn seen(&self) -> Option<&Account> {
        self.seen.as_ref().map(|(account, _)| account)
    }

    /// Pauses differ between runs, so that those who lost do not retry together. A run always has the same pauses.
    fn pause_ms(&self, attempt: u32, version: u64) -> u64 {
        let spread = BuildHasherDefault::<FxHasher>::default().hash_one((self.run, attempt, version));
        1 + spread % (5 * u64::from(attempt.min(9) + 1))
    }
}

/// Lets polls ask an account again at once, whatever its server asked for and however its last polls ended. Returns
/// until when they had to wait, and why.
///
/// # Errors
/// When its record cannot be read or stored.
pub async fn release(budgets: &dyn Budgets, account: &str, now: Time) -> Result<Option<(Time, String)>, PortError> {
    for _ in 0..ATTEMPTS_MAX {
        let (before, version) = budgets.load(account).await?;
        let held = before.held(now);
        let mut after = before.clone();
        after.release();
        if after == before || budgets.save(account, &after, version).await? {
            return Ok(held);
        }
    }
    let why = format!("others changed it {ATTEMPTS_MAX} times in the meantime");
    Err(PortError::unavailable(format!("change the record of the account {account}"), why))
}
