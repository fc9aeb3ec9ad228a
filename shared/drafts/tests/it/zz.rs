#[test]
fn try_one() {
    let Ok(file) = std::env::var("TRY") else { return };
    let text = std::fs::read(&file).unwrap();
    let hint = |name: &str| std::env::var(name).ok();
    let hints = stoop_drafts::DraftHints {
        country: hint("COUNTRY"),
        currency: hint("CURRENCY"),
        purpose: hint("PURPOSE")
            .map(|p| if p == "rent" { stoop_domain::Purpose::Rent } else { stoop_domain::Purpose::Sale }),
        ..stoop_drafts::DraftHints::new("x", &file)
    };
    let sample = if file.ends_with("csv") {
        let layout = stoop_drafts::Layout::of_csv(&text, false, b',');
        let mut reader =
            csv::ReaderBuilder::new().delimiter(layout.delimiter.unwrap_or(b',')).flexible(true).from_reader(&text[..]);
        let headers = reader.byte_headers().unwrap().clone();
        let rows = reader
            .byte_records()
            .filter_map(Result::ok)
            .filter(|r| {
                r.len() == headers.len()
                    && !layout.comments.iter().any(|c| r.get(0).unwrap_or_default().starts_with(c.as_bytes()))
            })
            .collect();
        stoop_drafts::Sample::of_csv(&headers, rows).unwrap().opened(layout)
    } else {
        stoop_drafts::Sample::of_document(serde_json::from_slice(&text).unwrap()).unwrap()
    };
    match stoop_drafts::draft(&sample, &hints) {
        Ok(d) => println!("{}\n{:?}", d.toml, d.proof.refused),
        Err(e) => println!("ERR {e}"),
    }
}
