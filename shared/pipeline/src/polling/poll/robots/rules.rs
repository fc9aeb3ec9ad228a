//! The rules of a `robots.txt` (RFC 9309).

/// Maximum bytes of a file to read. RFC 9309, 2.5, requires at least 500 KiB.
const BYTES_MAX: usize = 512 * 1024;

/// The rules of a file that apply to us.
pub(super) struct Rules(Vec<RobotsRule>);

struct RobotsRule {
    allow: bool,
    /// The texts between the stars, normalized by [`normal`].
    parts: Vec<String>,
    /// Whether the pattern ends with `$`.
    anchored: bool,
    octets: usize,
}

/// A parsed line.
enum RobotsLine<'a> {
    Agent(&'a str),
    Rule(RobotsRule),
}

impl Rules {
    /// Parses a file: the rules of all groups that name `agent`, otherwise those of the groups for `*`.
    pub(super) fn read(file: &[u8], agent: &str) -> Self {
        let file = file.strip_prefix(b"\xef\xbb\xbf").unwrap_or(file);
        let whole = file.len() <= BYTES_MAX;
        let text = String::from_utf8_lossy(&file[..file.len().min(BYTES_MAX)]);
        // A truncated line could mean something else.
        let text = if whole { &*text } else { text.rsplit_once(LINE_ENDS).map_or("", |(lines, _)| lines) };
        let (mut ours, mut everybodys) = (Vec::new(), Vec::new());
        let (mut names_us, mut names_all, mut names_us_anywhere) = (false, false, false);
        let mut in_rules = false;
        for line in text.split(LINE_ENDS).filter_map(RobotsLine::read) {
            match line {
                RobotsLine::Agent(name) => {
                    if in_rules {
                        (names_us, names_all, in_rules) = (false, false, false);
                    }
                    names_all |= name == "*";
                    names_us |= !token(name).is_empty() && token(name).eq_ignore_ascii_case(token(agent));
                    names_us_anywhere |= names_us;
                }
                RobotsLine::Rule(rule) => {
                    in_rules = true;
                    if names_us {
                        ours.push(rule);
                    } else if names_all {
                        everybodys.push(rule);
                    }
                }
            }
        }
        Self(if names_us_anywhere { ours } else { everybodys })
    }

    /// Whether a path with its query may be fetched: the longest matching rule decides; a tie, or no rule, allows.
    pub(super) fn allow(&self, path: &str) -> bool {
        let path = normal(path, true);
        let matching = self.0.iter().filter(|rule| rule.matches(&path));
        matching.max_by_key(|rule| (rule.octets, rule.allow)).is_none_or(|rule| rule.allow)
    }
}

const LINE_ENDS: [char; 2] = ['\n', '\r'];

impl<'a> RobotsLine<'a> {
    /// Other kinds of lines have no meaning, within groups and between them.
    fn read(line: &'a str) -> Option<Self> {
        let line = line.split('#').next().unwrap_or_default();
        let (key, value) = line.split_once(':')?;
        let (key, value) = (key.trim(), value.trim());
        match key.to_ascii_lowercase().as_str() {
            "user-agent" => Some(Self::Agent(value)),
            "allow" => Some(Self::Rule(RobotsRule::of(true, value))),
            "disallow" => Some(Self::Rule(RobotsRule::of(false, value))),
            _ => None,
        }
    }
}

impl RobotsRule {
    fn of(allow: bool, pattern: &str) -> Self {
        let (pattern, anchored) = match pattern.strip_suffix('$') {
            Some(pattern) => (pattern, true),
            None => (pattern, false),
        };
        let parts: Vec<String> = pattern.split('*').map(|part| normal(part, false)).collect();
        let octets = parts.iter().map(String::len).sum::<usize>() + parts.len() - 1 + usize::from(anchored);
        Self { allow, parts, anchored, octets }
    }

    /// A star matches any text. An empty rule matches nothing.
    fn matches(&self, path: &str) -> bool {
        let Some((first, others)) = self.parts.split_first() else { return false };
        let Some(mut rest) = path.strip_prefix(&**first).filter(|_| self.octets > 0) else { return false };
        for (i, part) in others.iter().enumerate() {
            if self.anchored && i + 1 == others.len() {
                return rest.ends_with(&**part);
            }
            match rest.find(&**part) {
                Some(at) => rest = &rest[at + part.len()..],
                None => return false,
            }
        }
        !self.anchored || rest.is_empty()
    }
}

/// Returns the product token at the start of an agent's name: `stoop` of `Stoop/1.0 (...)`.
fn token(agent: &str) -> &str {
    let is_part = |c: char| c.is_ascii_alphabetic() || matches!(c, '-' | '_');
    &agent[..agent.find(|c| !is_part(c)).unwrap_or(agent.len())]
}

/// Normalizes a path or a part of a pattern for comparison (RFC 9309, 2.2.2): decodes unreserved characters and
/// percent-encodes all others with upper-case digits. Stars in a path are not wildcards.
fn normal(text: &str, is_path: bool) -> String {
    let mut normal = String::with_capacity(text.len());
    let mut rest = text.as_bytes();
    while let [byte, after @ ..] = rest {
        let (byte, was_encoded) = match (byte, after) {
            (b'%', [high, low, ..]) => match (hex(*high), hex(*low)) {
                (Some(high), Some(low)) => (high << 4 | low, true),
                _ => (*byte, false),
            },
            _ => (*byte, false),
        };
        rest = &rest[if was_encoded { 3 } else { 1 }..];
        let unreserved = byte.is_ascii_alphanumeric() || b"-._~".contains(&byte);
        let as_it_is = byte.is_ascii_graphic() && !was_encoded && byte != b'$' && !(is_path && byte == b'*');
        if unreserved || as_it_is {
            normal.push(char::from(byte));
        } else {
            normal.push_str(&format!("%{byte:02X}"));
        }
    }
    normal
}

fn hex(digit: u8) -> Option<u8> {
    char::from(digit).to_digit(16).and_then(|digit| u8::try_from(digit).ok())
}

#[cfg(test)]
mod tests {
    use std::time::{Duration, Instant};

    use proptest::prelude::*;

    use super::*;

    const AGENT: &str = "stoop/0.1.0 (property market figures)";

    fn allows(robots: &str, path: &str) -> bool {
        Rules::read(robots.as_bytes(), AGENT).allow(path)
    }

    #[test]
    fn the_longest_rule_decides_and_a_tie_allows() {
        let robots =
            "User-agent: *\nDisallow: /fr/\nAllow: /fr/maroc/\nDisallow: /x\nAllow: /x\nDisallow: /y*\nAllow: /y\n";
        assert!(!allows(robots, "/fr/compte"));
        assert!(allows(robots, "/fr/maroc/appartements"));
        assert!(allows(robots, "/x"));
        assert!(!allows(robots, "/y"), "a star counts");
        assert!(allows(robots, "/anything"));
    }

    #[test]
    fn a_group_that_names_us_replaces_the_one_for_everybody() {
        let robots = "User-agent: *\nDisallow:\n\nUser-agent: other\nUser-agent: Stoop\nDisallow: /\n";
        assert!(!allows(robots, "/a"));
        assert!(allows("User-agent: other\nDisallow: /\n", "/a"));
        assert!(allows("User-agent: *\nDisallow: /\nUser-agent: stoop\nDisallow:\n", "/a"));
        assert!(allows("User-agent: *\nDisallow: /\nUser-agent: stoop\n", "/a"), "without a rule all the same");
    }

    #[test]
    fn groups_that_name_us_are_one() {
        let robots =
            "User-agent: stoop\nDisallow: /a\n\nUser-agent: other\nDisallow: /\n\nUSER-AGENT: STOOP\nDISALLOW: /b\n";
        for (path, allowed) in [("/a", false), ("/b", false), ("/c", true)] {
            assert_eq!(allows(robots, path), allowed, "{path}");
        }
        let everybodys = "User-agent: *\nDisallow: /a\nUser-agent: x\nDisallow: /c\nUser-agent: *\nDisallow: /b\n";
        for (path, allowed) in [("/a", false), ("/b", false), ("/c", true)] {
            assert_eq!(allows(everybodys, path), allowed, "{path}");
        }
    }

    #[test]
    fn a_group_names_us_by_our_whole_product_token() {
        for (name, is_us) in [
            ("stoop", true),
            ("STOOP", true),
            ("stoop/2.0", true),
            ("stoop (figures)", true),
            ("", false),
            ("s", false),
            ("stoopbot", false),
            ("stoop-bot", false),
            ("/", false),
            ("**", false),
        ] {
            assert_eq!(!allows(&format!("User-agent: {name}\nDisallow: /\n"), "/a"), is_us, "{name:?}");
        }
    }

    #[test]
    fn a_byte_order_mark_hides_nothing() {
        assert!(!allows("\u{feff}User-agent: *\nDisallow: /\n", "/a"));
        assert!(!allows("\u{feff}user-agent: stoop\r\ndisallow: /\r\n", "/a"));
    }

    #[test]
    fn lines_end_as_they_like_and_have_comments() {
        for robots in [
            "User-agent: *\rDisallow: /\r",
            "User-agent: *\r\nDisallow: /",
            "# all\nUser-agent: * # all\n\n  Disallow : /   # all\n",
            "User-agent:*\nDisallow:/#x",
            "User-agent: a\nSitemap: /x\nCrawl-delay: 1\nnonsense\nUser-agent: *\nDisallow: /\n",
        ] {
            assert!(!allows(robots, "/a"), "{robots:?}");
        }
        assert!(allows("Disallow: /\nUser-agent: *\nAllow: /b\n", "/a"), "a rule of no group is nobody's");
    }

    #[test]
    fn wildcards_and_ends_are_understood() {
        let robots =
            "User-agent: *\nDisallow: /*?o=\nDisallow: /*.pdf$\nDisallow: /a*b*c\nDisallow: /end$\nDisallow: no\n";
        for (path, allowed) in [
            ("/fr/appartements?o=2", false),
            ("/a/b.pdf", false),
            ("/a/b.pdf?x", true),
            ("/a/b.pdf.pdf", false),
            ("/aXbXc", false),
            ("/acb", true),
            ("/end", false),
            ("/ending", true),
            ("/no", true),
        ] {
            assert_eq!(allows(robots, path), allowed, "{path}");
        }
        assert!(!allows("User-agent: *\nDisallow: *\n", "/a"));
        assert!(!allows("User-agent: *\nDisallow: /\nAllow: /$\n", "/a"));
        assert!(allows("User-agent: *\nDisallow: /\nAllow: /$\n", "/"));
    }

    /// The examples of RFC 9309, 2.2.2 and 2.2.3.
    #[test]
    fn paths_are_compared_in_one_spelling() {
        for (pattern, path) in [
            ("/foo/bar?baz=quz", "/foo/bar?baz=quz"),
            ("/foo/bar/\u{30c4}", "/foo/bar/%E3%83%84"),
            ("/foo/bar/%E3%83%84", "/foo/bar/%e3%83%84"),
            ("/foo/bar/%62%61%7A", "/foo/bar/baz"),
            ("/foo/bar/baz", "/foo/bar/%62%61%7a"),
            ("/file-with-a-%2A.html$", "/file-with-a-*.html"),
            ("/path/foo-%24$", "/path/foo-$"),
            ("/a$b", "/a$b"),
            ("/50%", "/50%"),
        ] {
            assert!(!allows(&format!("User-agent: *\nDisallow: {pattern}\n"), path), "{pattern} {path}");
        }
        for (pattern, path) in [("/a%2Fb", "/a/b"), ("/file-%2A.html", "/file-x.html"), ("/foo-%24", "/foo-")] {
            assert!(allows(&format!("User-agent: *\nDisallow: {pattern}\n"), path), "{pattern} {path}");
        }
    }

    #[test]
    fn five_hundred_kibibytes_are_read_and_a_line_that_is_cut_is_not() {
        let filler = "Allow: /b\n".repeat(500 * 1024 / 10);
        assert!(!allows(&format!("User-agent: *\n{filler}Disallow: /a\n"), "/a"), "in short lines, too");
        let head = format!("User-agent: *\n{}", "#\n".repeat((BYTES_MAX - 30) / 2));
        let cut = format!("{head}{}Disallow: /a/b\n", " ".repeat(BYTES_MAX - head.len() - "Disallow: /".len()));
        assert!(allows(&cut, "/x"), "not as `Disallow: /`");
    }

    #[test]
    fn a_hostile_file_is_read_in_time() {
        let began = Instant::now();
        let robots = format!("User-agent: *\n{}", format!("Disallow: /{}b\n", "*a".repeat(100)).repeat(2_400));
        assert!(allows(&robots, &format!("/{}", "a".repeat(2_000))));
        assert!(began.elapsed() < Duration::from_secs(20), "{:?}", began.elapsed());
    }

    #[test]
    fn rubbish_allows() {
        assert!(allows("<html>not found</html>", "/a"));
        assert!(allows("", "/a"));
        assert!(Rules::read(&[0xff, 0xfe, 0, b'\n', b':'], AGENT).allow("/a"));
    }

    proptest! {
        #[test]
        fn any_file_is_read(file in ".{0,200}", path in "/.{0,40}") {
            allows(&file, &path);
            allows(&format!("User-agent: *\nDisallow: {file}"), &path);
        }

        /// Compares with a brute-force matcher.
        #[test]
        fn stars_and_ends_match_as_they_say(pattern in "[/ab*]{1,7}[$]?", path in "/[/ab]{0,7}") {
            fn fits(pattern: &[u8], path: &[u8]) -> bool {
                match pattern {
                    [] => true,
                    [b'$'] => path.is_empty(),
                    [b'*', rest @ ..] => (0..=path.len()).any(|skipped| fits(rest, &path[skipped..])),
                    [byte, rest @ ..] => path.first() == Some(byte) && fits(rest, &path[1..]),
                }
            }
            let allowed = allows(&format!("User-agent: *\nDisallow: {pattern}"), &path);
            prop_assert_eq!(allowed, !fits(pattern.as_bytes(), path.as_bytes()));
        }
    }
}
