//! The processes that use a database. A process that writes for a longer time holds a lock on its own file beside the
//! database, which is released when it ends in any way. The next process closes what a dead process left open.

use std::fs::{File, TryLockError};
use std::path::PathBuf;

use rusqlite::{Connection, OptionalExtension, TransactionBehavior, params};
use stoop_domain::Time;
use stoop_pipeline::ports::{Polling, PortError, RunOutcome, RunRecord};

use crate::database::Database;
use crate::error::{Result, at};
use crate::presence::Presence;
use crate::run_totals::tally;

/// The command of a process that rebuilds. Other processes are refused meanwhile.
pub(crate) const REBUILD: &str = "stoop rebuild";

/// A process that uses a database.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Process {
    /// The process ID.
    pub pid: u32,
    /// The command: `stoop run`.
    pub command: String,
    /// When it began.
    pub since: Time,
}

impl Database {
    /// Registers this process from `now` on, until the handle is dropped or the process ends. Runs that it records
    /// belong to it. Runs of dead processes without an outcome are closed as killed. Returns the live processes that
    /// began earlier.
    ///
    /// # Errors
    /// If another process rebuilds the state, if the registration cannot be stored, or if the file system has no locks.
    pub fn begin_work(&self, command: &str, now: Time) -> Result<Vec<Process>, PortError> {
        let presence = self.appear(command, now).map_err(self.doing("register this process"))?;
        let token = presence.token.clone();
        drop(self.presence().replace(presence));
        self.sweep(&token).map_err(self.doing("list the processes of the database"))
    }

    /// Which process polls searches at intervals: `stoop run` or `stoop demo`.
    ///
    /// # Errors
    /// If the processes cannot be read.
    pub fn polling(&self) -> Result<Polling, PortError> {
        let known = processes(&self.lock().connection).map_err(self.doing("list the processes of the database"))?;
        let of = |process: &Process| match &*process.command {
            "stoop run" => Some(Polling::Searches),
            "stoop demo" => Some(Polling::Simulation),
            _ => None,
        };
        let mut polls = known.iter().filter_map(|(token, process)| Some((token, of(process)?)));
        Ok(polls.find(|(token, _)| !self.is_gone(token)).map_or(Polling::Nothing, |(_, polling)| polling))
    }

    /// The lock file of a process.
    fn lock_file(&self, token: &str) -> PathBuf {
        // Resolves links, so that every path to the database leads to the same file.
        let path = std::fs::canonicalize(self.path()).unwrap_or_else(|_| self.path().to_owned());
        let mut name = path.into_os_string();
        name.push(format!("-process-{token}"));
        name.into()
    }

    fn appear(&self, command: &str, now: Time) -> Result<Presence> {
        let inner = self.lock();
        let token: String = inner.connection.query_row("SELECT lower(hex(randomblob(8)))", [], |row| row.get(0))?;
        let file = self.lock_file(&token);
        let lock = File::create_new(&file).map_err(at("make", &file))?;
        // Locked before others can see it.
        let presence = Presence { token, file, lock };
        presence.lock.lock().map_err(at("lock", &presence.file))?;
        let sql = "INSERT INTO processes(token, pid, command, since) VALUES(?1, ?2, ?3, ?4)";
        inner.connection.execute(sql, params![presence.token, std::process::id(), command, now.ms()])?;
        Ok(presence)
    }

    /// Closes what dead processes left open. Returns live processes that began before `token`.
    fn sweep(&self, token: &str) -> Result<Vec<Process>> {
        let mut inner = self.lock();
        let transaction = inner.connection.transaction_with_behavior(TransactionBehavior::Immediate)?;
        let mut earlier = true;
        let mut alive = Vec::new();
        for (known, process) in processes(&transaction)? {
            if known == token {
                earlier = false;
            } else if self.is_gone(&known) {
                close(&transaction, &known, &process)?;
                let file = self.lock_file(&known);
                match std::fs::remove_file(&file) {
                    Err(error) if error.kind() != std::io::ErrorKind::NotFound => {
                        return Err(at("remove", &file)(error).into());
                    }
                    _ => {}
                }
            } else if earlier {
                if process.command == REBUILD {
                    let pid = process.pid;
                    return Err(
                        format!("`{REBUILD}` (process {pid}) uses the database: try again when it has ended").into()
                    );
                }
                alive.push(process);
            }
        }
        transaction.commit()?;
        Ok(alive)
    }

    /// Whether nobody holds the lock of a process. If that cannot be determined, the process counts as alive.
    fn is_gone(&self, token: &str) -> bool {
        match File::open(self.lock_file(token)) {
            Err(error) => error.kind() == std::io::ErrorKind::NotFound,
            // A shared lock, so that two processes that check do not block each other.
            Ok(file) => match file.try_lock_shared() {
                Ok(()) => true,
                Err(TryLockError::WouldBlock | TryLockError::Error(_)) => false,
            },
        }
    }

    /// The true state of a run: if it is running and its process is dead, it was killed.
    pub(crate) fn as_it_is(&self, run: RunRecord, process: Option<String>) -> Result<RunRecord> {
        let Some(token) = process.filter(|token| run.outcome == RunOutcome::Running && self.is_gone(token)) else {
            return Ok(run);
        };
        let inner = self.lock();
        let sql = "SELECT pid, command, since FROM processes WHERE token = ?1";
        let process = inner.connection.prepare_cached(sql)?.query_row([token], |row| process_of(row, 0)).optional()?;
        // Another process may have closed it between the two reads.
        Ok(process.map_or_else(|| run.clone(), |process| killed(run.clone(), &process)))
    }

    /// The token of this process if it is registered.
    pub(crate) fn token(&self) -> Option<String> {
        self.presence().as_ref().map(|presence| presence.token.clone())
    }
}

fn processes(connection: &Connection) -> Result<Vec<(String, Process)>> {
    let mut statement = connection.prepare_cached("SELECT token, pid, command, since FROM processes ORDER BY rowid")?;
    let rows = statement.query_map([], |row| Ok((row.get(0)?, process_of(row, 1)?)))?;
    Ok(rows.collect::<rusqlite::Result<_>>()?)
}

fn process_of(row: &rusqlite::Row<'_>, from: usize) -> rusqlite::Result<Process> {
    let since = Time::from_ms(row.get(from + 2)?);
    Ok(Process { pid: row.get(from)?, command: row.get(from + 1)?, since })
}

/// Closes the runs of a dead process and removes it.
fn close(connection: &Connection, token: &str, process: &Process) -> Result<()> {
    let mut statement = connection.prepare_cached("SELECT id, body FROM runs WHERE process = ?1")?;
    let rows = statement.query_map([token], |row| Ok((row.get::<_, String>(0)?, row.get::<_, String>(1)?)))?;
    for (id, body) in rows.collect::<rusqlite::Result<Vec<_>>>()? {
        let run = killed(serde_json::from_str(&body)?, process);
        tally(connection, &run)?;
        let body = serde_json::to_string(&run)?;
        let sql = "UPDATE runs SET body = ?2, process = NULL WHERE id = ?1";
        connection.prepare_cached(sql)?.execute(params![id, body])?;
    }
    connection.execute("DELETE FROM processes WHERE token = ?1", [token])?;
    Ok(())
}

fn killed(run: RunRecord, process: &Process) -> RunRecord {
    let Process { pid, command, .. } = process;
    let message = format!("its process ({command}, {pid}) ended before it");
    RunRecord { outcome: RunOutcome::Killed, message: Some(message), ..run }
}
