use std::error::Error;

/// An error and its causes in one line, for a log: each error prints only itself.
#[must_use]
pub fn with_causes(error: &dyn Error) -> String {
    let mut text = error.to_string();
    let mut cause = error.source();
    while let Some(error) = cause {
        text.push_str(": ");
        text.push_str(&error.to_string());
        cause = error.source();
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ports::PortError;

    #[test]
    fn every_cause_is_printed() {
        let error = PortError::unavailable("save the index", PortError::unavailable("PutObject", "SlowDown"));
        assert_eq!(with_causes(&error), "save the index: PutObject: SlowDown");
    }
}
