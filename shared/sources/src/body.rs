use std::borrow::Cow;

use serde::Deserialize;
use serde_json::error::Category;
use serde_json::value::RawValue;
use stoop_domain::{Reason, Reject};

use crate::fields::{FieldRefusal, Fields, scalar, shown};
use crate::port::{ReadError, Row, SeenListing};
use crate::raws::Raws;

/// The text of an answer. Invalid UTF-8 invalidates only the rows that contain it, not the page.
pub(crate) struct Body<'a> {
    text: Cow<'a, str>,
    damaged: bool,
    expected: &'static str,
}

impl<'a> Body<'a> {
    pub(crate) fn of(bytes: &'a [u8], expected: &'static str) -> Result<Self, ReadError> {
        let bytes = bytes.strip_prefix(b"\xef\xbb\xbf").unwrap_or(bytes).trim_ascii();
        if bytes.is_empty() {
            return Err(ReadError::Unreadable("it is empty".into()));
        }
        let text = String::from_utf8_lossy(bytes);
        Ok(Self { damaged: matches!(text, Cow::Owned(_)), text, expected })
    }

    pub(crate) fn text(&self) -> &str {
        &self.text
    }

    /// Parses the whole answer as JSON. If it is an HTML page, the error contains its title.
    pub(crate) fn json<'b, T: Deserialize<'b>>(&'b self) -> Result<T, ReadError> {
        if self.text.starts_with('<') {
            return Err(self.not_ours(html_in_words(&self.text)));
        }
        self.json_part(&self.text)
    }

    /// Parses a part of the answer as JSON.
    pub(crate) fn json_part<'b, T: Deserialize<'b>>(&self, part: &'b str) -> Result<T, ReadError> {
        serde_json::from_str(part).map_err(|error| self.broken(&error))
    }

    fn broken(&self, error: &serde_json::Error) -> ReadError {
        match error.classify() {
            Category::Eof => ReadError::Unreadable(format!("broken off: {error}")),
            Category::Syntax | Category::Io => {
                ReadError::Unreadable(format!("not JSON: {}", shown(&error.to_string())))
            }
            Category::Data => self.not_ours(format!("other JSON: {}", shown(&error.to_string()))),
        }
    }

    /// Parses an array of rows in the answer, up to the limit on rows.
    pub(crate) fn rows<'b>(&self, part: &'b str) -> Result<Raws<'b>, ReadError> {
        Raws::parse(part, self.text.len()).map_err(|error| self.broken(&error))
    }

    pub(crate) fn not_ours(&self, got: String) -> ReadError {
        ReadError::NotOurs { expected: self.expected, got }
    }

    /// The error for an answer that lacks `part`: contains the answer's own error message if it has one.
    pub(crate) fn without(&self, part: &str, answer: &Fields<'_>) -> ReadError {
        self.not_ours(match error_message(answer) {
            Some(message) => format!("the message {:?}", shown(&message)),
            None => format!("JSON without {part:?}"),
        })
    }

    /// Parses the fields of one row on its own, so that a malformed row is rejected alone.
    pub(crate) fn fields<'r>(&self, raw: &'r RawValue) -> Result<Fields<'r>, FieldRefusal> {
        self.undamaged(raw).and_then(Fields::parse)
    }

    /// Reads one row with `read`. If it is refused, `native_id` may still identify it.
    pub(crate) fn row(
        &self,
        raw: &RawValue,
        native_id: impl FnOnce(&Fields<'_>) -> Result<String, FieldRefusal>,
        read: impl FnOnce(&Fields<'_>) -> Result<SeenListing, FieldRefusal>,
    ) -> Row {
        match self.fields(raw) {
            Ok(fields) => match read(&fields) {
                Ok(found) => Row::Found(Box::new(found)),
                Err(refusal) => refused(refusal, native_id(&fields).ok(), raw),
            },
            Err(refusal) => refused(refusal, None, raw),
        }
    }

    /// Returns the row's text, or an error if it contains invalid UTF-8.
    fn undamaged<'r>(&self, raw: &'r RawValue) -> Result<&'r str, FieldRefusal> {
        let json = raw.get();
        match json.find('\u{fffd}').filter(|_| self.damaged) {
            Some(at) => Err(FieldRefusal {
                reason: Reason::NotUtf8,
                detail: format!("at byte {at} of the row, after {:?}", tail(&json[..at])),
            }),
            None => Ok(json),
        }
    }
}

/// A refused row, with an excerpt for the quarantine.
pub(crate) fn refused(refusal: FieldRefusal, native_id: Option<String>, raw: &RawValue) -> Row {
    let json = raw.get();
    let mut end = json.len().min(Reject::RAW_MAX);
    while !json.is_char_boundary(end) {
        end -= 1;
    }
    Row::Refused { native_id, reason: refusal.reason, detail: refusal.detail, raw: json[..end].to_owned() }
}

/// Describes HTML as `an HTML page titled "..."`.
pub(crate) fn html_in_words(html: &str) -> String {
    let title = html.find("<title").and_then(|at| {
        let rest = &html[at..];
        let rest = &rest[rest.find('>')? + 1..];
        let title = rest[..rest.find("</title")?].split_whitespace().collect::<Vec<_>>().join(" ");
        (!title.is_empty()).then_some(title)
    });
    match title {
        Some(title) => format!("an HTML page titled {:?}", shown(&title)),
        None => "an HTML page without a title".to_owned(),
    }
}

/// Finds the message in `{"message": "..."}`, `{"error": "..."}` or OData's `{"error": {"message": "..."}}`.
fn error_message(answer: &Fields<'_>) -> Option<String> {
    let plain = |fields: &Fields<'_>, name: &str| {
        let text = scalar(fields.get(name)?)?;
        Some(text.split_whitespace().collect::<Vec<_>>().join(" "))
    };
    let nested = || plain(&answer.object("error").ok()??, "message");
    nested().or_else(|| plain(answer, "message")).or_else(|| plain(answer, "error"))
}

fn tail(text: &str) -> &str {
    let start = text.char_indices().rev().nth(19).map_or(0, |(at, _)| at);
    &text[start..]
}

#[cfg(test)]
mod tests {
    use super::*;

    fn answer(bytes: &[u8]) -> ReadError {
        match Body::of(bytes, "JSON rows").and_then(|body| body.json::<Vec<u8>>()) {
            Ok(rows) => panic!("read {rows:?}"),
            Err(error) => error,
        }
    }

    #[test]
    fn an_html_page_instead_of_json_is_named_by_its_title() {
        let error = answer(b"<!doctype html><html><head><title>\n Just a  moment...</title>");
        assert_eq!(error.to_string(), r#"expected JSON rows, got an HTML page titled "Just a moment...""#);
        assert_eq!(answer(b"<p>").to_string(), "expected JSON rows, got an HTML page without a title");
    }

    #[test]
    fn truncated_answers_are_unreadable_and_well_formed_ones_unexpected() {
        assert!(answer(b"[1, 2").to_string().starts_with("unreadable answer: broken off"));
        assert!(answer(b"[1, x]").to_string().starts_with("unreadable answer: not JSON"));
        assert!(answer(b"{}").to_string().starts_with("expected JSON rows, got other JSON"));
        assert_eq!(answer(b" \n").to_string(), "unreadable answer: it is empty");
    }

    #[test]
    fn bytes_that_are_not_utf8_cost_only_their_row() {
        let body = Body::of(b"[{\"a\": \"caf\xe9\"}, {\"a\": \"tea\"}]", "JSON rows").unwrap();
        let rows: Vec<&RawValue> = body.json().unwrap();
        assert_eq!(body.undamaged(rows[0]).unwrap_err().reason, Reason::NotUtf8);
        assert!(body.undamaged(rows[1]).is_ok());
    }

    #[test]
    fn an_excerpt_is_cut_between_characters() {
        let json = format!("[\"x{}\"]", "é".repeat(2_000));
        let rows: Vec<&RawValue> = serde_json::from_str(&json).unwrap();
        let Row::Refused { raw, .. } = refused(FieldRefusal::missing("id"), None, rows[0]) else { panic!() };
        assert_eq!(raw.len(), 2_048);
    }
}
