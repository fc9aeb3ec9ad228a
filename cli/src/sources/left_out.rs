//! The values that were left out of listings, in the report of a check.

use serde::Serialize;
use stoop_domain::Reason;
use stoop_pipeline::RefusedValues;

use crate::show::{self, Page};

/// Values of one field that were left out for one reason.
#[derive(Serialize)]
pub(super) struct ValuesRow {
    field: String,
    reason: Reason,
    values: u64,
    detail: String,
}

impl ValuesRow {
    pub(super) fn of(RefusedValues { field, reason, values, detail }: RefusedValues) -> Self {
        Self { field, reason, values, detail }
    }

    pub(super) fn draw(&self, page: &mut Page) {
        page.hung(4, [format!("  {}", show::plain(&self.why())).into()]);
    }

    pub(super) fn why(&self) -> String {
        let reason = self.reason.as_str().replace('_', " ");
        let listings =
            if self.values == 1 { "1 listing".to_owned() } else { format!("{} listings", show::count(self.values)) };
        format!("{} of {listings}: {reason}, {}", self.field, self.detail)
    }
}
