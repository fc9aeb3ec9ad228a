//! An answer as JSON or CSV.

use serde::Serialize;
use stoop_show::{Csv, plain_json};

use super::error::ApiError;
use super::{ApiRequest, ApiResponse, BODY_BYTES_MAX};

/// What a route answers.
pub(super) trait RouteAnswer: Serialize {
    /// Its rows; `None` for an answer without rows.
    fn csv(&self) -> Result<Option<Csv>, ApiError>;

    /// The `cursor` of the next page, if there is one.
    fn next(&self) -> Option<String> {
        None
    }
}

/// Sends an answer as the client prefers.
pub(super) fn sent(answer: &impl RouteAnswer, request: ApiRequest<'_>) -> Result<ApiResponse, ApiError> {
    let csv = if request.accept.is_some_and(prefers_csv) { answer.csv()? } else { None };
    let mut response = match csv {
        None => json(answer)?,
        Some(csv) => whole("text/csv; charset=utf-8", csv.text()?.into_bytes())?,
    };
    response.headers.push(("vary", "accept".to_owned()));
    if let Some(cursor) = answer.next() {
        response.headers.push(("link", link_to(request, &cursor)));
    }
    Ok(response)
}

/// Sends a value as JSON, which may be shown as it is.
pub(super) fn json(answer: &impl Serialize) -> Result<ApiResponse, ApiError> {
    let json = serde_json::to_string(answer)?;
    whole("application/json", plain_json(&json).into_owned().into_bytes())
}

fn whole(media_type: &str, body: Vec<u8>) -> Result<ApiResponse, ApiError> {
    if body.len() > BODY_BYTES_MAX {
        let bytes = body.len();
        let message = format!(
            "the answer has {bytes} bytes, more than the {BODY_BYTES_MAX} that are sent; accepted: fewer days, a lower \
             limit, a narrower area, one purpose or currency"
        );
        return Err(ApiError::new(422, "too_large", message));
    }
    Ok(ApiResponse::of(200, media_type, body))
}

/// Whether an `Accept` header gives CSV a greater weight than JSON (RFC 9110, section 12.5.1).
fn prefers_csv(accept: &str) -> bool {
    weight(accept, "text", "csv") > weight(accept, "application", "json")
}

/// The weight of a media type: that of the most specific range that matches it.
fn weight(accept: &str, kind: &str, subtype: &str) -> f64 {
    let mut best = (0, 0.0);
    for range in accept.split(',') {
        let (name, parameters) = range.split_once(';').unwrap_or((range, ""));
        let Some((of_kind, of_subtype)) = name.trim().split_once('/') else { continue };
        let specific = match (of_kind.eq_ignore_ascii_case(kind), of_subtype.eq_ignore_ascii_case(subtype)) {
            (true, true) => 3,
            (true, false) if of_subtype == "*" => 2,
            (false, false) if of_kind == "*" && of_subtype == "*" => 1,
            _ => continue,
        };
        let q = parameters.split(';').find_map(|parameter| parameter.trim().strip_prefix("q="));
        let weight = q.map_or(1.0, |q| q.trim().parse().unwrap_or(0.0));
        if specific > best.0 {
            best = (specific, weight);
        }
    }
    best.1
}

/// The next page as a link (RFC 8288): the same request with another cursor.
fn link_to(request: ApiRequest<'_>, cursor: &str) -> String {
    let cursor = percent_encoding::utf8_percent_encode(cursor, percent_encoding::NON_ALPHANUMERIC).to_string();
    let others = request.query.split('&').filter(|pair| !pair.is_empty() && !pair.starts_with("cursor="));
    let query: Vec<String> = others.map(str::to_owned).chain([format!("cursor={cursor}")]).collect();
    format!("<{}?{}>; rel=\"next\"", request.path, query.join("&"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_response_too_large_for_lambda_is_refused() {
        let text = |bytes: usize| "x".repeat(bytes - 2);
        assert_eq!(json(&text(BODY_BYTES_MAX)).unwrap().body.len(), BODY_BYTES_MAX);
        let refused = json(&text(BODY_BYTES_MAX + 1)).unwrap_err().response();
        assert_eq!(refused.status, 422);
        assert!(String::from_utf8(refused.body).unwrap().contains("too_large"));
    }

    #[test]
    fn csv_is_sent_to_those_who_prefer_it() {
        for accept in ["text/csv", "Text/CSV", "text/*", "text/csv, application/json;q=0.5", "text/csv, */*;q=0.1"] {
            assert!(prefers_csv(accept), "{accept}");
        }
        let json =
            ["", "*/*", "application/json", "text/html, */*", "text/csv, */*", "text/csv;q=0", "text/csv;q=x", "csv"];
        for accept in json {
            assert!(!prefers_csv(accept), "{accept}");
        }
    }

    #[test]
    fn the_next_page_is_the_same_request_with_another_cursor() {
        let request =
            ApiRequest { path: "/api/v1/homes", query: "area=king&cursor=old&limit=2", ..ApiRequest::default() };
        let link = link_to(request, "a/b c");
        assert_eq!(link, "</api/v1/homes?area=king&limit=2&cursor=a%2Fb%20c>; rel=\"next\"");
    }
}
