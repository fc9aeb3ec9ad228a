//! A line of the stream: any bytes are refused, or decode to an observation that survives a round trip.
#![no_main]

use libfuzzer_sys::fuzz_target;
use stoop_domain::Home;
use stoop_wire::{decode, encode};

fuzz_target!(|line: &[u8]| {
    if let Ok(observation) = decode(line) {
        let mut again = Vec::new();
        encode(&observation, &mut again);
        assert_eq!(decode(&again).as_ref().ok(), Some(&observation));
        if observation.check(observation.seen).is_ok() {
            let mut home = Home::default();
            home.apply(&observation);
        }
    }
});
