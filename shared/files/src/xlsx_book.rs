//! The parts of an Excel workbook beside its rows: which sheet is first, shared texts, and which numbers are dates.

use std::io::Read;
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::AtomicU64;

use crate::bytes::{ByteRange, RangeReader};
use crate::format::Allowance;
use crate::xml_text::{XmlEvent, XmlEvents};
use crate::zip::Archive;

/// The most bytes of shared texts, which are kept in memory, and of one of them.
const TEXTS_BYTES_MAX: usize = 256 << 20;
const TEXT_BYTES_MAX: usize = 1 << 20;
/// The most styles.
const STYLES_MAX: usize = 100_000;

/// What the cells of a workbook refer to.
#[derive(Debug, Default)]
pub(crate) struct Book {
    texts: Vec<Box<str>>,
    /// For each style, whether it shows a number as a date.
    dates: Vec<bool>,
    /// Whether days count from 1904.
    from_1904: bool,
}

/// A part of a workbook as a stream.
type PartStream = Box<dyn Read + Send>;

impl Book {
    /// Opens a workbook. Returns its first visible sheet as well.
    pub(crate) fn open(
        whole: &ByteRange,
        bytes_read: &Arc<AtomicU64>,
        allowance: &Arc<Allowance>,
    ) -> Result<(Self, PartStream), String> {
        let archive = Archive::open(Path::new("workbook"), whole).map_err(|error| error.to_string())?;
        let part = |name: &str| -> Result<Option<PartStream>, String> {
            let Some(entry) = archive.entries.iter().find(|entry| entry.name.eq_ignore_ascii_case(name)) else {
                return Ok(None);
            };
            let packed = archive.locate(entry, Path::new(name)).map_err(|error| error.to_string())?;
            let reader = RangeReader::new(packed.range, Arc::clone(bytes_read));
            archive.stream(entry, reader, allowance).map(Some).map_err(|error| error.to_string())
        };
        let needed = |name: &str| part(name)?.ok_or_else(|| format!("it is no Excel workbook: {name} is missing"));
        let mut book = Self::default();
        let sheet = book.first_sheet(needed("xl/workbook.xml")?)?;
        let targets = attributes_of(needed("xl/_rels/workbook.xml.rels")?, "Relationship", &["Id", "Target"])?;
        let target = targets.iter().find(|found| found[0] == sheet).map(|found| found[1].clone());
        let target = target.ok_or("it is no Excel workbook: its first sheet has no file")?;
        if let Some(styles) = part("xl/styles.xml")? {
            book.read_styles(styles)?;
        }
        if let Some(texts) = part("xl/sharedStrings.xml")? {
            book.read_texts(texts)?;
        }
        let target = target.strip_prefix('/').map_or_else(|| format!("xl/{target}"), str::to_owned);
        Ok((book, needed(&target)?))
    }

    /// The ID of the first visible sheet.
    fn first_sheet(&mut self, workbook: PartStream) -> Result<String, String> {
        let mut events = XmlEvents::new(workbook, TEXT_BYTES_MAX);
        let mut first = None;
        while let Some(event) = events.next()? {
            let XmlEvent::Begin { name, attributes, .. } = event else { continue };
            let get = |key: &str| attributes.iter().find(|(name, _)| name == key).map(|(_, value)| value.as_str());
            match name.as_str() {
                "workbookPr" => self.from_1904 = matches!(get("date1904"), Some("1" | "true")),
                "sheet" if first.is_none() && get("state").is_none_or(|state| state == "visible") => {
                    first = get("id").map(str::to_owned);
                }
                _ => {}
            }
        }
        first.ok_or_else(|| "the workbook has no visible sheet".to_owned())
    }

    fn read_styles(&mut self, styles: PartStream) -> Result<(), String> {
        let mut events = XmlEvents::new(styles, TEXT_BYTES_MAX);
        let mut own: Vec<(u32, bool)> = Vec::new();
        let (mut in_cells, mut depth) = (false, 0_usize);
        while let Some(event) = events.next()? {
            match event {
                XmlEvent::Begin { name, attributes, ended } => {
                    let get =
                        |key: &str| attributes.iter().find(|(name, _)| name == key).map(|(_, value)| value.as_str());
                    let format = get("numFmtId").and_then(|id| id.parse::<u32>().ok()).unwrap_or(0);
                    match name.as_str() {
                        "numFmt" if own.len() < STYLES_MAX => {
                            own.push((format, shows_date(get("formatCode").unwrap_or_default())))
                        }
                        "cellXfs" => (in_cells, depth) = (!ended, 0),
                        "xf" if in_cells && depth == 0 && self.dates.len() < STYLES_MAX => {
                            let known = own.iter().find(|(id, _)| *id == format).map(|(_, is_date)| *is_date);
                            // The built-in formats of dates and times.
                            self.dates.push(known.unwrap_or(matches!(format, 14..=22 | 27..=36 | 45..=47 | 50..=58)));
                        }
                        _ => {}
                    }
                    depth += usize::from(in_cells && !ended && name != "cellXfs");
                }
                XmlEvent::End if in_cells && depth == 0 => in_cells = false,
                XmlEvent::End => depth = depth.saturating_sub(1),
                XmlEvent::Text(_) => {}
            }
        }
        Ok(())
    }

    fn read_texts(&mut self, texts: PartStream) -> Result<(), String> {
        let mut events = XmlEvents::new(texts, TEXT_BYTES_MAX);
        let mut open: Vec<String> = Vec::new();
        let (mut text, mut bytes) = (String::new(), 0);
        while let Some(event) = events.next()? {
            match event {
                XmlEvent::Begin { name, ended: false, .. } => {
                    open.push(name);
                    if open.len() > crate::xml_text::DEPTH_MAX {
                        return Err("shared texts are nested too deep".to_owned());
                    }
                }
                XmlEvent::Begin { name, .. } if name == "si" => self.texts.push("".into()),
                XmlEvent::Begin { .. } => {}
                // What is in `rPh` says how a text is pronounced.
                XmlEvent::Text(more)
                    if open.last().is_some_and(|name| name == "t") && !open.iter().any(|name| name == "rPh") =>
                {
                    bytes += more.len();
                    text.push_str(&more);
                }
                XmlEvent::Text(_) => {}
                XmlEvent::End => {
                    if open.pop().is_some_and(|name| name == "si") {
                        bytes += 16;
                        self.texts.push(std::mem::take(&mut text).into());
                    }
                }
            }
            if bytes > TEXTS_BYTES_MAX || text.len() > TEXT_BYTES_MAX {
                return Err(format!(
                    "shared texts of more than {TEXTS_BYTES_MAX} bytes, or one of more than {TEXT_BYTES_MAX}"
                ));
            }
        }
        Ok(())
    }

    /// The text of a cell of this type and style.
    pub(crate) fn value(&self, kind: &str, style: &str, text: &str) -> String {
        let text = text.trim();
        match kind {
            "s" => text
                .parse::<usize>()
                .ok()
                .and_then(|at| self.texts.get(at))
                .map(|text| text.trim().to_owned())
                .unwrap_or_default(),
            "b" => if text == "1" { "true" } else { "false" }.to_owned(),
            // An error, such as #N/A.
            "e" => String::new(),
            "" | "n" => {
                let is_date =
                    style.parse::<usize>().ok().and_then(|at| self.dates.get(at)).is_some_and(|is_date| *is_date);
                match text.parse::<f64>() {
                    Ok(days) if is_date => date_text(days, self.from_1904).unwrap_or_else(|| text.to_owned()),
                    // `30.300000000000001`, as Excel writes 30.3.
                    Ok(number) if text.contains(['.', 'E', 'e']) => rounded(number),
                    _ => text.to_owned(),
                }
            }
            _ => text.to_owned(),
        }
    }
}

/// A number with fifteen significant digits, as Excel shows it.
fn rounded(number: f64) -> String {
    format!("{number:.14e}").parse::<f64>().unwrap_or(number).to_string()
}

/// The days of Excel as a date: `2026-05-03`, or with a time `2026-05-03T10:30:00`.
pub(crate) fn date_text(days: f64, from_1904: bool) -> Option<String> {
    // Days before March 1900 are off by one in Excel, and no home was listed then.
    if !(61.0..2_958_466.0).contains(&days) {
        return None;
    }
    #[expect(clippy::cast_possible_truncation, reason = "at most 2.6e11 seconds")]
    let seconds = (days * 86_400.0).round() as i64;
    let since_1970 = seconds - if from_1904 { 24_107 } else { 25_569 } * 86_400;
    let text = stoop_domain::Time::from_ms(since_1970.checked_mul(1_000)?).to_string();
    let text = text.trim_end_matches('Z');
    Some(text.strip_suffix("T00:00:00").unwrap_or(text).to_owned())
}

/// Whether a format of numbers shows a date: it has days, months or years outside of quotes and brackets.
fn shows_date(format: &str) -> bool {
    let (mut quoted, mut bracketed, mut escaped) = (false, false, false);
    format.chars().any(|letter| {
        let is_plain = !quoted && !bracketed && !escaped;
        escaped = letter == '\\' && is_plain;
        match letter {
            '"' => quoted = !quoted,
            '[' if is_plain => bracketed = true,
            ']' => bracketed = false,
            _ => {}
        }
        is_plain && matches!(letter, 'd' | 'D' | 'y' | 'Y' | 'm' | 'M' | 'h' | 'H')
    })
}

/// The attributes `keys` of all elements called `element`.
fn attributes_of(part: PartStream, element: &str, keys: &[&str]) -> Result<Vec<Vec<String>>, String> {
    let mut events = XmlEvents::new(part, TEXT_BYTES_MAX);
    let mut found = Vec::new();
    while let Some(event) = events.next()? {
        let XmlEvent::Begin { name, attributes, .. } = event else { continue };
        if name == element && found.len() < STYLES_MAX {
            let get = |key: &&str| attributes.iter().find(|(name, _)| name == key).map(|(_, value)| value.clone());
            found.push(keys.iter().map(|key| get(key).unwrap_or_default()).collect());
        }
    }
    Ok(found)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn days_are_dates_and_formats_show_them() {
        let text = |days| date_text(days, false);
        assert_eq!(text(46_145.0).as_deref(), Some("2026-05-03"));
        assert_eq!(text(46_145.437_5).as_deref(), Some("2026-05-03T10:30:00"));
        assert_eq!(date_text(44_683.0, true).as_deref(), Some("2026-05-03"));
        assert_eq!((text(-1.0), text(1e300), text(f64::NAN)), (None, None, None));
        for (format, is_date) in [
            ("yyyy-mm-dd", true),
            ("[$-409]d mmm yy", true),
            ("#,##0 \"days\"", false),
            ("[Red]0.00", false),
            ("0\\d", false),
        ] {
            assert_eq!(shows_date(format), is_date, "{format}");
        }
        assert_eq!(
            (rounded(0.1 + 0.2), rounded(1.5e-3), rounded(3e5)),
            ("0.3".into(), "0.0015".into(), "300000".into())
        );
    }
}
