use stoop_domain::Reason;

use crate::input::Input;
use crate::row::{Content, Location, RawRow, ReadOptions, RowFault};

/// The rows of a JSON Lines file.
pub(crate) struct LineRows {
    input: Input,
    row_bytes_max: usize,
    line: u64,
    /// The length of the line returned last, which is still in the window.
    given: usize,
    /// Prefixes of lines that are comments.
    comments: Vec<String>,
}

impl LineRows {
    pub(crate) fn new(mut input: Input, options: &ReadOptions) -> Self {
        input.skip_byte_order_mark();
        let ReadOptions { row_bytes_max, skip_lines, comments, .. } = options;
        let comments = comments.clone();
        Self { input, row_bytes_max: *row_bytes_max, line: u64::from(*skip_lines), given: 0, comments }
    }

    pub(crate) fn next_row(&mut self) -> Option<Result<RawRow<'_>, RowFault>> {
        loop {
            self.input.consume(std::mem::take(&mut self.given));
            let length = match self.find_line_end() {
                LineEnd::Ended(length) => {
                    self.given = length + 1;
                    length
                }
                LineEnd::Last(0) if !self.input.has_error() => return None,
                LineEnd::Last(length) => {
                    self.given = length;
                    if let Some((reason, detail)) = self.input.take_error() {
                        let location = Location::Line(self.line + 1);
                        return Some(Err(RowFault::new(location, reason, detail, self.input.window())));
                    }
                    length
                }
                LineEnd::TooLong(beginning) => return Some(Err(self.skip_line(&beginning))),
            };
            self.line += 1;
            let line = self.input.window()[..length].trim_ascii_start();
            if !line.is_empty() {
                let is_comment = self.comments.iter().any(|begins| line.starts_with(begins.as_bytes()));
                let line = &self.input.window()[..length];
                let content = if is_comment { Content::Comment(line) } else { Content::Json(line) };
                return Some(Ok(RawRow { location: Location::Line(self.line), content }));
            }
        }
    }

    fn find_line_end(&mut self) -> LineEnd {
        let mut searched = 0;
        loop {
            let window = self.input.window();
            if let Some(at) = memchr::memchr(b'\n', &window[searched..]) {
                let length = searched + at;
                return if length > self.row_bytes_max {
                    LineEnd::TooLong(beginning(window))
                } else {
                    LineEnd::Ended(length)
                };
            }
            searched = window.len();
            if searched > self.row_bytes_max {
                return LineEnd::TooLong(beginning(window));
            }
            if !self.input.more() {
                return LineEnd::Last(searched);
            }
        }
    }

    /// Skips the rest of a line without keeping it.
    fn skip_line(&mut self, beginning: &[u8]) -> RowFault {
        self.line += 1;
        let mut length = 0_u64;
        loop {
            let window = self.input.window();
            if let Some(at) = memchr::memchr(b'\n', window) {
                length += at as u64;
                self.input.consume(at + 1);
                break;
            }
            let all = window.len();
            length += all as u64;
            self.input.consume(all);
            if !self.input.more() {
                break;
            }
        }
        let detail = format!("a line of {length} bytes; at most {} are read", self.row_bytes_max);
        RowFault::new(Location::Line(self.line), Reason::TooLong, detail, beginning)
    }
}

enum LineEnd {
    /// The length of the line before a line break.
    Ended(usize),
    /// The length of the line before the end of the file.
    Last(usize),
    /// The beginning of a line that is too long.
    TooLong(Vec<u8>),
}

fn beginning(window: &[u8]) -> Vec<u8> {
    window[..window.len().min(stoop_domain::Reject::RAW_MAX)].to_vec()
}
