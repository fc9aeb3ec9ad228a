//! Who works on a database. Each process that writes for longer holds a lock on a file of its own beside the database,
//! which goes with the process, however that ends. What a process that is gone left open is closed by the next one.

use std::fs::{File, TryLockError};
use std::path::PathBuf;

use rusqlite::{Connection, OptionalExtension, TransactionBehavior, params};
use stoop_domain::Time;
use stoop_pipeline::ports::{PortError, RunOutcome, RunRecord};

use crate::database::Database;
use crate::error::{Result, at};
use crate::rebuild::COMMAND;

/// A process that works on a database.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Process {
    /// Its number on the computer it runs on.
    pub pid: u32,
    /// What it is, in words: `stoop run`.
    pub command: String,
    /// When it began.
    pub since: Time,
}

/// This process, as others see it.
pub(crate) struct Presence {
    token: String,
    file: PathBuf,
    /// Locked as long as it is open.
    _lock: File,
}

impl Database {
    /// Says that this process works here from `now` on, until the handle is dropped or the process ends: the runs that it
    /// records are its own. Runs of processes that are gone, and have not said how they ended, are closed as killed.
    /// Tells who else works here and began earlier.
    ///
    /// # Errors
    /// When somebody rebuilds the state here, when it cannot be written down, or the file system has no locks.
    pub fn begin_work(&self, command: &str, now: Time) -> Result<Vec<Process>, PortError> {
        let presence = self.appear(command, now).map_err(self.doing("say who works here"))?;
        let token = presence.token.clone();
        drop(self.presence().replace(presence));
        self.sweep(&token).map_err(self.doing("find out who else works here"))
    }

    /// The file of a process.
    fn lock_file(&self, token: &str) -> PathBuf {
        // Whoever comes by a link finds the same file.
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
        // Locked before it is known to anybody.
        let presence = Presence { token, file, _lock: lock };
        presence._lock.lock().map_err(at("lock", &presence.file))?;
        let sql = "INSERT INTO processes(token, pid, command, since) VALUES(?1, ?2, ?3, ?4)";
        inner.connection.execute(sql, params![presence.token, std::process::id(), command, now.ms()])?;
        Ok(presence)
    }

    /// Closes what dead processes left open, and tells of those that live and began before `token`.
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
                if process.command == COMMAND {
                    let pid = process.pid;
                    return Err(format!("`{COMMAND}` (process {pid}) works on it: try again when it has ended").into());
                }
                alive.push(process);
            }
        }
        transaction.commit()?;
        Ok(alive)
    }

    /// Whether nobody holds the lock of a process any more. Who cannot find out takes it to be alive.
    fn is_gone(&self, token: &str) -> bool {
        match File::open(self.lock_file(token)) {
            Err(error) => error.kind() == std::io::ErrorKind::NotFound,
            // Shared, so that two who ask do not take each other for the process.
            Ok(file) => match file.try_lock_shared() {
                Ok(()) => true,
                Err(TryLockError::WouldBlock | TryLockError::Error(_)) => false,
            },
        }
    }

    /// A run as it is: one that says it runs, and whose process is gone, was killed.
    pub(crate) fn as_it_is(&self, run: RunRecord, process: Option<String>) -> Result<RunRecord> {
        let Some(token) = process.filter(|token| run.outcome == RunOutcome::Running && self.is_gone(token)) else {
            return Ok(run);
        };
        let inner = self.lock();
        let sql = "SELECT pid, command, since FROM processes WHERE token = ?1";
        let process = inner.connection.prepare_cached(sql)?.query_row([token], |row| process_of(row, 0)).optional()?;
        // Between two reads the next process may have closed it.
        Ok(process.map_or_else(|| run.clone(), |process| killed(run.clone(), &process)))
    }

    /// The token of this process, where it has said that it works here.
    pub(crate) fn token(&self) -> Option<String> {
        self.presence().as_ref().map(|presence| presence.token.clone())
    }

    /// Takes this process from the list. Where that fails, the next one finds that it is gone.
    pub(crate) fn end_work(&self) {
        let Some(Presence { token, file, _lock: lock }) = self.presence().take() else { return };
        let known = "SELECT count(*) FROM runs WHERE process = ?1";
        let inner = self.lock();
        // A run that it has left open is for the next one to close.
        if inner.connection.query_row(known, [&token], |row| row.get::<_, i64>(0)) == Ok(0)
            && inner.connection.execute("DELETE FROM processes WHERE token = ?1", [&token]).is_ok()
        {
            drop(lock);
            drop(std::fs::remove_file(file));
        }
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

/// Closes the runs of a process that is gone, and forgets it.
fn close(connection: &Connection, token: &str, process: &Process) -> Result<()> {
    let mut statement = connection.prepare_cached("SELECT id, body FROM runs WHERE process = ?1")?;
    let rows = statement.query_map([token], |row| Ok((row.get::<_, String>(0)?, row.get::<_, String>(1)?)))?;
    for (id, body) in rows.collect::<rusqlite::Result<Vec<_>>>()? {
        let body = serde_json::to_string(&killed(serde_json::from_str(&body)?, process))?;
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
