//! Waits of tests, each with a bound: when it is reached, the test fails and says what it waited for.
//!
//! ```
//! use std::process::Command;
//! use stoop_waits::{PATIENCE, output, until};
//!
//! let said = output(Command::new("echo").arg("done"), PATIENCE).unwrap();
//! assert_eq!(said.stdout, b"done\n");
//! let mut asked = 0;
//! let third = until("the third answer", || {
//!     asked += 1;
//!     (asked == 3).then_some(asked)
//! });
//! assert_eq!(third, 3);
//! ```
//!
//! Bounds are far above what anything takes on a busy machine: no test depends on being fast. Limits: a bound ends the
//! program that was waited for, not the programs that it has started. What these functions do not see, such as a loop
//! without end, is ended by nextest (`.config/nextest.toml`) or a [`Limit`].

mod limit;
mod lines;
mod program;

use std::fs::{File, TryLockError};
use std::io;
use std::net::{TcpStream, ToSocketAddrs};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

pub use limit::Limit;
pub use lines::Lines;
pub use program::{answer, ended, finished, output, status};

/// The bound of a wait for what takes seconds on an idle machine: a program, a thread, a server, a row in a database.
pub const PATIENCE: Duration = Duration::from_mins(5);

/// The bound of a wait for a build, a deployment or an installation.
pub const LONG: Duration = Duration::from_hours(2);

/// The time between two looks.
const TICK: Duration = Duration::from_millis(5);

/// Looks until `found` returns something.
///
/// # Panics
///
/// It has returned nothing for [`PATIENCE`].
#[track_caller]
pub fn until<T>(what: &str, found: impl FnMut() -> Option<T>) -> T {
    look(PATIENCE, found).unwrap_or_else(|| panic!("{}", in_vain(what, PATIENCE)))
}

/// The result of a thread.
///
/// # Panics
///
/// The thread has panicked, or has not ended within [`PATIENCE`].
#[track_caller]
#[expect(clippy::disallowed_methods, reason = "the thread has ended")]
pub fn joined<T>(what: &str, thread: JoinHandle<T>) -> T {
    until(what, || thread.is_finished().then_some(()));
    thread.join().unwrap_or_else(|panic| std::panic::resume_unwind(panic))
}

/// A connection whose reads and writes fail after [`PATIENCE`].
///
/// # Errors
///
/// Nobody accepts it.
#[expect(clippy::disallowed_methods, reason = "it gets its bounds here")]
pub fn connected(address: impl ToSocketAddrs) -> io::Result<TcpStream> {
    let stream = TcpStream::connect(address)?;
    stream.set_read_timeout(Some(PATIENCE))?;
    stream.set_write_timeout(Some(PATIENCE))?;
    Ok(stream)
}

/// Locks a file that another process may have locked.
///
/// # Errors
///
/// It cannot be locked, or is not free within `bound`.
pub fn locked(file: &File, what: &str, bound: Duration) -> io::Result<()> {
    let free = || match file.try_lock() {
        Ok(()) => Some(Ok(())),
        Err(TryLockError::WouldBlock) => None,
        Err(TryLockError::Error(error)) => Some(Err(error)),
    };
    look(bound, free).unwrap_or_else(|| Err(io::Error::new(io::ErrorKind::TimedOut, in_vain(what, bound))))
}

/// The result of a future, by the clock of tokio: one that is paused runs ahead whenever nothing else can go on.
///
/// # Panics
///
/// It is not there within [`PATIENCE`].
pub async fn within<T>(what: &str, future: impl Future<Output = T>) -> T {
    match tokio::time::timeout(PATIENCE, future).await {
        Ok(result) => result,
        Err(_) => panic!("{}", in_vain(what, PATIENCE)),
    }
}

fn look<T>(bound: Duration, mut found: impl FnMut() -> Option<T>) -> Option<T> {
    let began = Instant::now();
    loop {
        if let Some(found) = found() {
            return Some(found);
        }
        if began.elapsed() >= bound {
            return None;
        }
        std::thread::sleep(TICK);
    }
}

fn in_vain(what: &str, bound: Duration) -> String {
    format!("waited {bound:?} in vain for {what}")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_comes_late_is_found_and_what_never_comes_is_given_up() {
        let began = Instant::now();
        let late = || (began.elapsed() > Duration::from_millis(30)).then_some("late");
        assert_eq!(look(PATIENCE, late), Some("late"));
        assert_eq!(look(Duration::from_millis(30), || None::<()>), None);
        assert_eq!(in_vain("a row", Duration::from_secs(90)), "waited 90s in vain for a row");
    }

    #[test]
    fn a_thread_gives_its_result_or_its_panic() {
        assert_eq!(joined("a sum", std::thread::spawn(|| 1 + 1)), 2);
        let panicked = std::panic::catch_unwind(|| joined("a sum", std::thread::spawn(|| panic!("no numbers"))));
        assert_eq!(panicked.unwrap_err().downcast_ref::<&str>(), Some(&"no numbers"));
    }

    #[test]
    fn a_locked_file_is_waited_for_and_given_up() {
        let [one, other] = [(); 2].map(|()| File::open(std::env::current_exe().unwrap()).unwrap());
        locked(&one, "a lock", PATIENCE).unwrap();
        let error = locked(&other, "a lock", Duration::from_millis(30)).unwrap_err();
        assert_eq!(error.to_string(), "waited 30ms in vain for a lock");
        one.unlock().unwrap();
        locked(&other, "a lock", PATIENCE).unwrap();
    }

    #[tokio::test(start_paused = true)]
    #[should_panic(expected = "waited 300s in vain for an answer")]
    async fn a_future_that_never_ends_is_given_up() {
        within("an answer", std::future::pending::<()>()).await;
    }
}
