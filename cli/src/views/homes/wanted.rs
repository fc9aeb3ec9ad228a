use stoop_serve::HomeSort;

use crate::args::WantedArgs;

impl WantedArgs {
    /// Whether homes of more than one status are listed.
    pub(super) fn shows_status(&self) -> bool {
        self.all || !self.status.is_empty()
    }

    /// The order in words.
    pub(super) fn order(&self) -> String {
        match self.sort {
            None => "newest events first".to_owned(),
            Some(sort) => {
                let first = if self.desc { "greatest" } else { "least" };
                format!("by {}, {first} first", HomeSort::as_str(sort).replace('-', " "))
            }
        }
    }
}
