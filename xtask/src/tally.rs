//! Counts passed, failed and skipped tests from the output of test runners.

use std::fmt;
use std::ops::AddAssign;

/// Numbers of tests.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) struct TestTally {
    pub(crate) passed: u64,
    pub(crate) failed: u64,
    pub(crate) skipped: u64,
}

impl TestTally {
    /// Parses a line of output: `cargo test` and libtest-mimic print `test result: ...` per binary, nextest `Summary
    /// ...` once, the tests in Chromium `N passed, N failed` last. `None` for other lines, including a test's own output,
    /// which nextest indents.
    pub(crate) fn of_line(line: &str) -> Option<Self> {
        if let Some(tally) = Self::of_sum(line.trim_end()) {
            return Some(tally);
        }
        let counts = match line.strip_prefix("test result:") {
            Some(counts) => counts,
            None => line.trim().strip_prefix("Summary")?.split_once("run:")?.1,
        };
        let words: Vec<&str> = counts.split([' ', ';', ',']).filter(|word| !word.is_empty()).collect();
        let count = |names: &[&str]| -> u64 {
            words
                .windows(2)
                .filter(|pair| names.contains(&pair[1]))
                .filter_map(|pair| pair[0].parse::<u64>().ok())
                .sum()
        };
        let timed_out = words.windows(3).find(|three| three[1..] == ["timed", "out"]);
        let timed_out = timed_out.and_then(|three| three[0].parse().ok()).unwrap_or(0);
        Some(Self {
            passed: count(&["passed"]),
            failed: count(&["failed"]) + timed_out,
            skipped: count(&["ignored", "skipped"]),
        })
    }

    /// `N passed, N failed`, or with `, N skipped` after it, and nothing else.
    fn of_sum(line: &str) -> Option<Self> {
        let (passed, rest) = line.split_once(" passed, ")?;
        let (failed, rest) = rest.split_once(" failed")?;
        let skipped = match rest {
            "" => "0",
            rest => rest.strip_prefix(", ")?.strip_suffix(" skipped")?,
        };
        Some(Self { passed: passed.parse().ok()?, failed: failed.parse().ok()?, skipped: skipped.parse().ok()? })
    }
}

impl AddAssign for TestTally {
    fn add_assign(&mut self, other: Self) {
        self.passed += other.passed;
        self.failed += other.failed;
        self.skipped += other.skipped;
    }
}

impl fmt::Display for TestTally {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} passed, {} failed, {} skipped", self.passed, self.failed, self.skipped)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn tally(line: &str) -> Option<(u64, u64, u64)> {
        TestTally::of_line(line).map(|tally| (tally.passed, tally.failed, tally.skipped))
    }

    #[test]
    fn the_summaries_of_all_runners_are_read() {
        let libtest =
            "test result: FAILED. 12 passed; 2 failed; 1 ignored; 0 measured; 3 filtered out; finished in 0.5s";
        assert_eq!(tally(libtest), Some((12, 2, 1)));
        let green = "     Summary [ 320.323s] 1138 tests run: 1138 passed (1 slow), 4 skipped";
        assert_eq!(tally(green), Some((1138, 0, 4)));
        let red = "     Summary [   0.3s] 9/20 tests run: 5 passed, 1 failed, 3 timed out, 11 skipped";
        assert_eq!(tally(red), Some((5, 4, 11)));
        assert_eq!(tally("42 passed, 1 failed\n"), Some((42, 1, 0)));
        assert_eq!(tally("7 passed, 0 failed, 1 skipped"), Some((7, 0, 1)));
        assert_eq!(tally("      7 passed, 0 failed"), None, "a test's own output");
        assert_eq!(tally("7 passed, 0 failed, of 9"), None);
        assert_eq!(tally(&format!("    {libtest}")), None, "it is in the summary too");
        assert_eq!(tally("        PASS [   0.012s] stoop-wire::it a::test_result"), None);
    }
}
