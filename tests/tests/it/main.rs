//! The pipeline over its ports, without AWS.

#![allow(clippy::unwrap_used, reason = "a test that cannot continue fails")]

mod alerts;
mod api;
mod api_areas;
mod api_changes;
mod api_compare;
mod api_csv;
mod api_documents;
mod api_function;
mod api_homes;
mod api_searches;
mod api_yields;
mod aws_limits;
mod believe;
mod common_moves;
mod confirm;
mod conformance_embedded;
mod day;
mod deliver;
mod display;
mod drain;
mod drift;
mod expiry;
mod files;
mod host;
mod infra_check;
mod limits;
mod loss;
mod mapping;
mod measure;
mod order;
mod other_listings;
mod past;
mod plan;
mod poll;
mod processor;
mod queue;
mod scan;
mod site;
mod small_town;
mod support;
mod template;
mod watch;
mod world;
