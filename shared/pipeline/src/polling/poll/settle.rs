//! Handles the end of a scan: finds what is gone, and where the next scan starts.

mod gone;
mod pages;

pub(super) use gone::{ScanContext, do_as_ruled, judge_absent, report_gone_again};
pub(super) use pages::{End, broken_off, ended};
