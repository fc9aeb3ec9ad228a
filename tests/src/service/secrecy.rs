/// A secret in all forms that a log could contain: as it is, in a URL, in JSON, as bytes in each notation of `Debug`,
/// in other cases.
#[must_use]
pub fn forms_of(secret: &str) -> Vec<String> {
    let joined =
        |form: &dyn Fn(u8) -> String, between: &str| secret.bytes().map(form).collect::<Vec<_>>().join(between);
    let encoded = |upper: bool| {
        joined(
            &|byte| match byte {
                byte if byte.is_ascii_alphanumeric() => char::from(byte).to_string(),
                byte if upper => format!("%{byte:02X}"),
                byte => format!("%{byte:02x}"),
            },
            "",
        )
    };
    vec![
        secret.to_owned(),
        secret.to_lowercase(),
        secret.to_uppercase(),
        encoded(true),
        encoded(false),
        joined(&|byte| byte.to_string(), ", "),
        joined(&|byte| format!("{byte:02x}"), ""),
        serde_json::Value::from(secret).to_string().trim_matches('"').to_owned(),
    ]
}

/// The lines that contain a secret in any of its forms.
#[must_use]
pub fn lines_with<'l>(lines: &'l [String], secret: &str) -> Vec<&'l str> {
    let forms = forms_of(secret);
    let reveals = |line: &&String| forms.iter().any(|form| line.contains(form.as_str()));
    lines.iter().filter(reveals).map(String::as_str).collect()
}

#[test]
fn a_secret_is_seen_in_every_form() {
    let secret = "k3Y/w+th=odd%chars~";
    let lines = [
        format!("authorization: Bearer {secret}"),
        "?key=k3Y%2Fw%2Bth%3Dodd%25chars%7E&x".into(),
        "?key=k3Y%2fw%2bth%3dodd%25chars%7e&x".into(),
        format!("[66, {:?}]", secret.as_bytes()),
        "K3Y/W+TH=ODD%CHARS~".into(),
        "nothing of it".into(),
    ];
    assert_eq!(lines_with(&lines, secret).len(), 5);
}
