//! Writes a U-Net with random weights, for benchmarks: `write_unet FILE [FILTERS,…]`.
#![allow(missing_docs, clippy::unwrap_used)]

#[path = "../tests/common/net.rs"]
mod net;

fn main() {
    let mut arguments = std::env::args().skip(1);
    let file = arguments
        .next()
        .expect("usage: write_unet FILE [FILTERS,…]");
    let filters = arguments
        .next()
        .unwrap_or_else(|| "16,32,64,128".to_owned());
    let filters: Vec<usize> = filters.split(',').map(|n| n.parse().unwrap()).collect();
    net::Net::deep_u_net(&filters).write(file.as_ref());
}
