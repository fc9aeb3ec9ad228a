use crate::KINDS;
use crate::capabilities::Capabilities;
use crate::params::Param;
use crate::port::{Params, SearchError, Source};

/// A built-in source kind.
#[derive(Clone, Copy, Debug)]
pub struct SourceKind {
    /// Name that a search gives as its source.
    pub name: &'static str,
    /// One-line description.
    pub summary: &'static str,
    /// Accepted parameters.
    pub params: &'static [Param],
    /// What the source reports.
    pub capabilities: Capabilities,
    /// Builds the source of a search.
    pub(crate) build: fn(&Params) -> Result<Box<dyn Source>, SearchError>,
}

/// Builds the source of this kind for a search with these parameters.
///
/// # Errors
/// Returns every mistake at once: an unknown kind with the known kinds, unknown keys with the accepted keys, bad values
/// with what would be accepted.
///
/// ```
/// use stoop_sources::{Params, build};
/// let params = Params::from([("location".into(), "Chicago, IL".into()), ("key".into(), "secret".into())]);
/// let source = build("zillow", &params)?;
/// assert_eq!(source.request(&source.begin(None)).headers[0].0, "x-rapidapi-key");
/// # Ok::<(), stoop_sources::SearchError>(())
/// ```
pub fn build(kind: &str, params: &Params) -> Result<Box<dyn Source>, SearchError> {
    match KINDS.iter().find(|known| known.name == kind) {
        Some(known) => (known.build)(params),
        None => {
            let names: Vec<&str> = KINDS.iter().map(|kind| kind.name).collect();
            Err(SearchError(vec![format!("{kind:?} is no kind of source; there are {}", names.join(", "))]))
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn mistakes(kind: &str, params: &[(&str, &str)]) -> Vec<String> {
        let params = params.iter().map(|(key, value)| ((*key).to_owned(), (*value).to_owned())).collect();
        build(kind, &params).err().map(|error| error.0).unwrap_or_default()
    }

    #[test]
    fn an_unknown_kind_is_answered_with_the_kinds_there_are() {
        assert_eq!(
            mistakes("redfin", &[]),
            [r#""redfin" is no kind of source; there are reso, zillow, realtor, rentcast, avito, mubawab"#]
        );
    }

    #[test]
    fn every_kind_is_built_from_its_required_parameters() {
        for kind in KINDS {
            let params = kind.params.iter().filter(|param| param.required);
            let required = params.map(|param| (param.name.to_owned(), "https://example.com".to_owned()));
            // One of these parameters for the area is required, no matter which.
            let place = match kind.name {
                "realtor" => Some(("postal_code".to_owned(), "60614".to_owned())),
                "rentcast" => Some(("zipCode".to_owned(), "60614".to_owned())),
                _ => None,
            };
            let params = required.chain(place).collect();
            assert_eq!(build(kind.name, &params).unwrap().name(), kind.name);
        }
    }

    #[test]
    fn all_mistakes_are_reported_at_once_and_name_what_is_accepted() {
        let message = mistakes("reso", &[("zip", "60601"), ("top", "9000"), ("country", "XX"), ("name", "a/b")]);
        assert_eq!(message.len(), 5, "{message:#?}");
        assert!(message[0].starts_with("zip: no parameter of reso; accepted are url, "), "{message:#?}");
        assert!(message[1].starts_with("url: missing"), "{message:#?}");
        let message = message.join("\n");
        assert!(message.contains(r#"top = "9000": accepted is a whole number from 1 to 5000"#), "{message}");
        assert!(message.contains(r#"name = "a/b""#), "{message}");
        assert!(message.contains("currency"), "{message}");
    }

    #[test]
    fn a_secret_is_in_no_message() {
        let message =
            mistakes("zillow", &[("key", "s3cret"), ("keyy", "s3cret"), ("page", "1"), ("status_type", "Sold")]);
        assert_eq!(message.len(), 4, "{message:#?}");
        assert!(message.iter().all(|mistake| !mistake.contains("s3cret")), "{message:#?}");
    }
}
