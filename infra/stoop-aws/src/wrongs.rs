/// The most errors to name; the others are counted.
const NAMED_MAX: usize = 100;

/// The errors that were found.
#[derive(Debug, Default)]
pub(crate) struct Wrongs {
    pub(crate) count: u64,
    pub(crate) named: Vec<String>,
}

impl Wrongs {
    pub(crate) fn note(&mut self, wrong: String) {
        self.count += 1;
        if self.named.len() < NAMED_MAX {
            self.named.push(wrong);
        }
    }

    pub(crate) fn note_all(&mut self, wrongs: impl IntoIterator<Item = String>) {
        wrongs.into_iter().for_each(|wrong| self.note(wrong));
    }
}
