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

const STYLE: TableStyle = TableStyle::new().header_separator(LineStyle::none().fill('─'));

impl Column {
    /// Words.
    pub(crate) fn left(heading: &'static str) -> Self {
        Self { heading, alignment: CellAlignment::Left, width: Width::Full }
    }

    /// Numbers.
    pub(crate) fn right(heading: &'static str) -> Self {
        Self { heading, alignment: CellAlignment::Right, width: Width::Full }
    }

    /// Words that may be cut where the line ends.
    pub(crate) fn cut(heading: &'static str) -> Self {
        Self { heading, alignment: CellAlignment::Left, width: Width::Cut }
    }

    /// Words that go on below.
    pub(crate) fn wrapped(heading: &'static str) -> Self {
        Self { heading, alignment: CellAlignment::Left, width: Width::Wrapped }
    }
}

impl Cell {
    pub(crate) fn green(self) -> Self {
        Self { colour: Some(Color::Green), ..self }
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
        drawn.load_style(STYLE).set_width(look.width).set_content_arrangement(ContentArrangement::Dynamic);
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
        let last = self.columns.len().saturating_sub(1);
        for (at, column) in self.columns.into_iter().enumerate() {
            if let Some(slot) = drawn.column_mut(at) {
                slot.set_padding((0, if at == last { 0 } else { 2 }));
                slot.set_cell_alignment(column.alignment);
                if column.width == Width::Full {
                    slot.set_constraint(ColumnConstraint::ContentWidth);
                }
            }
        }
        drawn.lines().map(|line| line.trim_end().to_owned() + "\n").collect()
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
    fn colours_are_shown_where_they_are_wanted() {
        assert!(!table(80, false).contains('\u{1b}'));
        assert!(table(80, true).contains("\u{1b}["));
    }
}
