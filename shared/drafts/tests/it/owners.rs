//! Whose value is it: values of people, firms, adverts and other homes are never the listing's.

use serde_json::{Value, json};
use stoop_domain::Purpose;
use stoop_drafts::{Draft, DraftHints, Sample, draft};

fn drafted(rows: Value, country: &str) -> Draft {
    let hints =
        DraftHints { country: Some(country.into()), purpose: Some(Purpose::Sale), ..DraftHints::new("t", "t.json") };
    draft(&Sample::of_document(rows).unwrap(), &hints).unwrap_or_else(|error| panic!("{error}"))
}

/// The enabled line of a field.
fn line(draft: &Draft, field: &str) -> Option<String> {
    let begins = format!("{field} = ");
    draft.toml.lines().find(|line| line.starts_with(&begins)).map(str::to_owned)
}

#[test]
fn the_home_has_its_own_address_and_pictures() {
    let row = |id: u32, owner: &str, own: Value| {
        let mut row =
            json!({"id": format!("K-{id}"), "price": 250_000 + id, "place": {"town": "Kassel", "zip": "34117"}});
        row[owner] = json!({"name": "Haus & Hof", "address": format!("Am Markt {id}, 34225 Baunatal"), "city": "Baunatal",
            "postalCode": "34225", "logo": format!("https://i.example/{id}.png"), "website": format!("https://hof.example/{id}"),
            "picture": format!("https://i.example/p{id}.jpg"), "lat": 51.25 + f64::from(id) / 1e3, "lon": 9.4});
        row["place"]["street"] = own;
        row["media"] = json!({"photos": [format!("https://i.example/home{id}.jpg")]});
        row["link"] = json!(format!("https://p.example/home/{id}"));
        row
    };
    for owner in [
        "agency",
        "provider",
        "lister",
        "listingCompany",
        "customer",
        "project",
        "badge",
        "banner",
        "insight",
        "scan",
        "advertiser",
        "listing_agent",
        "realtors",
        "anbieter",
        "annonceur",
        "inmobiliaria",
        "similarHomes",
        "nearestSchool",
        "biuro",
        "account",
        "client",
        "holder",
        "societe",
        "taxpayer",
        "mailing",
    ] {
        let rows =
            json!([row(1, owner, json!(null)), row(2, owner, json!("Wolfsschlucht 7")), row(3, owner, json!(null))]);
        let draft = drafted(rows, "DE");
        let found = |field: &str| line(&draft, field).unwrap_or_else(|| panic!("{owner}: no {field}\n{}", draft.toml));
        assert!(found("line").contains("/place/street"), "{owner}: {}", found("line"));
        assert!(found("city").contains("/place/town"), "{owner}: {}", found("city"));
        assert!(found("postal_code").contains("/place/zip"), "{owner}: {}", found("postal_code"));
        assert!(found("images").contains("/media/photos"), "{owner}: {}", found("images"));
        assert!(found("url").contains("\"link\""), "{owner}: {}", found("url"));
        assert_eq!((line(&draft, "latitude"), line(&draft, "longitude")), (None, None), "{owner}");
    }
}

#[test]
fn what_only_others_have_is_not_read_and_is_mentioned() {
    let row = |id: u32| {
        json!({"id": id, "price": 250_000 + id, "city": "Kassel", "bannerUrl": "https://i.example/b.png",
            "office": {"street": format!("Am Markt {id}"), "logoUrl": "https://i.example/l.png"}})
    };
    let draft = drafted(json!([row(1), row(2)]), "DE");
    for field in ["line", "images", "url"] {
        assert_eq!(line(&draft, field), None, "{}", draft.toml);
    }
    let street = draft.toml.lines().find(|line| line.contains("/office/street")).unwrap_or_default();
    assert!(street.starts_with('#') && street.contains("office"), "{}", draft.toml);
}

#[test]
fn a_wrapper_of_all_is_no_owner() {
    let row = |id: u32| {
        json!({"kind": "x", "advert": {"id": id, "price": 250_000 + id, "street": format!("Am Markt {id}"), "city": "Kassel",
            "agency": {"name": "Hof", "street": "Ring 1"}}})
    };
    let draft = drafted(json!([row(1), row(2)]), "DE");
    assert_eq!(line(&draft, "line").as_deref(), Some(r#"line = { from = "/advert/street" }"#), "{}", draft.toml);
    assert!(line(&draft, "list_price").is_some() && line(&draft, "native_id").is_some());
}

#[test]
fn the_street_alone_is_better_than_the_whole_address() {
    let row = |id: u32| {
        json!({"id": id, "price": 250_000 + id, "address": {"suburb": "Wollert", "postcode": "3750", "state": "VIC",
            "display": {"shortAddress": format!("{id} Birch Road"), "fullAddress": format!("{id} Birch Road, Wollert, VIC 3750")}}})
    };
    let draft = drafted(json!([row(1), row(2)]), "AU");
    assert!(line(&draft, "line").unwrap().contains("/address/display/shortAddress"), "{}", draft.toml);
}

/// A county's roll of taxes: the owner's post, a sale of years ago and the gross area are not the home's.
#[test]
fn a_tax_roll_tells_of_the_home_and_of_its_owner() {
    let row = |id: u32| {
        json!({"parcel_id": format!("12-34-{id}"), "owner_name": "A. Person", "mail_city": "CHICAGO", "mail_state": "IL",
            "mail_zip": "60614", "situs_addr": format!("{id} Orange Ave"), "situs_city": "ORLANDO", "situs_zip": "32803",
            "list_price": 310_000 + id, "prior_sale_price": 107_500, "gross_area": 1_640 + id, "tot_lvg_area": 1_180 + id})
    };
    let hints = DraftHints {
        country: Some("US".into()),
        purpose: Some(Purpose::Sale),
        id: Some("parcel_id".into()),
        ..DraftHints::new("t", "t.json")
    };
    let draft = draft(&Sample::of_document(json!([row(1), row(2), row(3)])).unwrap(), &hints).unwrap();
    let found = |field: &str| line(&draft, field).unwrap_or_default();
    for (field, column) in
        [("city", "situs_city"), ("postal_code", "situs_zip"), ("line", "situs_addr"), ("living_area", "tot_lvg_area")]
    {
        assert!(found(field).contains(column), "{field}: {}\n{}", found(field), draft.toml);
    }
    for field in ["region", "previous_list_price"] {
        assert_eq!(found(field), "", "{}", draft.toml);
    }
}

#[test]
fn who_owns_a_parcel_does_not_offer_it() {
    for name in ["OWNER_NAME", "OWN1", "owner", "OWN_NAME", "Taxpayer Name", "Grantee"] {
        let row = |id: u32| {
            json!({"APN": format!("044-{id}"), name: "DOE JANE TR", "OWN_CITY": "RENO", "OWN_ZIP": "89501",
                "SITUS_ADDRESS": format!("{id} PINE ST"), "SITUS_CITY": "CHICO", "SITUS_ZIP": "95926", "price": 300_000 + id})
        };
        let draft = drafted(json!([row(1), row(2), row(3)]), "US");
        assert_eq!((line(&draft, "seller"), line(&draft, "agency")), (None, None), "{name}:\n{}", draft.toml);
        assert_eq!(line(&draft, "city").as_deref(), Some(r#"city = { from = "SITUS_CITY" }"#), "{name}");
        assert_eq!(line(&draft, "postal_code").as_deref(), Some(r#"postal_code = { from = "SITUS_ZIP" }"#), "{name}");
    }
}
