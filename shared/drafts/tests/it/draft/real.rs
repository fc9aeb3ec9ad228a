//! Drafts from real samples, if `../shared/data` exists.

use super::*;

/// A real sample; `None`, with a note on stderr, if the data is missing.
fn real(name: &str) -> Option<Value> {
    let root = std::env::var_os("STOOP_DATA")
        .map_or_else(|| PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../../../shared/data"), PathBuf::from);
    if !root.is_dir() {
        eprintln!("skipped: ../shared/data is not here");
        return None;
    }
    Some(serde_json::from_slice(&std::fs::read(root.join(name)).unwrap()).unwrap())
}

#[test]
fn real_answers_are_drafted_right() {
    for (file, lines) in [
        (
            "payloads/zillow56/search_houston_p1_of_20.json",
            &[
                ("native_id", "zpid"),
                ("list_price", "\"price\""),
                ("lot_area", "{lotAreaValue} {lotAreaUnit}"),
                ("city", "\"city\""),
            ][..],
        ),
        (
            "payloads/zillow-com1/search_forsale_chicago_p1_of_20.json",
            &[
                ("native_id", "zpid"),
                ("postal_code", "\"address\", regex"),
                ("images", "imgSrc"),
                ("living_area", "sqft"),
            ],
        ),
        (
            "payloads/realtor/us_real_estate_v3_for_sale_p1.json",
            &[
                ("native_id", "\"property_id\""),
                ("list_price", "list_price"),
                ("listed_at", "list_date"),
                ("latitude", "/location/address/coordinate/lat"),
            ],
        ),
        (
            "payloads/rentcast/rental_long_term_new_york.json",
            &[("native_id", "\"id\""), ("purpose", "\"rent\""), ("listed_at", "listedDate"), ("line", "addressLine1")],
        ),
        (
            "payloads/reso/mlsgrid_actris_property.json",
            &[("native_id", "ListingKey"), ("list_price", "ListPrice"), ("original_list_price", "OriginalListPrice")],
        ),
        (
            "ma-avito-2024/avito_2024-10-02.json",
            &[
                ("list_price", "money = \"fr\""),
                ("city", "\"city\""),
                ("neighbourhood", "/attributes/Secteur"),
                ("listed_at", "relative = \"fr\""),
            ],
        ),
        (
            "ma-yakeey-2024/yakeey_2024-10-02.json",
            &[("native_id", "reference"), ("country", "\"MA\""), ("bedrooms", "chambres")],
        ),
    ] {
        let Some(document) = real(file) else { return };
        let name = file.rsplit('/').next().unwrap_or(file);
        let draft = drafted(document, &DraftHints::new("x", name));
        says(&draft, lines);
    }
}
