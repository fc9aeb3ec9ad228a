//! What the last scan of each search showed: when it was, and which fields its listings have.

use serde::Serialize;
use stoop_domain::Time;
use stoop_embedded::Findings;
use stoop_market::THIN_SAMPLE;
use stoop_pipeline::FieldShare;
use stoop_show::whole_percent;

use crate::show::{self, Column, Page, SafeText, Table, UNKNOWN, or_unknown};

/// The last scan of a search.
#[derive(Default, Serialize)]
pub(super) struct Scanned {
    /// When the last complete scan began, or the time of the newest file.
    complete_scan_at: Option<String>,
    /// How long ago that was.
    lag_seconds: Option<i64>,
    /// The listings of the last scan or file that were understood.
    listings: Option<u32>,
    /// The fields that they have, or had before.
    fields: Vec<ScanField>,
}

/// A field of the listings.
#[derive(Serialize)]
struct ScanField {
    name: String,
    /// The share of the listings that have it, from 0 to 1.
    share: f64,
    /// The mean of the scans before; `None` if there were none.
    earlier_share: Option<f64>,
}

/// The fields shown in a terminal, and their names there; `--json` has all.
const SHOWN: [(&str, &str); 7] = [
    ("list_price", "price"),
    ("living_area", "area"),
    ("bedrooms", "beds"),
    ("property_type", "type"),
    ("address.latitude", "location"),
    ("address.postal_code", "code"),
    ("listed_at", "listed"),
];

/// A share that fell by more than this is marked.
const FALL: f64 = 0.05;

impl Scanned {
    pub(super) fn of(findings: &Findings, now: Time) -> Self {
        let shares = findings.fields.as_ref();
        let fields = shares.into_iter().flat_map(|shares| shares.fields());
        let field = |(name, FieldShare { share, earlier }): (&str, FieldShare)| ScanField {
            name: name.to_owned(),
            share,
            earlier_share: earlier,
        };
        Self {
            complete_scan_at: findings.full_scan_at.map(|at| at.to_string()),
            lag_seconds: findings.full_scan_at.map(|at| (now.ms() - at.ms()).max(0) / Time::SECOND_MS),
            listings: shares.map(|shares| shares.listings()),
            fields: fields.map(field).collect(),
        }
    }

    fn cells(&self, name: &str) -> impl Iterator<Item = SafeText> {
        let ago = self.lag_seconds.map(|seconds| show::span(seconds * Time::SECOND_MS));
        let listings = self.listings.map(|listings| show::count(listings.into()));
        let shares = SHOWN.map(|(field, _)| self.share(field));
        [show::plain(name).into(), or_unknown(ago).into(), or_unknown(listings).into()].into_iter().chain(shares)
    }

    /// `98 % (99 %)`: now, and before if that differs.
    fn share(&self, field: &str) -> SafeText {
        let Some(listings) = self.listings else { return SafeText::from(UNKNOWN).dim() };
        let Some(ScanField { share, earlier_share, .. }) = self.fields.iter().find(|row| row.name == field) else {
            return SafeText::from(whole_percent(0.0)).dim();
        };
        let now = whole_percent(*share);
        let before = earlier_share.map(whole_percent).filter(|before| *before != now);
        let text = SafeText::from(before.map_or_else(|| now.clone(), |before| format!("{now} ({before})")));
        match earlier_share {
            Some(earlier) if earlier - share > FALL => text.yellow(),
            _ if i64::from(listings) < THIN_SAMPLE => text.dim(),
            _ => text,
        }
    }
}

/// One row for each search that was scanned.
pub(super) fn draw<'a>(searches: impl Iterator<Item = (&'a str, &'a Scanned)>, page: &mut Page) {
    let columns = [Column::left("search"), Column::right("complete scan"), Column::right("listings")];
    // On a narrow screen the last fields are left out first.
    let shares = SHOWN.into_iter().zip(0..).map(|((_, heading), rank)| Column::right(heading).optional(rank));
    let mut table = Table::new(columns.into_iter().chain(shares));
    for (name, scanned) in searches.filter(|(_, scanned)| scanned.listings.is_some()) {
        table.row(scanned.cells(name));
    }
    if table.is_empty() {
        return;
    }
    page.heading("Last scans").table(table);
    let remark = "complete scan: how long ago it began. Then the share of the last scan's listings with each field, and in \
                  brackets the mean of the scans before, where it differs.";
    page.hung(0, [SafeText::from(remark).dim()]);
}
