//! Who may read: clients with a token, and browsers that have shown one.

use std::fmt;

use stoop_domain::Time;
use stoop_pipeline::serve::api::{Token, TokenError};

/// How long a browser that has shown a token may read.
pub const SESSION_MS: i64 = 7 * Time::DAY_MS;

const NAME_CHARS_MAX: usize = 40;

/// The tokens of a server, and the key that its sessions are signed with.
#[derive(Clone)]
pub struct Tokens {
    tokens: Vec<(String, Token)>,
    session_key: [u8; 32],
}

/// Whether a text can be the name of a token: 1 to 40 lower-case letters, digits, `-` and `_`.
#[must_use]
pub fn is_token_name(text: &str) -> bool {
    let usual = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit() || matches!(byte, b'-' | b'_');
    (1..=NAME_CHARS_MAX).contains(&text.len()) && text.bytes().all(usual)
}

impl Tokens {
    /// These tokens, by name. Whoever knows the session key can make sessions.
    #[must_use]
    pub fn new(tokens: Vec<(String, Token)>, session_key: [u8; 32]) -> Self {
        Self { tokens, session_key }
    }

    /// One token, which also gives the session key: every process with this token accepts its sessions, and another
    /// token ends them.
    ///
    /// # Errors
    ///
    /// The text is not a token.
    pub fn of(token: &str) -> Result<Self, TokenError> {
        let session_key = blake3::derive_key("stoop 2026-11 sessions of the web pages", token.trim().as_bytes());
        Ok(Self::new(vec![("api".to_owned(), Token::parse(token)?)], session_key))
    }

    /// One of the tokens.
    pub(crate) fn first(&self) -> Option<&Token> {
        self.tokens.first().map(|(_, token)| token)
    }

    /// Whether an `Authorization` header presents one of the tokens.
    #[must_use]
    pub fn accept_header(&self, authorization: &str) -> bool {
        self.tokens.iter().any(|(_, token)| token.opens_to(authorization))
    }

    /// A new session for whoever presents a token: `name.expiry.signature`, the expiry in seconds since 1970.
    pub(crate) fn new_session(&self, presented: &str, now: Time) -> Option<String> {
        let (name, token) = self.tokens.iter().find(|(_, token)| token.is(presented.trim()))?;
        let expiry = now.plus_ms(SESSION_MS).ms().div_euclid(Time::SECOND_MS);
        Some(format!("{name}.{expiry}.{}", self.signature(token, name, expiry).to_hex()))
    }

    /// Whether a session was made with one of the tokens, and has not expired.
    pub(crate) fn accept_session(&self, session: &str, now: Time) -> bool {
        let mut parts = session.splitn(3, '.');
        let (Some(name), Some(expiry), Some(signature)) = (parts.next(), parts.next(), parts.next()) else {
            return false;
        };
        let (Ok(expiry), Ok(signature)) = (expiry.parse::<i64>(), blake3::Hash::from_hex(signature)) else {
            return false;
        };
        let token = self.tokens.iter().find(|(known, _)| known == name).map(|(_, token)| token);
        let is_current = now.ms().div_euclid(Time::SECOND_MS) < expiry;
        // Hashes are compared in constant time.
        is_current && token.is_some_and(|token| self.signature(token, name, expiry) == signature)
    }

    fn signature(&self, token: &Token, name: &str, expiry: i64) -> blake3::Hash {
        let mut signed = blake3::Hasher::new_keyed(&self.session_key);
        signed.update(token.hash()).update(&expiry.to_le_bytes()).update(name.as_bytes());
        signed.finalize()
    }

    /// What a form must send back that changes something in a session.
    pub(crate) fn form_token(&self, session: &str) -> String {
        let mut signed = blake3::Hasher::new_keyed(&self.session_key);
        signed.update(b"form ").update(session.as_bytes());
        signed.finalize().to_hex().to_string()
    }

    /// Whether a form of this session sent this.
    pub(crate) fn is_form_token(&self, session: &str, sent: &str) -> bool {
        let expected = blake3::Hash::from_hex(self.form_token(session));
        matches!((expected, blake3::Hash::from_hex(sent)), (Ok(expected), Ok(sent)) if expected == sent)
    }
}

impl fmt::Debug for Tokens {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_list().entries(self.tokens.iter().map(|(name, _)| name)).finish()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const TOKEN: &str = "x7Qm-2kfP_9sLw.0aZt";

    fn noon() -> Time {
        Time::from_ms(1_768_392_000_000)
    }

    #[test]
    fn a_session_lasts_seven_days_on_every_process_with_the_token() {
        let tokens = Tokens::of(TOKEN).unwrap();
        let session = tokens.new_session(TOKEN, noon()).unwrap();
        let elsewhere = Tokens::of(&format!("{TOKEN}\n")).unwrap();
        assert!(elsewhere.accept_session(&session, noon()));
        assert!(elsewhere.accept_session(&session, noon().plus_ms(SESSION_MS - 1_000)));
        assert!(!elsewhere.accept_session(&session, noon().plus_ms(SESSION_MS)));
        assert_eq!(tokens.new_session("x7Qm-2kfP_9sLw.0aZu", noon()), None);
        assert_eq!(tokens.new_session("", noon()), None);
    }

    #[test]
    fn a_changed_session_or_one_of_another_token_is_refused() {
        let tokens = Tokens::of(TOKEN).unwrap();
        let session = tokens.new_session(TOKEN, noon()).unwrap();
        let other = Tokens::of("x7Qm-2kfP_9sLw.0aZu").unwrap();
        assert!(!other.accept_session(&session, noon()), "after a rotation");
        for at in 0..session.len() {
            for with in ['0', '1', 'z', '.'] {
                let mut changed = session.clone();
                changed.replace_range(at..=at, &with.to_string());
                assert!(changed == session || !tokens.accept_session(&changed, noon()), "{changed}");
            }
        }
        for wrong in ["", ".", "..", "api", "api.9999999999", "api.9999999999.", &session[..session.len() - 1]] {
            assert!(!tokens.accept_session(wrong, noon()), "{wrong}");
        }
    }

    #[test]
    fn a_revoked_or_replaced_token_ends_its_sessions_and_no_others() {
        let token = |text: &str| Token::parse(text).unwrap();
        let (ann, bob) = ("a".repeat(20), "b".repeat(20));
        let tokens = Tokens::new(vec![("ann".into(), token(&ann)), ("bob".into(), token(&bob))], [7; 32]);
        let sessions = [&ann, &bob].map(|text| tokens.new_session(text, noon()).unwrap());
        let accepted = |tokens: &Tokens| sessions.each_ref().map(|session| tokens.accept_session(session, noon()));
        assert_eq!(accepted(&tokens), [true, true]);
        assert_eq!(accepted(&Tokens::new(vec![("bob".into(), token(&bob))], [7; 32])), [false, true]);
        let replaced = Tokens::new(vec![("ann".into(), token(&"c".repeat(20))), ("bob".into(), token(&bob))], [7; 32]);
        assert_eq!(accepted(&replaced), [false, true]);
        assert_eq!(accepted(&Tokens::new(tokens.tokens.clone(), [8; 32])), [false, false], "after a restart");
    }

    #[test]
    fn a_form_is_of_its_session() {
        let tokens = Tokens::of(TOKEN).unwrap();
        let form = tokens.form_token("one");
        assert!(tokens.is_form_token("one", &form));
        assert!(!tokens.is_form_token("two", &form) && !tokens.is_form_token("one", ""));
    }

    #[test]
    fn neither_tokens_nor_the_session_key_are_shown() {
        assert_eq!(format!("{:?}", Tokens::of(TOKEN).unwrap()), r#"["api"]"#);
    }

    #[test]
    fn names_of_tokens_are_short_and_plain() {
        assert!(is_token_name("ann-2_b") && is_token_name(&"x".repeat(40)));
        for wrong in ["", "Ann", "a.b", "a b", "ä", &"x".repeat(41)] {
            assert!(!is_token_name(wrong), "{wrong}");
        }
    }
}
