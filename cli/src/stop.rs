use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

/// Becomes true on the first Ctrl-C (or SIGTERM): finish what is in hand. A second one ends the program.
#[derive(Clone, Default)]
pub(crate) struct Stop(Arc<AtomicBool>);

impl Stop {
    /// Starts listening for signals, on a thread of its own so that busy work cannot delay it.
    pub(crate) fn on_signals() -> Self {
        let stop = Self::default();
        let flag = stop.clone();
        std::thread::spawn(move || {
            let Ok(runtime) = tokio::runtime::Builder::new_current_thread().enable_all().build() else { return };
            runtime.block_on(async {
                loop {
                    signal().await;
                    if flag.is_set() {
                        std::process::exit(130);
                    }
                    flag.set();
                }
            });
        });
        stop
    }

    pub(crate) fn set(&self) {
        self.0.store(true, Ordering::SeqCst);
    }

    pub(crate) fn is_set(&self) -> bool {
        self.0.load(Ordering::SeqCst)
    }
}

#[cfg(unix)]
async fn signal() {
    use tokio::signal::unix::{SignalKind, signal};
    let Ok(mut terminate) = signal(SignalKind::terminate()) else { return std::future::pending().await };
    tokio::select! {
        _ = tokio::signal::ctrl_c() => {}
        _ = terminate.recv() => {}
    }
}

#[cfg(not(unix))]
async fn signal() {
    if tokio::signal::ctrl_c().await.is_err() {
        std::future::pending::<()>().await;
    }
}
