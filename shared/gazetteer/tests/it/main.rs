//! Tests of the gazetteer from outside.

mod counts;
mod laws;
mod real;
mod search;
mod sources;
mod spellings;
