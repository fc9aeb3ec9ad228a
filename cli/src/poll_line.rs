//! The outcome of a poll in one line whose numbers add up.

use stoop_pipeline::ports::RunOutcome;
use stoop_pipeline::{ErrorCode, PollError, Polled, with_causes};

use crate::show::count;

/// The outcome of a poll: `NAME: 60 rows on 3 pages: new 20, changed 5, seen again 33, refused 2; gone 1 [quarantined]`, with the
/// codes that `stoop explain` explains.
pub(crate) fn poll_line(name: &str, outcome: &Result<Polled, PollError>) -> String {
    let (line, codes) = match outcome {
        Err(error) => (format!("{name}: failed: {}", with_causes(error)), error.code().into_iter().collect()),
        Ok(polled) => (counted(name, polled), polled.codes()),
    };
    let codes: Vec<&str> = codes.into_iter().map(ErrorCode::as_str).collect();
    if codes.is_empty() { line } else { format!("{line} [{}]", codes.join(", ")) }
}

fn counted(name: &str, polled: &Polled) -> String {
    let message = polled.message.as_deref();
    match polled.outcome {
        Some(RunOutcome::Skipped) => format!("{name}: skipped: {}", message.unwrap_or_default()),
        Some(RunOutcome::Failed) => {
            let read = if polled.rows > 0 { format!("; {}", read(polled)) } else { String::new() };
            format!("{name}: failed: {}{read}", message.unwrap_or_default())
        }
        outcome => {
            let ended = if matches!(outcome, Some(RunOutcome::Complete) | None) { "" } else { " (partial)" };
            let message = message.map(|message| format!("; {message}")).unwrap_or_default();
            format!("{name}: {}{ended}{message}", read(polled))
        }
    }
}

/// The rows, their pages or files, and the outcome of each.
fn read(polled: &Polled) -> String {
    if polled.requests == 0 && polled.files == 0 && polled.rows == 0 {
        return "nothing to read".to_owned();
    }
    let many = |n: u64, one: &str| format!("{} {one}{}", count(n), if n == 1 { "" } else { "s" });
    let source = match (polled.requests, polled.files) {
        (0, 0) => "of a file that was not read to its end".to_owned(),
        (0, files) => format!("in {}", many(files, "file")),
        _ => format!("on {}", many(polled.pages, "page")),
    };
    let mut parts = vec![
        format!("new {}", count(polled.new)),
        format!("changed {}", count(polled.changed)),
        format!("seen again {}", count(polled.seen_again())),
    ];
    if polled.confirmed > 0 {
        parts.push(format!("confirmed {} of them", count(polled.confirmed)));
    }
    for (what, rows) in [("not taken", polled.not_taken), ("left out", polled.left_out()), ("refused", polled.rejects)]
    {
        if rows > 0 {
            parts.push(format!("{what} {}", count(rows)));
        }
    }
    let values = match polled.values_refused {
        0 => String::new(),
        values => format!("; values refused {}", count(values)),
    };
    format!("{} {source}: {}{values}; gone {}", many(polled.rows, "row"), parts.join(", "), count(polled.gone))
}

#[cfg(test)]
mod tests {
    use stoop_domain::Time;
    use stoop_pipeline::HeldBack;

    use super::*;

    fn line(polled: Polled) -> String {
        poll_line("chicago", &Ok(polled))
    }

    #[test]
    fn the_numbers_of_a_poll_add_up() {
        let polled = Polled {
            outcome: Some(RunOutcome::Complete),
            requests: 4,
            pages: 3,
            rows: 1_064,
            listings: 1_058,
            new: 20,
            changed: 5,
            rejects: 2,
            gone: 1,
            ..Polled::default()
        };
        let expected = "chicago: 1,064 rows on 3 pages: new 20, changed 5, seen again 1,033, left out 4, refused 2; gone 1 [quarantined]";
        assert_eq!(line(polled), expected);
        assert_eq!(20 + 5 + 1_033 + 4 + 2, 1_064);
        let confirmed =
            Polled { rows: 60, listings: 60, changed: 5, confirmed: 40, requests: 1, pages: 1, ..Polled::default() };
        let expected = "chicago: 60 rows on 1 page: new 0, changed 5, seen again 55, confirmed 40 of them; gone 0";
        assert_eq!(line(confirmed), expected);
    }

    #[test]
    fn files_are_counted_as_files() {
        let of_files = Polled { files: 2, pages: 3, rows: 3_000, listings: 3_000, new: 3, ..Polled::default() };
        let expected = "chicago: 3,000 rows in 2 files: new 3, changed 0, seen again 2,997; gone 0";
        assert_eq!(line(of_files), expected);
        let nothing = Polled { outcome: Some(RunOutcome::Complete), ..Polled::default() };
        assert_eq!(line(nothing), "chicago: nothing to read");
    }

    #[test]
    fn what_operators_should_know_has_a_code() {
        let at = Time::from_ms(0);
        let some = || vec!["words".to_owned()];
        let polled = Polled {
            outcome: Some(RunOutcome::Failed),
            drifts: some(),
            verdicts: some(),
            held_back: Some(HeldBack { listings: 50, held: 60, since: at, until: at }),
            held_moves: some(),
            clock_jumps: some(),
            rejects: 1,
            ..Polled::default()
        };
        let codes =
            "[source_failed, fields_drifted, fields_distrusted, losses_held, moves_held, clock_jumped, quarantined]";
        assert!(line(polled).ends_with(codes));
    }

    #[test]
    fn a_failure_comes_first() {
        let failed = |rows| Polled {
            outcome: Some(RunOutcome::Failed),
            message: Some("none of the first 3 rows is understood: bad_value 3".into()),
            requests: 1,
            pages: 1,
            rows,
            rejects: rows,
            ..Polled::default()
        };
        let expected = "chicago: failed: none of the first 3 rows is understood: bad_value 3; \
                        3 rows on 1 page: new 0, changed 0, seen again 0, refused 3; gone 0 [source_failed, quarantined]";
        assert_eq!(line(failed(3)), expected);
        assert!(line(failed(0)).ends_with("bad_value 3 [source_failed]"));
        let denied = Err(PollError::Denied("status 401".into()));
        assert_eq!(poll_line("chicago", &denied), "chicago: failed: status 401 [key_refused]");
    }
}
