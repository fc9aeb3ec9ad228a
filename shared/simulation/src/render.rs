use stoop_domain::{AreaUnit, Minor, PropertyType, Purpose, Status, Time};

use crate::home::{Home, Offer};
use crate::words::{self, nth};

/// Appends a listing as a JSON object with RESO field names, without a line break.
///
/// Times are UTC with milliseconds. Amounts are JSON numbers, with cents only if they are not zero. `OnMarketDate` is
/// the civil day in the market's time zone. Lookup values are in RESO's spelling with spaces (`Active Under Contract`,
/// `Single Family Residence`). Unknown fields are left out.
pub fn write_row(out: &mut Vec<u8>, home: &Home, offer: &Offer) {
    write_row_of(out, home, offer, false);
}

/// The same; with `brief`, without fields that enter no figure (remarks, office, coordinates, other names and times):
/// about 570 bytes instead of a thousand.
pub(crate) fn write_row_of(out: &mut Vec<u8>, home: &Home, offer: &Offer, brief: bool) {
    write_key(out, home, brief);
    write_offer(out, offer, brief);
    write_home(out, home, brief);
    if !brief {
        write_remarks(out, home);
    }
    text(out, "\"}");
}

fn write_key(out: &mut Vec<u8>, home: &Home, brief: bool) {
    text(out, "{\"ListingKey\":\"SIM");
    padded(out, u64::from(home.index), 8);
    if !brief {
        text(out, "\",\"ListingId\":\"");
        number(out, u64::from(home.index) + 1_000_000);
        text(out, "\",\"OriginatingSystemName\":\"simulated");
    }
    text(out, "\",\"PropertyType\":\"");
    text(out, property_type(home.purpose));
    text(out, "\",\"PropertySubType\":\"");
    text(out, sub_type(home.kind));
    text(out, "\"");
}

fn write_offer(out: &mut Vec<u8>, offer: &Offer, brief: bool) {
    text(out, ",\"StandardStatus\":\"");
    text(out, standard_status(offer.status));
    text(out, "\",\"ListPrice\":");
    money(out, offer.list_price);
    text(out, ",\"OriginalListPrice\":");
    money(out, offer.original_list_price);
    if let Some((before, at)) = offer.price_change {
        text(out, ",\"PreviousListPrice\":");
        money(out, before);
        text(out, ",\"PriceChangeTimestamp\":\"");
        moment(out, at);
        text(out, "\"");
    }
    if let Some(closing) = offer.closing {
        text(out, ",\"ClosePrice\":");
        money(out, closing.price);
        text(out, ",\"CloseDate\":\"");
        date(out, closing.day.0.into());
        text(out, "\"");
    }
    if !brief {
        text(out, ",\"OnMarketDate\":\"");
        date(out, i64::from(offer.on_market_day.0));
        text(out, "\"");
    }
    text(out, ",\"OnMarketTimestamp\":\"");
    moment(out, offer.on_market_at);
    if !brief {
        text(out, "\",\"StatusChangeTimestamp\":\"");
        moment(out, offer.status_changed_at);
    }
    text(out, "\",\"ModificationTimestamp\":\"");
    moment(out, offer.modified_at);
    text(out, "\"");
}

fn write_home(out: &mut Vec<u8>, home: &Home, brief: bool) {
    let (area, city) = (&home.area, home.area.city);
    text(out, ",\"UnparsedAddress\":\"");
    number(out, u64::from(home.number));
    text(out, " ");
    text(out, nth(if city.is_american() { &words::AMERICAN_STREETS } else { &words::MOROCCAN_STREETS }, home.words));
    if matches!(home.kind, PropertyType::Apartment | PropertyType::Condominium) {
        text(out, if city.is_american() { " Unit " } else { " Appt " });
        number(out, u64::from(home.index) % 48 + 1);
    }
    for (name, value) in [
        ("\",\"City\":\"", city.name),
        ("\",\"CountyOrParish\":\"", city.county),
        ("\",\"StateOrProvince\":\"", city.region),
        ("\",\"PostalCode\":\"", &*area.postal_code),
        ("\",\"Country\":\"", city.country),
    ] {
        text(out, name);
        text(out, value);
    }
    text(out, "\"");
    if !brief {
        text(out, ",\"Latitude\":");
        millionths(out, home.latitude_e6);
        text(out, ",\"Longitude\":");
        millionths(out, home.longitude_e6);
    }
    for (name, value) in [
        (",\"BedroomsTotal\":", u32::from(home.bedrooms)),
        (",\"BathroomsTotalInteger\":", u32::from(home.bathrooms)),
        (",\"YearBuilt\":", home.year_built),
        (",\"LivingArea\":", home.living_area),
    ] {
        text(out, name);
        number(out, u64::from(value));
    }
    text(out, ",\"LivingAreaUnits\":\"");
    text(out, if city.area_unit() == AreaUnit::SquareFeet { "Square Feet" } else { "Square Meters" });
    if !brief {
        text(out, "\",\"ListOfficeName\":\"");
        text(out, nth(&words::OFFICES, home.words >> 8));
    }
}

fn write_remarks(out: &mut Vec<u8>, home: &Home) {
    text(out, "\",\"PublicRemarks\":\"");
    text(out, nth(&words::OPENINGS, home.words >> 16));
    text(out, nth(&words::MIDDLES, home.words >> 24));
    if home.words & 1 << 40 != 0 {
        text(out, nth(&words::ENDINGS, home.words >> 32));
    }
}

pub(crate) fn property_type(purpose: Purpose) -> &'static str {
    match purpose {
        Purpose::Sale => "Residential",
        Purpose::Rent => "Residential Lease",
    }
}

fn sub_type(kind: PropertyType) -> &'static str {
    match kind {
        PropertyType::SingleFamilyResidence => "Single Family Residence",
        other => other.as_str(),
    }
}

pub(crate) fn standard_status(status: Status) -> &'static str {
    match status {
        Status::ActiveUnderContract => "Active Under Contract",
        Status::ComingSoon => "Coming Soon",
        other => other.as_str(),
    }
}

/// `2026-01-13T10:51:00.125Z`.
pub(crate) fn moment(out: &mut Vec<u8>, at: Time) {
    let in_day = at.ms().rem_euclid(Time::DAY_MS).unsigned_abs();
    date(out, at.ms().div_euclid(Time::DAY_MS));
    for (sign, value, digits) in [
        ("T", in_day / 3_600_000, 2),
        (":", in_day / 60_000 % 60, 2),
        (":", in_day / 1_000 % 60, 2),
        (".", in_day % 1_000, 3),
    ] {
        text(out, sign);
        padded(out, value, digits);
    }
    text(out, "Z");
}

/// The civil date of a day since 1970, by Howard Hinnant's `civil_from_days`. Several times faster than a general
/// calendar, which matters for millions of rows.
fn date(out: &mut Vec<u8>, day: i64) {
    let z = day + 719_468;
    let era = z.div_euclid(146_097);
    let of_era = z.rem_euclid(146_097);
    let year_of_era = (of_era - of_era / 1_460 + of_era / 36_524 - of_era / 146_096) / 365;
    let of_year = of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    let shifted_month = (5 * of_year + 2) / 153;
    let day_of_month = of_year - (153 * shifted_month + 2) / 5 + 1;
    let month = if shifted_month < 10 { shifted_month + 3 } else { shifted_month - 9 };
    let year = year_of_era + era * 400 + i64::from(month <= 2);
    padded(out, year.unsigned_abs(), 4);
    text(out, "-");
    padded(out, month.unsigned_abs(), 2);
    text(out, "-");
    padded(out, day_of_month.unsigned_abs(), 2);
}

fn text(out: &mut Vec<u8>, text: &str) {
    out.extend_from_slice(text.as_bytes());
}

fn money(out: &mut Vec<u8>, amount: Minor) {
    if amount.0 < 0 {
        text(out, "-");
    }
    let (whole, cents) = (amount.0.unsigned_abs() / 100, amount.0.unsigned_abs() % 100);
    number(out, whole);
    if cents > 0 {
        text(out, ".");
        padded(out, cents, 2);
    }
}

fn millionths(out: &mut Vec<u8>, value: i32) {
    if value < 0 {
        text(out, "-");
    }
    number(out, u64::from(value.unsigned_abs() / 1_000_000));
    text(out, ".");
    padded(out, u64::from(value.unsigned_abs() % 1_000_000), 6);
}

fn number(out: &mut Vec<u8>, value: u64) {
    padded(out, value, 1);
}

fn padded(out: &mut Vec<u8>, mut value: u64, digits_min: usize) {
    let mut digits = [b'0'; 20];
    let mut start = digits.len();
    while value > 0 || digits.len() - start < digits_min {
        start -= 1;
        digits[start] = b'0' + u8::try_from(value % 10).unwrap_or(0);
        value /= 10;
    }
    out.extend_from_slice(&digits[start..]);
}

#[cfg(test)]
mod tests {
    use super::*;

    fn shown(write: impl Fn(&mut Vec<u8>)) -> String {
        let mut out = Vec::new();
        write(&mut out);
        String::from_utf8(out).unwrap()
    }

    #[test]
    fn times_round_trip() {
        for known in [
            "2026-01-13T10:51:00.125Z",
            "2024-02-29T23:59:59.999Z",
            "2000-03-01T00:00:00.000Z",
            "1969-12-31T12:00:00.007Z",
        ] {
            assert_eq!(shown(|out| moment(out, Time::parse(known).unwrap())), known);
        }
    }

    #[test]
    fn amounts_have_cents_only_if_not_zero() {
        assert_eq!(shown(|out| money(out, Minor(38_900_000))), "389000");
        assert_eq!(shown(|out| money(out, Minor(38_900_007))), "389000.07");
        assert_eq!(shown(|out| millionths(out, -87_000_042)), "-87.000042");
        assert_eq!(shown(|out| number(out, 0)), "0");
    }
}
