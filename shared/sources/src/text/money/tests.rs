use super::*;

fn read(text: &str, style: NumberStyle, default: Currency) -> Result<(i64, Option<Currency>), MoneyTextError> {
    let money = parse_money(text, style, Some(default))?;
    Ok((money.minor(money.currency.unwrap_or(default)).unwrap().0, money.currency))
}

#[test]
fn portals_write_amounts_each_in_their_way() {
    use NumberStyle::{Auto, De, En, Fr, Plain};
    let (mad, eur, usd) = (Currency::MAD, Currency::EUR, Currency::USD);
    for (text, style, default, want) in [
        ("1\u{202f}700\u{202f}000 DH", Fr, mad, (170_000_000, Some(mad))),
        ("15\u{a0}000\u{a0}000 DH", Auto, mad, (1_500_000_000, Some(mad))),
        ("480 000 EUR", Auto, mad, (48_000_000, Some(eur))),
        ("690,000 DH", Auto, mad, (69_000_000, Some(mad))),
        ("€ 1.392,85", De, eur, (139_285, Some(eur))),
        ("€ 650,-", De, eur, (65_000, Some(eur))),
        ("650 €", De, eur, (65_000, Some(eur))),
        ("$2,305/mo", En, usd, (230_500, Some(usd))),
        ("600 €/mes", Plain, eur, (60_000, Some(eur))),
        ("1.200 € / Mes", De, usd, (120_000, Some(eur))),
        ("1 250 € par mois", Fr, eur, (125_000, Some(eur))),
        ("£950 pcm", En, eur, (95_000, Some(Currency::parse("GBP").unwrap()))),
        ("221900.0", Plain, usd, (22_190_000, None)),
        ("USD 5", Plain, usd, (500, Some(usd))),
        ("-5", Plain, usd, (-500, None)),
    ] {
        assert_eq!(read(text, style, default), Ok(want), "{text}");
    }
}

#[test]
fn what_is_by_the_month_says_so_at_its_end() {
    assert!(["600 €/mes", "$2,305/mo", "1.200 € al mes ", "900 € pro Monat"].into_iter().all(is_monthly));
    assert!(!["600 €", "3/4", "€/mes 600", "month"].into_iter().any(is_monthly));
}

#[test]
fn a_dollar_is_the_dollar_of_the_country() {
    let cad = Currency::parse("CAD").unwrap();
    assert_eq!(read("$5", NumberStyle::En, cad).unwrap().1, Some(cad));
    assert_eq!(read("$5", NumberStyle::En, Currency::MAD).unwrap().1, Some(Currency::USD));
}

fn major(text: &str, code: &str) -> Result<(f64, String), MoneyTextError> {
    let default = Currency::parse(code).unwrap();
    let money = parse_floor(text, NumberStyle::Auto, Some(default))?;
    let currency = money.currency.unwrap_or(default);
    Ok((money.minor(currency).unwrap().major_f64(currency), currency.code().to_owned()))
}

#[test]
fn the_sign_of_the_country_is_its_currency() {
    for (text, code, amount) in [
        ("$3,500,000", "MXN", 3_500_000.0),
        ("$ 120.000.000", "CLP", 120_000_000.0),
        ("$ 450.000.000", "COP", 450_000_000.0),
        ("$3,500,000 MXN", "MXN", 3_500_000.0),
        ("CLP 120.000.000", "CLP", 120_000_000.0),
        ("$1,845,000 AUD", "AUD", 1_845_000.0),
        ("USD $500,000", "USD", 500_000.0),
        ("R$ 1.250.000", "BRL", 1_250_000.0),
        ("3 495 000 kr", "SEK", 3_495_000.0),
        ("3.250.000 TL", "TRY", 3_250_000.0),
        ("1,850,000 ₪", "ILS", 1_850_000.0),
        ("25 000 ₽", "RUB", 25_000.0),
        ("34,800,000円", "JPY", 34_800_000.0),
        ("4,980万円", "JPY", 49_800_000.0),
        ("1億円", "JPY", 100_000_000.0),
        ("1億2,800万円", "JPY", 128_000_000.0),
        ("1.5億円", "JPY", 150_000_000.0),
        ("3억 5,000", "KRW", 350_000_000.0),
        ("12억 5000만원", "KRW", 1_250_000_000.0),
        ("12억", "KRW", 1_200_000_000.0),
        ("5,000만원", "KRW", 50_000_000.0),
        ("1亿2000万元", "CNY", 120_000_000.0),
        ("3,2 tỷ", "VND", 3_200_000_000.0),
        ("950 triệu", "VND", 950_000_000.0),
        ("Rp 1,25 Miliar", "IDR", 1_250_000_000.0),
        ("Rp 1,25 M", "IDR", 1_250_000_000.0),
        ("385 Juta", "IDR", 385_000_000.0),
        ("54,9 M Ft", "HUF", 54_900_000.0),
        ("UF 5.200,1234", "CLF", 5_200.12),
        ("UF 5,200.5", "CLF", 5_200.5),
        ("￥34800000", "JPY", 34_800_000.0),
        ("₹1,25,00,000", "INR", 12_500_000.0),
        ("Rs 45,00,000", "INR", 4_500_000.0),
        ("Rs. 85 Lac", "INR", 8_500_000.0),
        ("₹ 1.5 Cr", "INR", 15_000_000.0),
        ("CHF 1’250’000.–", "CHF", 1_250_000.0),
        ("CHF 1'250'000.-", "CHF", 1_250_000.0),
        ("£895k", "GBP", 895_000.0),
        ("$1.2m", "AUD", 1_200_000.0),
        ("1,2 Mio. €", "EUR", 1_200_000.0),
        ("€ 450.000 k.k.", "EUR", 450_000.0),
        ("450.000 € VB", "EUR", 450_000.0),
        ("Guide Price £425,000", "GBP", 425_000.0),
        ("€ 1.450 p.m.", "EUR", 1_450.0),
        ("₩ 350,000,000", "KRW", 350_000_000.0),
        ("฿4,500,000", "THB", 4_500_000.0),
        ("RM 850,000", "MYR", 850_000.0),
        ("KSh 12,000,000", "KES", 12_000_000.0),
        ("R 1 850 000", "ZAR", 1_850_000.0),
        ("425 000 zł", "PLN", 425_000.0),
    ] {
        assert_eq!(major(text, code), Ok((amount, code.to_owned())), "{text}");
    }
    assert_eq!(major("$ 250.000", "EUR").unwrap().1, "USD", "another country's dollar is the American one");
    assert_eq!(major("US$ 250,000", "MXN").unwrap().1, "USD");
    for (text, code) in [
        ("3 495 000 kr", "EUR"),
        ("Rs 5", "USD"),
        ("$5 EUR", "USD"),
        ("R 5", "EUR"),
        ("1億2,800", "JPY"),
        ("3억 5,000원", "KRW"),
        ("3억 50,000만", "KRW"),
        ("3억 5,000/120", "KRW"),
        ("1億2,800万3,000円", "JPY"),
    ] {
        assert!(major(text, code).is_err(), "{text} in {code}");
    }
}

#[test]
fn a_range_and_a_minimum_are_known_as_such() {
    for (text, code, amount) in [
        ("$399,000 - $425,000", "AUD", 399_000.0),
        ("EOI - $840,000 - $880,000", "AUD", 840_000.0),
        ("$1.1-1.15m", "AUD", 1_100_000.0),
        ("Offers over £250,000", "GBP", 250_000.0),
        ("From £199,950", "GBP", 199_950.0),
        ("ab 350.000 €", "EUR", 350_000.0),
        ("Starting from $1,542,000", "AUD", 1_542_000.0),
    ] {
        assert_eq!(major(text, code), Ok((amount, code.to_owned())), "{text}");
        let default = Currency::parse(code).ok();
        let refused = parse_money(text, NumberStyle::Auto, default).map(drop);
        assert_eq!(refused, Err(MoneyTextError::Floor(text.to_owned())), "{text}");
    }
}

#[test]
fn the_period_and_the_area_are_told() {
    let period = |text: &str| parse_money(text, NumberStyle::Auto, Some(Currency::EUR)).map(|money| money.period);
    for (text, wanted) in [
        ("$650 pw", Some(Period::Week)),
        ("£288 per week", Some(Period::Week)),
        ("120,000 AED/year", Some(Period::Year)),
        ("€ 95 per night", Some(Period::Day)),
        ("€ 900 /m", Some(Period::Month)),
        ("€ 900", None),
    ] {
        assert_eq!(period(text), Ok(wanted), "{text}");
    }
    assert_eq!(period("12,50 €/m²"), Err(MoneyTextError::PerArea("12,50 €/m²".to_owned())));
    assert_eq!(period("$250 per sqft"), Err(MoneyTextError::PerArea("$250 per sqft".to_owned())));
    assert!(period("300 m2").is_err());
}

#[test]
fn texts_without_exactly_one_amount_are_refused() {
    for text in ["Prix non spécifié", "", "1 000 - 2 000 DH", "ab 999", "5 kg", "€ 5 $", "from $5", "1,,2"] {
        assert!(parse_money(text, NumberStyle::Auto, None).is_err(), "{text}");
    }
}
