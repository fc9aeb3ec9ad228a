use std::fmt::Write;

use serde_json::json;
use stoop_domain::{Alert, AreaPath, Currency, Minor};
use stoop_serve::{AlertView, web_address};
use stoop_show::plain;

/// The longest subject that SNS takes.
const SUBJECT_CHARS_MAX: usize = 100;

/// The longest text of a listing in a message. The listing's own page has the rest.
const TEXT_CHARS_MAX: usize = 500;
const URL_CHARS_MAX: usize = 1_000;

const UNKNOWN: &str = "-";

/// An alert in the form of an SNS message.
pub(super) struct Message {
    pub(super) alert_id: String,
    pub(super) subject: String,
    /// A JSON object with a text for each protocol (`MessageStructure: json`).
    pub(super) body: String,
    /// Name, data type, value.
    pub(super) attributes: Vec<(&'static str, &'static str, String)>,
}

impl Message {
    pub(super) fn of(alert: &Alert) -> Self {
        let alert = cut(alert);
        let text = text(&alert);
        let view = json!(AlertView::of(&alert)).to_string();
        let body = json!({
            "default": text,
            "email": text,
            "http": view,
            "https": view,
            "lambda": view,
            "sqs": view,
        });
        Self {
            alert_id: alert.id.to_string(),
            subject: subject(&alert),
            body: body.to_string(),
            attributes: attributes(&alert),
        }
    }

    /// The bytes that count against the limit of a batch.
    pub(super) fn bytes(&self) -> usize {
        let attributes = self.attributes.iter().map(|(name, kind, value)| name.len() + kind.len() + value.len());
        self.subject.len() + self.body.len() + attributes.sum::<usize>()
    }
}

/// The alert with its unbounded texts shortened, safe to show.
fn cut(alert: &Alert) -> Alert {
    let to = |text: &Option<String>, chars_max: usize| {
        text.as_ref().map(|text| match text.char_indices().nth(chars_max) {
            Some((at, _)) => format!("{}...", plain(&text[..at])),
            None => plain(text).into_owned(),
        })
    };
    Alert {
        title: to(&alert.title, TEXT_CHARS_MAX),
        line: to(&alert.line, TEXT_CHARS_MAX),
        // A truncated URL is useless.
        url: alert.url.as_deref().and_then(web_address).filter(|url| url.chars().count() <= URL_CHARS_MAX),
        ..alert.clone()
    }
}

/// `-18 % in 98178 Seattle: USD 500,000 -> 410,000`: ASCII, at most a hundred characters, the limits of SNS.
fn subject(alert: &Alert) -> String {
    let currency = alert.market.currency;
    let (from, to) = (amount(alert.from, currency), amount(alert.to, currency));
    let (percent, prices) = (percent(alert.drop_bp), format!("{currency} {from} -> {to}"));
    let subject = format!("-{percent} % in {}: {prices}", area(alert));
    if subject.len() <= SUBJECT_CHARS_MAX { subject } else { format!("-{percent} %: {prices}") }
}

/// The area and its city in words, if they are ASCII; otherwise the widest area that is.
fn area(alert: &Alert) -> String {
    let [country, region, _, city, area] = alert.market.area.levels();
    let known = |slug: &&str| *slug != UNKNOWN && slug.is_ascii();
    let narrow: Vec<String> = [area, city].into_iter().filter(known).map(words).collect();
    if !narrow.is_empty() {
        return narrow.join(" ");
    }
    let wide = [region, country].into_iter().find(known).unwrap_or("an unknown area");
    if wide.len() <= 3 { wide.to_uppercase() } else { words(wide) }
}

/// A slug in words: `Haut Founty`.
fn words(slug: &str) -> String {
    AreaPath::of([None, None, None, None, Some(slug)]).map_or_else(String::new, |area| area.name())
}

/// The text for people.
fn text(alert: &Alert) -> String {
    let currency = alert.market.currency;
    let (from, to) = (amount(alert.from, currency), amount(alert.to, currency));
    let per = if alert.market.purpose.as_str() == "rent" { " per month" } else { "" };
    let mut text = String::new();
    for line in [&alert.title, &alert.line].into_iter().flatten() {
        text.push_str(line);
        text.push('\n');
    }
    if !text.is_empty() {
        text.push('\n');
    }
    let facts = [
        ("Before", format!("{currency} {from}{per}")),
        ("Now", format!("{currency} {to}{per} (-{} %)", percent(alert.drop_bp))),
        ("Market", alert.market.to_string()),
        ("Seen", alert.at.to_string()),
        ("Page", alert.url.clone().unwrap_or_else(|| "not known".into())),
        ("Rule", alert.rule.clone()),
        ("Alert", alert.id.to_string()),
    ];
    for (name, value) in facts {
        // Writing to a string cannot fail.
        writeln!(text, "{:<8}{value}", format!("{name}:")).unwrap_or_default();
    }
    text
}

fn attributes(alert: &Alert) -> Vec<(&'static str, &'static str, String)> {
    let area = &alert.market.area;
    let [country, region, ..] = area.levels();
    let source = alert.home.as_str().split_once('/').map_or(alert.home.as_str(), |(source, _)| source);
    // SNS refuses a message with an empty attribute.
    let text = |name, value: &str| (name, "String", if value.is_empty() { UNKNOWN } else { value }.to_owned());
    vec![
        text("purpose", alert.market.purpose.as_str()),
        text("country", country),
        text("region", region),
        text("area", area.as_str()),
        text("rule", &alert.rule),
        text("source", source),
        ("drop_percent", "Number", percent(alert.drop_bp)),
    ]
}

/// Basis points as percent: `18`, `15.5`, `12.25`.
fn percent(bp: u32) -> String {
    let text = format!("{}.{:02}", bp / 100, bp % 100);
    text.trim_end_matches('0').trim_end_matches('.').to_owned()
}

/// An amount in major units with thousands separators; minor digits only if not zero: `410,000`, `1,392.85`.
fn amount(amount: Minor, currency: Currency) -> String {
    let scale = 10_u64.pow(currency.minor_digits());
    let (major, minor) = (amount.0.unsigned_abs() / scale, amount.0.unsigned_abs() % scale);
    let mut text = if amount.0 < 0 { "-".to_owned() } else { String::new() };
    let digits = major.to_string();
    for (index, digit) in digits.chars().enumerate() {
        if index > 0 && (digits.len() - index).is_multiple_of(3) {
            text.push(',');
        }
        text.push(digit);
    }
    if minor > 0 {
        let width = currency.minor_digits() as usize;
        text.push_str(&format!(".{minor:0width$}"));
    }
    text
}

#[cfg(test)]
mod tests {
    use stoop_domain::{AlertId, HomeId, Time, Verdict};

    use super::*;

    fn alert(market: &str) -> Alert {
        Alert {
            id: AlertId("a1".into()),
            rule: "price-drop".into(),
            home: HomeId("reso/1/2".into()),
            market: market.parse().unwrap(),
            at: Time::parse("2026-01-14T12:00:00Z").unwrap(),
            from: Minor(50_000_000),
            to: Minor(41_000_050),
            drop_bp: 1_799,
            title: Some("A house — with a view".into()),
            line: Some("10 Oak St".into()),
            url: Some("https://example.com/1".into()),
            verdict: Verdict::Alert,
            withdrawn: None,
            other_listings: Vec::new(),
        }
    }

    #[test]
    fn a_subject_is_short_and_plain() {
        let of = |market| subject(&alert(market));
        assert_eq!(of("us/wa/king/seattle/98178:sale:USD"), "-17.99 % in 98178 Seattle: USD 500,000 -> 410,000.50");
        assert_eq!(of("ma/-/-/-/haut-founty:sale:MAD"), "-17.99 % in Haut Founty: MAD 500,000 -> 410,000.50");
        assert_eq!(of("ma/-/-/مراكش/-:sale:MAD"), "-17.99 % in MA: MAD 500,000 -> 410,000.50");
        let long = format!("us/wa/king/{}/98178:sale:USD", "very-".repeat(30) + "long");
        assert_eq!(of(&long), "-17.99 %: USD 500,000 -> 410,000.50");
    }

    #[test]
    fn people_get_text_and_programs_get_json() {
        let message = Message::of(&alert("us/wa/king/seattle/98178:rent:USD"));
        let body: serde_json::Value = serde_json::from_str(&message.body).unwrap();
        let expected = "A house — with a view\n10 Oak St\n\n\
                        Before: USD 500,000 per month\n\
                        Now:    USD 410,000.50 per month (-17.99 %)\n\
                        Market: us/wa/king/seattle/98178:rent:USD\n\
                        Seen:   2026-01-14T12:00:00Z\n\
                        Page:   https://example.com/1\n\
                        Rule:   price-drop\n\
                        Alert:  a1\n";
        assert_eq!(body["default"], expected);
        assert_eq!(body["email"], expected);
        for protocol in ["sqs", "http", "https", "lambda"] {
            let view: serde_json::Value = serde_json::from_str(body[protocol].as_str().unwrap()).unwrap();
            assert_eq!(view["id"], "a1", "{protocol}");
            assert_eq!(view["to"], 410_000.5);
        }
        let attributes: Vec<_> = message.attributes.iter().map(|(name, _, value)| format!("{name}={value}")).collect();
        assert_eq!(
            attributes,
            [
                "purpose=rent",
                "country=us",
                "region=wa",
                "area=us/wa/king/seattle/98178",
                "rule=price-drop",
                "source=reso",
                "drop_percent=17.99",
            ]
        );
    }

    #[test]
    fn a_message_is_bounded_for_any_listing() {
        let endless = Some("\u{1}".repeat(1_000_000));
        let alert =
            Alert { title: endless.clone(), line: endless.clone(), url: endless, ..alert("us/-/-/-/1:sale:USD") };
        assert!(Message::of(&alert).bytes() < 100_000);
    }

    #[test]
    fn amounts_and_percentages_read_well() {
        let yen = Currency::parse("JPY").unwrap();
        assert_eq!(amount(Minor(1_234_567), yen), "1,234,567");
        assert_eq!(amount(Minor(-5), Currency::USD), "-0.05");
        assert_eq!(amount(Minor(99_900), Currency::USD), "999");
        assert_eq!([percent(1_800), percent(1_550), percent(5), percent(0)], ["18", "15.5", "0.05", "0"]);
    }
}
