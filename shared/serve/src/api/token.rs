use std::fmt;

/// The bearer token of the API. Kept as a hash: it can be compared, not shown.
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct Token(blake3::Hash);

/// Why a text is not a token. Does not repeat it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("the API's token is not usable; accepted: {CHARS_MIN} to {CHARS_MAX} visible ASCII characters without spaces")]
pub struct TokenError;

const CHARS_MIN: usize = 16;
const CHARS_MAX: usize = 1_024;

impl Token {
    /// Parses a token: 16 to 1,024 visible ASCII characters, so that a header can carry it and nobody can guess it.
    /// Surrounding whitespace (the line end of a file) is ignored.
    ///
    /// # Errors
    ///
    /// Any other text.
    pub fn parse(text: &str) -> Result<Self, TokenError> {
        let text = text.trim();
        let usable = (CHARS_MIN..=CHARS_MAX).contains(&text.len()) && text.bytes().all(|byte| byte.is_ascii_graphic());
        if usable { Ok(Self(blake3::hash(text.as_bytes()))) } else { Err(TokenError) }
    }

    /// Whether an `Authorization` header presents this token. Hashes are compared in constant time, so that the
    /// duration reveals nothing about the token.
    #[must_use]
    pub fn opens_to(&self, authorization: &str) -> bool {
        let Some((scheme, presented)) = authorization.trim().split_once(' ') else { return false };
        let presented = presented.trim_start();
        scheme.eq_ignore_ascii_case("Bearer") && self.is(presented)
    }

    /// Whether a text is this token.
    #[must_use]
    pub fn is(&self, presented: &str) -> bool {
        // A longer one is wrong anyway and need not be hashed.
        presented.len() <= CHARS_MAX && blake3::hash(presented.as_bytes()) == self.0
    }

    /// The BLAKE3 hash of its text, which can be stored.
    #[must_use]
    pub fn hash(&self) -> &[u8; 32] {
        self.0.as_bytes()
    }

    /// The token with this hash.
    #[must_use]
    pub fn from_hash(hash: [u8; 32]) -> Self {
        Self(hash.into())
    }
}

impl fmt::Debug for Token {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Token(..)")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const TEXT: &str = "x7Qm-2kfP_9sLw.0aZt";

    #[test]
    fn only_the_whole_token_opens() {
        let token = Token::parse(TEXT).unwrap();
        for right in [format!("Bearer {TEXT}"), format!("bearer  {TEXT} ")] {
            assert!(token.opens_to(&right), "{right}");
        }
        let (start, end) = (&TEXT[..18], &TEXT[1..]);
        let wrong = ["", "Bearer", "Bearer ", TEXT, &format!("Basic {TEXT}"), &format!("Bearer {TEXT}x")];
        for wrong in wrong.into_iter().chain([format!("Bearer {start}"), format!("Bearer {end}")].iter().map(|s| &**s))
        {
            assert!(!token.opens_to(wrong), "{wrong}");
        }
        assert!(!token.opens_to(&format!("Bearer {}", "x".repeat(100_000))));
    }

    #[test]
    fn a_guessable_or_unsendable_token_is_refused() {
        for text in ["", "secret", "fifteen-letters", "sixteen letters!", "sechzehn-zeichän", &"x".repeat(1_025)] {
            assert_eq!(Token::parse(text), Err(TokenError), "{text}");
        }
        assert_eq!(Token::parse(&format!("{TEXT}\n")), Token::parse(TEXT));
        assert_eq!(format!("{:?}", Token::parse(TEXT)), "Ok(Token(..))");
    }
}
