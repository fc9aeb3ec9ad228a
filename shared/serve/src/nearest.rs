use strsim::levenshtein;

/// The most names to return.
const NEAREST_MAX: usize = 5;

/// The least length of a query that matches a longer name containing it.
const CONTAINED_MIN: usize = 3;

/// Collects the names most similar to a query: those that contain it, and those that differ from it in at most a third
/// of its letters, the nearest first.
pub struct Nearest {
    wanted: String,
    /// How many letters that has.
    letters: usize,
    found: Vec<(usize, String)>,
}

impl Nearest {
    /// An empty collection.
    #[must_use]
    pub fn to(wanted: &str) -> Self {
        Self { wanted: wanted.to_owned(), letters: wanted.chars().count(), found: Vec::new() }
    }

    /// Offers a name.
    pub fn offer(&mut self, name: &str) {
        self.offer_as(name, name);
    }

    /// Offers a name that is returned in another form.
    pub fn offer_as(&mut self, name: &str, reported: &str) {
        let most = ((self.letters + 1) / 3).max(1);
        let contained = self.letters >= CONTAINED_MIN && name.contains(&self.wanted);
        let length = name.chars().count();
        if !contained && length.abs_diff(self.letters) > most {
            return;
        }
        let distance = levenshtein(&self.wanted, name);
        if contained || distance <= most {
            // A name that contains the query ranks after a nearly equal name.
            self.found.push((distance.min(most + 1), reported.to_owned()));
            self.found.sort();
            self.found.dedup_by(|a, b| a.1 == b.1);
            self.found.truncate(NEAREST_MAX);
        }
    }

    /// The nearest names, at most five.
    #[must_use]
    pub fn names(self) -> Vec<String> {
        self.found.into_iter().map(|(_, name)| name).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn nearest(wanted: &str, names: &[&str]) -> Vec<String> {
        let mut nearest = Nearest::to(wanted);
        names.iter().for_each(|name| nearest.offer(name));
        nearest.names()
    }

    #[test]
    fn the_nearest_come_first_and_the_far_not_at_all() {
        assert_eq!(nearest("98179", &["98103", "98178", "60601"]), ["98178", "98103"]);
        assert!(nearest("xyzzyxyzzy", &["98178", "seattle"]).is_empty());
    }

    #[test]
    fn a_part_of_a_name_is_near() {
        assert_eq!(nearest("founty", &["haut-founty", "agadir"]), ["haut-founty"]);
        assert!(nearest("ty", &["haut-founty"]).is_empty());
    }

    #[test]
    fn no_more_are_kept_than_are_returned() {
        let names: Vec<String> = (10..99).map(|n| format!("981{n}")).collect();
        let mut nearest = Nearest::to("98155");
        names.iter().for_each(|name| nearest.offer(name));
        let found = nearest.names();
        assert_eq!((found.len(), found[0].as_str()), (NEAREST_MAX, "98155"));
    }
}
