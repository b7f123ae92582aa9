//! Content hashes (BLAKE3, 128 bits, in hex).

use std::fs::File;
use std::io::Read;

fn hex(hasher: &blake3::Hasher) -> String {
    hasher.finalize().to_hex()[..32].to_owned()
}

/// Hash of bytes.
#[must_use]
pub fn hash_bytes(bytes: &[u8]) -> String {
    let mut hasher = blake3::Hasher::new();
    hasher.update(bytes);
    hex(&hasher)
}

/// Hash of several texts; their lengths count, so that no two lists run together.
#[must_use]
pub fn hash_texts<'a>(texts: impl IntoIterator<Item = &'a str>) -> String {
    let mut hasher = blake3::Hasher::new();
    for text in texts {
        hasher.update(&(text.len() as u64).to_le_bytes());
        hasher.update(text.as_bytes());
    }
    hex(&hasher)
}

/// Hash of a file's content.
///
/// # Errors
/// The file cannot be read.
pub fn hash_file(file: &File) -> std::io::Result<String> {
    // No more than there was at first: a file that grows as fast as it is read would keep us for ever, and is a new file anyway.
    let mut file = file.take(file.metadata()?.len());
    let mut hasher = blake3::Hasher::new();
    let mut buffer = vec![0_u8; 1 << 18];
    loop {
        match file.read(&mut buffer) {
            Ok(0) => return Ok(hex(&hasher)),
            Ok(n) => drop(hasher.update(&buffer[..n])),
            Err(error) if error.kind() == std::io::ErrorKind::Interrupted => {}
            Err(error) => return Err(error),
        }
    }
}
