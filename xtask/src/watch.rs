//! Limits: what takes too long is ended, with all programs that it has started, and says what ran.

use std::collections::BTreeSet;
use std::process::Command;
use std::sync::mpsc::{Receiver, RecvTimeoutError, channel};
use std::time::{Duration, Instant};

use anyhow::{Result, anyhow};

use crate::project::Project;
use crate::running::MARK;

/// What is downloaded or installed takes no longer, also where it is compiled on a busy machine.
pub(crate) const INSTALLS_WITHIN: Duration = Duration::from_mins(90);

/// Programs may end by themselves for so long, before they are killed.
const GRACE: Duration = Duration::from_secs(10);
/// A step whose programs were killed returns within this time.
const RETURNS_WITHIN: Duration = Duration::from_mins(2);
const TICK: Duration = Duration::from_millis(200);

/// Runs what may take no longer than `limit`. Limits can be nested.
///
/// # Errors
/// As `run`; if the limit is reached, with the programs that ran, their last lines, and what else was alive.
pub(crate) fn within<T>(
    project: &Project,
    name: &str,
    limit: Duration,
    run: impl FnOnce(&Project) -> Result<T>,
) -> Result<T> {
    let project = &project.marked();
    let (returned, has_returned) = channel();
    std::thread::scope(|scope| {
        let watcher = scope.spawn(move || watch(project, name, limit, &has_returned));
        let result = run(project);
        drop(returned);
        match watcher.join() {
            Ok(None) => result,
            Ok(Some(report)) => Err(anyhow!(report)),
            Err(panic) => std::panic::resume_unwind(panic),
        }
    })
}

/// Ends what runs at the limit. Returns a report if it was reached.
fn watch(project: &Project, name: &str, limit: Duration, returned: &Receiver<()>) -> Option<String> {
    if returned.recv_timeout(limit) != Err(RecvTimeoutError::Timeout) {
        return None;
    }
    let report = report(project, name, limit);
    let began = Instant::now();
    let mut has_returned = false;
    loop {
        let alive = alive(project);
        if has_returned && alive.is_empty() {
            return Some(report);
        }
        if began.elapsed() > RETURNS_WITHIN {
            let left: String = alive.iter().map(|process| format!("\n  {}", process.shown)).collect();
            let text = format!("{report}\n{name} does not end, even now:{left}");
            if has_returned {
                return Some(text);
            }
            eprintln!("{text}");
            std::process::exit(1);
        }
        signal(&alive, if began.elapsed() < GRACE { "TERM" } else { "KILL" });
        if has_returned {
            std::thread::sleep(TICK);
        } else {
            has_returned = returned.recv_timeout(TICK) != Err(RecvTimeoutError::Timeout);
        }
    }
}

fn report(project: &Project, name: &str, limit: Duration) -> String {
    let mut text = format!("{name} has not ended within {}: it was ended", minutes(limit));
    for running in project.running().iter().filter(|running| is_of(&running.mark, project.mark())) {
        let seconds = running.began.elapsed().as_secs();
        text += &format!("\n`{}` ran for {seconds} s. Its last lines:", running.shown);
        for line in &running.last {
            text += &format!("\n  | {line}");
        }
    }
    text += "\nAlive were (process, parent, time, command):";
    for process in alive(project) {
        text += &format!("\n  {}", process.shown);
    }
    text
}

fn minutes(limit: Duration) -> String {
    match limit.as_secs() {
        seconds if seconds < 120 => format!("{seconds} s"),
        seconds => format!("{} minutes", seconds / 60),
    }
}

/// A process that has not ended.
struct Process {
    id: u32,
    parent: u32,
    /// As `ps` shows it.
    shown: String,
}

/// The programs of a step: those that it runs, those with its mark, and all that they have started.
fn alive(project: &Project) -> Vec<Process> {
    let all = processes();
    let mut found: BTreeSet<u32> = project
        .running()
        .iter()
        .filter(|running| is_of(&running.mark, project.mark()))
        .map(|running| running.id)
        .collect();
    found.extend(all.iter().map(|process| process.id).filter(|id| is_marked(*id, project.mark())));
    loop {
        let before = found.len();
        found.extend(
            all.iter().filter(|process| found.contains(&process.parent)).map(|process| process.id).collect::<Vec<_>>(),
        );
        if found.len() == before {
            return all.into_iter().filter(|process| found.contains(&process.id)).collect();
        }
    }
}

/// All processes of the machine but this one and zombies.
#[expect(clippy::disallowed_methods, reason = "ps waits for nobody")]
fn processes() -> Vec<Process> {
    // Without a mark, so that it does not find itself.
    let mut ps = Command::new("ps");
    let listed = ps.args(["-A", "-o", "stat=,pid=,ppid=,etime=,args="]).env_remove(MARK).output();
    let listed = match listed {
        Ok(listed) => String::from_utf8_lossy(&listed.stdout).into_owned(),
        Err(error) => {
            eprintln!("processes cannot be listed: ps: {error}");
            String::new()
        }
    };
    let process = |line: &str| {
        let (state, shown) = line.trim_start().split_once(' ')?;
        let mut numbers = shown.split_whitespace();
        let (id, parent) = (numbers.next()?.parse().ok()?, numbers.next()?.parse().ok()?);
        (!state.starts_with('Z') && id != std::process::id()).then(|| Process {
            id,
            parent,
            shown: shown.trim().to_owned(),
        })
    };
    listed.lines().filter_map(process).collect()
}

/// Whether a process was started with this mark, or one below it. False where there is no `/proc`.
fn is_marked(id: u32, mark: &str) -> bool {
    let environment = std::fs::read(format!("/proc/{id}/environ")).unwrap_or_default();
    let name = format!("{MARK}=");
    let own = environment.split(|byte| *byte == 0).find_map(|variable| variable.strip_prefix(name.as_bytes()));
    own.is_some_and(|own| is_of(&String::from_utf8_lossy(own), mark))
}

/// Whether a mark is another one, or below it: `1.2.3` is below `1.2`.
fn is_of(mark: &str, above: &str) -> bool {
    mark.strip_prefix(above).is_some_and(|rest| rest.is_empty() || rest.starts_with('.'))
}

#[expect(clippy::disallowed_methods, reason = "a signal is sent at once")]
fn signal(processes: &[Process], name: &str) {
    if processes.is_empty() {
        return;
    }
    // One that has ended meanwhile gets none.
    let mut kill = Command::new("sh");
    kill.args(["-c", "kill -s \"$0\" \"$@\" 2> /dev/null", name])
        .args(processes.iter().map(|process| process.id.to_string()));
    if let Err(error) = kill.env_remove(MARK).status() {
        eprintln!("processes cannot be ended: sh: {error}");
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Starts a program of its own session, one whose parent has ended, and one that ignores the request to end; waits.
    const HANGS: &str = "echo begun
        setsid sleep 600 &
        echo $! > session
        (sleep 600 & echo $! > orphan)
        sh -c 'trap : TERM; echo $$ > deaf; while :; do sleep 1; done' &
        while [ ! -s deaf ]; do sleep 0.1; done
        echo all there
        sleep 600";

    fn is_running(id: &str) -> bool {
        processes().iter().any(|process| process.id.to_string() == id)
    }

    #[test]
    fn a_step_that_hangs_is_ended_with_its_children_and_says_so() {
        let project = Project::here().unwrap();
        // A busy machine may take long until all are there.
        for limit in [2, 20, 200].map(Duration::from_secs) {
            let folder = tempfile::tempdir().unwrap();
            let hang =
                |inner: &Project| inner.plain(project.command("sh").args(["-c", HANGS]).current_dir(folder.path()));
            let report = within(&project, "a hang", limit, hang).unwrap_err().to_string();
            if !report.contains("  | all there") {
                continue;
            }
            assert!(
                report.starts_with(&format!(
                    "a hang has not ended within {}: it was ended\n`sh -c echo begun",
                    minutes(limit)
                )),
                "{report}"
            );
            assert!(report.contains("\n  | begun\n"), "{report}");
            let (_, alive) = report.split_once("Alive were").unwrap();
            assert!(alive.matches("sleep 600").count() >= 3, "{report}");
            for name in ["session", "orphan", "deaf"] {
                let id = std::fs::read_to_string(folder.path().join(name)).unwrap();
                assert!(!is_running(id.trim()), "{name} goes on: {report}");
            }
            return;
        }
        panic!("the programs did not start");
    }

    #[test]
    fn a_step_within_its_limit_passes_and_what_it_leaves_goes_on() {
        let project = Project::here().unwrap();
        let left = within(&project, "a step", Duration::from_mins(10), |project| {
            project.output(project.command("sh").args(["-c", "sleep 600 > /dev/null 2>&1 & echo $!"]))
        });
        let left = left.unwrap();
        assert!(is_running(left.trim()));
        let ended = project.output(Command::new("kill").arg(left.trim()));
        ended.unwrap();
    }

    #[test]
    fn the_inner_limit_ends_the_inner_part_alone() {
        let project = Project::here().unwrap();
        let outer = within(&project, "outer", Duration::from_mins(10), |project| {
            let inner = within(project, "inner", Duration::from_millis(200), |project| {
                project.output(project.command("sleep").arg("600"))
            });
            let error = inner.unwrap_err().to_string();
            assert!(error.starts_with("inner has not ended within 0 s"), "{error}");
            project.output(project.command("echo").arg("on"))
        });
        assert_eq!(outer.unwrap(), "on\n");
        assert!(is_of("1.2.3", "1.2") && is_of("1.2", "1.2") && !is_of("1.23", "1.2") && !is_of("1.2", "1.2.3"));
    }
}
