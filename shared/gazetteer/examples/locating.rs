//! Measures the gazetteer: `cargo run --release -p stoop-gazetteer --example locating`.

use std::hint::black_box;
use std::time::Instant;

use stoop_gazetteer::{AddressParts, Gazetteer};

fn main() {
    let decode = || {
        let began = Instant::now();
        let places = Gazetteer::decode();
        (began.elapsed(), places)
    };
    let (first, places) = decode();
    let best = (0..5).map(|_| decode().0).min().unwrap_or(first);
    let ms = |time: std::time::Duration| time.as_secs_f64() * 1e3;
    println!("decode: {:.1} ms at first, {:.1} ms at best", ms(first), ms(best));
    println!("memory: {:.1} MB", places.memory_bytes() as f64 / 1e6);

    let us = |region, city, postal_code| AddressParts {
        country: Some("US"),
        region,
        city,
        postal_code,
        ..AddressParts::default()
    };
    let morocco = |city, quarter| AddressParts {
        country: Some("MA"),
        city: Some(city),
        neighbourhood: Some(quarter),
        ..AddressParts::default()
    };
    for (what, words) in [
        ("ZIP", us(None, None, Some("98178"))),
        ("ZIP, state, city", us(Some("WA"), Some("Seattle"), Some("98178"))),
        ("state and city", us(Some("Texas"), Some("Austin"), None)),
        ("a city of many bearers", us(Some("IL"), Some("Springfield"), None)),
        ("city and quarter", morocco("Casablanca", "Maarif")),
        ("city and quarter in Arabic", morocco("الدار البيضاء", "المعاريف")),
        ("nothing known", us(Some("Nowhere"), Some("Nothing"), Some("00000"))),
    ] {
        time(&format!("locate {what}"), 20_000, || drop(black_box(places.locate(black_box(&words)))));
    }
    for text in ["78704", "austin tx", "springfield", "casablanca maarif", "wien 1070", "الدار البيضاء"] {
        time(&format!("find {text}"), 5_000, || drop(black_box(places.find(black_box(text)))));
    }
    for text in ["seatle", "casblanca maarfi", "zzzzqqqqxxxx"] {
        time(&format!("find {text}, nearly"), 50, || drop(black_box(places.find(black_box(text)))));
    }
}

fn time(what: &str, times: u32, mut work: impl FnMut()) {
    let began = Instant::now();
    (0..times).for_each(|_| work());
    println!("{what}: {:.1} µs", began.elapsed().as_secs_f64() * 1e6 / f64::from(times));
}
