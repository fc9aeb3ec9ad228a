//! Converts rows of Parquet to JSON text, so that maps read them like other rows.

use parquet::basic::{LogicalType, TimeUnit};
use parquet::record::{Field, Row};
use parquet::schema::types::SchemaDescriptor;

/// Properties of a time column that the record API of Parquet does not give: its unit, and whether it is UTC.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct TimestampForm {
    utc: bool,
    nanoseconds: bool,
}

/// The clocks of the top-level columns, in the order of the schema.
pub(crate) fn clocks(schema: &SchemaDescriptor) -> Vec<TimestampForm> {
    let fields = schema.root_schema().get_fields();
    fields
        .iter()
        .map(|field| match field.get_basic_info().logical_type_ref() {
            Some(LogicalType::Timestamp(timestamp)) => TimestampForm {
                utc: timestamp.is_adjusted_to_u_t_c,
                nanoseconds: matches!(timestamp.unit, TimeUnit::NANOS),
            },
            // Before logical types, and in INT96, times were UTC.
            _ => TimestampForm { utc: true, nanoseconds: false },
        })
        .collect()
}

/// Writes a row as a JSON object.
pub(crate) fn write_row(out: &mut Vec<u8>, row: &Row, clocks: &[TimestampForm]) {
    out.push(b'{');
    for (i, (name, field)) in row.get_column_iter().enumerate() {
        if i > 0 {
            out.push(b',');
        }
        write_text(out, name);
        out.push(b':');
        write_field(out, field, clocks.get(i).copied().unwrap_or_default());
    }
    out.push(b'}');
}

fn write_field(out: &mut Vec<u8>, field: &Field, clock: TimestampForm) {
    match field {
        Field::Null => out.extend_from_slice(b"null"),
        Field::Long(n) if clock.nanoseconds => write_moment(out, n.div_euclid(1_000_000), clock),
        Field::Str(text) => write_text(out, text),
        Field::Bytes(bytes) => match std::str::from_utf8(bytes.data()) {
            Ok(text) => write_text(out, text),
            Err(_) => {
                let hex: String = bytes.data().iter().map(|byte| format!("{byte:02x}")).collect();
                write_text(out, &hex);
            }
        },
        Field::Float16(n) => write_float(out, f64::from(n.to_f32())),
        // Formats it as f32, so that 0.1 does not become 0.10000000149011612.
        Field::Float(n) if n.is_finite() => out.extend_from_slice(format!("{n}").as_bytes()),
        Field::Float(_) => out.extend_from_slice(b"null"),
        Field::Double(n) => write_float(out, *n),
        Field::Date(days) => write_text(out, &date(i64::from(*days))),
        Field::TimestampMillis(ms) => write_moment(out, *ms, clock),
        Field::TimestampMicros(us) => write_moment(out, us.div_euclid(1_000), clock),
        Field::TimeMillis(_) | Field::TimeMicros(_) => write_text(out, &field.to_string()),
        Field::Group(row) => write_row(out, row, &[]),
        Field::ListInternal(list) => {
            out.push(b'[');
            for (i, element) in list.elements().iter().enumerate() {
                if i > 0 {
                    out.push(b',');
                }
                write_field(out, element, TimestampForm::default());
            }
            out.push(b']');
        }
        Field::MapInternal(map) => {
            out.push(b'{');
            for (i, (key, value)) in map.entries().iter().enumerate() {
                if i > 0 {
                    out.push(b',');
                }
                match key {
                    Field::Str(key) => write_text(out, key),
                    other => write_text(out, &other.to_string()),
                }
                out.push(b':');
                write_field(out, value, TimestampForm::default());
            }
            out.push(b'}');
        }
        Field::Bool(_)
        | Field::Byte(_)
        | Field::Short(_)
        | Field::Int(_)
        | Field::Long(_)
        | Field::UByte(_)
        | Field::UShort(_)
        | Field::UInt(_)
        | Field::ULong(_)
        | Field::Decimal(_) => out.extend_from_slice(field.to_string().as_bytes()),
    }
}

fn write_text(out: &mut Vec<u8>, text: &str) {
    serde_json::to_writer(out, text).expect("writing to memory does not fail");
}

fn write_float(out: &mut Vec<u8>, number: f64) {
    serde_json::to_writer(out, &number).expect("writing to memory does not fail");
}

/// Writes a moment as ISO 8601 with milliseconds, and with `Z` if it is UTC.
fn write_moment(out: &mut Vec<u8>, ms: i64, clock: TimestampForm) {
    const DAY_MS: i64 = 86_400_000;
    let of_day = ms.rem_euclid(DAY_MS);
    let (hour, minute, second) = (of_day / 3_600_000, of_day / 60_000 % 60, of_day / 1_000 % 60);
    let zone = if clock.utc { "Z" } else { "" };
    let day = date(ms.div_euclid(DAY_MS));
    write_text(out, &format!("{day}T{hour:02}:{minute:02}:{second:02}.{:03}{zone}", of_day % 1_000));
}

fn date(days: i64) -> String {
    let days = i32::try_from(days).unwrap_or(i32::MAX);
    stoop_domain::Day(days).to_string()
}
