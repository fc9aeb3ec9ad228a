use std::borrow::Cow;

use super::Look;
use super::words::{SafeText, Style, cut, cut_before, width, wrap};

/// A table with a line under the headings and two blanks between columns. It is never wider than the screen: less
/// important columns are left out, then words are shortened.
pub(crate) struct Table {
    columns: Vec<Column>,
    rows: Vec<Vec<SafeText>>,
}

/// A column: its heading and how it gets its width.
pub(crate) struct Column {
    heading: Cow<'static, str>,
    right: bool,
    fit: Fit,
    /// Left out if the screen is too narrow, the highest first; 0: only as a last resort.
    optional: u8,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Fit {
    /// As wide as its widest cell.
    Full,
    /// The remaining width; the beginning of longer text.
    Cut,
    /// The remaining width; the end of longer text.
    CutBefore,
    /// The remaining width, on as many lines as needed.
    Wrapped,
}

/// The least width of a column that shrinks.
const GIVING_WAY_MIN: usize = 12;
/// The least width of words that should stay whole.
const SHORTENED_MIN: usize = 6;
const GAP: usize = 2;

impl Column {
    /// A column of text.
    pub(crate) fn left(heading: impl Into<Cow<'static, str>>) -> Self {
        Self { heading: heading.into(), right: false, fit: Fit::Full, optional: 0 }
    }

    /// A column of numbers.
    pub(crate) fn right(heading: impl Into<Cow<'static, str>>) -> Self {
        Self { right: true, ..Self::left(heading) }
    }

    /// A column of text that may be cut at the end of the line.
    pub(crate) fn cut(heading: impl Into<Cow<'static, str>>) -> Self {
        Self { fit: Fit::Cut, ..Self::left(heading) }
    }

    /// A column of text that keeps its end, like a path.
    pub(crate) fn cut_before(heading: impl Into<Cow<'static, str>>) -> Self {
        Self { fit: Fit::CutBefore, ..Self::left(heading) }
    }

    /// A column of text that wraps.
    pub(crate) fn wrapped(heading: impl Into<Cow<'static, str>>) -> Self {
        Self { fit: Fit::Wrapped, ..Self::left(heading) }
    }

    /// The same column, left out if the screen is too narrow: the highest rank first.
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
        let headings = self.columns.iter().map(|column| SafeText::from(&*column.heading).bold()).collect::<Vec<_>>();
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

    /// The width of a column with enough room.
    fn natural(&self, at: usize) -> usize {
        let cells = self.rows.iter().filter_map(|row| row.get(at)).flat_map(|cell| cell.text().split('\n'));
        cells.chain([&*self.columns[at].heading]).map(width).max().unwrap_or(0)
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
            // Blanks are written only before other text, never at the end of a line.
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
    /// The lines of a cell of this width.
    fn lines(&self, text: &str, wide: usize) -> Vec<String> {
        match self.fit {
            Fit::Wrapped => wrap(text, wide).into_iter().map(str::to_owned).collect(),
            Fit::CutBefore => vec![cut_before(&text.replace('\n', " "), wide)],
            Fit::Full | Fit::Cut => vec![cut(&text.replace('\n', " "), wide)],
        }
    }

    /// The least width of a column of this natural width; with each step it shrinks more. A number is never shortened.
    fn least(&self, natural: usize, step: usize) -> usize {
        let heading = width(&self.heading);
        match (self.fit, step) {
            (Fit::Full, 0 | 1) => natural,
            (Fit::Full, _) if self.right => natural,
            (_, 0) => natural.min(GIVING_WAY_MIN.max(heading)),
            (_, _) => natural.min(SHORTENED_MIN.max(heading)),
        }
    }
}

/// Steps of shrinking before columns are left out.
const STEPS: usize = 3;

/// The width of each column on the screen; `None` if it is left out.
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
    // As a last resort, the columns at the end are left out.
    while sum(&shown, STEPS - 1) > screen {
        let Some(at) = (1..columns.len()).rfind(|at| shown[*at]) else { break };
        shown[at] = false;
    }
    let step = (0..STEPS).find(|step| sum(&shown, *step) <= screen).unwrap_or(STEPS - 1);
    let least = |at: usize| columns[at].least(natural[at], step);
    // The remaining width goes to the columns that shrank, the one that lacks least first, so that none gets more than
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
    fn optional_columns_go_first_then_words_shrink_numbers_never() {
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
