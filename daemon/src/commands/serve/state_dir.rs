//! The state folder: fit for a queue, and where clients find the daemon's address.

use std::net::SocketAddr;
use std::path::{Path, PathBuf};

use anyhow::{Context, bail};
use config::{State, Unfit, first_line_of_private_file};

/// Makes the folder and refuses a network file system, on which SQLite's locks are unreliable.
pub fn prepare(state: &State) -> anyhow::Result<()> {
    std::fs::create_dir_all(&state.dir).with_context(|| format!("cannot make the state folder `{}`; give the user access to it or choose another one with --state-dir", state.dir.display()))?;
    let kind = watch::fs_kind(&state.dir)
        .with_context(|| format!("cannot look at `{}`", state.dir.display()))?;
    if kind.network && !state.allow_network {
        bail!(
            "the state folder `{}` is on {}, a network file system, on which a queue can be lost; put [state] dir on a local disk",
            state.dir.display(),
            kind.name
        );
    }
    Ok(())
}

/// The access token: the first line of a file that only its owner should be able to read.
pub fn read_token(file: &Path) -> anyhow::Result<String> {
    let token = match first_line_of_private_file(file) {
        Ok(token) => token,
        Err(Unfit::Unreadable(error)) => {
            return Err(error)
                .with_context(|| format!("cannot read the token file `{}`", file.display()));
        }
        Err(Unfit::Exposed) => bail!(
            "everybody on this machine can read the token in `{}`; `chmod 640` it, and make a new one",
            file.display()
        ),
    };
    if token.len() < 16 {
        bail!(
            "the token in `{}` is too short; make one with `openssl rand -hex 32 > {}`",
            file.display(),
            file.display()
        );
    }
    if !token.chars().all(|c| c.is_ascii_graphic()) {
        bail!(
            "the token in `{}` has characters that a request cannot carry; make one with `openssl rand -hex 32 > {}`",
            file.display(),
            file.display()
        );
    }
    Ok(token)
}

/// The file `address` in the state folder, as long as the daemon runs.
pub struct Address {
    file: PathBuf,
    url: String,
}

impl Address {
    /// Writes the file.
    pub fn publish(dir: &Path, address: SocketAddr) -> anyhow::Result<Self> {
        let (file, url) = (dir.join("address"), format!("http://{address}"));
        image_io::publish::write_bytes_atomically(&file, format!("{url}\n").as_bytes())?;
        Ok(Self { file, url })
    }

    /// The URL of the page and the API.
    pub fn url(&self) -> &str {
        &self.url
    }
}

impl Drop for Address {
    fn drop(&mut self) {
        let _ = std::fs::remove_file(&self.file);
    }
}
