use stoop_domain::{Reason, Reject};

use crate::input::Input;
use crate::row::{Content, Location, RawRow, RowFault};

/// The rows of a JSON document, found by a scanner that knows only strings and brackets.
pub(crate) struct JsonRows {
    input: Input,
    row_bytes_max: usize,
    /// The keys from the top level to the array of rows.
    path: Vec<String>,
    state: JsonState,
    element: u64,
    given: usize,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum JsonState {
    /// Before a value at the top level.
    Top,
    /// Inside the array of rows, before the first element.
    First,
    /// Inside the array, after an element.
    Behind,
    /// At the end.
    Over,
}

/// How a scanned value ended.
enum End {
    At(usize),
    TooLong,
    CutOff,
}

impl JsonRows {
    pub(crate) fn new(mut input: Input, row_bytes_max: usize, path: Vec<String>) -> Self {
        input.skip_byte_order_mark();
        Self { input, row_bytes_max, path, state: JsonState::Top, element: 0, given: 0 }
    }

    pub(crate) fn next_row(&mut self) -> Option<Result<RawRow<'_>, RowFault>> {
        self.input.consume(std::mem::take(&mut self.given));
        match self.find_row() {
            Ok(None) => None,
            Ok(Some(length)) => {
                self.given = length;
                let content = Content::Json(&self.input.window()[..length]);
                Some(Ok(RawRow { location: Location::Element(self.element), content }))
            }
            Err(fault) => Some(Err(fault)),
        }
    }

    /// Moves the next row to the front of the window and returns its length.
    fn find_row(&mut self) -> Result<Option<usize>, RowFault> {
        loop {
            let byte = self.skip_space();
            match (self.state, byte) {
                (JsonState::Over, _) => return Ok(None),
                (JsonState::Top, None) if !self.input.has_error() => return Ok(None),
                (_, None) => {
                    self.state = JsonState::Over;
                    let cut = (Reason::Truncated, "the file ends inside the array of rows".to_owned());
                    let (reason, detail) = self.input.take_error().unwrap_or(cut);
                    return Err(RowFault::new(Location::Element(self.element + 1), reason, detail, b""));
                }
                (JsonState::Top, Some(b'[')) if self.path.is_empty() => {
                    self.input.consume(1);
                    self.state = JsonState::First;
                }
                (JsonState::Top, Some(b'{')) if !self.path.is_empty() => {
                    self.descend()?;
                    self.state = JsonState::First;
                }
                (JsonState::First | JsonState::Behind, Some(b']')) => {
                    self.input.consume(1);
                    // After the rows of an object, only the rest of that object can follow.
                    self.state = if self.path.is_empty() { JsonState::Top } else { JsonState::Over };
                }
                (JsonState::Behind, Some(b',')) => {
                    self.input.consume(1);
                    // Accepts a trailing comma ("[1,]"), but not two commas.
                    self.state = JsonState::First;
                }
                (JsonState::Top, Some(b'{')) => return self.row(JsonState::Top),
                (JsonState::First, Some(byte)) if !matches!(byte, b',' | b'}' | b':') => {
                    return self.row(JsonState::Behind);
                }
                (_, Some(byte)) => return Err(self.lost(byte)),
            }
        }
    }

    fn row(&mut self, then: JsonState) -> Result<Option<usize>, RowFault> {
        self.element += 1;
        self.state = then;
        let location = Location::Element(self.element);
        match self.value_end(0, self.row_bytes_max) {
            End::At(end) => Ok(Some(end)),
            End::TooLong => {
                let raw = self.beginning();
                let length = self.skip_value();
                let detail = format!("a row of {length} bytes; at most {} are read", self.row_bytes_max);
                Err(RowFault::new(location, Reason::TooLong, detail, &raw))
            }
            End::CutOff => {
                self.state = JsonState::Over;
                let cut = (Reason::Truncated, "the file ends inside this row".to_owned());
                let (reason, detail) = self.input.take_error().unwrap_or(cut);
                Err(RowFault::new(location, reason, detail, &self.beginning()))
            }
        }
    }

    /// The error for an unexpected byte between rows. From here on commas and brackets have no meaning.
    fn lost(&mut self, byte: u8) -> RowFault {
        let expected = match self.state {
            JsonState::Top if self.path.is_empty() => "an array or an object",
            JsonState::Top => "an object",
            JsonState::First => "a row or ]",
            JsonState::Behind | JsonState::Over => ", or ]",
        };
        self.state = JsonState::Over;
        let detail = format!("expected {expected}, found {:?}; the rest is not read", char::from(byte));
        RowFault::new(Location::Element(self.element + 1), Reason::Unreadable, detail, &self.beginning())
    }

    /// Moves from the top of an object to the inside of the array at the path.
    fn descend(&mut self) -> Result<(), RowFault> {
        for depth in 0..self.path.len() {
            if self.skip_space() != Some(b'{') || !self.enter(&self.path[depth].clone()) {
                return Err(self.astray(depth));
            }
        }
        if self.skip_space() != Some(b'[') {
            return Err(self.astray(self.path.len()));
        }
        self.input.consume(1);
        Ok(())
    }

    /// Moves after the colon of `wanted` in the object that begins here. `false` if it has no such key.
    fn enter(&mut self, wanted: &str) -> bool {
        self.input.consume(1);
        loop {
            match self.skip_space() {
                Some(b',') => self.input.consume(1),
                Some(b'"') => {
                    let End::At(end) = self.value_end(0, self.row_bytes_max) else { return false };
                    let key = serde_json::from_slice::<String>(&self.input.window()[..end]).unwrap_or_default();
                    self.input.consume(end);
                    if self.skip_space() != Some(b':') {
                        return false;
                    }
                    self.input.consume(1);
                    if key == wanted {
                        return true;
                    }
                    if self.skip_space().is_none() {
                        return false;
                    }
                    self.skip_value();
                }
                _ => return false,
            }
        }
    }

    fn astray(&mut self, depth: usize) -> RowFault {
        self.state = JsonState::Over;
        let path: String = self.path[..depth.min(self.path.len())].iter().map(|key| format!("/{key}")).collect();
        let wanted: String = self.path.iter().map(|key| format!("/{key}")).collect();
        let found = match self.input.window().first() {
            Some(byte) => format!("{:?}", char::from(*byte)),
            None => "the end".to_owned(),
        };
        let detail = match self.path.get(depth) {
            Some(key) => format!("rows = {wanted:?}: there is no key {key:?} in {path:?}, found {found}"),
            None => format!("rows = {wanted:?} is not an array: it begins with {found}"),
        };
        let (reason, detail) = self.input.take_error().unwrap_or((Reason::Unreadable, detail));
        RowFault::new(Location::Element(1), reason, detail, &self.beginning())
    }

    fn beginning(&self) -> Vec<u8> {
        let window = self.input.window();
        window[..window.len().min(Reject::RAW_MAX)].to_vec()
    }

    fn skip_space(&mut self) -> Option<u8> {
        loop {
            let byte = self.input.peek()?;
            if !byte.is_ascii_whitespace() {
                return Some(byte);
            }
            let space = self.input.window().iter().take_while(|byte| byte.is_ascii_whitespace()).count();
            self.input.consume(space);
        }
    }

    /// Finds the end of the value at the front of the window and keeps the value there.
    fn value_end(&mut self, from: usize, max: usize) -> End {
        let mut scan = JsonScan::default();
        let mut at = from;
        loop {
            let window = self.input.window();
            if let Some(length) = scan.run(&window[at..]) {
                return if at + length > max { End::TooLong } else { End::At(at + length) };
            }
            at = window.len();
            if at > max {
                return End::TooLong;
            }
            if !self.input.more() {
                return if scan.may_end_here() && !self.input.has_error() { End::At(at) } else { End::CutOff };
            }
        }
    }

    /// Skips the value at the front of the window without keeping it. Returns its length.
    fn skip_value(&mut self) -> u64 {
        let mut scan = JsonScan::default();
        let mut length = 0_u64;
        loop {
            let window = self.input.window();
            if let Some(end) = scan.run(window) {
                self.input.consume(end);
                return length + end as u64;
            }
            let all = window.len();
            length += all as u64;
            self.input.consume(all);
            if !self.input.more() {
                return length;
            }
        }
    }
}

/// The state of the scanner within a value.
#[derive(Default)]
struct JsonScan {
    depth: u32,
    in_text: bool,
    escaped: bool,
    /// A bare word or number, which ends at the next delimiter.
    bare: bool,
}

impl JsonScan {
    /// Scans `bytes`. Returns the length up to the end of the value if it ends there.
    fn run(&mut self, bytes: &[u8]) -> Option<usize> {
        let mut at = 0;
        while at < bytes.len() {
            if self.in_text {
                if self.escaped {
                    self.escaped = false;
                    at += 1;
                    continue;
                }
                at += memchr::memchr2(b'"', b'\\', &bytes[at..])?;
                self.escaped = bytes[at] == b'\\';
                self.in_text = self.escaped;
                at += 1;
                if !self.in_text && self.depth == 0 {
                    return Some(at);
                }
                continue;
            }
            match bytes[at] {
                b'"' if self.bare => return Some(at),
                b'"' => self.in_text = true,
                b'{' | b'[' if self.bare => return Some(at),
                b'{' | b'[' => self.depth += 1,
                b'}' | b']' if self.depth == 0 => return Some(at),
                b'}' | b']' => {
                    self.depth -= 1;
                    if self.depth == 0 {
                        return Some(at + 1);
                    }
                }
                b',' if self.depth == 0 => return Some(at),
                byte if self.depth == 0 && byte.is_ascii_whitespace() => return Some(at),
                _ => self.bare = self.depth == 0,
            }
            at += 1;
        }
        None
    }

    /// Whether the value may end at the end of the file: only a bare word or number needs no delimiter.
    fn may_end_here(&self) -> bool {
        self.bare && !self.in_text
    }
}
