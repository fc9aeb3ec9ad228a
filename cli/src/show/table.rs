use comfy_table::{Attribute, CellAlignment, Color, ColumnConstraint, ContentArrangement, LineStyle, Row, TableStyle};

use super::Look;

/// A table without walls: a line under the headings and two blanks between columns.
pub(crate) struct Table {
    columns: Vec<Column>,
    rows: Vec<Vec<Cell>>,
}

/// A column's heading and how it takes its width.
pub(crate) struct Column {
    heading: &'static str,
    alignment: CellAlignment,
    width: Width,
    /// Left out where the screen is too narrow, the highest first; 0: never.
    optional: u8,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Width {
    /// As wide as its widest cell.
    Full,
    /// What is left over, each cell cut to one line.
    Cut,
    /// What is left over, on as many lines as it takes.
    Wrapped,
}

/// What stands in one place of a table.
pub(crate) struct Cell {
    text: String,
    colour: Option<Color>,
    dim: bool,
}

/// The least that is left of a column that gives way.
const GIVING_WAY_MIN: usize = 12;
const GAP: u16 = 2;
const STYLE: TableStyle = TableStyle::new().header_separator(LineStyle::none().fill('─'));

impl Column {
    /// Words.
    pub(crate) fn left(heading: &'static str) -> Self {
        Self { heading, alignment: CellAlignment::Left, width: Width::Full, optional: 0 }
    }

    /// Numbers.
    pub(crate) fn right(heading: &'static str) -> Self {
        Self { alignment: CellAlignment::Right, ..Self::left(heading) }
    }

    /// Words that may be cut where the line ends.
    pub(crate) fn cut(heading: &'static str) -> Self {
        Self { width: Width::Cut, ..Self::left(heading) }
    }

    /// Words that go on below.
    pub(crate) fn wrapped(heading: &'static str) -> Self {
        Self { width: Width::Wrapped, ..Self::left(heading) }
    }

    /// The same column, left out where the screen is too narrow: of several, the highest rank first.
    pub(crate) fn optional(self, rank: u8) -> Self {
        Self { optional: rank, ..self }
    }
}

impl Cell {
    pub(crate) fn green(self) -> Self {
        Self { colour: Some(Color::Green), ..self }
    }

    /// A change of price: a cut is green, a rise is red.
    pub(crate) fn change(share: f64) -> Self {
        let cell = Self::from(super::change(share));
        match share {
            s if s < 0.0 => cell.green(),
            s if s > 0.0 => cell.red(),
            _ => cell,
        }
    }

    pub(crate) fn red(self) -> Self {
        Self { colour: Some(Color::Red), ..self }
    }

    pub(crate) fn yellow(self) -> Self {
        Self { colour: Some(Color::Yellow), ..self }
    }

    pub(crate) fn dim(self) -> Self {
        Self { dim: true, ..self }
    }

    fn drawn(self) -> comfy_table::Cell {
        let mut cell = comfy_table::Cell::new_owned(self.text);
        if let Some(colour) = self.colour {
            cell = cell.fg(colour);
        }
        if self.dim { cell.add_attribute(Attribute::Dim) } else { cell }
    }
}

impl<T: Into<String>> From<T> for Cell {
    fn from(text: T) -> Self {
        Self { text: text.into(), colour: None, dim: false }
    }
}

impl Table {
    pub(crate) fn new(columns: impl IntoIterator<Item = Column>) -> Self {
        Self { columns: columns.into_iter().collect(), rows: Vec::new() }
    }

    pub(crate) fn row(&mut self, cells: impl IntoIterator<Item = Cell>) {
        self.rows.push(cells.into_iter().collect());
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.rows.is_empty()
    }

    /// The table as text, each line ended.
    pub(crate) fn draw(self, look: Look) -> String {
        let mut drawn = comfy_table::Table::new();
        drawn.load_style(STYLE).set_content_arrangement(ContentArrangement::Dynamic);
        drawn.set_truncation_indicator("…").force_no_tty();
        if look.colours {
            drawn.enforce_styling();
            drawn.style_text_only();
        }
        let heading = |column: &Column| comfy_table::Cell::new(column.heading).add_attribute(Attribute::Bold);
        drawn.set_header(self.columns.iter().map(heading).collect::<Vec<_>>());
        let wraps = self.columns.iter().any(|column| column.width == Width::Wrapped);
        for cells in self.rows {
            let mut row = Row::from(cells.into_iter().map(Cell::drawn).collect::<Vec<_>>());
            if !wraps {
                row.max_height(1);
            }
            drawn.add_row(row);
        }
        let widths = drawn.column_max_content_widths();
        let (shown, needed) = fitting(&self.columns, &widths, usize::from(look.width));
        // A table that cannot be narrow enough is better broken by the terminal than into letters.
        drawn.set_width(u16::try_from(needed).unwrap_or(u16::MAX).max(look.width));
        let last = shown.iter().rposition(|shown| *shown);
        for (at, column) in self.columns.into_iter().enumerate() {
            if let Some(slot) = drawn.column_mut(at) {
                slot.set_padding((0, if Some(at) == last { 0 } else { GAP }));
                slot.set_cell_alignment(column.alignment);
                if column.width == Width::Cut {
                    // No such sign is in any cell, so that words are cut where the space ends.
                    slot.set_delimiter('\u{1f}');
                }
                if !shown[at] {
                    slot.set_constraint(ColumnConstraint::Hidden);
                } else if column.width == Width::Full {
                    slot.set_constraint(ColumnConstraint::ContentWidth);
                }
            }
        }
        drawn.lines().map(|line| line.trim_end().to_owned() + "\n").collect()
    }
}

/// Which columns are shown on a screen, and the least width that they take.
fn fitting(columns: &[Column], widths: &[u16], screen: usize) -> (Vec<bool>, usize) {
    let least = |(column, width): (&Column, &u16)| match column.width {
        Width::Full => usize::from(*width),
        Width::Cut | Width::Wrapped => usize::from(*width).min(GIVING_WAY_MIN),
    };
    let least: Vec<usize> = columns.iter().zip(widths).map(least).collect();
    let mut shown = vec![true; columns.len()];
    loop {
        let kept = || shown.iter().zip(&least).filter(|(shown, _)| **shown).map(|(_, width)| width + usize::from(GAP));
        let needed = kept().sum::<usize>().saturating_sub(usize::from(GAP));
        let dispensable = (0..columns.len()).filter(|at| shown[*at] && columns[*at].optional > 0);
        match dispensable.max_by_key(|at| columns[*at].optional) {
            Some(at) if needed > screen => shown[at] = false,
            _ => return (shown, needed),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn table(width: u16, colours: bool) -> String {
        let mut table = Table::new([Column::left("id"), Column::right("price"), Column::cut("title")]);
        table.row(["a/1".into(), Cell::from("$1").green(), "A house by the sea with a long name".into()]);
        table.row(["a/20".into(), "$1,000".into(), "–".into()]);
        table.draw(Look { colours, width })
    }

    #[test]
    fn a_table_is_cut_to_the_width_of_the_screen() {
        insta::assert_snapshot!(table(34, false));
        insta::assert_snapshot!(table(80, false));
    }

    #[test]
    fn what_is_optional_gives_way_first_what_is_not_never() {
        let columns =
            [Column::left("a"), Column::right("b").optional(1), Column::right("c").optional(2), Column::cut("d")];
        let widths = [10, 10, 10, 40];
        assert_eq!(fitting(&columns, &widths, 80), (vec![true; 4], 48));
        assert_eq!(fitting(&columns, &widths, 40), (vec![true, true, false, true], 36));
        assert_eq!(fitting(&columns, &widths, 10), (vec![true, false, false, true], 24));
    }

    #[test]
    fn colours_are_shown_where_they_are_wanted() {
        assert!(!table(80, false).contains('\u{1b}'));
        assert!(table(80, true).contains("\u{1b}["));
    }
}
