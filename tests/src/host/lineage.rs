use std::collections::BTreeMap;
use std::fmt;

use super::FunctionError;

/// After this many invocations in one chain of events Lambda stops a loop: "approximately 16 times" in "Use Lambda
/// recursive loop detection to prevent infinite loops", AWS Lambda Developer Guide.
pub const INVOCATIONS_MAX: u32 = 16;

/// A function's `RecursiveLoop`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum RecursiveLoop {
    /// A loop is stopped: the default of a template.
    #[default]
    Terminate,
    /// A loop continues.
    Allow,
}

impl RecursiveLoop {
    /// Parses the property of a template: absent, `Allow` or `Terminate`.
    ///
    /// # Panics
    ///
    /// Any other value.
    #[must_use]
    pub fn of(property: Option<&str>) -> Self {
        match property {
            None | Some("Terminate") => Self::Terminate,
            Some("Allow") => Self::Allow,
            Some(other) => panic!("RecursiveLoop is {other:?}; accepted: Allow, Terminate"),
        }
    }
}

/// How often each function was invoked in one chain of events, by a hash of the function: the `Lineage` of a trace
/// header. Lambda writes it, senders of messages pass it on, and Lambda reads it when the message returns.
///
/// The X-Ray Developer Guide shows it as `Lineage=a87bd80c:1|68fd508a:5|c512fbe3:2` ("AWS X-Ray concepts", Tracing
/// header) and reserves it for AWS.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Lineage(BTreeMap<String, u32>);

/// A trace header (`X-Amzn-Trace-Id`), with its lineage separated.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TraceHeader {
    /// `Root=...;Parent=...;Sampled=...`, as far as present.
    trace: String,
    lineage: Lineage,
}

impl TraceHeader {
    /// Parses a header. One without a lineage begins a chain.
    #[must_use]
    pub fn parse(header: &str) -> Self {
        let (lineage, trace): (Vec<&str>, Vec<&str>) =
            header.split(';').map(str::trim).partition(|part| part.starts_with("Lineage="));
        let entries = lineage.iter().flat_map(|part| part["Lineage=".len()..].split('|'));
        let counts = entries.filter_map(|entry| entry.split_once(':'));
        let counts = counts.filter_map(|(function, count)| Some((function.to_owned(), count.parse().ok()?)));
        Self { trace: trace.join(";"), lineage: Lineage(counts.collect()) }
    }

    /// How often the function of this hash was invoked in this chain.
    #[must_use]
    pub fn invocations(&self, function: &str) -> u32 {
        self.lineage.0.get(function).copied().unwrap_or_default()
    }

    /// The header for a function that an event with this header invokes: with one more invocation.
    ///
    /// # Errors
    ///
    /// [`FunctionError::Recursive`] if there were too many and the function does not allow it.
    pub fn invoke(mut self, function: &str, recursive_loop: RecursiveLoop) -> Result<Self, FunctionError> {
        let invocations = self.invocations(function);
        if invocations >= INVOCATIONS_MAX && recursive_loop == RecursiveLoop::Terminate {
            return Err(FunctionError::Recursive(invocations));
        }
        self.lineage.0.insert(function.to_owned(), invocations + 1);
        Ok(self)
    }
}

impl fmt::Display for TraceHeader {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.trace)?;
        for (index, (function, count)) in self.lineage.0.iter().enumerate() {
            write!(f, "{}{function}:{count}", if index == 0 { ";Lineage=" } else { "|" })?;
        }
        Ok(())
    }
}
