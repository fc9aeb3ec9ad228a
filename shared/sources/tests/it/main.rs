//! Tests of the sources through their public interface.

#![allow(clippy::unwrap_used, reason = "a test that cannot go on fails")]

mod answers;
mod cards_hostile;
mod cards_payloads;
mod cards_scan;
mod declared;
mod declared_amounts;
mod declared_http;
mod declared_keys;
mod declared_paths;
mod declared_sales;
mod declared_scan;
mod growth;
mod hostile;
mod http_maps;
mod maps;
mod origins;
mod payloads;
mod payloads_hostile;
mod payloads_portals;
mod portals_scan;
mod real;
mod reported;
mod zillow_hostile;
mod zillow_payloads;
mod zillow_split;
