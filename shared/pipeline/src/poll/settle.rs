//! What follows from a scan as a whole: what is gone, and where the next one begins.

mod gone;
mod pages;

pub(super) use gone::{Look, do_as_ruled, judge_absent, report_gone_again};
pub(super) use pages::{End, broken_off, ended};
