use super::Look;
use super::words::{SafeText, Style, cut, cut_before, width, wrap};

/// A table without walls: a line under the headings and two blanks between columns. It is never wider than the
/// screen: what matters less is left out, then words are shortened.
pub(crate) struct Table {
    columns: Vec<Column>,
    rows: Vec<Vec<SafeText>>,
}

/// A column's heading and how it takes its width.
pub(crate) struct Column {
    heading: &'static str,
    right: bool,
    fit: Fit,
    /// Left out where the screen is too narrow, the highest first; 0: not while there is another way.
    optional: u8,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Fit {
    /// As wide as its widest cell.
    Full,
    /// What is left over; of what is wider, the beginning.
    Cut,
    /// What is left over; of what is wider, the end.
    CutBefore,
    /// What is left over, on as many lines as it takes.
    Wrapped,
}

/// The least that is left of a column that gives way.
const GIVING_WAY_MIN: usize = 12;
/// The least that is left of words that had better be whole.
const SHORTENED_MIN: usize = 6;
const GAP: usize = 2;

impl Column {
    /// SafeText.
    pub(crate) fn left(heading: &'static str) -> Self {
        Self { heading, right: false, fit: Fit::Full, optional: 0 }
    }

    /// Numbers.
    pub(crate) fn right(heading: &'static str) -> Self {
        Self { right: true, ..Self::left(heading) }
    }

    /// SafeText that may be cut where the line ends.
    pub(crate) fn cut(heading: &'static str) -> Self {
        Self { fit: Fit::Cut, ..Self::left(heading) }
    }

    /// SafeText whose end tells more than their beginning, like a path.
    pub(crate) fn cut_before(heading: &'static str) -> Self {
        Self { fit: Fit::CutBefore, ..Self::left(heading) }
    }

    /// SafeText that go on below.
    pub(crate) fn wrapped(heading: &'static str) -> Self {
        Self { fit: Fit::Wrapped, ..Self::left(heading) }
    }

    /// The same column, left out where the screen is too narrow: of several, the highest rank first.
    pub(crate) fn optional(self, rank: u8) -> Self {
        Self { optional: rank, ..self }
    }
}

impl Table {
    pub(crate) fn new(columns: impl IntoIterator<Item = Column>) -> Self {
        Self { columns: columns.into_iter().collect(), rows: Vec::new() }
    }

    pub(crate) fn row(&mut self, cells: impl IntoIterator<Item = SafeText>) {
        self.rows.push(cells.into_iter().collect());
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.rows.is_empty()
    }

    /// The table as text, each line ended.
    pub(super) fn draw(self, look: Look) -> String {
        let natural: Vec<usize> = (0..self.columns.len()).map(|at| self.natural(at)).collect();
        let widths = widths(&self.columns, &natural, usize::from(look.width));
        let headings = self.columns.iter().map(|column| SafeText::from(column.heading).bold()).collect::<Vec<_>>();
        let mut text = self.draw_row(&headings, &widths, look);
        let shown = widths.iter().flatten();
        let whole = shown.clone().sum::<usize>() + GAP * shown.count().saturating_sub(1);
        text += &"─".repeat(whole);
        text.push('\n');
        for row in &self.rows {
            text += &self.draw_row(row, &widths, look);
        }
        text
    }

    /// How wide a column is where there is room for all of it.
    fn natural(&self, at: usize) -> usize {
        let cells = self.rows.iter().filter_map(|row| row.get(at)).flat_map(|cell| cell.text().split('\n'));
        cells.chain([self.columns[at].heading]).map(width).max().unwrap_or(0)
    }

    fn draw_row(&self, row: &[SafeText], widths: &[Option<usize>], look: Look) -> String {
        let shown = self.columns.iter().zip(row).zip(widths);
        let cells: Vec<(&Column, usize, Style, Vec<String>)> = shown
            .filter_map(|((column, cell), width)| Some((column, (*width)?, cell)))
            .map(|(column, width, cell)| (column, width, cell.style(), column.lines(cell.text(), width)))
            .collect();
        let height = cells.iter().map(|(.., lines)| lines.len()).max().unwrap_or(0);
        let mut text = String::new();
        for at in 0..height {
            // Blanks are written when something stands behind them.
            let mut blanks = 0;
            for (column, wide, style, lines) in &cells {
                let line = lines.get(at).map_or("", String::as_str);
                let free = wide.saturating_sub(width(line));
                if !line.is_empty() {
                    text += &" ".repeat(blanks + if column.right { free } else { 0 });
                    text += &style.set(line, look.colours);
                    blanks = 0;
                }
                blanks += GAP
                    + if line.is_empty() {
                        *wide
                    } else if column.right {
                        0
                    } else {
                        free
                    };
            }
            text.push('\n');
        }
        text
    }
}

impl Column {
    /// What stands in a cell that is so wide.
    fn lines(&self, text: &str, wide: usize) -> Vec<String> {
        match self.fit {
            Fit::Wrapped => wrap(text, wide).into_iter().map(str::to_owned).collect(),
            Fit::CutBefore => vec![cut_before(&text.replace('\n', " "), wide)],
            Fit::Full | Fit::Cut => vec![cut(&text.replace('\n', " "), wide)],
        }
    }

    /// The least that a column takes that is so wide where there is room; with each step it gives way more. A
    /// number is never shortened.
    fn least(&self, natural: usize, step: usize) -> usize {
        let heading = width(self.heading);
        match (self.fit, step) {
            (Fit::Full, 0 | 1) => natural,
            (Fit::Full, _) if self.right => natural,
            (_, 0) => natural.min(GIVING_WAY_MIN.max(heading)),
            (_, _) => natural.min(SHORTENED_MIN.max(heading)),
        }
    }
}

/// How often columns give way more, until all that is left is to leave some out.
const STEPS: usize = 3;

/// How wide each column is on a screen; `None` for one that is left out.
fn widths(columns: &[Column], natural: &[usize], screen: usize) -> Vec<Option<usize>> {
    let mut shown = vec![true; columns.len()];
    let sum = |shown: &[bool], step: usize| {
        let kept = (0..columns.len()).filter(|at| shown[*at]);
        kept.map(|at| columns[at].least(natural[at], step) + GAP).sum::<usize>().saturating_sub(GAP)
    };
    while sum(&shown, 0) > screen {
        let dispensable = (0..columns.len()).filter(|at| shown[*at] && columns[*at].optional > 0);
        let Some(at) = dispensable.max_by_key(|at| columns[*at].optional) else { break };
        shown[at] = false;
    }
    // Last of all the columns at the end.
    while sum(&shown, STEPS - 1) > screen {
        let Some(at) = (1..columns.len()).rfind(|at| shown[*at]) else { break };
        shown[at] = false;
    }
    let step = (0..STEPS).find(|step| sum(&shown, *step) <= screen).unwrap_or(STEPS - 1);
    let least = |at: usize| columns[at].least(natural[at], step);
    // What is left over goes to those that gave way, to the one that lacks least first, so that none has more than
    // it needs.
    let mut free = screen.saturating_sub(sum(&shown, step));
    let mut lacking: Vec<usize> = (0..columns.len()).filter(|at| shown[*at]).collect();
    lacking.sort_by_key(|at| natural[*at] - least(*at));
    let mut widths: Vec<Option<usize>> = vec![None; columns.len()];
    for (done, at) in lacking.iter().enumerate() {
        let more = (natural[*at] - least(*at)).min(free / (lacking.len() - done));
        widths[*at] = Some(least(*at) + more);
        free -= more;
    }
    widths
}

#[cfg(test)]
mod tests {
    use super::*;

    fn table(width: u16, colours: bool) -> String {
        let mut table = Table::new([Column::left("id"), Column::right("price"), Column::cut("title")]);
        table.row(["a/1".into(), SafeText::from("$1").green(), "A house by the sea with a long name".into()]);
        table.row(["a/20".into(), "$1,000".into(), "–".into()]);
        table.draw(Look { colours, width })
    }

    #[test]
    fn a_table_is_cut_to_the_width_of_the_screen() {
        insta::assert_snapshot!(table(34, false));
        insta::assert_snapshot!(table(80, false));
    }

    #[test]
    fn what_is_optional_gives_way_first_then_words_are_shortened_numbers_never() {
        let columns = [
            Column::left("a"),
            Column::right("b").optional(1),
            Column::right("c").optional(2),
            Column::right("n"),
            Column::cut("d"),
        ];
        let natural = [10, 10, 10, 5, 40];
        assert_eq!(widths(&columns, &natural, 90), [Some(10), Some(10), Some(10), Some(5), Some(40)]);
        assert_eq!(widths(&columns, &natural, 60), [Some(10), Some(10), Some(10), Some(5), Some(17)]);
        assert_eq!(widths(&columns, &natural, 50), [Some(10), Some(10), None, Some(5), Some(19)]);
        assert_eq!(widths(&columns, &natural, 33), [Some(10), None, None, Some(5), Some(14)]);
        assert_eq!(widths(&columns, &natural, 26), [Some(10), None, None, Some(5), Some(7)]);
        assert_eq!(widths(&columns, &natural, 24), [Some(7), None, None, Some(5), Some(8)]);
        assert_eq!(widths(&columns, &natural, 16), [Some(9), None, None, Some(5), None]);
    }

    #[test]
    fn no_line_is_wider_than_the_screen_however_narrow() {
        for screen in 8..60 {
            let drawn = table(screen, false);
            let widest = drawn.lines().map(width).max().unwrap();
            assert!(widest <= usize::from(screen).max(6), "{screen}:\n{drawn}");
        }
    }

    #[test]
    fn colours_are_shown_where_they_are_wanted() {
        assert!(!table(80, false).contains('\u{1b}'));
        assert!(table(80, true).contains("\u{1b}["));
    }
}
