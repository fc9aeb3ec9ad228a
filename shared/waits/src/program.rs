//! Ends of programs.

use std::io::{self, Read, Write};
use std::process::{Child, Command, ExitStatus, Output, Stdio};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread::JoinHandle;
use std::time::Duration;

use crate::{in_vain, look};

/// Runs a program to its end, like `Command::output`, but with an empty standard input.
///
/// # Errors
///
/// It cannot be started, or runs for longer than `bound` and is killed: with what it printed.
pub fn output(command: &mut Command, bound: Duration) -> io::Result<Output> {
    let what = format!("the end of {command:?}");
    let mut child = command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn()?;
    finished(&mut child, &what, bound)
}

/// The same with this input, which it need not read.
///
/// # Errors
///
/// As for [`output`].
pub fn answer(command: &mut Command, input: Vec<u8>, bound: Duration) -> io::Result<Output> {
    let what = format!("the end of {command:?}");
    let mut child = command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn()?;
    if let Some(mut stdin) = child.stdin.take() {
        // A pipe holds little: what does not fit waits for the program, on this thread.
        std::thread::spawn(move || drop(stdin.write_all(&input)));
    }
    finished(&mut child, &what, bound)
}

/// Runs a program to its end, like `Command::status`, but with an empty standard input.
///
/// # Errors
///
/// It cannot be started, or runs for longer than `bound` and is killed.
pub fn status(command: &mut Command, bound: Duration) -> io::Result<ExitStatus> {
    let what = format!("the end of {command:?}");
    ended(&mut command.stdin(Stdio::null()).spawn()?, &what, bound)
}

/// Waits for the end of a program, like `Child::wait`.
///
/// # Errors
///
/// It runs for longer than `bound` and is killed.
#[expect(clippy::disallowed_methods, reason = "it was killed")]
pub fn ended(child: &mut Child, what: &str, bound: Duration) -> io::Result<ExitStatus> {
    // A program that reads to the end of its input waits for this.
    drop(child.stdin.take());
    if let Some(ended) = look(bound, || child.try_wait().transpose()) {
        return ended;
    }
    child.kill()?;
    child.wait()?;
    Err(io::Error::new(io::ErrorKind::TimedOut, in_vain(what, bound)))
}

/// Waits for the end of a program and of its piped output, like `Child::wait_with_output`.
///
/// # Errors
///
/// It runs for longer than `bound` and is killed, or another program that it has started keeps its output open: with
/// what it printed.
pub fn finished(child: &mut Child, what: &str, bound: Duration) -> io::Result<Output> {
    let stdout = child.stdout.take().map(Reading::of);
    let stderr = child.stderr.take().map(Reading::of);
    let ended = ended(child, what, bound);
    // After its end little is left to read, unless another program has the pipe.
    let read = |reading: Option<Reading>| reading.map_or((true, Vec::new()), |reading| reading.end(bound));
    let (is_whole, stdout) = read(stdout);
    let (is_whole_too, stderr) = read(stderr);
    let printed = || format!("{}{}", String::from_utf8_lossy(&stdout), String::from_utf8_lossy(&stderr));
    let status = ended.map_err(|error| io::Error::new(error.kind(), format!("{error}; it printed:\n{}", printed())))?;
    if !(is_whole && is_whole_too) {
        let text = format!("{}: its output is still open; it printed:\n{}", in_vain(what, bound), printed());
        return Err(io::Error::new(io::ErrorKind::TimedOut, text));
    }
    Ok(Output { status, stdout, stderr })
}

/// A thread that reads a pipe to its end.
struct Reading {
    thread: JoinHandle<()>,
    bytes: Arc<Mutex<Vec<u8>>>,
}

impl Reading {
    fn of(mut pipe: impl Read + Send + 'static) -> Self {
        let bytes = Arc::<Mutex<Vec<u8>>>::default();
        let read = Arc::clone(&bytes);
        let thread = std::thread::spawn(move || {
            let mut some = [0; 8 * 1024];
            while let Ok(count @ 1..) = pipe.read(&mut some) {
                read.lock().unwrap_or_else(PoisonError::into_inner).extend_from_slice(&some[..count]);
            }
        });
        Self { thread, bytes }
    }

    /// What was read, and whether the pipe has ended within the bound.
    fn end(self, bound: Duration) -> (bool, Vec<u8>) {
        let has_ended = look(bound, || self.thread.is_finished().then_some(())).is_some();
        (has_ended, std::mem::take(&mut *self.bytes.lock().unwrap_or_else(PoisonError::into_inner)))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::PATIENCE;

    fn shell(script: &str) -> Command {
        let mut shell = Command::new("sh");
        shell.args(["-c", script]);
        shell
    }

    #[test]
    fn a_program_is_run_to_its_end() {
        // More than a pipe holds, on both at once.
        let script = "head -c 300000 /dev/zero | tee /dev/stderr; exit 3";
        let run = output(&mut shell(script), PATIENCE).unwrap();
        assert_eq!((run.status.code(), run.stdout.len(), run.stderr.len()), (Some(3), 300_000, 300_000));
        assert_eq!(status(&mut shell("exit 3"), PATIENCE).unwrap().code(), Some(3));
        assert!(status(&mut Command::new("no-such-program"), PATIENCE).is_err());
    }

    #[test]
    fn a_program_that_asks_finds_its_input_at_its_end() {
        assert_eq!(output(&mut shell("cat"), PATIENCE).unwrap().stdout, b"");
        // More than a pipe holds, read and not read.
        let input = vec![b'x'; 300_000];
        assert_eq!(answer(&mut shell("cat"), input.clone(), PATIENCE).unwrap().stdout, input);
        assert!(answer(&mut shell("exit 0"), input, PATIENCE).unwrap().status.success());
        let mut asks = shell("cat > /dev/null").stdin(Stdio::piped()).spawn().unwrap();
        assert!(ended(&mut asks, "the end of cat", PATIENCE).unwrap().success());
    }

    /// A bound for what ends only by its bound. A thread must read a line meanwhile.
    const SHORT: Duration = Duration::from_secs(2);

    #[test]
    fn a_program_that_goes_on_is_killed_and_what_it_printed_is_shown() {
        let mut goes_on = shell("exec sleep 600").spawn().unwrap();
        let error = ended(&mut goes_on, "the end of a sleep", Duration::from_millis(1)).unwrap_err();
        assert_eq!(error.to_string(), "waited 1ms in vain for the end of a sleep");
        assert!(goes_on.try_wait().unwrap().is_some(), "it was not killed");

        let mut prints = shell("echo so far; echo done >&2; exec sleep 600");
        let mut prints = prints.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
        let mut done = [0; 5];
        prints.stderr.as_mut().unwrap().read_exact(&mut done).unwrap();
        let error = finished(&mut prints, "the end of a sleep", SHORT).unwrap_err();
        assert_eq!(error.to_string(), "waited 2s in vain for the end of a sleep; it printed:\nso far\n");
    }

    #[test]
    fn output_that_another_program_keeps_open_is_not_awaited_for_ever() {
        let mut leaves = shell("sleep 600 & echo $!").stdout(Stdio::piped()).spawn().unwrap();
        assert!(look(PATIENCE, || leaves.try_wait().unwrap()).is_some());
        let error = finished(&mut leaves, "the end of a shell", SHORT).unwrap_err().to_string();
        let (_, left) = error.split_once("its output is still open; it printed:\n").unwrap();
        assert!(status(Command::new("kill").arg(left.trim()), PATIENCE).unwrap().success());
    }
}
