// A forest over pixels: the parent of a pixel is an earlier pixel of its component, or itself. The background has none.
struct Size { width: u32, pixels: u32, corners: u32, unused: u32 }

const NONE = 0xffffffffu;

@group(0) @binding(0) var<uniform> size: Size;
@group(0) @binding(2) var<storage, read_write> parents: array<atomic<u32>>;

// Parents only ever become earlier pixels, so this ends whatever other threads do meanwhile. The way is halved for those who come
// after: a grandparent is of the same component, and a minimum never makes a parent later.
fn root(pixel: u32) -> u32 {
    var here = pixel;
    var parent = atomicLoad(&parents[here]);
    while parent != here {
        let farther = atomicLoad(&parents[parent]);
        if farther != parent { atomicMin(&parents[here], farther); }
        here = parent;
        parent = farther;
    }
    return here;
}

// Each round ends the loop or goes on with two pixels that are both before the later one of this round: it waits for nobody.
fn join(one: u32, other: u32) {
    var a = one;
    var b = other;
    loop {
        a = root(a);
        b = root(b);
        if a == b { break; }
        let late = max(a, b);
        let early = min(a, b);
        let before = atomicMin(&parents[late], early);
        if before == late { break; }
        // Another thread gave `late` a parent first: that one and `early` belong together.
        a = before;
        b = early;
    }
}
