//! A stored home: any bytes are refused, or decode to a home that can be read, formatted and encoded again without a
//! panic.
#![no_main]

use libfuzzer_sys::fuzz_target;
use stoop_domain::Home;
use stoop_market::contribution;
use stoop_wire::{HomeError, home_from_bytes, home_to_bytes};

mod framed;

fuzz_target!(|body: &[u8]| {
    let format = home_to_bytes(&Home::default())[0];
    match home_from_bytes(&framed::framed(format, body)) {
        Ok(home) => {
            assert_eq!(home_from_bytes(&home_to_bytes(&home)).as_ref(), Ok(&home));
            std::hint::black_box((home.history.events(), home.history.seen(), home.history.listed_at()));
            std::hint::black_box(contribution(&home.history, &mut stoop_market::Zones::default()));
        }
        Err(HomeError::Damaged | HomeError::Attribute(_)) => {}
        Err(HomeError::Version(format)) => panic!("format {format}"),
    }
});
