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

/// If all rows have refused values, fewer rows than these are no reason to stop: each of a few homes may have one.
const FLAWED_ROWS_MIN: u64 = 10;

/// The rejects of a poll or replay: all are counted, and the first of each reason per page or file are kept.
#[derive(Clone, Debug, Default)]
pub struct Refusals {
    rows: u64,
    refused: u64,
    /// Rows that were accepted without some of their values.
    flawed: u64,
    /// Those values.
    values: u64,
    reasons: BTreeMap<Reason, u64>,
    kept: u64,
    /// For the current page or file, how many were kept and how many were not, of rows and of values.
    here: BTreeMap<(bool, Reason), (u64, u64)>,
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
        self.keep(reject)
    }

    /// Counts the refused values of a row that was accepted. Returns those that are to be kept.
    pub fn refuse_values(&mut self, rejects: impl IntoIterator<Item = Reject>) -> Vec<Reject> {
        let before = self.values;
        let kept = rejects.into_iter().filter_map(|reject| {
            self.values += reject.values;
            self.keep(reject)
        });
        let kept = kept.collect();
        self.flawed += u64::from(self.values > before);
        kept
    }

    fn keep(&mut self, reject: Reject) -> Option<Reject> {
        *self.reasons.entry(reject.reason).or_default() += 1;
        let (kept, left) = self.here.entry((reject.values > 0, reject.reason)).or_default();
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
        left.map(|((of_values, reason), (kept, left))| {
            let (what, rows, values) = if of_values { ("values", 0, left) } else { ("rows", left, 0) };
            let detail = format!("{left} more {what} like the first {kept}");
            Reject { rows, values, ..Reject::new(source, at, position.to_owned(), reason, detail, b"") }
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

    /// How many values of accepted rows were refused.
    #[must_use]
    pub fn values(&self) -> u64 {
        self.values
    }

    /// How many rows were accepted without some of their values.
    #[must_use]
    pub fn flawed(&self) -> u64 {
        self.flawed
    }

    /// How many rows and values for each reason.
    #[must_use]
    pub fn reasons(&self) -> &BTreeMap<Reason, u64> {
        &self.reasons
    }

    /// Why the rejects are too many, if they are: more than `percent_max`, or all rows. Rows with refused values count as
    /// well: if a map reads a column wrongly, all homes are without it. Checked from the thousandth row on, and at the
    /// end; from the tenth on, if all rows so far have refused values.
    #[must_use]
    pub fn too_many(&self, percent_max: Option<f64>, at_end: bool) -> Option<String> {
        let bad = self.refused + self.flawed;
        let none_whole = bad == self.rows && self.rows >= FLAWED_ROWS_MIN && self.flawed > 0;
        if bad == 0 || self.rows < JUDGED_FROM_ROW && !at_end && !none_whole {
            return None;
        }
        let (percent, rows, reasons) = (self.percent(), self.rows, self.in_words());
        let are = if self.flawed > 0 { "are refused, or values of them," } else { "are refused" };
        if let Some(most) = percent_max.filter(|most| percent > *most) {
            return Some(format!(
                "{bad} of the first {rows} rows {are} ({percent:.1} %, more than {most} %): {reasons}"
            ));
        }
        (self.refused == rows || none_whole).then(|| match self.flawed {
            0 => format!("none of the first {rows} rows is understood: {reasons}"),
            _ => format!("none of the first {rows} rows is understood in whole: {reasons}"),
        })
    }

    /// The share of rows that were refused or are without some of their values, in percent.
    #[must_use]
    #[expect(clippy::cast_precision_loss, reason = "a share")]
    pub fn percent(&self) -> f64 {
        (self.refused + self.flawed) as f64 / self.rows.max(1) as f64 * 100.0
    }

    /// `bad_value 12, missing_field 1`.
    fn in_words(&self) -> String {
        let words = self.reasons.iter().map(|(reason, rows)| format!("{reason} {rows}"));
        words.collect::<Vec<_>>().join(", ")
    }
}

#[cfg(test)]
mod tests {
    use stoop_domain::RefusedValue;

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

    fn value(row: u64) -> Reject {
        let value = RefusedValue { reason: Reason::BadValue, detail: "bedrooms is many".into() };
        Reject::of_value("s", Time::default(), format!("row {row}"), value, b"x")
    }

    #[test]
    fn refused_values_are_kept_and_counted_beside_refused_rows() {
        let mut refusals = Refusals::default();
        for row in 0..150 {
            refusals.pass(1);
            assert_eq!(refusals.refuse_values([value(row)]).len(), usize::from(row < 100));
        }
        assert_eq!(kept(&mut refusals, Reason::BadValue, 30), 30, "rows have their own");
        refusals.pass(1);
        assert_eq!(refusals.refuse_values([]), []);
        let left = refusals.leave("s", "page 1", Time::default());
        let message: Vec<_> = left.iter().map(|reject| (reject.rows, reject.values, &*reject.detail)).collect();
        assert_eq!(message, [(0, 50, "50 more values like the first 100")]);
        assert_eq!((refusals.refused(), refusals.flawed(), refusals.values()), (30, 150, 150));
        assert_eq!(refusals.reasons()[&Reason::BadValue], 180);
    }

    #[test]
    fn rows_without_some_of_their_values_count_as_rejects_for_the_limit() {
        let mut refusals = Refusals::default();
        for row in 0..9 {
            refusals.pass(1);
            drop(refusals.refuse_values([value(row), value(row)]));
        }
        assert_eq!(refusals.too_many(None, true), None, "a few homes may each have one");
        let why = "9 of the first 9 rows are refused, or values of them, (100.0 %, more than 10 %): bad_value 18";
        assert_eq!(refusals.too_many(Some(10.0), true).as_deref(), Some(why));
        refusals.pass(1);
        drop(refusals.refuse_values([value(9)]));
        let why = "none of the first 10 rows is understood in whole: bad_value 19";
        assert_eq!(refusals.too_many(None, false).as_deref(), Some(why));
        refusals.pass(1);
        assert_eq!(refusals.too_many(None, true), None);
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
