//! An aggregated Kinesis record with a valid checksum: no bytes make its reader panic.
#![no_main]

use libfuzzer_sys::fuzz_target;
use md5::{Digest, Md5};
use stoop_wire::kpl::{Deaggregated, aggregate, deaggregate};
use stoop_wire::lines;

fuzz_target!(|message: &[u8]| {
    let magic = &aggregate("k", [&b"x"[..]])[..4];
    let record = [magic, message, &Md5::digest(message)].concat();
    match deaggregate(&record) {
        Ok(Deaggregated::Aggregated(aggregated)) => {
            let of_lines = |data: &[u8]| lines(data).count();
            std::hint::black_box(aggregated.user_records().map(|user| of_lines(user.data)).sum::<usize>());
            std::hint::black_box((aggregated.partition_keys().count(), aggregated.explicit_hash_keys().count()));
        }
        Ok(Deaggregated::Damaged(_)) => assert!(message.is_empty()),
        Ok(Deaggregated::Plain(_)) => panic!("it has no magic"),
        Err(_) => {}
    }
});
