//! Which files of a lake follow each other.

use crate::lake::LakeFile;

/// The files of a lake, each observation in one of `files` as far as their names say.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct Chain {
    /// In the order in which they were written.
    pub(super) files: Vec<LakeFile>,
    /// Those that overlap with the others.
    pub(super) aside: Vec<LakeFile>,
    /// Observations between the files.
    pub(super) missing: u64,
}

impl Chain {
    /// Of several files that begin at the same observation, takes a sealed one, one that another follows, the longest.
    pub(super) fn of(mut files: Vec<LakeFile>, is_sealed: impl Fn(&LakeFile) -> bool) -> Self {
        files.sort();
        let begins: Vec<u64> = files.iter().map(|file| file.seq).collect();
        let rank = |file: &LakeFile| {
            let is_followed = begins.binary_search(&(file.seq + file.rows)).is_ok();
            (is_sealed(file), is_followed, file.rows)
        };
        let mut chain = Self::default();
        let mut end = 0;
        for group in files.chunk_by(|a, b| a.seq == b.seq) {
            let seq = group[0].seq;
            let best = if seq < end { None } else { group.iter().max_by_key(|file| rank(file)) };
            if let Some(best) = best {
                chain.missing += seq - end;
                end = seq + best.rows;
            }
            for file in group {
                let list = if Some(file) == best { &mut chain.files } else { &mut chain.aside };
                list.push(file.clone());
            }
        }
        chain
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn file(seq: u64, rows: u64, token: &str) -> LakeFile {
        LakeFile { seq, rows, path: token.to_owned() }
    }

    fn tokens(files: &[LakeFile]) -> Vec<&str> {
        files.iter().map(|file| &*file.path).collect()
    }

    #[test]
    fn files_follow_each_other_and_the_remains_of_killed_writes_are_aside() {
        let files = vec![file(30, 5, "d"), file(0, 10, "a"), file(10, 20, "c"), file(10, 7, "b")];
        let chain = Chain::of(files.clone(), |_| false);
        assert_eq!((tokens(&chain.files), tokens(&chain.aside), chain.missing), (vec!["a", "c", "d"], vec!["b"], 0));
        // A sealed file was committed.
        let chain = Chain::of(files, |file| file.path == "b");
        assert_eq!(tokens(&chain.files), ["a", "b", "d"]);
        assert_eq!((tokens(&chain.aside), chain.missing), (vec!["c"], 13));
    }

    #[test]
    fn what_is_missing_is_counted() {
        let chain = Chain::of(vec![file(5, 10, "a"), file(40, 2, "c"), file(12, 1, "b")], |_| true);
        assert_eq!((tokens(&chain.files), tokens(&chain.aside), chain.missing), (vec!["a", "c"], vec!["b"], 30));
    }
}
