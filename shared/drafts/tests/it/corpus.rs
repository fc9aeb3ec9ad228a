//! Made-up inputs in the shape of portals and exports of many countries, read by drafts alone: how many fields are right,
//! and that none is wrong and certain.

use std::collections::BTreeMap;
use std::path::Path;

use csv::{ByteRecord, ReaderBuilder};
use stoop_domain::{Area, AreaUnit, Currency, Minor, Observation, Purpose, Time};
use stoop_drafts::{Draft, DraftHints, Layout, Sample, draft};
use stoop_sources::declared::{RowBytes, RowOutcome};

/// The fields whose values the corpus gives. Where an input does not name one, it has no value of it.
const FIELDS: [&str; 25] = [
    "native_id",
    "observed_at",
    "purpose",
    "status",
    "list_price",
    "close_price",
    "close_date",
    "listed_at",
    "property_type",
    "bedrooms",
    "bathrooms",
    "living_area",
    "lot_area",
    "year_built",
    "line",
    "neighbourhood",
    "city",
    "county",
    "region",
    "postal_code",
    "latitude",
    "longitude",
    "title",
    "images",
    "url",
];

/// Fields that an input need not name: of people and firms, which are in no figure, and other amounts.
const MORE: [&str; 5] = ["seller", "agency", "original_list_price", "previous_list_price", "association_fee"];

/// Values that an input need not give: any is right.
const FREE: [&str; 3] = ["purpose", "status", "observed_at"];

/// One input: its hints, its rows and the right values.
struct Input {
    name: String,
    hints: DraftHints,
    is_csv: bool,
    data: String,
    /// The right value of each named field, row by row.
    right: Vec<BTreeMap<String, String>>,
}

/// What a draft made of the corpus.
#[derive(Default)]
struct Score {
    values: usize,
    right: usize,
    wrong: Vec<String>,
    missing: Vec<String>,
}

fn inputs() -> Vec<Input> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/corpus");
    let mut files: Vec<_> = std::fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path()).collect();
    files.sort();
    files.into_iter().map(|file| input(&file)).collect()
}

fn input(file: &Path) -> Input {
    let text = std::fs::read_to_string(file).unwrap();
    let name = file.file_stem().unwrap().to_string_lossy().into_owned();
    let (head, rest) = text.split_once("\n--- ").unwrap_or_else(|| panic!("{name}"));
    let (kind, rest) = rest.split_once('\n').unwrap();
    let (data, right) = rest.split_once("--- right\n").unwrap_or_else(|| panic!("{name}"));
    let mut hints = DraftHints::new("corpus", &format!("{name}.{kind}"));
    for (nth, word) in head.split(' ').enumerate() {
        match (nth, word) {
            (0, code) => hints.country = Some(code.to_owned()),
            (_, "sale") => hints.purpose = Some(Purpose::Sale),
            (_, "rent") => hints.purpose = Some(Purpose::Rent),
            (_, word) => match word.split_once('=') {
                Some(("id", column)) => hints.id = Some(column.to_owned()),
                Some(("currency", code)) => hints.currency = Some(code.to_owned()),
                _ => panic!("{name}: {word}"),
            },
        }
    }
    let mut lines = right.lines().map(|line| line.split(" | ").map(str::to_owned).collect::<Vec<_>>());
    let fields = lines.next().unwrap();
    assert!(fields.iter().all(|field| FIELDS.contains(&&**field) || MORE.contains(&&**field)), "{name}: {fields:?}");
    let right = lines.map(|values| fields.iter().cloned().zip(values).collect()).collect();
    Input { name, hints, is_csv: kind == "csv", data: data.to_owned(), right }
}

/// The draft of an input; what is missing is shown, and with `SHOW=NAME` its map.
fn drafted(input: &Input, sample: &Sample) -> Option<Draft> {
    if std::env::var("SHOW").is_ok_and(|name| name == input.name) {
        eprintln!("{}", draft(sample, &input.hints).map_or_else(|e| e.to_string(), |d| d.toml));
    }
    draft(sample, &input.hints).inspect_err(|error| eprintln!("{}: {error}", input.name)).ok()
}

/// Reads an input with its own draft, row by row; `None` if there is no draft.
fn read(input: &Input) -> Option<Vec<Option<Observation>>> {
    let now = Time::parse("2026-12-01T00:00:00Z").unwrap();
    if !input.is_csv {
        let document: serde_json::Value = serde_json::from_str(&input.data).unwrap();
        let drafted = drafted(input, &Sample::of_document(document.clone()).unwrap())?;
        let rows = drafted.map.hints().rows.as_deref().map_or(Some(&document), |path| document.pointer(path))?;
        let mut reader = drafted.map.bind_json();
        let rows = rows.as_array()?.iter();
        return Some(
            rows.map(|row| seen(reader.read(RowBytes::Json(row.to_string().as_bytes()), "x.json", now), now)).collect(),
        );
    }
    let layout = Layout::of_csv(input.data.as_bytes(), false, b',');
    let delimiter = layout.delimiter.unwrap_or(b',');
    let mut reader = ReaderBuilder::new().delimiter(delimiter).from_reader(input.data.as_bytes());
    let headers = reader.byte_headers().unwrap().clone();
    let rows: Vec<ByteRecord> = reader.byte_records().map(Result::unwrap).collect();
    let sample = Sample::of_csv(&headers, rows.clone()).unwrap().opened(layout);
    let drafted = drafted(input, &sample)?;
    let mut reader = drafted.map.bind_csv(&headers).unwrap();
    Some(rows.iter().map(|row| seen(reader.read(RowBytes::Csv(row), "x.csv", now), now)).collect())
}

fn seen(read: Result<RowOutcome, stoop_sources::declared::RowError>, now: Time) -> Option<Observation> {
    match read {
        Ok(RowOutcome::Observation(mut observation, _)) => {
            observation.check(now).inspect_err(|refused| eprintln!("{refused:?}")).ok().map(|_| observation)
        }
        Ok(RowOutcome::Skipped) => None,
        Err(error) => {
            eprintln!("{error:?}");
            None
        }
    }
}

/// A value in the notation of the corpus; `-` if it is unknown.
fn value(observation: &Observation, field: &str) -> String {
    let Observation { native_id, at, listing, .. } = observation;
    let (address, details) = (&listing.address, &listing.details);
    let day = |time: Option<Time>| time.map(|time| time.to_string()[..10].to_owned());
    let number = |hundredths: i64| format!("{}", hundredths as f64 / 100.0);
    let money = |amount: Option<Minor>, currency: Currency| {
        amount.map(|amount| format!("{} {currency}", number((amount.major_f64(currency) * 100.0).round() as i64)))
    };
    let area = |area: Option<Area>| {
        area.map(|area| {
            let unit = match area.unit {
                AreaUnit::SquareMeters => "m2",
                AreaUnit::SquareFeet => "sqft",
                AreaUnit::Acres => "acres",
            };
            format!("{} {unit}", area.ten_thousandths as f64 / 10_000.0)
        })
    };
    let degrees = |e6: Option<i32>| e6.map(|e6| format!("{}", f64::from(e6) / 1e6));
    let found = match field {
        "native_id" => Some(native_id.clone()),
        "observed_at" => day(Some(*at)),
        "purpose" => Some(listing.purpose.as_str().to_owned()),
        "status" => Some(listing.status.as_str().to_owned()),
        "list_price" => money(listing.list_price, listing.currency),
        "close_price" => money(listing.close_price, listing.currency),
        "original_list_price" => money(listing.original_list_price, listing.currency),
        "previous_list_price" => money(listing.previous_list_price, listing.currency),
        "association_fee" => money(listing.association_fee, listing.currency),
        "close_date" => listing.close_date.map(|day| day.to_string()),
        "listed_at" => day(listing.listed_at),
        "property_type" => listing.property_type.map(|kind| kind.as_str().to_owned()),
        "bedrooms" => listing.bedrooms.map(|count| count.to_string()),
        "bathrooms" => listing.bathrooms_hundredths.map(|count| number(count.into())),
        "living_area" => area(listing.living_area),
        "lot_area" => area(listing.lot_area),
        "year_built" => listing.year_built.map(|year| year.to_string()),
        "line" => address.line.clone(),
        "neighbourhood" => address.neighbourhood.clone(),
        "city" => address.city.clone(),
        "county" => address.county.clone(),
        "region" => address.region.clone(),
        "postal_code" => address.postal_code.clone(),
        "latitude" => degrees(address.latitude_e6),
        "longitude" => degrees(address.longitude_e6),
        "title" => details.title.clone(),
        "url" => details.url.clone(),
        "seller" => details.seller.clone(),
        "agency" => details.agency.clone(),
        "images" => details.images.first().cloned(),
        other => panic!("no field {other}"),
    };
    found.unwrap_or_else(|| "-".to_owned())
}

impl Score {
    fn take(&mut self, input: &Input) {
        let rows = read(input).unwrap_or_default();
        for (at, right) in input.right.iter().enumerate() {
            let row = rows.get(at).and_then(Option::as_ref);
            let named = right.iter().filter(|(_, value)| *value != "-").count();
            self.values += named;
            let Some(row) = row else {
                self.missing.push(format!("{}, row {}: refused, {named} values", input.name, at + 1));
                continue;
            };
            let fields = FIELDS.into_iter().chain(MORE);
            for field in fields {
                let wanted = right.get(field).map(String::as_str);
                let found = value(row, field);
                let line =
                    format!("{}, row {}, {field}: {found}, right: {}", input.name, at + 1, wanted.unwrap_or("-"));
                match wanted {
                    Some(wanted) if found == wanted => self.right += usize::from(wanted != "-"),
                    Some(_) if found == "-" => self.missing.push(line),
                    None if found == "-" || FREE.contains(&field) || MORE.contains(&field) || field == "title" => {}
                    _ => self.wrong.push(line),
                }
            }
        }
    }
}

#[test]
fn drafts_read_the_corpus() {
    let inputs = inputs();
    assert!(inputs.len() >= 50, "{}", inputs.len());
    let countries: std::collections::BTreeSet<_> = inputs.iter().map(|input| input.hints.country.clone()).collect();
    assert!(countries.len() >= 20, "{countries:?}");
    let mut score = Score::default();
    inputs.iter().for_each(|input| score.take(input));
    let Score { values, right, wrong, missing } = &score;
    eprintln!(
        "{right} of {values} values are right, {} wrong\n{}\n{}",
        wrong.len(),
        wrong.join("\n"),
        missing.join("\n")
    );
    assert!(wrong.is_empty(), "wrong and certain:\n{}", wrong.join("\n"));
    assert!(right * 100 >= values * 95, "{right} of {values}:\n{}", missing.join("\n"));
    let share = *right as f64 * 100.0 / *values as f64;
    let line = format!(
        "{} inputs of {} countries: {right} of {values} values are right ({share:.1} %), {} are left out, {} are wrong.",
        inputs.len(),
        countries.len(),
        values - right,
        wrong.len()
    );
    in_document(&line);
}

/// Compares the figures with those of docs/SOURCES.md; with UPDATE_DOCS=1 they are written there.
fn in_document(line: &str) {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../docs/SOURCES.md");
    let page = std::fs::read_to_string(&path).unwrap();
    let (begin, end) = ("<!-- corpus -->\n", "\n<!-- /corpus -->");
    let (before, rest) = page.split_once(begin).expect("docs/SOURCES.md has no place for the figures");
    let (known, after) = rest.split_once(end).expect("docs/SOURCES.md has no end of the figures");
    if std::env::var_os("UPDATE_DOCS").is_some() {
        std::fs::write(&path, format!("{before}{begin}{line}{end}{after}")).unwrap();
    } else {
        assert_eq!(known, line, "UPDATE_DOCS=1 writes it");
    }
}
