//! Encodes and decodes an observation, compared with parsing the same line with `serde_json`; packs and unpacks a
//! Kinesis record full of such lines.

use std::hint::black_box;

use criterion::{Criterion, Throughput, criterion_group, criterion_main};
use stoop_domain::{
    Address, Area, AreaUnit, Currency, Details, Listing, Minor, Observation, PropertyType, Purpose, Time,
};
use stoop_wire::kpl::{Deaggregated, aggregate, deaggregate};
use stoop_wire::{EncodedListing, encode_with, encoded_len};

fn observation() -> Observation {
    let text = |text: &str| Some(text.to_owned());
    let address = Address {
        line: text("4729 Juniper Terrace Pl"),
        city: text("Chicago"),
        county: text("Cook"),
        region: text("IL"),
        postal_code: text("60601"),
        country: text("US"),
        latitude_e6: Some(41_832_475),
        longitude_e6: Some(-87_648_833),
        ..Address::default()
    };
    let details = Details {
        description: text(
            "Steps from the farmers market and the library, this is city living with a front porch and a garden gate. \
             The kitchen has counters of quartz, a gas range, and opens to the dining area.",
        ),
        agency: text("Lantern Street Properties"),
        ..Details::default()
    };
    let mut listing = Listing::new(Purpose::Sale, Currency::USD, address);
    listing.list_price = Some(Minor(56_100_000));
    listing.property_type = Some(PropertyType::SingleFamilyResidence);
    listing.bedrooms = Some(6);
    listing.living_area = Some(Area::of(3_022, AreaUnit::SquareFeet));
    listing.details = details;
    Observation::new("bench", "SIM00000000", Time::from_ms(1_767_571_208_832), listing)
}

fn wire(criterion: &mut Criterion) {
    let observation = observation();
    let mut line = Vec::new();
    stoop_wire::encode(&observation, &mut line);
    let mut group = criterion.benchmark_group("wire");
    group.throughput(Throughput::Bytes(line.len() as u64));
    let mut out = Vec::with_capacity(line.len());
    group.bench_function("encode", |bench| {
        bench.iter(|| {
            out.clear();
            stoop_wire::encode(black_box(&observation), &mut out);
        });
    });
    // As the poller does: for a hash of the steady parts, for the size of the line, and for the line.
    group.bench_function("encode_once_for_hash_size_and_line", |bench| {
        bench.iter(|| {
            let listing = EncodedListing::of(black_box(&observation.listing));
            black_box((listing.steady(), encoded_len(&observation, &listing)));
            out.clear();
            encode_with(&observation, &listing, &mut out);
        });
    });
    group.bench_function("serde_json_to_writer", |bench| {
        bench.iter(|| {
            out.clear();
            serde_json::to_writer(&mut out, black_box(&observation)).expect("plain structs");
        });
    });
    group.bench_function("decode", |bench| bench.iter(|| stoop_wire::decode(black_box(&line))));
    group.bench_function("serde_json_value", |bench| {
        bench.iter(|| serde_json::from_slice::<serde_json::Value>(black_box(&line)));
    });
    group.finish();

    let lines = vec![line.as_slice(); 1_000_000 / line.len()];
    let record = aggregate("search", lines.iter().copied());
    let mut group = criterion.benchmark_group("kpl");
    group.throughput(Throughput::Bytes(record.len() as u64));
    group.bench_function("aggregate", |bench| bench.iter(|| aggregate("search", black_box(&lines).iter().copied())));
    group.bench_function("deaggregate", |bench| {
        bench.iter(|| match deaggregate(black_box(&record)) {
            Ok(Deaggregated::Aggregated(aggregated)) => aggregated.user_records().count(),
            other => panic!("not aggregated: {other:?}"),
        });
    });
    group.finish();
}

criterion_group!(benches, wire);
criterion_main!(benches);
