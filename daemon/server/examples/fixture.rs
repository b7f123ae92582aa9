//! Serves a made-up queue until Ctrl-C, to look at the pages: `cargo run -p server --example fixture [PORT]`.
//! With `WELLSPRING_FIXTURE_TOKEN` set it asks for that token.

use std::sync::Arc;

use server::{AppState, Options};
use tokio_util::sync::CancellationToken;

#[path = "../tests/it/world.rs"]
mod world;

#[tokio::main]
async fn main() -> Result<(), Box<dyn std::error::Error>> {
    let port = std::env::args().nth(1).unwrap_or_else(|| "8788".to_owned());
    let listener = tokio::net::TcpListener::bind(format!("127.0.0.1:{port}")).await?;
    let world = world::World::large();
    let state = AppState {
        store: world.store.clone(),
        control: Arc::new(world::Daemon::new(&world.store)),
        // Nothing is published in this world.
        viewer: viewer::Viewer::new(
            viewer::SpawnOptions {
                program: "/nonexistent".into(),
                arguments: Vec::new(),
                patience: std::time::Duration::from_secs(1),
            },
            1,
        ),
        options: Options {
            token: std::env::var("WELLSPRING_FIXTURE_TOKEN").ok(),
            allowed_hosts: Vec::new(),
            max_body: 64 * 1024,
            version: env!("CARGO_PKG_VERSION").to_owned(),
        },
    };
    let shutdown = CancellationToken::new();
    let stop = shutdown.clone();
    tokio::spawn(async move {
        if tokio::signal::ctrl_c().await.is_ok() {
            stop.cancel();
        }
    });
    eprintln!("http://{}", listener.local_addr()?);
    server::serve(listener, state, shutdown).await?;
    Ok(())
}
