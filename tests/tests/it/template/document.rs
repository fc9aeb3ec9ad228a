//! The template as data: YAML with CloudFormation's short tags, read into the long forms of JSON.

use std::path::{Path, PathBuf};

use saphyr::{LoadableYamlNode, Scalar, Yaml};
use serde_json::{Map, Value, json};

/// A template whose short tags (`!Ref X`) are written out (`{"Ref": "X"}`).
#[derive(Debug, Clone)]
pub(crate) struct Template(pub(crate) Value);

/// A resource with its logical ID.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Resource<'t> {
    pub(crate) id: &'t str,
    pub(crate) kind: &'t str,
    /// The condition of its existence.
    pub(crate) condition: Option<&'t str>,
    pub(crate) properties: &'t Value,
}

/// The repository.
pub(crate) fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("..")
}

impl Template {
    /// The template of this repository, with both generations of its tables: the maximum.
    pub(crate) fn load() -> Self {
        Self::of_generations("a-b")
    }

    /// The same with these `Generations`: only the resources that then exist.
    pub(crate) fn of_generations(which: &str) -> Self {
        Self::read("template.yaml").with("Generations", which, &["HasA", "HasB", "LiveIsB"])
    }

    /// The same with this value of a parameter, and with the conditions on it decided.
    pub(crate) fn with(mut self, parameter: &str, value: &str, conditions: &[&str]) -> Self {
        self.0["Parameters"][parameter]["Default"] = json!(value);
        let holds = |name: &Value| {
            let known = conditions.iter().any(|it| *name == **it);
            known.then(|| self.holds_by_default(name))
        };
        Self(decided(&self.0, &holds).unwrap())
    }

    /// Another template of this repository.
    pub(crate) fn read(path: &str) -> Self {
        let text = std::fs::read_to_string(root().join(path)).unwrap();
        let documents = Yaml::load_from_str(&text).unwrap();
        assert_eq!(documents.len(), 1, "a template is one document");
        Self(written_out(&documents[0]))
    }

    /// Every resource.
    pub(crate) fn resources(&self) -> impl Iterator<Item = Resource<'_>> {
        self.0["Resources"].as_object().unwrap().iter().map(|(id, resource)| Resource {
            id,
            kind: resource["Type"].as_str().unwrap(),
            condition: resource["Condition"].as_str(),
            properties: &resource["Properties"],
        })
    }

    /// The resources of a type.
    pub(crate) fn of(&self, kind: &str) -> impl Iterator<Item = Resource<'_>> {
        self.resources().filter(move |resource| resource.kind == kind)
    }

    pub(crate) fn functions(&self) -> impl Iterator<Item = Resource<'_>> {
        self.of("AWS::Serverless::Function")
    }

    /// The mappings of a Kinesis stream or change feed, or those of a queue.
    pub(crate) fn mappings(&self, of_streams: bool) -> impl Iterator<Item = Resource<'_>> {
        self.of("AWS::Lambda::EventSourceMapping").filter(move |mapping| {
            let source = self.named(&mapping.properties["EventSourceArn"]);
            of_streams != source.is_some_and(|source| source.kind == "AWS::SQS::Queue")
        })
    }

    /// The resource that a value refers to, by `Ref` or `GetAtt`.
    pub(crate) fn named(&self, value: &Value) -> Option<Resource<'_>> {
        let id = reference(value)?;
        self.resources().find(|resource| resource.id == id)
    }

    /// The least and greatest value of a property: a number in the template, or a parameter's bounds. `None` if it is
    /// absent or unbounded.
    pub(crate) fn bounds(&self, value: &Value) -> Option<(f64, f64)> {
        if let Some(number) = value.as_f64() {
            return Some((number, number));
        }
        let parameter = &self.0["Parameters"][value["Ref"].as_str()?];
        if let Some(allowed) = parameter["AllowedValues"].as_array() {
            let numbers: Option<Vec<f64>> = allowed.iter().map(Value::as_f64).collect();
            let numbers = numbers?;
            return Some((
                numbers.iter().copied().fold(f64::INFINITY, f64::min),
                numbers.iter().copied().fold(f64::NEG_INFINITY, f64::max),
            ));
        }
        Some((parameter["MinValue"].as_f64()?, parameter["MaxValue"].as_f64()?))
    }

    /// A value with the default of every parameter; `null` if it does not exist then. References to resources stay.
    pub(crate) fn by_default(&self, value: &Value) -> Value {
        if value["Ref"] == "AWS::NoValue" {
            return Value::Null;
        }
        if let Some(name) = value["Ref"].as_str() {
            let default = &self.0["Parameters"][name]["Default"];
            return if default.is_null() { value.clone() } else { default.clone() };
        }
        if let Some([condition, then, otherwise]) = value["Fn::If"].as_array().map(Vec::as_slice) {
            return self.by_default(if self.holds_by_default(condition) { then } else { otherwise });
        }
        value.clone()
    }

    /// Whether a condition holds with the default of every parameter.
    fn holds_by_default(&self, condition: &Value) -> bool {
        if let Some(name) = condition.as_str().or_else(|| condition["Condition"].as_str()) {
            return self.holds_by_default(&self.0["Conditions"][name]);
        }
        // CloudFormation compares strings: a numeric parameter equals its digits.
        let text = |value: &Value| match self.by_default(value) {
            Value::String(text) => text,
            other => other.to_string(),
        };
        let of = |function: &str| listed(&condition[function]);
        match condition.as_object().and_then(|condition| condition.keys().next()).map(String::as_str) {
            Some("Fn::Equals") => text(&condition["Fn::Equals"][0]) == text(&condition["Fn::Equals"][1]),
            Some("Fn::Not") => !self.holds_by_default(&condition["Fn::Not"][0]),
            Some("Fn::And") => of("Fn::And").into_iter().all(|part| self.holds_by_default(part)),
            Some("Fn::Or") => of("Fn::Or").into_iter().any(|part| self.holds_by_default(part)),
            _ => panic!("unknown condition: {condition}"),
        }
    }
}

/// The logical ID that a value refers to, if it is the same in all cases. A function's alias (SAM's `!Ref
/// Function.Alias`) counts as the function.
pub(crate) fn reference(value: &Value) -> Option<&str> {
    if let Some(cases) = value["Fn::If"].as_array() {
        let (then, otherwise) = (reference(cases.get(1)?)?, reference(cases.get(2)?)?);
        return (then == otherwise).then_some(then);
    }
    let id = value["Ref"].as_str().or_else(|| value["Fn::GetAtt"][0].as_str())?;
    Some(id.strip_suffix(".Alias").unwrap_or(id))
}

/// A value that may be one or a list, as a list.
pub(crate) fn listed(value: &Value) -> Vec<&Value> {
    match value {
        Value::Null => Vec::new(),
        Value::Array(values) => values.iter().collect(),
        value => vec![value],
    }
}

/// A value with some conditions decided, in each `Fn::If` and each conditional part; `None` if it does not exist then.
fn decided(value: &Value, holds: &dyn Fn(&Value) -> Option<bool>) -> Option<Value> {
    match value {
        Value::Array(values) => Some(values.iter().filter_map(|value| decided(value, holds)).collect()),
        Value::Object(parts) => {
            if let Some([condition, then, otherwise]) = value["Fn::If"].as_array().map(Vec::as_slice)
                && let Some(holds_now) = holds(condition)
            {
                let taken = if holds_now { then } else { otherwise };
                return if taken["Ref"] == "AWS::NoValue" { None } else { decided(taken, holds) };
            }
            let conditional = parts.get("Condition").and_then(holds);
            if conditional == Some(false) {
                return None;
            }
            let kept = parts.iter().filter(|(name, _)| conditional.is_none() || *name != "Condition");
            let kept = kept.filter_map(|(name, value)| Some((name.clone(), decided(value, holds)?)));
            Some(Value::Object(kept.collect()))
        }
        other => Some(other.clone()),
    }
}

fn written_out(yaml: &Yaml<'_>) -> Value {
    match yaml {
        Yaml::Value(Scalar::Null) => Value::Null,
        Yaml::Value(Scalar::Boolean(value)) => json!(value),
        Yaml::Value(Scalar::Integer(value)) => json!(value),
        Yaml::Value(Scalar::FloatingPoint(value)) => json!(value.into_inner()),
        Yaml::Value(Scalar::String(value)) => json!(value),
        Yaml::Sequence(values) => values.iter().map(written_out).collect(),
        Yaml::Mapping(pairs) => {
            let pairs = pairs.iter().map(|(key, value)| (key.as_str().unwrap().to_owned(), written_out(value)));
            Value::Object(pairs.collect::<Map<_, _>>())
        }
        Yaml::Tagged(tag, inner) => {
            let inner = written_out(inner);
            match (tag.suffix.as_str(), inner.as_str()) {
                ("Ref", _) => json!({ "Ref": inner }),
                ("GetAtt", Some(path)) => json!({ "Fn::GetAtt": path.split('.').collect::<Vec<_>>() }),
                (function, _) => json!({ format!("Fn::{function}"): inner }),
            }
        }
        Yaml::Representation(..) | Yaml::Alias(_) | Yaml::BadValue => panic!("CloudFormation does not read {yaml:?}"),
    }
}
