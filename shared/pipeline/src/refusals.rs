//! How many rejects are kept, and how many are too many.

use std::collections::BTreeMap;

use stoop_domain::{Reason, Reject, Time};

/// Rejects of one reason kept per page or file: the first ones. The others are counted.
const KEPT_OF_A_REASON: u64 = 100;

/// Rejects kept per poll or replay, whatever their reasons. Their sizes are bounded as well ([`Reject::RAW_MAX`],
/// [`Reject::DETAIL_MAX`]), so that no feed fills a disk with unreadable rows.
const KEPT_IN_ALL: u64 = 5_000;

/// The share of rejects is checked from this row on, and at the end.
const JUDGED_FROM_ROW: u64 = 1_000;

/// The rejects of a poll or replay: all are counted, and the first of each reason per page or file are kept.
#[derive(Clone, Debug, Default)]
pub struct Refusals {
    rows: u64,
    refused: u64,
    reasons: BTreeMap<Reason, u64>,
    kept: u64,
    /// For the current page or file, how many were kept and how many were not.
    here: BTreeMap<Reason, (u64, u64)>,
}

impl Refusals {
    /// Counts rows that were understood, or are not of this search.
    pub fn pass(&mut self, rows: u64) {
        self.rows += rows;
    }

    /// Counts a refused row. Returns it if it is to be kept.
    pub fn refuse(&mut self, reject: Reject) -> Option<Reject> {
        self.rows += 1;
        self.refused += 1;
        *self.reasons.entry(reject.reason).or_default() += 1;
        let (kept, left) = self.here.entry(reject.reason).or_default();
        if *kept < KEPT_OF_A_REASON && self.kept < KEPT_IN_ALL {
            *kept += 1;
            self.kept += 1;
            return Some(reject);
        }
        *left += 1;
        None
    }

    /// Ends a page or file: returns one reject for each reason with rejects that were not kept, with their number.
    pub fn leave(&mut self, source: &str, position: &str, at: Time) -> Vec<Reject> {
        let here = std::mem::take(&mut self.here);
        let left = here.into_iter().filter(|(_, (_, left))| *left > 0);
        left.map(|(reason, (kept, left))| {
            let detail = format!("{left} more rows like the first {kept}");
            Reject { rows: left, ..Reject::new(source, at, position.to_owned(), reason, detail, b"") }
        })
        .collect()
    }

    /// Begins another file, which is judged by its own rows; an earlier run took `rows_before` of them.
    pub fn judge_anew(&mut self, rows_before: u64) {
        let kept = self.kept;
        *self = Self { kept, rows: rows_before, ..Self::default() };
    }

    /// How many rows were refused.
    #[must_use]
    pub fn refused(&self) -> u64 {
        self.refused
    }

    /// How many for each reason.
    #[must_use]
    pub fn reasons(&self) -> &BTreeMap<Reason, u64> {
        &self.reasons
    }

    /// Why the rejects are too many, if they are: more than `percent_max`, or all rows. Checked from the thousandth row
    /// on, and at the end.
    #[must_use]
    pub fn too_many(&self, percent_max: Option<f64>, at_end: bool) -> Option<String> {
        if self.refused == 0 || self.rows < JUDGED_FROM_ROW && !at_end {
            return None;
        }
        let percent = self.percent();
        if let Some(most) = percent_max.filter(|most| percent > *most) {
            let (refused, rows, reasons) = (self.refused, self.rows, self.in_words());
            return Some(format!(
                "{refused} of the first {rows} rows are refused ({percent:.1} %, more than {most} %): {reasons}"
            ));
        }
        let none = self.refused == self.rows;
        none.then(|| format!("none of the first {} rows is understood: {}", self.rows, self.in_words()))
    }

    /// The share of refused rows, in percent.
    #[must_use]
    #[expect(clippy::cast_precision_loss, reason = "a share")]
    pub fn percent(&self) -> f64 {
        self.refused as f64 / self.rows.max(1) as f64 * 100.0
    }

    /// `bad_value 12, missing_field 1`.
    fn in_words(&self) -> String {
        let words = self.reasons.iter().map(|(reason, rows)| format!("{reason} {rows}"));
        words.collect::<Vec<_>>().join(", ")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn reject(reason: Reason, row: u64) -> Reject {
        Reject::new("s", Time::default(), format!("row {row}"), reason, "why".into(), &[b'x'; 9_000])
    }

    /// How many rejects are kept of this many rows, including those with numbers.
    fn kept(refusals: &mut Refusals, reason: Reason, rows: u64) -> usize {
        (0..rows).filter(|row| refusals.refuse(reject(reason, *row)).is_some()).count()
    }

    #[test]
    fn the_first_hundred_of_each_reason_and_page_are_kept_and_the_others_counted() {
        let mut refusals = Refusals::default();
        assert_eq!(kept(&mut refusals, Reason::BadValue, 1_000_000), 100);
        assert_eq!(kept(&mut refusals, Reason::MissingField, 30), 30);
        let left = refusals.leave("s", "page 1", Time::default());
        let message: Vec<_> = left.iter().map(|reject| (&*reject.location, reject.reason, reject.rows)).collect();
        assert_eq!(message, [("page 1", Reason::BadValue, 999_900)]);
        assert_eq!(left[0].detail, "999900 more rows like the first 100");
        assert_eq!(kept(&mut refusals, Reason::BadValue, 200), 100, "the next page has its own");
        assert_eq!((refusals.refused(), refusals.reasons()[&Reason::BadValue]), (1_000_230, 1_000_200));
    }

    #[test]
    fn however_many_pages_there_are_five_thousand_are_kept() {
        let mut refusals = Refusals::default();
        let mut all = 0;
        for page in 0..1_000 {
            all += kept(&mut refusals, Reason::BadValue, 150);
            let left = refusals.leave("s", &format!("page {page}"), Time::default());
            let most = if page < 50 { 50 } else { 150 };
            assert_eq!(left.iter().map(|reject| reject.rows).collect::<Vec<_>>(), [most]);
        }
        assert_eq!(all, 5_000);
    }

    #[test]
    fn too_many_are_reported_from_the_thousandth_row_on_and_at_the_end() {
        let mut refusals = Refusals::default();
        assert_eq!(refusals.too_many(Some(0.0), true), None, "a page without rows has no rejects");
        for row in 0..300 {
            refusals.pass(1);
            drop(refusals.refuse(reject(Reason::BadValue, row)));
        }
        assert_eq!(refusals.too_many(Some(10.0), false), None);
        let why = "300 of the first 600 rows are refused (50.0 %, more than 10 %): bad_value 300";
        assert_eq!(refusals.too_many(Some(10.0), true).as_deref(), Some(why));
        assert_eq!((refusals.too_many(Some(50.0), true), refusals.too_many(None, true)), (None, None));
        refusals.pass(400);
        assert!(refusals.too_many(Some(10.0), false).is_some());
    }

    #[test]
    fn all_rows_refused_is_too_many_whatever_is_allowed() {
        let mut refusals = Refusals::default();
        drop(refusals.refuse(reject(Reason::MissingField, 1)));
        let why = "none of the first 1 rows is understood: missing_field 1";
        assert_eq!(refusals.too_many(None, true).as_deref(), Some(why));
        assert_eq!(refusals.too_many(Some(100.0), true).as_deref(), Some(why));
        assert_eq!(refusals.too_many(None, false), None);
    }
}
