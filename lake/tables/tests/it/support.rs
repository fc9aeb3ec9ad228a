use std::collections::BTreeMap;
use std::path::Path;

use deltalake::arrow::array::Array;
use deltalake::arrow::util::display::{ArrayFormatter, FormatOptions};
use stoop_domain::{Address, Area, AreaUnit, Currency, Listing, Minor, Observation, Purpose, Status, Time};
use stoop_lake_tables::{Chunk, Ingest, Lake, LakeError, LakeTable};

pub(crate) const NOW: &str = "2026-03-01T12:00:00Z";

pub(crate) fn now() -> Time {
    Time::parse(NOW).unwrap()
}

/// An observation of one of a few homes in two places; every number gives another one.
pub(crate) fn observation(number: u32) -> Observation {
    let (city, region) = [("Seattle", "WA"), ("Austin", "TX")][(number % 2) as usize];
    let address = Address {
        city: Some(city.into()),
        region: Some(region.into()),
        country: Some("US".into()),
        ..Address::default()
    };
    let mut listing = Listing::new(Purpose::Sale, Currency::USD, address);
    listing.list_price = Some(Minor(50_000_000 - i64::from(number) * 100));
    listing.living_area = Some(Area::of(1_000 + number, AreaUnit::SquareFeet));
    if number.is_multiple_of(7) {
        listing.status = Status::Pending;
    }
    // A month has about 68 of them.
    let at = Time::parse("2026-01-05T00:00:00Z").unwrap().plus_ms(i64::from(number) * 11 * Time::HOUR_MS);
    Observation::new("test", format!("{}", number % 5), at, listing)
}

pub(crate) fn line(observation: &Observation) -> Vec<u8> {
    let mut line = Vec::new();
    stoop_wire::encode(observation, &mut line);
    line
}

pub(crate) fn lines(numbers: impl IntoIterator<Item = u32>) -> Vec<Vec<u8>> {
    numbers.into_iter().map(|number| line(&observation(number))).collect()
}

pub(crate) fn chunk(object: &str, lines: &[Vec<u8>]) -> Chunk {
    Chunk::of_object(object, lines.iter().map(Vec::as_slice))
}

pub(crate) fn run<T>(work: impl Future<Output = T>) -> T {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    runtime.block_on(stoop_waits::within("the tables", work))
}

/// Takes those chunks that were not taken.
pub(crate) async fn ingest(lake: &Lake, chunks: &[(String, Chunk)]) -> Result<Ingest, LakeError> {
    ingest_keeping(lake, chunks, 1_000).await
}

/// The same with so many names of observations in memory.
pub(crate) async fn ingest_keeping(lake: &Lake, chunks: &[(String, Chunk)], names: usize) -> Result<Ingest, LakeError> {
    let mut ingest = Ingest::open(lake, now()).await?.keeping(names);
    let taken = ingest.taken().await?;
    for (_, chunk) in chunks.iter().filter(|(object, _)| !taken.contains(object)) {
        ingest.take(chunk, now()).await?;
    }
    Ok(ingest)
}

/// The rows of a table: for each key its columns, without those that say how it came there. Each row must be there once.
pub(crate) fn rows(folder: &Path, table: &str) -> BTreeMap<String, BTreeMap<String, String>> {
    run(async { rows_of(&LakeTable::read(&Lake::folder(folder).unwrap(), table).await.unwrap()).await })
}

pub(crate) async fn rows_of(table: &LakeTable) -> BTreeMap<String, BTreeMap<String, String>> {
    let mut rows = BTreeMap::new();
    let visit = |batch: &deltalake::arrow::array::RecordBatch| {
        let options = FormatOptions::default();
        let schema = batch.schema();
        for row in 0..batch.num_rows() {
            let cells = schema.fields().iter().zip(batch.columns()).filter(|(_, array)| array.is_valid(row));
            let mut cells: BTreeMap<String, String> = cells
                .map(|(field, array)| {
                    let text = ArrayFormatter::try_new(array, &options).unwrap().value(row).to_string();
                    (field.name().clone(), text)
                })
                .collect();
            cells.retain(|name, _| !name.starts_with("ingested_") && name != "observations_id");
            let key = cells.get("observation_id").or_else(|| cells.get("line_id")).or_else(|| cells.get("object"));
            let key = key.unwrap().clone();
            assert!(rows.insert(key.clone(), cells).is_none(), "{key} is there twice");
        }
    };
    table.each_batch(&[], visit).await.unwrap();
    assert_eq!(table.rows().unwrap(), rows.len() as u64, "the log counts the rows");
    rows
}
