//! Texts of `[http]` with `{names}` in them.

use crate::link::{VALUE, encode};
use crate::port::Params;

/// A text with `{names}`: of a search's parameters, and of what a scan brings along.
#[derive(Clone, Debug)]
pub(super) struct Filling {
    parts: Vec<Part>,
    form: Form,
}

/// What a text is part of: decides how what is filled in is written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Form {
    /// An address, or a form in a body: percent-encoded.
    Address,
    /// A header: as it is.
    Header,
    /// A JSON body: escaped inside a text; outside of one as it is.
    Json,
}

/// What a scan brings along.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Blank {
    /// The page number, offset or cursor.
    Position,
    /// The rows a page.
    Size,
    /// The watermark.
    Since,
}

#[derive(Clone, Debug, PartialEq, Eq)]
enum Part {
    Text(String),
    /// `bare`: outside of any text of a JSON body.
    Param {
        name: String,
        bare: bool,
    },
    Blank {
        blank: Blank,
        bare: bool,
    },
}

impl Filling {
    /// Reads a text. `blanks` are the names that the scan fills; all others are parameters. A brace that no
    /// `letters_and_digits}` follows, as in JSON, stands for itself.
    pub(super) fn parse(text: &str, form: Form, blanks: &[(&str, Blank)]) -> Self {
        let mut filling = Self { parts: Vec::new(), form };
        let mut inside = false;
        let mut plain = String::new();
        let mut rest = text;
        while let Some(at) = rest.find('{') {
            let (before, after) = rest.split_at(at);
            plain.push_str(before);
            inside ^= form == Form::Json && quotes(before);
            let name_len = after[1..].bytes().take_while(|b| b.is_ascii_alphanumeric() || *b == b'_').count();
            if name_len == 0 || !after[1 + name_len..].starts_with('}') {
                plain.push('{');
                rest = &after[1..];
                continue;
            }
            if !plain.is_empty() {
                filling.parts.push(Part::Text(std::mem::take(&mut plain)));
            }
            let name = &after[1..=name_len];
            let bare = form == Form::Json && !inside;
            filling.parts.push(match blanks.iter().find(|(known, _)| *known == name) {
                Some((_, blank)) => Part::Blank { blank: *blank, bare },
                None => Part::Param { name: name.to_owned(), bare },
            });
            rest = &after[name_len + 2..];
        }
        plain.push_str(rest);
        if !plain.is_empty() {
            filling.parts.push(Part::Text(plain));
        }
        filling
    }

    /// The parameters that it names.
    pub(super) fn params(&self) -> impl Iterator<Item = &str> {
        self.parts.iter().filter_map(|part| match part {
            Part::Param { name, .. } => Some(name.as_str()),
            _ => None,
        })
    }

    /// Where the scan's `blank` stands in it: `Some(true)` outside of any text of a JSON body.
    pub(super) fn has(&self, wanted: Blank) -> Option<bool> {
        self.parts.iter().find_map(|part| match part {
            Part::Blank { blank, bare } if *blank == wanted => Some(*bare),
            _ => None,
        })
    }

    /// The same with its parameters filled in.
    pub(super) fn with(&self, params: &Params) -> Self {
        let filled = |part: &Part| match part {
            Part::Param { name, bare } => {
                let value = params.get(name).map_or("", String::as_str);
                Part::Text(if *bare { value.to_owned() } else { self.written(value) })
            }
            other => other.clone(),
        };
        Self { parts: self.parts.iter().map(filled).collect(), form: self.form }
    }

    /// The whole text, with what the scan brings along; `bare` values are written as they come.
    pub(super) fn render(&self, value: impl Fn(Blank, bool) -> String) -> String {
        let parts = self.parts.iter().map(|part| match part {
            Part::Text(text) => text.clone(),
            Part::Param { .. } => String::new(),
            Part::Blank { blank, bare: true } => value(*blank, true),
            Part::Blank { blank, bare: false } => self.written(&value(*blank, false)),
        });
        parts.collect()
    }

    fn written(&self, value: &str) -> String {
        match self.form {
            Form::Address => encode(value, VALUE),
            Form::Header => value.to_owned(),
            Form::Json => {
                let quoted = json_text(value);
                quoted[1..quoted.len() - 1].to_owned()
            }
        }
    }
}

/// A text as JSON.
pub(super) fn json_text(text: &str) -> String {
    serde_json::Value::from(text).to_string()
}

/// Whether an odd number of quotes that are not escaped stand in it.
fn quotes(json: &str) -> bool {
    let mut odd = false;
    let mut escaped = false;
    for byte in json.bytes() {
        odd ^= byte == b'"' && !escaped;
        escaped = byte == b'\\' && !escaped;
    }
    odd
}

/// An address with another pair in its query, before the fragment where it has one.
pub(super) fn with_query(url: &str, name: &str, value: &str) -> String {
    let (url, fragment) = url.split_at(url.find('#').unwrap_or(url.len()));
    let sign = if url.contains('?') { '&' } else { '?' };
    format!("{url}{sign}{}={}{fragment}", encode(name, VALUE), encode(value, VALUE))
}

#[cfg(test)]
mod tests {
    use super::*;

    const BLANKS: [(&str, Blank); 2] = [("page", Blank::Position), ("size", Blank::Size)];

    fn filled(text: &str, form: Form, value: &str) -> String {
        let params = Params::from([("q".into(), value.into())]);
        Filling::parse(text, form, &BLANKS).with(&params).render(|blank, bare| format!("{blank:?} {bare}"))
    }

    #[test]
    fn each_form_has_its_own_writing() {
        assert_eq!(filled("/{q}?p={page}", Form::Address, "a/b c"), "/a%2Fb%20c?p=Position%20false");
        assert_eq!(filled("Bearer {q}", Form::Header, "a/b c"), "Bearer a/b c");
        assert_eq!(
            filled(r#"{"q": "{q}", "\"{": {q}, "p": {page}, "s": "{size}"}"#, Form::Json, "7"),
            r#"{"q": "7", "\"{": 7, "p": Position true, "s": "Size false"}"#
        );
        assert_eq!(filled(r#"{"q": "x {q}"}"#, Form::Json, "a\"\n"), r#"{"q": "x a\"\n"}"#);
    }

    #[test]
    fn a_brace_of_json_is_no_name() {
        let text = r#"{"a": {}, "b": {"c": 1}, "d": "{not a name}"}"#;
        assert_eq!(filled(text, Form::Json, ""), text);
        assert_eq!(filled("{", Form::Json, ""), "{");
        assert_eq!(filled("{q", Form::Json, "x"), "{q");
        assert_eq!(Filling::parse("{a}{page}{b}", Form::Header, &BLANKS).params().collect::<Vec<_>>(), ["a", "b"]);
    }

    #[test]
    fn a_query_is_put_before_the_fragment() {
        assert_eq!(with_query("https://a.example/s", "p q", "1&2"), "https://a.example/s?p%20q=1%262");
        assert_eq!(with_query("https://a.example/s?a=1#top", "p", "2"), "https://a.example/s?a=1&p=2#top");
    }
}
