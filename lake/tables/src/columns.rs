use std::borrow::Cow;
use std::sync::Arc;

use deltalake::arrow::datatypes::{DataType, Field, Schema, SchemaRef, TimeUnit};
use serde_json::{Value, json};

/// A column of a table.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TableColumn {
    /// The name.
    pub name: Cow<'static, str>,
    /// The type of its values.
    pub kind: ColumnType,
    /// Whether every row has a value.
    pub required: bool,
    /// What it means, for documents and engines.
    pub meaning: Cow<'static, str>,
}

/// The type of a column.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ColumnType {
    /// UTF-8.
    Text,
    /// 32 bits.
    Int,
    /// 64 bits.
    Long,
    /// Yes or no.
    Flag,
    /// A moment in UTC, in microseconds.
    Time,
    /// A civil day.
    Date,
    /// An exact number with this many digits, so many of them behind the point.
    Decimal(u8, i8),
    /// A list of texts.
    Texts,
    /// Bytes.
    Bytes,
    /// A floating-point number: a figure, not an amount.
    Number,
}

impl TableColumn {
    /// A column whose values may be missing.
    pub fn new(name: impl Into<Cow<'static, str>>, kind: ColumnType, meaning: impl Into<Cow<'static, str>>) -> Self {
        Self { name: name.into(), kind, required: false, meaning: meaning.into() }
    }

    /// A column that has a value in every row. Only for columns that a table has from the beginning.
    pub fn required(
        name: impl Into<Cow<'static, str>>,
        kind: ColumnType,
        meaning: impl Into<Cow<'static, str>>,
    ) -> Self {
        Self { required: true, ..Self::new(name, kind, meaning) }
    }

    /// The field of a Delta schema.
    #[must_use]
    pub fn delta(&self) -> Value {
        json!({
            "name": self.name, "type": self.kind.delta(), "nullable": !self.required,
            "metadata": { "comment": self.meaning },
        })
    }

    fn arrow(&self) -> Field {
        Field::new(self.name.as_ref(), self.kind.arrow(), !self.required)
    }
}

impl ColumnType {
    /// The type in a Delta schema.
    #[must_use]
    pub fn delta(self) -> Value {
        match self {
            Self::Text => json!("string"),
            Self::Int => json!("integer"),
            Self::Long => json!("long"),
            Self::Flag => json!("boolean"),
            Self::Time => json!("timestamp"),
            Self::Date => json!("date"),
            Self::Decimal(precision, scale) => json!(format!("decimal({precision},{scale})")),
            Self::Texts => json!({ "type": "array", "elementType": "string", "containsNull": true }),
            Self::Bytes => json!("binary"),
            Self::Number => json!("double"),
        }
    }

    /// The type for people.
    #[must_use]
    pub fn name(self) -> String {
        match self {
            Self::Texts => "list of string".to_owned(),
            other => other.delta().as_str().unwrap_or_default().to_owned(),
        }
    }

    pub(crate) fn arrow(self) -> DataType {
        match self {
            Self::Text => DataType::Utf8,
            Self::Int => DataType::Int32,
            Self::Long => DataType::Int64,
            Self::Flag => DataType::Boolean,
            Self::Time => DataType::Timestamp(TimeUnit::Microsecond, Some("UTC".into())),
            Self::Date => DataType::Date32,
            Self::Decimal(precision, scale) => DataType::Decimal128(precision, scale),
            Self::Texts => DataType::List(element()),
            Self::Bytes => DataType::Binary,
            Self::Number => DataType::Float64,
        }
    }
}

/// The elements of a list, by the name that Delta uses.
pub(crate) fn element() -> Arc<Field> {
    Arc::new(Field::new("element", DataType::Utf8, true))
}

/// The columns as a schema of Arrow.
pub(crate) fn arrow_schema(columns: &[TableColumn]) -> SchemaRef {
    Arc::new(Schema::new(columns.iter().map(TableColumn::arrow).collect::<Vec<_>>()))
}
