//! Running the server, and ending it.

use std::net::SocketAddr;
use std::time::Duration;

use axum::Router;
use tokio::net::TcpListener;
use tokio_util::sync::CancellationToken;

use crate::app::App;
use crate::connection::{Connections, Patience};
use crate::error::Result;
use crate::router as routes;
use crate::state::AppState;

/// How long requests may go on after the server was told to stop. Event streams end at once.
const DRAIN: Duration = Duration::from_secs(5);

/// The routes with all their checks, for a server at `address` whose connections somebody else takes care of.
pub fn router(state: AppState, address: SocketAddr, shutdown: CancellationToken) -> Router {
    routes::router(App::new(state, address, shutdown))
}

/// Serves until `shutdown` is cancelled; then takes no more connections, ends the event streams, and gives running
/// requests five seconds.
///
/// # Errors
/// [`Error::Socket`](crate::Error::Socket) if the listener does not even know its address.
pub async fn serve(
    listener: TcpListener,
    state: AppState,
    shutdown: CancellationToken,
) -> Result<()> {
    let address = listener.local_addr()?;
    let connections = Connections::new(listener, Patience::default());
    let serving = axum::serve(connections, router(state, address, shutdown.clone()))
        .with_graceful_shutdown(shutdown.clone().cancelled_owned());
    let too_long = async {
        shutdown.cancelled().await;
        tokio::time::sleep(DRAIN).await;
    };
    tokio::select! {
        result = serving => result?,
        () = too_long => tracing::warn!("requests were still running when the http server ended"),
    }
    Ok(())
}
