use stoop_domain::HomeId;
use stoop_pipeline::ports::{Commit, FailureKind, HomeChange, Store};

use crate::made;

/// The contract of [`stoop_pipeline::ports::PortError::kind`], over a new store. `spoil` overwrites the stored bytes of
/// a home with others.
pub async fn store_failures_conformance(store: &dyn Store, spoil: impl AsyncFn(&HomeId)) {
    let observations = [made::observation("1", 0, 1), made::observation("2", 0, 2)];
    let [spoilt, whole] = [0, 1].map(|index| made::home(&[&observations[index]]));
    let homes = [&spoilt, &whole].map(|(id, home)| HomeChange::of(id, 0, None, home, true));
    store.commit(&Commit { homes: homes.into(), ..Commit::default() }).await.unwrap();
    spoil(&spoilt.0).await;
    let error = store.homes(&[spoilt.0]).await.unwrap_err();
    assert_eq!(error.kind(), FailureKind::Damaged, "what is stored cannot be read: {error:?}");
    let read = store.homes(&[whole.0]).await.unwrap();
    assert_eq!(read[0].as_ref().map(|stored| &stored.value), Some(&whole.1), "others can");
}
