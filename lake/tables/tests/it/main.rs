//! The tables in a folder: rows that come in any order, processes that die, writers at the same time.

mod columns;
mod derived;
mod exact;
mod hostile;
mod killed;
mod maintained;
mod once;
mod support;
mod writers;
