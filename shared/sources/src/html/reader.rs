use std::collections::{BTreeMap, BTreeSet};

use super::document::{Document, one_spaced};
use super::rules::{CardRules, REQUIRED, Rule};
use super::selector::Selector;
use crate::fields::{FieldRefusal, shown};

/// The content of a result page.
#[derive(Debug)]
pub(crate) struct CardPage {
    /// The ads in page order.
    pub(crate) cards: Vec<Card>,
    /// Number of cards skipped because they are not homes.
    pub(crate) skipped: usize,
    /// Number of ads that the page links to, in cards or elsewhere.
    pub(crate) linked: usize,
    /// The highest page number in the page's links.
    pub(crate) last_page_linked: Option<u64>,
    /// Whether the page says that the search has no results.
    pub(crate) empty: bool,
}

/// One ad's card: the texts that the rules of each field found.
#[derive(Debug)]
pub(crate) struct Card {
    /// The ad's ID, from its URL; `None` if the card has no link to an ad.
    pub(crate) id: Option<String>,
    texts: BTreeMap<&'static str, Vec<String>>,
}

/// Maximum number of texts per field of a card.
const TEXTS_MAX: usize = 64;

/// Maximum number of cards per page.
const CARDS_MAX: usize = 1_000;

impl CardRules {
    /// Finds the ads on a page.
    ///
    /// # Errors
    /// If the page links to ads but cannot be read, names the selector that matched nothing. Such a page is never taken
    /// for one without ads.
    pub(crate) fn read(&self, document: &Document) -> Result<CardPage, String> {
        let skip = self.skip.as_ref().map(|skip| skip.select(document)).unwrap_or_default();
        let fields: Vec<(&'static str, Vec<RuleMatches<'_>>)> =
            self.fields.iter().map(|(name, rules)| (*name, select_all(rules, document))).collect();
        let mut page = CardPage {
            cards: Vec::new(),
            skipped: 0,
            linked: 0,
            last_page_linked: None,
            empty: select_all(&self.empty, document).iter().any(|found| !found.texts(document, 0).is_empty()),
        };
        let mut covered = BTreeSet::new();
        let mut end = 0;
        for card in self.card.select(document) {
            // A card inside a card is part of it.
            if card < end || page.cards.len() == CARDS_MAX {
                continue;
            }
            end = document.nodes()[card].end;
            let texts: BTreeMap<_, _> = fields
                .iter()
                .filter_map(|(name, found)| {
                    let texts = found.iter().map(|found| found.texts(document, card)).find(|texts| !texts.is_empty());
                    Some((*name, texts?))
                })
                .collect();
            let links = texts.get("link").map(Vec::as_slice).unwrap_or_default();
            let id = links.iter().find_map(|link| self.id_in(link));
            covered.extend(id.clone());
            if within(&skip, card, end).is_empty() {
                page.cards.push(Card { id, texts });
            } else {
                page.skipped += 1;
            }
        }
        let linked = self.links(document, &mut page);
        page.linked = linked.len();
        self.drifted(&page, linked.intersection(&covered).count())?;
        Ok(page)
    }

    /// Whether a price text means "no price".
    pub(crate) fn says_no_price(&self, text: &str) -> bool {
        self.unpriced.as_ref().is_some_and(|pattern| pattern.is_match(text))
    }

    /// Whether a page has as many cards as a full page.
    pub(crate) fn is_full(&self, page: &CardPage) -> bool {
        page.cards.len() + page.skipped >= self.per_page
    }

    /// Returns a required field of a card, or a refusal.
    pub(crate) fn required<'c>(&self, card: &'c Card, name: &str) -> Result<&'c str, FieldRefusal> {
        card.one(name).ok_or_else(|| FieldRefusal::missing(&format!("{}: nothing found", self.field_in_words(name))))
    }

    fn id_in(&self, link: &str) -> Option<String> {
        self.id.captures(link).and_then(|found| Some(found.get(1)?.as_str().to_owned()))
    }

    /// Returns the IDs of all ads that the page links to, and records its links to other pages.
    fn links(&self, document: &Document, page: &mut CardPage) -> BTreeSet<String> {
        let mut ids = BTreeSet::new();
        let rules = self.fields.get("link").map(Vec::as_slice).unwrap_or_default();
        let mut names: Vec<&str> = rules.iter().filter_map(|rule| rule.attribute.as_deref()).collect();
        names.push("href");
        names.sort_unstable();
        names.dedup();
        for node in 1..document.nodes().len() {
            // Links in the page's head lead to styles and to the page itself.
            if document.name(node).is_none_or(|name| name == "link") {
                continue;
            }
            for link in names.iter().filter_map(|name| document.attribute(node, name)) {
                ids.extend(self.id_in(link));
                let number = self.page.as_ref().and_then(|page| page.captures(link)?.get(1)?.as_str().parse().ok());
                page.last_page_linked = page.last_page_linked.max(number);
            }
        }
        ids
    }

    /// Fails with the name of a selector that no longer matches.
    fn drifted(&self, page: &CardPage, covered: usize) -> Result<(), String> {
        let (cards, linked) = (page.cards.len(), page.linked);
        if linked == 0 && cards == 0 {
            return Ok(());
        }
        if cards + page.skipped == 0 {
            return Err(format!(
                "a page with links to {linked} ads, in which the selector card = {:?} found nothing",
                self.card.text()
            ));
        }
        if cards == 0 && linked > 0 {
            let skip = self.skip.as_ref().map(Selector::text).unwrap_or_default();
            return Err(format!("a page with links to {linked} ads, in which skip = {skip:?} leaves out every card"));
        }
        for name in REQUIRED {
            if cards > 0 && page.cards.iter().all(|card| card.one(name).is_none()) {
                return Err(format!("a page of {cards} cards, in which {} found nothing", self.field_in_words(name)));
            }
        }
        if cards > 0 && page.cards.iter().all(|card| card.id.is_none()) {
            let link = page.cards.first().and_then(|card| card.one("link")).unwrap_or_default();
            return Err(format!(
                "a page of {cards} cards, in which id = {:?} found nothing in the addresses; the first is {:?}",
                self.id.as_str(),
                shown(link)
            ));
        }
        if covered * 2 < linked {
            return Err(format!(
                "a page with links to {linked} ads, of which the selector card = {:?} found {covered}",
                self.card.text()
            ));
        }
        Ok(())
    }
}

impl Card {
    /// Returns the first text of a field.
    pub(crate) fn one(&self, name: &str) -> Option<&str> {
        self.all(name).first().map(String::as_str)
    }

    /// Returns all texts of a field in page order.
    pub(crate) fn all(&self, name: &str) -> &[String] {
        self.texts.get(name).map(Vec::as_slice).unwrap_or_default()
    }

    /// Returns the ad's URL; resolves a relative one against `base`.
    pub(crate) fn url(&self, base: &str) -> String {
        let link = self.one("link").unwrap_or_default();
        let here = link.starts_with('/') && !link.starts_with("//");
        if here { format!("{base}{link}") } else { link.to_owned() }
    }

    /// Formats the card as text for the quarantine; the raw page is stored separately.
    pub(crate) fn raw(&self) -> String {
        let lines = self.texts.iter().flat_map(|(name, texts)| texts.iter().map(move |text| format!("{name}: {text}")));
        let mut raw = String::new();
        for line in lines {
            if raw.len() + line.len() < stoop_domain::Reject::RAW_MAX {
                raw.push_str(&line);
                raw.push('\n');
            }
        }
        raw
    }

    /// Whether a text contains invalid UTF-8.
    pub(crate) fn is_damaged(&self) -> bool {
        self.texts.values().flatten().any(|text| text.contains('\u{fffd}'))
    }
}

/// The matches of one rule on the page.
struct RuleMatches<'r> {
    rule: &'r Rule,
    nodes: Vec<usize>,
}

fn select_all<'r>(rules: &'r [Rule], document: &Document) -> Vec<RuleMatches<'r>> {
    rules.iter().map(|rule| RuleMatches { rule, nodes: rule.select.select(document) }).collect()
}

impl RuleMatches<'_> {
    /// Returns the texts of matches inside this element, and of the element if it matches itself.
    fn texts(&self, document: &Document, node: usize) -> Vec<String> {
        let inside = within(&self.nodes, node, document.nodes()[node].end);
        let texts = inside.iter().take(TEXTS_MAX).filter_map(|node| {
            let text = match &self.rule.attribute {
                Some(name) => one_spaced(document.attribute(*node, name)?),
                None => document.text(*node),
            };
            let text = match &self.rule.pattern {
                Some(pattern) => {
                    let found = pattern.captures(&text)?;
                    found.get(1).or_else(|| found.get(0))?.as_str().trim().to_owned()
                }
                None => text,
            };
            (!text.is_empty()).then_some(text)
        });
        texts.collect()
    }
}

/// Returns the part of the sorted `nodes` from `start` up to `end`.
fn within(nodes: &[usize], start: usize, end: usize) -> &[usize] {
    let from = nodes.partition_point(|node| *node < start);
    let to = nodes.partition_point(|node| *node < end);
    &nodes[from..to]
}
