use std::collections::{BTreeMap, BTreeSet};

use super::document::{Document, one_spaced};
use super::rules::{CardRules, REQUIRED, Rule};
use super::selector::Selector;
use crate::fields::{Refusal, shown};

/// What a result page shows.
#[derive(Debug)]
pub(crate) struct CardPage {
    /// The ads, in the order of the page.
    pub(crate) cards: Vec<Card>,
    /// How many cards were left out as none of homes.
    pub(crate) skipped: usize,
    /// How many ads the page links to, in cards or not.
    pub(crate) linked: usize,
    /// The highest number of a page that the page links to.
    pub(crate) last_page_linked: Option<u64>,
    /// Whether the page says that the search has no ads.
    pub(crate) empty: bool,
}

/// One ad as its card shows it: the texts that each field's rules found.
#[derive(Debug)]
pub(crate) struct Card {
    /// The ad's id, from its address; `None` where the card links to no ad.
    pub(crate) id: Option<String>,
    texts: BTreeMap<&'static str, Vec<String>>,
}

/// Texts of one field of one card, at most.
const TEXTS_MAX: usize = 64;

/// Cards that are read of a page, at most.
const CARDS_MAX: usize = 1_000;

impl CardRules {
    /// Finds the ads on a page.
    ///
    /// # Errors
    /// In words, when the page links to ads but is not understood: what selector found nothing. Such a page is never
    /// taken for one without ads.
    pub(crate) fn read(&self, document: &Document) -> Result<CardPage, String> {
        let skip = self.skip.as_ref().map(|skip| skip.select(document)).unwrap_or_default();
        let fields: Vec<(&'static str, Vec<Found<'_>>)> =
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
            // A card inside a card is a part of it.
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

    /// Whether a price text says that there is none.
    pub(crate) fn says_no_price(&self, text: &str) -> bool {
        self.unpriced.as_ref().is_some_and(|pattern| pattern.is_match(text))
    }

    /// Whether so many cards are as many as a page has.
    pub(crate) fn is_full(&self, page: &CardPage) -> bool {
        page.cards.len() + page.skipped >= self.per_page
    }

    /// A field that a card has, or why it is refused.
    pub(crate) fn required<'c>(&self, card: &'c Card, name: &str) -> Result<&'c str, Refusal> {
        card.one(name).ok_or_else(|| Refusal::missing(&format!("{}: nothing found", self.field_in_words(name))))
    }

    fn id_in(&self, link: &str) -> Option<String> {
        self.id.captures(link).and_then(|found| Some(found.get(1)?.as_str().to_owned()))
    }

    /// The ids of all ads that the page links to; notes the pages that it links to on the way.
    fn links(&self, document: &Document, page: &mut CardPage) -> BTreeSet<String> {
        let mut ids = BTreeSet::new();
        let rules = self.fields.get("link").map(Vec::as_slice).unwrap_or_default();
        let mut names: Vec<&str> = rules.iter().filter_map(|rule| rule.attribute.as_deref()).collect();
        names.push("href");
        names.sort_unstable();
        names.dedup();
        for node in 1..document.nodes().len() {
            // What stands in the page's head leads to styles and to this page itself.
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

    /// Says what selector finds nothing any more.
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
    /// The first text of a field.
    pub(crate) fn one(&self, name: &str) -> Option<&str> {
        self.all(name).first().map(String::as_str)
    }

    /// All texts of a field, in the order of the page.
    pub(crate) fn all(&self, name: &str) -> &[String] {
        self.texts.get(name).map(Vec::as_slice).unwrap_or_default()
    }

    /// The ad's address; one on this site, at `base`, is made absolute.
    pub(crate) fn url(&self, base: &str) -> String {
        let link = self.one("link").unwrap_or_default();
        let here = link.starts_with('/') && !link.starts_with("//");
        if here { format!("{base}{link}") } else { link.to_owned() }
    }

    /// The card in words, for the quarantine: the page itself is kept as it came.
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

    /// Whether a text has bytes in it that were not UTF-8.
    pub(crate) fn is_damaged(&self) -> bool {
        self.texts.values().flatten().any(|text| text.contains('\u{fffd}'))
    }
}

/// What one rule selects on the page.
struct Found<'r> {
    rule: &'r Rule,
    nodes: Vec<usize>,
}

fn select_all<'r>(rules: &'r [Rule], document: &Document) -> Vec<Found<'r>> {
    rules.iter().map(|rule| Found { rule, nodes: rule.select.select(document) }).collect()
}

impl Found<'_> {
    /// The texts in this element and, where it is itself selected, of it.
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

/// Those of `nodes` that stand from `start` up to `end`.
fn within(nodes: &[usize], start: usize, end: usize) -> &[usize] {
    let from = nodes.partition_point(|node| *node < start);
    let to = nodes.partition_point(|node| *node < end);
    &nodes[from..to]
}
