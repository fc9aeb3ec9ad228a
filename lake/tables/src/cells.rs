use std::sync::Arc;

use deltalake::arrow::array::{
    ArrayRef, BinaryBuilder, BooleanBuilder, Date32Builder, Decimal128Builder, Float64Builder, Int32Builder,
    Int64Builder, ListBuilder, RecordBatch, StringBuilder, TimestampMicrosecondBuilder,
};
use deltalake::arrow::datatypes::SchemaRef;
use stoop_domain::Time;

use crate::columns::{ColumnType, TableColumn, arrow_schema, element};
use crate::error::{LakeError, doing};

/// A value of a row.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum TableCell<'a> {
    /// No value.
    Null,
    /// For [`ColumnType::Text`].
    Text(&'a str),
    /// For [`ColumnType::Int`].
    Int(i32),
    /// For [`ColumnType::Long`].
    Long(i64),
    /// For [`ColumnType::Flag`].
    Flag(bool),
    /// For [`ColumnType::Time`].
    Time(Time),
    /// For [`ColumnType::Date`]: days since 1970-01-01.
    Date(i32),
    /// For [`ColumnType::Decimal`]: in units of the last digit. It must have no more digits than the column.
    Decimal(i128),
    /// For [`ColumnType::Texts`].
    Texts(&'a [String]),
    /// For [`ColumnType::Bytes`].
    Bytes(&'a [u8]),
    /// For [`ColumnType::Number`].
    Number(f64),
}

impl<'a> TableCell<'a> {
    /// The cell of a value that may be missing.
    pub fn of<T>(value: Option<T>, cell: impl FnOnce(T) -> Self) -> Self {
        value.map_or(Self::Null, cell)
    }

    /// The cell of a text that may be missing.
    #[must_use]
    pub fn text(value: Option<&'a str>) -> Self {
        Self::of(value, Self::Text)
    }

    /// Adds the cell to a hash. Different rows have different bytes.
    pub(crate) fn hash(&self, hasher: &mut blake3::Hasher) {
        let mut add = |tag: u8, bytes: &[u8]| {
            hasher.update(&[tag]).update(&(bytes.len() as u64).to_le_bytes()).update(bytes);
        };
        match self {
            Self::Null => add(0, &[]),
            Self::Text(text) => add(1, text.as_bytes()),
            Self::Int(number) => add(2, &number.to_le_bytes()),
            Self::Long(number) => add(3, &number.to_le_bytes()),
            Self::Flag(flag) => add(4, &[u8::from(*flag)]),
            Self::Time(time) => add(5, &time.ms().to_le_bytes()),
            Self::Date(day) => add(6, &day.to_le_bytes()),
            Self::Decimal(number) => add(7, &number.to_le_bytes()),
            Self::Texts(texts) => {
                add(8, &(texts.len() as u64).to_le_bytes());
                texts.iter().for_each(|text| add(1, text.as_bytes()));
            }
            Self::Bytes(bytes) => add(9, bytes),
            Self::Number(number) => add(10, &number.to_bits().to_le_bytes()),
        }
    }
}

enum Builder {
    Text(StringBuilder),
    Int(Int32Builder),
    Long(Int64Builder),
    Flag(BooleanBuilder),
    Time(TimestampMicrosecondBuilder),
    Date(Date32Builder),
    Decimal(Decimal128Builder),
    Texts(ListBuilder<StringBuilder>),
    Bytes(BinaryBuilder),
    Number(Float64Builder),
}

/// Collects rows of a table.
pub struct RowBuilder {
    schema: SchemaRef,
    columns: Vec<TableColumn>,
    builders: Vec<Builder>,
    count: usize,
}

impl RowBuilder {
    /// No rows yet.
    #[must_use]
    pub fn new(columns: &[TableColumn]) -> Self {
        let builders = columns.iter().map(|column| Builder::new(column.kind)).collect();
        Self { schema: arrow_schema(columns), columns: columns.to_vec(), builders, count: 0 }
    }

    /// Adds a row: a cell for each column, in their order.
    ///
    /// # Errors
    /// If there are more or fewer cells than columns, or one is of another type.
    pub fn push(&mut self, cells: &[TableCell<'_>]) -> Result<(), LakeError> {
        if cells.len() != self.builders.len() {
            let detail = format!("{} cells in a row of {} columns", cells.len(), self.builders.len());
            return Err(doing("make a row")(detail));
        }
        for ((cell, builder), column) in cells.iter().zip(&mut self.builders).zip(&self.columns) {
            if !builder.push(*cell) {
                return Err(doing("make a row")(format!("{cell:?} in column {} of {:?}", column.name, column.kind)));
            }
        }
        self.count += 1;
        Ok(())
    }

    /// The number of rows.
    #[must_use]
    pub fn len(&self) -> usize {
        self.count
    }

    /// Whether there is no row.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.count == 0
    }

    /// Takes the rows out.
    ///
    /// # Errors
    /// If a required column has a row without a value, or a decimal has too many digits.
    pub fn take(&mut self) -> Result<RecordBatch, LakeError> {
        self.count = 0;
        let arrays = self.builders.iter_mut().map(Builder::finish).collect::<Result<Vec<_>, _>>()?;
        RecordBatch::try_new(Arc::clone(&self.schema), arrays).map_err(doing("make rows"))
    }
}

impl Builder {
    fn new(kind: ColumnType) -> Self {
        match kind {
            ColumnType::Text => Self::Text(StringBuilder::new()),
            ColumnType::Int => Self::Int(Int32Builder::new()),
            ColumnType::Long => Self::Long(Int64Builder::new()),
            ColumnType::Flag => Self::Flag(BooleanBuilder::new()),
            ColumnType::Time => Self::Time(TimestampMicrosecondBuilder::new()),
            ColumnType::Date => Self::Date(Date32Builder::new()),
            ColumnType::Decimal(..) => Self::Decimal(Decimal128Builder::new().with_data_type(kind.arrow())),
            ColumnType::Texts => Self::Texts(ListBuilder::new(StringBuilder::new()).with_field(element())),
            ColumnType::Bytes => Self::Bytes(BinaryBuilder::new()),
            ColumnType::Number => Self::Number(Float64Builder::new()),
        }
    }

    /// Returns `false` if the cell is of another type.
    fn push(&mut self, cell: TableCell<'_>) -> bool {
        match (self, cell) {
            (Self::Text(builder), TableCell::Null) => builder.append_null(),
            (Self::Text(builder), TableCell::Text(text)) => builder.append_value(text),
            (Self::Int(builder), TableCell::Null) => builder.append_null(),
            (Self::Int(builder), TableCell::Int(number)) => builder.append_value(number),
            (Self::Long(builder), TableCell::Null) => builder.append_null(),
            (Self::Long(builder), TableCell::Long(number)) => builder.append_value(number),
            (Self::Flag(builder), TableCell::Null) => builder.append_null(),
            (Self::Flag(builder), TableCell::Flag(flag)) => builder.append_value(flag),
            (Self::Time(builder), TableCell::Null) => builder.append_null(),
            // Times are clamped to the years 1 to 9999, so this does not overflow.
            (Self::Time(builder), TableCell::Time(time)) => builder.append_value(time.ms() * 1_000),
            (Self::Date(builder), TableCell::Null) => builder.append_null(),
            (Self::Date(builder), TableCell::Date(day)) => builder.append_value(day),
            (Self::Decimal(builder), TableCell::Null) => builder.append_null(),
            (Self::Decimal(builder), TableCell::Decimal(number)) => builder.append_value(number),
            (Self::Texts(builder), TableCell::Null) => builder.append_null(),
            (Self::Texts(builder), TableCell::Texts(texts)) => builder.append_value(texts.iter().map(Some)),
            (Self::Bytes(builder), TableCell::Null) => builder.append_null(),
            (Self::Bytes(builder), TableCell::Bytes(bytes)) => builder.append_value(bytes),
            (Self::Number(builder), TableCell::Null) => builder.append_null(),
            (Self::Number(builder), TableCell::Number(number)) => builder.append_value(number),
            _ => return false,
        }
        true
    }

    fn finish(&mut self) -> Result<ArrayRef, LakeError> {
        Ok(match self {
            Self::Text(builder) => Arc::new(builder.finish()),
            Self::Int(builder) => Arc::new(builder.finish()),
            Self::Long(builder) => Arc::new(builder.finish()),
            Self::Flag(builder) => Arc::new(builder.finish()),
            Self::Time(builder) => Arc::new(builder.finish().with_timezone("UTC")),
            Self::Date(builder) => Arc::new(builder.finish()),
            Self::Decimal(builder) => {
                let array = builder.finish();
                array.validate_decimal_precision(array.precision()).map_err(doing("make a column of decimals"))?;
                Arc::new(array)
            }
            Self::Texts(builder) => Arc::new(builder.finish()),
            Self::Bytes(builder) => Arc::new(builder.finish()),
            Self::Number(builder) => Arc::new(builder.finish()),
        })
    }
}
