use std::io;
use std::net::SocketAddr;
use std::sync::{Arc, Mutex, PoisonError};

use tokio::net::{TcpListener, TcpStream};
use tokio::sync::watch;
use tokio::task::JoinHandle;

/// A proxy whose connections can be cut unnoticed by the client.
///
/// It listens on its own port and forwards until the runtime ends.
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

/// What the client of a connection sees of its end.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Cut {
    /// An orderly close (FIN), like that of a server with an idle timeout.
    Closed,
    /// A reset (RST) as soon as it is used, like that of a middlebox that forgot it.
    Reset,
    /// Nothing: data is swallowed.
    Silent,
}

impl Line {
    /// A proxy for a server.
    ///
    /// # Errors
    ///
    /// There is no free port on loopback.
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

    /// Its URL, `http://127.0.0.1:...`.
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

    /// Cuts the open connections; new ones are forwarded. Returns how many there were.
    pub async fn cut(&self, how: Cut) -> usize {
        let open = self.connections();
        let passing = std::mem::take(&mut *self.passing.lock().unwrap_or_else(PoisonError::into_inner));
        for Passing { cut, task } in passing {
            cut.send_replace(Some(how));
            if how != Cut::Silent {
                // The task ends by itself without a result.
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
        // Dropping it closes it.
        Some(Cut::Closed) | None => {}
        Some(Cut::Reset) => drop(from.set_zero_linger()),
        Some(Cut::Silent) => {
            // Neither read nor closed, until the runtime ends.
            std::future::pending::<()>().await;
        }
    }
}
