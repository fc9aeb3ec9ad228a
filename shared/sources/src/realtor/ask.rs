use serde_json::{Map, Value};
use stoop_domain::Purpose;

use super::Realtor;
use crate::link;
use crate::params::ParamReader;
use crate::port::{Params, SearchError};

/// The request of each API, except for the offset.
#[derive(Debug, PartialEq)]
pub(super) enum Ask {
    /// realty-in-us: the body of a POST.
    Body(Map<String, Value>),
    /// us-real-estate: path and query of a GET.
    Query(String),
}

const REALTY_IN_US: &str = "realty-in-us";
const US_REAL_ESTATE: &str = "us-real-estate";
const STATUSES: [&str; 4] = ["for_sale", "ready_to_build", "sold", "for_rent"];
const LIMIT_MAX: u32 = 200;

impl Ask {
    pub(super) fn path(&self, offset: u64, limit: u64) -> String {
        match self {
            Self::Body(_) => "/properties/v3/list".to_owned(),
            Self::Query(query) => format!("{query}&offset={offset}&limit={limit}"),
        }
    }

    pub(super) fn body(&self, offset: u64, limit: u64) -> Option<Vec<u8>> {
        let Self::Body(fields) = self else { return None };
        let mut fields = fields.clone();
        fields.insert("limit".into(), limit.into());
        fields.insert("offset".into(), offset.into());
        Some(Value::Object(fields).to_string().into_bytes())
    }
}

/// A search's area in the terms of the APIs.
struct Where {
    postal_code: Option<String>,
    city: Option<String>,
    state_code: Option<String>,
}

pub(super) fn read(params: &Params) -> Result<Realtor, SearchError> {
    let mut reader = ParamReader::new("realtor", Realtor::PARAMS, params);
    let api = reader.one_of("api", &[REALTY_IN_US, US_REAL_ESTATE]);
    let purpose = if reader.one_of("purpose", &["sale", "rent"]) == "rent" { Purpose::Rent } else { Purpose::Sale };
    let host = reader.text("host", &format!("{api}.p.rapidapi.com"));
    if !link::is_host(&host) {
        reader.mistake("host", &host, "a host name like realty-in-us.p.rapidapi.com");
    }
    let base = reader.address("url", &format!("https://{host}"));
    let address = address(&mut reader, api);
    let statuses = statuses(&mut reader, api, purpose);
    let mut bounds = Vec::new();
    for name in ["price_min", "price_max"] {
        if reader.get(name).is_some() {
            bounds.push((name, reader.number(name, 0..=u32::MAX, 0)));
        }
    }
    let limit = reader.number("limit", 1..=LIMIT_MAX, if api == REALTY_IN_US { LIMIT_MAX } else { 42 });
    let key = reader.text("key", "");
    reader.finish()?;
    let ask = if api == REALTY_IN_US { body(address, statuses, &bounds) } else { query(&address, purpose, &bounds) };
    Ok(Realtor { base, host, key, purpose, limit: u64::from(limit), ask })
}

fn address(reader: &mut ParamReader<'_>, api: &str) -> Where {
    let zip = reader.get("postal_code").map(str::to_owned);
    let city = reader.get("city").map(str::to_owned);
    let state = reader.get("state_code").map(str::to_uppercase);
    if let Some(zip) = &zip {
        if api == US_REAL_ESTATE {
            reader.mistake("postal_code", zip, "nothing with us-real-estate, which takes city and state_code");
        } else if zip.len() != 5 || !zip.bytes().all(|byte| byte.is_ascii_digit()) {
            reader.mistake("postal_code", zip, "a zip of five digits like 60614");
        } else if city.is_some() || state.is_some() {
            reader.mistake("postal_code", zip, "a zip, or city and state_code, but not both");
        }
    }
    if let Some(state) = &state
        && (state.len() != 2 || !state.bytes().all(|byte| byte.is_ascii_uppercase()))
    {
        reader.mistake("state_code", state, "a state's two letters like IL");
    }
    match (&zip, &city, &state) {
        (None, None, None) if api == US_REAL_ESTATE => {
            reader.mistake("state_code", "", "a state's two letters like IL")
        }
        (None, None, None) => {
            reader.mistake("postal_code", "", "a zip like 60614, or city and state_code in its address")
        }
        (None, Some(city), None) => reader.mistake("city", city, "a city together with state_code"),
        _ => {}
    }
    Where { postal_code: zip, city, state_code: state }
}

fn statuses(reader: &mut ParamReader<'_>, api: &str, purpose: Purpose) -> Vec<&'static str> {
    let usual = if purpose == Purpose::Rent { "for_rent" } else { "for_sale" };
    let Some(text) = reader.get("status") else { return vec![usual] };
    if api == US_REAL_ESTATE {
        reader.mistake("status", text, "nothing with us-real-estate, where purpose says it");
    }
    let mut statuses = Vec::new();
    for name in text.split(',').map(str::trim) {
        let rent = |status: &str| status == "for_rent";
        match STATUSES.into_iter().find(|status| *status == name && rent(status) == (purpose == Purpose::Rent)) {
            Some(status) => statuses.push(status),
            None => {
                reader.mistake("status", name, "for_sale, ready_to_build or sold, or for_rent where purpose is rent");
            }
        }
    }
    statuses
}

fn body(address: Where, statuses: Vec<&'static str>, bounds: &[(&str, u32)]) -> Ask {
    let mut fields = Map::new();
    for (name, value) in
        [("postal_code", address.postal_code), ("city", address.city), ("state_code", address.state_code)]
    {
        fields.extend(value.map(|value| (name.to_owned(), value.into())));
    }
    fields.insert("status".into(), statuses.into());
    // Newest first: new listings shift rows to later pages, so that no row is missed.
    let sort = [("direction", "desc"), ("field", "list_date")];
    fields.insert("sort".into(), sort.map(|(name, value)| (name.to_owned(), Value::from(value))).into_iter().collect());
    for (name, value) in bounds {
        fields.insert((*name).to_owned(), (*value).into());
    }
    Ask::Body(fields)
}

fn query(address: &Where, purpose: Purpose, bounds: &[(&str, u32)]) -> Ask {
    let (path, sort) = match purpose {
        Purpose::Sale => ("/v3/for-sale", "newest"),
        Purpose::Rent => ("/v3/for-rent", "lowest_price"),
    };
    let mut query = format!("{path}?state_code={}", address.state_code.as_deref().unwrap_or_default());
    if let Some(city) = &address.city {
        query.push_str(&format!("&city={}", link::encode(city, link::VALUE)));
    }
    query.push_str(&format!("&sort={sort}"));
    for (name, value) in bounds {
        query.push_str(&format!("&{name}={value}"));
    }
    Ask::Query(query)
}
