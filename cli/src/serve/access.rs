//! Who may read from a server.

use std::net::SocketAddr;

use stoop_pages::Tokens;

use crate::args::{PagesArgs, StoreArgs};
use crate::failure::usage;
use crate::tokens::{TokenFile, secret_bytes};

/// Who may read, by the address that the server listens on.
pub(super) enum ServerAccess {
    /// Everyone: only this computer can reach it.
    Everyone,
    /// Who has a token. Sessions end with the server: their key is not kept.
    WithToken { file: TokenFile, session_key: [u8; 32] },
}

impl ServerAccess {
    /// # Errors
    /// If tokens are needed and there is none.
    pub(super) fn of(store: &StoreArgs, args: PagesArgs) -> anyhow::Result<Self> {
        let PagesArgs { bind, require_token, .. } = args;
        if bind.is_loopback() && !require_token {
            return Ok(Self::Everyone);
        }
        let file = TokenFile::of(store);
        if file.tokens()?.is_empty() {
            let why = match require_token {
                true => "no token to require".to_owned(),
                false => format!("other computers can reach {bind}, and there is no token"),
            };
            return Err(usage(format!("{why}; `stoop token new NAME` makes one")));
        }
        Ok(Self::WithToken { file, session_key: secret_bytes()? })
    }

    /// The tokens of this moment. `None` if everyone is answered; no tokens if they cannot be read.
    pub(super) fn tokens(&self) -> Option<Tokens> {
        let Self::WithToken { file, session_key } = self else { return None };
        let tokens = file.tokens().unwrap_or_else(|error| {
            tracing::error!(error = format!("{error:#}"), "nobody is answered");
            Vec::new()
        });
        Some(Tokens::new(tokens, *session_key))
    }

    /// The values of `Host` that are answered: those of this computer, so that no page elsewhere whose name was made to
    /// lead here can read (DNS rebinding). All with tokens, which such a page does not have.
    pub(super) fn hosts(&self, address: SocketAddr) -> Option<[String; 2]> {
        matches!(self, Self::Everyone).then(|| [address.to_string(), format!("localhost:{}", address.port())])
    }
}
