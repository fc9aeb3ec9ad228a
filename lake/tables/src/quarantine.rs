use std::sync::OnceLock;

use deltalake::arrow::array::RecordBatch;
use serde_json::Value;
use stoop_domain::{Observation, Reason};
use stoop_wire::LineError;

use crate::cells::{RowBuilder, TableCell};
use crate::error::LakeError;
use crate::observation::{LineOrigin, hash_of, hex};
use crate::specs::{self, TABLE_SCHEMA};

/// Collects rows of the table `quarantine`.
pub(crate) struct QuarantineRows {
    rows: RowBuilder,
    ids: Vec<u128>,
}

impl Default for QuarantineRows {
    fn default() -> Self {
        Self { rows: RowBuilder::new(&specs::quarantine().columns), ids: Vec::new() }
    }
}

impl QuarantineRows {
    pub(crate) fn push(
        &mut self,
        line: &[u8],
        (reason, field, detail): (Reason, Option<&str>, &str),
        origin: LineOrigin<'_>,
    ) -> Result<(), LakeError> {
        let id = hash_of(line);
        let text = std::str::from_utf8(line).ok();
        self.rows.push(&[
            TableCell::Text(&hex(id)),
            TableCell::Text(reason.as_str()),
            TableCell::text(field),
            TableCell::Text(detail),
            TableCell::text(text),
            if text.is_none() { TableCell::Bytes(line) } else { TableCell::Null },
            TableCell::Text(origin.object),
            TableCell::Time(origin.at),
            TableCell::Int(TABLE_SCHEMA.cast_signed()),
        ])?;
        self.ids.push(id);
        Ok(())
    }

    pub(crate) fn len(&self) -> usize {
        self.rows.len()
    }

    pub(crate) fn take(&mut self) -> Result<(RecordBatch, Vec<u128>), LakeError> {
        Ok((self.rows.take()?, std::mem::take(&mut self.ids)))
    }
}

/// The version of a line's format: the number of its first field.
pub(crate) fn line_version(line: &[u8]) -> u32 {
    let digits = line.strip_prefix(b"{\"v\":").unwrap_or_default();
    let digits = digits.iter().take(9).take_while(|byte| byte.is_ascii_digit());
    match digits.fold(0, |number, digit| number * 10 + u32::from(digit - b'0')) {
        0 => serde_json::from_slice::<Value>(line).ok().and_then(|line| line["v"].as_u64()).unwrap_or_default() as u32,
        number => number,
    }
}

/// Finds the field that makes a line unreadable, as `listing.status`: the first one that a good line does not stand.
pub(crate) fn wrong_field(line: &[u8], error: &LineError) -> Option<String> {
    if !matches!(error, LineError::Unreadable(_)) {
        return None;
    }
    let Value::Object(parts) = serde_json::from_slice::<Value>(line).ok()? else { return None };
    let spoils = |good: &Value, path: &[&str], value: Value| {
        let mut line = good.clone();
        let mut at = &mut line;
        for name in path {
            at = &mut at[*name];
        }
        *at = value;
        serde_json::from_value::<Observation>(line).is_err()
    };
    let good = good_line();
    if parts.get("v").is_some_and(|version| version.as_u64().is_none_or(|version| version > u32::MAX.into())) {
        return Some("v".to_owned());
    }
    for (name, value) in &parts {
        match (name.as_str(), value) {
            ("listing", Value::Object(fields)) => {
                let wrong = fields.iter().find(|(field, value)| spoils(good, &["listing", field], (*value).clone()));
                if let Some((field, _)) = wrong {
                    return Some(format!("listing.{field}"));
                }
            }
            _ if spoils(good, &[name], value.clone()) => return Some(name.clone()),
            _ => {}
        }
    }
    // Every field that is there is right, so one is missing.
    let lacks = |from: &Value, of: &Value| {
        let names = of.as_object().map(|fields| fields.keys().cloned().collect::<Vec<_>>()).unwrap_or_default();
        names.into_iter().find(|name| from.get(name).is_none())
    };
    let whole = Value::Object(parts);
    lacks(&whole, good).or_else(|| lacks(&whole["listing"], &good["listing"]).map(|field| format!("listing.{field}")))
}

/// An observation with nothing but what each must have.
fn good_line() -> &'static Value {
    static LINE: OnceLock<Value> = OnceLock::new();
    LINE.get_or_init(|| {
        serde_json::json!({
            "v": 3, "source": "s", "native_id": "1", "at": 0,
            "listing": { "purpose": "Sale", "status": "Active", "currency": "USD", "address": {} },
        })
    })
}
