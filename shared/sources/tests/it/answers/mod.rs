//! A valid answer for every built-in source kind, written by hand.

#![allow(dead_code, reason = "each test file uses its part")]

use stoop_sources::{Params, Source, build};

const RESO: &str = r#"{"@odata.context": "x", "@odata.count": 2, "@odata.nextLink": "https://e.example/o/Property?$skip=1",
"value": [{"ListingKey": "K1", "PropertyType": "Residential Lease", "PropertySubType": "Condominium", "StandardStatus":
"Active Under Contract", "ListPrice": 1351.50, "OriginalListPrice": "1400", "PriceChangeTimestamp": "2026-01-02T03:04:05Z",
"ModificationTimestamp": "2026-01-03T03:04:05.6Z", "OnMarketDate": "2025-12-31", "LivingArea": 900, "LivingAreaUnits":
"Square Feet", "LotSizeAcres": 0.25, "BathroomsFull": 1, "BathroomsHalf": 1, "BedroomsTotal": 2, "Latitude": 30.1,
"Longitude": -97.2, "City": "Austin", "StateOrProvince": "TX", "PostalCode": "78704-1", "Country": "US", "UnparsedAddress":
"1  Elm \u00e9 St", "Media": [{"Order": 1, "MediaURL": "https://m/1"}], "Appliances": ["Oven"], "MlgCanView": true},
{"ListingId": 5}]}"#;

const ZILLOW: &str = r#"{"props": [{"zpid": "7", "price": 415900, "priceChange": -104100, "datePriceChanged": 1690786800000,
"daysOnZillow": 24, "bedrooms": 3, "bathrooms": 2.5, "livingArea": 1500, "lotAreaValue": 0.28, "lotAreaUnit": "acres",
"address": "12 Elm St, Springfield, IL 62704", "latitude": 41.8, "longitude": -87.7, "listingStatus": "FOR_SALE",
"propertyType": "CONDO", "currency": "USD", "country": "USA", "detailUrl": "/h/7", "carouselPhotos": [{"url": "https://p"}]},
{"zpid": "47.6--122.1", "isBuilding": true, "units": [{"beds": "2", "price": "$2,305+", "roomForRent": false}]}],
"resultsPerPage": 41, "totalPages": 20, "totalResultCount": 1094, "currentPage": 1}"#;

const AVITO: &str = r#"<!DOCTYPE html><title>Avito</title><script id="__NEXT_DATA__" type="application/json">{"props":
{"pageProps": {"initialReduxState": {"ad": {"search": {"ads": [{"listId": "1", "price": {"value": 690000, "currency": "DH"},
"oldPrice": {}, "date": "il y a 6 minutes", "location": "Fès, Agdal", "category": {"id": "1010", "name": "Appartements"},
"adType": {"key": "SELL"}, "seller": {"type": "STORE", "name": "x"}, "images": ["https://i"], "params": {"secondary":
[{"key": "rooms", "value": "2"}, {"key": "size", "value": 72, "unit": "m²"}]}}, {"isNc": true}], "aggregations": {"all":
47573}, "filters": {"pageNumber": 1}}}}}}}</script>"#;

const REALTOR: &str = r#"{"status": 200, "data": {"home_search": {"total": 230, "count": 2, "results": [{"property_id": "7345",
"listing_id": "2968", "list_price": 480000, "price_reduced_amount": 20000, "status": "for_sale", "list_date":
"2024-06-03T03:35:53.000000Z", "last_update_date": "2024-06-02T22:32:58Z", "flags": {"is_pending": null, "is_contingent": true},
"description": {"type": "condo_townhome", "sub_type": "condo", "beds": 5, "baths": 3, "baths_consolidated": "2.5+", "sqft":
3304, "lot_sqft": 259182}, "location": {"county": {"fips_code": "27005", "name": "Becker"}, "address": {"line": "24405 Elm \u00e9 Rd",
"city": "Richwood", "state_code": "MN", "postal_code": "56501-1", "country": "USA", "coordinate": {"lat": 46.9, "lon": -95.8}}},
"primary_photo": {"href": "https://p/1"}, "photos": [{"href": "https://p/2"}], "branding": [{"name": "x"}], "tags": ["lake"],
"permalink": "24405-Elm-Rd"}, {"property_id": null, "listing_id": "5", "status": "for_rent", "list_price": null, "list_price_min":
2300, "list_price_max": 4100, "units": [{"beds": 1}], "description": {"baths": 3, "baths_full": 2, "baths_half": 1}}]}}}"#;

const RENTCAST: &str = r#"[{"id": "3821-Hargis-St,-Austin,-TX-78723", "addressLine1": "3821 Hargis St", "addressLine2": "Apt 24",
"city": "Austin", "state": "TX", "zipCode": "78723-1", "county": "Travis", "latitude": 30.290643, "longitude": -97.701547,
"propertyType": "Single Family", "bedrooms": 4, "bathrooms": 2.5, "squareFootage": 2345, "lotSize": 3284, "hoa": {"fee": 65},
"status": "Active", "price": 899000, "listedDate": "2024-06-24T00:00:00.000Z", "removedDate": null, "lastSeenDate":
"2024-09-30T13:11:47.157Z", "listingOffice": {"name": "x"}, "builder": {"name": "y"}, "history": {"2024-06-24": {"price":
899000}}}, {"id": "5", "status": "Inactive"}]"#;

const MUBAWAB: &str = r#"<!DOCTYPE html><html><head><title>Ventes</title></head><body><ul class="ulListing">
<li class="listingBox w100" linkRef="/fr/a/1/x"><h2 class="listingTit"><a href="https://www.mubawab.ma/fr/a/1/bel-appartement">
Bel appartement</a></h2><h3 class="listingH3">Racine à
		Casablanca</h3><div class="adDetailFeature"><i></i><span>96&nbsp;m²</span></div><div class="adDetailFeature">2 Chambres</div>
<span class="priceTag">1&nbsp;250&nbsp;000 DH</span><li class="listingBox"><h2 class="listingTit"><a href="/fr/pa/2/%D8%B4">&#1588;</a>
</h2><h3 class="listingH3">Asilah</h3><span class="priceTag">Prix &agrave; consulter</span></li><li class="listingBox"><a href="/fr/p/3/x">
projet</a></li></ul><a href="/fr/sc/appartements-a-vendre:p:2">2</a></body></html>"#;

const AVITO_CARDS: &str = r#"<!DOCTYPE html><html><head><title>Avito</title></head><body><a href="https://www.avito.ma/fr/agdal/appartements/x_55.htm">
<p font-weight="600">Agence</p><p>il y a 6 minutes</p><p>Appartements dans Rabat, Agdal</p><p title="Bel">Bel</p><div title="Chambres">2
</div><div title="Surface totale">70 m²</div><p><span dir="auto">690,000</span> <span>DH</span></p></a><a href="https://immoneuf.avito.ma/fr/unite/j">
neuf</a><a href="/fr/x?o=2">2</a></body></html>"#;

/// All sources that read JSON, in each dialect, each with an answer.
pub(crate) fn sources() -> Vec<(Box<dyn Source>, &'static [u8])> {
    let make = |kind: &str, params: &[(&str, &str)]| {
        let params: Params = params.iter().map(|(key, value)| ((*key).to_owned(), (*value).to_owned())).collect();
        build(kind, &params).unwrap()
    };
    let reso = |dialect: &str, replication: &str| {
        let at = ("url", "https://e.example/o");
        let filter = ("filter", "OriginatingSystemName eq 'actris'");
        make("reso", &[at, ("dialect", dialect), ("token", "x"), filter, ("replication", replication)])
    };
    vec![
        (make("reso", &[("url", "https://e.example/o")]), RESO.as_bytes()),
        (reso("trestle", "true"), RESO.as_bytes()),
        (reso("mlsgrid", "false"), RESO.as_bytes()),
        (reso("bridge", "true"), RESO.as_bytes()),
        (reso("spark", "false"), RESO.as_bytes()),
        (make("zillow", &[("location", "x"), ("key", "x")]), ZILLOW.as_bytes()),
        (make("realtor", &[("postal_code", "56501"), ("key", "x")]), REALTOR.as_bytes()),
        (make("rentcast", &[("zipCode", "78723"), ("key", "x"), ("limit", "2")]), RENTCAST.as_bytes()),
        (make("avito", &[]), AVITO.as_bytes()),
    ]
}

/// All sites that are read by cards, each with a page.
pub(crate) fn card_sites() -> Vec<(Box<dyn Source>, &'static str)> {
    vec![(build("mubawab", &Params::new()).unwrap(), MUBAWAB), (build("avito", &Params::new()).unwrap(), AVITO_CARDS)]
}
