//! README's commands print what README says, when run as they are, one after the other.

#![cfg(unix)]

use std::path::Path;
use std::process::Command;

use crate::support::{Outcome, Room, root};

/// A command as typed, and the output in README; a line `...` matches any lines.
struct Step {
    command: String,
    prints: Vec<String>,
}

/// The line in README that stands for omitted lines.
const ELISION: &str = "...";

fn readme() -> String {
    std::fs::read_to_string(root().join("README.md")).unwrap()
}

/// The commands of all `console` blocks, in order.
fn steps(readme: &str) -> Vec<Step> {
    let mut steps: Vec<Step> = Vec::new();
    let mut inside = false;
    for line in readme.lines() {
        match line.strip_prefix("$ ") {
            _ if line.starts_with("```") => inside = line == "```console",
            Some(command) if inside => steps.push(Step { command: command.to_owned(), prints: Vec::new() }),
            None if inside => steps.last_mut().unwrap().prints.push(line.to_owned()),
            _ => {}
        }
    }
    steps
}

/// The commands in tables and sentences, except those with a word in capitals to fill in.
fn named(readme: &str) -> Vec<&str> {
    let table = |line: &&str| line.starts_with("| ");
    let quoted = readme.lines().filter(table).flat_map(|line| line.split('`').skip(1).step_by(2));
    let whole = |command: &&str| {
        !command
            .split(' ')
            .any(|word| word.len() > 1 && !word.contains(char::is_lowercase) && word.contains(char::is_uppercase))
    };
    quoted.filter(|quoted| quoted.starts_with("stoop ")).filter(whole).collect()
}

/// Runs a shell line in which `stoop` is this build.
fn run(room: &Room, line: &str) -> Outcome {
    let program = Path::new(env!("CARGO_BIN_EXE_stoop")).parent().unwrap();
    let path = format!("{}:{}", program.display(), std::env::var("PATH").unwrap_or_default());
    let mut shell = Command::new("sh");
    shell.args(["-c", line]).current_dir(room.path("")).env("PATH", path);
    Outcome::of(shell.env_remove("COLUMNS").env_remove("STOOP_LOG").env_remove("CLICOLOR_FORCE"))
}

fn fits(message: &[&str], prints: &[String]) -> bool {
    match prints.split_first() {
        None => message.is_empty(),
        Some((first, rest)) if first == ELISION => (0..=message.len()).any(|at| fits(&message[at..], rest)),
        Some((first, rest)) => {
            message.split_first().is_some_and(|(line, message)| line == first && fits(message, rest))
        }
    }
}

#[test]
fn every_command_of_the_readme_prints_what_it_says() {
    let room = Room::new();
    std::os::unix::fs::symlink(root().join("maps").canonicalize().unwrap(), room.path("maps")).unwrap();
    let readme = readme();
    let steps = steps(&readme);
    assert!(steps.len() >= 5, "README has a console block");
    for step in &steps {
        let outcome = run(&room, &step.command).ok();
        let message: Vec<&str> = outcome.stdout.lines().collect();
        let prints = step.prints.join("\n");
        assert!(fits(&message, &step.prints), "$ {}\n{}\nREADME says:\n{prints}", step.command, outcome.stdout);
    }
    let named = named(&readme);
    assert!(named.len() >= 8, "{named:?}");
    for command in named {
        let outcome = run(&room, command).ok();
        assert!(!outcome.stdout.is_empty(), "{command}");
    }
    let replay = steps.iter().find(|step| step.command.starts_with("stoop replay")).unwrap();
    let again = run(&room, &replay.command).ok().stdout;
    assert!(again.ends_with("\nNothing changed: every observation was known already.\n"), "{again}");
}
