use std::fmt;

/// All mistakes in a map, or in a map and the file that it reads.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct MapErrors(pub Vec<Mistake>);

/// One mistake: position, found value, accepted values.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Mistake {
    /// The map's file.
    pub file: String,
    /// Line, from 1.
    pub line: usize,
    /// Key, such as `fields.list_price.money`.
    pub key: String,
    /// What is wrong, with the value and what would be accepted.
    pub problem: String,
}

impl fmt::Display for Mistake {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{}: ", self.file, self.line)?;
        if !self.key.is_empty() {
            write!(f, "{}: ", self.key)?;
        }
        f.write_str(&self.problem)
    }
}

impl fmt::Display for MapErrors {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (i, mistake) in self.0.iter().enumerate() {
            if i > 0 {
                f.write_str("\n")?;
            }
            write!(f, "{mistake}")?;
        }
        Ok(())
    }
}

impl std::error::Error for MapErrors {}

/// Lists what would be accepted instead of `got`, the nearest name first if one is near.
pub fn accepted<'a>(got: &str, names: impl IntoIterator<Item = &'a str> + Clone) -> String {
    let list: Vec<&str> = names.clone().into_iter().collect();
    let list = if list.is_empty() { "nothing".to_owned() } else { list.join(", ") };
    match nearest(got, names) {
        Some(near) => format!("did you mean {near:?}? accepted: {list}"),
        None => format!("accepted: {list}"),
    }
}

/// Returns the name nearest to `got`, if at most a third of its letters differ.
fn nearest<'a>(got: &str, names: impl IntoIterator<Item = &'a str>) -> Option<&'a str> {
    let lower = |name: &str| name.to_lowercase().chars().take(64).collect::<String>();
    let got = lower(got);
    names
        .into_iter()
        .map(|name| (strsim::levenshtein(&got, &lower(name)), name))
        .filter(|(far, name)| *far * 3 <= name.chars().count().max(got.chars().count()))
        .min_by_key(|(far, _)| *far)
        .map(|(_, name)| name)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_slip_of_the_pen_gets_the_name_that_was_meant() {
        assert_eq!(nearest("list_pric", ["title", "list_price", "city"]), Some("list_price"));
        assert_eq!(nearest("Price", ["price", "prize"]), Some("price"));
        assert_eq!(nearest("zzz", ["title", "city"]), None);
        assert_eq!(accepted("citi", ["city"]), "did you mean \"city\"? accepted: city");
    }
}
