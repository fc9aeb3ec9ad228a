use stoop_domain::{AreaPath, Currency, Day, Facts, Market, Minor, PropertyType, Purpose, Status, varint};

use super::values::{put_area, put_code, put_text, take_area, take_byte, take_code, take_text};

const LIST_PRICE: u8 = 1;
const ORIGINAL_LIST_PRICE: u8 = 2;
const CLOSE_PRICE: u8 = 4;
const CLOSE_DATE: u8 = 8;
const PROPERTY_TYPE: u8 = 16;
const BEDROOMS: u8 = 32;
const LIVING_AREA: u8 = 64;

const PURPOSES: [Purpose; 2] = [Purpose::Sale, Purpose::Rent];

/// Encodes the table of facts after the table of their markets.
pub(super) fn put_facts(bytes: &mut Vec<u8>, facts: &[Facts]) {
    let mut markets: Vec<&Market> = Vec::new();
    let indexes: Vec<usize> = facts.iter().map(|facts| index_in(&mut markets, &facts.market)).collect();
    varint::put(bytes, markets.len() as u64);
    for Market { area, purpose, currency } in markets {
        put_text(bytes, area.as_str());
        put_code(bytes, &PURPOSES, *purpose);
        bytes.extend_from_slice(currency.code().as_bytes());
    }
    varint::put(bytes, facts.len() as u64);
    for (facts, market) in facts.iter().zip(indexes) {
        varint::put(bytes, market as u64);
        put_one(bytes, facts);
    }
}

pub(super) fn take_facts(bytes: &mut &[u8]) -> Option<Vec<Facts>> {
    let mut markets: Vec<Market> = Vec::new();
    for _ in 0..varint::take(bytes)? {
        let area = AreaPath::parse(take_text(bytes)?)?;
        let purpose = take_code(bytes, &PURPOSES)?;
        let (code, rest) = bytes.split_at_checked(3)?;
        *bytes = rest;
        let currency = Currency::parse(std::str::from_utf8(code).ok()?).ok()?;
        (currency.code().as_bytes() == code).then_some(())?;
        markets.push(Market { area, purpose, currency });
    }
    let mut facts = Vec::new();
    let mut used = Vec::new();
    for _ in 0..varint::take(bytes)? {
        let market = markets.get(usize::try_from(varint::take(bytes)?).ok()?)?;
        index_in(&mut used, market);
        facts.push(take_one(bytes, market)?);
    }
    // Markets must be unique and in the order of first use.
    (used.len() == markets.len() && used.iter().zip(&markets).all(|(used, market)| *used == market)).then_some(facts)
}

/// The index of a market in the list. Adds it if it is new.
fn index_in<'a>(markets: &mut Vec<&'a Market>, market: &'a Market) -> usize {
    markets.iter().position(|known| *known == market).unwrap_or_else(|| {
        markets.push(market);
        markets.len() - 1
    })
}

fn put_one(bytes: &mut Vec<u8>, facts: &Facts) {
    let Facts { market: _, status, list_price, original_list_price, close_price, close_date, .. } = facts;
    let Facts { property_type, bedrooms, living_area, .. } = facts;
    put_code(bytes, &Status::ALL, *status);
    let mark = |is_there: bool, mark: u8| if is_there { mark } else { 0 };
    bytes.push(
        mark(list_price.is_some(), LIST_PRICE)
            | mark(original_list_price.is_some(), ORIGINAL_LIST_PRICE)
            | mark(close_price.is_some(), CLOSE_PRICE)
            | mark(close_date.is_some(), CLOSE_DATE)
            | mark(property_type.is_some(), PROPERTY_TYPE)
            | mark(bedrooms.is_some(), BEDROOMS)
            | mark(living_area.is_some(), LIVING_AREA),
    );
    for price in [list_price, original_list_price, close_price].into_iter().flatten() {
        varint::put_signed(bytes, price.0);
    }
    if let Some(Day(day)) = close_date {
        varint::put_signed(bytes, i64::from(*day));
    }
    if let Some(kind) = property_type {
        put_code(bytes, &PropertyType::ALL, *kind);
    }
    bytes.extend(bedrooms);
    if let Some(area) = living_area {
        put_area(bytes, area);
    }
}

fn take_one(bytes: &mut &[u8], market: &Market) -> Option<Facts> {
    let status = take_code(bytes, &Status::ALL)?;
    let marks = take_byte(bytes)?;
    if marks >= 128 {
        return None;
    }
    let has = |mark: u8| marks & mark != 0;
    let price = |bytes: &mut &[u8], mark| Some(if has(mark) { Some(Minor(varint::take_signed(bytes)?)) } else { None });
    let list_price = price(bytes, LIST_PRICE)?;
    let original_list_price = price(bytes, ORIGINAL_LIST_PRICE)?;
    let close_price = price(bytes, CLOSE_PRICE)?;
    let close_date = if has(CLOSE_DATE) { Some(Day(i32::try_from(varint::take_signed(bytes)?).ok()?)) } else { None };
    let property_type = if has(PROPERTY_TYPE) { Some(take_code(bytes, &PropertyType::ALL)?) } else { None };
    let bedrooms = if has(BEDROOMS) { Some(take_byte(bytes)?) } else { None };
    let living_area = if has(LIVING_AREA) { Some(take_area(bytes)?) } else { None };
    Some(Facts {
        market: market.clone(),
        status,
        list_price,
        original_list_price,
        close_price,
        close_date,
        property_type,
        bedrooms,
        living_area,
    })
}
