use std::io;
use std::net::SocketAddr;
use std::sync::{Arc, Mutex, PoisonError};

use tokio::net::{TcpListener, TcpStream};
use tokio::sync::watch;
use tokio::task::JoinHandle;

/// Connections to a server, which can be cut while whoever opened them does not look.
///
/// It listens on a port of its own and passes on what comes, until the runtime ends.
#[derive(Clone, Debug)]
pub struct Line {
    address: SocketAddr,
    passing: Arc<Mutex<Vec<Passing>>>,
}

#[derive(Debug)]
struct Passing {
    cut: watch::Sender<Option<Cut>>,
    task: JoinHandle<()>,
}

/// What whoever opened a connection sees of its end.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Cut {
    /// It is closed in good order (FIN), as by a server that waits no longer.
    Closed,
    /// It is reset (RST) as soon as it is used, as by something between that forgot it.
    Reset,
    /// Nothing: what is sent is swallowed.
    Silent,
}

impl Line {
    /// A line to a server.
    ///
    /// # Errors
    /// When there is no free port on loopback.
    pub async fn to(server: SocketAddr) -> io::Result<Self> {
        let subscriber = TcpListener::bind("127.0.0.1:0").await?;
        let address = subscriber.local_addr()?;
        let passing = Arc::new(Mutex::new(Vec::new()));
        let all = Arc::clone(&passing);
        tokio::spawn(async move {
            while let Ok((from, _)) = subscriber.accept().await {
                let (cut, cut_off) = watch::channel(None);
                let task = tokio::spawn(pass(from, server, cut_off));
                all.lock().unwrap_or_else(PoisonError::into_inner).push(Passing { cut, task });
            }
        });
        Ok(Self { address, passing })
    }

    /// Its address, `http://127.0.0.1:...`.
    #[must_use]
    pub fn url(&self) -> String {
        format!("http://{}", self.address)
    }

    /// How many connections are open.
    #[must_use]
    pub fn connections(&self) -> usize {
        let mut passing = self.passing.lock().unwrap_or_else(PoisonError::into_inner);
        passing.retain(|passing| !passing.task.is_finished());
        passing.len()
    }

    /// Cuts the connections that are open; those that are opened from now on are passed on. Gives how many there were.
    pub async fn cut(&self, how: Cut) -> usize {
        let open = self.connections();
        let passing = std::mem::take(&mut *self.passing.lock().unwrap_or_else(PoisonError::into_inner));
        for Passing { cut, task } in passing {
            cut.send_replace(Some(how));
            if how != Cut::Silent {
                // It ends by itself, and has no word to say.
                drop(task.await);
            }
        }
        open
    }
}

async fn pass(mut from: TcpStream, server: SocketAddr, mut cut: watch::Receiver<Option<Cut>>) {
    let Ok(mut to) = TcpStream::connect(server).await else { return };
    let how = tokio::select! {
        how = cut.wait_for(Option::is_some) => how.ok().and_then(|how| *how),
        _ = tokio::io::copy_bidirectional(&mut from, &mut to) => return,
    };
    match how {
        // What is dropped is closed.
        Some(Cut::Closed) | None => {}
        Some(Cut::Reset) => drop(from.set_zero_linger()),
        Some(Cut::Silent) => {
            // Neither read nor closed, until the runtime ends.
            std::future::pending::<()>().await;
        }
    }
}
