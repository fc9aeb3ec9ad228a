//! OAuth 2.0 client credentials: the token request and its response (RFC 6749, 4.4 and 5.1).

use serde::Deserialize;
use serde_json::value::RawValue;

use crate::fields::scalar;
use crate::link::{VALUE, encode};
use crate::port::{Method, ReadError, Request};

/// Client credentials for a token request.
#[derive(Clone, PartialEq, Eq)]
pub struct ClientCredentials {
    /// URL of the token endpoint.
    pub token_url: String,
    /// Client ID.
    pub client_id: String,
    /// Client secret. Never logged.
    pub client_secret: String,
    /// Scope to request, if the server needs one.
    pub scope: Option<String>,
}

/// A bearer token and its lifetime.
#[derive(Clone, PartialEq, Eq)]
pub struct Grant {
    /// The token. Never logged.
    pub token: String,
    /// Lifetime in seconds; `None` if the server does not say.
    pub expires_in_s: Option<u64>,
}

impl ClientCredentials {
    /// Builds the token request. ID and secret go into the body: RESO's servers require that of clients without a
    /// redirect page.
    #[must_use]
    pub fn request(&self) -> Request {
        let mut fields = vec![
            ("grant_type", "client_credentials"),
            ("client_id", &self.client_id),
            ("client_secret", &self.client_secret),
        ];
        fields.extend(self.scope.as_deref().map(|scope| ("scope", scope)));
        let body = fields.iter().map(|(name, value)| format!("{name}={}", encode(value, VALUE))).collect::<Vec<_>>();
        Request {
            method: Method::Post,
            url: self.token_url.clone(),
            headers: vec![
                ("Content-Type".into(), "application/x-www-form-urlencoded".into()),
                ("Accept".into(), "application/json".into()),
            ],
            body: Some(body.join("&").into_bytes()),
            granted: false,
        }
    }
}

impl Grant {
    /// Reads the response of a token endpoint with status 200.
    ///
    /// # Errors
    /// Fails if the response contains no bearer token. The error contains nothing of the response, which may hold a
    /// secret.
    pub fn read(body: &[u8]) -> Result<Self, ReadError> {
        #[derive(Deserialize)]
        struct Answer<'a> {
            access_token: String,
            #[serde(default)]
            token_type: Option<String>,
            #[serde(default, borrow)]
            expires_in: Option<&'a RawValue>,
        }
        let not_ours =
            |got: &str| ReadError::NotOurs { expected: "JSON with a bearer access_token", got: got.to_owned() };
        let answer: Answer<'_> = serde_json::from_slice(body).map_err(|_| not_ours("something else"))?;
        if answer.access_token.trim().is_empty() {
            return Err(not_ours("an empty access_token"));
        }
        if answer.token_type.is_some_and(|kind| !kind.eq_ignore_ascii_case("bearer")) {
            return Err(not_ours("a token of another type"));
        }
        // RFC 6749 says a number; some servers send a text.
        let expires_in_s = answer.expires_in.and_then(|seconds| scalar(seconds)?.trim().parse().ok());
        Ok(Self { token: answer.access_token, expires_in_s })
    }
}

impl std::fmt::Debug for ClientCredentials {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("ClientCredentials").field("token_url", &self.token_url).finish_non_exhaustive()
    }
}

impl std::fmt::Debug for Grant {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Grant").field("expires_in_s", &self.expires_in_s).finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn credentials() -> ClientCredentials {
        ClientCredentials {
            token_url: "https://api.example.com/oidc/connect/token".into(),
            client_id: "stoop&co".into(),
            client_secret: "s3cr=t".into(),
            scope: Some("api read".into()),
        }
    }

    #[test]
    fn id_and_secret_stand_encoded_in_the_body() {
        let request = credentials().request();
        assert_eq!(
            String::from_utf8(request.body.unwrap()).unwrap(),
            "grant_type=client_credentials&client_id=stoop%26co&client_secret=s3cr%3Dt&scope=api%20read"
        );
        assert!(!format!("{:?}", credentials()).contains("s3cr"));
    }

    #[test]
    fn a_token_is_read_with_the_time_that_it_is_good_for() {
        let read = |body: &str| Grant::read(body.as_bytes());
        let grant = read(r#"{"access_token": "abc", "token_type": "Bearer", "expires_in": 3600}"#).unwrap();
        assert_eq!((grant.token.as_str(), grant.expires_in_s), ("abc", Some(3_600)));
        assert_eq!(read(r#"{"access_token": "abc", "expires_in": "60"}"#).unwrap().expires_in_s, Some(60));
        assert_eq!(read(r#"{"access_token": "abc"}"#).unwrap().expires_in_s, None);
        for bad in
            ["", "<html>", "{}", r#"{"access_token": " "}"#, r#"{"access_token": "s3cret", "token_type": "mac"}"#]
        {
            let message = read(bad).unwrap_err().to_string();
            assert!(message.contains("access_token") && !message.contains("s3cret"), "{message}");
        }
    }
}
