struct Parameters {
    // Rows and columns of the plane.
    height: i32,
    width: i32,
    // The first row of the source, and the first one of the result and how many.
    source_row: i32,
    out_row: i32,
    out_rows: i32,
    // Weights to each side of the centre.
    radius: i32,
    // The sum of all weights.
    total: f32,
}

@group(0) @binding(0) var<uniform> p: Parameters;
@group(0) @binding(1) var<storage, read> source: array<f32>;
// From the one to the left of the centre (or above it) to the one to the right.
@group(0) @binding(2) var<storage, read> weights: array<f32>;
@group(0) @binding(3) var<storage, read_write> out: array<f32>;

// Weights are for the difference to the centre's value, whose share is added at the end. A plane without differences stays exactly
// what it is, and a large offset costs no precision.
