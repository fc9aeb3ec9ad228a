use std::fmt;

use stoop_domain::Time;

use super::exchange::{Answered, Asked, param};

/// Whom a site lets in.
#[derive(Clone, Default, PartialEq, Eq)]
pub enum Access {
    /// Everybody.
    #[default]
    Open,
    /// Whoever sends this bearer token.
    Token(String),
    /// Whoever sends this value in this header, whose name is in lower case: `x-api-key`.
    Key {
        /// The header's name.
        header: String,
        /// Its value.
        value: String,
    },
    /// Whoever sends a bearer token that this client was granted and that has not expired.
    Client(Client),
}

/// A client of an OAuth 2.0 token endpoint.
#[derive(Clone, PartialEq, Eq)]
pub struct Client {
    /// The endpoint's path: `/oidc/connect/token`.
    pub token_path: String,
    /// The client's id.
    pub id: String,
    /// The client's secret.
    pub secret: String,
    /// The scope that it has to ask for, where there is one.
    pub scope: Option<String>,
    /// How long a token is good for, in seconds.
    pub expires_in_s: u32,
}

/// The tokens that were granted.
#[derive(Debug, Default)]
pub(crate) struct Granted {
    tokens: Vec<(String, Time)>,
    count: u64,
}

/// So many tokens of a client are good at a time; an older one is forgotten.
const TOKENS_MAX: usize = 16;

impl Access {
    /// The answer to a request for a token; `None` where the request is for something else.
    pub(crate) fn grant(&self, asked: &Asked<'_>, granted: &mut Granted, now: Time) -> Option<Answered> {
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

    /// Why a request is not let in; `None` where it is.
    pub(crate) fn refuse(&self, asked: &Asked<'_>, granted: &Granted, now: Time) -> Option<&'static str> {
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
    /// Without tokens and secrets: they may be real ones.
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
