use super::document::Document;

/// A selector in the subset of CSS that the [module](super) describes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Selector {
    text: String,
    any_of: Vec<Vec<SelectorStep>>,
}

/// One step of a selector: `div.card` in `main div.card > a`.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
struct SelectorStep {
    /// Whether it must be a child of the previous step, not just a descendant.
    child: bool,
    name: Option<String>,
    tests: Vec<Test>,
}

#[derive(Clone, Debug, PartialEq, Eq)]
enum Test {
    Class(String),
    Attribute { name: String, is: Is, value: String },
    Not(SelectorStep),
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Is {
    There,
    Equal,
    Word,
    Start,
    End,
    Part,
}

/// The accepted syntax, for messages.
const ACCEPTED: &str =
    "names, .classes, #ids, [attribute], [attribute*=\"x\"] with = ~= ^= $= *=, :not(...), a space, > and commas";

/// Maximum number of steps of a selector: one bit each.
const STEPS_MAX: usize = 32;

impl Selector {
    /// Parses a selector.
    ///
    /// # Errors
    /// Describes the mistake and what would be accepted.
    pub(super) fn parse(text: &str) -> Result<Self, String> {
        let mut reader = SelectorReader { text, rest: text, negated: false };
        let mut any_of = Vec::new();
        loop {
            any_of.push(reader.path()?);
            if reader.rest.is_empty() {
                return Ok(Self { text: text.to_owned(), any_of });
            }
            reader.rest = reader.rest.strip_prefix(',').ok_or_else(|| reader.wrong())?;
        }
    }

    /// The selector's source text.
    pub(super) fn text(&self) -> &str {
        &self.text
    }

    /// Returns the matching elements in page order. Takes one pass for each selector of the list: the steps that an
    /// element completes follow from those of its parent and its ancestors.
    pub(super) fn select(&self, document: &Document) -> Vec<usize> {
        let mut found = Vec::new();
        for path in &self.any_of {
            let last = 1_u32 << (path.len() - 1);
            let nodes = document.nodes();
            let mut here = vec![0_u32; nodes.len()];
            let mut around = vec![0_u32; nodes.len()];
            for node in 1..nodes.len() {
                let parent = nodes[node].parent;
                around[node] = around[parent] | here[parent];
                let Some(name) = document.name(node) else { continue };
                for (n, step) in path.iter().enumerate() {
                    let led = n == 0 || (if step.child { here[parent] } else { around[node] }) & (1 << (n - 1)) != 0;
                    if led && step.matches(document, node, name) {
                        here[node] |= 1 << n;
                    }
                }
                if here[node] & last != 0 {
                    found.push(node);
                }
            }
        }
        found.sort_unstable();
        found.dedup();
        found
    }
}

impl SelectorStep {
    fn matches(&self, document: &Document, node: usize, name: &str) -> bool {
        self.name.as_deref().is_none_or(|wanted| wanted == name)
            && self.tests.iter().all(|test| test.holds(document, node, name))
    }
}

impl Test {
    fn holds(&self, document: &Document, node: usize, name: &str) -> bool {
        match self {
            Self::Class(class) => has_word(document.attribute(node, "class").unwrap_or(""), class),
            Self::Attribute { name, is, value } => {
                document.attribute(node, name).is_some_and(|found| is.holds(found, value))
            }
            Self::Not(step) => !step.matches(document, node, name),
        }
    }
}

impl Is {
    fn holds(self, found: &str, value: &str) -> bool {
        match self {
            Self::There => true,
            Self::Equal => found == value,
            Self::Word => has_word(found, value),
            Self::Start => !value.is_empty() && found.starts_with(value),
            Self::End => !value.is_empty() && found.ends_with(value),
            Self::Part => !value.is_empty() && found.contains(value),
        }
    }
}

fn has_word(list: &str, word: &str) -> bool {
    list.split_ascii_whitespace().any(|found| found == word)
}

struct SelectorReader<'t> {
    text: &'t str,
    rest: &'t str,
    /// Whether it is inside a `:not()`, which cannot be nested.
    negated: bool,
}

impl SelectorReader<'_> {
    /// Parses the steps up to a comma or the end.
    fn path(&mut self) -> Result<Vec<SelectorStep>, String> {
        let mut path = Vec::new();
        let mut child = false;
        self.rest = self.rest.trim_start();
        loop {
            let step = self.step()?;
            path.push(SelectorStep { child, ..step });
            if path.len() > STEPS_MAX {
                return Err(format!("{:?} has more than {STEPS_MAX} steps", self.text));
            }
            self.rest = self.rest.trim_start();
            if self.rest.is_empty() || self.rest.starts_with(',') {
                return Ok(path);
            }
            child = self.rest.starts_with('>');
            self.rest = self.rest.strip_prefix('>').unwrap_or(self.rest).trim_start();
        }
    }

    fn step(&mut self) -> Result<SelectorStep, String> {
        let before = self.rest;
        let mut step = SelectorStep::default();
        if let Some(rest) = self.rest.strip_prefix('*') {
            self.rest = rest;
        } else {
            step.name = self.word().map(|name| name.to_lowercase());
        }
        while let Some(test) = self.test()? {
            step.tests.push(test);
        }
        if self.rest.len() == before.len() { Err(self.wrong()) } else { Ok(step) }
    }

    fn test(&mut self) -> Result<Option<Test>, String> {
        let equal = |name: &str, value: String| Test::Attribute { name: name.to_owned(), is: Is::Equal, value };
        if let Some(rest) = self.rest.strip_prefix('.') {
            self.rest = rest;
            Ok(Some(Test::Class(self.word().ok_or_else(|| self.wrong())?)))
        } else if let Some(rest) = self.rest.strip_prefix('#') {
            self.rest = rest;
            Ok(Some(equal("id", self.word().ok_or_else(|| self.wrong())?)))
        } else if let Some(rest) = self.rest.strip_prefix('[') {
            self.rest = rest.trim_start();
            self.attribute().map(Some)
        } else if let Some(rest) = self.rest.strip_prefix(":not(").filter(|_| !self.negated) {
            self.rest = rest.trim_start();
            self.negated = true;
            let step = self.step()?;
            self.negated = false;
            self.rest = self.rest.trim_start().strip_prefix(')').ok_or_else(|| self.wrong())?;
            Ok(Some(Test::Not(step)))
        } else {
            Ok(None)
        }
    }

    /// Parses the part after a `[`.
    fn attribute(&mut self) -> Result<Test, String> {
        let name = self.word().ok_or_else(|| self.wrong())?.to_lowercase();
        self.rest = self.rest.trim_start();
        if let Some(rest) = self.rest.strip_prefix(']') {
            self.rest = rest;
            return Ok(Test::Attribute { name, is: Is::There, value: String::new() });
        }
        let operators = [("=", Is::Equal), ("~=", Is::Word), ("^=", Is::Start), ("$=", Is::End), ("*=", Is::Part)];
        let known = operators.into_iter().find_map(|(sign, is)| Some((self.rest.strip_prefix(sign)?, is)));
        let (rest, is) = known.ok_or_else(|| self.wrong())?;
        self.rest = rest.trim_start();
        let value = match self.rest.chars().next().filter(|c| matches!(c, '"' | '\'')) {
            Some(quote) => {
                let (value, rest) = self.rest[1..].split_once(quote).ok_or_else(|| self.wrong())?;
                self.rest = rest;
                value.to_owned()
            }
            None => self.word().ok_or_else(|| self.wrong())?,
        };
        self.rest = self.rest.trim_start().strip_prefix(']').ok_or_else(|| self.wrong())?;
        Ok(Test::Attribute { name, is, value })
    }

    fn word(&mut self) -> Option<String> {
        let known = |c: char| c.is_ascii_alphanumeric() || matches!(c, '-' | '_') || !c.is_ascii();
        let end = self.rest.find(|c| !known(c)).unwrap_or(self.rest.len());
        let (word, rest) = self.rest.split_at(end);
        self.rest = rest;
        (!word.is_empty()).then(|| word.to_owned())
    }

    fn wrong(&self) -> String {
        let place = match self.rest {
            "" => "ends too early".to_owned(),
            rest => format!("is not understood at {:?}", crate::fields::shown(rest)),
        };
        format!("the selector {:?} {place}; accepted: {ACCEPTED}", crate::fields::shown(self.text))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const PAGE: &str = r#"<ul id="list"><li class="card w100" linkRef="/a/1"><h2 class=tit><a href="/fr/a/1/x">1</a></h2>
        <p title="t">2</p></li><li class="card promo"><div><a href="/fr/p/2/x">3</a></div></li></ul><a href="/">4</a>"#;

    fn texts(selector: &str) -> String {
        let document = Document::parse(PAGE).unwrap();
        let found = Selector::parse(selector).unwrap().select(&document);
        found.into_iter().map(|node| document.text(node)).collect::<Vec<_>>().join("|")
    }

    #[test]
    fn each_kind_of_selector_finds_its_elements() {
        for (selector, want) in [
            ("a", "1|3|4"),
            ("*#list a", "1|3"),
            ("li.card", "1 2|3"),
            (".card.promo a", "3"),
            ("li > a", ""),
            ("li > div > a", "3"),
            ("ul li>h2>a", "1"),
            ("li:not(.promo) a", "1"),
            ("p:not([title]), h2", "1"),
            ("[linkref]", "1 2"),
            ("li[ linkref = '/a/1' ] p[title=t]", "2"),
            ("a[href^=\"/fr/a/\"]", "1"),
            ("a[href$='/x'], a[href*=\"/p/\"]", "1|3"),
            ("[class~=w100] .tit", "1"),
            ("a[href*='']", ""),
            ("H2 , P", "1|2"),
        ] {
            assert_eq!(texts(selector), want, "{selector}");
        }
    }

    /// The match that counts may be a more distant ancestor.
    #[test]
    fn the_nearest_ancestor_need_not_be_the_one() {
        let document = Document::parse("<main><b class=x><i><b><u>1</u></b></i></b></main>").unwrap();
        assert_eq!(Selector::parse("main > b u").unwrap().select(&document).len(), 1);
        assert_eq!(Selector::parse("main > b > u").unwrap().select(&document).len(), 0);
    }

    #[test]
    fn what_is_not_understood_is_named() {
        for selector in [
            "",
            " ",
            "a,",
            "a >",
            "> a",
            ".",
            "#",
            "[",
            "[a",
            "[a=",
            "[a='x]",
            "[a!=x]",
            ":not(",
            ":not(a",
            "a:first-child",
            "a + b",
            "a ~ b",
            "a::before",
            ":not(:not(a))",
            "a}",
        ] {
            let message = Selector::parse(selector).unwrap_err();
            assert!(message.contains("accepted: names, .classes"), "{message}");
        }
        assert!(Selector::parse(&"a ".repeat(33)).unwrap_err().contains("more than 32 steps"));
        assert_eq!(
            Selector::parse("a > .b:hover").unwrap_err().split(';').next().unwrap(),
            r#"the selector "a > .b:hover" is not understood at ":hover""#
        );
    }
}
