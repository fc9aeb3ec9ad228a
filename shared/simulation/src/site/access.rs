use std::fmt;

use stoop_domain::Time;

use crate::exchange::{Answered, PortalRequest, param};

/// Who may use a site.
#[derive(Clone, Default, PartialEq, Eq)]
pub enum Access {
    #[default]
    Open,
    /// Requests with this bearer token.
    Token(String),
    /// Requests with this value in this header.
    Key {
        /// Lower case: `x-api-key`.
        header: String,
        value: String,
    },
    /// Requests with a bearer token that was granted to this client and has not expired.
    Client(Client),
}

/// A client of an OAuth 2.0 token endpoint.
#[derive(Clone, PartialEq, Eq)]
pub struct Client {
    /// The path of the endpoint: `/oidc/connect/token`.
    pub token_path: String,
    pub id: String,
    pub secret: String,
    /// The scope that it must request, if any.
    pub scope: Option<String>,
    /// The lifetime of a token in seconds.
    pub expires_in_s: u32,
}

/// The granted tokens.
#[derive(Debug, Default)]
pub(crate) struct Granted {
    tokens: Vec<(String, Time)>,
    count: u64,
}

/// The maximum number of valid tokens of a client. Older ones are dropped.
const TOKENS_MAX: usize = 16;

impl Access {
    /// Answers a request for a token. `None` if the request is something else.
    pub(crate) fn grant(&self, asked: &PortalRequest<'_>, granted: &mut Granted, now: Time) -> Option<Answered> {
        let Self::Client(client) = self else { return None };
        if asked.path != client.token_path {
            return None;
        }
        let refuse = |status, error: &str| Some(Answered::json(status, &serde_json::json!({ "error": error })));
        let form = std::str::from_utf8(asked.body).unwrap_or_default();
        if asked.method != "POST" || param(form, "grant_type").as_deref() != Some("client_credentials") {
            return refuse(400, "unsupported_grant_type");
        }
        let is = |name: &str, wanted: &str| param(form, name).as_deref() == Some(wanted);
        if !is("client_id", &client.id) || !is("client_secret", &client.secret) {
            return refuse(401, "invalid_client");
        }
        if client.scope.as_ref().is_some_and(|scope| !is("scope", scope)) {
            return refuse(400, "invalid_scope");
        }
        granted.count += 1;
        let token = format!("granted-{}-{}", granted.count, now.ms());
        granted.tokens.push((token.clone(), now.plus_ms(i64::from(client.expires_in_s) * Time::SECOND_MS)));
        granted.tokens.drain(..granted.tokens.len().saturating_sub(TOKENS_MAX));
        let body = serde_json::json!({
            "access_token": token, "token_type": "Bearer", "expires_in": client.expires_in_s,
        });
        Some(Answered::json(200, &body).with("cache-control", "no-store"))
    }

    /// Why a request is refused. `None` if it is accepted.
    pub(crate) fn refuse(&self, asked: &PortalRequest<'_>, granted: &Granted, now: Time) -> Option<&'static str> {
        let bearer = asked.header("authorization").and_then(|value| value.strip_prefix("Bearer "));
        match self {
            Self::Open => None,
            Self::Token(token) => (bearer != Some(token)).then_some("a bearer token is required"),
            Self::Key { header, value } => (asked.header(header) != Some(value)).then_some("an API key is required"),
            Self::Client(_) => {
                let known = granted.tokens.iter().find(|(token, _)| bearer == Some(token));
                match known {
                    Some((_, expires_at)) if now < *expires_at => None,
                    Some(_) => Some("the token has expired"),
                    None => Some("a bearer token is required"),
                }
            }
        }
    }
}

impl fmt::Debug for Access {
    /// Hides tokens and secrets, which may be real ones.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Open => "Open",
            Self::Token(_) => "Token",
            Self::Key { .. } => "Key",
            Self::Client(_) => "Client",
        })
    }
}

impl fmt::Debug for Client {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Client").field("token_path", &self.token_path).finish_non_exhaustive()
    }
}
