use stoop_sources::KINDS;

const EXAMPLE: &str = include_str!("../../../stoop.example.toml");

/// The example's first line says to copy it: `stoop init` has done that.
const FIRST_LINE: &str = "# The configuration of `stoop run` and `stoop poll`.";

const SEARCH: &str = "[[search]]";
const OFF: &str = "enabled = false";

/// The parts of `stoop.example.toml`.
pub(super) struct Example {
    top: String,
    searches: Vec<ExampleSearch>,
}

/// A search of the example, with the comment above it.
pub(super) struct ExampleSearch(String);

/// The file names and texts of the maps that a choice needs, or of all maps.
pub(super) fn maps(choice: Option<&str>) -> impl Iterator<Item = (&'static str, &'static str)> {
    let maps = [
        ("map", "maps/example-http.toml", include_str!("../../../maps/example-http.toml")),
        ("files", "maps/simulated.toml", include_str!("../../../maps/simulated.toml")),
    ];
    maps.into_iter()
        .filter(move |(of, ..)| choice.is_none_or(|choice| choice == *of))
        .map(|(_, file, text)| (file, text))
}

impl Example {
    pub(super) fn read() -> Self {
        let (mut top, mut searches) = (String::new(), Vec::<ExampleSearch>::new());
        // Blank lines separate paragraphs. A search begins with the paragraph that holds its name and includes its
        // tables.
        for paragraph in EXAMPLE.split("\n\n") {
            let paragraph = paragraph.trim_end();
            match searches.last_mut() {
                _ if paragraph.lines().any(|line| line == SEARCH) => searches.push(ExampleSearch(paragraph.to_owned())),
                Some(last) => last.0 += &format!("\n\n{paragraph}"),
                None => top += &format!("{paragraph}\n\n"),
            }
        }
        let rest = top.split_once('\n').map_or("", |(_, rest)| rest);
        Self { top: format!("{FIRST_LINE}\n{rest}"), searches }
    }

    /// The search of a choice.
    pub(super) fn search(&self, choice: &str) -> Option<&ExampleSearch> {
        self.searches.iter().find(|search| search.choice() == choice)
    }

    /// The configuration with this search alone; without a choice, all of them, switched off.
    pub(super) fn config(&self, choice: Option<&str>) -> String {
        let searches = match choice.and_then(|name| self.search(name)) {
            Some(search) => search.alone(),
            None => self.searches.iter().map(ExampleSearch::off).collect::<Vec<_>>().join("\n"),
        };
        format!("{}{searches}", self.top)
    }

    /// A one-line summary of a choice.
    pub(super) fn summary(&self, choice: &str) -> &'static str {
        let kind = KINDS.iter().find(|kind| kind.name == choice);
        kind.map_or(
            if choice == "map" { "any JSON API, through a map" } else { "files dropped into a folder" },
            |kind| kind.summary,
        )
    }
}

impl ExampleSearch {
    /// The value of a key, without its quotation marks.
    fn value(&self, key: &str) -> Option<&str> {
        let values = self.0.lines().filter_map(|line| line.strip_prefix(key)?.trim_start().strip_prefix('='));
        values.map(|value| value.trim().trim_matches('"')).next()
    }

    pub(super) fn name(&self) -> &str {
        self.value("name").unwrap_or_default()
    }

    fn choice(&self) -> &str {
        match self.value("source") {
            _ if self.value("files").is_some() => "files",
            Some(source) if source.ends_with(".toml") => "map",
            source => source.unwrap_or_default(),
        }
    }

    /// Whether it scrapes pages made for people. Such a search stays off until somebody switches it on.
    pub(super) fn is_scraped(&self) -> bool {
        self.is_off() && self.choice() != "files"
    }

    /// The environment variables that hold its secrets.
    pub(super) fn variables(&self) -> impl Iterator<Item = &str> {
        let secrets = self.0.lines().filter_map(|line| line.split_once("{ env = \""));
        secrets.filter_map(|(_, rest)| rest.split('"').next())
    }

    fn is_off(&self) -> bool {
        self.0.lines().any(|line| line == OFF)
    }

    fn alone(&self) -> String {
        let on = |line: &&str| self.is_scraped() || *line != OFF;
        self.0.lines().filter(on).map(|line| format!("{line}\n")).collect()
    }

    fn off(&self) -> String {
        let line = |line: &str| match line {
            line if line.starts_with("every") && !self.is_off() => format!("{line}\n{OFF}\n"),
            line => format!("{line}\n"),
        };
        self.0.lines().map(line).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::args::CHOICES;

    #[test]
    fn every_kind_of_source_can_be_chosen_and_is_in_the_example() {
        let example = Example::read();
        assert!(CHOICES.ends_with(&["mubawab", "map", "files"]), "{CHOICES:?}");
        for choice in CHOICES {
            let search = example.search(choice).unwrap_or_else(|| panic!("{choice} is not in the example"));
            let config = example.config(Some(choice));
            assert!(config.starts_with(FIRST_LINE) && config.matches(SEARCH).count() == 1, "{config}");
            assert!(config.contains(&format!("name = \"{}\"", search.name())), "{config}");
            assert_eq!(config.contains(OFF), search.is_scraped(), "{config}");
        }
        assert_eq!(example.search("reso").unwrap().variables().collect::<Vec<_>>(), ["STOOP_RESO_TOKEN"]);
        let all = example.config(None);
        assert_eq!(all.matches(SEARCH).count(), all.lines().filter(|line| *line == OFF).count());
    }
}
