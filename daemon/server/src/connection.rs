//! Connections that cannot be kept for nothing: their number is bounded, and each has to get on.

use std::io;
use std::net::SocketAddr;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};
use std::time::Duration;

use axum::serve::Listener;
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use tokio::time::{Instant, Sleep, sleep};

/// Most connections at a time; further ones wait in the kernel's backlog.
const CONNECTIONS: usize = 512;

/// How long a connection may take.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Patience {
    /// From the first byte of a request to the first byte of the answer: a client that sends its header one byte a
    /// minute is not waited for.
    pub request: Duration,
    /// Without a request. Event streams write a heartbeat more often than that.
    pub idle: Duration,
}

impl Default for Patience {
    fn default() -> Self {
        Self {
            request: Duration::from_secs(60),
            idle: Duration::from_secs(75),
        }
    }
}

/// Accepts a bounded number of [`Connection`]s.
pub(crate) struct Connections {
    listener: TcpListener,
    slots: Arc<Semaphore>,
    patience: Patience,
}

impl Connections {
    pub(crate) fn new(listener: TcpListener, patience: Patience) -> Self {
        Self {
            listener,
            slots: Arc::new(Semaphore::new(CONNECTIONS)),
            patience,
        }
    }
}

impl Listener for Connections {
    type Io = Connection;
    type Addr = SocketAddr;

    async fn accept(&mut self) -> (Connection, SocketAddr) {
        let slot = Arc::clone(&self.slots).acquire_owned().await.ok();
        let (stream, address) = Listener::accept(&mut self.listener).await;
        // An event is a few hundred bytes and should not wait for more.
        if let Err(error) = stream.set_nodelay(true) {
            tracing::debug!(%error, "cannot set TCP_NODELAY");
        }
        (Connection::new(stream, self.patience, slot), address)
    }

    fn local_addr(&self) -> io::Result<SocketAddr> {
        self.listener.local_addr()
    }
}

/// A connection with a deadline that moves when it gets on.
pub(crate) struct Connection {
    stream: TcpStream,
    patience: Patience,
    deadline: Pin<Box<Sleep>>,
    /// Whether bytes of a request came that is not answered yet.
    in_request: bool,
    _slot: Option<OwnedSemaphorePermit>,
}

impl Connection {
    fn new(stream: TcpStream, patience: Patience, slot: Option<OwnedSemaphorePermit>) -> Self {
        Self {
            stream,
            patience,
            deadline: Box::pin(sleep(patience.idle)),
            in_request: false,
            _slot: slot,
        }
    }

    /// A write that got on moves the deadline; one that waits for the client to read does so only until then.
    fn wrote(
        &mut self,
        context: &mut Context<'_>,
        written: Poll<io::Result<usize>>,
    ) -> Poll<io::Result<usize>> {
        match written {
            Poll::Ready(Ok(1..)) => {
                self.in_request = false;
                let at = Instant::now() + self.patience.idle;
                self.deadline.as_mut().reset(at);
            }
            Poll::Pending if self.deadline.as_mut().poll(context).is_ready() => {
                return Poll::Ready(Err(io::ErrorKind::TimedOut.into()));
            }
            Poll::Ready(_) | Poll::Pending => {}
        }
        written
    }
}

impl AsyncRead for Connection {
    fn poll_read(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        let before = buffer.filled().len();
        let read = Pin::new(&mut self.stream).poll_read(context, buffer);
        if buffer.filled().len() > before && !self.in_request {
            self.in_request = true;
            let at = Instant::now() + self.patience.request;
            self.deadline.as_mut().reset(at);
        }
        if self.deadline.as_mut().poll(context).is_ready() {
            return Poll::Ready(Err(io::ErrorKind::TimedOut.into()));
        }
        read
    }
}

impl AsyncWrite for Connection {
    fn poll_write(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        let wrote = Pin::new(&mut self.stream).poll_write(context, bytes);
        self.wrote(context, wrote)
    }

    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        slices: &[io::IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        let wrote = Pin::new(&mut self.stream).poll_write_vectored(context, slices);
        self.wrote(context, wrote)
    }

    fn is_write_vectored(&self) -> bool {
        self.stream.is_write_vectored()
    }

    fn poll_flush(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_flush(context)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_shutdown(context)
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use tokio::io::{AsyncReadExt, AsyncWriteExt};

    use super::*;

    async fn pair(patience: Patience) -> (TcpStream, Connection) {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let client = TcpStream::connect(listener.local_addr().unwrap());
        let mut connections = Connections::new(listener, patience);
        let (client, (server, _)) = tokio::join!(client, connections.accept());
        (client.unwrap(), server)
    }

    const SHORT: Duration = Duration::from_millis(50);
    const LONG: Duration = Duration::from_secs(3600);

    #[tokio::test]
    async fn a_silent_connection_is_given_up() {
        let (_client, mut server) = pair(Patience {
            request: LONG,
            idle: SHORT,
        })
        .await;
        let error = server.read_u8().await.unwrap_err();
        assert_eq!(error.kind(), io::ErrorKind::TimedOut);
    }

    #[tokio::test]
    async fn a_request_that_does_not_end_is_given_up() {
        let (mut client, mut server) = pair(Patience {
            request: SHORT,
            idle: LONG,
        })
        .await;
        client.write_u8(b'G').await.unwrap();
        assert_eq!(server.read_u8().await.unwrap(), b'G');
        let error = server.read_u8().await.unwrap_err();
        assert_eq!(error.kind(), io::ErrorKind::TimedOut);
    }

    #[tokio::test]
    async fn a_client_that_does_not_read_is_given_up() {
        let (_client, mut server) = pair(Patience {
            request: LONG,
            idle: SHORT,
        })
        .await;
        let error = loop {
            // More than any buffer on the way holds.
            if let Err(error) = server.write_all(&[0; 1 << 20]).await {
                break error;
            }
        };
        assert_eq!(error.kind(), io::ErrorKind::TimedOut);
    }

    #[tokio::test]
    async fn an_answer_ends_the_request() {
        let (mut client, mut server) = pair(Patience {
            request: SHORT,
            idle: LONG,
        })
        .await;
        client.write_u8(b'G').await.unwrap();
        server.read_u8().await.unwrap();
        server.write_u8(b'!').await.unwrap();
        // The next request comes later than `request` after the first, and is read all the same.
        tokio::time::timeout(SHORT * 4, server.read_u8())
            .await
            .unwrap_err();
        client.write_u8(b'H').await.unwrap();
        assert_eq!(server.read_u8().await.unwrap(), b'H');
    }
}
