//! Who may read: clients with a token, and browsers that have shown one.

use std::fmt;

use stoop_domain::Time;
use stoop_serve::api::{Token, TokenError};

/// How long a browser that has shown a token may read.
pub const SESSION_MS: i64 = 7 * Time::DAY_MS;

const NAME_CHARS_MAX: usize = 40;

/// What the holder of a token may do.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Scope {
    /// Read everything.
    Read,
    /// Also control searches.
    Write,
}

/// A token of a server.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NamedToken {
    /// See [`is_token_name`].
    pub name: String,
    /// What it may do.
    pub scope: Scope,
    /// The token itself.
    pub token: Token,
}

/// The tokens of a server, and the key that its sessions are signed with.
#[derive(Clone)]
pub struct Tokens {
    tokens: Vec<NamedToken>,
    session_key: [u8; 32],
}

/// Why a text is not a list of tokens. Does not repeat it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum TokensError {
    /// One token, which is not usable.
    #[error(transparent)]
    Token(#[from] TokenError),
    /// A line of several.
    #[error("line {0} is not usable; accepted: NAME read|write TOKEN, each name once")]
    Line(usize),
}

impl Scope {
    /// Its name: `read`, `write`.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Read => "read",
            Self::Write => "write",
        }
    }

    /// The scope with this name.
    #[must_use]
    pub fn parse(name: &str) -> Option<Self> {
        [Self::Read, Self::Write].into_iter().find(|scope| scope.as_str() == name)
    }
}

/// Whether a text can be the name of a token: 1 to 40 lower-case letters, digits, `-` and `_`.
#[must_use]
pub fn is_token_name(text: &str) -> bool {
    let usual = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit() || matches!(byte, b'-' | b'_');
    (1..=NAME_CHARS_MAX).contains(&text.len()) && text.bytes().all(usual)
}

impl Tokens {
    /// These tokens. Whoever knows the session key can make sessions.
    #[must_use]
    pub fn new(tokens: Vec<NamedToken>, session_key: [u8; 32]) -> Self {
        Self { tokens, session_key }
    }

    /// The tokens in a text: one alone, which is called `api` and may read; or a line `NAME read|write TOKEN` for each.
    /// The text also gives the session key: every process with this text accepts its sessions, and another text ends
    /// them.
    ///
    /// # Errors
    ///
    /// The text is neither, or a token in it is not usable.
    pub fn of(text: &str) -> Result<Self, TokensError> {
        let session_key = blake3::derive_key("stoop 2026-11 sessions of the web pages", text.trim().as_bytes());
        if !text.trim().contains(char::is_whitespace) {
            let token = NamedToken { name: "api".to_owned(), scope: Scope::Read, token: Token::parse(text)? };
            return Ok(Self::new(vec![token], session_key));
        }
        let mut tokens: Vec<NamedToken> = Vec::new();
        for (number, line) in (1..).zip(text.lines()).filter(|(_, line)| !line.trim().is_empty()) {
            let read = named_token(line).filter(|new| tokens.iter().all(|known| known.name != new.name));
            tokens.push(read.ok_or(TokensError::Line(number))?);
        }
        Ok(Self::new(tokens, session_key))
    }

    /// The token that an `Authorization` header presents.
    pub(crate) fn by_header(&self, authorization: &str) -> Option<&NamedToken> {
        self.tokens.iter().find(|known| known.token.opens_to(authorization))
    }

    /// A new session for whoever presents a token: `name.expiry.signature`, the expiry in seconds since 1970.
    pub(crate) fn new_session(&self, presented: &str, now: Time) -> Option<String> {
        let known = self.tokens.iter().find(|known| known.token.is(presented.trim()))?;
        let name = &known.name;
        let expiry = now.plus_ms(SESSION_MS).ms().div_euclid(Time::SECOND_MS);
        Some(format!("{name}.{expiry}.{}", self.signature(known, expiry).to_hex()))
    }

    /// The token that a session was made with, unless the session has expired.
    pub(crate) fn by_session(&self, session: &str, now: Time) -> Option<&NamedToken> {
        let mut parts = session.splitn(3, '.');
        let (name, expiry, signature) = (parts.next()?, parts.next()?, parts.next()?);
        let expiry = expiry.parse::<i64>().ok()?;
        let signature = blake3::Hash::from_hex(signature).ok()?;
        let known = self.tokens.iter().find(|known| known.name == name)?;
        let is_current = now.ms().div_euclid(Time::SECOND_MS) < expiry;
        // Hashes are compared in constant time.
        (is_current && self.signature(known, expiry) == signature).then_some(known)
    }

    fn signature(&self, known: &NamedToken, expiry: i64) -> blake3::Hash {
        let mut signed = blake3::Hasher::new_keyed(&self.session_key);
        signed.update(known.token.hash()).update(&expiry.to_le_bytes()).update(known.name.as_bytes());
        signed.finalize()
    }

    /// What a form must send back that changes something in a session.
    pub(crate) fn form_token(&self, session: &str) -> String {
        let mut signed = blake3::Hasher::new_keyed(&self.session_key);
        signed.update(b"form ").update(session.as_bytes());
        signed.finalize().to_hex().to_string()
    }
}

/// A line `NAME read|write TOKEN`.
fn named_token(line: &str) -> Option<NamedToken> {
    let mut words = line.split_whitespace();
    let (name, scope, token) = (words.next()?, Scope::parse(words.next()?)?, Token::parse(words.next()?).ok()?);
    let is_whole = words.next().is_none() && is_token_name(name);
    is_whole.then(|| NamedToken { name: name.to_owned(), scope, token })
}

impl fmt::Debug for Tokens {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_list().entries(self.tokens.iter().map(|known| &known.name)).finish()
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
        assert!(elsewhere.by_session(&session, noon()).is_some());
        assert!(elsewhere.by_session(&session, noon().plus_ms(SESSION_MS - 1_000)).is_some());
        assert!(elsewhere.by_session(&session, noon().plus_ms(SESSION_MS)).is_none());
        assert_eq!(tokens.new_session("x7Qm-2kfP_9sLw.0aZu", noon()), None);
        assert_eq!(tokens.new_session("", noon()), None);
    }

    #[test]
    fn a_changed_session_or_one_of_another_token_is_refused() {
        let tokens = Tokens::of(TOKEN).unwrap();
        let session = tokens.new_session(TOKEN, noon()).unwrap();
        let other = Tokens::of("x7Qm-2kfP_9sLw.0aZu").unwrap();
        assert!(other.by_session(&session, noon()).is_none(), "after a rotation");
        for at in 0..session.len() {
            for with in ['0', '1', 'z', '.'] {
                let mut changed = session.clone();
                changed.replace_range(at..=at, &with.to_string());
                assert!(changed == session || tokens.by_session(&changed, noon()).is_none(), "{changed}");
            }
        }
        for wrong in ["", ".", "..", "api", "api.9999999999", "api.9999999999.", &session[..session.len() - 1]] {
            assert!(tokens.by_session(wrong, noon()).is_none(), "{wrong}");
        }
    }

    #[test]
    fn a_revoked_or_replaced_token_ends_its_sessions_and_no_others() {
        let token = |name: &str, text: &str| NamedToken {
            name: name.into(),
            scope: Scope::Read,
            token: Token::parse(text).unwrap(),
        };
        let (ann, bob) = ("a".repeat(20), "b".repeat(20));
        let tokens = Tokens::new(vec![token("ann", &ann), token("bob", &bob)], [7; 32]);
        let sessions = [&ann, &bob].map(|text| tokens.new_session(text, noon()).unwrap());
        let accepted =
            |tokens: &Tokens| sessions.each_ref().map(|session| tokens.by_session(session, noon()).is_some());
        assert_eq!(accepted(&tokens), [true, true]);
        assert_eq!(accepted(&Tokens::new(vec![token("bob", &bob)], [7; 32])), [false, true]);
        let replaced = Tokens::new(vec![token("ann", &"c".repeat(20)), token("bob", &bob)], [7; 32]);
        assert_eq!(accepted(&replaced), [false, true]);
        assert_eq!(accepted(&Tokens::new(tokens.tokens.clone(), [8; 32])), [false, false], "after a restart");
    }

    #[test]
    fn a_form_is_of_its_session() {
        let tokens = Tokens::of(TOKEN).unwrap();
        assert_eq!(tokens.form_token("one"), tokens.form_token("one"));
        assert_ne!(tokens.form_token("one"), tokens.form_token("two"));
    }

    #[test]
    fn neither_tokens_nor_the_session_key_are_shown() {
        assert_eq!(format!("{:?}", Tokens::of(TOKEN).unwrap()), r#"["api"]"#);
    }

    #[test]
    fn a_text_has_one_token_or_a_line_for_each() {
        let alone = Tokens::of(TOKEN).unwrap();
        let found = alone.by_header(&format!("Bearer {TOKEN}")).unwrap();
        assert_eq!((found.name.as_str(), found.scope), ("api", Scope::Read));
        let two = Tokens::of(&format!("ann read {TOKEN}\n\n  bob  write  y{TOKEN}\n")).unwrap();
        let named = |token: &str| two.by_header(&format!("Bearer {token}")).map(|known| (&*known.name, known.scope));
        assert_eq!(named(TOKEN), Some(("ann", Scope::Read)));
        assert_eq!(named(&format!("y{TOKEN}")), Some(("bob", Scope::Write)));
        assert_eq!(named("ann"), None);
        let error = |text: String| Tokens::of(&text).unwrap_err();
        assert_eq!(error("short".into()), TokensError::Token(TokenError));
        let refused = [
            format!("ann own {TOKEN}"),
            format!("ann read {TOKEN} {TOKEN}"),
            format!("Ann read {TOKEN}"),
            "ann read short".into(),
            "ann read".into(),
        ];
        for text in refused {
            assert_eq!(error(text.clone()), TokensError::Line(1), "{text}");
        }
        assert_eq!(error(format!("ann read {TOKEN}\nann write y{TOKEN}")), TokensError::Line(2), "a name twice");
        assert!(!error(format!("ann own {TOKEN}")).to_string().contains(TOKEN));
    }

    #[test]
    fn names_of_tokens_are_short_and_plain() {
        assert!(is_token_name("ann-2_b") && is_token_name(&"x".repeat(40)));
        for wrong in ["", "Ann", "a.b", "a b", "ä", &"x".repeat(41)] {
            assert!(!is_token_name(wrong), "{wrong}");
        }
    }
}
