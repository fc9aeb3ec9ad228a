//! What it costs to find an area among 40,000 markets: `cargo run --release -p stoop-pipeline --example areas`.

use std::hint::black_box;
use std::time::Instant;

use stoop_domain::Market;
use stoop_gazetteer::Gazetteer;
use stoop_serve::find_area;

const MARKETS: usize = 40_000;
/// Of five markets so many are in areas that a source alone tells of.
const TOLD_OF_FIVE: usize = 1;
const TIMES: u32 = 20;

fn main() {
    let places = Gazetteer::get();
    let codes = places.paths().filter(|path| path.starts_with("us/") && !path.ends_with("/-"));
    let id = |(n, path): (usize, String)| {
        let (city, code) = path.rsplit_once('/').unwrap_or_default();
        let area = if n % 5 < TOLD_OF_FIVE { format!("{city}/~residence-{code}") } else { path.clone() };
        format!("{area}:sale:USD").parse::<Market>().ok()
    };
    let markets: Vec<Market> = codes.take(MARKETS).enumerate().filter_map(id).collect();
    println!("{} markets", markets.len());
    for query in [
        "us/wa/king/seattle/98178",
        "us/wa/king",
        "us/",
        "US/WA/King",
        "us/washington/king county",
        "98178",
        "austin tx",
        "springfield",
        "residence 10001 new york",
        "seatle",
        "zzzzqqqqxxxx",
    ] {
        let began = Instant::now();
        for _ in 0..TIMES {
            black_box(find_area(black_box(query), &markets).is_ok());
        }
        println!("{query:>28}: {:8.2} ms", began.elapsed().as_secs_f64() * 1e3 / f64::from(TIMES));
    }
}
