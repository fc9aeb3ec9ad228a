use rustc_hash::FxHashSet;

/// A file with fewer homes than this says nothing.
const HOMES_MIN: usize = 3;

/// Rows in which a home may appear twice before a file is known not to be a snapshot.
const ROWS_FREE: usize = 1_000;

/// Detects whether the files of a replay look like snapshots: each has every home once, and mostly the homes of the
/// file before it.
pub(super) struct Alike {
    before: FxHashSet<u64>,
    homes: FxHashSet<u64>,
    rows: usize,
    files: usize,
    /// Whether a file was not a snapshot.
    other: bool,
    /// Homes that a file lacked and the one before it had.
    lacked: usize,
}

impl Alike {
    /// For this many files; a single file says nothing.
    pub(super) fn of(files: usize) -> Self {
        let none = FxHashSet::default();
        Self { before: none.clone(), homes: none, rows: 0, files: 0, other: files < 2, lacked: 0 }
    }

    /// Notes that the current file has this home, by a hash of its ID.
    pub(super) fn see(&mut self, home: impl FnOnce() -> u64) {
        // Once one file is not a snapshot, nothing needs to be remembered.
        if !self.other {
            self.rows += 1;
            self.homes.insert(home());
            if self.rows > ROWS_FREE && self.rows > 2 * self.homes.len() {
                *self = Self::of(0);
            }
        }
    }

    /// Notes the end of the current file.
    pub(super) fn end_file(&mut self) {
        if self.other {
            return;
        }
        let homes = std::mem::take(&mut self.homes);
        let rows = std::mem::take(&mut self.rows);
        let both = homes.intersection(&self.before).count();
        let mostly = |part: usize, whole: usize| part * 2 > whole;
        self.other = homes.len() < HOMES_MIN || rows * 10 > homes.len() * 11;
        if self.files > 0 {
            self.other |= !mostly(both, homes.len()) || !mostly(both, self.before.len());
            self.lacked += self.before.len() - both;
        }
        self.files += 1;
        self.before = if self.other { FxHashSet::default() } else { homes };
    }

    /// A warning for a user who did not pass `--snapshot`.
    pub(super) fn warning(&self) -> Option<String> {
        (!self.other && self.files > 1 && self.lacked > 0).then(|| {
            let lacked = crate::show::count(self.lacked as u64);
            format!(
                "warning: the files look like snapshots, each with mostly the same homes as the one before, and what the next \
                 one lacks stays on offer ({lacked} of them). If each file is all that its source had, --snapshot says what is \
                 gone."
            )
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn warns(files: &[&[u64]]) -> bool {
        let mut alike = Alike::of(files.len());
        for file in files {
            file.iter().for_each(|home| alike.see(|| *home));
            alike.end_file();
        }
        alike.warning().is_some()
    }

    #[test]
    fn files_with_mostly_the_same_homes_once_each_look_like_snapshots() {
        assert!(warns(&[&[1, 2, 3, 4], &[1, 2, 3], &[1, 2, 3, 5]]));
        assert!(!warns(&[&[1, 2, 3, 4]]), "one file alone says nothing");
        assert!(!warns(&[&[1, 2, 3], &[1, 2, 3, 4]]), "nothing is lacked");
        assert!(!warns(&[&[1, 2, 3, 4], &[5, 6, 7, 8], &[5, 6, 7]]), "parts of one export");
        assert!(!warns(&[&[1, 2, 3, 1, 2, 3, 4], &[1, 2, 3, 1, 2, 3]]), "updates");
        assert!(!warns(&[&[1, 2, 3, 4, 5, 6, 7], &[1, 2, 3]]), "what changed since");
    }
}
