use stoop_domain::{Area, AreaUnit, HomeKind, HomeValue, Minor, PropertyType, varint};

const UNITS: [AreaUnit; 3] = [AreaUnit::SquareMeters, AreaUnit::SquareFeet, AreaUnit::Acres];

/// Encodes a value of a home's field; the field says of which kind it is.
pub(super) fn put_value(bytes: &mut Vec<u8>, value: HomeValue) {
    match value {
        HomeValue::PropertyType(kind) => put_code(bytes, &PropertyType::ALL, kind),
        HomeValue::Count(count) => bytes.push(count),
        HomeValue::Hundredths(hundredths) => varint::put(bytes, hundredths.into()),
        HomeValue::Area(area) => put_area(bytes, &area),
        HomeValue::Year(year) => varint::put_signed(bytes, year.into()),
        HomeValue::Fee(fee) => varint::put_signed(bytes, fee.0),
        HomeValue::Flag(flag) => bytes.push(flag.into()),
    }
}

pub(super) fn take_value(bytes: &mut &[u8], kind: HomeKind) -> Option<HomeValue> {
    Some(match kind {
        HomeKind::PropertyType => HomeValue::PropertyType(take_code(bytes, &PropertyType::ALL)?),
        HomeKind::Count => HomeValue::Count(take_byte(bytes)?),
        HomeKind::Hundredths => HomeValue::Hundredths(u16::try_from(varint::take(bytes)?).ok()?),
        HomeKind::Area => HomeValue::Area(take_area(bytes)?),
        HomeKind::Year => HomeValue::Year(i16::try_from(varint::take_signed(bytes)?).ok()?),
        HomeKind::Fee => HomeValue::Fee(Minor(varint::take_signed(bytes)?)),
        HomeKind::Flag => HomeValue::Flag(take_code(bytes, &[false, true])?),
    })
}

pub(super) fn put_area(bytes: &mut Vec<u8>, area: &Area) {
    put_code(bytes, &UNITS, area.unit);
    varint::put_signed(bytes, area.ten_thousandths);
}

pub(super) fn take_area(bytes: &mut &[u8]) -> Option<Area> {
    let unit = take_code(bytes, &UNITS)?;
    Some(Area { ten_thousandths: varint::take_signed(bytes)?, unit })
}

pub(super) fn put_text(bytes: &mut Vec<u8>, text: &str) {
    varint::put(bytes, text.len() as u64);
    bytes.extend_from_slice(text.as_bytes());
}

pub(super) fn take_text<'b>(bytes: &mut &'b [u8]) -> Option<&'b str> {
    let length = usize::try_from(varint::take(bytes)?).ok()?;
    let (text, rest) = bytes.split_at_checked(length)?;
    *bytes = rest;
    std::str::from_utf8(text).ok()
}

/// Encodes a value by its index in a list that only grows at its end.
pub(super) fn put_code<T: PartialEq>(bytes: &mut Vec<u8>, all: &[T], value: T) {
    let index = all.iter().position(|known| *known == value);
    bytes.push(index.and_then(|index| u8::try_from(index).ok()).unwrap_or(u8::MAX));
}

pub(super) fn take_code<T: Copy>(bytes: &mut &[u8], all: &[T]) -> Option<T> {
    all.get(usize::from(take_byte(bytes)?)).copied()
}

pub(super) fn take_byte(bytes: &mut &[u8]) -> Option<u8> {
    let (&byte, rest) = bytes.split_first()?;
    *bytes = rest;
    Some(byte)
}
