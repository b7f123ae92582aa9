// The lowest of the parabolas of a row at a pixel.
struct Band { width: u32, rows: u32, first: u32, anchors: u32 }
struct Nearest { square: u32, at: u32 }

const NONE = 0xffffffffu;
// Pixels from one anchor to the next.
const STEP = 32u;

@group(0) @binding(0) var<uniform> band: Band;
@group(0) @binding(1) var<storage, read> columns: array<u32>;
@group(0) @binding(2) var<storage, read> background: array<u32>;

fn consider(best: ptr<function, Nearest>, row: u32, x: u32, at: u32) {
    let vertical = columns[row + at];
    if vertical != NONE {
        let across = max(x, at) - min(x, at);
        // Sides have 46,340 pixels at most: this fits.
        let square = vertical * vertical + across * across;
        if square < (*best).square { *best = Nearest(square, at); }
    }
}

// Looks from the pixel outwards until nothing farther away can be lower, in columns low to high only.
fn nearest(row: u32, x: u32, low: u32, high: u32) -> Nearest {
    var best = Nearest(NONE, x);
    consider(&best, row, x, x);
    consider(&best, row, x, low);
    consider(&best, row, x, high);
    let reach = max(x - min(x, low), max(x, high) - x);
    var across = max(1u, max(max(x, low) - x, x - min(x, high)));
    while across <= reach && across * across < best.square {
        if x >= low + across && x <= high + across { consider(&best, row, x, x - across); }
        if x + across >= low && x + across <= high { consider(&best, row, x, x + across); }
        across++;
    }
    return best;
}
