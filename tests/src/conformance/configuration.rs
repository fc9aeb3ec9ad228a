use std::collections::BTreeMap;

use stoop_pipeline::ports::{ConfigFiles, Configuration};

/// The contract of [`Configuration`]: of one that is new, of another whose reader began earlier, and of what operators
/// do. `upload` stores a file at a path, or removes it.
pub async fn configuration_conformance(
    configuration: &dyn Configuration,
    other: &dyn Configuration,
    upload: impl AsyncFn(&str, Option<&str>),
) {
    assert_eq!(configuration.fingerprint().await.unwrap(), None);
    assert_eq!(configuration.uploaded().await.unwrap().files, BTreeMap::new());
    assert_eq!(configuration.accepted().await.unwrap(), None);
    assert_eq!(other.accepted().await.unwrap(), None);

    let mut fingerprints = Vec::new();
    let mut files = BTreeMap::new();
    let steps = [
        ("stoop.toml", Some("[alerts]\n")),
        ("maps/agenz.toml", Some("# Méknes\n")),
        ("stoop.toml", Some("[alerts]\ndrop_percent = 9\n")),
        ("maps/agenz.toml", None),
    ];
    for (path, text) in steps {
        upload(path, text).await;
        match text {
            Some(text) => files.insert(path.to_owned(), text.to_owned()),
            None => files.remove(path),
        };
        let fingerprint = configuration.fingerprint().await.unwrap().unwrap();
        assert_eq!(configuration.fingerprint().await.unwrap().as_ref(), Some(&fingerprint), "unchanged");
        assert!(!fingerprints.contains(&fingerprint), "{path} changed");
        let uploaded = configuration.uploaded().await.unwrap();
        assert_eq!((&uploaded.files, &uploaded.fingerprint), (&files, &fingerprint));
        assert_eq!(other.fingerprint().await.unwrap().as_ref(), Some(&fingerprint), "any reader finds the same");
        fingerprints.push(fingerprint);
    }
    assert_eq!(configuration.accepted().await.unwrap(), None, "an upload is not accepted by itself");

    let uploaded = configuration.uploaded().await.unwrap();
    configuration.accept(&uploaded).await.unwrap();
    for accepted in [configuration, other] {
        assert_eq!(accepted.accepted().await.unwrap().as_ref(), Some(&uploaded));
        assert_eq!(accepted.accepted().await.unwrap().as_ref(), Some(&uploaded), "once more");
    }
    upload("stoop.toml", Some("a mistake")).await;
    assert_eq!(configuration.accepted().await.unwrap().as_ref(), Some(&uploaded), "whatever is uploaded");
    let next = ConfigFiles {
        fingerprint: "next".into(),
        files: [("other.toml".to_owned(), "x = \"\0\u{1f3e0}\"".to_owned())].into(),
    };
    other.accept(&next).await.unwrap();
    for accepted in [configuration, other] {
        assert_eq!(accepted.accepted().await.unwrap().as_ref(), Some(&next), "as a whole, by every reader");
    }
}
