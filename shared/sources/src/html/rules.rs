use std::collections::BTreeMap;

use regex::{Regex, RegexBuilder};

use super::selector::Selector;
use crate::settings::{self, MapErrors, Mistakes, Section};

/// Selectors for the parts of an ad on a result page: the content of a `selectors` file.
///
/// ```toml
/// card = "li.listingBox"                # the element around one ad
/// skip = ".project"                     # cards with this in them are no homes, and left out
/// id = '/fr/p?a/(\d+)'                  # the ad's id in its address
/// page = ':p:(\d+)'                     # a page's number in the address of a link to it
/// per_page = 33                         # ads on a full page
/// unpriced = '(?i)^prix à consulter$'   # a price text that says there is none
/// empty = { select = "h3.red" }         # what says that a search has no ads
///
/// [fields]
/// link = [{ select = "h2 a", attribute = "href" }, { select = "[linkref]", attribute = "linkref" }]
/// location = { select = "p", pattern = ' dans (.+)$' }
/// ```
///
/// A field has one or more rules; the first that finds something wins. A rule takes the text or an attribute of its
/// matches. A pattern filters them, and its first group, if any, extracts a part.
#[derive(Clone, Debug)]
pub(crate) struct CardRules {
    pub(super) card: Selector,
    pub(super) skip: Option<Selector>,
    pub(super) id: Regex,
    pub(super) page: Option<Regex>,
    pub(super) per_page: usize,
    pub(super) unpriced: Option<Regex>,
    pub(super) empty: Vec<Rule>,
    pub(super) fields: BTreeMap<&'static str, Vec<Rule>>,
}

#[derive(Clone, Debug)]
pub(super) struct Rule {
    pub(super) select: Selector,
    pub(super) attribute: Option<String>,
    pub(super) pattern: Option<Regex>,
}

const KEYS: [&str; 8] = ["card", "skip", "id", "page", "per_page", "unpriced", "empty", "fields"];

/// Fields of an ad.
const FIELDS: [&str; 16] = [
    "link",
    "price",
    "old_price",
    "location",
    "title",
    "description",
    "category",
    "bedrooms",
    "bathrooms",
    "area",
    "features",
    "date",
    "seller",
    "shop",
    "images",
    "amenities",
];

/// Required fields: a card without one is refused; if all cards lack one, the page is refused.
pub(super) const REQUIRED: [&str; 3] = ["link", "price", "location"];

/// More ads than any page shows.
const PER_PAGE_MAX: u64 = 1_000;

/// Maximum memory of a compiled pattern, in bytes.
const PATTERN_BYTES_MAX: usize = 1 << 20;

impl CardRules {
    /// Parses the built-in rules.
    ///
    /// # Errors
    /// Returns every mistake, as for a user's rules.
    pub(crate) fn built_in(text: &str) -> Result<Self, MapErrors> {
        Self::read_text(text, None)
    }

    /// Overrides these rules with a user's: fields in `text` replace all rules of that field, the rest stays.
    ///
    /// # Errors
    /// Returns every mistake with its line.
    pub(crate) fn with(self, text: &str) -> Result<Self, MapErrors> {
        Self::read_text(text, Some(self))
    }

    fn read_text(text: &str, below: Option<Self>) -> Result<Self, MapErrors> {
        let mut mistakes = Mistakes::new("selectors", text);
        let document = settings::parse(text, &mut mistakes);
        let rules = document.as_ref().and_then(|document| {
            let root = Section::root(document.get_ref());
            walk(&root, below, &mut mistakes)
        });
        match rules {
            Some(rules) if mistakes.is_empty() => Ok(rules),
            _ => Err(mistakes.into_errors()),
        }
    }

    /// Formats the selectors of a field for messages: `fields.price = ".priceTag"`.
    pub(super) fn field_in_words(&self, name: &str) -> String {
        let rules = self.fields.get(name).map(Vec::as_slice).unwrap_or_default();
        let texts: Vec<String> = rules.iter().map(|rule| format!("{:?}", rule.select.text())).collect();
        format!("fields.{name} = {}", texts.join(" or "))
    }
}

fn walk(root: &Section<'_>, below: Option<CardRules>, mistakes: &mut Mistakes<'_>) -> Option<CardRules> {
    root.only(&KEYS, mistakes);
    let card = selector(root, "card", mistakes);
    let skip = selector(root, "skip", mistakes);
    let id = pattern(root, "id", true, mistakes);
    let page = pattern(root, "page", true, mistakes);
    let unpriced = pattern(root, "unpriced", false, mistakes);
    let per_page = per_page(root, mistakes);
    let empty = root.has("empty").then(|| rules(root, "empty", mistakes));
    let mut fields = BTreeMap::new();
    if let Some(table) = root.table("fields", mistakes) {
        table.only(&FIELDS, mistakes);
        for name in FIELDS.into_iter().filter(|name| table.has(name)) {
            fields.insert(name, rules(&table, name, mistakes));
        }
    }
    if let Some(below) = below {
        let mut merged = below.fields;
        merged.append(&mut fields);
        return Some(CardRules {
            card: card.unwrap_or(below.card),
            skip: skip.or(below.skip),
            id: id.unwrap_or(below.id),
            page: page.or(below.page),
            per_page: per_page.unwrap_or(below.per_page),
            unpriced: unpriced.or(below.unpriced),
            empty: empty.unwrap_or(below.empty),
            fields: merged,
        });
    }
    for name in REQUIRED.into_iter().filter(|name| !fields.contains_key(name)) {
        mistakes.add(1, format!("fields.{name}"), "is missing");
    }
    for name in ["card", "id"].into_iter().filter(|name| !root.has(name)) {
        mistakes.add(1, name, "is missing");
    }
    let empty = empty.unwrap_or_default();
    let per_page = per_page.unwrap_or(usize::MAX);
    Some(CardRules { card: card?, skip, id: id?, page, per_page, unpriced, empty, fields })
}

fn per_page(root: &Section<'_>, mistakes: &mut Mistakes<'_>) -> Option<usize> {
    let count = root.count("per_page", mistakes)?;
    if !(1..=PER_PAGE_MAX).contains(&count) {
        let line = root.value("per_page", mistakes).map_or(1, |value| value.line);
        mistakes.add(line, "per_page", format!("{count}; accepted: a whole number from 1 to {PER_PAGE_MAX}"));
    }
    usize::try_from(count).ok()
}

/// Parses one rule or a list of rules.
fn rules(section: &Section<'_>, key: &str, mistakes: &mut Mistakes<'_>) -> Vec<Rule> {
    let list = section.value(key, mistakes).is_some_and(|value| value.value.as_array().is_some());
    let tables = if list { section.tables(key, mistakes) } else { section.table(key, mistakes).into_iter().collect() };
    tables.iter().filter_map(|table| rule(table, mistakes)).collect()
}

fn rule(table: &Section<'_>, mistakes: &mut Mistakes<'_>) -> Option<Rule> {
    table.only(&["select", "attribute", "pattern"], mistakes);
    if !table.has("select") {
        mistakes.add(table.line(), table.key("select"), "is missing; accepted: a selector, like \".priceTag\"");
    }
    let select = selector(table, "select", mistakes);
    let attribute = table.text("attribute", mistakes).map(|(name, _)| name.to_lowercase());
    let pattern = pattern(table, "pattern", false, mistakes);
    Some(Rule { select: select?, attribute, pattern })
}

fn selector(section: &Section<'_>, key: &str, mistakes: &mut Mistakes<'_>) -> Option<Selector> {
    let (text, line) = section.text(key, mistakes)?;
    Selector::parse(text).map_err(|problem| mistakes.add(line, section.key(key), problem)).ok()
}

/// Parses a regular expression. `part`: it must contain a group that extracts a part of the text.
fn pattern(section: &Section<'_>, key: &str, part: bool, mistakes: &mut Mistakes<'_>) -> Option<Regex> {
    let (text, line) = section.text(key, mistakes)?;
    let built = RegexBuilder::new(text).size_limit(PATTERN_BYTES_MAX).dfa_size_limit(PATTERN_BYTES_MAX).build();
    match built {
        Ok(pattern) if part && pattern.captures_len() < 2 => {
            mistakes.add(
                line,
                section.key(key),
                format!("{text:?} has no group; accepted: a pattern like '/a/(\\d+)'"),
            );
            None
        }
        Ok(pattern) => Some(pattern),
        Err(error) => {
            let why = error.to_string().lines().last().unwrap_or_default().trim().to_owned();
            mistakes.add(line, section.key(key), format!("{text:?} is no regular expression: {why}"));
            None
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const LEAST: &str = "card = 'li'\nid = '/(\\d+)'\n[fields]\nlink = { select = 'a', attribute = 'href' }\n\
                         price = { select = '.price' }\nlocation = { select = '.place' }\n";

    #[test]
    fn a_users_rules_override_the_built_in_ones() {
        let rules = CardRules::built_in(LEAST).unwrap();
        let rules = rules.with("card = '.card'\n[fields]\nprice = [{ select = '.p' }, { select = 'b' }]\n").unwrap();
        assert_eq!((rules.card.text(), rules.id.as_str(), rules.fields["link"].len()), (".card", "/(\\d+)", 1));
        assert_eq!(rules.field_in_words("price"), r#"fields.price = ".p" or "b""#);
        assert!(rules.with("").is_ok());
    }

    #[test]
    fn every_mistake_is_reported_with_its_line() {
        let rules = CardRules::built_in(LEAST).unwrap();
        let text = "card = 'li:hover'\nid = '/\\d+'\nper_page = 0\ncart = 1\n[fields]\nprize = { select = 'a' }\n\
                    price = { attribute = 'x' }\ntitle = { select = 'a', pattern = '(' }\nlink = 'a'\n";
        let message = rules.with(text).unwrap_err().to_string();
        for part in [
            "selectors:1: card: the selector \"li:hover\" is not understood at \":hover\"",
            "selectors:2: id: \"/\\\\d+\" has no group",
            "selectors:3: per_page: 0; accepted: a whole number from 1 to 1000",
            "selectors:4: cart: there is no such key; did you mean \"card\"?",
            "selectors:6: fields.prize: there is no such key; did you mean \"price\"?",
            "selectors:7: fields.price.select: is missing",
            "selectors:8: fields.title.pattern: \"(\" is no regular expression",
            "selectors:9: fields.link: \"a\" is string; accepted: a table: [fields.link]",
        ] {
            assert!(message.contains(part), "{part} is not in\n{message}");
        }
        assert_eq!(message.lines().count(), 8, "{message}");
    }

    #[test]
    fn built_in_rules_must_be_whole() {
        let message = CardRules::built_in("").unwrap_err().to_string();
        assert_eq!(message.lines().count(), 5, "{message}");
        assert!(CardRules::built_in("card =").unwrap_err().to_string().contains("this is no TOML"));
    }
}
