use std::fmt;

use super::words::{width, wrapped};
use super::{Look, SafeText, Table};

/// The output of a command. All of it is [`SafeText`], and no line is wider than the screen.
pub(crate) struct Page {
    look: Look,
    text: String,
}

impl Page {
    pub(crate) fn new(look: Look) -> Self {
        Self { look, text: String::new() }
    }

    /// The width of the screen in columns.
    pub(crate) fn width(&self) -> usize {
        usize::from(self.look.width)
    }

    /// Adds words, wrapped onto as many lines as they need.
    pub(crate) fn line(&mut self, words: impl IntoIterator<Item = SafeText>) -> &mut Self {
        self.hung(0, words)
    }

    /// Like [`Page::line`], with every line after the first indented.
    pub(crate) fn hung(&mut self, indent: usize, words: impl IntoIterator<Item = SafeText>) -> &mut Self {
        let words: Vec<SafeText> = words.into_iter().collect();
        let whole: String = words.iter().map(SafeText::text).collect();
        let indent = indent.min(self.width() / 2);
        for (at, line) in wrapped(&whole, self.width(), self.width() - indent).into_iter().enumerate() {
            if at > 0 && !line.is_empty() {
                self.text.push_str(&" ".repeat(indent));
            }
            let mut begin = 0;
            for piece in &words {
                let end = begin + piece.text().len();
                let part = line.start.max(begin)..line.end.min(end);
                if !part.is_empty() {
                    self.text.push_str(&piece.style().set(&whole[part], self.look.colours));
                }
                begin = end;
            }
            self.text.push('\n');
        }
        self
    }

    /// Adds an empty line.
    pub(crate) fn gap(&mut self) -> &mut Self {
        self.text.push('\n');
        self
    }

    /// Adds a heading between two empty lines.
    pub(crate) fn heading(&mut self, heading: &str) -> &mut Self {
        self.gap().line([SafeText::from(heading).bold()]).gap()
    }

    pub(crate) fn table(&mut self, table: Table) -> &mut Self {
        self.text.push_str(&table.draw(self.look));
        self
    }

    /// Adds facts about one thing, each with its name.
    pub(crate) fn facts<N: AsRef<str>>(&mut self, facts: impl IntoIterator<Item = (N, SafeText)>) -> &mut Self {
        let facts: Vec<(N, SafeText)> = facts.into_iter().collect();
        let names = facts.iter().map(|(name, _)| width(name.as_ref())).max().unwrap_or(0);
        for (name, value) in facts {
            let name = format!("  {:<names$}  ", name.as_ref());
            self.hung(names + 4, [SafeText::from(name).dim(), value]);
        }
        self
    }

    pub(crate) fn as_str(&self) -> &str {
        &self.text
    }
}

impl fmt::Display for Page {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.text)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn page(width: u16, colours: bool) -> Page {
        let mut page = Page::new(Look { colours, width });
        page.line([SafeText::from("Chicago").bold(), " and its parts".into()]).heading("By type");
        page.facts([("price", "$1,055".into()), ("on market", "43 days, since January".into())]);
        page
    }

    #[test]
    fn a_page_is_as_wide_as_the_screen_at_most() {
        let wide = "Chicago and its parts\n\nBy type\n\n  price      $1,055\n  on market  43 days, since January\n";
        assert_eq!(page(80, false).as_str(), wide);
        let narrow = "Chicago and its\nparts\n\nBy type\n\n  price      $1,055\n  on market  43\n          days,\n          since\n          January\n";
        assert_eq!(page(20, false).as_str(), narrow);
    }

    #[test]
    fn a_style_ends_with_its_words_and_on_every_line() {
        let mut page = Page::new(Look { colours: true, width: 5 });
        page.line([SafeText::from("one two").bold(), " six".into()]);
        assert_eq!(page.as_str(), "\u{1b}[1mone\u{1b}[0m\n\u{1b}[1mtwo\u{1b}[0m\nsix\n");
    }
}
