use console::Term;

/// The capabilities of an output.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Look {
    /// Whether colours are wanted.
    pub(crate) colours: bool,
    /// The number of characters per line.
    pub(crate) width: u16,
}

const WIDTH_MIN: u16 = 40;
const WIDTH_MAX: u16 = 160;
/// The width of tables if the output is not a terminal.
const WIDTH_FILE: u16 = 110;

impl Look {
    /// For tables on standard output: as wide as `COLUMNS` says, otherwise the terminal.
    pub(crate) fn of_stdout() -> Self {
        let term = Term::stdout();
        let width = columns(&term).unwrap_or(WIDTH_FILE).clamp(WIDTH_MIN, WIDTH_MAX);
        Self { colours: stoop_show::colours(term.is_term()), width }
    }

    /// For lines: unlimited if the output is not a terminal.
    pub(crate) fn of_lines(term: &Term) -> Self {
        let width = if term.is_term() { columns(term).unwrap_or(u16::MAX).max(WIDTH_MIN) } else { u16::MAX };
        Self { colours: stoop_show::colours(term.is_term()), width }
    }
}

fn columns(term: &Term) -> Option<u16> {
    let reported =
        std::env::var("COLUMNS").ok().and_then(|text| text.trim().parse().ok()).filter(|columns| *columns > 0);
    reported.or_else(|| term.size_checked().map(|(_, columns)| columns))
}
