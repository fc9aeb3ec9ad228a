//! A market's stored state: any bytes are refused, or decode to a state that can be read, folded and encoded again
//! without a panic.
#![no_main]

use jiff::tz::TimeZone;
use libfuzzer_sys::fuzz_target;
use stoop_domain::{Day, Time};
use stoop_market::{Cells, CodecError, Horizon, Segment, closes, snapshot};

mod framed;

fuzz_target!(|body: &[u8]| {
    let format = Cells::default().to_bytes()[0];
    match Cells::from_bytes(&framed::framed(format, body)) {
        Ok(mut cells) => {
            assert_eq!(Cells::from_bytes(&cells.to_bytes()).as_ref(), Ok(&cells));
            let now = Time::from_ms(1_768_392_000_000);
            std::hint::black_box(snapshot(&cells, now, &TimeZone::UTC));
            std::hint::black_box(closes(&cells, Segment::All, Day(20_400), Day(20_500)));
            std::hint::black_box(cells.fold_to(Horizon::of(Day(20_500))));
        }
        Err(CodecError::Damaged) => {}
        Err(CodecError::Version(format)) => panic!("format {format}"),
    }
});
