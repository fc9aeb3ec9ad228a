//! A search's parameters: plain values, and values taken from elsewhere.

use stoop_sources::settings::{Mistakes, Section};
use stoop_sources::{KINDS, Param, Params};

use super::environment::{Environment, Platform};
use super::values::number_text;

/// Names of secret parameters: never written in the configuration itself.
const SECRETS: [&str; 5] = ["key", "token", "password", "secret", "api_key"];

/// Replaces a value that is not available, so that the rest can be checked. It is a URL, because every source kind can
/// be built with its required parameters set to one.
const STAND_IN: &str = "https://stand-in.invalid";

/// Characters of a secret's name in Secrets Manager, in addition to letters and digits, and the longest name: 512 with
/// the prefix `stoop/<stack>/`.
const SECRET_NAME_SIGNS: &str = "/_+=.@-";
const SECRET_NAME_MAX: usize = 256;

/// The parameters of one search, as written.
pub(super) struct Written<'d> {
    kind: &'d str,
    params: Vec<(&'d str, ParamValue<'d>)>,
}

enum ParamValue<'d> {
    Plain(String),
    Taken(TakenValue<'d>),
}

/// A value to be taken from elsewhere, with its line and full key.
struct TakenValue<'d> {
    origin: ParamOrigin<'d>,
    line: usize,
    key: String,
}

enum ParamOrigin<'d> {
    Env(&'d str),
    File(&'d str),
    Secret { name: &'d str, key: Option<&'d str> },
}

/// A value that could not be read: its line, its full key, and the reason.
pub(super) struct Lacking(pub(super) usize, pub(super) String, pub(super) String);

impl<'d> Written<'d> {
    /// No parameters, for a search of this kind or with this map.
    pub(super) fn none(kind: &'d str) -> Self {
        Self { kind, params: Vec::new() }
    }

    /// Walks `params` without using the environment: a disabled search may lack its secret.
    pub(super) fn walk(kind: &'d str, table: &Section<'d>, platform: Platform, mistakes: &mut Mistakes<'_>) -> Self {
        let mut written = Self::none(kind);
        for (key, line) in table.keys(mistakes) {
            let Some(value) = table.value(key, mistakes) else { continue };
            let full_key = table.key(key);
            if value.value.as_table().is_some() {
                let origin = table.table(key, mistakes).and_then(|inner| origin(&inner, line, platform, mistakes));
                if let Some(origin) = origin {
                    written.params.push((key, ParamValue::Taken(TakenValue { origin, line, key: full_key })));
                }
            } else if is_secret(kind, key) {
                let problem = format!("a secret does not belong in this file; accepted: {}", origins(platform));
                mistakes.add(line, full_key, problem);
            } else if let Some(text) =
                value.value.as_str().map(str::to_owned).or_else(|| number_text(table, key, mistakes))
            {
                written.params.push((key, ParamValue::Plain(text)));
            } else {
                mistakes.add(line, full_key, format!("neither text nor number; accepted: {}", origins(platform)));
            }
        }
        written
    }

    /// The parameters with a stand-in for each value from elsewhere.
    pub(super) fn with_stand_ins(&self) -> Params {
        self.fill(|name, _| Ok(stand_in(self.kind, name))).0
    }

    /// The parameters, with values from the environment. If `secrets` is false, secrets keep their stand-ins, and are
    /// checked as far as possible without their values.
    pub(super) fn take(&self, environment: &dyn Environment, secrets: bool) -> (Params, Vec<Lacking>) {
        self.fill(|name, origin| {
            let hidden = !secrets && (is_secret(self.kind, name) || matches!(origin, ParamOrigin::Secret { .. }));
            let question = origin.question(environment.platform())?;
            if hidden { Ok(stand_in(self.kind, name)) } else { question.ask(environment).map(Some) }
        })
    }

    fn fill(&self, take: impl Fn(&str, &ParamOrigin<'d>) -> Result<Option<String>, String>) -> (Params, Vec<Lacking>) {
        let mut params = Params::new();
        let mut lacking = Vec::new();
        for (name, value) in &self.params {
            let text = match value {
                ParamValue::Plain(text) => Ok(Some(text.clone())),
                ParamValue::Taken(taken) => take(name, &taken.origin)
                    .map_err(|problem| lacking.push(Lacking(taken.line, taken.key.clone(), problem))),
            };
            params.extend(text.ok().flatten().map(|text| ((*name).to_owned(), text)));
        }
        (params, lacking)
    }

    /// A source's error about its parameters, without values from elsewhere: a source shows every refused value that it
    /// does not know to be a secret.
    pub(super) fn redacted(&self, problem: String) -> String {
        for (name, _) in self.params.iter().filter(|(_, value)| matches!(value, ParamValue::Taken(_))) {
            if let Some(rest) = problem.strip_prefix(&format!("{name} = ")) {
                let accepted = rest.rsplit_once(": accepted is ").map(|(_, accepted)| accepted);
                let accepted = accepted.unwrap_or("what docs/SOURCES.md and its pages say");
                return format!("{name} = (not shown): accepted is {accepted}");
            }
        }
        problem
    }
}

/// A reference that is valid on this platform.
enum Question<'d> {
    Env(&'d str),
    File(String),
    Secret { name: &'d str, key: Option<&'d str> },
}

impl<'d> ParamOrigin<'d> {
    fn question(&self, platform: Platform) -> Result<Question<'d>, String> {
        match (self, platform) {
            (Self::Env(name), Platform::Laptop) => Ok(Question::Env(name)),
            (Self::Env(name), Platform::Aws) => Err(format!(
                "a function's environment holds no secrets, so {name} is not read there; accepted on AWS: {}",
                origins(platform)
            )),
            (Self::File(path), _) => Ok(Question::File(file_path(path, platform)?)),
            (Self::Secret { name, key }, Platform::Aws) => {
                let known = |c: char| c.is_ascii_alphanumeric() || SECRET_NAME_SIGNS.contains(c);
                if (1..=SECRET_NAME_MAX).contains(&name.len()) && name.chars().all(known) {
                    return Ok(Question::Secret { name, key: *key });
                }
                Err(format!(
                    "{name:?} is not a name of a secret; accepted: 1 to {SECRET_NAME_MAX} letters, digits and \
                     {SECRET_NAME_SIGNS}, without the prefix stoop/<stack>/"
                ))
            }
            (Self::Secret { name, .. }, Platform::Laptop) => Err(format!(
                "secrets by name, like {name}, are read on AWS; here use env or file; accepted: {}",
                origins(platform)
            )),
        }
    }
}

impl Question<'_> {
    fn ask(self, environment: &dyn Environment) -> Result<String, String> {
        let (what, text) = match self {
            Self::Env(name) => {
                let found = environment.env(name);
                let text = found.ok_or_else(|| format!("the environment has no variable {name}"))?;
                (format!("the variable {name}"), text)
            }
            Self::File(path) => {
                let text = environment.file(&path);
                let text = text.map_err(|why| format!("the file {path} cannot be read: {why}"))?;
                (format!("the file {path}"), text)
            }
            Self::Secret { name, key } => {
                let text = environment.secret(name);
                let text = text.map_err(|why| format!("the secret {name} cannot be read: {why}"))?;
                match key {
                    None => (format!("the secret {name}"), text),
                    Some(key) => (format!("the key {key} of the secret {name}"), json_key(&text, name, key)?),
                }
            }
        };
        match text.trim() {
            // A source would take a blank for an absent parameter, and poll without a key.
            "" => Err(format!("{what} is empty")),
            text => Ok(text.to_owned()),
        }
    }
}

/// One key of a secret that is a JSON object, as the console of Secrets Manager makes them.
fn json_key(text: &str, name: &str, key: &str) -> Result<String, String> {
    let accepted = format!("accepted: {{\"{key}\": \"...\"}}, or no `key` for the secret as a whole");
    // The parser's message is not shown: it can quote the text.
    let Ok(serde_json::Value::Object(object)) = serde_json::from_str(text) else {
        return Err(format!("the secret {name} is not a JSON object; {accepted}"));
    };
    match object.get(key) {
        Some(serde_json::Value::String(text)) => Ok(text.clone()),
        Some(serde_json::Value::Number(number)) => Ok(number.to_string()),
        Some(_) => Err(format!("the key {key} of the secret {name} is neither text nor number; {accepted}")),
        None => Err(format!("the secret {name} has no key {key}; {accepted}")),
    }
}

/// A file's path in the form that the environment takes.
///
/// # Errors
///
/// On AWS, if it does not name an object under `config/`.
pub(super) fn file_path(path: &str, platform: Platform) -> Result<String, String> {
    if platform == Platform::Laptop {
        return Ok(path.to_owned());
    }
    let plain = path.strip_prefix("./").unwrap_or(path);
    let below = plain.split('/').all(|part| !matches!(part, "" | "." | "..")) && !plain.contains('\\');
    if below {
        return Ok(plain.to_owned());
    }
    Err(format!("{path:?} names no object below config/; accepted on AWS: a path like maps/example.toml"))
}

/// One value from elsewhere; `None`, with a mistake, if it cannot be read.
pub(super) fn take_one(
    inner: &Section<'_>,
    line: usize,
    environment: &dyn Environment,
    mistakes: &mut Mistakes<'_>,
) -> Option<String> {
    let platform = environment.platform();
    let taken =
        origin(inner, line, platform, mistakes)?.question(platform).and_then(|question| question.ask(environment));
    taken.map_err(|problem| mistakes.add(line, inner.path(), problem)).ok()
}

fn origin<'d>(
    inner: &Section<'d>,
    line: usize,
    platform: Platform,
    mistakes: &mut Mistakes<'_>,
) -> Option<ParamOrigin<'d>> {
    inner.only(&["env", "file", "secret", "key"], mistakes);
    let named = ["env", "file", "secret"].into_iter().filter(|name| inner.has(name)).count();
    if named != 1 {
        let problem = format!("names {named} sources; accepted: {}", origins(platform));
        mistakes.add(line, inner.path(), problem);
        return None;
    }
    let mut text = |key| inner.text(key, mistakes).map(|(text, _)| text);
    let (env, file, secret, key) = (text("env"), text("file"), text("secret"), text("key"));
    if key.is_some() && !inner.has("secret") {
        mistakes.add(line, inner.key("key"), "is a key of a JSON secret; accepted with `secret` only");
    }
    let secret = secret.map(|name| ParamOrigin::Secret { name, key });
    env.map(ParamOrigin::Env).or(file.map(ParamOrigin::File)).or(secret)
}

/// The ways to take a value from elsewhere.
fn origins(platform: Platform) -> &'static str {
    match platform {
        Platform::Laptop => "{ env = \"NAME\" } or { file = \"path\" }",
        Platform::Aws => "{ secret = \"NAME\" }, { secret = \"NAME\", key = \"KEY\" } or { file = \"path\" }",
    }
}

fn declared_param(kind: &str, name: &str) -> Option<&'static Param> {
    KINDS.iter().find(|known| known.name == kind)?.params.iter().find(|param| param.name == name)
}

fn is_secret(kind: &str, name: &str) -> bool {
    SECRETS.contains(&name.to_ascii_lowercase().as_str()) || declared_param(kind, name).is_some_and(|p| p.secret)
}

/// A stand-in for an unavailable value; `None` if the source works without the value and would check it.
fn stand_in(kind: &str, name: &str) -> Option<String> {
    let checked = declared_param(kind, name).is_some_and(|param| !param.secret && !param.required);
    (!checked).then(|| STAND_IN.to_owned())
}
