//! Texts of `[http]` that contain `{names}`.

use crate::link::{VALUE, encode};
use crate::port::Params;

/// A text with `{names}` for parameters of the search and values of the scan.
#[derive(Clone, Debug)]
pub(super) struct Filling {
    parts: Vec<TemplatePart>,
    form: Form,
}

/// Which part of a request a text belongs to. Decides how values are escaped.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Form {
    /// A URL or a form in a body: percent-encoded.
    Address,
    /// A header: not escaped.
    Header,
    /// A JSON body: escaped inside a string, otherwise as is.
    Json,
}

/// A value that the scan fills in.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Blank {
    /// The page number, offset or cursor.
    Position,
    /// Rows per page.
    Size,
    /// The watermark.
    Since,
}

#[derive(Clone, Debug, PartialEq, Eq)]
enum TemplatePart {
    Text(String),
    /// `bare`: outside of any string of a JSON body.
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
    /// Parses a text. The scan fills the names in `blanks`; all other names are parameters. A brace that is not
    /// followed by `letters_and_digits}`, as in JSON, is literal.
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
                filling.parts.push(TemplatePart::Text(std::mem::take(&mut plain)));
            }
            let name = &after[1..=name_len];
            let bare = form == Form::Json && !inside;
            filling.parts.push(match blanks.iter().find(|(known, _)| *known == name) {
                Some((_, blank)) => TemplatePart::Blank { blank: *blank, bare },
                None => TemplatePart::Param { name: name.to_owned(), bare },
            });
            rest = &after[name_len + 2..];
        }
        plain.push_str(rest);
        if !plain.is_empty() {
            filling.parts.push(TemplatePart::Text(plain));
        }
        filling
    }

    /// Names of the parameters in the text.
    pub(super) fn params(&self) -> impl Iterator<Item = &str> {
        self.parts.iter().filter_map(|part| match part {
            TemplatePart::Param { name, .. } => Some(name.as_str()),
            _ => None,
        })
    }

    /// Whether the text contains `wanted`: `Some(true)` if outside of any string of a JSON body.
    pub(super) fn has(&self, wanted: Blank) -> Option<bool> {
        self.parts.iter().find_map(|part| match part {
            TemplatePart::Blank { blank, bare } if *blank == wanted => Some(*bare),
            _ => None,
        })
    }

    /// Returns the text with its parameters filled in.
    pub(super) fn with(&self, params: &Params) -> Self {
        let filled = |part: &TemplatePart| match part {
            TemplatePart::Param { name, bare } => {
                let value = params.get(name).map_or("", String::as_str);
                TemplatePart::Text(if *bare { value.to_owned() } else { self.written(value) })
            }
            other => other.clone(),
        };
        Self { parts: self.parts.iter().map(filled).collect(), form: self.form }
    }

    /// Renders the whole text with the scan's values. `bare` values are not escaped.
    pub(super) fn render(&self, value: impl Fn(Blank, bool) -> String) -> String {
        let parts = self.parts.iter().map(|part| match part {
            TemplatePart::Text(text) => text.clone(),
            TemplatePart::Param { .. } => String::new(),
            TemplatePart::Blank { blank, bare: true } => value(*blank, true),
            TemplatePart::Blank { blank, bare: false } => self.written(&value(*blank, false)),
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

/// Encodes a text as a JSON string.
pub(super) fn json_text(text: &str) -> String {
    serde_json::Value::from(text).to_string()
}

/// Whether a text contains an odd number of unescaped quotes.
fn quotes(json: &str) -> bool {
    let mut odd = false;
    let mut escaped = false;
    for byte in json.bytes() {
        odd ^= byte == b'"' && !escaped;
        escaped = byte == b'\\' && !escaped;
    }
    odd
}

/// Appends a pair to the query of a URL, before the fragment if there is one.
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
